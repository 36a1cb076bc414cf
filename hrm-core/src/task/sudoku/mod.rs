//! Sudoku 4x4, 6x6 and 9x9: one rule, three sizes.
//!
//! Cells are counted row by row from 0. Tokens: 0 padding, 1 blank, `d + 1` for the digit `d` in `1..=side`.

mod symmetry;

use rand_core::Rng;
pub use symmetry::SudokuSymmetry;

use super::{Refusal, Task};

/// The longest side, 9.
pub const MAX_SIDE: usize = 9;
/// Cells of the largest kind, 81.
pub const MAX_SUDOKU_CELLS: usize = MAX_SIDE * MAX_SIDE;
/// Token of an empty cell.
pub const BLANK: u8 = 1;
/// Token of the digit 1; the digit `d` is `FIRST_DIGIT + d - 1`.
pub const FIRST_DIGIT: u8 = 2;

/// Bit of a relation class: the cells share a row.
pub const SAME_ROW: u8 = 1;
/// Bit of a relation class: the cells share a column.
pub const SAME_COLUMN: u8 = 2;
/// Bit of a relation class: the cells share a box.
pub const SAME_BOX: u8 = 4;

/// The size of a Sudoku.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(serde::Serialize, serde::Deserialize)]
pub enum SudokuKind {
    /// 4x4, boxes of 2 rows x 2 columns.
    Four,
    /// 6x6, boxes of 2 rows x 3 columns.
    Six,
    /// 9x9, boxes of 3 rows x 3 columns.
    Nine,
}

impl SudokuKind {
    /// Every size, smallest first.
    pub const ALL: [SudokuKind; 3] = [SudokuKind::Four, SudokuKind::Six, SudokuKind::Nine];

    /// Digits, and cells of a row.
    pub const fn side(self) -> usize {
        self.box_rows() * self.box_columns()
    }

    /// Rows of a box.
    pub const fn box_rows(self) -> usize {
        match self {
            SudokuKind::Four | SudokuKind::Six => 2,
            SudokuKind::Nine => 3,
        }
    }

    /// Columns of a box.
    pub const fn box_columns(self) -> usize {
        match self {
            SudokuKind::Four => 2,
            SudokuKind::Six | SudokuKind::Nine => 3,
        }
    }

    /// Row, column and box of `cell`, each below [`Self::side`] for a cell of the grid.
    pub const fn units(self, cell: usize) -> (usize, usize, usize) {
        let (row, column) = (cell / self.side(), cell % self.side());
        (row, column, row / self.box_rows() * self.box_rows() + column / self.box_columns())
    }
}

/// The Sudoku task of one size.
///
/// ```
/// use hrm_core::task::{Task, sudoku::{Sudoku, SudokuKind}};
///
/// let task = Sudoku::new(SudokuKind::Four);
/// let (mut puzzle, mut answer) = ([0; 16], [0; 16]);
/// task.parse("1... ..2. .3.. ...4".replace(' ', "").as_str(), &mut puzzle)?;
/// task.parse("1243 3421 4312 2134".replace(' ', "").as_str(), &mut answer)?;
/// assert_eq!(task.refuse(&puzzle), None);
/// assert!(task.accepts(&puzzle, &answer));
/// # Ok::<(), hrm_core::task::TextError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Sudoku {
    kind: SudokuKind,
}

impl Sudoku {
    /// The task of size `kind`.
    pub const fn new(kind: SudokuKind) -> Self {
        Sudoku { kind }
    }

    /// The task's [name](Task::name).
    pub const fn name(&self) -> &'static str {
        match self.kind {
            SudokuKind::Four => "sudoku4",
            SudokuKind::Six => "sudoku6",
            SudokuKind::Nine => "sudoku9",
        }
    }

    /// The size.
    pub const fn kind(&self) -> SudokuKind {
        self.kind
    }

    /// Cells of a row, and digits.
    pub const fn side(&self) -> usize {
        self.kind.side()
    }

    /// The digit (1..=side) that `token` stands for; `None` for padding, blanks and anything else.
    pub fn digit(&self, token: u8) -> Option<u8> {
        let digit = token.checked_sub(FIRST_DIGIT - 1)?;
        (1..=self.side() as u8).contains(&digit).then_some(digit)
    }

    /// The givens of `puzzle`: cells that hold a digit.
    pub fn givens(&self, puzzle: &[u8]) -> usize {
        puzzle.iter().filter(|&&token| self.digit(token).is_some()).count()
    }

    /// Digits that occur again in a row, column or box: `sum over units and digits of max(count - 1, 0)`,
    /// the papers' energy E. Blanks count nothing.
    pub fn repeats(&self, grid: &[u8]) -> u32 {
        let mut seen = [[0u16; MAX_SIDE]; 3];
        let mut repeats = 0;
        for (cell, &token) in grid.iter().enumerate().take(self.cells()) {
            let Some(digit) = self.digit(token) else { continue };
            let (row, column, square) = self.kind.units(cell);
            for (units, unit) in seen.iter_mut().zip([row, column, square]) {
                let Some(mask) = units.get_mut(unit) else { continue };
                repeats += u32::from(*mask >> digit & 1);
                *mask |= 1 << digit;
            }
        }
        repeats
    }

    /// The first two cells (in reading order) whose digits forbid each other.
    fn first_contradiction(&self, puzzle: &[u8]) -> Option<(u16, u16)> {
        if self.repeats(puzzle) == 0 {
            return None;
        }
        puzzle.iter().enumerate().find_map(|(first, &token)| {
            self.digit(token)?;
            let mut later = puzzle.iter().enumerate().skip(first + 1);
            let (second, _) =
                later.find(|&(cell, &other)| other == token && self.relation(first, cell) != 0)?;
            Some((first as u16, second as u16))
        })
    }
}

impl Task for Sudoku {
    type Symmetry = SudokuSymmetry;
    type Grid = [u8; MAX_SUDOKU_CELLS];

    fn named(name: &str) -> Option<Self> {
        SudokuKind::ALL.map(Sudoku::new).into_iter().find(|task| task.name() == name)
    }

    fn name(&self) -> &str {
        self.name()
    }

    fn dims(&self) -> (usize, usize) {
        (self.side(), self.side())
    }

    fn grid(&self) -> Self::Grid {
        [0; MAX_SUDOKU_CELLS]
    }

    fn vocab(&self) -> usize {
        self.side() + usize::from(FIRST_DIGIT)
    }

    fn blank(&self) -> u8 {
        BLANK
    }

    fn symbol(&self, token: u8) -> Option<char> {
        match self.digit(token) {
            Some(digit) => Some(char::from(b'0' + digit)),
            None => (token == BLANK).then_some('.'),
        }
    }

    /// Digits, and `.` or `0` for a blank.
    fn token(&self, symbol: char) -> Option<u8> {
        match symbol.to_digit(10) {
            Some(0) => Some(BLANK),
            Some(digit) => (digit <= self.side() as u32).then_some(digit as u8 + FIRST_DIGIT - 1),
            None => (symbol == '.').then_some(BLANK),
        }
    }

    /// 8: any union of [`SAME_ROW`], [`SAME_COLUMN`] and [`SAME_BOX`]. Class 3 never occurs
    /// and 7 is the cell itself.
    fn relations(&self) -> usize {
        8
    }

    fn relation(&self, i: usize, j: usize) -> u8 {
        let (a, b) = (self.kind.units(i), self.kind.units(j));
        u8::from(a.0 == b.0) * SAME_ROW + u8::from(a.1 == b.1) * SAME_COLUMN + u8::from(a.2 == b.2) * SAME_BOX
    }

    fn refuse(&self, puzzle: &[u8]) -> Option<Refusal> {
        if puzzle.len() != self.cells() {
            let got = u16::try_from(puzzle.len()).unwrap_or(u16::MAX);
            return Some(Refusal::Length { expected: self.cells() as u16, got });
        }
        let stray = |&token: &u8| token != BLANK && self.digit(token).is_none();
        if let Some((cell, &token)) = puzzle.iter().enumerate().find(|(_, token)| stray(token)) {
            return Some(Refusal::Token { cell: cell as u16, token });
        }
        let (first, second) = self.first_contradiction(puzzle)?;
        Some(Refusal::Contradiction { first, second })
    }

    /// [`Sudoku::repeats`], plus one for every cell without a digit, plus one for every given that changed.
    fn violations(&self, puzzle: &[u8], grid: &[u8]) -> Option<u32> {
        let missing = grid.len().abs_diff(self.cells()) + puzzle.len().abs_diff(self.cells());
        let undecided = grid.iter().filter(|&&token| self.digit(token).is_none()).count();
        let changed = |(&given, &token): (&u8, &u8)| given != BLANK && given != token;
        let changed = puzzle.iter().zip(grid).filter(|&pair| changed(pair)).count();
        Some(self.repeats(grid) + (missing + undecided + changed) as u32)
    }

    /// [`Sudoku::repeats`].
    fn energy(&self, _: &[u8], grid: &[u8]) -> u32 {
        self.repeats(grid)
    }

    fn identity(&self) -> SudokuSymmetry {
        SudokuSymmetry::identity()
    }

    fn perturbation(&self, k: usize) -> SudokuSymmetry {
        SudokuSymmetry::relabel(self.kind, k)
    }

    fn perturbations(&self) -> usize {
        self.side()
    }

    fn draw<R: Rng>(&self, rng: &mut R) -> SudokuSymmetry {
        SudokuSymmetry::draw(self.kind, rng)
    }

    fn apply(&self, symmetry: &SudokuSymmetry, grid: &[u8], out: &mut [u8]) {
        symmetry.apply(self.kind, grid, out);
    }

    fn undo(&self, symmetry: &SudokuSymmetry, grid: &[u8], out: &mut [u8]) {
        symmetry.undo(self.kind, grid, out);
    }
}

#[cfg(test)]
mod tests;
