//! AArch64 with its 128-bit vectors (NEON), which every such processor has: Macs, the Raspberry Pi from its
//! third on, servers. The product of bytes also takes `SDOT` where the processor has that.
// vendor intrinsics; each safe wrapper has checked the processor and the lengths that they rely on
#![allow(unsafe_code)]

mod product;
mod vector;

pub(super) use product::matmul;
