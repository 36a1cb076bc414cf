#![doc = include_str!("../README.md")]
#![no_std]
#![deny(unsafe_code)]
#![warn(missing_docs)]
#[cfg(feature = "std")]
extern crate std;

pub mod digest;
#[doc(hidden)]
pub mod fault;
#[doc(hidden)]
pub mod fixed;
#[doc(hidden)]
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
mod workspace;

pub use model::{Hrm, MemoryError};
pub use pack::{Pack, PackError, Shape};
pub use reasoner::{Cancelled, Halt, LOGIT_BITS, Reasoner};
pub use trace::{Op, Trace, Values};
pub use workspace::{
    ample_words, state_bytes, tokens_per_pass, workspace_bytes, workspace_bytes_for, workspace_words,
};
