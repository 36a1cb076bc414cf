//! Numbers in front of lines, as `cat -n` writes them, or in front of rows: `1: 53  7    `, `1. 53..7....`,
//! `1 | 5 3 . .`, `1,5,3,,`.
//!
//! They are taken away where they count without a gap, and where what stands behind them can be nothing but
//! rows: with its number, such a row has a cell or a field too many. Whatever else begins with numbers is
//! left as it is.

use std::borrow::Cow;

use super::cells::{are_cells, is_blank, is_cell, joined, sides, sizes, split};
use super::drawing::{is_rule, plain_line, without_word};
use super::puzzle_line::one_line;
use super::remarks::heading;
use crate::data::problem::Problem;
use crate::data::read::Fault;

/// Lines that are looked at to see whether any begins with a number.
const LINES_TO_TELL: usize = 100;

/// What `text` is without such numbers; and what is wrong where all lines have one and they do not count, or
/// where they may be cells.
pub(super) fn without_numbers(text: &str) -> (Cow<'_, str>, Option<Fault>) {
    let filled = || text.lines().filter(|line| !line.trim().is_empty());
    if !filled().take(LINES_TO_TELL).any(|line| number(line).is_some()) {
        return (text.into(), None);
    }
    if filled().all(|line| numbered_line(line).is_some()) {
        return without_numbers_of_lines(text);
    }
    if sizes().rev().any(|size| filled().take(LINES_TO_TELL).any(|line| one_line(size, line).is_some())) {
        return (text.into(), None);
    }
    let ways = || Mark::ALL.into_iter().flat_map(|mark| sides().rev().map(move |side| (mark, side)));
    if let Some(rows) = ways().find_map(|(mark, side)| Rows { mark, side }.without_numbers(text)) {
        return (rows.into(), None);
    }
    // A number looks like one cell more, and a point behind it like another: rows of four may be taken for
    // others.
    let marks = [Mark::Spaced('.'), Mark::Written('.'), Mark::Spaced('\t')];
    let unclear = marks.map(|mark| Rows { mark, side: 4 }.unclear(text));
    (text.into(), unclear.into_iter().flatten().next())
}

/// The number at the beginning of `line`, and what follows; a letter alone counts, too, and one may stand
/// before the number.
fn number(line: &str) -> Option<(u32, &str)> {
    let line = without_word(line.trim_start_matches(' '));
    let (letter, digits) = match line.bytes().next() {
        Some(letter) if letter.is_ascii_alphabetic() => (Some(letter.to_ascii_lowercase()), &line[1..]),
        _ => (None, line),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let (number, rest) = digits.split_at(end);
    match letter {
        Some(letter) if number.is_empty() => Some((u32::from(letter - b'a') + 1, rest)),
        _ => Some((number.parse().ok().filter(|_| number.len() < 7)?, rest)),
    }
}

/// The number of a line as `cat -n` and `nl` write it, in six columns before a tab, and the line.
fn numbered_line(line: &str) -> Option<(u32, &str)> {
    let (number, rest) = number(line)?;
    let line_of = rest.strip_prefix('\t').or(rest.is_empty().then_some(""))?;
    (line.len() - rest.len() >= 6
        && line.trim_start_matches(' ').starts_with(|c: char| c.is_ascii_digit())
        && line.starts_with(' '))
    .then_some((number, line_of))
}

fn without_numbers_of_lines(text: &str) -> (Cow<'_, str>, Option<Fault>) {
    let (mut above, mut bare, mut wrong) = (None, String::new(), None);
    for (place, line) in (1..).zip(text.lines()) {
        if let Some((number, rest)) = numbered_line(line) {
            if above.is_some_and(|above| number != above + 1 && (number != 1 || above < 4)) {
                wrong = wrong.or(Some(Fault::of_line(place, Problem::LineNumber)));
            }
            above = Some(number);
            bare.push_str(rest);
        }
        bare.push('\n');
    }
    (bare.into(), wrong)
}

/// What parts numbers from rows, and how these are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// The number is a field of its own. Blanks may be empty fields.
    Field(char),
    /// All cells are written.
    Written(char),
    /// Blanks are spaces.
    Spaced(char),
}

impl Mark {
    const ALL: [Mark; 11] = [
        Mark::Field(','),
        Mark::Field(';'),
        Mark::Field('\t'),
        Mark::Written('.'),
        Mark::Written('|'),
        Mark::Written('\t'),
        Mark::Written(' '),
        Mark::Spaced(':'),
        Mark::Spaced(')'),
        Mark::Spaced('.'),
        Mark::Spaced('\t'),
    ];

    /// What parts the number from the row.
    fn between(self) -> char {
        let (Mark::Field(between) | Mark::Written(between) | Mark::Spaced(between)) = self;
        between
    }

    /// The number of a row, and what follows the mark.
    fn number(self, line: &str) -> Option<(u32, &str)> {
        let (number, rest) = number(line)?;
        let rest = if self.between() == '|' { rest.trim_start_matches(' ') } else { rest };
        let body = rest.strip_prefix(self.between())?;
        let is_apart = self.between() != '.' || body.is_empty() || body.starts_with([' ', '\t']);
        let is_alone = self.between() != '|' || !body.contains('|');
        (is_apart && is_alone).then_some((number, body))
    }
}

/// Rows of grids of one side behind such numbers.
struct Rows {
    mark: Mark,
    side: usize,
}

impl Rows {
    /// `text` with its rows as cells without numbers; nothing where they are no such rows, or may be others.
    fn without_numbers(&self, text: &str) -> Option<String> {
        let plain = || text.lines().map(|line| plain_line(line.trim_end_matches('\r')));
        plain().take(LINES_TO_TELL).find(|line| self.row(line).is_some())?;
        let lines: Vec<String> = plain().collect();
        let numbered = || lines.iter().filter_map(|line| self.row(line));
        let numbers: Vec<u32> = numbered().map(|(number, _)| number).collect();
        if !self.count(&numbers) || !lines.iter().all(|line| self.row(line).is_some() || self.is_other(line))
        {
            return None;
        }
        let bodies: Vec<&str> = numbered().map(|(_, body)| body).collect();
        let cells = self.cells(&bodies)?;
        let mut blanks: Vec<char> = cells.concat().chars().filter(|c| is_blank(*c)).collect();
        blanks.sort_unstable();
        blanks.dedup();
        // An empty field is no blank where others are written.
        if blanks.len() > 1 && blanks.contains(&' ') {
            return None;
        }
        let mut cells = cells.iter();
        let row = |line: &str| match self.row(line) {
            Some(_) if blanks.len() == 1 => cells.next().map(|row| row.replace(blanks[0], ".")),
            Some(_) => cells.next().cloned(),
            None => Some(line.to_owned()),
        };
        lines.iter().map(String::as_str).map(row).map(|line| Some(line? + "\n")).collect()
    }

    /// Why most lines are no such rows for certain although they are numbered.
    fn unclear(&self, text: &str) -> Option<Fault> {
        let filled = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        let count = filled.clone().count();
        let rows: Vec<(u64, u32)> =
            filled.filter_map(|(place, line)| Some((place, self.row(line)?.0))).collect();
        let is_wrong = |pair: &&[(u64, u32)]| {
            let (above, number) = (pair[0].1, pair[1].1);
            number != above + 1 && !(number < 2 && above > 2)
        };
        let wrong = || rows.windows(2).filter(is_wrong);
        let (first, _) =
            *rows.first().filter(|_| 2 * rows.len() > count && 2 * wrong().count() < rows.len())?;
        let (line, problem) = match wrong().next() {
            Some(pair) => (pair[1].0, Problem::LineNumber),
            None if rows.len() < count || !rows.len().is_multiple_of(self.side) => {
                (first, Problem::Height { expected: self.side, found: rows.len() })
            }
            None => (first, Problem::RowNumbers),
        };
        Some(Fault::of_line(line, problem))
    }

    /// A numbered row: its number and what follows.
    fn row<'l>(&self, line: &'l str) -> Option<(u32, &'l str)> {
        let (side, (number, body)) = (self.side, self.mark.number(line)?);
        let is_row = match self.mark {
            Mark::Field(by) => joined(&split(body, by), side).is_some(),
            Mark::Written(_) => are_cells(&tight(body), side, side),
            Mark::Spaced(_) => {
                let is_digit = |c: char| matches!(c, '1'..='9') && is_cell(c, side);
                body.len() <= side + 1 && body.chars().all(|c| c == ' ' || is_digit(c))
            }
        };
        is_row.then_some((number, body))
    }

    /// Whether `line` is no row, and none that lost something: it has no number before the mark, or numbers
    /// the columns.
    fn is_other(&self, line: &str) -> bool {
        let has_fields = matches!(self.mark, Mark::Field(by) if line.contains(by));
        let cells = || line.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        is_rule(line) || !has_fields && (self.mark.number(line).is_none() || heading(&cells()).is_some())
    }

    /// Whether `numbers` are those of the rows of whole grids: without a gap, they go on from one to the
    /// next, or begin anew.
    fn count(&self, numbers: &[u32]) -> bool {
        let (first, side) = (numbers.first().copied().unwrap_or(2), self.side as u32);
        let goes_on = |pair: &[u32]| pair[1] == pair[0] + 1;
        let begins_anew = |grid: &[u32]| grid[0] == first && grid.windows(2).all(goes_on);
        first < 2
            && (numbers.len() as u32).is_multiple_of(side)
            && (numbers.windows(2).all(goes_on) || numbers.chunks(self.side).all(begins_anew))
    }

    /// The cells of rows, where a space is a blank that is not written.
    fn cells(&self, bodies: &[&str]) -> Option<Vec<String>> {
        let side = self.side;
        match self.mark {
            Mark::Field(by) => {
                let rows = bodies.iter().map(|body| joined(&split(body, by), side));
                let rows: Vec<String> = rows.collect::<Option<_>>()?;
                // Else the numbers may be the first column of cells, with a delimiter behind the last.
                rows.iter().any(|row| !row.ends_with(' ')).then_some(rows)
            }
            Mark::Written(_) => Some(bodies.iter().map(|body| tight(body)).collect()),
            Mark::Spaced(_) => self.spaced(bodies),
        }
    }

    /// The cells of rows whose blanks are spaces. Those at the end may be cut off, of all rows.
    fn spaced(&self, bodies: &[&str]) -> Option<Vec<String>> {
        let side = self.side;
        let longest = bodies.iter().map(|body| body.len()).max()?;
        let are_kept = bodies.iter().any(|body| body.ends_with(' '));
        let begin_with_space =
            bodies.iter().filter(|body| !body.is_empty()).all(|body| body.starts_with(' '));
        // A space behind the mark belongs to it.
        let start = match self.mark.between() {
            '.' => 1,
            '\t' => 0,
            // A first column that is empty, or a last one that was cut off.
            _ if begin_with_space && longest == side && !are_kept => return None,
            _ => usize::from(begin_with_space && longest > side),
        };
        let rows: Vec<&str> = bodies.iter().map(|body| body.get(start..).unwrap_or_default()).collect();
        let fits = |row: &&str| if are_kept { row.len() == side } else { row.len() <= side };
        // A number and a point look like a box of two cells.
        let are_boxes =
            self.mark.between() == '.' && side == 4 && rows.iter().all(|row| row.trim().len() == 2);
        (longest == side + start && rows.iter().all(fits) && !are_boxes)
            .then(|| rows.iter().map(|row| format!("{row:<side$}")).collect())
    }
}

/// The cells in `body`, all of which are written.
fn tight(body: &str) -> String {
    body.replace([' ', '|', '\t'], "")
}
