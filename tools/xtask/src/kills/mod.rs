//! `cargo xtask kills`: the program is killed, and its disk fails, at every system call by which it
//! changes or reads a file.
//!
//! `strace` puts the faults in, so the program is the one that is released. `cases` are the commands that are
//! tried, `calls` finds their system calls and has one fail, `files` looks at what is there afterwards, and
//! `training` kills at random.

mod calls;
mod cases;
mod files;
mod judge;
mod training;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::run::{cargo, run, succeeds, target};

/// Kill the program, and have its disk fail, at every system call by which it changes or reads a file.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which commands, by name; all by default, and training killed at random
    commands: Vec<String>,
    /// How often training is killed at a random moment
    #[arg(long, default_value_t = 100)]
    times: u64,
    /// Try only every so many-th system call
    #[arg(long, default_value_t = 1)]
    every: usize,
    /// Seeds the random moments
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs the task.
pub(crate) fn task(args: &Args) -> Result<()> {
    ensure!(
        succeeds(&mut crate::run::command("strace", ["-V"])),
        "strace puts the faults in: apt-get install strace"
    );
    let names: Vec<&str> = cases::CASES.iter().map(|case| case.name).chain([training::NAME]).collect();
    for name in &args.commands {
        ensure!(names.contains(&name.as_str()), "there is no {name}; there are {}", names.join(", "));
    }
    let chosen = |name: &str| args.commands.is_empty() || args.commands.iter().any(|chosen| chosen == name);
    // The same features as of the tests, so that nothing is built twice.
    run(&mut cargo([
        "build",
        "--release",
        "--workspace",
        "--features",
        "hrm-host/mpi",
        "--bin",
        "hrm-host",
    ]))?;
    let bench = Bench::new()?;
    let mut broken = 0;
    println!("{:<24} {:>6} {:>8} {:>8} {:>8}", "command", "calls", "killed", "failing", "broken");
    for case in cases::CASES.iter().filter(|case| chosen(case.name)) {
        broken += judge::judge(&bench, case, args.every.max(1))?;
    }
    if chosen(training::NAME) && args.times > 0 {
        broken += training::killed(&bench, args.times, args.seed)?;
    }
    ensure!(broken == 0, "{broken} faults broke a promise");
    Ok(())
}

/// Where the commands run, and what they run on.
struct Bench {
    program: PathBuf,
    /// Emptied before it is used.
    folder: PathBuf,
}

impl Bench {
    fn new() -> Result<Self> {
        let folder = target().join("kills");
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(Self { program: target().join("release/hrm-host"), folder: folder.canonicalize()? })
    }
}
