//! `cargo xtask chips`: the images of real boards against probe-rs' descriptions of their chips.

use std::process::Command;

use anyhow::Result;

use crate::run::{cargo, run, target};

/// Compares them. They are built by then.
pub(crate) fn check() -> Result<()> {
    run(&mut chips(&["test"], &[]))
}

/// What builds and lints the program that compares them.
pub(crate) fn building() -> [Command; 2] {
    [chips(&["test", "--no-run"], &[]), chips(&["clippy", "--all-targets"], &["--deny", "warnings"])]
}

/// Checks the format of what compares them.
pub(crate) fn format() -> Result<()> {
    run(&mut chips(&["fmt"], &["--check"]))
}

/// Cargo in `tools/chips`, which is a workspace of its own.
fn chips(task: &[&str], rest: &[&str]) -> Command {
    let mut cargo = cargo(task);
    cargo.args(["--manifest-path", "tools/chips/Cargo.toml", "--"]).args(rest);
    // The images are found from the place of the test's program.
    cargo.env("CARGO_TARGET_DIR", target());
    cargo
}
