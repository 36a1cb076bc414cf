//! What the equivalence suites share.

pub mod equivalence;
pub mod loopback;
pub mod pack_file;
pub mod puzzles;
pub mod soak;
pub mod standin;
pub mod synthetic;
pub mod usb_host;
