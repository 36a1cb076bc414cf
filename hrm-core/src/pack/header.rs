//! The postcard header: what the model is and where it comes from.

use serde::{Deserialize, Serialize};

use super::shape::Shape;

/// Everything in a pack that is not numbers for the arithmetic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Header<'a> {
    /// Task name, for example `sudoku9`.
    pub task: &'a str,
    /// All sizes.
    pub shape: Shape,
    /// How the model came to be.
    #[serde(borrow)]
    pub provenance: Provenance<'a>,
    /// What it scored, float and integer on the same puzzles, when it was exported.
    pub accuracy: Option<Accuracy>,
}

/// How a model came to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Provenance<'a> {
    /// Run configuration as one JSON line.
    pub config: &'a str,
    /// Version (and commit, where known) of the program that trained and exported.
    pub program: &'a str,
    /// Training data file and row count.
    pub data: &'a str,
    /// Seed of the run.
    pub seed: u64,
    /// Optimizer steps taken.
    pub steps: u64,
    /// Sample-segments seen.
    pub samples: u64,
}

/// Exactly solved puzzles out of `rows`, by one plain pass (no perturbation) of the
/// trained number of segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Accuracy {
    /// Puzzles tried.
    pub rows: u32,
    /// Percentage of the blanks filled in as hints.
    pub hints_percent: u8,
    /// Solved by the float model.
    pub float_exact: u32,
    /// Solved by the integer model.
    pub int_exact: u32,
}
