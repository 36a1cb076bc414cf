#![doc = include_str!("../README.md")]
#![no_std]
#![deny(unsafe_code)]
#![warn(missing_docs)]
#[cfg(feature = "std")]
extern crate std;

// Kernels are chosen by features, as `cfg(target_feature)` knows neither extension on stable Rust. A
// wrong choice would end in an undefined instruction at the first product, so what can be known of
// it here is refused here.
#[cfg(all(target_arch = "arm", feature = "dsp", feature = "mve"))]
compile_error!("hrm-core: `dsp` and `mve` are kernels of different processors; choose one");
#[cfg(all(target_arch = "arm", feature = "dsp-m33", feature = "dsp-m7"))]
compile_error!("hrm-core: `dsp-m33` and `dsp-m7` are kernels of different processors; choose one");
#[cfg(all(target_arch = "arm", any(feature = "dsp", feature = "mve"), not(target_has_atomic = "32")))]
compile_error!(
    "hrm-core: this processor (Cortex-M0, M0+ or M23) has neither the DSP extension nor Helium; leave out `dsp` and `mve`"
);

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
