//! Exit codes: what a script learns of how a command ended. `docs/EXIT_CODES.md` is this table.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything that was asked for was done.
    Success,
    /// Something went wrong, or what was to be proved is not so.
    Error,
    /// The command line cannot be understood; clap ends the program with this code itself.
    Usage,
    /// A puzzle is none.
    Refused,
    /// A puzzle was left without a proven answer.
    Unproven,
    /// Ctrl-C, SIGTERM or SIGHUP, as a shell reports an interrupt (128 + SIGINT).
    Interrupted,
    /// The reader of standard output has gone, as a shell reports it (128 + SIGPIPE).
    ///
    /// The signal that ends other programs stays ignored, because it would also end a training run whose log
    /// nobody reads, and sessions with a device that went away.
    NobodyReads,
}

impl Exit {
    /// All of them, by code.
    pub(crate) const ALL: [Exit; 7] = [
        Exit::Success,
        Exit::Error,
        Exit::Usage,
        Exit::Refused,
        Exit::Unproven,
        Exit::Interrupted,
        Exit::NobodyReads,
    ];

    /// The number that a shell sees.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::Error => 1,
            Exit::Usage => 2,
            Exit::Refused => 3,
            Exit::Unproven => 4,
            Exit::Interrupted => 130,
            Exit::NobodyReads => 141,
        }
    }

    /// In words.
    const fn meaning(self) -> &'static str {
        match self {
            Exit::Success => {
                "done: solve has solved every puzzle, verify has found every comparison to hold, eval has measured all that was asked"
            }
            Exit::Error => {
                "an error, a comparison that does not hold, or eval --vote: a wrong grid called solved; the message says which"
            }
            Exit::Usage => "the command line cannot be understood",
            Exit::Refused => {
                "solve: a puzzle is none (its givens contradict each other, or its text is no grid)"
            }
            Exit::Unproven => "solve: a puzzle was left unproven",
            Exit::Interrupted => {
                "interrupted: train saves; eval, verify and solve print what they know; device emulate switches its board off; all others end at once and leave nothing half-written"
            }
            Exit::NobodyReads => {
                "the reader of the output has gone (`| head`), or standard output is closed (`>&-`)"
            }
        }
    }

    /// The table for `--help`.
    pub(crate) fn table() -> String {
        let lines = Exit::ALL.map(|exit| format!("  {:>3}  {}", exit.code(), exit.meaning()));
        format!("Exit codes:\n{}", lines.join("\n"))
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_end_has_a_code_of_its_own_and_stands_in_the_documents_table() {
        let codes: BTreeSet<u8> = Exit::ALL.map(Exit::code).into();
        assert_eq!(codes.len(), Exit::ALL.len());
        let document = include_str!("../../../docs/EXIT_CODES.md");
        for exit in Exit::ALL {
            let row = format!("| {} | {} |", exit.code(), exit.meaning());
            assert!(document.contains(&row), "docs/EXIT_CODES.md lacks {row}");
        }
    }
}
