//! A puzzle on a line of its own: an id may stand before it, its answer, ratings and a comment behind it.

use std::borrow::Cow;

use hrm_core::task::{Task, sudoku::Sudoku};

use super::cells::{are_cells, cell_in, is_blank, is_cell, is_drawn, parse, with_spaces_as_blanks};
use super::remarks::{heading, is_date};
use crate::data::problem::Problem;
use crate::data::rating::Rating;
use crate::data::read::Row;

/// A puzzle on one line.
#[derive(Default)]
pub(super) struct OneLine<'t> {
    question: Cow<'t, str>,
    answer: Option<Cow<'t, str>>,
    rating: Option<Rating>,
    /// What is wrong with the rest of the line.
    problem: Option<Problem>,
}

impl OneLine<'_> {
    /// Why the line is refused: a puzzle that is damaged stands on it, too, or another one, perhaps in the
    /// place of the answer.
    pub(super) fn problem(&self) -> Option<Problem> {
        let is_puzzle = self.answer.as_deref().is_some_and(|grid| grid.contains(is_blank));
        self.problem.clone().or(is_puzzle.then_some(Problem::MorePuzzles))
    }

    /// Whether it is an answer alone.
    pub(super) fn is_complete(&self) -> bool {
        self.answer.is_none() && !self.question.contains(is_blank)
    }

    pub(super) fn as_row(&self, line: u64) -> Row<'_> {
        let answer = self.answer.as_deref();
        Row { line, question: &self.question, answer, rating: Ok(self.rating), source: "" }
    }
}

pub(super) fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let between = [',', ';', ':', '|', '!', '"', '\'', '`', '[', ']', '(', ')', '{', '}'];
    let is_arrow = |token: &str| {
        token.contains(['>', '→', '⇒']) && token.trim_matches(['-', '=', '>', '→', '⇒']).is_empty()
    };
    text.split(move |c: char| c.is_whitespace() || between.contains(&c))
        .filter(move |token| !token.is_empty() && !is_arrow(token))
}

/// Whether `text` may be a puzzle that is damaged, or two in one: it has more cells than half a grid, and
/// hardly anything else.
fn may_be_puzzle(task: Sudoku, text: &str) -> bool {
    let length = text.chars().count();
    let strange = text.chars().filter(|&c| c != ' ' && !is_cell(c, task.side())).count();
    let is_full =
        2 * length > task.cells() && 8 * strange <= length && !is_date(text.trim_matches([' ', ',', ';']));
    is_full && !text.chars().all(is_blank)
}

/// What is wrong with the first of `parts` that may be a puzzle, or else with the first, or a remark, that
/// holds one: where the end of a line was lost, the next begins in its last word.
fn problem<'t>(
    task: Sudoku,
    parts: impl Iterator<Item = &'t str> + Clone,
    remark: &'t str,
) -> Option<Problem> {
    let damaged = parts.clone().find(|part| may_be_puzzle(task, part));
    let damaged = damaged.map(|part| match parse(task, part.trim(), &mut vec![0; task.cells()]) {
        Err(problem) => problem,
        Ok(()) => Problem::MorePuzzles,
    });
    let is_puzzle =
        |run: &str| run.len() >= task.cells() && run.contains(is_blank) && !run.chars().all(is_blank);
    let holds = |part: &str| part.split(|c| !is_cell(c, task.side())).any(is_puzzle);
    damaged.or_else(|| parts.chain([remark]).any(holds).then_some(Problem::MorePuzzles))
}

/// The puzzle in a line whose blanks are spaces; its answer may follow in a field of its own.
fn spaced(task: Sudoku, line: &str) -> Option<OneLine<'_>> {
    let (cells, side) = (task.cells(), task.side());
    let (text, remark) = line.split_once(['#', '%']).unwrap_or((line, ""));
    let fields: Vec<&str> = text.split([',', ';', '\t', '|']).map(|field| field.trim_matches('"')).collect();
    let find = |field: &&str| {
        with_spaces_as_blanks(field, cells, side).filter(|_| !is_spread(field) && !is_heading(field, side))
    };
    let place = fields.iter().position(|field| find(field).is_some())?;
    let answer = fields.get(place + 1).map(|field| field.trim());
    let answer = answer.filter(|field| are_cells(field, cells, side));
    let behind = &fields[place + 1 + usize::from(answer.is_some())..];
    let rest = fields[..place].iter().chain(behind).copied();
    let question = Cow::Owned(find(&fields[place])?);
    let answer = answer.map(Cow::Borrowed);
    Some(OneLine { question, answer, rating: None, problem: problem(task, rest, remark) })
}

/// Whether a space stands behind each of the digits: rows beside each other, whose cells are apart.
fn is_spread(text: &str) -> bool {
    text.bytes().enumerate().all(|(place, byte)| (byte == b' ') == (place % 2 == 1))
}

/// Whether all that stands in `text` are the numbers of as many columns, equally far apart.
fn is_heading(text: &str, side: usize) -> bool {
    let names: Vec<(usize, char)> = text.char_indices().filter(|(_, c)| *c != ' ').collect();
    let mut steps = names.windows(2).map(|pair| pair[1].0 - pair[0].0);
    let first = steps.next();
    let digits: String = names.iter().map(|(_, c)| c).collect();
    names.len() == side && heading(&digits).is_some() && steps.all(|step| Some(step) == first)
}

/// The puzzle in a line, if there is a whole one.
pub(super) fn one_line<'t>(task: Sudoku, line: &'t str) -> Option<OneLine<'t>> {
    let (cells, side) = (task.cells(), task.side());
    if line.len() < cells {
        return None;
    }
    if let puzzle @ Some(_) = spaced(task, line) {
        return puzzle;
    }
    let (text, remark) = line.split_once(['#', '%']).unwrap_or((line, ""));
    let is_grid = |token: &str| are_cells(token, cells, side) && !is_drawn(token);
    // `easy=1.....2..3.....4`, with nothing before it
    let is_name = |name: &str| name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let value = |(place, token): (usize, &'t str)| match token.split_once('=') {
        Some((name, value)) if place == 0 && is_name(name) && is_grid(value) => value,
        _ => token,
    };
    let all: Vec<&str> = tokens(text).enumerate().map(value).collect();
    let Some(place) = all.iter().position(|token| is_grid(token)) else { return spread(task, text) };
    let (before, question) = (&all[..place], all[place]);
    let answer = all.get(place + 1).copied().filter(|token| is_grid(token));
    let behind = &all[place + 1 + usize::from(answer.is_some())..];
    // The cells of a damaged puzzle may stand apart.
    let (above, _) = text.split_once(question).unwrap_or_default();
    let rest = before.iter().chain(behind).copied().chain([above]);
    Some(OneLine {
        question: Cow::Borrowed(question),
        answer: answer.map(Cow::Borrowed),
        rating: rating_in(behind, remark),
        problem: problem(task, rest, remark),
    })
}

/// What is wrong with a puzzle whose rows a mark parts, one of which has another number of cells.
pub(super) fn uneven_row(task: Sudoku, text: &str) -> Option<Problem> {
    let (cells, side) = (task.cells(), task.side());
    let is_row = |row: &String| row.chars().all(|c| is_cell(c, side));
    let cells_in = |token| if are_cells(token, side, side) { token } else { cell_in(token) };
    let mut marks = [';', '/', '|', '}', '"', ' '].into_iter().filter(|mark| text.contains(*mark));
    if is_drawn(text) {
        return None;
    }
    marks.find_map(|mark| {
        let rows = text.split(mark).map(|row| tokens(row).map(cells_in).collect());
        let rows: Vec<String> = rows.filter(|row: &String| !row.is_empty()).collect();
        let found: usize = rows.iter().map(String::len).sum();
        // A mark may be missing, or there twice.
        let are_rows = match rows.len() {
            count if count == side => 2 * found > cells,
            count if count.abs_diff(side) == 1 => found == cells,
            count => count == 2 * side && found == 2 * cells,
        };
        let is_other = |(_, row): &(usize, &String)| row.len() != side;
        let (row, other) = (1..).zip(&rows).find(is_other).filter(|_| are_rows && rows.iter().all(is_row))?;
        Some(Problem::UnevenRow { row, expected: side, found: other.len() })
    })
}

/// A puzzle whose cells or rows stand apart, or are parted by `/`, perhaps with its answer.
fn spread(task: Sudoku, text: &str) -> Option<OneLine<'_>> {
    let (cells, side) = (task.cells(), task.side());
    if let problem @ Some(_) = uneven_row(task, text) {
        return Some(OneLine { problem, ..OneLine::default() });
    }
    let parts = cells_apart(text).or_else(|| {
        let parts = tokens(text).flat_map(|token| token.split('/'));
        Some(parts.map(|part| if are_cells(part, side, side) { part } else { cell_in(part) }).collect())
    })?;
    let width = parts.first()?.len();
    let found = parts.len() * width;
    let even = parts.iter().all(|part| are_cells(part, width, side));
    if !even || !(width == 1 || width == side) || found != cells && found != 2 * cells {
        return None;
    }
    let joined = parts.concat();
    if is_drawn(&joined) {
        return None;
    }
    let (question, answer) = joined.split_at(cells);
    let answer = (!answer.is_empty()).then(|| Cow::Owned(answer.to_owned()));
    Some(OneLine { question: Cow::Owned(question.to_owned()), answer, ..OneLine::default() })
}

/// One cell a field, where empty fields are blanks and no blank is written; nothing where no field is empty.
fn cells_apart(text: &str) -> Option<Vec<&str>> {
    let by = [',', ';', '\t'].into_iter().find(|by| text.contains(*by))?;
    let fields: Vec<&str> =
        text.trim_matches([' ', '\r']).split(by).map(|field| field.trim_matches([' ', '"'])).collect();
    let is_written = |field: &&str| !field.is_empty() && cell_in(field).contains(is_blank);
    fields.contains(&"").then(|| match fields.iter().any(is_written) {
        true => Vec::new(),
        false => fields.iter().map(|field| if field.is_empty() { "." } else { cell_in(field) }).collect(),
    })
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
