//! From a configuration's `[data]` to the puzzles of a run.

use std::collections::HashSet;
use std::path::Path;

use hrm_core::task::draw::shuffle;
use rand_core::SeedableRng;
use rand_pcg::Pcg64;

use super::error::TrainError;
use super::run::RunData;
use crate::config::RunConfig;
use crate::data::PuzzleSet;
use crate::data::generate::{Recipe, generate};
use crate::data::import::{ImportError, Options, import};
use crate::data::split::{Keys, split};

/// Reads (or generates, where `data.train` is empty) the run's puzzles and splits the validation
/// rows off, or draws them from `data.validation_from`: rows that share nothing with the training
/// rows, in seeded random order.
///
/// Puzzles of the sizes in `data.also` are generated, `data.generate` of each.
///
/// # Errors
/// [`TrainError::Data`], [`TrainError::Others`] or [`TrainError::Validation`] where a file cannot be
/// used or has too few rows.
pub fn prepare(config: &RunConfig) -> Result<RunData, TrainError> {
    let data = &config.data;
    let columns = data.columns_parsed().map_err(TrainError::Data)?;
    let task = config.model.task;
    let options = Options { task: Some(task), columns, ..Options::default() };
    let mut notes = Vec::new();
    let mut load = |path: &Path| {
        let read = import(path, &options)?;
        notes.push((path.to_owned(), read.notes));
        Ok::<_, ImportError>(read.set)
    };
    let all = if data.train.as_os_str().is_empty() {
        let split_off = if data.validation_from.as_os_str().is_empty() { data.validation } else { 0 };
        let recipe = Recipe { task, count: data.generate + split_off, seed: data.seed, givens: None };
        generate(&recipe, |_| {}).map_err(|e| TrainError::Data(e.to_string()))?
    } else {
        load(&data.train).map_err(|e| TrainError::Data(e.to_string()))?
    };
    let found = if data.validation_from.as_os_str().is_empty() {
        divide(&all, config)?
    } else {
        let others = load(&data.validation_from).map_err(|e| TrainError::Others(e.to_string()))?;
        apart(all, &others, config)?
    };
    let others = data.also.iter().map(|&size| {
        let recipe = Recipe { task: size, count: data.generate, seed: data.seed, givens: None };
        generate(&recipe, |_| {}).map_err(|e| TrainError::Data(format!("data.also: {e}")))
    });
    Ok(RunData { notes, also: others.collect::<Result<_, _>>()?, ..found })
}

/// Trains on all of `train` and draws `data.validation` rows of `others` that share nothing with it.
///
/// # Errors
/// [`TrainError::Others`] where there are too few such rows.
pub fn apart(train: PuzzleSet, others: &PuzzleSet, config: &RunConfig) -> Result<RunData, TrainError> {
    let data = &config.data;
    let mut order: Vec<usize> = (0..others.len()).collect();
    shuffle(&mut Pcg64::seed_from_u64(data.seed), &mut order);
    let keys = Keys::new(train.task().apart(), train.task());
    let known: HashSet<Vec<u8>> = keys.of_all(&train).into_iter().collect();
    let mut chosen = Vec::with_capacity(data.validation);
    // A canonical form takes a while: no more of them than needed.
    for rows in order.chunks(data.validation.max(1)) {
        let strangers = rows.iter().zip(keys.of(others, rows)).filter(|(_, key)| !known.contains(key));
        chosen.extend(strangers.map(|(&row, _)| row).take(data.validation - chosen.len()));
        if chosen.len() == data.validation {
            return Ok(RunData {
                train,
                validation: others.subset(&chosen),
                also: Vec::new(),
                notes: Vec::new(),
            });
        }
    }
    Err(TrainError::Others(format!(
        "data.validation = {}, but only {possible} rows of {} share nothing with the training rows; give another file, \
         or --set data.validation={possible}",
        data.validation,
        data.validation_from.display(),
        possible = chosen.len(),
    )))
}

/// Splits `data.validation` rows off `all`.
///
/// # Errors
/// [`TrainError::Validation`] where there are too few rows.
pub fn divide(all: &PuzzleSet, config: &RunConfig) -> Result<RunData, TrainError> {
    let data = &config.data;
    let parts =
        split(all, data.validation, all.task().apart(), data.seed).map_err(|e| TrainError::Validation {
            wanted: e.wanted,
            rows: e.rows,
            possible: e.possible,
            reason: e.apart.reason(),
        })?;
    let mut validation = parts.validation;
    // Files are often sorted by source; an evaluation takes the first rows.
    shuffle(&mut Pcg64::seed_from_u64(data.seed), &mut validation);
    let (train, validation) = (all.subset(&parts.train), all.subset(&validation));
    Ok(RunData { train, validation, also: Vec::new(), notes: Vec::new() })
}
