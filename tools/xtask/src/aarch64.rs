//! `cargo xtask aarch64`: hrm-core on AArch64, the processor of Macs and of the Raspberry Pi, in an emulator.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::builder::{Place, builder, variable};
use crate::run::{command, run};
use crate::setup::{AARCH64, AARCH64_EMULATOR, AARCH64_LIBRARIES, Toolchain, aarch64};

/// Processors that are emulated: the name that counts have, and QEMU's. The first has no `SDOT`.
pub(crate) const PROCESSORS: [(&str, &str); 2] = [("AArch64", "cortex-a53"), ("AArch64+SDOT", "cortex-a76")];

/// Runs the task.
pub(crate) fn task() -> Result<()> {
    check(aarch64()?)
}

/// Tests hrm-core on every processor: its kernels, and whole models against the digests that released packs
/// carry.
pub(crate) fn check(toolchain: Toolchain) -> Result<()> {
    for (_, processor) in PROCESSORS {
        let mut tests = build(toolchain, &["test", "--package", "hrm-core", "--features", "std"]);
        tests.args(["--lib", "--test", "kernels", "--test", "pack"]);
        run(tests.env(variable(AARCH64, "RUNNER"), emulator(processor).join(" ")))?;
    }
    Ok(())
}

/// Builds the program whose instructions are counted, maybe with `portable` kernels; where it lies.
pub(crate) fn counted(toolchain: Toolchain, portable: bool) -> Result<PathBuf> {
    let features = if portable { "std,hrm-core/_portable" } else { "std" };
    let program = ["build", "--package", "hrm-workload", "--bin", "hrm-bench-host", "--features", features];
    run(&mut build(toolchain, &program))?;
    Ok(Place::here(toolchain).target.join(AARCH64).join("release/hrm-bench-host"))
}

/// `program` on `processor`, with a plugin of QEMU's.
pub(crate) fn emulated(processor: &str, plugin: &str, program: &Path) -> Command {
    let [qemu, options @ ..] = emulator(processor);
    let mut command = command(qemu, options);
    command.args(["-plugin", plugin]).arg(program);
    command
}

fn emulator(processor: &str) -> [&str; 5] {
    [AARCH64_EMULATOR, "-cpu", processor, "-L", AARCH64_LIBRARIES]
}

fn build(toolchain: Toolchain, args: &[&str]) -> Command {
    builder(toolchain, AARCH64, "generic", &[args, &["--release", "--target", AARCH64]].concat())
}
