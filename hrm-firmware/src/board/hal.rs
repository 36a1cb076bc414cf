//! A board whose UART comes from its chip's embassy crate: interrupts fill and drain the buffers, and the
//! application, which knows no executor, looks at them.

use core::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use cortex_m::interrupt;
use embedded_io_async::{Read, ReadReady, Write};
use hrm_firmware::{Board, Event, RECEIVE_BYTES, SEND_BYTES};
use static_cell::StaticCell;

use super::{clock::Clock, stack};

/// How long a host that takes nothing is waited for. The watchdog then starts the board anew, which also
/// helps a USB port whose endpoint has got stuck.
const PATIENCE_US: u64 = 60_000_000;

/// The UART's buffers, to receive into and to send from.
///
/// # Panics
/// At the second call.
pub(crate) fn buffers() -> (&'static mut [u8], &'static mut [u8]) {
    static RX: StaticCell<[u8; RECEIVE_BYTES]> = StaticCell::new();
    static TX: StaticCell<[u8; SEND_BYTES]> = StaticCell::new();
    (RX.init([0; RECEIVE_BYTES]), TX.init([0; SEND_BYTES]))
}

/// A watchdog that runs.
pub(crate) trait Watchdog {
    /// Tells it that the program makes progress.
    fn feed(&mut self);
}

/// What the application uses of such a board.
pub(crate) struct Hal<U, W> {
    pub(crate) name: &'static str,
    pub(crate) uart: U,
    pub(crate) watchdog: W,
    pub(crate) clock: Clock,
}

/// What `future` gives at once, if it does.
fn now<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Waits for `future`, which interrupts drive; does `meanwhile` over and over.
fn wait_for<F: Future>(future: F, mut meanwhile: impl FnMut()) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
        meanwhile();
    }
}

impl<U: Read + ReadReady + Write, W: Watchdog> Board for Hal<U, W> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn receive(&mut self) -> Option<u8> {
        let mut byte = [0];
        // A line error loses bytes, which the frame's CRC shows.
        match now(self.uart.read(&mut byte)) {
            Some(Ok(1)) => Some(byte[0]),
            _ => None,
        }
    }

    fn wait(&mut self) {
        // With interrupts masked, one that comes between the look and the sleep still ends the sleep.
        interrupt::free(|_| {
            if !self.uart.read_ready().unwrap_or(true) {
                super::sleep();
            }
        });
    }

    fn send(&mut self, bytes: &[u8]) {
        let Self { uart, watchdog, clock, .. } = self;
        let until = clock.micros() + PATIENCE_US;
        // A program that has the port open may be stopped, and go on later.
        let mut patiently = || {
            if clock.micros() < until && super::feeds(clock) {
                watchdog.feed();
            }
        };
        // Neither fails on a UART.
        let _ = wait_for(uart.write_all(bytes), &mut patiently);
        let _ = wait_for(uart.flush(), &mut patiently);
    }

    fn micros(&mut self) -> Option<u64> {
        Some(self.clock.micros())
    }

    fn feed(&mut self) {
        if super::feeds(&self.clock) {
            self.watchdog.feed();
        }
    }

    fn stack_used(&self) -> u32 {
        stack::used()
    }

    fn log(&mut self, event: Event) {
        super::log(event);
    }
}
