//! Sudoku in whatever text people have: a puzzle a line, drawn grids, arrays, parts of a spreadsheet; `docs/PUZZLE_FILES.md` says which.

mod array;
mod cells;
mod drawing;
mod layout;
mod lines;
mod puzzle_line;
mod remarks;
mod sheet;
mod stretch;

use std::borrow::Cow;

use array::Array;
pub(super) use cells::parse;
use hrm_core::task::{Task, sudoku::Sudoku};
use sheet::Sheet;

use super::super::{Domain, pairs::Pairs};
use crate::data::problem::Problem;
use crate::data::read::{Fault, Item, unquoted};

/// The size of the first puzzle in `text`.
pub(super) fn task_of_text(text: &str) -> Option<Sudoku> {
    match Array::of(text) {
        Some(array) => Some(array.task()),
        None => match Sheet::of(text) {
            Sheet::Stacks(stacks) => stacks.first().and_then(|stack| lines::task(stack)),
            Sheet::None | Sheet::Unclear(..) => lines::task(text),
        },
    }
}

/// The size of the puzzle in a field of a table, or the one nearest to it.
pub(super) fn task_of_field(field: &str) -> Option<Sudoku> {
    let cells = grid_in(field);
    let length = cells.chars().count();
    let near = |size: &Sudoku| (size.side() * size.side()).abs_diff(length) <= size.side() / 2;
    cells::size_of(&cells).or_else(|| Sudoku::sizes().into_iter().find(near))
}

/// Tells `visit` of everything in `text`, in order, as puzzles of `task`.
pub(super) fn visit(task: Sudoku, text: &str, visit: &mut dyn FnMut(Item<'_>)) {
    let may_answer = |question: Option<&str>, grid: &str| may_answer(task, question, grid);
    let mut pairs = Pairs::new(&answers, &may_answer, visit);
    let mut add = |item: Item<'_>| pairs.add(item);
    match Array::of(text) {
        Some(array) => array.visit(&mut add),
        None => match Sheet::of(text) {
            Sheet::None => lines::visit(text, task, &mut add),
            Sheet::Stacks(stacks) => stacks.iter().for_each(|stack| lines::visit(stack, task, &mut add)),
            Sheet::Unclear(line, columns) => {
                add(Item::Fault(&Fault { line, column: None, problem: Problem::Columns(columns) }));
            }
        },
    }
    pairs.end();
}

/// The cells in a field, which may be drawn in it as in a file of its own.
pub(super) fn grid_in(field: &str) -> Cow<'_, str> {
    let text = unquoted(field);
    let is_plain = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    if text.len() == field.len() && text.as_bytes().iter().all(is_plain)
        || !text.bytes().any(|byte| byte.is_ascii_whitespace() || b",;:|[](){}!".contains(&byte))
    {
        return text.into();
    }
    let spaced = Sudoku::sizes().into_iter();
    let spaced = spaced.map(|size| (size.side() * size.side(), size.side()));
    let mut spaced = spaced.filter_map(|(cells, side)| cells::with_spaces_as_blanks(field, cells, side));
    spaced.next().or_else(|| lines::only_grid(text)).map_or(text.into(), Cow::Owned)
}

/// Whether `grid` is complete and has the givens of `question`, which is not.
fn answers(question: &str, grid: &str) -> bool {
    let blank = |c: char| !matches!(c, '1'..='9');
    let keeps = |(given, found): (char, char)| blank(given) || given == found;
    question.len() == grid.len()
        && question.contains(blank)
        && !grid.contains(blank)
        && question.chars().zip(grid.chars()).all(keeps)
}

/// Whether `grid` is complete, and `question` is refused if it can be read at all.
fn may_answer(task: Sudoku, question: Option<&str>, grid: &str) -> bool {
    let is_refused = |question: &str| {
        let mut tokens = vec![0; task.cells()];
        parse(task, question, &mut tokens).is_err() || task.refuse(&tokens).is_some()
    };
    grid.chars().all(|c| matches!(c, '1'..='9')) && question.is_none_or(is_refused)
}

#[cfg(test)]
mod tests;
