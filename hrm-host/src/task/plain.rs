//! What holds for a task that says nothing else: puzzles are lines of symbols, one a line or a row a line.

use std::borrow::Cow;
use std::fmt::Write as _;

use hrm_core::task::{Refusal, TextError};

use super::{Rules, View};
use crate::data::problem::{Place, Problem};
use crate::data::read::{Fault, Item, Row};

/// Whether `text` is a whole grid.
pub(super) fn is_grid(task: &dyn Rules, text: &str) -> bool {
    are_symbols(task, text, task.cells())
}

fn are_symbols(task: &dyn Rules, text: &str, count: usize) -> bool {
    text.chars().count() == count && text.chars().all(|c| task.token(c).is_some())
}

/// The cells in a field: rows may stand on lines of their own, and space around them that is no cell does not count.
pub(super) fn cells<'f>(task: &dyn Rules, field: &'f str) -> Cow<'f, str> {
    let is_end = |c: char| matches!(c, '\r' | '\n');
    if field.contains(is_end) {
        return Cow::Owned(field.split(is_end).collect());
    }
    Cow::Borrowed(if field.chars().count() == task.cells() { field } else { field.trim() })
}

/// Whether `text` has a puzzle.
pub(super) fn has_puzzle(task: &dyn Rules, text: &str) -> bool {
    let mut found = false;
    read(task, text, &mut |item| found |= matches!(item, Item::Row(_)));
    found
}

/// Tells of every puzzle in `text`: a line that is a whole grid, or so many lines that are a row each.
pub(super) fn read(task: &dyn Rules, text: &str, visit: &mut dyn FnMut(Item<'_>)) {
    let (rows, columns) = task.dims();
    let (mut first, mut grid) = (1, String::new());
    let mut found = 0;
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.trim_end_matches('\r');
        if is_grid(task, text) {
            cut_off(&mut found, (first, rows), visit);
            visit(row(line, text));
        } else if are_symbols(task, text, columns) {
            if found == 0 {
                (first, grid) = (line, String::new());
            }
            grid.push_str(text);
            found += 1;
            if found == rows {
                found = 0;
                visit(row(first, &grid));
            }
        } else if text.trim().is_empty() {
            cut_off(&mut found, (first, rows), visit);
        } else {
            let problem = match found {
                0 => Problem::NoPuzzle(text.chars().take(60).collect()),
                _ => Problem::Cells { expected: columns, found: text.chars().count() },
            };
            found = 0;
            visit(Item::Fault(&Fault { line, column: None, problem }));
        }
    }
    cut_off(&mut found, (first, rows), visit);
}

fn row(line: u64, question: &str) -> Item<'_> {
    Item::Row(Row { line, question, answer: None, rating: Ok(None), source: "" })
}

/// Tells of rows that are no whole grid.
fn cut_off(found: &mut usize, (line, expected): (u64, usize), visit: &mut dyn FnMut(Item<'_>)) {
    let found = std::mem::take(found);
    if found > 0 {
        let problem = Problem::Height { expected, found };
        visit(Item::Fault(&Fault { line, column: None, problem }));
    }
}

pub(super) fn contradiction(
    task: &dyn Rules,
    question: &[u8],
    told: &dyn Fn(Refusal) -> String,
) -> Option<Problem> {
    Some(match task.refuse(question)? {
        Refusal::Length { expected, got } => Problem::Text(TextError::Length { expected, got }),
        Refusal::Contradiction { first, second } => {
            let place = |cell: u16| Place::new(task.dims().1, cell.into());
            Problem::Rule(format!("{} and {} contradict each other", place(first), place(second)))
        }
        refusal => Problem::Rule(told(refusal)),
    })
}

pub(super) fn told(task: &dyn Rules, refusal: Refusal) -> String {
    let place = |cell: u16| {
        let (cell, columns) = (usize::from(cell), task.dims().1);
        format!("row {} column {}", cell / columns + 1, cell % columns + 1)
    };
    match refusal {
        Refusal::Contradiction { first, second } => {
            format!("the givens at {} and {} contradict each other", place(first), place(second))
        }
        Refusal::Count { token, found } => match task.symbol(token) {
            Some(symbol) => format!("{found} cells are `{symbol}`, where one is needed"),
            None => refusal.to_string(),
        },
        refusal => refusal.to_string(),
    }
}

pub(super) fn wrong_answer(task: &dyn Rules, question: &[u8], answer: &[u8]) -> Option<Problem> {
    match task.violations(question, answer) {
        Some(0) | None => None,
        Some(violations) => Some(Problem::Rule(format!(
            "the answer is wrong: {violations} violations of the rules, changed givens and cells left open"
        ))),
    }
}

/// Rows of symbols. Givens are bold, changes green.
pub(super) fn picture(task: &dyn Rules, view: &View<'_>) -> String {
    let (_, columns) = task.dims();
    let mut lines = String::new();
    for (cell, &token) in view.grid.iter().enumerate() {
        let codes = match () {
            () if view.puzzle.get(cell).is_some_and(|&token| token != task.blank()) => "1",
            () if view.before.get(cell) != Some(&token) => "32",
            () => "",
        };
        let end = if (cell + 1).is_multiple_of(columns) { "\n" } else { " " };
        let _ = write!(lines, "{}{end}", view.paint(task.symbol(token).unwrap_or('?'), codes));
    }
    lines
}
