//! How the rows of a text are written: what parts their cells, and how blanks look. It is decided once, from
//! all of them.

use hrm_core::task::sudoku::Sudoku;

use super::bars::{self, Bars, cells_between, is_bar};
use super::cells::{cell_of, is_blank, is_cell, joined, split, with_spaces_as_blanks};
use super::columns::Columns;
use super::drawing::{self, Label, Line, is_rule, lines, plain_line};
use super::remarks::{heading, is_number_or_size, wrong_row};
use super::row_numbers::RowNumbers;
use crate::data::problem::Problem;

/// Characters of a row, for each of its cells, at most.
const WIDEST_CELL: usize = 16;
const DELIMITERS: [char; 4] = [',', ';', '\t', '&'];

/// How the rows of a text are written. It is decided once, from all of them: a row that is written otherwise
/// has lost something.
pub(super) struct Writing {
    task: Sudoku,
    /// What parts all cells of some row. A row that holds it has a field for each cell.
    delimiters: Vec<char>,
    bars: Bars,
    /// Where bars stand, if they part neither cells nor boxes.
    bar_places: Option<Vec<usize>>,
    row_numbers: RowNumbers,
    /// The widths of fields, where all rows have the same.
    columns: Option<Columns>,
    /// Whether a row writes its blanks with a character, so that an empty field is no blank.
    blanks_are_written: bool,
    /// Whether a row leaves blanks unwritten.
    blanks_are_left: bool,
    /// Whether blanks are spaces in rows without delimiters.
    blanks_are_spaces: bool,
    /// Whether spaces stand at the end of a row, so that no editor has cut them off.
    spaces_are_kept: bool,
    /// Whether blanks are spaces and none stands at the end of a row, as where an editor has cut them off: a
    /// short line of digits is a row, and an empty line may be one.
    pub(super) spaces_are_cut: bool,
    /// Whether titles stand in the first of as many fields as a row has.
    pub(super) titles_have_fields: bool,
}

impl Writing {
    /// How the grids of `task` in `text` are written.
    pub(super) fn of(task: Sudoku, text: &str) -> Self {
        let side = task.side();
        let has_digit = |text: &str| !text.chars().all(is_blank);
        let is_short = |line: &&str| (side..side * WIDEST_CELL).contains(&line.len()) && has_digit(line);
        let short = || lines(text).map(|line| line.trim_end_matches('\r')).filter(is_short);
        let (delimiters, no) = (Vec::new(), false);
        let row_numbers = RowNumbers::of(task, lines(text).map(|line| line.trim_end_matches('\r')));
        let without_number = |line| match row_numbers.label(&plain_line(line)) {
            Some((_, rest)) => rest.to_owned(),
            None => line.to_owned(),
        };
        let mut writing = Writing {
            task,
            delimiters,
            bars: Bars::of(task, short().map(without_number)),
            bar_places: bars::places(task, lines(text).filter(|line| line.contains(is_bar))),
            row_numbers,
            columns: None,
            blanks_are_written: no,
            blanks_are_left: no,
            blanks_are_spaces: no,
            spaces_are_kept: no,
            spaces_are_cut: no,
            titles_have_fields: no,
        };
        let parts = |by: &char| {
            let may_part = |line: &&str| line.matches(*by).count() + 1 >= side;
            short().filter(may_part).any(|line| writing.is_parted(&plain_line(line), *by))
        };
        writing.delimiters = DELIMITERS.into_iter().filter(parts).collect();
        let (mut written, mut left, mut spaces, mut kept) = (no, no, no, no);
        // Numbers above grids are no rows of cells that delimiters part.
        let is_usual = |line: &&str| match writing.delimiters.is_empty() {
            true => !writing.bars.part_cells() || line.contains(is_bar),
            false => line.contains(&writing.delimiters[..]),
        };
        for line in short().filter(is_usual) {
            let (Line::Row(row) | Line::Spaced(row)) = writing.line(line) else { continue };
            written |= heading(&row).is_none() && row.contains(|c| c != ' ' && is_blank(c));
            left |= row.contains(' ');
            spaces |= line.len() == side && row.contains(' ');
            kept |= line.ends_with(' ') && row.ends_with(' ');
        }
        (writing.blanks_are_written, writing.blanks_are_left) = (written, left && !written);
        (writing.blanks_are_spaces, writing.spaces_are_kept) = (spaces, kept);
        let are_bare = writing.delimiters.is_empty() && !text.contains(is_bar);
        writing.spaces_are_cut = !kept && are_bare && lines(text).any(|line| writing.has_spaces(line));
        writing.titles_have_fields = writing.delimiters.iter().any(|by| {
            let is_title =
                |line: &str| line.matches(*by).count() + 1 >= side && is_title_of(&split(line, *by));
            lines(text).any(is_title)
        });
        writing.columns = writing.columns_of(text);
        writing
    }

    /// The columns of a text in which rows leave blanks unwritten.
    fn columns_of(&self, text: &str) -> Option<Columns> {
        let by = self.delimiters.first().copied().unwrap_or('|');
        let row = |line: &str| {
            let line = plain_line(line.trim_end_matches('\r'));
            let (_, rest, _) = self.parts(&line)?;
            (rest.contains(by) && !is_rule(rest)).then(|| rest.to_owned())
        };
        let rows: Vec<String> = lines(text).filter(|_| self.blanks_are_left).filter_map(row).collect();
        Columns::of(by, by == '|' && self.bars.are_closed(), &rows, self.bars.part_cells() || by != '|')
    }

    /// Whether `by` parts all cells of some row.
    pub(super) fn has_delimiter(&self, by: char) -> bool {
        self.delimiters.contains(&by)
    }

    /// Whether `line` is a row whose cells `by` parts.
    fn is_parted(&self, line: &str, by: char) -> bool {
        let side = self.task.side();
        let of = |line: &str| joined(&split(line, by), side);
        let row = of(line).or_else(|| of(self.labelled(line)?.1));
        row.is_some_and(|row| row.contains(|c| c != ' '))
    }

    /// What `line` is.
    pub(super) fn line(&self, line: &str) -> Line {
        let line = plain_line(line);
        let (rule, unwritten) = (is_rule(&line), |row: &str| row.chars().all(|c| c == ' '));
        if self.row_numbers == RowNumbers::Unclear && self.row_numbers.label(&line).is_some() {
            return Line::Wrong(Problem::RowNumbers);
        }
        match self.parts(&line) {
            Some((None, _, row)) if rule || unwritten(&row) => return Line::Open(row),
            Some((_, rest, row)) => return self.checked(row, rest),
            None if rule => return Line::Rule,
            None => {}
        }
        let side = self.task.side();
        if let Some(found) = self.uneven(&line).or_else(|| self.uneven(self.labelled(&line)?.1)) {
            return match line.contains(|c: char| c.is_ascii_digit()) {
                true => Line::Wrong(wrong_row(side, found, &line)),
                false => Line::Uneven(found),
            };
        }
        let whole = format!("{line:<side$}");
        let is_cut = self.spaces_are_kept && line.len() < side;
        match with_spaces_as_blanks(&whole, side, side) {
            // Numbers stand at the beginning of a line.
            Some(_) if is_cut && !self.blanks_are_written && whole.starts_with(' ') => {
                Line::Wrong(Problem::Spaces { expected: side })
            }
            Some(_) if !self.blanks_are_written && !is_cut => Line::Spaced(whole),
            _ => Line::Other,
        }
    }

    /// What `line` is, which looks blank: a row may be so, where others look so but for their digits.
    pub(super) fn blank(&self, line: &str) -> Line {
        let (side, fields) = (self.task.side(), line.matches('\t').count() + 1);
        let has_tabs = self.delimiters.contains(&'\t');
        let is_spaced = self.blanks_are_spaces && line.len() == side && !line.contains(|c| c != ' ');
        match () {
            () if has_tabs && fields == side && line.len() < 10 * side || is_spaced => {
                Line::Open(" ".repeat(side))
            }
            () if has_tabs && fields > 1 => Line::Uneven(fields),
            () => Line::Other,
        }
    }

    /// The label of a row, and how it is drawn: `c` for each cell, and what stands between them.
    pub(super) fn shape(&self, line: &str) -> (Option<Label>, String) {
        let line = plain_line(line);
        let is_cell = |c: char| is_cell(c, self.task.side());
        let shape = |line: &str| -> String {
            let drawn = line.trim_end_matches(' ').chars().filter(|c| !matches!(c, '"' | '\'' | '`'));
            drawn.map(|c| if is_cell(c) { 'c' } else { c }).collect()
        };
        self.parts(&line).map_or_else(|| (None, shape(&line)), |(label, rest, _)| (label, shape(rest)))
    }

    /// Whether `line` is a row whose blanks are spaces, and no number or size that stands above a grid.
    fn has_spaces(&self, line: &str) -> bool {
        let line = line.trim_end_matches('\r');
        let may_be_title = || !line.starts_with(' ') && is_number_or_size(self.task, line.trim());
        line.len() <= self.task.side() && matches!(self.line(line), Line::Spaced(_)) && !may_be_title()
    }

    /// What stands before a row, and the row.
    fn labelled<'l>(&self, line: &'l str) -> Option<(Label, &'l str)> {
        self.row_numbers.label(line).or_else(|| drawing::labelled(line))
    }

    /// The label of a row, what stands behind it, and the cells. What can be read without a label has none,
    /// but for the number of a row.
    fn parts<'l>(&self, line: &'l str) -> Option<(Option<Label>, &'l str, String)> {
        if let Some(row) = self.row(line).filter(|_| self.row_numbers.label(line).is_none()) {
            return Some((None, line, row));
        }
        let (label, rest) = self.labelled(line)?;
        Some((Some(label), rest, self.row(rest)?))
    }

    /// The row that `line` is, unless it leaves blanks unwritten where others write them, or where a
    /// character is missing.
    fn checked(&self, row: String, line: &str) -> Line {
        match row.contains(' ') {
            true if self.blanks_are_written => Line::Wrong(Problem::Unwritten),
            true if self
                .columns
                .as_ref()
                .is_some_and(|columns| columns.has_narrow(line, self.spaces_are_kept)) =>
            {
                Line::Wrong(Problem::Narrow)
            }
            _ => Line::Row(row),
        }
    }

    /// The cells of a row.
    fn row(&self, line: &str) -> Option<String> {
        let side = self.task.side();
        let parted = |by: char| joined(&split(line, by), side);
        if let Some(by) = self.delimiters.iter().find(|by| line.contains(**by)) {
            return parted(*by);
        }
        let between_bars =
            || self.bars.row(self.task, line, !self.blanks_are_written && !self.spaces_are_kept);
        if self.bars.part_cells() && line.contains('|') {
            return between_bars();
        }
        let words = || line.split(|c: char| c.is_whitespace() || c == '|').filter(|word| !word.is_empty());
        let tight: String = words().collect();
        // A box of three cells looks so, too, where blanks are written in two ways.
        let has_floats = words().any(|word| word.len() == 3 && word.ends_with(".0"));
        if !has_floats && self.may_be_tight(line) && is_row(&tight, side) {
            return Some(tight);
        }
        if line.contains('|') {
            return between_bars();
        }
        let spaced = || {
            let words: Vec<&str> = words().filter(|_| has_floats).collect();
            joined(&words, side)
        };
        DELIMITERS.into_iter().find_map(parted).or_else(spaced)
    }

    /// Whether the spaces in `line` may be no blanks: where bars stand, there are as many cells between each
    /// two, or as many as in all other rows.
    fn may_be_tight(&self, line: &str) -> bool {
        let parts = cells_between(line);
        (parts.iter().all(|part| *part == parts[0]) || self.bar_places.as_ref() == Some(&parts))
            && !(self.blanks_are_left && line.trim().contains(' '))
    }

    /// How many cells a line has that delimiters part as no row.
    fn uneven(&self, line: &str) -> Option<usize> {
        let by = self.delimiters.iter().find(|by| line.contains(**by));
        let fields = by.map_or_else(|| self.bars.fields(line), |by| Some(split(line, *by)))?;
        let are_cells = fields.iter().all(|field| cell_of(field, self.task.side()).is_some());
        let count = by.map_or_else(|| self.bars.count(line), |_| fields.len());
        let is_drawn = || line.contains(|c: char| c.is_ascii_digit()) || fields.iter().all(|f| f.is_empty());
        (are_cells && is_drawn()).then_some(count)
    }
}

/// Whether words stand in one of `fields`, and nothing in the others.
fn is_title_of(fields: &[&str]) -> bool {
    let mut full = fields.iter().filter(|field| !field.trim().is_empty());
    let is_word = |field: &&str| field.contains(char::is_alphabetic) && cell_of(field, 9).is_none();
    full.next().is_some_and(is_word) && full.next().is_none()
}

/// Whether `text` is a row of a grid of side `side`, all of whose cells are written.
fn is_row(text: &str, side: usize) -> bool {
    text.chars().count() == side && text.chars().all(|c| is_cell(c, side))
}

#[cfg(test)]
mod tests {
    use hrm_core::task::sudoku::SudokuKind;

    use super::*;

    fn line_of(task: Sudoku, line: &str) -> Line {
        Writing::of(task, line).line(line)
    }

    #[test]
    fn rows_are_known_however_they_are_drawn() {
        let nine = Sudoku::new(SudokuKind::Nine);
        for line in [
            "53..7....",
            "53. .7. ...",
            "5 3 . | . 7 . | . . .",
            "| 5 3 . | . 7 . | . . . |",
            " |53.|.7.|...|",
            "|53 | 7 |   |",
            "| 5 3   |   7   |       |",
            "5 3  |  7  |     ",
            "| 5 | 3 |   |   | 7 |   |   |   |   |",
            "║53.│.7.│...║",
            "║ 5 3   │   7   │       ║",
            "5,3,,,7,,,,",
            "5;3;;;7;;;;",
            "\"5\",\"3\",,,\"7\",,,,",
            "5\t3\t\t\t7\t\t\t\t",
            "!53.!.7.!...!",
            r"5 & 3 & & & 7 & & & & \\",
            "1: 53..7....",
            "A  5 3 . | . 7 . | . . .",
            "R1) 5 3 . . 7 . . . .",
            "|53  7    |",
            "| 5 3     7         |",
            "5.0,3.0,,,7.0,,,,",
            "A,5,3,,,7,,,,",
            "R1;5;3;;;7;;;;",
            "1:\t5\t3\t\t\t7\t\t\t\t",
            "A|5|3| | |7| | | | ",
            "A |53 | 7 |   |",
        ] {
            let Line::Row(row) = line_of(nine, line) else { panic!("no row: {line}") };
            assert_eq!(row.replace(['0', ' '], "."), "53..7....", "{line}");
        }
        let six = Sudoku::new(SudokuKind::Six);
        assert_eq!(line_of(six, "|1  | 2 |"), Line::Row("1   2 ".to_owned()));
        // Bars between boxes alone, with blanks at the beginning, and those at the end cut off.
        assert_eq!(line_of(six, "   | 2 "), Line::Row("    2 ".to_owned()));
        assert_eq!(line_of(nine, "   |  7|"), Line::Row("     7   ".to_owned()));
        for line in ["53  7    ", "53  7"] {
            assert_eq!(line_of(nine, line), Line::Spaced("53  7    ".to_owned()), "{line}");
        }
    }

    #[test]
    fn a_rule_is_no_row_unless_it_may_be_one() {
        let nine = Sudoku::new(SudokuKind::Nine);
        for line in [
            "*-----------*",
            "-----------",
            "|---+---+---|",
            "+-------+-------+-------+",
            "------+-------+------",
            "-------|-------|-------",
            "=====================",
            "╔═══╤═══╤═══╗",
            "╟───┼───┼───╢",
        ] {
            assert_eq!(line_of(nine, line), Line::Rule, "{line}");
        }
        for line in ["---------", "___ ___ ___", "|---|---|---|", "* * * * * * * * *"] {
            assert!(matches!(line_of(nine, line), Line::Open(_)), "{line}");
        }
        for line in [
            "53..7...",
            "53..7.....",
            "Grid 01",
            "B,3,,,7,,,,",
            "B;3;;;7;;;;",
            "l|3| | |7| | | | ",
            "O\t3\t\t\t7\t\t\t\t",
            "|53 | 7 |  |",
            "5,3,,,7,,,",
            "|5a | 7 |   |",
        ] {
            assert_eq!(line_of(nine, line), Line::Other, "{line}");
        }
    }
}
