//! One line of a grid that stands on several lines, as people draw them: nine cells, with or without spaces, bars or
//! delimiters between them.

use hrm_core::task::sudoku::Sudoku;

use super::cells::{is_cell, is_nothing, with_spaces_as_blanks};

/// What a line is, seen as part of a drawn grid. A space is a blank that is not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A row of cells.
    Row(String),
    /// A row of nothing but delimiters, or a rule: it may be a row of blanks.
    Open(String),
    /// A row whose blanks are spaces, those at its end perhaps cut off, as only its neighbours can tell.
    Spaced(String),
    /// A horizontal rule.
    Rule,
    /// Neither.
    Other,
}

/// What stands before a row: `A`, `R3` or `4:`, by its letter if it has a number, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label {
    letter: Option<char>,
    number: u32,
}

impl Label {
    fn of(text: &str) -> Option<Self> {
        let letter = text.chars().next().filter(char::is_ascii_alphabetic);
        let number = &text[letter.map_or(0, char::len_utf8)..];
        match (letter, number) {
            (Some(letter), "") => Some(Label { letter: None, number: letter.into() }),
            _ => Some(Label { letter, number: number.parse().ok()? }),
        }
    }

    /// Whether it stands below `above`.
    pub(super) fn follows(&self, above: &Self) -> bool {
        *self == Label { number: above.number + 1, ..*above }
    }
}

/// What `line` is in a grid of `task`.
pub(super) fn line_of(task: Sudoku, line: &str) -> Line {
    let line = plain_line(line);
    let (rule, unwritten) = (is_rule(&line), |row: &str| row.chars().all(|c| c == ' '));
    match row_of(task, &line) {
        Some(row) if rule || unwritten(&row) => return Line::Open(row),
        Some(row) => return Line::Row(row),
        None if rule => return Line::Rule,
        None => {}
    }
    if let Some(row) = labelled(&line).and_then(|(_, rest)| row_of(task, rest)) {
        return Line::Row(row);
    }
    let side = task.side();
    let whole = format!("{line:<side$}");
    if with_spaces_as_blanks(&whole, side, side).is_some() { Line::Spaced(whole) } else { Line::Other }
}

/// The label of a row, and how it is drawn: `c` for each cell, and what stands between them.
pub(super) fn shape_of(task: Sudoku, line: &str) -> (Option<Label>, String) {
    let line = plain_line(line);
    let shape = |line: &str| {
        line.trim_end_matches(' ')
            .chars()
            .map(|c| if is_cell(c, task.side()) { 'c' } else { c })
            .collect::<String>()
    };
    match labelled(&line).filter(|_| row_of(task, &line).is_none()) {
        Some((label, rest)) => (Some(label), shape(rest)),
        None => (None, shape(&line)),
    }
}

/// The line without the brackets and commas of an array, and with `|`, `-` and `+` for what draws boxes.
fn plain_line(line: &str) -> String {
    let plain: String = line.chars().map(plain).collect();
    if line.contains(['[', ']', '{', '}']) {
        plain.trim_end().trim_end_matches(',').to_owned()
    } else {
        plain
    }
}

/// `A`, `r3`, `4:` or `5)` at the beginning of a row, and what follows.
fn labelled(line: &str) -> Option<(Label, &str)> {
    let line = line.trim_start();
    let end = line.find(|c: char| !c.is_ascii_alphanumeric())?;
    let (text, rest) = line.split_at(end);
    let marked = rest.starts_with([':', ')']);
    let letter = text.starts_with(|c: char| c.is_ascii_alphabetic() && !is_cell(c, 9));
    let label = Label::of(text).filter(|_| marked || letter && text.len() <= 2)?;
    let rest = rest.trim_start_matches([':', ')']);
    // In a table the label has a field of its own: what separates it from the first cell goes with it. A bar that stands apart is the
    // grid's.
    let field = rest.trim_start_matches(' ').strip_prefix([',', ';', '\t', '&']).or(rest.strip_prefix('|'));
    Some((label, field.unwrap_or(rest)))
}

/// Cells in `line`, however it is drawn.
pub(super) fn cells_in(task: Sudoku, line: &str) -> usize {
    line.chars().filter(|&c| is_cell(c, task.side())).count()
}

/// `|`, `-` and `+` for the characters that draw boxes.
fn plain(c: char) -> char {
    match c {
        '│' | '┃' | '║' | '┆' | '┇' | '┊' | '┋' | '╎' | '╏' => '|',
        '─' | '━' | '═' | '┄' | '┅' | '┈' | '┉' | '╌' | '╍' => '-',
        '\u{2500}'..='\u{257f}' => '+',
        '–' | '—' | '−' => '-',
        '!' | '¦' => '|',
        '[' | ']' | '{' | '}' => ' ',
        _ => c,
    }
}

fn is_rule(line: &str) -> bool {
    let drawn = |c: char| matches!(c, '-' | '=' | '_' | '*' | '+');
    line.chars().all(|c| drawn(c) || c == '|' || c == ':' || c.is_whitespace()) && line.contains(drawn)
}

fn row_of(task: Sudoku, line: &str) -> Option<String> {
    let side = task.side();
    let tight: String = line.chars().filter(|c| !c.is_whitespace() && *c != '|').collect();
    if is_row(&tight, side) {
        return Some(tight);
    }
    if line.contains('|') {
        return between_bars(task, line);
    }
    // A spreadsheet's row: empty fields are blanks.
    [',', ';', '\t', '&'].into_iter().find_map(|delimiter| {
        let fields: Vec<&str> =
            line.split(delimiter).map(|field| field.trim_matches([' ', '"', '\\'])).collect();
        (fields.len() == side).then(|| joined(&fields, side)).flatten()
    })
}

fn is_row(text: &str, side: usize) -> bool {
    text.chars().count() == side && text.chars().all(|c| is_cell(c, side))
}

/// As [`is_row`], where blanks need not be written.
fn may_be_row(text: &str, side: usize) -> bool {
    text.chars().count() == side && text.chars().all(|c| c == ' ' || is_cell(c, side))
}

/// One cell a field, where an empty one is blank.
fn joined(fields: &[&str], side: usize) -> Option<String> {
    // Numbers among which some are missing are floats to pandas.
    let cells = fields.iter().map(|field| match *field {
        "" => " ",
        word if is_nothing(word) => ".",
        field => field.strip_suffix(".0").unwrap_or(field),
    });
    let row: String = cells.collect();
    may_be_row(&row, side).then_some(row)
}

/// A row whose blanks are spaces, which only the bars around it make certain: a bar after every cell, after every box, or at
/// both ends. Blanks may stand before the first bar.
fn between_bars(task: Sudoku, line: &str) -> Option<String> {
    let open = line.trim_start().strip_prefix('|');
    let outer = open.and_then(|inner| within_bars(task, line, Some(inner)));
    outer.or_else(|| within_bars(task, line, None))
}

/// As [`between_bars`], where `open` is what follows a bar on the left of the row.
fn within_bars(task: Sudoku, line: &str, open: Option<&str>) -> Option<String> {
    let side = task.side();
    let inner = open.map_or(line, |inner| inner.trim_end().strip_suffix('|').unwrap_or(inner));
    let parts: Vec<&str> = inner.split('|').collect();
    if parts.len() == side {
        let fields: Vec<&str> = parts.iter().map(|part| part.trim()).collect();
        return joined(&fields, side);
    }
    let closed = open.is_some_and(|inner| inner.trim_end().ends_with('|'));
    let width = if closed && parts.len() == 1 { side } else { task.kind().box_columns() };
    if parts.len() != side / width {
        return None;
    }
    // Editors cut spaces off the end of a line.
    let longest = parts.iter().map(|part| part.chars().count()).max().unwrap_or(0);
    let mut row = String::new();
    for (index, part) in parts.iter().enumerate() {
        let mut part: Vec<char> = part.chars().collect();
        if index + 1 == side / width && open.is_none() {
            part.resize(longest, ' ');
        }
        // "5 3", " 5 3 " or "53 ".
        let (start, step) = match part.len() {
            length if length == width => (0, 1),
            length if length == 2 * width - 1 => (0, 2),
            length if length == 2 * width + 1 => (1, 2),
            _ => return None,
        };
        let is_between = |place: usize| place < start || !(place - start).is_multiple_of(step);
        if part.iter().enumerate().any(|(place, c)| is_between(place) && *c != ' ') {
            return None;
        }
        row.extend(part.iter().skip(start).step_by(step).take(width));
    }
    may_be_row(&row, side).then_some(row)
}

#[cfg(test)]
mod tests {
    use hrm_core::task::sudoku::SudokuKind;

    use super::*;

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
            "[5,3,,,7,,,,],",
            "  {5,3,0,0,7,0,0,0,0},",
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
        for line in ["---------", "___ ___ ___", "|---|---|---|", "* * * * * * * * *", "| | | | | | | | | |"]
        {
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
