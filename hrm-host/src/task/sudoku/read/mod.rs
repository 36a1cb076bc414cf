//! Sudoku in whatever text people have: a puzzle a line, drawn grids, arrays, parts of a spreadsheet;
//! `docs/PUZZLE_FILES.md` says which.

mod array;
mod bars;
mod brackets;
mod cells;
mod columns;
mod comments;
mod cut;
mod doubt;
mod drawing;
mod gutter;
mod layout;
mod lines;
mod markup;
mod numbers;
mod puzzle_line;
mod remarks;
mod row_numbers;
mod rows;
mod ruler;
mod sheet;
mod stretch;
mod writing;

use std::borrow::Cow;
use std::cell::LazyCell;
use std::collections::HashMap;

use array::Array;
use cells::is_blank;
pub(super) use cells::parse;
use hrm_core::task::{Task, sudoku::Sudoku};
use sheet::Sheet;

use super::super::pairs::Pairs;
use crate::data::problem::Problem;
use crate::data::rating::Rating;
use crate::data::read::{Fault, Item, Row, unquoted};

/// The size of the first puzzle in `text`.
pub(super) fn task_of_text(text: &str) -> Option<Sudoku> {
    let text = &plain(text);
    let text = &gutter::without_numbers(text).0[..];
    match Array::of(text) {
        Some(array) => Some(array.task()),
        None => match Sheet::of(text) {
            Sheet::Stacks(stacks) => stacks.first().and_then(|stack| lines::task(stack)),
            Sheet::None | Sheet::Unclear(..) | Sheet::Ragged { .. } => lines::task(text),
        },
    }
}

/// `text` without what stands around puzzles in other languages, and without headings that tell where cells
/// stand.
fn plain(text: &str) -> Cow<'_, str> {
    match markup::without_marks(text) {
        Cow::Borrowed(text) => ruler::without_rulers(text),
        Cow::Owned(text) => ruler::without_rulers(&text).into_owned().into(),
    }
}

/// The size of the puzzle in a field of a table, or the one nearest to it.
pub(super) fn task_of_field(field: &str) -> Option<Sudoku> {
    if let Some(array) = Array::of(field) {
        return Some(array.task());
    }
    let cells = grid_in(field);
    let length = cells.chars().count();
    let near = |size: &Sudoku| size.cells().abs_diff(length) <= size.side() / 2;
    cells::size_of(&cells).or_else(|| cells::sizes().find(near))
}

/// Tells `visit` of everything in `text`, in order, as puzzles of `task`. A complete grid without a puzzle is
/// refused where others have their answers.
pub(super) fn visit(task: Sudoku, text: &str, visit: &mut dyn FnMut(Item<'_>)) {
    let text = &plain(text);
    let may_answer = |question: Option<&str>, grid: &str| may_answer(task, question, grid);
    let has_pairs = LazyCell::new(|| has_pairs(task, text));
    let mut tell = |item: Item<'_>| match item {
        Item::Row(Row { line, question, answer: None, .. }) if !question.contains(is_blank) && *has_pairs => {
            visit(Item::Fault(&Fault::of_line(line, Problem::LoneAnswer)));
        }
        item => visit(item),
    };
    let mut pairs = Pairs::new(&answers, &may_answer, &mut tell);
    visit_all(task, text, &mut |item| pairs.add(item));
    pairs.end();
}

/// Whether some puzzle in `text` has its answer, beside it or below.
fn has_pairs(task: Sudoku, text: &str) -> bool {
    let (mut above, mut found) = (String::new(), false);
    visit_all(task, text, &mut |item| {
        if let Item::Row(row) = item {
            found |= row.answer.is_some() || answers(&above, row.question);
            row.question.clone_into(&mut above);
        }
    });
    found
}

/// As [`visit`], with each answer as a grid of its own, unless it stands on the line of its puzzle.
fn visit_all(task: Sudoku, text: &str, add: &mut dyn FnMut(Item<'_>)) {
    let (text, unclear) = &gutter::without_numbers(text);
    if let Some(fault) = unclear {
        return add(Item::Fault(fault));
    }
    match Array::of(text) {
        Some(array) => visit_array(&array, task, add),
        None => match Sheet::of(text) {
            Sheet::None => lines::visit(text, task, add),
            Sheet::Stacks(stacks) => match &stacks[..] {
                [stack] => lines::visit(stack, task, add),
                _ => visit_stacks(&stacks, task, add),
            },
            Sheet::Unclear(line, columns) => {
                add(Item::Fault(&Fault::of_line(line, Problem::Columns(columns))));
            }
            Sheet::Ragged { line, found, expected } => {
                let problem = Problem::Ragged { expected, found };
                add(Item::Fault(&Fault::of_line(line, problem)));
            }
        },
    }
}

/// Tells `visit` of the grids in arrays, and of what stands in other lines.
fn visit_array(array: &Array, task: Sudoku, visit: &mut dyn FnMut(Item<'_>)) {
    let found = array.found.iter().map(|found| match found {
        Ok((line, question)) => {
            Told::Grid { line: *line, question: question.clone(), answer: None, rating: None }
        }
        Err(fault) => Told::Fault(fault.clone()),
    });
    let comments = array.comments.iter().map(|(line, text)| Told::Passed(*line, text.clone()));
    let mut told: Vec<Told> = Told::all(&array.rest, task).into_iter().chain(found).chain(comments).collect();
    told.sort_by_key(Told::line);
    told.iter().for_each(|told| told.tell(visit));
}

/// Tells `visit` of the grids in each stack, from the left; where those of a stack answer the ones to their
/// left, of each puzzle with its answer.
fn visit_stacks(stacks: &[String], task: Sudoku, visit: &mut dyn FnMut(Item<'_>)) {
    let stacks: Vec<Vec<Told>> = stacks.iter().map(|stack| Told::all(stack, task)).collect();
    let mut rest = &stacks[..];
    while let [stack, behind @ ..] = rest {
        let answers = behind.first().and_then(|right| as_answers(stack, right));
        rest = &behind[usize::from(answers.is_some())..];
        let answers = answers.unwrap_or_default();
        let mut told: Vec<&Told> = stack.iter().chain(&answers).collect();
        told.sort_by_key(|told| told.line());
        told.into_iter().for_each(|told| told.tell(visit));
    }
}

/// What is told of `right` if it holds the answers of `left`, as one of them says: each grid stands beside
/// the one that it answers, or is refused.
fn as_answers(left: &[Told], right: &[Told]) -> Option<Vec<Told>> {
    let puzzles: HashMap<u64, &str> = left.iter().filter_map(Told::grid).collect();
    let is_answer = |line: &u64, grid: &str| puzzles.get(line).is_some_and(|puzzle| answers(puzzle, grid));
    let checked = |told: &Told| match told {
        Told::Grid { line, question, .. } if !is_answer(line, question) => {
            Told::Fault(Fault::of_line(*line, Problem::PerhapsAnswer))
        }
        told => told.clone(),
    };
    let any = right.iter().filter_map(Told::grid).any(|(line, grid)| is_answer(&line, grid));
    any.then(|| right.iter().map(checked).collect())
}

/// What is told of a stack, or of a text with arrays in it.
#[derive(Clone)]
enum Told {
    Grid { line: u64, question: String, answer: Option<String>, rating: Option<Rating> },
    Fault(Fault),
    Passed(u64, String),
    EmptyEdge(u64, &'static str),
}

impl Told {
    fn all(stack: &str, task: Sudoku) -> Vec<Told> {
        let mut all = Vec::new();
        lines::visit(stack, task, &mut |item| {
            all.push(match item {
                Item::Row(Row { line, question, answer, rating, .. }) => Told::Grid {
                    line,
                    question: question.to_owned(),
                    answer: answer.map(str::to_owned),
                    rating: rating.ok().flatten(),
                },
                Item::Fault(fault) => Told::Fault(fault.clone()),
                Item::Passed { line, text } => Told::Passed(line, text.to_owned()),
                Item::EmptyEdge { line, edge } => Told::EmptyEdge(line, edge),
            });
        });
        all
    }

    fn line(&self) -> u64 {
        match self {
            Told::Grid { line, .. } | Told::Passed(line, _) | Told::EmptyEdge(line, _) => *line,
            Told::Fault(fault) => fault.line,
        }
    }

    /// The line and the cells of a grid.
    fn grid(&self) -> Option<(u64, &str)> {
        if let Told::Grid { line, question, .. } = self { Some((*line, question)) } else { None }
    }

    fn tell(&self, visit: &mut dyn FnMut(Item<'_>)) {
        match self {
            Told::Grid { line, question, answer, rating } => {
                let (answer, rating) = (answer.as_deref(), Ok(*rating));
                visit(Item::Row(Row { line: *line, question, answer, rating, source: "" }));
            }
            Told::Fault(fault) => visit(Item::Fault(fault)),
            Told::Passed(line, text) => visit(Item::Passed { line: *line, text }),
            Told::EmptyEdge(line, edge) => visit(Item::EmptyEdge { line: *line, edge }),
        }
    }
}

/// The cells in a field, which may be drawn in it as in a file of its own.
pub(super) fn grid_in(field: &str) -> Cow<'_, str> {
    // Excel keeps digits as they are in `="0012"`.
    let text = unquoted(field.strip_prefix('=').unwrap_or(field));
    let is_plain = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    if text.len() == field.len() && text.as_bytes().iter().all(is_plain)
        || !text.bytes().any(|byte| byte.is_ascii_whitespace() || b",;:|[](){}!".contains(&byte))
    {
        return text.into();
    }
    if let Some(array) = Array::of(text) {
        return array.only().and_then(Result::ok).map_or(text.into(), Cow::Owned);
    }
    let spaced = |size: Sudoku| cells::with_spaces_as_blanks(field, size.cells(), size.side());
    let grid = cells::sizes().find_map(spaced).or_else(|| lines::only_grid(text));
    grid.map_or(text.into(), Cow::Owned)
}

/// Whether `grid` is complete and has the givens of `question`, which is not.
fn answers(question: &str, grid: &str) -> bool {
    question.contains(is_blank) && !grid.contains(is_blank) && agree(question, grid)
}

/// Whether no cell has one digit in `question` and another in `grid`.
fn agree(question: &str, grid: &str) -> bool {
    let is_same = |(a, b): (char, char)| a == b || is_blank(a) || is_blank(b);
    question.len() == grid.len() && question.chars().zip(grid.chars()).all(is_same)
}

/// Why `grid` is refused where it may be the answer of what stands above it: it is complete, and `question`
/// is refused if it can be read at all; or it agrees with `question` and has less than half as many blanks.
fn may_answer(task: Sudoku, question: Option<&str>, grid: &str) -> Option<Problem> {
    let is_refused = |question: &str| {
        let mut tokens = vec![0; task.cells()];
        parse(task, question, &mut tokens).is_err() || task.refuse(&tokens).is_some()
    };
    let blanks = |grid: &str| grid.chars().filter(|c| is_blank(*c)).count();
    let lacks_cells = |question: &str| 2 * blanks(grid) < blanks(question) && agree(question, grid);
    match blanks(grid) {
        0 => question.is_none_or(is_refused).then_some(Problem::PerhapsAnswer),
        _ => question.is_some_and(lacks_cells).then_some(Problem::HalfAnswer),
    }
}

#[cfg(test)]
mod tests;
