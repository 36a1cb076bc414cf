//! The program, run as a user runs it, and the library, on models that train in a moment.
//!
//! One test program instead of one a file: linking candle takes longer than most of the tests.

#[allow(dead_code, reason = "the page's tests need all of it")]
#[path = "../../../tools/web/tests/browser/devtools.rs"]
mod browser;
mod common;
#[allow(dead_code, reason = "without its `main`")]
#[path = "../../examples/evaluation.rs"]
mod evaluation;
mod plain;
mod stand_in;
mod torch;

mod boards;
mod cli;
mod cli_training;
mod configs;
mod long_work;
mod manners;
mod mazes;
mod original;
mod outputs;
mod own_files;
mod protocol;
mod quantization;
#[cfg(feature = "mpi")]
mod ranks;
mod reading;
mod report;
mod stopping;
mod streams;
mod train_crash;
mod train_resume;
mod verdicts;
mod web;
