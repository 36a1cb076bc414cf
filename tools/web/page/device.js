// A board on a serial port: what docs/PROTOCOL.md says. The engine makes the frames and reads them.

const BAUD = 115200;
/** Milliseconds between two hellos, until nobody is thought to be there, and for an answer or one segment of it. */
const WAIT = { again: 1000, hello: 10000, answer: 60000 };

/** Why a board did not do what it was asked, in words; `kind` tells the page. */
class Trouble extends Error {
  constructor(kind, text) {
    super(text);
    this.kind = kind;
  }
}

const GONE = 'The board is gone: it was unplugged or has restarted. Plug it in, then ask it again.';
const SILENT = 'Nothing answers at that port. Is it the board’s, and is the board powered, flashed and started? '
  + 'A board with two cables answers at its own USB port alone while that is open.';
const STOPPED = 'The board no longer answers: it may have restarted, or its cable is off. Reset it, then ask it again.';
const STRANGER = 'Something answers at that port, and it is not the HRM firmware: pick another port, or flash the firmware.';
const GARBLED = 'What the board sent was damaged on the way. Check the cable, then ask it again.';

class Device {
  constructor(port, thinker) {
    this.port = port;
    this.thinker = thinker;
    /** Begins where no client has lately: what a board still sends for another is not for this one. */
    [this.id] = crypto.getRandomValues(new Uint16Array(1));
    /** The request whose answers are waited for. */
    this.talk = null;
    /** The id of the request to drop what it does. */
    this.cancelling = null;
    this.heard = false;
    /** Why nothing can be asked any more. */
    this.end = null;
  }

  /** Opens the port; `lost` is called once, where the board goes by itself. */
  async open(lost) {
    this.lost = lost;
    await this.thinker.ask('listen');
    try {
      await this.port.open({ baudRate: BAUD, bufferSize: 4096 });
    } catch (problem) {
      throw new Trouble('port', 'The port cannot be opened: another program may have it, or this user may not '
        + `(${problem.message}). Close terminals and logs; on Linux, join the group that owns the port.`);
    }
    // a board's own USB port talks to a program that says it is there; a port without such a line needs no telling
    await this.port.setSignals({ dataTerminalReady: true }).catch(() => {});
    this.writer = this.port.writable.getWriter();
    this.reading = this.read();
  }

  async read() {
    // a byte that was lost ends a stream, and the port has another; a port that is gone has none
    while (this.port.readable && !this.end) {
      this.reader = this.port.readable.getReader();
      try {
        for (;;) {
          const { value, done } = await this.reader.read();
          if (done) break;
          this.heard = true;
          for (const event of await this.thinker.ask('hear', value)) this.take(event);
        }
        break;
      } catch {
        if (this.port.readable) this.talk?.garbled();
      } finally {
        this.reader.releaseLock();
      }
    }
    if (!this.end) {
      this.finish(new Trouble('gone', GONE));
      this.lost();
    }
  }

  take(event) {
    const { talk } = this;
    if (!talk) return;
    if (event.is === 'version') {
      talk.fail(new Trouble('version', `The board speaks protocol version ${event.device}, this page version ${event.page}: `
        + `${event.device < event.page ? 'flash newer firmware' : 'take a newer page'}.`));
    } else if (event.is === 'garbled') {
      talk.garbled();
    } else if (event.is === 'cancelled' && event.id === this.cancelling) {
      talk.fail(new Trouble('cancelled', 'Cancelled.'));
    } else if (event.is === 'refused' && event.id === talk.id) {
      talk.fail(new Trouble('refused', `The board refuses: ${event.why}.`));
    } else if (event.id === talk.id) {
      talk.take(event);
    }
  }

  async send(call, id, ...args) {
    const frame = await this.thinker.ask('frame', call, id, ...args);
    await this.writer.write(frame);
  }

  next() {
    this.id = (this.id % 65535) + 1;
    return this.id;
  }

  /** Asks; `each` is given every answer, and says which is the last. One after the other. */
  ask(call, args, each, { patience = WAIT.answer, deaf = false } = {}) {
    return new Promise((resolve, reject) => {
      if (this.end) {
        reject(this.end);
        return;
      }
      const id = this.next();
      this.cancelling = null;
      let late = 0;
      const over = (settle, value) => {
        clearTimeout(late);
        if (this.talk === talk) this.talk = null;
        settle(value);
      };
      const fail = (problem) => over(reject, problem);
      const wait = () => {
        clearTimeout(late);
        late = setTimeout(() => fail(new Trouble('silent', deaf ? SILENT : STOPPED)), patience);
      };
      const talk = {
        id,
        fail,
        garbled: () => { if (!deaf) fail(new Trouble('garbled', GARBLED)); },
        take: (event) => {
          wait();
          if (each(event)) over(resolve, event);
        },
      };
      this.talk = talk;
      wait();
      this.send(call, id, ...args).catch((problem) => fail(this.end ?? problem));
    });
  }

  /** Who is there; asked again for a while, as it may still be starting, and garbage may be on the line. */
  async hello() {
    const until = performance.now() + WAIT.hello;
    this.heard = false;
    for (;;) {
      try {
        return await this.ask('hello', [''], (event) => event.is === 'hello', { patience: WAIT.again, deaf: true });
      } catch (problem) {
        if (problem.kind !== 'silent') throw problem;
        if (performance.now() >= until) throw this.heard ? new Trouble('stranger', STRANGER) : problem;
      }
    }
  }

  /** Has it drop what it does; what is waited for then ends. */
  async cancel() {
    this.cancelling = this.next();
    await this.send('cancel', this.cancelling, '').catch(() => {});
  }

  finish(trouble) {
    this.end ??= trouble;
    this.talk?.fail(this.end);
  }

  /** Gives the port back. */
  async close() {
    this.finish(new Trouble('closed', 'The port is closed.'));
    await this.reader?.cancel().catch(() => {});
    await this.reading;
    await this.writer?.abort().catch(() => {});
    this.writer?.releaseLock();
    await this.port.close().catch(() => {});
  }
}
