//! `cargo xtask example`: the program in `examples/bare-metal`, built as its reader would build it and run
//! on an emulated Cortex-M0.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use hrm_emulator::board::QEMU;

use crate::builder::{Place, builder};
use crate::firmware::SMALLEST;
use crate::run::{cargo, run};
use crate::setup::{self, Toolchain};

const MANIFEST: &str = "examples/bare-metal/Cargo.toml";
/// A Cortex-M0 with 256 KiB of flash and 16 KiB of RAM.
const MACHINE: &str = "microbit";
const CPU: &str = "cortex-m0";
/// What it prints last.
const EXPECTED: &str = "1243342143122134 Solved\n";

/// Runs the task.
pub(crate) fn task() -> Result<()> {
    setup::programs(&[QEMU])?;
    check(setup::compiler(&[SMALLEST])?)
}

/// Builds it, runs it, and compares what it prints.
pub(crate) fn check(toolchain: Toolchain) -> Result<()> {
    run(&mut builder(
        toolchain,
        SMALLEST,
        CPU,
        &["build", "--release", "--manifest-path", MANIFEST, "--target", SMALLEST],
    ))?;
    let elf = Place::here(toolchain).target.join(SMALLEST).join("release").join("bare-metal");
    let mut qemu = Command::new("timeout");
    qemu.args(["60", QEMU, "-machine", MACHINE, "-display", "none", "-monitor", "none", "-serial", "none"])
        .args(["-semihosting-config", "enable=on,target=native", "-kernel"])
        .arg(elf);
    let done = qemu.output().with_context(|| format!("cannot run {QEMU}"))?;
    let said = String::from_utf8_lossy(&done.stdout);
    ensure!(
        done.status.success() && said.ends_with(EXPECTED),
        "the example on {MACHINE}: {}, it said:\n{said}",
        done.status
    );
    print!("the example on {MACHINE}: {said}");
    Ok(())
}

/// Checks its format.
pub(crate) fn format() -> Result<()> {
    run(&mut cargo(["fmt", "--manifest-path", MANIFEST, "--check"]))
}
