//! The symmetry group of Sudoku: what changes a grid's look and nothing of its logic.

use rand_core::Rng;

use super::{FIRST_DIGIT, MAX_SIDE, SudokuKind};
use crate::task::draw;

/// An element of the full symmetry group: relabelled digits, permuted bands, rows within a band, stacks and
/// columns within a stack, and the transpose where boxes are square.
///
/// The image of a grid `g` is `image[r][c] = digits(g'[rows[r]][columns[c]])`, `g'` being `g` or its
/// transpose. Padding and blanks keep their token. The group has 3,072 elements for 4x4 (4! * 2!^3 * 2!^3 *
/// 2), 6! * (3! * 2!^3) * (2! * 3!^2) = 2,488,320 for 6x6, and 9! * 3!^8 * 2 = 1,218,998,108,160 for 9x9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SudokuSymmetry {
    /// Source row of each row; entries past the side stay the identity.
    rows: [u8; MAX_SIDE],
    /// Source column of each column.
    columns: [u8; MAX_SIDE],
    /// Image of each digit, both counted from 0.
    digits: [u8; MAX_SIDE],
    transposed: bool,
}

const STRAIGHT: [u8; MAX_SIDE] = [0, 1, 2, 3, 4, 5, 6, 7, 8];

impl SudokuSymmetry {
    /// Changes nothing.
    pub const fn identity() -> Self {
        SudokuSymmetry { rows: STRAIGHT, columns: STRAIGHT, digits: STRAIGHT, transposed: false }
    }

    /// The cyclic relabel `d -> ((d - 1 + k) mod side) + 1` of the digits.
    pub fn relabel(kind: SudokuKind, k: usize) -> Self {
        let mut symmetry = Self::identity();
        let side = kind.side();
        for (digit, image) in symmetry.digits.iter_mut().enumerate().take(side) {
            *image = ((digit + k % side) % side) as u8;
        }
        symmetry
    }

    /// A uniform draw from the whole group.
    pub fn draw<R: Rng>(kind: SudokuKind, rng: &mut R) -> Self {
        let mut symmetry = Self::identity();
        if let Some(digits) = symmetry.digits.get_mut(..kind.side()) {
            draw::shuffle(rng, digits);
        }
        draw_lines(kind.side(), kind.box_rows(), rng, &mut symmetry.rows);
        draw_lines(kind.side(), kind.box_columns(), rng, &mut symmetry.columns);
        if kind.box_rows() == kind.box_columns() {
            symmetry.transposed = draw::below(rng, 2) == 1;
        }
        symmetry
    }

    /// Whether rows and columns change places.
    pub fn transposes(&self) -> bool {
        self.transposed
    }

    /// The cell whose token moves to `cell`.
    pub fn source(&self, kind: SudokuKind, cell: usize) -> usize {
        let at = |lines: &[u8; MAX_SIDE], line: usize| lines.get(line).map_or(0, |&l| usize::from(l));
        let side = kind.side();
        let (row, column) = (at(&self.rows, cell / side), at(&self.columns, cell % side));
        if self.transposed { column * side + row } else { row * side + column }
    }

    /// Writes the image of `grid` to `out`. Cells that either slice lacks are skipped.
    pub fn apply(&self, kind: SudokuKind, grid: &[u8], out: &mut [u8]) {
        let cells = kind.side() * kind.side();
        for (cell, image) in out.iter_mut().enumerate().take(cells) {
            if let Some(&token) = grid.get(self.source(kind, cell)) {
                *image = relabelled(&self.digits, kind, token);
            }
        }
    }

    /// Writes to `out` the grid whose image is `grid`.
    pub fn undo(&self, kind: SudokuKind, grid: &[u8], out: &mut [u8]) {
        let mut digits = STRAIGHT;
        for (digit, &image) in self.digits.iter().enumerate() {
            if let Some(original) = digits.get_mut(usize::from(image)) {
                *original = digit as u8;
            }
        }
        let cells = kind.side() * kind.side();
        for (cell, &token) in grid.iter().enumerate().take(cells) {
            if let Some(original) = out.get_mut(self.source(kind, cell)) {
                *original = relabelled(&digits, kind, token);
            }
        }
    }
}

/// `token` with its digit mapped; padding, blanks and strays stay.
fn relabelled(digits: &[u8; MAX_SIDE], kind: SudokuKind, token: u8) -> u8 {
    let digit = token.checked_sub(FIRST_DIGIT).map(usize::from).filter(|&digit| digit < kind.side());
    digit.and_then(|digit| digits.get(digit)).map_or(token, |&image| image + FIRST_DIGIT)
}

/// Draws a permutation of `side` lines that keeps groups of `group` lines (bands or stacks) together.
fn draw_lines<R: Rng>(side: usize, group: usize, rng: &mut R, lines: &mut [u8; MAX_SIDE]) {
    let mut groups = STRAIGHT;
    if let Some(groups) = groups.get_mut(..side / group) {
        draw::shuffle(rng, groups);
    }
    for (chunk, &source) in lines.chunks_mut(group).zip(&groups).take(side / group) {
        for (within, line) in chunk.iter_mut().enumerate() {
            *line = source * group as u8 + within as u8;
        }
        draw::shuffle(rng, chunk);
    }
}
