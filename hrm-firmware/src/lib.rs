//! The firmware's application, apart from any board: answers requests from a line with a model.
//!
//! On a workstation this crate is the library alone, which tests drive through an in-memory line; the binary
//! with its boards exists only for microcontrollers (`cargo xtask firmware`).
#![no_std]

pub mod app;
pub mod exit;
mod job;
pub mod lines;
pub mod surroundings;
pub mod usb;

pub use app::{About, App, refuse_all};
pub use exit::Exit;
pub use surroundings::{Board, Event, RECEIVE_BYTES, SEND_BYTES};

/// Most KiB of stack that a program takes, as measured, whose tasks have one size each.
pub const STACK_KIB: u32 = 12;

/// Most KiB of stack that a program takes with a task of any size: its solver keeps
/// several grids of the largest.
pub const STACK_KIB_ANY_SIZE: u32 = 42;

/// Version of the firmware, as told in `Hello`. A build with a corrupted kernel says so.
pub const VERSION: &str = if cfg!(feature = "_fault-injection") {
    concat!(env!("CARGO_PKG_VERSION"), "+fault-injection")
} else {
    env!("CARGO_PKG_VERSION")
};
