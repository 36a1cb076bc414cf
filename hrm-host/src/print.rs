//! Everything that this program prints, under the names of the standard library's macros, which panic.
//!
//! *Results* go to standard output (`print!`, `println!`). Where its reader has left, as `| head` does,
//! every command ends quietly with the code that a shell reports for SIGPIPE; where it cannot be written,
//! as on a full disk, every command ends with an error. *Everything else* goes to standard error
//! (`eprint!`, `eprintln!`), and whether anybody reads that, or a disk is full that it goes to, makes no
//! difference to what a command does.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;

use crate::cli::exit::Exit;
use crate::cli::signals;

macro_rules! print {
    ($($text:tt)*) => { $crate::print::result(format_args!($($text)*)) };
}

macro_rules! println {
    () => { $crate::print::result(format_args!("\n")) };
    ($($text:tt)*) => { $crate::print::result(format_args!("{}\n", format_args!($($text)*))) };
}

macro_rules! eprint {
    ($($text:tt)*) => { $crate::print::remark(format_args!($($text)*)) };
}

macro_rules! eprintln {
    ($($text:tt)*) => { $crate::print::remark(format_args!("{}\n", format_args!($($text)*))) };
}

/// The end of the program, on its way up to [`run`] past everything that cleans up behind itself.
struct Ended(Exit);

/// Runs the program; its exit code, and that of a standard output that could not be written.
pub(crate) fn run(program: impl FnOnce() -> Exit) -> ExitCode {
    let program = || {
        let code = program();
        // Half a line may still be waiting.
        written(io::stdout().flush());
        code
    };
    let ended =
        catch_unwind(AssertUnwindSafe(program)).unwrap_or_else(|cause| match cause.downcast::<Ended>() {
            Ok(ended) => ended.0,
            Err(panic) => resume_unwind(panic),
        });
    ended.into()
}

/// Writes a part of what the user has asked for.
pub(crate) fn result(text: Arguments<'_>) {
    written(io::stdout().lock().write_fmt(text));
}

/// Ends the program where standard output could not be written.
pub(crate) fn written(outcome: io::Result<()>) {
    let Err(error) = outcome else { return };
    let code = if error.kind() == ErrorKind::BrokenPipe {
        Exit::NobodyReads
    } else if signals::asked_to_stop(&error) {
        Exit::Interrupted
    } else {
        let advice = match hrm_host::files::has_written() {
            true => "the files are written, and only what would stand here is missing",
            false => "send it elsewhere and start again",
        };
        eprintln!("error: cannot write to standard output: {error}; {advice}");
        Exit::Error
    };
    // Unlike a panic, this has nothing to say.
    resume_unwind(Box::new(Ended(code)));
}

/// Writes what is not asked for: progress, warnings, errors.
pub(crate) fn remark(text: Arguments<'_>) {
    // In one piece, so that lines of several processes do not mix.
    let _ = io::stderr().write_all(text.to_string().as_bytes());
}
