//! Puzzles of our own: random full grids, clues taken away while the answer stays the only one.

use std::ops::RangeInclusive;

use hrm_core::task::{
    Task, draw,
    sudoku::{BLANK, Sudoku, SudokuKind},
};
use rand_pcg::Pcg64;

use super::exact::Exact;
use crate::task::Generator;

/// The fewest givens that any puzzle with one solution has: 4, 8 and 17 (all proven by exhaustive search).
pub fn fewest_givens(kind: SudokuKind) -> usize {
    match kind {
        SudokuKind::Four => 4,
        SudokuKind::Six => 8,
        SudokuKind::Nine => 17,
    }
}

impl Generator for Sudoku {
    /// At least one cell is blank.
    fn givens(&self) -> Option<RangeInclusive<usize>> {
        Some(fewest_givens(self.kind())..=self.cells() - 1)
    }

    /// Minimal where no number of givens is asked for; the rating is the number of guesses of [`Exact`]. `None` where clues
    /// cannot be taken away down to the number asked for.
    fn attempt(&self, wanted: Option<usize>, rng: &mut Pcg64) -> Option<(Vec<u8>, Vec<u8>, Option<u64>)> {
        let exact = Exact::new(*self);
        let grid = exact.complete(&vec![BLANK; self.cells()], rng)?;
        let mut answer = vec![0; self.cells()];
        self.apply(&self.draw(rng), &grid, &mut answer);

        let mut order: Vec<usize> = (0..self.cells()).collect();
        draw::shuffle(rng, &mut order);
        let mut question = answer.clone();
        let mut givens = self.cells();
        for cell in order {
            if wanted == Some(givens) {
                break;
            }
            question[cell] = BLANK;
            if exact.solvable_without(&question, cell, answer[cell]) {
                question[cell] = answer[cell];
            } else {
                givens -= 1;
            }
        }
        if wanted.is_some_and(|wanted| wanted != givens) {
            return None;
        }
        let guesses = exact.search(&question, 1).guesses;
        Some((question, answer, Some(guesses)))
    }
}
