//! The command line: one file per subcommand.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod data;
mod eval;
mod train;

/// Trains the Hierarchical Reasoning Model, makes it int8 and proves the result.
#[derive(Debug, Parser)]
#[command(name = "hrm-host", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Import, generate, measure and split puzzle files.
    Data(data::Args),
    /// Train a model as a configuration file says.
    Train(train::Args),
    /// Measure a checkpoint's exact accuracy on puzzles it has not seen.
    Eval(eval::Args),
}

impl Cli {
    /// Runs the chosen subcommand and gives its exit code.
    ///
    /// # Errors
    /// What went wrong, to be shown to the user.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Data(args) => data::run(args),
            Command::Train(args) => train::run(args),
            Command::Eval(args) => eval::run(args),
        }
    }
}

/// Lets every parallel operation use `threads` threads; all processors where it is `None`.
fn use_threads(threads: Option<usize>) -> anyhow::Result<()> {
    if let Some(threads) = threads {
        anyhow::ensure!(threads > 0, "--threads 0: give at least 1");
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    }
    Ok(())
}
