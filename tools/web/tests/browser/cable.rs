//! A stand-in for a browser's serial ports, and the cable from it to the firmware's
//! application on this machine.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::json;

use crate::devtools::Browser;

/// `navigator.serial` with one port, whose other end are `cable.sent` and `cable.give`.
const PORTS: &str = r"{
  let incoming = null;
  const cable = {
    sent: [], taken: false, chosen: true, options: null, signals: null,
    give: (bytes) => incoming?.enqueue(new Uint8Array(bytes)),
    unplug() {
      port.readable = port.writable = null;
      incoming.error(new DOMException('The device has been lost.', 'NetworkError'));
      incoming = null;
    },
  };
  const port = {
    readable: null,
    writable: null,
    async open(options) {
      if (cable.taken) throw new DOMException('Failed to open serial port.', 'NetworkError');
      if (port.readable) throw new DOMException('The port is already open.', 'InvalidStateError');
      cable.options = options;
      port.readable = new ReadableStream({ start(controller) { incoming = controller; }, cancel() { incoming = null; } });
      port.writable = new WritableStream({ write(bytes) { cable.sent.push(...bytes); } });
    },
    async setSignals(signals) { cable.signals = signals; },
    async close() {
      if (port.readable?.locked || port.writable?.locked) throw new TypeError('a stream is locked');
      port.readable = port.writable = null;
    },
  };
  const serial = {
    async requestPort() {
      if (!cable.chosen) throw new DOMException('No port selected by the user.', 'NotFoundError');
      return port;
    },
  };
  Object.defineProperty(navigator, 'serial', { value: serial, configurable: true });
  Object.assign(globalThis, { cable, port });
}";

/// Gives the pages of `browser` that port.
pub(crate) fn plug_in(browser: &mut Browser) {
    browser.before(PORTS);
}

/// Sends bytes to the page.
pub(crate) fn give(browser: &mut Browser, bytes: &[u8]) {
    browser.value(&format!("cable.give({})", json!(bytes)));
}

/// A board's end of the cable.
pub(crate) struct Cable {
    line: UnixStream,
}

impl Cable {
    /// A cable to `line`.
    pub(crate) fn to(line: UnixStream) -> Self {
        line.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
        Self { line }
    }

    /// Waits until an expression is true, and carries bytes both ways.
    pub(crate) fn wait(&mut self, browser: &mut Browser, expression: &str) {
        browser.wait_while(expression, |browser| self.carry(browser));
    }

    fn carry(&mut self, browser: &mut Browser) {
        let sent: Vec<u8> = serde_json::from_value(browser.value("cable.sent.splice(0)")).unwrap();
        self.line.write_all(&sent).unwrap();
        let mut buffer = [0; 512];
        match self.line.read(&mut buffer) {
            Ok(count) => give(browser, &buffer[..count]),
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}")
            }
        }
    }
}
