//! Armv7E-M, and Armv8-M with the DSP extension: Cortex-M4, M7, M33. Naked assembly, as the instructions have
//! no stable intrinsics and the compiler's frame pointer leaves one register too few.
// naked assembly; each safe caller, above all in `arm.rs`, has checked the lengths and alignments
// that its assembly relies on
#![allow(unsafe_code)]

/// Tells the assembler of a processor whose target leaves out the DSP extension.
#[cfg(not(feature = "dsp-m33"))]
macro_rules! processor {
    () => {
        ""
    };
}
#[cfg(feature = "dsp-m33")]
macro_rules! processor {
    () => {
        ".cpu cortex-m33"
    };
}

mod product;
mod rows;

pub(super) use product::matmul;
pub(super) use rows::{
    add_bias, bytes, exponentials, gates, halves, largest, rescale_lanes, sums, takes, weighs,
};
