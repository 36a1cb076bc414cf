//! The cells of one grid: which characters are digits, and which are blanks.

use hrm_core::task::{
    Task, TextError,
    sudoku::{BLANK, FIRST_DIGIT, Sudoku, SudokuKind},
};

use super::array::Array;
use crate::data::problem::Problem;

/// Blanks beside `.` and `0`; a grid that has one of them has no other.
const OTHER_BLANKS: [char; 5] = ['_', '-', '*', '?', 'x'];

/// All sizes of grids, smallest first.
pub(super) fn sizes() -> impl DoubleEndedIterator<Item = Sudoku> {
    SudokuKind::ALL.into_iter().map(Sudoku::new)
}

/// The sides of all grids.
pub(super) fn sides() -> impl DoubleEndedIterator<Item = usize> {
    sizes().map(|size| size.side())
}

/// Whether `c` is no digit of a puzzle.
pub(super) fn is_blank(c: char) -> bool {
    !matches!(c, '1'..='9')
}

/// Whether a grid of side `side` may hold `c`.
pub(super) fn is_cell(c: char, side: usize) -> bool {
    match c.to_digit(10) {
        Some(digit) => digit as usize <= side,
        None => c == '.' || is_other_blank(c),
    }
}

fn is_other_blank(c: char) -> bool {
    OTHER_BLANKS.contains(&c.to_ascii_lowercase())
}

/// The cell in a field of a table: numbers among which some are missing are floats to pandas, and words say
/// that there is none.
pub(super) fn cell_in(field: &str) -> &str {
    match field {
        "nan" | "NaN" | "None" | "null" | "NULL" | "nil" | "Nothing" | "<NA>" | "NA" | "N/A" => ".",
        field => field.strip_suffix(".0").unwrap_or(field),
    }
}

/// What stands between the `by`s in `line`, without the quotation marks and spaces around it, or Markdown's
/// marks of code.
pub(super) fn split(line: &str, by: char) -> Vec<&str> {
    line.split(by).map(|field| field.trim_matches([' ', '"', '\'', '`', '\\'])).collect()
}

/// Whether `text` is a row of a grid of side `side`, where blanks need not be written.
pub(super) fn may_be_row(text: &str, side: usize) -> bool {
    text.chars().count() == side && text.chars().all(|c| c == ' ' || is_cell(c, side))
}

/// The row whose cells these are, if there are `side`: one a field.
pub(super) fn joined(fields: &[&str], side: usize) -> Option<String> {
    if fields.len() == side { fields.iter().map(|field| cell_of(field, side)).collect() } else { None }
}

/// The cell of a grid of side `side` that is all of `field`; a space where it is empty.
pub(super) fn cell_of(field: &str, side: usize) -> Option<char> {
    match (field, cell_in(field)) {
        ("", _) => Some(' '),
        (_, cell) => cell.chars().next().filter(|c| cell.len() == 1 && is_cell(*c, side)),
    }
}

/// Whether `text` is nothing but characters that a 9x9 grid may hold.
pub(super) fn all_cells(text: &str) -> bool {
    text.chars().all(|c| is_cell(c, 9))
}

/// Whether `text` is `count` characters that a grid of side `side` may hold.
pub(super) fn are_cells(text: &str, count: usize, side: usize) -> bool {
    text.len() == count && text.chars().all(|c| is_cell(c, side))
}

/// Whether `text` is drawn with blanks that also draw rules, and has no digit: a line under a title or
/// between puzzles rather than a puzzle without givens.
pub(super) fn is_drawn(text: &str) -> bool {
    text.contains(['-', '_', '*']) && text.chars().all(is_blank)
}

/// Reads the cells of a whole grid into `out`, which has as many elements as the grid has cells.
pub(in super::super) fn parse(task: Sudoku, text: &str, out: &mut [u8]) -> Result<(), Problem> {
    let error = match task.parse(text, out) {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    if let Some(Err(problem)) = Array::of(text).and_then(Array::only) {
        return Err(problem);
    }
    let length = text.chars().count();
    if length > super::lines::LONGEST_LINE {
        return Err(Problem::Long(length));
    }
    if length == task.cells() {
        return parse_with_other_blank(task, text, out).ok_or_else(|| strange(task, text, error));
    }
    if let Some(other) = size_of(text) {
        return Err(Problem::OtherSize { found: other.name(), wanted: task.name() });
    }
    if let Some(problem) = super::puzzle_line::uneven_row(task, text) {
        return Err(problem);
    }
    if is_rounded_number(text) {
        return Err(Problem::Number(text.to_owned()));
    }
    // Blanks of another kind are no strange characters: the length is what is wrong.
    if text.chars().all(|c| is_cell(c, task.side())) {
        let got = u16::try_from(length).unwrap_or(u16::MAX);
        return Err(Problem::Text(TextError::Length { expected: task.cells() as u16, got }));
    }
    Err(strange(task, text, error))
}

/// What is wrong with the characters of `text`, of which `error` is the first that [`Sudoku::parse`] does not
/// know.
fn strange(task: Sudoku, text: &str, error: TextError) -> Problem {
    let side = task.side();
    let mut digits = (1..).zip(text.chars()).filter_map(|(place, c)| Some((place, c.to_digit(10)?)));
    match digits.find(|(_, digit)| *digit as usize > side) {
        Some((character, digit)) if all_cells(text) => Problem::Digit { character, digit, side },
        _ => Problem::Text(error),
    }
}

/// Reads a grid all of whose blanks are one and the same of [`OTHER_BLANKS`].
fn parse_with_other_blank(task: Sudoku, text: &str, out: &mut [u8]) -> Option<()> {
    let blank = text.chars().find(|&c| is_other_blank(c))?.to_ascii_lowercase();
    for (c, cell) in text.chars().zip(out) {
        *cell = match c.to_digit(10) {
            Some(digit) if (1..=task.side() as u32).contains(&digit) => digit as u8 + FIRST_DIGIT - 1,
            None if c.to_ascii_lowercase() == blank => BLANK,
            _ => return None,
        };
    }
    Some(())
}

/// The size whose grids have exactly these cells.
pub(super) fn size_of(text: &str) -> Option<Sudoku> {
    sizes().find(|size| are_cells(text, size.cells(), size.side()) && !is_drawn(text))
}

/// The cells of `text` where blanks are spaces: as many characters as a grid of side `side` has cells, or a
/// row of one.
pub(super) fn with_spaces_as_blanks(text: &str, count: usize, side: usize) -> Option<String> {
    let digit = |c: char| c.to_digit(10).is_some_and(|digit| digit > 0 && digit as usize <= side);
    let fits = text.len() == count && text.contains(' ') && text.contains(digit);
    (fits && text.chars().all(|c| c == ' ' || digit(c))).then(|| text.replace(' ', "."))
}

/// `7.00008E+80`: what a spreadsheet shows for 81 digits.
fn is_rounded_number(text: &str) -> bool {
    let Some((number, power)) = text.split_once(['E', 'e']) else { return false };
    let power = power.trim_start_matches('+');
    !power.is_empty()
        && power.bytes().all(|byte| byte.is_ascii_digit())
        && number.starts_with(|c: char| c.is_ascii_digit())
        && number.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
}
