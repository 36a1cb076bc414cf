//! Armv8.1-M with vectors (Helium): Cortex-M55. Naked assembly, as the instructions have no stable intrinsics; every function names its processor
//! to the assembler, whose target leaves the vectors out.
#![allow(unsafe_code)] // naked assembly; each safe wrapper has checked the lengths and alignments that its assembly relies on

mod product;
mod rows;

pub(super) use product::matmul;
pub(super) use rows::{
    add_bias, requantize, requantize_pairs, requantize_places, rescale, residual_norm, softmax, swiglu,
};
