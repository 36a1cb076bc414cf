//! What holds for a task that says nothing else: puzzles are lines of symbols, one a line or a row a line.

use std::borrow::Cow;
use std::fmt::Write as _;

use hrm_core::task::{Refusal, TextError};

use super::pairs::Pairs;
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

/// The cells in a field: rows may stand on lines of their own, and space around them that
/// is no cell does not count.
pub(super) fn cells<'f>(task: &dyn Rules, field: &'f str) -> Cow<'f, str> {
    let is_end = |c: char| matches!(c, '\r' | '\n');
    if field.contains(is_end) {
        let (_, columns) = task.dims();
        return Cow::Owned(field.split(is_end).map(|row| joined(row, columns)).collect());
    }
    let cells = joined(field, task.cells());
    if cells.chars().count() == task.cells() { cells } else { Cow::Borrowed(field.trim()) }
}

/// `text` without the spaces between its cells, where it has `count` cells and a space behind each.
fn joined(text: &str, count: usize) -> Cow<'_, str> {
    match spaced(text) {
        Some(cells) if text.chars().count() != count && cells.chars().count() == count => cells.into(),
        _ => text.into(),
    }
}

/// The cells of `text`, where every other character is a space.
pub(super) fn spaced(text: &str) -> Option<String> {
    let mut places = text.chars().enumerate();
    let is_spaced = places.all(|(place, c)| place % 2 == 0 || c == ' ') && text.chars().nth(1).is_some();
    is_spaced.then(|| text.chars().step_by(2).collect())
}

/// Whether `text` has a puzzle.
pub(super) fn has_puzzle(task: &dyn Rules, text: &str) -> bool {
    let mut found = false;
    read(task, text, &mut |item| found |= matches!(item, Item::Row(_)));
    found
}

/// Tells of every puzzle in `text`: a line that is a whole grid, or so many lines that are a row
/// each. The answer may follow.
pub(super) fn read(task: &dyn Rules, text: &str, visit: &mut dyn FnMut(Item<'_>)) {
    let answers = |question: &str, grid: &str| is_answer(task, question, grid);
    let may_answer = |question: Option<&str>, grid: &str| {
        may_answer(task, question, grid).then_some(Problem::PerhapsAnswer)
    };
    let mut pairs = Pairs::new(&answers, &may_answer, visit);
    grids(task, text, &mut |item| pairs.add(item));
    pairs.end();
}

/// Whether `grid` answers `question` and is another grid.
fn is_answer(task: &dyn Rules, question: &str, grid: &str) -> bool {
    let tokens = |text: &str| text.chars().map(|c| task.token(c)).collect::<Option<Vec<u8>>>();
    match (tokens(question), tokens(grid)) {
        (Some(question), Some(grid)) => question != grid && task.accepts(&question, &grid),
        _ => false,
    }
}

/// Whether `grid` is complete, and `question` is refused if it can be read at all.
fn may_answer(task: &dyn Rules, question: Option<&str>, grid: &str) -> bool {
    let tokens = |text: &str| text.chars().map(|c| task.token(c)).collect::<Option<Vec<u8>>>();
    let is_refused = |text: &str| tokens(text).is_none_or(|tokens| task.refuse(&tokens).is_some());
    tokens(grid).is_some_and(|grid| !grid.contains(&task.blank())) && question.is_none_or(is_refused)
}

fn grids(task: &dyn Rules, text: &str, visit: &mut dyn FnMut(Item<'_>)) {
    let (_, columns) = task.dims();
    let mut paragraph = Paragraph::default();
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.trim_end_matches('\r');
        let (whole, drawn) = (joined(text, task.cells()), joined(text, columns));
        if is_grid(task, &whole) {
            paragraph.end(task, visit);
            visit(row(line, &whole));
        } else if are_symbols(task, &drawn, columns) {
            paragraph.rows.push((line, drawn));
        } else if text.trim().is_empty() {
            paragraph.end(task, visit);
        } else {
            let found = text.chars().count();
            let problem = match paragraph.rows.is_empty() || !are_symbols(task, text, found) {
                true => diagnosis(task, text),
                false => Problem::Cells { expected: columns, found },
            };
            paragraph.faults.push(Fault::of_line(line, problem));
        }
    }
    paragraph.end(task, visit);
}

/// Lines that follow each other. Their rows are whole grids, or, where a line is no
/// row, of no grid for certain.
#[derive(Default)]
struct Paragraph<'t> {
    rows: Vec<(u64, Cow<'t, str>)>,
    faults: Vec<Fault>,
}

impl Paragraph<'_> {
    fn end(&mut self, task: &dyn Rules, visit: &mut dyn FnMut(Item<'_>)) {
        let Paragraph { rows, mut faults } = std::mem::take(self);
        let (height, _) = task.dims();
        let first = rows.first().map_or(0, |(line, _)| *line);
        if !rows.is_empty() && !faults.is_empty() {
            faults.push(Fault::of_line(first, Problem::Interrupted));
            faults.sort_by_key(|fault| fault.line);
        } else if !rows.len().is_multiple_of(height) {
            let problem = Problem::Height { expected: height, found: rows.len() };
            faults.push(Fault::of_line(first, problem));
        }
        if !faults.is_empty() {
            return faults.iter().for_each(|fault| visit(Item::Fault(fault)));
        }
        for grid in rows.chunks(height) {
            let cells: String = grid.iter().map(|(_, row)| row.as_ref()).collect();
            visit(row(grid[0].0, &cells));
        }
    }
}

fn row(line: u64, question: &str) -> Item<'_> {
    Item::Row(Row { line, question, answer: None, rating: Ok(None), source: "" })
}

/// Why a line is neither a grid nor a row of one.
fn diagnosis(task: &dyn Rules, text: &str) -> Problem {
    let symbols: String = (0..=u8::MAX).filter_map(|token| task.symbol(token)).collect();
    let (rows, columns) = task.dims();
    let (found, cells) = (text.chars().count(), task.cells());
    let strange = text.chars().find(|&c| task.token(c).is_none());
    let what = strange.map_or_else(|| format!("{found} cells"), |c| format!("{c:?}"));
    let begin: String = text.chars().take(60).collect();
    Problem::Rule(format!(
        "{what} in {begin:?}: a {} is a line of {cells} cells, or {rows} lines of {columns}, each one of `{symbols}`; a blank line \
         stands above and below what is drawn",
        task.name()
    ))
}

/// Why a puzzle is refused, by row and column.
pub(super) fn told(task: &dyn Rules, refusal: Refusal) -> String {
    let place = |cell: u16| {
        let Place { row, column, .. } = Place::new(task.dims().1, cell.into());
        format!("row {row} column {column}")
    };
    match refusal {
        Refusal::Length { expected, got } => Problem::Text(TextError::Length { expected, got }).to_string(),
        Refusal::Contradiction { first, second } => {
            format!("the givens at {} and {} contradict each other", place(first), place(second))
        }
        Refusal::Token { cell, token } => match task.symbol(token) {
            Some(symbol) => format!("`{symbol}` at {} stands where no puzzle may hold it", place(cell)),
            None => refusal.to_string(),
        },
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
