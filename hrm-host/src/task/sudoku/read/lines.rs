//! Text without a header: a puzzle a line, or grids drawn on several lines, or both.
//!
//! On a line of its own a puzzle may have an id before it, and its answer, ratings and a comment behind it.

use std::borrow::Cow;

use hrm_core::task::{
    Task, TextError,
    sudoku::{Sudoku, SudokuKind},
};

use super::block::{Certainty, Drawn};
use super::cells::{are_cells, is_cell, is_drawn, parse, size_of, with_spaces_as_blanks};
use super::drawing::{Line, cells_in, line_of};
use super::stretch::Stretch;
use crate::data::problem::Problem;
use crate::data::rating::Rating;
use crate::data::read::{Fault, Item, Row};

/// Bytes of the longest line that is looked at for a puzzle.
pub(super) const LONGEST_LINE: usize = 4096;
/// Lines that are looked at for the first puzzle.
const LINES_TO_FIRST: usize = 1000;

/// The size of the first puzzle in `text`.
pub(super) fn task(text: &str) -> Option<Sudoku> {
    let end = text.match_indices('\n').nth(LINES_TO_FIRST);
    let beginning = &text[..end.map_or(text.len(), |(end, _)| end)];
    // Whether it is a puzzle, or rows of that size of which only the grids are not clear; and the line.
    let first = |task: Sudoku| {
        let mut found: Option<(bool, u64)> = None;
        visit(beginning, task, &mut |item| {
            let place = match item {
                Item::Row(row) => (false, row.line),
                Item::Fault(Fault { line, problem: Problem::EmptyRow, .. }) => (false, *line),
                Item::Fault(Fault {
                    line,
                    problem: Problem::Height { .. } | Problem::Numbered { .. },
                    ..
                }) => (true, *line),
                Item::Fault(_) | Item::Passed { .. } => return,
            };
            found = Some(found.map_or(place, |found| found.min(place)));
        });
        found.map(|place| (place, task))
    };
    // The largest first: what is a row of nine is no grid of 4x4.
    let sizes = SudokuKind::ALL.into_iter().rev().map(Sudoku::new);
    let found = sizes.filter_map(first).min_by_key(|(place, _)| *place);
    found.map(|(_, task)| task).or_else(|| nearest(beginning))
}

/// The size nearest to the first line that might be a puzzle.
fn nearest(text: &str) -> Option<Sudoku> {
    let near = |line: &str| {
        let length = longest(line)?.chars().count();
        let sizes = SudokuKind::ALL.map(Sudoku::new);
        sizes.into_iter().find(|size| size.cells().abs_diff(length) <= size.side() / 2)
    };
    text.lines().find_map(near)
}

/// Tells `visit` of every puzzle of `task` in `text`, and of every line that is none.
pub(super) fn visit(text: &str, task: Sudoku, visit: &mut dyn FnMut(Item<'_>)) {
    let (stretch, empty) = (Stretch::new(task), Invisible::of(task, text));
    let mut reader = Reader {
        task,
        stretch,
        empty,
        foreign_section: false,
        listed: false,
        titled: false,
        heading: None,
        drawn: false,
        visit,
    };
    let mut lines = (1..).zip(text.split('\n')).peekable();
    while let Some((number, line)) = lines.next() {
        reader.line(number, line, lines.peek().map(|(_, next)| *next));
    }
    reader.end_grid();
}

/// The only grid in `text`, which may stand on several lines.
pub(super) fn only_grid(text: &str) -> Option<String> {
    SudokuKind::ALL.into_iter().rev().map(Sudoku::new).find_map(|task| {
        let mut found = Vec::new();
        visit(text, task, &mut |item| match item {
            Item::Row(row) => found.push(Some(row.question.to_owned())),
            Item::Fault(_) => found.push(None),
            Item::Passed { .. } => {}
        });
        if found.len() == 1 { found.pop().flatten() } else { None }
    })
}

struct Reader<'v> {
    task: Sudoku,
    /// The rows so far of the grids that are being read.
    stretch: Stretch,
    /// Whether a line of nothing but tabs, or spaces, may be a row.
    empty: Invisible,
    /// Whether the lines belong to a section that holds no puzzle.
    foreign_section: bool,
    /// Whether a puzzle on one line has been read.
    listed: bool,
    /// Whether a line was passed over before any such puzzle, as a title or a number is that stands above each.
    titled: bool,
    /// What the line right above the first row of all begins with.
    heading: Option<String>,
    /// Whether a row of a drawn grid has been read.
    drawn: bool,
    visit: &'v mut dyn FnMut(Item<'_>),
}

impl Reader<'_> {
    fn line(&mut self, number: u64, line: &str, next: Option<&str>) {
        let line = line.trim_end_matches(['\r', '\x0c', '\x1a']);
        let text = line.trim();
        let whole = line.len() == self.task.side();
        if text.is_empty() {
            if self.empty.may_be_row(self.task, line) {
                let row = Ok(".".repeat(self.task.side()));
                self.add(Drawn { line: number, row, kind: Certainty::Empty });
            } else if self.stretch.ends_at_gap() {
                self.end_grid();
                self.stretch.set_broken(false);
            }
            return;
        }
        if text.len() > LONGEST_LINE {
            return self.long_line(number, text);
        }
        if is_comment(self.task, text) {
            return self.interrupt(text);
        }
        let section = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Some(section) = section.filter(|section| section.starts_with(|c: char| c.is_alphabetic())) {
            self.end_grid();
            self.stretch.set_broken(false);
            self.foreign_section = !section.trim().eq_ignore_ascii_case("puzzle");
            return;
        }
        if self.foreign_section {
            return;
        }
        if let Some(row) = spaced(self.task, line, number).or_else(|| one_line(self.task, text, number)) {
            self.interrupt(text);
            self.listed = true;
            if row.has_more() {
                let problem = Problem::MorePuzzles;
                return (self.visit)(Item::Fault(&Fault { line: number, column: None, problem }));
            }
            return (self.visit)(Item::Row(row.as_row()));
        }
        let (row, kind) = match line_of(self.task, without_comment(line)) {
            Line::Row(row) => (row, Certainty::Row),
            Line::Empty(row) => (row, Certainty::Empty),
            Line::RowOrRule(row) => (row, Certainty::PerhapsRule),
            Line::Spaced(_) if self.stretch.is_between() && !whole && is_number_or_size(self.task, text) => {
                return self.no_puzzle(number, text);
            }
            Line::Spaced(row) => (row, Certainty::Spaced { whole }),
            Line::Rule => {
                let of_table = line.split('|').filter(|part| part.contains('-')).count() == self.task.side();
                return self.stretch.add_rule(of_table);
            }
            Line::Other => return self.other(number, text, next),
        };
        self.add(Drawn { line: number, row: Ok(row), kind });
    }

    /// A line that is longer than any with a puzzle.
    fn long_line(&mut self, line: u64, text: &str) {
        let start: String = text.chars().take(LONGEST_LINE).collect();
        if is_title(self.task, &start) {
            self.interrupt(&start);
            return (self.visit)(Item::Passed { line, text: &start });
        }
        self.fault(line, Problem::Long(text.chars().count()));
    }

    /// A line that is neither a puzzle nor part of one.
    fn other(&mut self, line: u64, text: &str, next: Option<&str>) {
        let (side, found) = (self.task.side(), cells_in(self.task, text));
        let of_grid = text.chars().filter(|&c| is_cell(c, side) || c == ' ' || c == '|').count();
        let begins = || {
            let next = next.map_or(Line::Other, |next| line_of(self.task, next));
            is_nearly_row(self.task, text) && matches!(next, Line::Row(_))
        };
        let of_row = 2 * of_grid > text.chars().count() && found < 2 * side;
        if of_row && self.stretch.has_begun() || self.stretch.is_between() && begins() {
            // It counts as a row, so that the next grid begins where it does.
            let problem = Problem::Cells { expected: side, found };
            return self.add(Drawn { line, row: Err(problem), kind: Certainty::Row });
        }
        if numbers_columns(text) {
            return self.interrupt(text);
        }
        if is_title(self.task, text) {
            return self.no_puzzle(line, text);
        }
        self.fault(line, diagnosis(self.task, text));
    }

    /// A line that says something about puzzles, or what is left of one in a list without titles: cells alone, or as many letters
    /// as a puzzle has cells.
    fn no_puzzle(&mut self, line: u64, text: &str) {
        let is_rest = text.chars().all(|c| c.is_ascii_digit() || is_cell(c, self.task.side()))
            || text.chars().count() == self.task.cells() && !text.contains(char::is_whitespace);
        if self.listed && !self.titled && is_rest {
            return self.fault(line, diagnosis(self.task, text));
        }
        self.interrupt(text);
        self.titled |= !self.listed;
        (self.visit)(Item::Passed { line, text });
    }

    fn add(&mut self, drawn: Drawn) {
        self.drawn = true;
        self.stretch.add(drawn);
    }

    /// A line that cannot be read: whatever it was meant to be, rows right below it may belong to it.
    fn fault(&mut self, line: u64, problem: Problem) {
        self.end_grid();
        self.stretch.set_broken(true);
        (self.visit)(Item::Fault(&Fault { line, column: None, problem }));
    }

    /// A line that is no row. In the middle of a grid it leaves open which rows belong together below it, unless one that begins
    /// as it does stood above the first grid.
    fn interrupt(&mut self, text: &str) {
        let word = first_word(text);
        let is_heading = self.heading.as_ref() == Some(&word);
        let whole = self.end_grid();
        self.stretch.set_broken(!whole && !is_heading);
        if !self.drawn {
            self.heading = Some(word);
        }
    }

    /// Tells of the grids in the rows so far; whether all is well with them.
    fn end_grid(&mut self) -> bool {
        let (grids, whole) = self.stretch.end();
        for found in grids {
            match &found {
                Ok((line, question)) => {
                    let (line, rating) = (*line, Ok(None));
                    (self.visit)(Item::Row(Row { line, question, answer: None, rating, source: "" }));
                }
                Err(fault) => (self.visit)(Item::Fault(fault)),
            }
        }
        whole
    }
}

/// The first word of a line, in small letters; nothing where a number or a mark comes first.
fn first_word(text: &str) -> String {
    let text = text.trim_start_matches(|c: char| !c.is_alphanumeric());
    text.chars().take_while(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect()
}

/// Whether `text` is a row but for a character or two, and no number.
fn is_nearly_row(task: Sudoku, text: &str) -> bool {
    let side = task.side();
    let tight = || text.chars().filter(|c| !c.is_whitespace() && !",;|&".contains(*c));
    let strange = tight().filter(|&c| !is_cell(c, side)).count();
    tight().count() == side && strange <= side / 4 && !is_number(text)
}

/// Which lines that look blank may be rows in a text, because other rows look so but for their digits.
#[derive(Clone, Copy)]
struct Invisible {
    tabs: bool,
    spaces: bool,
}

impl Invisible {
    fn of(task: Sudoku, text: &str) -> Self {
        let side = task.side();
        let rows = || text.split('\n').map(|line| line.trim_end_matches('\r'));
        let tabbed = |line: &str| is_tabbed(task, line) && line.contains(|c: char| c.is_ascii_digit());
        let spaced = |line: &str| with_spaces_as_blanks(line, side, side).is_some();
        Invisible { tabs: text.contains('\t') && rows().any(tabbed), spaces: rows().any(spaced) }
    }

    /// Whether `line`, which looks blank, may be a row.
    fn may_be_row(self, task: Sudoku, line: &str) -> bool {
        self.tabs && is_tabbed(task, line)
            || self.spaces && line.len() == task.side() && !line.contains(|c| c != ' ')
    }
}

/// Whether `line` has as many tabs as stand between the cells of a row.
fn is_tabbed(task: Sudoku, line: &str) -> bool {
    line.len() < 10 * task.side() && line.matches('\t').count() + 1 == task.side()
}

/// A row of a drawn grid without the comment behind it.
fn without_comment(line: &str) -> &str {
    let end = line.find(['#', '%']).or_else(|| line.find("//"));
    end.map_or(line, |end| line[..end].trim_end())
}

/// A puzzle on one line.
struct OneLine<'t> {
    line: u64,
    question: Cow<'t, str>,
    answer: Option<Cow<'t, str>>,
    rating: Option<Rating>,
    /// Whether further grids follow.
    more: bool,
}

impl OneLine<'_> {
    /// Whether there is another puzzle: what stands in the place of the answer has blanks, or more follows.
    fn has_more(&self) -> bool {
        let has_blanks = |answer: &str| answer.chars().any(|c| !matches!(c, '1'..='9'));
        self.more || self.answer.as_deref().is_some_and(has_blanks)
    }

    fn as_row(&self) -> Row<'_> {
        let answer = self.answer.as_deref();
        Row { line: self.line, question: &self.question, answer, rating: Ok(self.rating), source: "" }
    }
}

fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let between = [',', ';', ':', '|', '!', '"', '\'', '`', '[', ']', '(', ')', '{', '}'];
    text.split(move |c: char| c.is_whitespace() || between.contains(&c)).filter(|token| !token.is_empty())
}

/// Whether a line of a list says nothing of a puzzle.
fn is_comment(task: Sudoku, text: &str) -> bool {
    // A row of a spreadsheet may begin with an empty field.
    let marked = text.starts_with(';') && !matches!(line_of(task, text), Line::Row(_) | Line::Empty(_));
    // Excel reads the delimiter there.
    let names_delimiter = || text.len() <= 6 && text.to_ascii_lowercase().starts_with("sep=");
    text.starts_with(['#', '%']) || text.starts_with("//") || marked || names_delimiter()
}

/// `17`, `17.` or `17:`, as it stands above a grid.
fn is_number(text: &str) -> bool {
    let number = text.trim_end_matches(['.', ':', ')']);
    number.len() <= 6 && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number, or the size of a grid or a box as programs write it above a grid: `9 9`, `2 3`, `4x4`.
fn is_number_or_size(task: Sudoku, text: &str) -> bool {
    let parts = text.split([' ', 'x']).filter(|part| !part.is_empty());
    let numbers: Option<Vec<usize>> = parts.map(|part| part.parse().ok()).collect();
    let (side, boxes) = (task.side(), [task.kind().box_rows(), task.kind().box_columns()]);
    is_number(text)
        || matches!(numbers.as_deref(), Some(&[rows, columns])
            if [rows, columns] == [side; 2] || rows * columns == side && boxes.contains(&rows))
}

/// Whether a line names the columns of grids or of cells: `C1,C2,...`, `c0,...,c80`, `r1c1,...`, `,0,1,2,3`.
pub(super) fn numbers_columns(text: &str) -> bool {
    let numbered = |name: &str| {
        name.len() <= 8
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.ends_with(|c: char| c.is_ascii_digit())
    };
    let counts = |names: &[&str], start: usize| {
        names.iter().enumerate().all(|(place, name)| *name == (place + start).to_string())
    };
    let names: Vec<&str> = text
        .split([',', ';', '\t'])
        .map(|name| name.trim().trim_matches('"'))
        .skip_while(|name| {
            !numbered(name) && (name.is_empty() || name.starts_with(|c: char| c.is_alphabetic()))
        })
        .collect();
    // Numbers alone are a row, unless another column stands before them, or they have more than a digit.
    let behind = text.split([',', ';', '\t']).count() > names.len() || names.len() > 9;
    names.len() >= 4
        && (names.iter().all(|name| numbered(name)) || behind && (counts(&names, 0) || counts(&names, 1)))
}

/// The puzzle in a line whose blanks are spaces; its answer may follow in a field of its own.
fn spaced<'t>(task: Sudoku, line: &'t str, number: u64) -> Option<OneLine<'t>> {
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
fn one_line<'t>(task: Sudoku, text: &'t str, line: u64) -> Option<OneLine<'t>> {
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

/// A puzzle whose cells or rows stand apart, perhaps with its answer.
fn spread<'t>(task: Sudoku, text: &'t str, line: u64) -> Option<OneLine<'t>> {
    let (cells, side) = (task.cells(), task.side());
    let parts: Vec<&str> = tokens(text).collect();
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

/// `Grid 01`, `17.`, `A B C` or `};`: begins with a word, is a number, or has letters or punctuation alone, and has no more
/// than a few characters that a grid may have.
fn is_title(task: Sudoku, text: &str) -> bool {
    if is_number_or_size(task, text) || text.chars().all(|c| c.is_ascii_uppercase() || " |,;\t".contains(c)) {
        return true;
    }
    let text = text.trim_start_matches(['\\', '`']);
    let word = text.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    let digits = text.chars().filter(|c| c.is_ascii_digit() || *c == '.').count();
    if !text.contains(|c: char| c.is_alphanumeric() || c == '.') {
        return true; // a fence, a closing bracket
    }
    let letters = word.chars().count();
    (letters > 2 || letters == 2 && text.contains(' '))
        && digits < task.side()
        && longest(text).is_none_or(|token| token.len() <= 40)
}

/// The longest part of a line without its comment.
fn longest(text: &str) -> Option<&str> {
    let text = text.split(['#', '%']).next().unwrap_or_default();
    tokens(text).max_by_key(|token| token.chars().count())
}

/// Why a line is no puzzle.
fn diagnosis(task: Sudoku, text: &str) -> Problem {
    let mut out = vec![0; task.cells()];
    let all: String = tokens(text).collect();
    let wanted = |text: &str| {
        let cells = text.chars().filter(|&c| is_cell(c, 9)).count();
        2 * cells > text.chars().count()
    };
    let Some(longest) = longest(text).filter(|text| wanted(text)) else {
        return Problem::NoPuzzle(text.chars().take(60).collect());
    };
    if let Some(other) = size_of(longest) {
        return Problem::OtherSize { found: other.name(), wanted: task.name() };
    }
    let short = text.len() < task.cells() && 2 * text.len() > task.cells();
    if short && text.contains(' ') && text.chars().all(|c| c == ' ' || c.is_ascii_digit()) {
        return Problem::Spaces { expected: task.cells() };
    }
    if longest.len() == 1 && all.chars().all(|c| is_cell(c, task.side())) {
        let got = u16::try_from(all.len()).unwrap_or(u16::MAX);
        return Problem::Text(TextError::Length { expected: task.cells() as u16, got });
    }
    match parse(task, longest, &mut out) {
        Err(problem) => problem,
        // A whole grid would have been found.
        Ok(()) => Problem::NoPuzzle(text.chars().take(60).collect()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const Q: &str = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79";
    const A: &str = "534678912672195348198342567859761423426853791713924856961537284287419635345286179";

    fn nine() -> Sudoku {
        Sudoku::new(SudokuKind::Nine)
    }

    fn rows_of_nine() -> impl Iterator<Item = &'static str> {
        (0..9).map(|row| &Q[9 * row..][..9])
    }

    /// What is told of `text`: rows and faults as `line question answer rating` and `line problem`, then lines passed over.
    fn told(text: &str) -> (Vec<String>, usize) {
        let (mut told, mut passed) = (Vec::new(), 0);
        visit(text, nine(), &mut |item| match item {
            Item::Row(row) => {
                let rating = row.rating.ok().flatten().map_or("-".to_owned(), |rating| rating.to_string());
                told.push(format!("{} {} {} {rating}", row.line, row.question, row.answer.unwrap_or("-")));
            }
            Item::Fault(fault) => told.push(format!("{} {}", fault.line, fault.problem)),
            Item::Passed { .. } => passed += 1,
        });
        (told, passed)
    }

    #[test]
    fn what_is_left_of_a_puzzle_in_a_list_is_told_and_a_title_is_not() {
        for rest in ["7", "7..", "123", "7...."] {
            for text in [format!("{Q}\n{rest}\n{Q}\n"), format!("{Q}\n{Q}\n{rest}")] {
                let (rows, passed) = told(&text);
                assert_eq!((rows.len(), passed), (3, 0), "{text}: {rows:?}");
            }
            let (rows, passed) = told(&format!("12\n{Q}\n13\n{Q}\n"));
            assert_eq!((rows.len(), passed), (2, 2), "{rows:?}");
        }
        assert_eq!(told(&format!("{Q}\nhard ones\n{Q}\n")).0.len(), 2);
    }

    #[test]
    fn a_line_may_say_more_than_its_puzzle() {
        for (line, answer, rating) in [
            (Q.to_owned(), "-", "-"),
            (format!("  {Q}  \r"), "-", "-"),
            (format!("{Q},{A}"), A, "-"),
            (format!("\"{Q}\";\"{A}\""), A, "-"),
            (format!("17,{Q},{A},25,2.1"), A, "-"),
            (format!("{Q},{A},2.1"), A, "2.1"),
            (format!("0000183b305c {Q}  1.5"), "-", "1.5"),
            (format!("{Q} # ER=11.2 of 2011"), "-", "11.2"),
            (format!("{Q} # 3 of a list"), "-", "-"),
            (format!("{Q};ED=11.9/1.2/1.2;x;1"), "-", "11.9"),
            (format!("{Q}\t{A}\t7"), A, "7"),
            (format!(":0000:x:{Q}:::"), "-", "-"),
        ] {
            assert_eq!(told(&line), (vec![format!("1 {Q} {answer} {rating}")], 0), "{line}");
        }
        let spread: Vec<String> = Q.chars().map(String::from).collect();
        for line in [spread.join(" "), spread.join(","), rows_of_nine().collect::<Vec<_>>().join(" ")] {
            assert_eq!(told(&line), (vec![format!("1 {Q} - -")], 0), "{line}");
        }
    }

    #[test]
    fn grids_on_several_lines_follow_each_other() {
        let plain = rows_of_nine().collect::<Vec<_>>().join("\n");
        let dashes = plain.replace('.', "-");
        let barred: Vec<String> =
            rows_of_nine().map(|row| format!("|{}|{}|{}|", &row[..3], &row[3..6], &row[6..])).collect();
        let rule = "*-----------*\n";
        let boxed =
            |rule: &str| barred.chunks(3).map(|band| band.join("\n") + "\n" + rule).collect::<String>();
        let both =
            |first: usize, second: usize| vec![format!("{first} {Q} - -"), format!("{second} {Q} - -")];
        for (text, expected, passed) in [
            (format!("{plain}\n{plain}"), both(1, 10), 0),
            (format!("Grid 01\n{plain}\nGrid 02\n{plain}\n"), both(2, 12), 2),
            (format!("#Aauthor\n{plain}\n\n\n{plain}\n"), both(2, 13), 0),
            (format!("[Puzzle]\n{plain}\n[State]\n{plain}\n[puzzle]\n{plain}"), both(2, 22), 0),
            (format!("{rule}{}{rule}{}", boxed(rule), boxed("|---+---+---|\n")), both(2, 15), 0),
            (format!("{}\n{Q}", boxed("---|---|---\n")), both(1, 14), 0),
            (format!("{}\n{plain}", boxed("\n")), both(1, 14), 0),
        ] {
            assert_eq!(told(&text), (expected, passed), "{text}");
        }
        assert_eq!(told(&dashes).0, [format!("1 {} - -", Q.replace('.', "-"))]);
    }

    #[test]
    fn a_bad_line_is_told_and_the_next_puzzle_is_read() {
        let plain = rows_of_nine().collect::<Vec<_>>().join("\n");
        let good = |line: usize| format!("{line} {Q} - -");
        let (told_of, _) = told(&format!("{}\n{Q}", &Q[1..]));
        assert!(told_of[0].starts_with("1 81 characters expected and 80 found"), "{told_of:?}");
        assert_eq!(told_of[1], good(2));
        let (told_of, _) = told(&format!("{}\n\n{plain}", plain.replacen("53..7....", "53..7...", 1)));
        assert!(
            told_of[0].starts_with("1 81 characters") || told_of[0].starts_with("1 8 cells"),
            "{told_of:?}"
        );
        let (told_of, _) = told(&format!("{}\n{plain}", plain.replacen("6..195...", "6..195..", 1)));
        assert_eq!(told_of, ["2 8 cells where a row of the grid has 9".to_owned(), good(10)]);
        let (told_of, _) = told(&format!("{}\n\n{plain}", plain.rsplit_once('\n').expect("rows").0));
        assert_eq!(told_of, ["1 the grid that begins here has 8 rows and not 9".to_owned(), good(10)]);
        let (told_of, _) = told(&format!("=> see below\n{Q}"));
        assert!(told_of[0].starts_with("1 there is no puzzle in") && told_of[1] == good(2), "{told_of:?}");
        let (told_of, _) = told(&format!("1.....2..3.....4\n{}\n7.00008E+80", Q.replace('3', "a")));
        assert!(told_of[0].starts_with("1 sudoku4 where sudoku9"), "{told_of:?}");
        assert!(told_of[1].starts_with("2 character 2 is 'a'"), "{told_of:?}");
        assert!(told_of[2].contains("a spreadsheet took for a number"), "{told_of:?}");
    }

    #[test]
    fn the_first_puzzle_decides_the_size() {
        let size = |text: &str| task(text).map(|task| task.name());
        assert_eq!(size(&format!("# 1.....2..3.....4\nGrid 01\n{Q}\n1.....2..3.....4")), Some("sudoku9"));
        assert_eq!(size(&format!("1.....2..3.....4\n{Q}")), Some("sudoku4"));
        assert_eq!(size("1...\n..2.\n.3..\n...4\n"), Some("sudoku4"));
        assert_eq!(size("....2.\n5...3.\n3..5..\n...4..\n..26..\n2...1.\n"), Some("sudoku6"));
        assert_eq!(size(&Q[1..]), Some("sudoku9"));
        assert_eq!(size("hello"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "[0-9.x_*|+ ,;#\\[\\]a-e\n-]{0,400}", any in "(?s).{0,200}") {
            for text in [&text, &any] {
                let _ = task(text);
                for kind in SudokuKind::ALL {
                    visit(text, Sudoku::new(kind), &mut |_| {});
                }
            }
        }

        /// Blank lines, comments and another end of line change nothing.
        #[test]
        fn a_list_is_read_however_its_lines_end(ends in prop::collection::vec("(\r)?\n(#[a-z ]{0,5}(\r)?\n|[ \t]{0,3}\n){0,3}", 1..6)) {
            let text: String = ends.iter().map(|end| format!("{Q}{end}")).collect();
            let (told, passed) = told(&text);
            prop_assert_eq!((told.len(), passed), (ends.len(), 0));
            prop_assert!(told.iter().all(|row| row.contains(Q)));
        }
    }
}
