//! What the model reasons about: token maps, symmetries and the rule that tells an answer from a guess.

use rand_core::Rng;

/// Why a puzzle is refused before any reasoning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum Refusal {
    /// The puzzle has `got` cells where the task has `expected`.
    Length { expected: u16, got: u16 },
    /// `token` at `cell` is outside the task's alphabet.
    Token { cell: u16, token: u8 },
    /// The givens at the two cells contradict each other.
    Contradiction { first: u16, second: u16 },
}

/// A grid task. A new one touches no other module.
pub trait Task {
    /// A map from puzzles to equivalent puzzles, with its inverse.
    type Symmetry: Copy;

    /// Name stored in packs, for example `sudoku9`.
    fn name(&self) -> &'static str;
    /// Number of cells, at most [`MAX_CELLS`].
    fn cells(&self) -> usize;
    /// Number of tokens, 0 being padding.
    fn vocab(&self) -> usize;

    /// Number of relation classes between two cells (for relation-biased attention).
    fn relations(&self) -> usize;
    /// Relation class of cell `i` seen from cell `j`, below `relations()`.
    fn relation(&self, i: usize, j: usize) -> u8;

    /// `Some(why)` where `puzzle` cannot be a puzzle of this task.
    fn refuse(&self, puzzle: &[u8]) -> Option<Refusal>;
    /// Whether `grid` answers `puzzle`: keeps its givens, is complete and breaks no rule.
    fn accepts(&self, puzzle: &[u8], grid: &[u8]) -> bool;

    /// The symmetry that changes nothing.
    fn identity(&self) -> Self::Symmetry;
    /// The papers' `k`-th input perturbation (for Sudoku the cyclic relabel `t -> ((t-2+k) mod n)+2`); 0 is the
    /// identity. `k` wraps around at [`Self::perturbations`].
    fn perturbation(&self, k: usize) -> Self::Symmetry;
    /// How many distinct [`Self::perturbation`]s there are.
    fn perturbations(&self) -> usize;
    /// A uniform draw from the full symmetry group.
    fn draw<R: Rng>(&self, rng: &mut R) -> Self::Symmetry;

    /// Writes the image of `grid` to `out`; both have `cells()` elements.
    fn apply(&self, symmetry: &Self::Symmetry, grid: &[u8], out: &mut [u8]);
    /// Undoes [`Self::apply`].
    fn undo(&self, symmetry: &Self::Symmetry, grid: &[u8], out: &mut [u8]);
}

/// The most cells a task may have (Maze 30x30).
pub const MAX_CELLS: usize = 900;
