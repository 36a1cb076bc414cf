//! Which kernels are chosen, and what is refused: the tests of `build.rs`, which has them beside it.

#[expect(dead_code, reason = "cargo runs it")]
#[path = "../build.rs"]
mod build;
