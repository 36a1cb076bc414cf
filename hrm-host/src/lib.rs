//! Trains the Hierarchical Reasoning Model (HRM), quantizes it to int8 and proves the result.

pub mod analyze;
pub mod config;
pub mod data;
pub mod files;
pub mod kind;
pub mod memory;
pub mod model;
pub mod original;
pub mod plot;
pub mod quant;
pub mod queue;
pub mod report;
pub mod shell;
pub mod task;
pub mod threads;
pub mod train;
pub mod vote;

// Commands come last: what they print goes by macros of their own.
#[macro_use]
mod print;
mod bounded;
mod cli;
mod closed;
mod program;

pub use bounded::Bounded;
pub use program::run;

// As commands call the rest of this crate.
extern crate self as hrm_host;
