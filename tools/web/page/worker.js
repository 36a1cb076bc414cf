// Thinks, apart from the page so that the page stays responsive. One instance of the engine has one pack.
'use strict';

let engine = null;
let module = null;

const memory = () => engine.memory.buffer;
const told = () => new TextDecoder().decode(new Uint8Array(memory(), engine.text(), engine.text_bytes()));

/** Puts a text where the engine reads it. */
function put(text) {
  const bytes = new TextEncoder().encode(text);
  const at = engine.input(bytes.length);
  new Uint8Array(memory(), at, bytes.length).set(bytes);
}

/** What the engine told, where the call succeeded; thrown where it did not. */
function checked(success) {
  if (!success) throw new Error(told());
  return told();
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
  };
}

const calls = {
  async load(bytes) {
    module = await WebAssembly.compile(bytes);
  },
  async open(bytes) {
    const before = engine;
    engine = (await WebAssembly.instantiate(module, {})).exports;
    try {
      const at = engine.room(bytes.byteLength);
      new Uint8Array(memory(), at, bytes.byteLength).set(new Uint8Array(bytes));
      return JSON.parse(checked(engine.open(at, bytes.byteLength)));
    } catch (problem) {
      engine = before;
      throw problem;
    }
  },
  draw(text, seed) {
    put(text);
    return checked(engine.draw(seed));
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
};

onmessage = async ({ data: { id, call, args } }) => {
  try {
    postMessage({ id, value: await calls[call](...args) });
  } catch (problem) {
    postMessage({ id, problem: problem.message });
  }
};
