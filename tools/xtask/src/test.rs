//! `cargo xtask test`: everything CI checks, on a fresh machine too.

use std::process::Command;

use anyhow::Result;
use hrm_emulator::board::one_per_processor;

use crate::aarch64;
use crate::bench;
use crate::chips;
use crate::example;
use crate::firmware::{Program, Variant, build, check_smallest, no_panic, of_processor};
use crate::oldest;
use crate::run::{beside, cargo, run};
use crate::setup::{Toolchain, everything};
use crate::stages::Stages;
use crate::supply;
use crate::web;

/// Everything CI checks.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only what needs neither the emulator nor a compiler for microcontrollers
    #[arg(long)]
    host_only: bool,
}

/// Runs the task.
pub(crate) fn task(args: &Args) -> Result<()> {
    let mut stages = Stages::new();
    let toolchain = match args.host_only {
        true => None,
        false => Some(stages.run("set-up", || everything(false, false))?),
    };
    stages.run("format", || {
        run(&mut cargo(["fmt", "--all", "--check"]))?;
        chips::format()?;
        example::format()
    })?;
    stages.run("supply chain", supply::check)?;
    match toolchain {
        // Cheap things first; the firmware and what tests it need no candle.
        Some(toolchain) => boards(&mut stages, toolchain)?,
        None => {
            stages.run("building tests, lints, documentation", || host(&[]).iter_mut().try_for_each(run))?
        }
    }
    let features = if args.host_only { &[][..] } else { FEATURES };
    let tests = ["test", "--release", "--workspace"];
    stages.run("tests of the workspace", || run(cargo(tests).args(features)))?;
    if let Some(toolchain) = toolchain {
        let boards =
            [&tests[..], FEATURES, &["--test", "own_task", "--test", "suite", "--", "--ignored"]].concat();
        stages.run("hrm-host, and a task of one's own, with a board", || run(&mut cargo(boards)))?;
        let browser = [&["--workspace"], FEATURES].concat();
        stages.run("the page in a browser", || web::check(toolchain, &browser))?;
    }
    Ok(())
}

/// Training by several processes needs an MPI, and the program that is counted a system. The same features
/// everywhere, so that nothing is built twice.
const FEATURES: &[&str] = &["--features", "hrm-host/mpi,hrm-workload/std"];

/// What this machine's tests, lints and documentation take to build.
fn host(features: &[&str]) -> Vec<Command> {
    let mut tests = cargo(["test", "--release", "--workspace", "--no-run"]);
    tests.args(features);
    let mut lints = cargo(["clippy", "--release", "--workspace", "--all-targets"]);
    lints.args(features).args(["--", "--deny", "warnings"]);
    let mut documentation = cargo(["doc", "--release", "--workspace", "--no-deps"]);
    documentation.args(features).env("RUSTDOCFLAGS", "--deny warnings");
    vec![tests, lints, documentation]
}

/// The firmware of every board, and the emulated boards.
fn boards(stages: &mut Stages, toolchain: Toolchain) -> Result<()> {
    stages.run("smallest core, example", || {
        check_smallest(toolchain)?;
        example::check(toolchain)
    })?;
    // One processor at a time links an image; the others build what this machine needs meanwhile.
    let host = beside(host(FEATURES).into_iter().chain(chips::building()).collect());
    stages.run("the oldest Rust, where it is", || oldest::check(false))?;
    // Flags of another processor make cargo compile everything anew: one after the
    // other, with all its programs.
    let mut counted = Vec::new();
    for board in one_per_processor() {
        stages.run(format!("programs for {}", board.cpu), || {
            no_panic(toolchain, board)?;
            build(toolchain, &of_processor(board.cpu), &Variant::ALL)?;
            counted.push(bench::build(toolchain, board, Program::Bench)?);
            Ok(())
        })?;
    }
    stages.run("AArch64", || aarch64::check(toolchain))?;
    stages.run("the page's engine", || web::build(toolchain).map(drop))?;
    stages.run("building tests, lints, documentation: the rest", || host.ended())?;
    stages.run("chips", chips::check)?;
    for suite in ["emulated", "service", "tasks"] {
        stages.run(suite, || {
            // The whole workspace's features again: what is built for them serves here.
            let emulated = ["test", "--release", "--workspace", "--test", suite];
            run(cargo(emulated).args(FEATURES).args(["--", "--ignored", "--test-threads", "2"]))
        })?;
    }
    stages.run("instruction counts", || bench::check(toolchain, &counted))
}
