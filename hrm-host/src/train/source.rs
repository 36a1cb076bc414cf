//! From a configuration's `[data]` to the puzzles of a run.

use hrm_core::task::draw::shuffle;
use hrm_core::task::sudoku::Sudoku;
use rand_core::SeedableRng;
use rand_pcg::Pcg64;

use super::error::TrainError;
use super::run::RunData;
use crate::config::RunConfig;
use crate::data::generate::{Recipe, generate};
use crate::data::split::{Apart, split};
use crate::data::{PuzzleSet, import};

/// Reads (or generates, where `data.train` is empty) the run's puzzles and splits the validation rows off: rows that share
/// nothing with the training rows, in seeded random order.
///
/// # Errors
/// [`TrainError::Data`] where the file cannot be used or has too few rows.
pub fn prepare(config: &RunConfig) -> Result<RunData, TrainError> {
    let data = &config.data;
    let task = Sudoku::from_name(config.model.task.as_str())
        .ok_or_else(|| TrainError::Data(format!("no such task: {}", config.model.task)))?;
    let all = if data.train.as_os_str().is_empty() {
        let recipe = Recipe { task, count: data.generate + data.validation, seed: data.seed, givens: None };
        generate(&recipe, |_| {}).map_err(|e| TrainError::Data(e.to_string()))?
    } else {
        import::load(&data.train, Some(task)).map_err(|e| TrainError::Data(e.to_string()))?
    };
    divide(&all, config)
}

/// Splits `data.validation` rows off `all`.
///
/// # Errors
/// [`TrainError::Data`] where there are too few rows.
pub fn divide(all: &PuzzleSet, config: &RunConfig) -> Result<RunData, TrainError> {
    let data = &config.data;
    let parts = split(all, data.validation, Apart::usual(all.task()), data.seed)
        .map_err(|e| TrainError::Data(format!("data.validation = {}: {e}", data.validation)))?;
    let mut validation = parts.validation;
    // Files are often sorted by source; an evaluation takes the first rows.
    shuffle(&mut Pcg64::seed_from_u64(data.seed), &mut validation);
    Ok(RunData { train: all.subset(&parts.train), validation: all.subset(&validation) })
}
