//! Armv8.1-M with vectors (Helium): Cortex-M55. Naked assembly, as the instructions have no stable
//! intrinsics; every function names its processor to the assembler, whose target leaves the vectors out.
// naked assembly; each safe caller, above all in `arm.rs`, has checked the lengths and alignments
// that its assembly relies on
#![allow(unsafe_code)]

mod product;
mod rows;

pub(super) use product::matmul;
pub(super) use rows::{
    add_bias, bytes, exponentials, gates, halves, largest, rescale_lanes, sums, takes, weighs,
};
