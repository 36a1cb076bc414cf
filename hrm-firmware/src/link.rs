//! What the application needs of its surroundings: a line of bytes and a log.

use hrm_core::wire::{Fault, FrameError, Memory};

/// A line of bytes to a host, and a log.
pub trait Link {
    /// Name of the board, as told in `Hello`.
    fn board(&self) -> &'static str;

    /// The next byte that has arrived, without waiting.
    fn receive(&mut self) -> Option<u8>;

    /// Sleeps until a byte may have arrived.
    fn wait(&mut self);

    /// Sends all of `bytes`, waiting where the line is slower.
    fn send(&mut self, bytes: &[u8]);

    /// Writes `event` to the log.
    fn log(&mut self, event: Event);
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
        segments: u16,
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
    /// A host asked the firmware to leave.
    Leaving,
}
