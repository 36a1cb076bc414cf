//! The program: one command line, one exit code.

use std::process::ExitCode;

use hrm_emulator::with_causes;

use crate::cli::exit::Exit;
use crate::cli::values::Misuse;
use crate::cli::{self, Cli};
use crate::config::ConfigError;
use crate::files::{PlanError, WriteError};
use crate::{bounded, memory, print};

/// Runs `hrm-host` with this process's command line, on every task that is
/// [registered](crate::task::register).
pub fn run() -> ExitCode {
    bounded::measure();
    memory::keep_freed();
    cli::signals::ignore_size_limit();
    cli::signals::hear();
    print::run(|| match Cli::from_words(std::env::args_os()) {
        Ok(cli) => cli.run().unwrap_or_else(|error| failed(&error)),
        Err(answer) => not_a_command(&answer),
    })
}

/// Says what went wrong.
fn failed(error: &anyhow::Error) -> Exit {
    let output = error.chain().find_map(|cause| cause.downcast_ref::<WriteError>());
    if output.is_some_and(WriteError::nobody_reads) {
        return Exit::NobodyReads;
    }
    eprintln!("error: {}", with_causes(error.as_ref()));
    let of_config = error.chain().find_map(|cause| cause.downcast_ref::<ConfigError>());
    let of_output = error.chain().find_map(|cause| cause.downcast_ref::<PlanError>());
    if error.is::<Misuse>()
        || of_config.is_some_and(ConfigError::is_of_command_line)
        || of_output.is_some_and(PlanError::is_of_command_line)
    {
        return Exit::Usage;
    }
    Exit::Error
}

/// Shows help or version, which are results like any other, or what is wrong with the command line.
fn not_a_command(answer: &clap::Error) -> Exit {
    let shown = answer.print();
    if answer.use_stderr() {
        return Exit::Usage;
    }
    print::written(shown);
    Exit::Success
}
