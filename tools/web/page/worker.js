// Thinks, apart from the page so that the page stays responsive. One instance of the engine has one pack.
'use strict';

let engine = null;
let module = null;
/** An instance for the line to a board, which outlives packs. */
let line = null;

const instance = async () => (await WebAssembly.instantiate(module, {})).exports;
const memory = (of = engine) => of.memory.buffer;
const toldBytes = (of = engine) => new Uint8Array(memory(of), of.text(), of.text_bytes());
const told = (of = engine) => new TextDecoder().decode(toldBytes(of));

/** Puts bytes, or a text, where the engine reads them. */
function put(what, to = engine) {
  const bytes = typeof what === 'string' ? new TextEncoder().encode(what) : what;
  const at = to.input(bytes.length);
  new Uint8Array(memory(to), at, bytes.length).set(bytes);
}

/** What the engine told, where the call succeeded; thrown where it did not. */
function checked(success, of = engine) {
  if (!success) throw new Error(told(of));
  return told(of);
}

/** Opens a pack in an instance; its description. */
function opened(bytes, of) {
  const at = of.room(bytes.byteLength);
  new Uint8Array(memory(of), at, bytes.byteLength).set(new Uint8Array(bytes));
  return JSON.parse(checked(of.open(at, bytes.byteLength), of));
}

/** `Report` of session.rs, by name. */
function report(at) {
  const bytes = new DataView(memory(), at);
  const word = (index) => bytes.getUint32(8 + 4 * index, true);
  return {
    moved: bytes.getFloat64(0, true),
    guess: word(0), member: word(1), segment: word(2), mostSegments: word(3), segments: word(4),
    qHalt: (word(5) | 0) / 4096, violations: word(6) | 0, ended: word(7),
    done: word(8) === 1, solved: word(9) === 1, state: word(10), digest: word(11),
    confidence: word(12) | 0,
  };
}

const calls = {
  async load(bytes) {
    module = await WebAssembly.compile(bytes);
  },
  async open(bytes) {
    const next = await instance();
    const description = opened(bytes, next);
    engine = next;
    return description;
  },
  /** The description of a pack that is not to be used. */
  async look(bytes) {
    return opened(bytes, await instance());
  },
  draw(text, seed) {
    put(text);
    return checked(engine.draw(seed));
  },
  /** Throws what `begin` would refuse: an image can be drawn of a puzzle alone. */
  check(text) {
    put(text);
    checked(engine.draw(0));
  },
  begin(text, guesses, suppose, seed) {
    put(text);
    checked(engine.begin(guesses, suppose, seed));
  },
  advance() {
    const start = performance.now();
    const at = engine.advance();
    const milliseconds = performance.now() - start;
    const after = report(at);
    const grid = told();
    const supposed = Array.from(new Uint8Array(memory(), engine.supposed(), Array.from(grid).length));
    return { ...after, milliseconds, grid, supposed: supposed.map(Boolean) };
  },
  selfTest(row) {
    const at = engine.self_test(row);
    return at === 0 ? null : Array.from(new Uint32Array(memory(), at, 2));
  },
  runDigest(text, segments) {
    put(text);
    return checked(engine.run_digest(segments));
  },
  /** A new line to a board. */
  async listen() {
    line = await instance();
  },
  /** The frame of a request. */
  frame(request, id, text, ...numbers) {
    put(text, line);
    checked(line[request](id, ...numbers), line);
    return toldBytes(line).slice();
  },
  /** What a board's bytes say. */
  hear(bytes) {
    put(bytes, line);
    return JSON.parse(checked(line.hear(), line));
  },
};

onmessage = async ({ data: { id, call, args } }) => {
  try {
    postMessage({ id, value: await calls[call](...args) });
  } catch (problem) {
    postMessage({ id, problem: problem.message });
  }
};
