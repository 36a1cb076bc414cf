//! `hrm-host`: the workstation's side of HRM on microcontrollers.

mod cli;

use std::process::ExitCode;

use clap::Parser;
use hrm_emulator::with_causes;

/// Exit code where the reader of standard output has gone, as a shell reports it (128 + SIGPIPE).
const NOBODY_READS: i32 = 141;

fn main() -> ExitCode {
    end_quietly_when_nobody_reads();
    hrm_host::memory::keep_freed();
    cli::Cli::parse().run().unwrap_or_else(|error| {
        eprintln!("error: {}", with_causes(error.as_ref()));
        ExitCode::FAILURE
    })
}

/// `hrm-host inspect pack.hrm | head` is no fault: `println!` panics when its reader has gone, and there is nothing to say.
///
/// The signal that ends other programs stays ignored, because it would also end a training run whose log nobody reads, and
/// sessions with a device that went away.
fn end_quietly_when_nobody_reads() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let message = info.payload().downcast_ref::<String>().map_or("", String::as_str);
        if message.starts_with("failed printing to stdout") && message.contains("Broken pipe") {
            std::process::exit(NOBODY_READS);
        }
        report(info);
    }));
}
