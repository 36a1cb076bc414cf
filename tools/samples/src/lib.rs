//! Numbers that kernels are tried with, by tests, by fuzzing and where instructions are counted.
#![no_std]

#[cfg(not(target_os = "none"))]
extern crate std;

mod noise;
#[cfg(not(target_os = "none"))]
mod tables;

pub use noise::Noise;
#[cfg(not(target_os = "none"))]
pub use tables::{exp2, sigmoid};
