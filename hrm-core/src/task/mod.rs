//! What the model reasons about: token maps, symmetries and the rule that tells an answer from a guess.

pub mod draw;
mod list;
pub mod maze;
pub mod sudoku;
mod text;

pub use list::{All, OnBoards, Tasks, Visitor, visit};
pub use rand_core::Rng;
pub use text::{Text, TextError};

/// Why a puzzle is refused before any reasoning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum Refusal {
    /// The puzzle has `got` cells where the task has `expected`.
    Length {
        /// Cells of the task.
        expected: u16,
        /// Cells of the puzzle, at most 65,535.
        got: u16,
    },
    /// `token` at `cell` is outside the task's alphabet.
    Token {
        /// The cell, counted from 0.
        cell: u16,
        /// What it holds.
        token: u8,
    },
    /// The givens at the two cells contradict each other.
    Contradiction {
        /// The earlier cell, counted from 0.
        first: u16,
        /// The later cell.
        second: u16,
    },
    /// `found` cells hold `token`, of which a puzzle has exactly one.
    Count {
        /// The token.
        token: u8,
        /// Cells that hold it.
        found: u16,
    },
    /// No grid answers the puzzle.
    Impossible,
}

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match *self {
            Refusal::Length { expected, got } => {
                write!(f, "the puzzle has {got} cells where {expected} are needed")
            }
            Refusal::Token { cell, token } => {
                write!(f, "cell {} holds token {token}, which no puzzle may hold", u32::from(cell) + 1)
            }
            Refusal::Contradiction { first, second } => write!(
                f,
                "the givens at cells {} and {} contradict each other",
                u32::from(first) + 1,
                u32::from(second) + 1
            ),
            Refusal::Count { token, found } => {
                write!(f, "{found} cells hold token {token}, and one is needed")
            }
            Refusal::Impossible => write!(f, "the puzzle has no answer"),
        }
    }
}

impl core::error::Error for Refusal {}

/// A grid task. A new one touches no other module: it is named in a [list](Tasks), and that is all. It
/// borrows nothing, as it is made of its name.
pub trait Task: Clone + 'static {
    /// A map from puzzles to equivalent puzzles, with its inverse.
    type Symmetry: Clone + core::fmt::Debug;
    /// Room for a grid, so that a solver's memory fits the task.
    type Grid: Clone + core::fmt::Debug + AsRef<[u8]> + AsMut<[u8]>;

    /// The task of this kind whose [`Self::name`] is `name`: sizes are told apart by their names.
    fn named(name: &str) -> Option<Self>;
    /// Name stored in packs, for example `sudoku9`; at most 16 bytes.
    fn name(&self) -> &str;
    /// Rows and columns of a grid, whose cells are counted row by row.
    fn dims(&self) -> (usize, usize);
    /// Number of cells, at most [`MAX_CELLS`].
    fn cells(&self) -> usize {
        let (rows, columns) = self.dims();
        rows * columns
    }
    /// A grid of padding; of its elements the first `cells()` are used.
    fn grid(&self) -> Self::Grid;

    /// Number of tokens, 0 being padding.
    fn vocab(&self) -> usize;
    /// Token of a cell that is to be filled in.
    fn blank(&self) -> u8;
    /// Whether a cell that holds `token` in an answer may be blank in its puzzle. Where cells are the ground
    /// that a puzzle stands on, as a maze's walls are, they may not.
    fn may_be_asked(&self, _token: u8) -> bool {
        true
    }
    /// The character that shows `token`; `None` for padding and for what is no token.
    fn symbol(&self, token: u8) -> Option<char>;
    /// The token that `symbol` stands for; several symbols may stand for one.
    fn token(&self, symbol: char) -> Option<u8> {
        (0..=u8::MAX).take(self.vocab()).find(|&token| self.symbol(token) == Some(symbol))
    }

    /// Number of relation classes between two cells (for relation-biased attention).
    fn relations(&self) -> usize;
    /// Relation class of cell `i` seen from cell `j`, below `relations()`.
    fn relation(&self, i: usize, j: usize) -> u8;

    /// `Some(why)` where `puzzle` cannot be a puzzle of this task.
    fn refuse(&self, puzzle: &[u8]) -> Option<Refusal>;
    /// `Some(why)` where a puzzle, some of whose blank cells were filled in with tokens of an answer, has no
    /// answer that keeps them, as far as is easily seen. Differs from [`Self::refuse`] where a puzzle may
    /// not hold every token of an answer.
    fn refuse_supposed(&self, question: &[u8]) -> Option<Refusal> {
        self.refuse(question)
    }
    /// How far `grid` is from answering `puzzle`: 0 exactly where it keeps the givens, is complete and breaks
    /// no rule. `None` for a task whose answers cannot be checked.
    fn violations(&self, puzzle: &[u8], grid: &[u8]) -> Option<u32>;
    /// The papers' energy of `grid`: how many rules it breaks, whatever else is missing.
    fn energy(&self, puzzle: &[u8], grid: &[u8]) -> u32 {
        self.violations(puzzle, grid).unwrap_or(0)
    }
    /// Whether `grid` answers `puzzle`: keeps its givens, is complete and breaks no rule.
    fn accepts(&self, puzzle: &[u8], grid: &[u8]) -> bool {
        self.violations(puzzle, grid) == Some(0)
    }

    /// The symmetry that changes nothing.
    fn identity(&self) -> Self::Symmetry;
    /// The papers' `k`-th input perturbation (for Sudoku the cyclic relabel `t -> ((t-2+k) mod n)+2`); 0 is
    /// the identity. `k` wraps around at [`Self::perturbations`].
    fn perturbation(&self, k: usize) -> Self::Symmetry;
    /// How many distinct [`Self::perturbation`]s there are.
    fn perturbations(&self) -> usize;
    /// A uniform draw from the full symmetry group.
    fn draw<R: Rng>(&self, rng: &mut R) -> Self::Symmetry;

    /// Writes the image of `grid` to `out`; both have `cells()` elements.
    fn apply(&self, symmetry: &Self::Symmetry, grid: &[u8], out: &mut [u8]);
    /// Undoes [`Self::apply`].
    fn undo(&self, symmetry: &Self::Symmetry, grid: &[u8], out: &mut [u8]);

    /// Reads a grid of `cells()` characters into `out`, which must have `cells()` elements; nothing is
    /// skipped, not even spaces.
    ///
    /// # Errors
    /// [`TextError`]; a strange character is reported before a wrong length. `out` is partly written then.
    fn parse(&self, text: &str, out: &mut [u8]) -> Result<(), TextError> {
        text::parse(self, text, out)
    }
    /// `grid` as one line of text, a character for each cell; `?` for a token without
    /// a [symbol](Self::symbol).
    fn text<'a>(&'a self, grid: &'a [u8]) -> Text<'a, Self> {
        Text { task: self, grid }
    }
}

/// The most cells a task may have (Maze 30x30).
pub const MAX_CELLS: usize = 900;

#[cfg(test)]
mod tests;
