//! What the application needs of its surroundings: a line of bytes, a clock, a watchdog and a log.

use hrm_core::wire::{Fault, FrameError, MAX_FRAME, Memory, NoModel, SelfTestState};

/// Room for what arrives while the model thinks: a request of the greatest length with another behind it.
/// Rounded up, as rings of such a size are the simplest.
pub const RECEIVE_BYTES: usize = (2 * MAX_FRAME).next_power_of_two();

/// Room for what is to be sent: an answer of usual length.
pub const SEND_BYTES: usize = 256;

/// A board, as the application sees it.
pub trait Board {
    /// Its name, as told in `Hello`.
    fn name(&self) -> &'static str;

    /// The next byte that has arrived, without waiting. Bytes that arrive while the model thinks are kept,
    /// [`RECEIVE_BYTES`] of them.
    fn receive(&mut self) -> Option<u8>;

    /// Sleeps until a byte may have arrived, but where the watchdog runs on in sleep, well below its period.
    fn wait(&mut self);

    /// Sends all of `bytes`, waiting where the line is slower.
    fn send(&mut self, bytes: &[u8]);

    /// Microseconds since the start, in which sleep may be left out; `None` without a clock.
    fn micros(&mut self) -> Option<u64>;

    /// Tells the watchdog that the program makes progress. Called after every block of the model, after
    /// every request, and when idle.
    fn feed(&mut self);

    /// The most bytes of stack that were ever in use, 0 where nobody measures.
    fn stack_used(&self) -> u32;

    /// Writes `event` to the log.
    fn log(&mut self, event: Event);
}

impl<B: Board> Board for &mut B {
    fn name(&self) -> &'static str {
        B::name(self)
    }
    fn receive(&mut self) -> Option<u8> {
        B::receive(self)
    }
    fn wait(&mut self) {
        B::wait(self);
    }
    fn send(&mut self, bytes: &[u8]) {
        B::send(self, bytes);
    }
    fn micros(&mut self) -> Option<u64> {
        B::micros(self)
    }
    fn feed(&mut self) {
        B::feed(self);
    }
    fn stack_used(&self) -> u32 {
        B::stack_used(self)
    }
    fn log(&mut self, event: Event) {
        B::log(self, event);
    }
}

/// What is worth a line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(target_os = "none", derive(defmt::Format))]
pub enum Event {
    /// The model is ready.
    Ready {
        /// CRC-32 that the pack carries.
        pack_crc: u32,
        /// Its members.
        members: u8,
        /// Memory set aside and used.
        memory: Memory,
    },
    /// A request was taken on.
    Accepted {
        /// Its id.
        id: u16,
    },
    /// A request was served to the end.
    Done {
        /// Its id.
        id: u16,
        /// Segments it took.
        segments: u32,
    },
    /// A request was not served.
    Refused {
        /// Its id.
        id: u16,
        /// Why.
        fault: Fault,
    },
    /// The line carried something else than a frame.
    Noise(FrameError),
    /// The self-test has ended.
    SelfTest(SelfTestState),
    /// There is no model; every request is refused.
    NoModel(NoModel),
    /// A host asked the firmware to leave.
    Leaving,
}
