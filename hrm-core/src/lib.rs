//! Integer-only inference of the Hierarchical Reasoning Model (HRM).
//!
//! `no_std`, no allocation, no floating point: a [checked pack](pack::Pack) and one caller-owned slice of memory
//! are all a model needs. The same pack and puzzle give the same bits on every processor.
#![no_std]
#![deny(unsafe_code)]
#[cfg(feature = "std")]
extern crate std;

pub mod digest;
#[doc(hidden)]
pub mod fault;
pub mod fixed;
pub mod kernels;
pub mod lane;
pub mod model;
pub mod pack;
pub mod reasoner;
mod rows;
pub mod solve;
pub mod task;
pub mod trace;
pub mod wire;
pub mod workspace;

pub use model::{Hrm, MemoryError};
pub use pack::{Pack, PackError, Shape};
pub use reasoner::{Cancelled, Halt, LOGIT_BITS, Reasoner};
pub use trace::{Op, Trace, Values};
pub use workspace::workspace_bytes;
