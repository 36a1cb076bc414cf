//! `cargo xtask test`: everything CI checks, on a fresh machine too.

use anyhow::Result;

use crate::bench;
use crate::chips;
use crate::example;
use crate::firmware::{Variant, build, check_smallest, every, no_panic};
use crate::run::{beside, cargo, run};
use crate::setup::setup;

/// Everything CI checks.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only what needs neither the emulator nor a compiler for microcontrollers
    #[arg(long)]
    host_only: bool,
}

/// Runs the task.
pub(crate) fn task(args: &Args) -> Result<()> {
    let toolchain = if args.host_only { None } else { Some(setup(false, false)?) };
    run(&mut cargo(["fmt", "--all", "--check"]))?;
    chips::format()?;
    example::format()?;
    // Training by several processes needs an MPI. The same features everywhere, so that nothing is built twice.
    let features: &[&str] = if args.host_only { &[] } else { &["--features", "hrm-host/mpi"] };
    // Cheap things first; the firmware and what tests it need no candle.
    if let Some(toolchain) = toolchain {
        check_smallest(toolchain)?;
        example::check(toolchain)?;
        // One processor at a time links an image; the others build the workspace's tests meanwhile.
        let mut tests = cargo(["test", "--release", "--workspace", "--no-run"]);
        tests.args(features);
        let tests = beside(tests);
        no_panic(toolchain)?;
        build(toolchain, &every(), &Variant::ALL)?;
        tests.ended()?;
        chips::check()?;
        chips::lint()?;
        let only_emulated = ["--", "--ignored", "--test-threads", "2"];
        let suites = [
            "test",
            "--release",
            "--package",
            "hrm-tests",
            "--test",
            "emulated",
            "--test",
            "service",
            "--test",
            "tasks",
        ];
        run(cargo(suites).args(only_emulated))?;
        bench::check(toolchain)?;
    }
    run(cargo(["test", "--release", "--workspace"]).args(features))?;
    if toolchain.is_some() {
        let own_task = ["test", "--release", "--workspace", "--test", "own_task"];
        run(cargo(own_task).args(features).args(["--", "--ignored"]))?;
    }
    run(cargo(["clippy", "--release", "--workspace", "--all-targets"])
        .args(features)
        .args(["--", "--deny", "warnings"]))?;
    run(cargo(["doc", "--release", "--workspace", "--no-deps"])
        .args(features)
        .env("RUSTDOCFLAGS", "--deny warnings"))
}
