//! The operations, one file each. The portable version of each is its definition; others must equal it bit for bit.

pub mod attention;
#[cfg(all(target_arch = "arm", feature = "dsp", not(feature = "_portable")))]
mod dsp;
pub mod matmul;
pub mod norm;
pub mod swiglu;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
mod x86;

pub use attention::{attention_output, softmax};
pub use matmul::{matmul, matmul_portable, pack_words};
pub use norm::residual_norm;
pub use swiglu::{sigmoid, swiglu};
