//! A puzzle on a line of its own: an id may stand before it, its answer, ratings and a comment behind it.

use std::borrow::Cow;

use hrm_core::task::{Task, sudoku::Sudoku};

use super::cells::{are_cells, is_drawn, with_spaces_as_blanks};
use crate::data::rating::Rating;
use crate::data::read::Row;

/// A puzzle on one line.
pub(super) struct OneLine<'t> {
    line: u64,
    question: Cow<'t, str>,
    answer: Option<Cow<'t, str>>,
    rating: Option<Rating>,
    /// Whether further grids follow.
    more: bool,
}

impl OneLine<'_> {
    /// Whether there is another puzzle: what stands in the place of the answer has blanks, or more follows.
    pub(super) fn has_more(&self) -> bool {
        let has_blanks = |answer: &str| answer.chars().any(|c| !matches!(c, '1'..='9'));
        self.more || self.answer.as_deref().is_some_and(has_blanks)
    }

    pub(super) fn as_row(&self) -> Row<'_> {
        let answer = self.answer.as_deref();
        Row { line: self.line, question: &self.question, answer, rating: Ok(self.rating), source: "" }
    }
}

pub(super) fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let between = [',', ';', ':', '|', '!', '"', '\'', '`', '[', ']', '(', ')', '{', '}'];
    text.split(move |c: char| c.is_whitespace() || between.contains(&c)).filter(|token| !token.is_empty())
}

/// The puzzle in a line whose blanks are spaces; its answer may follow in a field of its own.
pub(super) fn spaced<'t>(task: Sudoku, line: &'t str, number: u64) -> Option<OneLine<'t>> {
    let (cells, side) = (task.cells(), task.side());
    if line.len() < cells {
        return None;
    }
    let mut fields = line.split([',', ';', '\t', '|']).map(|field| field.trim_matches('"'));
    let question = fields.find_map(|field| with_spaces_as_blanks(field, cells, side))?;
    let answer =
        fields.next().map(str::trim).filter(|field| are_cells(field, cells, side)).map(Cow::Borrowed);
    Some(OneLine { line: number, question: Cow::Owned(question), answer, rating: None, more: false })
}

/// The puzzle in a line, if there is a whole one.
pub(super) fn one_line<'t>(task: Sudoku, text: &'t str, line: u64) -> Option<OneLine<'t>> {
    let (cells, side) = (task.cells(), task.side());
    let (text, comment) = text.split_once(['#', '%']).unwrap_or((text, ""));
    if text.len() < cells {
        return None;
    }
    let is_grid = |token: &&str| are_cells(token, cells, side) && !is_drawn(token);
    let mut found = tokens(text).skip_while(|token| !is_grid(token));
    let Some(question) = found.next() else { return spread(task, text, line) };
    let rest: Vec<&str> = found.collect();
    let answer = rest.first().filter(|token| is_grid(token)).map(|answer| Cow::Borrowed(*answer));
    let behind = &rest[usize::from(answer.is_some())..];
    let (rating, more) = (rating_in(behind, comment), behind.iter().any(is_grid));
    Some(OneLine { line, question: Cow::Borrowed(question), answer, rating, more })
}

/// A puzzle whose cells or rows stand apart, or are parted by `/`, perhaps with its answer.
fn spread<'t>(task: Sudoku, text: &'t str, line: u64) -> Option<OneLine<'t>> {
    let (cells, side) = (task.cells(), task.side());
    let parts: Vec<&str> = tokens(text).flat_map(|token| token.split('/')).collect();
    let width = parts.first()?.len();
    let grids = parts.len() * width / cells;
    let even = parts.iter().all(|part| are_cells(part, width, side));
    if !even
        || !(width == 1 || width == side)
        || !(1..=2).contains(&grids)
        || !(parts.len() * width).is_multiple_of(cells)
    {
        return None;
    }
    let joined = parts.concat();
    if is_drawn(&joined) {
        return None;
    }
    let (question, answer) = joined.split_at(cells);
    let answer = (grids == 2).then(|| Cow::Owned(answer.to_owned()));
    Some(OneLine { line, question: Cow::Owned(question.to_owned()), answer, rating: None, more: false })
}

/// The rating among what follows a puzzle: the only number, or what `ER=`, `ED=`, `SE=` or `rating=` names.
fn rating_in(rest: &[&str], comment: &str) -> Option<Rating> {
    let first_number = |text: &str| text.split('/').next().and_then(|number| number.parse().ok());
    let named = rest.iter().copied().chain(tokens(comment)).find_map(|token| {
        let (name, value) = token.split_once('=')?;
        let known = ["ER", "ED", "SE", "rating"].iter().any(|known| name.eq_ignore_ascii_case(known));
        if known { first_number(value) } else { None }
    });
    let mut numbers = rest.iter().filter_map(|token| token.parse().ok());
    named.or_else(|| numbers.next().filter(|_| numbers.next().is_none()))
}
