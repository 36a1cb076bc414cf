//! Files of the original PyTorch code: its checkpoints in and out, its data sets in and out, its
//! numbers to compare with.
//!
//! `pickle` and `torch` read what `torch.save` writes, `tensors` also safetensors, and all of them into named
//! tensors. `architecture` asks `all_config.yaml` what they mean, `names` maps them to parameters and back,
//! and accounts for every one. `golden` compares a model's answers with those that the original gave.
//! `dataset` reads and writes folders of puzzles, `npy` their arrays.

mod architecture;
pub mod dataset;
mod export;
pub mod golden;
mod names;
mod npy;
mod pickle;
mod tensors;
mod torch;

use std::io;
use std::path::{Path, PathBuf};

use self::architecture::AllConfig;
pub use self::export::{Exported, export};
pub use self::tensors::{ReadError, Tensors, checkpoint_at, step_of};
use crate::config::RunConfig;
use crate::files::read_text;
use crate::model::{ModelError, Params};
use crate::task::Game;

/// The name of the configuration beside a checkpoint.
pub const CONFIG: &str = "all_config.yaml";

/// Why a checkpoint of the original does not become a model here, or a model of this program none there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// There is no configuration.
    #[error(
        "cannot read {path}: {source}; the original writes {CONFIG} beside its checkpoints: copy it there, or name it with --config"
    )]
    NoConfig {
        /// Where it was looked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The configuration is none of the original's.
    #[error(
        "the configuration cannot be used: {0}; it should be the {CONFIG} that the original wrote beside the checkpoint"
    )]
    Yaml(String),
    /// The configuration names another model.
    #[error(
        "the configuration is of another model, {name}; this program reads those of the original HRM ({})",
        architecture::CLASS
    )]
    OtherModel {
        /// Its class, as the configuration calls it.
        name: String,
    },
    /// The tensors cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The tensors are of another model.
    #[error("the checkpoint is of another model: {0}; this program reads those of the original HRM")]
    NoHrm(String),
    /// A model for many puzzles.
    #[error(
        "the model has embeddings of {0} puzzles, and this program computes with one for all (as tasks with rules have); \
         models of ARC cannot be imported"
    )]
    Puzzles(usize),
    /// A setting that this program does not compute with.
    #[error("{key} = {value}: {why}")]
    Refused {
        /// The key in the configuration.
        key: String,
        /// Its value.
        value: String,
        /// Why not.
        why: String,
    },
    /// No task fits.
    #[error("the model has a vocabulary of {vocab}{}, and no task fits: {why}", .cells.map(|n| format!(" and {n} cells")).unwrap_or_default())]
    Task {
        /// Tokens.
        vocab: usize,
        /// Cells, where the tensors tell.
        cells: Option<usize>,
        /// What does not fit.
        why: String,
    },
    /// Tensors are missing, unknown, misshapen or impossible.
    #[error("the tensors do not make the model that the configuration describes: {}", list(.complaints))]
    Tensors {
        /// One for each tensor.
        complaints: Vec<String>,
    },
    /// This program's model is nothing that the original has.
    #[error("the original has no such model: {0}")]
    NoOriginal(String),
    /// The model cannot be built.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The tensor library failed.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

/// The first of many complaints, and how many there are.
fn list(complaints: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown = complaints.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("; ");
    match complaints.len().checked_sub(SHOWN) {
        Some(more @ 1..) => format!("{shown}; and {more} more"),
        _ => shown,
    }
}

/// A model of the original, in this program's terms.
#[derive(Debug)]
pub struct Imported {
    /// The run that made it, as far as it has keys here.
    pub config: RunConfig,
    /// Its parameters.
    pub params: Params,
    /// The step that the file's name tells, or 0.
    pub step: u64,
    /// Number of tensors, all of which were used.
    pub tensors: usize,
    /// Keys of the configuration's `arch` that were not used, because this program knows nothing of them.
    pub unknown: Vec<String>,
}

/// Reads the checkpoint `path`, whose configuration lies at `config`, or beside it.
///
/// # Errors
/// [`ImportError`] says what cannot be read, or what of it this program cannot compute with.
pub fn import(path: &Path, config: Option<&Path>, task: Option<Game>) -> Result<Imported, ImportError> {
    let tensors = Tensors::read(path)?;
    let beside = path.with_file_name(CONFIG);
    let config = config.unwrap_or(&beside);
    let text =
        read_text(config).map_err(|source| ImportError::NoConfig { path: config.to_owned(), source })?;
    model_of(&tensors, &text, (task, step_of(path).unwrap_or(0)))
}

/// The model whose `tensors` and `all_config.yaml` these are, made in `step` steps; `task` where the text does
/// not say it.
///
/// # Errors
/// [`ImportError`] says what of it this program cannot compute with.
pub fn model_of(
    tensors: &Tensors,
    all_config: &str,
    (task, step): (Option<Game>, u64),
) -> Result<Imported, ImportError> {
    let all = AllConfig::parse(all_config)?;
    let config = all.run(tensors, task)?;
    let params = names::parameters(&config.model, tensors, all.puzzle())?;
    Ok(Imported { config, params, step, tensors: tensors.by_name.len(), unknown: all.unknown() })
}
