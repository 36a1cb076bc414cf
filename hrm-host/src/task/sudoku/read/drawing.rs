//! One line of a grid that stands on several lines, as people draw them: nine cells, with or without spaces,
//! bars or delimiters between them.

use hrm_core::task::sudoku::Sudoku;

use super::cells::is_cell;
use crate::data::problem::Problem;

/// What a line is, seen as part of a drawn grid. A space is a blank that is not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A row of cells.
    Row(String),
    /// A row of nothing but delimiters, or a rule: it may be a row of blanks.
    Open(String),
    /// A row whose blanks are spaces, those at its end perhaps cut off, as only its neighbours can tell.
    Spaced(String),
    /// Empty fields, so many, and not as many as a row has.
    Uneven(usize),
    /// A horizontal rule.
    Rule,
    /// A row that is not written as the others are.
    Wrong(Problem),
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
    pub(super) fn of(text: &str) -> Option<Self> {
        let letter = text.chars().next().filter(char::is_ascii_alphabetic);
        let number = &text[letter.map_or(0, char::len_utf8)..];
        match (letter, number) {
            (Some(letter), "") => Some(Label { letter: None, number: letter.into() }),
            _ => Some(Label { letter, number: number.parse().ok()? }),
        }
    }

    /// A number alone.
    pub(super) fn numbered(number: u32) -> Self {
        Label { letter: None, number }
    }

    /// Whether counting begins with it.
    pub(super) fn is_first(&self) -> bool {
        matches!(self.number, 0 | 1 | 65 | 97)
    }

    /// Whether it stands below `above`.
    pub(super) fn follows(&self, above: &Self) -> bool {
        *self == Label { number: above.number + 1, ..*above }
    }
}

/// The lines of `text`, without the `> ` by which a mail quotes them.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').map(|line| line.strip_prefix("> ").unwrap_or(line))
}

/// The lines of `text` and their numbers.
pub(super) fn numbered(text: &str) -> Vec<(u64, &str)> {
    (1..).zip(lines(text)).collect()
}

/// The lines of `text` without the empty one behind each, where almost every line has one: so spreadsheets
/// look whose lines end twice.
pub(super) fn without_second_ends(text: &str) -> Vec<(u64, &str)> {
    let all = numbered(text);
    let is_empty = |line: &str| line.trim_end_matches('\r').is_empty();
    let behind = |pair: &&[(u64, &str)]| !is_empty(pair[0].1);
    let last = all.iter().rposition(|(_, line)| !is_empty(line)).unwrap_or(0);
    let followed = || all[..=last].windows(2).filter(behind);
    let doubled = followed().filter(|pair| is_empty(pair[1].1)).count();
    if doubled < 3 || 4 * doubled < 3 * followed().count() {
        return all;
    }
    let is_behind = |place: usize| place > 0 && is_empty(all[place].1) && !is_empty(all[place - 1].1);
    (0..all.len()).filter(|place| !is_behind(*place)).map(|place| all[place]).collect()
}

/// The line with `|`, `-` and `+` for what draws boxes.
pub(super) fn plain_line(line: &str) -> String {
    line.chars().map(plain).collect()
}

/// `A`, `r3`, `4:`, `5)` or `row 6` at the beginning of a row, or in its first field, and what follows.
pub(super) fn labelled(line: &str) -> Option<(Label, &str)> {
    let line = line.trim_start();
    if let Some((field, _)) = line.strip_prefix('|').and_then(|line| line.split_once('|')) {
        let name = field.trim_matches([' ', '*', '`', ':']);
        let text = without_word(name);
        let is_name =
            text.len() < name.len() || text.starts_with(|c: char| c.is_ascii_alphabetic() && !is_cell(c, 9));
        let label = Label::of(text).filter(|_| is_name && text.len() <= 2)?;
        return Some((label, &line[field.len() + 1..]));
    }
    let worded = without_word(line);
    let end = worded.find(|c: char| !c.is_ascii_alphanumeric())?;
    let (text, rest) = worded.split_at(end);
    let marked = rest.starts_with([':', ')']) || worded.len() < line.len();
    let letter = text.starts_with(|c: char| c.is_ascii_alphabetic() && !is_cell(c, 9));
    let label = Label::of(text).filter(|_| marked || letter && text.len() <= 2)?;
    let rest = rest.trim_start_matches([':', ')']);
    // In a table the label has a field of its own: what separates it from the first cell goes with it. A bar
    // that stands apart is the grid's.
    let field = rest.trim_start_matches(' ').strip_prefix([',', ';', '\t', '&']).or(rest.strip_prefix('|'));
    Some((label, field.unwrap_or(rest)))
}

/// `line` without `row` before a number or a letter.
pub(super) fn without_word(line: &str) -> &str {
    let (word, rest) = line.split_at_checked(3).unwrap_or((line, ""));
    let rest = rest.trim_start_matches(' ');
    let is_label = rest.chars().take_while(char::is_ascii_alphanumeric).count() < 3;
    if word.eq_ignore_ascii_case("row") && is_label && !rest.is_empty() { rest } else { line }
}

/// Cells in `line`, however it is drawn.
pub(super) fn cells_in(task: Sudoku, line: &str) -> usize {
    line.chars().filter(|&c| is_cell(c, task.side())).count()
}

/// `|`, `-` and `+` for the characters that draw boxes.
pub(super) fn plain(c: char) -> char {
    match c {
        '│' | '┃' | '║' | '┆' | '┇' | '┊' | '┋' | '╎' | '╏' => '|',
        '─' | '━' | '═' | '┄' | '┅' | '┈' | '┉' | '╌' | '╍' => '-',
        '\u{2500}'..='\u{257f}' => '+',
        '–' | '—' | '−' => '-',
        '!' | '¦' => '|',
        _ => c,
    }
}

pub(super) fn is_rule(line: &str) -> bool {
    // HoDoKu's corners.
    let corners = ['.', '\'', ':'];
    let cornered = line.trim().strip_prefix(corners).and_then(|line| line.strip_suffix(corners));
    let inner = cornered.filter(|inner| inner.contains("--"));
    if inner.is_some_and(|inner| inner.chars().all(|c| c == '-' || c == '+' || corners.contains(&c))) {
        return true;
    }
    let drawn = |c: char| matches!(c, '-' | '=' | '_' | '*' | '+');
    line.chars().all(|c| drawn(c) || c == '|' || c == ':' || c.is_whitespace()) && line.contains(drawn)
}
