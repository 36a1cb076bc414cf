//! A USB host and its cable without a USB: packets of a host that is slow, full of words, or
//! gone; and a UART beside it.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    convert::Infallible,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll, Waker},
};

use embedded_io_async::{ErrorType, Read, ReadReady, Write};
use hrm_firmware::usb::{FromHost, Gone, PACKET, ToHost};

/// A host and its cable.
#[derive(Default)]
pub struct Host {
    /// Packets that it has to say.
    pub says: RefCell<VecDeque<Vec<u8>>>,
    /// Packets that it was given.
    pub heard: RefCell<Vec<Vec<u8>>>,
    /// How many packets it takes before it looks away.
    pub takes: Cell<usize>,
    /// Whether the cable is pulled.
    pub gone: Cell<bool>,
}

impl Host {
    /// All bytes that it was given.
    pub fn heard(&self) -> Vec<u8> {
        self.heard.borrow().concat()
    }
}

impl FromHost for &Host {
    async fn ready(&mut self) {
        wait(|| (!self.gone.get()).then_some(())).await;
    }

    async fn take(&mut self, packet: &mut [u8; PACKET]) -> Result<usize, Gone> {
        wait(|| match self.gone.get() {
            true => Some(Err(Gone)),
            false => self.says.borrow_mut().pop_front().map(|said| {
                packet[..said.len()].copy_from_slice(&said);
                Ok(said.len())
            }),
        })
        .await
    }
}

impl ToHost for &Host {
    async fn ready(&mut self) {
        wait(|| (!self.gone.get()).then_some(())).await;
    }

    async fn give(&mut self, packet: &[u8]) -> Result<(), Gone> {
        wait(|| match self.takes.get() {
            _ if self.gone.get() => Some(Err(Gone)),
            0 => None,
            left => {
                self.takes.set(left - 1);
                self.heard.borrow_mut().push(packet.to_vec());
                Some(Ok(()))
            }
        })
        .await
    }
}

/// A UART of which a test sees both ends.
#[derive(Default)]
pub struct Uart {
    /// What has arrived and was not read.
    pub arrives: RefCell<VecDeque<u8>>,
    /// What was sent.
    pub sent: RefCell<Vec<u8>>,
}

impl ErrorType for &Uart {
    type Error = Infallible;
}

impl Read for &Uart {
    async fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let count = wait(|| Some(self.arrives.borrow().len()).filter(|count| *count > 0)).await;
        let count = count.min(bytes.len());
        bytes.iter_mut().zip(self.arrives.borrow_mut().drain(..count)).for_each(|(to, byte)| *to = byte);
        Ok(count)
    }
}

impl ReadReady for &Uart {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(!self.arrives.borrow().is_empty())
    }
}

impl Write for &Uart {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        // Not all at once, as a UART does.
        let count = bytes.len().min(3);
        self.sent.borrow_mut().extend(&bytes[..count]);
        Ok(count)
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// A future that asks anew at every poll, as a test drives it.
async fn wait<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    poll_fn(|_| ask().map_or(Poll::Pending, Poll::Ready)).await
}

/// Looks at a future once.
pub fn poll<F: Future>(future: &mut Pin<&mut F>) -> Option<F::Output> {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// The next byte of `lines`, without waiting.
///
/// # Panics
/// Where `lines` says that there is one and has none, or the other way round: a board would
/// sleep over it, or never.
pub fn next(lines: &mut (impl Read<Error = Infallible> + ReadReady)) -> Option<u8> {
    let Ok(ready) = lines.read_ready();
    let mut byte = [0];
    let count = poll(&mut std::pin::pin!(lines.read(&mut byte)));
    assert_eq!(count.is_some(), ready, "a board would sleep over a byte, or never");
    count.map(|_| byte[0])
}
