//! WebAssembly with its 128-bit vectors, which every browser has had since 2023. A module says when it is
//! loaded what it needs, so nothing is chosen at run time.
#![allow(unsafe_code)] // loads and stores; each safe wrapper has checked the lengths that they rely on

mod product;
mod vector;

pub(super) use product::matmul;
