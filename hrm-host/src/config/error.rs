//! What is wrong with a configuration, and what to do about it.

use std::io;
use std::path::PathBuf;

use crate::kind::{Kind, Wanted};

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {source}; give an existing file with --config")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The text is not TOML.
    #[error("{origin} is no valid configuration: {message}")]
    Syntax {
        /// File name or command-line argument.
        origin: String,
        /// Position and reason.
        message: String,
    },
    /// The file is of another kind.
    #[error("{path} is {kind}, not a configuration; {}", .kind.advice(Wanted::Configuration))]
    Kind {
        /// The file.
        path: PathBuf,
        /// What it is.
        kind: Kind,
    },
    /// A key does not exist.
    #[error("{origin}: there is no key `{key}`; {advice}")]
    UnknownKey {
        /// File name or command-line argument.
        origin: String,
        /// The key as written.
        key: String,
        /// What was probably meant.
        advice: String,
    },
    /// `--set`, or an option that sets a key, contradicts another one.
    #[error(
        "`{key}` is set twice, by --set {first} and --set {second}{}; give one of them",
        options_for(.key)
    )]
    Twice {
        /// The key.
        key: String,
        /// The first assignment.
        first: String,
        /// The second one.
        second: String,
    },
    /// A section does not exist.
    #[error("{origin}: there is no section [{section}]; did you mean [{nearest}]?")]
    UnknownSection {
        /// File name.
        origin: String,
        /// The section as written.
        section: String,
        /// The section that is spelled most like it.
        nearest: String,
    },
    /// A value has the wrong type.
    #[error("{origin}: `{key}` wants {wanted}, not {got}")]
    Type {
        /// File name or command-line argument.
        origin: String,
        /// The key.
        key: String,
        /// The type it has.
        wanted: &'static str,
        /// What was given.
        got: String,
    },
    /// `--set` without `=`.
    #[error("--set {0}: write it as key=value, for example --set train.lr=1e-3")]
    Assignment(String),
    /// A key without a default is missing.
    #[error("{origin}: `{name}` is missing from [{section}]; add a line such as `{name} = {example}`")]
    Missing {
        /// File name.
        origin: String,
        /// The section it belongs to.
        section: String,
        /// The key.
        name: String,
        /// A value that it could have.
        example: String,
    },
    /// A word is not one of those allowed, or a number is outside its range.
    #[error("{origin}: `{key}` is {got}, but {must}")]
    Value {
        /// File name or command-line argument.
        origin: String,
        /// The key, with its section.
        key: String,
        /// Its value.
        got: String,
        /// What it must be.
        must: String,
    },
}

/// The options that set `key`, too.
fn options_for(key: &str) -> &'static str {
    match key {
        "data.train" => " (as --data does)",
        "data.columns" => " (as --columns does)",
        "train.from" => " (as --from does)",
        "train.steps" | "train.decay_steps" => " (as --finish-in does)",
        _ => "",
    }
}

impl ConfigError {
    /// Whether the command line alone is at fault, and no file.
    pub fn is_of_command_line(&self) -> bool {
        match self {
            Self::Assignment(_) | Self::Twice { .. } => true,
            Self::UnknownKey { origin, .. } | Self::Type { origin, .. } | Self::Value { origin, .. } => {
                origin.starts_with("--set ")
            }
            _ => false,
        }
    }
}
