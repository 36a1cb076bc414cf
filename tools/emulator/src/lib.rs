//! Starts the firmware in QEMU, talks to it, and compares it bit for bit with the host.
//!
//! [`Machine::boot`] starts a [`Board`] with a firmware image and a pack; [`Link`] speaks the wire
//! protocol over anything that reads and writes; [`compare`](compare::compare) names the first difference.

pub mod advice;
pub mod board;
pub mod bridge;
mod child;
pub mod compare;
pub mod device;
mod error;
mod estimate;
pub mod image;
pub mod link;
pub mod log;
pub mod machine;
pub mod prove;
mod stranger;
pub mod tasks;
pub mod uf2;

pub use board::Board;
pub use compare::{Difference, compare};
pub use error::with_causes;
pub use image::Image;
pub use link::{Hello, Link, LinkError, Solved};
pub use machine::{Machine, MachineError};
pub use prove::{Claim, Different, Disproof, Proof, differ};
pub use stranger::Stranger;
