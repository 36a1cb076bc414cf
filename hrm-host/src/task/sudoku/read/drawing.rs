//! One line of a grid that stands on several lines, as people draw them: nine cells, with or without spaces, bars or
//! delimiters between them.

use hrm_core::task::sudoku::Sudoku;

use super::cells::{is_cell, with_spaces_as_blanks};

/// What a line is, seen as part of a drawn grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A row of cells.
    Row(String),
    /// A row of nothing but delimiters.
    Empty(String),
    /// A horizontal rule, or nothing between bars, which may as well be a row of blanks.
    RowOrRule(String),
    /// A row whose blanks are spaces, those at its end perhaps cut off, as only its neighbours can tell.
    Spaced(String),
    /// A horizontal rule.
    Rule,
    /// Neither.
    Other,
}

/// What `line` is in a grid of `task`.
pub(super) fn line_of(task: Sudoku, line: &str) -> Line {
    let of_array = line.contains(['[', ']', '{', '}']);
    let line: String = line.chars().map(plain).collect();
    // As between the rows of an array.
    let line = if of_array { line.trim_end().trim_end_matches(',') } else { &line };
    let rule = is_rule(line);
    let empty = |row: &str| !line.contains('.') && row.chars().all(|c| c == '.');
    let labelled = || row_of(task, without_label(line)?);
    match row_of(task, line) {
        // Nothing between bars may be the head of a Markdown table.
        Some(row) if rule || empty(&row) && line.contains('|') => return Line::RowOrRule(row),
        Some(row) if empty(&row) => return Line::Empty(row),
        Some(row) => return Line::Row(row),
        None if rule => return Line::Rule,
        None => {}
    }
    if let Some(row) = labelled() {
        return Line::Row(row);
    }
    let side = task.side();
    let whole = format!("{line:<side$}");
    with_spaces_as_blanks(&whole, side, side).map_or(Line::Other, Line::Spaced)
}

/// What follows `A`, `r3`, `4:` or `5)` at the beginning of a row.
fn without_label(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let end = line.find(|c: char| !c.is_ascii_alphanumeric())?;
    let (label, rest) = line.split_at(end);
    let marked = rest.starts_with([':', ')']);
    let letter = label.starts_with(|c: char| c.is_ascii_alphabetic() && !is_cell(c, 9));
    let short = (1..=2).contains(&label.len());
    let rest = rest.trim_start_matches([':', ')']);
    // In a table the label has a field of its own: what separates it from the first cell goes with it. A bar that stands apart is the
    // grid's.
    let field = rest.trim_start_matches(' ').strip_prefix([',', ';', '\t', '&']).or(rest.strip_prefix('|'));
    (short && (marked || letter)).then_some(field.unwrap_or(rest))
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

/// One cell a field, where an empty one is blank.
fn joined(fields: &[&str], side: usize) -> Option<String> {
    // Numbers among which some are missing are floats to pandas.
    let cells = fields.iter().map(|field| match *field {
        "" => ".",
        field => field.strip_suffix(".0").unwrap_or(field),
    });
    let row: String = cells.collect();
    is_row(&row, side).then_some(row)
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
        row.extend(
            part.iter().skip(start).step_by(step).take(width).map(|&c| if c == ' ' { '.' } else { c }),
        );
    }
    is_row(&row, side).then_some(row)
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
            assert_eq!(row.replace('0', "."), "53..7....", "{line}");
        }
        let six = Sudoku::new(SudokuKind::Six);
        assert_eq!(line_of(six, "|1  | 2 |"), Line::Row("1...2.".to_owned()));
        // Bars between boxes alone, with blanks at the beginning, and those at the end cut off.
        assert_eq!(line_of(six, "   | 2 "), Line::Row("....2.".to_owned()));
        assert_eq!(line_of(nine, "   |  7|"), Line::Row(".....7...".to_owned()));
        for line in ["53  7    ", "53  7"] {
            assert_eq!(line_of(nine, line), Line::Spaced("53..7....".to_owned()), "{line}");
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
            assert!(matches!(line_of(nine, line), Line::RowOrRule(_)), "{line}");
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
