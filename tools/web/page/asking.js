// What the page does with a board: finds it, has it solve the puzzle that is there, compares.

/** Segments whose digests are compared at most. */
const COMPARED = 4;

/** The board that answers, and what it said of itself. */
let device = null;
let hello = null;

function tellBoard(text, trouble = false) {
  $('board-told').textContent = text;
  $('board-told').classList.toggle('trouble', trouble);
}

/** `none`, `asking` who is there, `ready` or `busy`. The keyboard stays among the buttons that there are. */
function becomeBoard(next) {
  const held = $('board').contains(document.activeElement);
  document.body.dataset.board = next;
  const shown = { none: ['ask'], asking: ['leave'], ready: ['solve', 'bits', 'leave'], busy: ['cancel'] }[next];
  for (const name of ['ask', 'solve', 'bits', 'cancel', 'leave']) $(`board-${name}`).hidden = !shown.includes(name);
  if (held) $(`board-${shown[0]}`).focus();
}

/** The release of a board's port, whatever it was doing. */
async function leaveBoard(text = 'The port is closed.', trouble = false) {
  const left = device;
  device = hello = null;
  $('board-about').textContent = '';
  becomeBoard('none');
  tellBoard(text, trouble);
  await left?.close();
}

/** Whether `problem` leaves a board that can be asked something else. */
const isThere = (problem) => ['refused', 'cancelled'].includes(problem.kind);

/** What came of a request that brought no answer. */
async function failed(problem) {
  if (!device) return;
  if (isThere(problem)) {
    becomeBoard('ready');
    tellBoard(problem.message, problem.kind !== 'cancelled');
  } else await leaveBoard(problem.message, true);
}

async function findBoard() {
  let port;
  try {
    port = await navigator.serial.requestPort();
  } catch (problem) {
    tellBoard(problem.name === 'NotFoundError' ? 'No port was chosen.'
      : `The browser shows no serial ports: ${problem.message}`, problem.name !== 'NotFoundError');
    return;
  }
  const found = new Device(port, thinker);
  device = found;
  becomeBoard('asking');
  tellBoard('Asking who is there …');
  try {
    await found.open(() => { if (device === found) leaveBoard(found.end.message, true); });
    let said = await found.hello();
    // what another client that left has begun
    await found.ask('cancel', [''], (event) => event.is === 'cancelled');
    while (said.self_test === 'running') {
      tellBoard(`${said.board} answers, and tests itself first …`);
      await new Promise((resolve) => { setTimeout(resolve, 500); });
      said = await found.hello();
    }
    await openPackOf(said);
    if (device !== found) return;
    hello = said;
    becomeBoard('ready');
    $('board-about').textContent = `${said.board}, firmware ${said.firmware}, protocol ${said.protocol}; pack for ${said.task}, `
      + `CRC-32 ${said.crc}; self-test: ${said.self_test}`;
    const faulty = said.self_test === 'failed';
    tellBoard(faulty ? 'Its self-test failed, so it solves nothing. Flash program and pack again.'
      : isSamePack() ? 'It is ready, and has the pack that is open here.'
        : 'It is ready. Its pack is not the one that is open here: its answers are shown, and compared with nothing.', faulty);
  } catch (problem) {
    if (device === found) await leaveBoard(problem.message, true);
  }
}

const isSamePack = () => pack.crc === hello.crc;

/** Opens the pack that a board has, where the page has it, or else one of its task; the puzzle stays. */
async function openPackOf(said) {
  if (pack.crc === said.crc) return;
  const [before, text] = [pack.task, $('puzzle').value];
  let like = null;
  for (const { value: name } of $('pack').options) {
    const { task, crc } = await thinker.ask('look', bytesOfPack(name)).catch(() => ({}));
    if (crc === said.crc || (task === said.task && before !== said.task)) like ??= name;
    if (crc === said.crc) like = name;
  }
  if (like) {
    $('pack').value = like;
    await openChosen();
    if (pack.task === before) {
      showPuzzle(text);
      $('example').value = OWN;
    }
  }
  if (pack.task !== said.task) {
    throw new Trouble('task', `${said.board} has a pack for ${said.task}, of which this page has none: `
      + 'open the board’s pack here, then ask again.');
  }
}

/** Begins what takes the board's time; whether it may be. */
function claimBoard() {
  if (pack.task !== hello.task) {
    tellBoard(`The board’s pack is for ${hello.task}: choose a model of that.`, true);
    return false;
  }
  becomeBoard('busy');
  return true;
}

/** A segment as the page shows it: the board's words, and what only this page's model tells where it has thought the same. */
function segmentOf(event, own, before) {
  const segment = event.segment ?? (event.guess === before.guess ? before.segment + 1 : 1);
  return {
    moved: null, supposed: null, violations: -1, mostSegments: before.mostSegments, ...own, ...event, segment,
    qHalt: own?.qHalt ?? event.qHalt ?? null,
    done: event.is === 'answer', solved: event.status === 'solved', by: hello.board,
  };
}

const SAME = ['guess', 'segments', 'ended', 'grid'];
const SAME_SEGMENT = [...SAME, 'segment', 'violations', 'confidence'];

/** Has the board solve the puzzle. Where this page has its pack, its own model thinks along, a segment for each of the board's. */
async function solveOnBoard() {
  if (!claimBoard()) return;
  if (!await begin()) {
    becomeBoard('ready');
    return;
  }
  const [mine, asked, along] = [turn, device, isSamePack()];
  let last = { guess: 0, segment: 0, segments: 0 };
  let other = null;
  let shown = Promise.resolve();
  let dropped = false;
  const show = async (event) => {
    if (mine !== turn || !hello) return;
    const further = event.segments > last.segments;
    const own = along && !event.cancelled ? await thinker.ask('advance') : null;
    if (mine !== turn || !hello) return;
    const same = event.is === 'answer' ? SAME : SAME_SEGMENT;
    if (own && same.some((part) => own[part] !== event[part])) other ??= event.segments;
    last = segmentOf(event, own, last);
    showSegment(last, further);
  };
  become('asked');
  tellBoard('The board thinks.');
  const wish = OPTIONS.map(setting);
  try {
    const answer = await asked.ask('solve', [puzzleText(), ...wish], (event) => {
      if (mine === turn) shown = shown.then(() => show(event));
      else if (!dropped) asked.cancel();
      dropped = mine !== turn;
      return event.is === 'answer';
    });
    await shown;
    becomeBoard('ready');
    if (mine !== turn) tellBoard('The board has dropped the puzzle.');
    else if (answer.status === 'refused') refusedByBoard(answer);
    else finishOnBoard(answer, last, along, other);
  } catch (problem) {
    if (mine === turn) {
      become('done');
      $('now').textContent = `No answer: the board was lost after ${count(last.segments, 'segment')}.`;
    }
    await failed(problem);
  }
}

function refusedByBoard(answer) {
  forget();
  tellBoard(`The board says that this is no puzzle: ${answer.why}.`, true);
}

function finishOnBoard(answer, last, along, other) {
  thought = (answer.micros ?? 0) / 1000;
  finish(last);
  const all = answer.segments === 1 ? 'The segment is' : `All ${answer.segments} segments are`;
  tellBoard(!along ? 'The board has another pack than is open here, so nothing was compared.'
    : other ? `DIFFERENT from this page at segment ${other}: the board computes other bits. `
      + 'Flash program and pack again; hrm-host device verify names the first difference.'
      : answer.segments === 0 ? 'There was nothing to think about.'
        : `${all} this page’s, too: the same grids, guesses and halting head.`, other !== null);
}

/** Compares what every operation gives in the first segments of the puzzle. */
async function compareBoard() {
  if (!claimBoard()) return;
  if (state !== 'done') forget();
  const [text, segments] = [puzzleText(), Math.min(pack.segments, COMPARED)];
  let own;
  try {
    own = isSamePack() ? await thinker.ask('runDigest', text, segments) : null;
  } catch (problem) {
    trouble(`This is no puzzle: ${problem.message}.`);
    becomeBoard('ready');
    return;
  }
  try {
    const { digest } = await device.ask('digest', [text, segments], (event) => {
      tellBoard(`Segment ${event.segment} of ${segments} …`);
      return event.segment === segments;
    });
    becomeBoard('ready');
    const all = count(segments, 'segment');
    tellBoard(own === null ? `Digest of ${all}: ${digest}. The board has another pack than is open here, so there is none to compare.`
      : own === digest ? `Equal: every operation of ${all}, digest ${digest} on both.`
        : `DIFFERENT: the digest of ${all} is ${digest} on the board and ${own} here. `
          + 'Flash program and pack again; hrm-host device verify names the first difference.', own !== null && own !== digest);
  } catch (problem) {
    await failed(problem);
  }
}

/** Shows the way to a board, in browsers that have one. */
function offerBoard() {
  if (!navigator.serial) return;
  $('board').hidden = false;
  becomeBoard('none');
  $('board-ask').addEventListener('click', findBoard);
  $('board-solve').addEventListener('click', solveOnBoard);
  $('board-bits').addEventListener('click', compareBoard);
  $('board-cancel').addEventListener('click', () => device?.cancel());
  $('board-leave').addEventListener('click', () => leaveBoard());
}
