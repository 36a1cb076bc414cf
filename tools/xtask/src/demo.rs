//! `cargo xtask demo`: the whole chain in miniature, from nothing to a microcontroller that solves puzzles.

use anyhow::Result;
use hrm_emulator::board::{BOARDS, QEMU};
use hrm_emulator::with_causes;

use crate::firmware::build_plain;
use crate::run::{cargo, run, target};
use crate::setup;

/// Train, export, verify and solve, on this machine and on an emulated microcontroller.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only this machine: install and build nothing for microcontrollers
    #[arg(long)]
    host_only: bool,
    /// Passed on to `hrm-host demo`
    #[arg(last = true)]
    rest: Vec<String>,
}

/// Runs the task.
pub(crate) fn task(args: &Args) -> Result<()> {
    if !args.host_only {
        let firmware = setup::programs(&[QEMU]).and_then(|()| build_plain(&[(&BOARDS[0]).into()]));
        if let Err(error) = firmware {
            eprintln!("no microcontroller in this demo: {}", with_causes(error.as_ref()));
        }
    }
    run(&mut cargo(["build", "--release", "--package", "hrm-host", "--bin", "hrm-host"]))?;
    let program = target().join("release").join("hrm-host");
    let mut demo = crate::run::command(&program.to_string_lossy(), ["demo"]);
    run(demo.args(&args.rest))
}
