// What the page does with a puzzle: asks, thinks at some speed, shows, tells.

const $ = (id) => document.getElementById(id);
/** Segments a second by the place of the slider; the last is as fast as it can. */
const SPEEDS = [0.5, 1, 2, 4, 8, 16, Infinity];
const hex = (word) => word.toString(16).padStart(8, '0');
const setting = (id) => Number($(id).value);
const count = (number, what) => `${number.toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`;

/** How a puzzle is written, by what the name of its task begins with. */
const HELP = {
  sudoku: 'Type or paste, or fill in the grid. A point or 0 is a blank, which the model fills in.',
  maze: 'Type or paste, or fill in the grid. # is a wall, S the start, G the goal, and a point an open cell. The model '
    + 'marks a shortest way from S to G with o.',
};

/** Fields of how it guesses, in the engine's order. */
const OPTIONS = ['guesses', 'suppose', 'seed'];

/** The choice of examples that is none. */
const OWN = 'own';

const parts = JSON.parse($('parts').textContent);
const thinker = new Thinker($('worker').textContent);
const board = new Board($('grid'), filled, refused);
const charts = new Charts($('charts'));

/** `idle` before a puzzle is taken, then `paused` or `running`, or `asked` while a board thinks; `done` after the end. */
let state = 'idle';
let pack = null;
let packName = '';
/** Rises whenever what is under way is to be dropped. */
let turn = 0;
let lastTold = 0;
/** Milliseconds that the model has thought about this puzzle. */
let thought = 0;

/** Tells a screen reader; what comes too soon after another thing is left out, but for what is important. */
function tell(text, important = false) {
  const now = performance.now();
  if (!important && now - lastTold < 2000) return;
  lastTold = now;
  $('live').textContent = text;
}

/** Says what is wrong, in the field `about`; of a puzzle also beside the grid, which may be all that is in view. */
function trouble(text, about = 'puzzle') {
  $('trouble').textContent = text;
  if (text !== '' && about === 'puzzle') $('now').textContent = text;
  for (const id of ['puzzle', ...OPTIONS]) $(id).setAttribute('aria-invalid', String(text !== '' && id === about));
}

/** The first field of how it guesses that holds no whole number of its range. */
const wrongOption = () => OPTIONS.map($).find((field) => !field.validity.valid);

/** Whether every field of how it guesses holds what it may; says which does not. */
function optionsHold() {
  const field = wrongOption();
  if (!field) return true;
  field.closest('details').open = true;
  field.focus();
  const [name, least, most] = [field.labels[0].textContent, ...[field.min, field.max].map((end) => Number(end).toLocaleString('en'))];
  trouble(`${name}: a whole number from ${least} to ${most} is expected.`, field.id);
  return false;
}

function become(next) {
  state = next;
  document.body.dataset.state = next;
  $('think').textContent = { idle: 'Think', paused: 'Go on', running: 'Pause', asked: 'Think', done: 'Think again' }[next];
  $('think').disabled = next === 'asked';
  $('step').disabled = ['running', 'asked', 'done'].includes(next);
  $('again').disabled = next === 'idle';
  board.lock(['running', 'paused', 'asked'].includes(next));
}

/** Drops what is under way; the puzzle stays. */
function forget() {
  turn += 1;
  thought = 0;
  trouble('');
  charts.clear();
  $('guess-list').replaceChildren();
  $('state').textContent = $('digest').textContent = '–';
  $('now').textContent = 'Not asked yet.';
  compare();
  become('idle');
}

/** The puzzle's text, without what people draw between cells, and with the task's own sign for a blank. */
function puzzleText() {
  const plain = (sign) => {
    if (pack.symbols.includes(sign)) return sign;
    return /[\s|+-]/.test(sign) ? '' : /[.0_*]/.test(sign) ? pack.blank : sign;
  };
  return Array.from($('puzzle').value, plain).join('');
}

/** A puzzle as it is shown and sent: blanks that nobody sees are points. */
function written(text) {
  return pack.blank === ' ' && !pack.symbols.includes('.') ? text.replaceAll(' ', '.') : text;
}

/** Somebody has typed into a cell what no cell holds. */
function refused(key) {
  const signs = Array.from(pack.symbols).filter((sign) => sign !== pack.blank).join(' ');
  const text = `“${key}” is no cell of this puzzle: type one of ${signs}, or a point for a blank.`;
  if (state === 'idle') $('now').textContent = text;
  tell(text, true);
}

/** Somebody has changed the puzzle. */
function edited() {
  forget();
  $('example').value = OWN;
}

/** Tells what would be refused before it is asked: the number of characters, or what a puzzle of that number lacks. */
async function foretell() {
  const mine = turn;
  const [text, cells] = [puzzleText(), pack.rows * pack.columns];
  const signs = Array.from(text).length;
  let why = '';
  if (signs !== cells) why = `${signs.toLocaleString('en')} of ${count(cells, 'character')}`;
  else await thinker.ask('check', text).catch((problem) => { why = problem.message; });
  if (why !== '' && mine === turn) $('now').textContent = `Not asked yet: ${why}.`;
}

/** Somebody types into the field, and the grid follows. */
function typed() {
  edited();
  const cells = pack.rows * pack.columns;
  board.ask(Array.from(puzzleText()).slice(0, cells).join('').padEnd(cells, pack.blank));
  foretell();
}

/** Somebody has typed into the grid. */
function filled(text) {
  $('puzzle').value = written(text);
  edited();
  foretell();
}

function showPuzzle(text) {
  $('puzzle').value = written(text);
  forget();
  board.ask(puzzleText());
}

/** Takes the puzzle; whether it is one. */
async function begin() {
  const text = puzzleText();
  forget();
  if (!optionsHold()) return false;
  const mine = turn;
  try {
    await thinker.ask('begin', text, ...OPTIONS.map(setting));
  } catch (problem) {
    trouble(`This is no puzzle: ${problem.message}.`);
    return false;
  }
  if (mine !== turn) return false;
  board.ask(text);
  become('paused');
  look();
  return true;
}

/** One segment. */
async function think() {
  const mine = turn;
  const report = await thinker.ask('advance');
  if (mine !== turn) return;
  thought += report.milliseconds;
  showSegment(report, report.segments > 0);
  if (report.done) finish(report);
}

/** What is believed by now; `further` where a segment has led to it. */
function showSegment(report, further) {
  const changed = board.believe(report.grid, report.supposed);
  const many = report.supposed?.filter(Boolean).length;
  const supposed = many ? `, ${many} supposed` : '';
  if (further) charts.add({ ...report, changed });
  if (report.state !== undefined) {
    $('state').textContent = hex(report.state);
    $('digest').textContent = hex(report.digest);
  }
  const broken = report.violations < 0 ? '' : `, breaks ${count(report.violations, 'rule')}`;
  $('now').textContent = `Guess ${report.guess}, segment ${report.segment} of at most ${report.mostSegments}: `
    + `${count(changed, 'cell')} changed${supposed}${broken}.`;
  if (report.ended > 0 && further) noteGuess(report, supposed);
}

function noteGuess(report, supposed) {
  const entry = document.createElement('li');
  const outcome = report.ended === 1 ? 'accepted' : `dropped: ${pack.ends[report.ended]}`;
  const rules = report.ended === 1 || report.violations < 0 ? '' : `, ${count(report.violations, 'rule')} broken`;
  entry.textContent = `${count(report.segment, 'segment')}${supposed}, ${outcome}${rules}`;
  entry.value = report.guess;
  const list = $('guess-list');
  list.append(entry);
  if (list.childElementCount > 200) list.firstElementChild.remove();
  list.parentElement.scrollTop = list.scrollHeight;
  if (report.ended !== 1) tell(`Guess ${report.guess} dropped after ${count(report.segment, 'segment')}`);
}

function finish(report) {
  become('done');
  const work = `${count(report.guess, 'guess').replace('guesss', 'guesses')}, ${count(report.segments, 'segment')}`;
  const time = thought < 1000 ? `${Math.max(thought, 1).toFixed(0)}\u00a0ms` : `${(thought / 1000).toFixed(1)}\u00a0s`;
  const seconds = thought === 0 ? ''
    : `, ${time} (${(1000 * report.segments / thought).toFixed(1)} segments a second)`;
  const by = report.by ? ` by ${report.by}` : '';
  const text = report.solved && report.segments === 0 ? 'Solved already: complete and valid as given.'
    : report.solved ? `Solved${by} after ${work}${seconds}.`
      : report.cancelled ? `Cancelled after ${work}: this is the best grid that was found by then.`
        : `Unproven${by} after ${work}${seconds}: this is the best grid that was found.`;
  $('now').textContent = text;
  document.body.dataset.solved = String(report.solved);
  tell(text, true);
  compare();
}

/** Thinks until it is paused, at the speed of the slider. */
async function run() {
  become('running');
  const mine = turn;
  while (state === 'running' && mine === turn) {
    const start = performance.now();
    await think();
    const rest = 1000 / SPEEDS[$('speed').value] - (performance.now() - start);
    // without a rest at all the page would not be drawn
    await new Promise((resolve) => { setTimeout(resolve, Math.max(rest, 0)); });
  }
}

/** Brings the grid into view where it is not: on a phone it lies below the puzzle's field. */
function look() {
  const { top, bottom } = $('grid').getBoundingClientRect();
  if (top >= 0 && bottom <= window.innerHeight) return;
  const still = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
  $('seen').scrollIntoView({ block: 'start', behavior: still ? 'auto' : 'smooth' });
}

async function startOrPause() {
  if (state === 'asked') return;
  if (state === 'running') become('paused');
  else if (state === 'paused' || await begin()) await run();
}

async function step() {
  if (state === 'paused' || await begin()) await think();
}

function compare() {
  const [other, own] = [$('other').value.trim().toLowerCase(), $('digest').textContent];
  $('compared').textContent = other === '' ? ''
    : !/^[0-9a-f]{8}$/.test(other) ? 'This is no digest: it has 8 hexadecimal digits (0 to 9, a to f).'
    : own === '–' ? ''
    : other === own ? 'Equal: both computed the same bits.' : 'Different, or not of the same puzzle, seed and segment.';
  const seed = Number($('seed').value) === 0 ? '' : ` --policy-seed ${$('seed').value}`;
  const suppose = $('suppose').value === '3' ? '' : ` --suppose ${$('suppose').value}`;
  const guesses = $('guesses').value === '4096' ? '' : ` --guesses ${$('guesses').value}`;
  const command = pack && !wrongOption()
    ? `hrm-host solve ${packName} "${written(puzzleText())}" --json${guesses}${suppose}${seed}` : '';
  $('command').replaceChildren(...command.split(' ').flatMap((word) => [' ', whole(word)]).slice(1));
}

/** A word of a command, which no line breaks that has room for it. */
function whole(word) {
  const made = document.createElement('span');
  made.className = 'whole';
  made.textContent = word;
  return made;
}

async function selfTest() {
  forget();
  $('self-test').disabled = true;
  let [equal, row] = [0, 0];
  for (; row < pack.self_tests; row++) {
    $('self-tested').textContent = `Puzzle ${row + 1} of ${pack.self_tests} …`;
    const [got, expected] = await thinker.ask('selfTest', row);
    if (got === expected) equal += 1;
  }
  $('self-tested').textContent = row === 0 ? 'This pack has no self-test.'
    : equal === row ? `Passed: ${count(row, 'digest')} of ${row} as in the pack.`
      : `FAILED: ${row - equal} of ${row} digests differ from the pack's.`;
  $('self-test').disabled = false;
}

/** Opens a pack; whether it could. Where not, the pack before it stays chosen. */
async function open(name, bytes) {
  forget();
  try {
    const found = await thinker.ask('open', await bytes);
    pack = found;
    packName = name;
  } catch (problem) {
    trouble(`${name} cannot be used: ${problem.message.replace(/\.$/, '')}.`, 'pack');
    $('pack').value = packName;
    return false;
  }
  $('self-tested').textContent = '';
  $('about').textContent = `For ${pack.task}. On a chip: ${count(pack.bytes, 'byte')} of flash and ${count(pack.memory, 'byte')} of RAM. `
    + (pack.members === 1 ? '' : `${pack.members} sets of weights take turns at guessing. `)
    + `${pack.width} wide, ${pack.lane_bits}-bit states, CRC-32 ${pack.crc}.`;
  board.shape(pack);
  $('puzzle-help').textContent = HELP[$('grid').dataset.task] ?? '';
  const [given, believed] = [pack.symbols.replace(pack.blank, '').charAt(1), pack.symbols.at(-1)];
  for (const key of document.querySelectorAll('.key')) {
    key.textContent = key.classList.contains('given') ? given : believed;
  }
  const examples = EXAMPLES[pack.task] ?? [];
  $('example').replaceChildren(...examples.map(([title, text]) => new Option(title, text)), new Option('Empty grid', ''),
    new Option('Your own', OWN));
  choose();
  return true;
}

function choose() {
  if ($('example').value !== OWN) showPuzzle($('example').value || pack.blank.repeat(pack.rows * pack.columns));
}

async function another() {
  try {
    const [seed] = crypto.getRandomValues(new Uint32Array(1));
    showPuzzle(await thinker.ask('draw', puzzleText(), seed));
    $('example').value = OWN;
  } catch (problem) {
    trouble(`This is no puzzle: ${problem.message}.`);
  }
}

async function openFile(file) {
  if (!file) return;
  const bytes = file.arrayBuffer();
  if (!await open(file.name, bytes)) return;
  if (!own.has(file.name)) $('pack').add(new Option(`${file.name} (yours)`, file.name));
  own.set(file.name, await bytes);
  $('pack').value = file.name;
}

/** Packs of the user's own, by name. */
const own = new Map();

const bytesOfPack = (name) => own.get(name) ?? bytesOf(parts.packs.find((part) => part.name === name).bytes);

async function openChosen() {
  const name = $('pack').value;
  await open(name, bytesOfPack(name));
}

function tellSpeed() {
  const speed = SPEEDS[$('speed').value];
  const told = speed === Infinity ? 'as fast as it can' : `${speed} segment${speed === 1 ? '' : 's'} a second`;
  $('speed-told').textContent = told;
  $('speed').setAttribute('aria-valuetext', told);
}

function listen() {
  $('ask').addEventListener('submit', (event) => { event.preventDefault(); startOrPause(); });
  $('step').addEventListener('click', step);
  $('again').addEventListener('click', () => showPuzzle(board.puzzle.join('')));
  $('draw').addEventListener('click', another);
  $('example').addEventListener('change', choose);
  $('pack').addEventListener('change', openChosen);
  $('file').addEventListener('change', (event) => openFile(event.target.files[0]));
  $('self-test').addEventListener('click', selfTest);
  $('other').addEventListener('input', compare);
  $('speed').addEventListener('input', tellSpeed);
  for (const id of OPTIONS) $(id).addEventListener('input', () => { forget(); });
  $('puzzle').addEventListener('input', typed);
  $('puzzle').addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !event.shiftKey) { event.preventDefault(); $('ask').requestSubmit(); }
  });
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => { event.preventDefault(); openFile(event.dataTransfer.files[0]); });
}

async function start() {
  listen();
  tellSpeed();
  offerBoard();
  $('pack').replaceChildren(...parts.packs.map(({ name }) => new Option(name.split('/').at(-1), name)));
  await thinker.ask('load', bytesOf(parts.engine));
  await openChosen();
  $('page').disabled = false;
  document.body.dataset.ready = 'true';
}

start().catch((problem) => trouble(`This browser cannot run the page: ${problem.message}`));
