//! First question: does the model solve trivial puzzles, and keep what it has found?
//!
//! A model that reasons has the answer as a fixed point: once right, it stays right. One that guesses can
//! lose the last cell of a full grid.

use hrm_core::task::{Task, draw};
use rand_core::Rng;
use rand_pcg::Pcg64;
use serde::Serialize;

use super::path::Path;
use crate::data::{Puzzle, PuzzleSet};
use crate::task::Game;
use crate::train::eval::wilson;

/// What is left to find of a puzzle that is nearly its own answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Left {
    /// One cell.
    Cell,
    /// One row of the grid.
    Row,
}

impl Left {
    /// The answers of `set` with one thing left to find; row `i` draws from a generator of its
    /// own made of `seed` and `i`.
    pub fn of(self, set: &PuzzleSet, seed: u64) -> PuzzleSet {
        let mut left = PuzzleSet::new(set.task());
        for (row, puzzle) in set.iter().enumerate() {
            let mut question = puzzle.answer.to_vec();
            self.blank(&mut question, &set.task(), &mut Pcg64::new(u128::from(seed), row as u128));
            left.push(Puzzle { question: &question, ..puzzle });
        }
        left
    }

    fn blank<R: Rng>(self, grid: &mut [u8], task: &Game, rng: &mut R) {
        let cells = match self {
            Left::Cell => 1,
            Left::Row => task.dims().1,
        };
        let first = cells * draw::below(rng, (grid.len() / cells) as u32) as usize;
        for token in &mut grid[first..first + cells] {
            if task.may_be_asked(*token) {
                *token = task.blank();
            }
        }
    }
}

/// How well answers are found and kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Keeping {
    /// Puzzles.
    pub rows: usize,
    /// Right after the last segment.
    pub solved: usize,
    /// 95 % interval of the share of `solved` (Wilson's).
    pub interval: [f64; 2],
    /// Right after some segment.
    pub ever_solved: usize,
    /// Right after some segment and wrong after the last: violations of the fixed point.
    pub lost: usize,
    /// Mean segment from which the solved ones are right and stay so; `None` where there are none.
    pub mean_segment: Option<f64>,
}

/// Counts what was found and what was lost.
pub fn keeping(paths: &[Path]) -> Keeping {
    let from: Vec<usize> = paths.iter().filter_map(Path::solved_from).collect();
    let ever_solved = paths.iter().filter(|path| path.ever_solved()).count();
    Keeping {
        rows: paths.len(),
        solved: from.len(),
        interval: wilson(from.len(), paths.len()),
        ever_solved,
        lost: ever_solved - from.len(),
        mean_segment: (!from.is_empty()).then(|| from.iter().sum::<usize>() as f64 / from.len() as f64),
    }
}

#[cfg(test)]
mod tests {
    use hrm_core::task::sudoku::{BLANK, Sudoku, SudokuKind};

    use super::super::path::tests::{ANSWER, path};
    use super::*;

    #[test]
    fn one_cell_or_one_row_is_left() {
        let mut set = PuzzleSet::new(Sudoku::new(SudokuKind::Four));
        for _ in 0..40 {
            set.push(Puzzle { question: &[BLANK; 16], answer: &ANSWER, source: "test", rating: None });
        }
        for (left, blanks) in [(Left::Cell, 1), (Left::Row, 4)] {
            let trivial = left.of(&set, 1);
            let mut places = std::collections::BTreeSet::new();
            for row in 0..set.len() {
                let question = trivial.question(row);
                let blank: Vec<usize> = (0..16).filter(|&cell| question[cell] == BLANK).collect();
                assert_eq!(blank.len(), blanks);
                assert_eq!(blank[0] / 4, blank[blanks - 1] / 4, "within a row");
                assert!(question.iter().zip(ANSWER).all(|(&q, a)| q == BLANK || q == a));
                places.insert(blank[0]);
            }
            assert!(places.len() >= 4 && trivial == left.of(&set, 1) && trivial != left.of(&set, 2));
        }
    }

    #[test]
    fn a_right_answer_that_is_left_again_is_counted() {
        let paths = [path(&[0, 0], &[]), path(&[0, 1], &[]), path(&[2, 0], &[]), path(&[2, 2], &[])];
        let keeping = keeping(&paths);
        assert_eq!((keeping.rows, keeping.solved, keeping.ever_solved, keeping.lost), (4, 2, 3, 1));
        assert_eq!(keeping.mean_segment, Some(1.5));
        assert_eq!(super::keeping(&paths[3..]).mean_segment, None, "nothing has no mean");
    }
}
