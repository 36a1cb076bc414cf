//! What is wrong with a puzzle or an answer, as a person would say it.

use hrm_core::task::{
    Refusal, Task,
    sudoku::{BLANK, Sudoku, SudokuKind},
};

use super::exact::Exact;
use crate::data::problem::{Place, Problem};

/// What contradicts in the givens of `question`, if anything does.
pub(super) fn contradiction(task: Sudoku, question: &[u8]) -> Option<Problem> {
    let (first, second, digit) = clash(task, question)?;
    Some(if task.refuse(&turned(task, question)).is_none() && has_upright_boxes(task) {
        Problem::Boxes { first, second, digit }
    } else {
        Problem::Contradiction { first, second, digit }
    })
}

/// Why `answer` does not answer `question`, whose givens do not contradict each other; `None` where it does.
pub(super) fn wrong_answer(task: Sudoku, question: &[u8], answer: &[u8]) -> Option<Problem> {
    if task.accepts(question, answer) {
        return None;
    }
    if let Some(cell) = answer.iter().position(|&token| token == BLANK) {
        return Some(Problem::Incomplete(Place::new(task.side(), cell)));
    }
    let changed = |(given, found): (&u8, &u8)| *given != BLANK && given != found;
    if let Some(cell) = question.iter().zip(answer).position(changed) {
        let digit = |grid: &[u8]| task.digit(grid[cell]).unwrap_or(0);
        let place = Place::new(task.side(), cell);
        return Some(Problem::Given { place, given: digit(question), found: digit(answer) });
    }
    let (first, second, digit) = clash(task, answer)?;
    Some(if task.accepts(&turned(task, question), &turned(task, answer)) && has_upright_boxes(task) {
        Problem::Boxes { first, second, digit }
    } else {
        Problem::Invalid { first, second, digit }
    })
}

/// The first two cells whose digits forbid each other.
fn clash(task: Sudoku, grid: &[u8]) -> Option<(Place, Place, u8)> {
    let Some(Refusal::Contradiction { first, second }) = task.refuse(grid) else { return None };
    let (first, second) = (usize::from(first), usize::from(second));
    Some((
        Place::new(task.side(), first),
        Place::new(task.side(), second),
        task.digit(grid[first]).unwrap_or(0),
    ))
}

/// Whether people also draw this size with boxes that are higher than wide.
fn has_upright_boxes(task: Sudoku) -> bool {
    task.kind() == SudokuKind::Six
}

/// Whether `question` has solutions where its boxes are taken to stand upright, as people also draw them.
pub(super) fn solved_turned(task: Sudoku, question: &[u8]) -> bool {
    has_upright_boxes(task) && Exact::new(task).count(&turned(task, question), 1) > 0
}

/// `grid` with rows and columns exchanged.
fn turned(task: Sudoku, grid: &[u8]) -> Vec<u8> {
    let side = task.side();
    (0..grid.len()).map(|cell| grid[cell % side * side + cell / side]).collect()
}
