//! Integer-only inference of the Hierarchical Reasoning Model (HRM).
//!
//! `no_std`, no allocation, no floating point: a [checked pack](pack::Pack) and one caller-owned slice of memory
//! are all a model needs. The same pack and puzzle give the same bits on every processor.
#![no_std]
#![forbid(unsafe_code)]

pub mod digest;
pub mod reasoner;
pub mod task;
pub mod trace;
pub mod wire;

pub use reasoner::{Cancelled, Halt, Reasoner};
pub use trace::{Op, Trace, Values};
