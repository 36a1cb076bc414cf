//! The paper's three questions, asked of the user's own model: does it keep what it has found ([`trivial`]), does it get
//! there gradually ([`descent`]), and where does it come to rest ([`modes`], [`landscape`])?
//!
//! Data flows one way: puzzles → [`path`] (where a model stood after every segment) → one summary per question, and one of the
//! halting head ([`halting`]) → [`study`], all of them.

pub mod descent;
pub mod halting;
pub mod landscape;
pub mod modes;
pub mod path;
mod plane;
pub mod study;
pub mod trivial;
