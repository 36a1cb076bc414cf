//! The operations, one file each. The portable version of each is its definition; others
//! must equal it bit for bit.

/// Returns from a kernel where the registers' own version, of the same name and arguments, has done it all:
/// where it answers `true`, or `$done`, which makes `$value`.
macro_rules! on_vectors {
    ($done:pat => $($value:expr)?; $($call:tt)+) => {
        #[cfg(kernels = "vector")]
        if let $done = super::vector::$($call)+ {
            return $($value)?;
        }
    };
    ($($call:tt)+) => {
        on_vectors!(true =>; $($call)+);
    };
}

/// The same for the own version of any processor.
macro_rules! on_processor {
    ($done:pat => $($value:expr)?; $($call:tt)+) => {
        #[cfg(kernels = "arm")]
        if let $done = super::arm::$($call)+ {
            return $($value)?;
        }
        on_vectors!($done => $($value)?; $($call)+);
    };
    ($($call:tt)+) => {
        on_processor!(true =>; $($call)+);
    };
}

#[cfg(kernels = "arm")]
mod arm;
pub mod attention;
pub mod copy;
#[cfg(kernels = "dsp")]
mod dsp;
pub mod inject;
pub mod matmul;
#[cfg(kernels = "mve")]
mod mve;
#[cfg(kernels = "neon")]
mod neon;
pub mod norm;
pub mod requantize;
#[cfg(kernels = "rv32")]
mod rv32;
pub mod swiglu;
#[cfg(kernels = "vector")]
mod vector;
#[cfg(kernels = "wasm")]
mod wasm;
#[cfg(kernels = "x86")]
pub mod x86;

pub use attention::{
    add_bias, add_bias_portable, add_displaced_bias, attention_output, attention_output_portable, rotate,
    rotate_heads, rotate_heads_portable, softmax, softmax_portable,
};
pub use copy::{copy, copy_matrix, order, ordered_columns};
pub use inject::{inject, inject_portable};
#[cfg(kernels = "x86")]
pub use matmul::matmul_ordered;
pub use matmul::{matmul, matmul_again, matmul_portable, pack_words};
pub use norm::{residual_norm, residual_norm_portable};
pub use requantize::{
    requantize, requantize_pairs, requantize_pairs_portable, requantize_places, requantize_places_portable,
    requantize_portable,
};
pub use swiglu::{sigmoid, swiglu, swiglu_portable};
