//! Rows that stopped without an answer suppose cells of it and think on: what a
//! solver does, as training data.
//!
//! The cells come from the model's own answer, so most of what is supposed is what the model would
//! suppose on a device, right or wrong. From right cells it learns to go on, and of both its doubt head
//! learns to tell them apart.

use hrm_core::solve::suppose;
use hrm_core::task::Task;
use hrm_core::task::draw::below;
use rand_core::Rng;

use super::draw::chance;
use super::rows::Rows;
use crate::config::TrainConfig;

/// What is supposed in a row's puzzle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Supposed {
    /// Nothing: the puzzle is as it was drawn.
    #[default]
    Nothing,
    /// Cells that are all right.
    Right,
    /// Cells of which one at least is wrong: such a puzzle has no answer.
    Wrong,
}

impl Supposed {
    /// What `byte` stands for in a checkpoint.
    pub fn from_byte(byte: u8) -> Self {
        match byte {
            0 => Supposed::Nothing,
            1 => Supposed::Right,
            _ => Supposed::Wrong,
        }
    }
}

/// What the model holds about every row.
#[derive(Clone, Copy, Debug)]
pub struct Beliefs<'a> {
    /// Its answers, (rows, cells).
    pub grids: &'a [u8],
    /// Which rows it doubts; `None` where it has no doubt head.
    pub doubted: Option<&'a [bool]>,
}

/// Lets rows that are done without an answer go on, each with probability `train.suppose`: 1 to
/// `train.suppose_most` blank cells of its puzzle are filled in with what it believes. A row with a wrong
/// cell goes on only where it is not doubted, as it would on a device. A model without a doubt head learns
/// nothing from wrong cells: with such a draw its row ends as if nothing had been drawn. So it does where
/// more rows of the batch hold wrong cells than right ones: most draws are wrong, their rows teach nothing
/// but doubt, and a head that doubts everything would be nearly right.
///
/// Returns which rows begin anew (the others that go on keep their carried state, with
/// probability `train.suppose_warm`).
pub fn suppose_on<T: Task, R: Rng>(
    rows: &mut Rows,
    beliefs: Beliefs<'_>,
    train: &TrainConfig,
    task: &T,
    rng: &mut R,
) -> Vec<bool> {
    let mut anew = vec![false; rows.len()];
    if train.suppose == 0.0 {
        return anew;
    }
    let cells = rows.cells;
    for (row, anew) in anew.iter_mut().enumerate() {
        let lost =
            rows.supposed[row] == Supposed::Wrong && beliefs.doubted.is_none_or(|doubted| doubted[row]);
        if rows.done[row] == 0 || rows.unsolved[row] == 0 || lost || !chance(rng, train.suppose) {
            continue;
        }
        let own = row * cells..(row + 1) * cells;
        let (puzzle, label) = (&mut rows.puzzles[own.clone()], &rows.labels[own.clone()]);
        let count = 1 + below(rng, u32::from(train.suppose_most)) as u16;
        let mut supposed = puzzle.to_vec();
        suppose(task, &mut supposed, &beliefs.grids[own], count, rng);
        let right =
            supposed.iter().zip(label).all(|(&token, label)| token == task.blank() || token == *label);
        let held = |kind| rows.supposed.iter().filter(|&&supposed| supposed == kind).count();
        if !right && (beliefs.doubted.is_none() || held(Supposed::Wrong) > held(Supposed::Right)) {
            continue;
        }
        puzzle.copy_from_slice(&supposed);
        rows.supposed[row] = if right { Supposed::Right } else { Supposed::Wrong };
        (rows.done[row], rows.unsolved[row], rows.segments[row]) = (0, 0, 0);
        *anew = !chance(rng, train.suppose_warm);
    }
    anew
}

#[cfg(test)]
mod tests {
    use hrm_core::task::sudoku::{BLANK, Sudoku, SudokuKind};
    use rand_core::SeedableRng;
    use rand_pcg::Pcg64;

    use super::*;

    const TASK: Sudoku = Sudoku::new(SudokuKind::Four);
    const ANSWER: [u8; 16] = [2, 3, 5, 4, 4, 5, 3, 2, 5, 4, 2, 3, 3, 2, 4, 5];

    /// Four rows of the same puzzle: two unsolved, one solved, one still thinking.
    fn rows() -> Rows {
        let mut rows = Rows::new(4, 16);
        for (puzzle, label) in rows.puzzles.chunks_exact_mut(16).zip(rows.labels.chunks_exact_mut(16)) {
            puzzle[..4].copy_from_slice(&ANSWER[..4]);
            puzzle[4..].fill(BLANK);
            label.copy_from_slice(&ANSWER);
        }
        rows.done = vec![1, 1, 1, 0];
        rows.unsolved = vec![1, 1, 0, 0];
        rows.segments = vec![4, 5, 2, 3];
        rows
    }

    fn train() -> TrainConfig {
        TrainConfig { suppose: 1.0, suppose_most: 2, suppose_warm: 0.0, ..TrainConfig::default() }
    }

    #[test]
    fn rows_without_an_answer_go_on_from_cells_that_they_believe() {
        let mut wrong = ANSWER;
        wrong[4..].copy_from_slice(&[5, 4, 2, 3, 4, 5, 3, 2, 3, 2, 5, 4]);
        let grids = [ANSWER, wrong, ANSWER, ANSWER].concat();
        let beliefs = Beliefs { grids: &grids, doubted: Some(&[false; 4]) };
        let mut rows = rows();
        let before = rows.clone();
        let anew = suppose_on(&mut rows, beliefs, &train(), &TASK, &mut Pcg64::seed_from_u64(1));
        assert_eq!(anew, [true, true, false, false]);
        assert_eq!((rows.done.as_slice(), rows.segments.as_slice()), (&[0, 0, 1, 0][..], &[0, 0, 2, 3][..]));
        assert_eq!(rows.supposed[..2], [Supposed::Right, Supposed::Wrong]);
        for (row, grid) in grids.chunks_exact(16).enumerate() {
            let own = row * 16..(row + 1) * 16;
            let filled: Vec<usize> =
                own.clone().filter(|&cell| rows.puzzles[cell] != before.puzzles[cell]).collect();
            assert_eq!(!filled.is_empty(), row < 2 && filled.len() <= 2, "row {row}: {filled:?}");
            assert!(filled.iter().all(|&cell| rows.puzzles[cell] == grid[cell - own.start]));
        }
    }

    #[test]
    fn a_wrong_row_goes_on_only_where_it_is_not_doubted_and_a_right_one_in_any_case() {
        let grids = [ANSWER; 4].concat();
        let mut rows = rows();
        rows.supposed[0] = Supposed::Right;
        rows.supposed[1] = Supposed::Wrong;
        rows.puzzles[16 + 15] = ANSWER[14];
        for (doubted, goes_on) in [(true, 1), (false, 0)] {
            let mut rows = rows.clone();
            let beliefs = Beliefs { grids: &grids, doubted: Some(&[doubted; 4]) };
            suppose_on(&mut rows, beliefs, &train(), &TASK, &mut Pcg64::seed_from_u64(1));
            assert_eq!(rows.done, [0, goes_on, 1, 0]);
            assert_eq!(rows.supposed[1], Supposed::Wrong, "what was wrong stays wrong");
        }
    }

    #[test]
    fn without_a_doubt_head_only_rows_with_right_cells_go_on() {
        let mut wrong = ANSWER;
        wrong[4..].copy_from_slice(&[5, 4, 2, 3, 4, 5, 3, 2, 3, 2, 5, 4]);
        let grids = [ANSWER, wrong, ANSWER, ANSWER].concat();
        let mut rows = rows();
        let before = rows.clone();
        let beliefs = Beliefs { grids: &grids, doubted: None };
        let anew = suppose_on(&mut rows, beliefs, &train(), &TASK, &mut Pcg64::seed_from_u64(1));
        assert_eq!(anew, [true, false, false, false]);
        assert_eq!(rows.supposed[..2], [Supposed::Right, Supposed::Nothing]);
        assert_eq!((rows.done[1], &rows.puzzles[16..32]), (1, &before.puzzles[16..32]));
    }

    #[test]
    fn without_the_switch_nothing_is_drawn() {
        let grids = [ANSWER; 4].concat();
        let beliefs = Beliefs { grids: &grids, doubted: Some(&[false; 4]) };
        let (mut rows, mut rng) = (rows(), Pcg64::seed_from_u64(1));
        let before = (rows.clone(), rng.clone());
        let off = TrainConfig { suppose: 0.0, ..train() };
        assert_eq!(suppose_on(&mut rows, beliefs, &off, &TASK, &mut rng), [false; 4]);
        assert_eq!((rows, rng), before);
    }
}
