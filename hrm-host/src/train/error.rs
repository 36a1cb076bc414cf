//! Why training cannot start or go on.

use std::path::PathBuf;

use super::archive::ArchiveError;
use crate::config::ConfigError;
use crate::model::ModelError;

/// Why training cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The configuration is refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The model cannot be built or run.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The tensor library failed.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
    /// A checkpoint cannot be read or written.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The last checkpoint cannot be written.
    #[error(
        "{error}; {} is lost: make room for it, or mend what the system names, and {}",
        if *.last == 0 { format!("what was trained in {step} steps") } else { format!("what was trained since step {last}, up to step {step},") },
        if *.last == 0 { "begin again" } else { "go on with --resume" }
    )]
    Unsaved {
        /// What is wrong.
        error: ArchiveError,
        /// The step that was reached.
        step: u64,
        /// The step that was saved last, 0 where none was.
        last: u64,
    },
    /// A checkpoint is damaged.
    #[error("{error}; {advice}")]
    Torn {
        /// What is wrong.
        error: ArchiveError,
        /// What there is instead.
        advice: String,
    },
    /// The puzzles do not fit.
    #[error("{0}; see data.train in the configuration, or --data")]
    Data(String),
    /// The puzzles to validate on do not fit.
    #[error("{0}; see data.validation_from in the configuration")]
    Others(String),
    /// Too few rows to hold some out.
    #[error(
        "data.validation = {wanted} of {rows} rows cannot be held out ({reason}); set it to {possible} or less, for example \
         with --set data.validation={possible} (0 trains without an evaluation), or give more puzzles"
    )]
    Validation {
        /// Rows to hold out.
        wanted: usize,
        /// Rows there are.
        rows: usize,
        /// The most that can be held out.
        possible: usize,
        /// What keeps rows together.
        reason: String,
    },
    /// The loss or the gradient is not finite.
    #[error(
        "training diverged at step {step}: {what} is not a finite number; the last checkpoint is untouched: resume from \
         it with a lower rate (--resume --set train.lr=...) or with --set train.clip=1"
    )]
    Diverged {
        /// The step that failed, counted from 0.
        step: u64,
        /// Which number.
        what: String,
    },
    /// A parameter received no gradient.
    #[error("parameter {0} received no gradient: an operation of the forward pass has cut the graph")]
    NoGradient(String),
    /// Another rank cannot be followed.
    #[error(
        "data-parallel training failed: {0}; every rank needs the same checkpoint, configuration and puzzles"
    )]
    Peers(String),
    /// Several processes were started, and cannot train together.
    #[error("{0}")]
    Launch(String),
    /// Another rank does not come any more.
    #[error(
        "rank {rank} was asked to stop while it waited for the others, and they did not come; where one has died, the launcher says so; \
         what was trained is saved, go on with --resume"
    )]
    Lost {
        /// This rank.
        rank: usize,
    },
    /// The run directory is in use.
    #[error("{0} is not empty; continue that run with --resume, or give another --out")]
    NotEmpty(PathBuf),
    /// Another process trains there.
    #[error(
        "another process is training in {0}; wait for it, or stop it first (Ctrl-C there saves); another run begins in another --out"
    )]
    Locked(PathBuf),
    /// There is nothing to resume.
    #[error(
        "{} {}; name a run that has one, or a checkpoint file (a new run begins without --resume)",
        .0.display(),
        if .0.exists() { "holds no checkpoint" } else { "does not exist, and so holds no checkpoint" }
    )]
    NothingToResume(PathBuf),
    /// A checkpoint cannot be read, so whether it is intact is not known.
    #[error("{0}; try again, and where it stays so, move that file away: the one before it is used then")]
    Unreadable(ArchiveError),
    /// No checkpoint is intact.
    #[error(
        "no checkpoint in {dir} is intact: {newest}; copy one from a backup, or train anew in another --out (--from PACK goes on from what was exported)"
    )]
    AllDamaged {
        /// The run directory.
        dir: PathBuf,
        /// Why the newest one is refused.
        newest: ArchiveError,
    },
    /// Keys differ that a run cannot change.
    #[error("a run cannot change {} when it is resumed (start a new one in another --out)", .0.join(", "))]
    Changed(Vec<String>),
    /// The training rows are not those the run began with.
    #[error(
        "the training rows differ from those this run began with (fingerprint {found}, expected {expected}); give the \
         same file with --data"
    )]
    OtherData {
        /// Now.
        found: String,
        /// Then.
        expected: String,
    },
    /// A file or directory of the run cannot be used.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}
