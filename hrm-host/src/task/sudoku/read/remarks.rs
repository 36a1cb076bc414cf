//! Lines that say something about puzzles, and lines that are nothing: titles, headings, comments, and why a
//! line is no puzzle.

use hrm_core::task::{Task, TextError, sudoku::Sudoku};

use super::cells::{all_cells, cell_in, is_cell, parse, size_of, split};
use super::puzzle_line::tokens;
use crate::data::problem::Problem;
use crate::data::read::is_row_count;

/// Whether a line of a list says nothing of a puzzle; `parted` where semicolons part the cells of rows.
pub(super) fn is_comment(text: &str, parted: bool) -> bool {
    let marked = text.starts_with(';') && !has_fields(text, parted);
    // Excel reads the delimiter there.
    let names_delimiter = || text.len() <= 6 && text.to_ascii_lowercase().starts_with("sep=");
    text.starts_with(['#', '%']) || text.starts_with("//") || marked || names_delimiter()
}

/// Whether most of what semicolons part in `text` are cells: a row of a spreadsheet may begin with an empty
/// field.
fn has_fields(text: &str, parted: bool) -> bool {
    let is_digit = |c: char| c.is_ascii_digit();
    let fields = split(text, ';');
    let are_cells = |field: &&&str| all_cells(cell_in(field.trim_matches('\'')));
    2 * fields.iter().filter(are_cells).count() > fields.len()
        && (fields.len() > 2 || parted && text.contains(is_digit))
}

/// `17`, `17.` or `17:`, as it stands above a grid.
fn is_number(text: &str) -> bool {
    let number = text.trim_end_matches(['.', ':', ')']);
    // What has more points may be a puzzle with one given.
    let marks = text.len() - number.len();
    marks < 3 && number.len() <= 6 && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number, or the size of a grid or a box as programs write it above a grid: `9 9`, `2 3`, `4x4`.
pub(super) fn is_number_or_size(task: Sudoku, text: &str) -> bool {
    let parts = text.split([' ', 'x']).filter(|part| !part.is_empty());
    let numbers: Option<Vec<usize>> = parts.map(|part| part.parse().ok()).collect();
    let (side, boxes) = (task.side(), [task.kind().box_rows(), task.kind().box_columns()]);
    is_number(text)
        || matches!(numbers.as_deref(), Some(&[rows, columns])
            if [rows, columns] == [side; 2] || rows * columns == side && boxes.contains(&rows))
}

/// Where cells may number the columns, from where.
pub(super) fn heading(cells: &str) -> Option<u32> {
    let start = cells.chars().next()?.to_digit(10).filter(|start| *start < 2)?;
    (start..).zip(cells.chars()).all(|(number, c)| c.to_digit(10) == Some(number)).then_some(start)
}

/// Whether a line names the columns of grids or of cells: `C1,C2,...`, `c0,...,c80`, `r1c1,...`, `,0,1,2,3`,
/// `a b c d`, `A,B,C,D,,A,B,C,D`.
pub(super) fn numbers_columns(text: &str) -> bool {
    let numbered = |name: &str| {
        name.len() <= 8
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.ends_with(|c: char| c.is_ascii_digit())
    };
    let counts = |names: &[&str], start: usize| {
        names.iter().enumerate().all(|(place, name)| *name == (place + start).to_string())
    };
    let between = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | '"');
    let words: Vec<&str> = text.split(between).filter(|word| !word.is_empty()).collect();
    // They may begin anew with each grid.
    let follow = |pair: &[&str]| {
        matches!((pair[0].as_bytes(), pair[1].as_bytes()),
        (&[above], &[letter]) if letter == above + 1 || letter == words[0].as_bytes()[0])
    };
    let are_letters = || matches!(words[0], "a" | "A") && words.windows(2).all(follow);
    if words.len() >= 4 && (words.iter().all(|word| numbered(word)) || are_letters()) {
        return true;
    }
    let delimiters = [',', ';', '\t', '|'];
    let text = text.trim().strip_prefix('|').and_then(|text| text.strip_suffix('|')).unwrap_or(text);
    let names: Vec<&str> = text
        .split(delimiters)
        .map(|name| name.trim().trim_matches('"'))
        .skip_while(|name| {
            !numbered(name) && (name.is_empty() || name.starts_with(|c: char| c.is_alphabetic()))
        })
        .collect();
    // Numbers alone are a row, unless another column stands before them, or they have more than a digit.
    let behind = text.split(delimiters).count() > names.len() || names.len() > 9;
    names.len() >= 4
        && (names.iter().all(|name| numbered(name)) || behind && (counts(&names, 0) || counts(&names, 1)))
}

/// `Grid 01`, `17.`, `A B C`, `N = 4` or `};`: words or code with hardly more cells than two rows have, a number,
/// or letters or punctuation alone.
pub(super) fn is_title(task: Sudoku, text: &str) -> bool {
    if is_number_or_size(task, text) || text.chars().all(|c| c.is_ascii_uppercase() || " |,;\t".contains(c)) {
        return true;
    }
    if is_row_count(text) || are_names(text) || is_date(text) || is_decorated(task, text) {
        return true;
    }
    let text = text.trim_start_matches(['\\', '`', '|', ' ', ',', ';', '\t', '"']);
    if !text.contains(|c: char| c.is_alphanumeric() || c == '.') {
        return true; // a fence, a closing bracket
    }
    says_something(task, text) && longest(text).is_none_or(|token| token.len() <= 40)
}

/// Whether words, or the code of a program, stand in `text`, and nothing that may be a puzzle.
fn says_something(task: Sudoku, text: &str) -> bool {
    let cells_in = |text: &str| text.chars().filter(|c| c.is_ascii_digit() || *c == '.').count();
    // Letters may be blanks: `1xxxxx2xx3xxxx4`.
    let are_blanks = |word: &str| word.len() > 1 && all_cells(word);
    let words = || {
        text.split(|c: char| !c.is_alphabetic()).filter(|word| cell_in(word) == *word && !are_blanks(word))
    };
    let letters: usize = words().map(|word| word.chars().count()).sum();
    let longest = words().map(|word| word.chars().count()).max().unwrap_or(0);
    let cells = cells_in(text);
    let is_word = longest > 2 || longest == 2 && text.contains(' ');
    let begins = || text.starts_with(char::is_alphabetic) || letters > cells;
    // `N = 4`, `Q1`, `A =`
    let is_short = || {
        letters > 0
            && 2 * cells <= task.side()
            && !text.trim_end_matches(';').contains([',', ';', '\t', '|', '&'])
    };
    // `f(1, 2)`, `x = [1, 2]`, `"a": [1, 2]`
    let behind = text.trim_start_matches(|c: char| c.is_alphanumeric() || "_.".contains(c));
    let is_named = text.starts_with(char::is_alphabetic)
        && behind.trim_start_matches([' ', '=']).starts_with(['(', '[', '{']);
    let is_code = || is_named || letters > 0 && behind.starts_with("\":");
    let may_be_puzzle = || text.split_whitespace().any(|word| 2 * cells_in(word) > task.cells());
    (is_word && begins() || is_short() || is_code())
        && (cells <= 2 * task.side() || cells <= letters)
        && !may_be_puzzle()
}

/// `== 1 ==`, `--- Puzzle 3 ---` or `*** 2024-05-01 ***`: a title between marks.
fn is_decorated(task: Sudoku, text: &str) -> bool {
    let is_mark = |c: char| "=-*~_+<>() ".contains(c);
    let inner = text.trim_matches(is_mark);
    let is_word = || inner.starts_with(char::is_alphabetic) && is_title(task, inner);
    // Rows begin with blanks, too, but not so.
    let is_numbered = || {
        is_number(inner)
            && (!text.starts_with(['-', '*', '_']) || text.contains(' ') && text[1..].starts_with(&text[..1]))
    };
    text.starts_with(is_mark) && text.ends_with(is_mark) && (is_date(inner) || is_numbered() || is_word())
}

/// `2024-05-01`, `01/05/2024` or `1 May 2024`.
pub(super) fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['-', '/', '.', ' ']).collect();
    let number = |part: &str| part.parse::<u32>().ok();
    let is_year =
        |part: &str| part.len() == 4 && number(part).is_some_and(|year| (1900..2100).contains(&year));
    let is_day = |part: &str| part.len() <= 2 && number(part).is_some_and(|day| (1..=31).contains(&day));
    let is_month = |part: &str| is_day(part) || part.len() > 2 && part.chars().all(char::is_alphabetic);
    matches!(parts[..], [first, month, last] if is_month(month) && (is_year(first) && is_day(last) || is_day(first) && is_year(last)))
}

/// `P0,,,,,P1`: a name above each of several grids beside each other.
fn are_names(text: &str) -> bool {
    let is_name = |name: &str| {
        let rest = name.trim_start_matches(|c: char| c.is_alphabetic() || c == ' ');
        rest.len() < name.len() && rest.len() < 4 && rest.bytes().all(|byte| byte.is_ascii_digit())
    };
    let names = || {
        text.split([',', ';', '\t']).map(|name| name.trim_matches([' ', '"'])).filter(|name| !name.is_empty())
    };
    names().count() > 1 && names().all(is_name)
}

/// The longest part of a line without its comment.
pub(super) fn longest(text: &str) -> Option<&str> {
    let text = text.split(['#', '%']).next().unwrap_or_default();
    tokens(text).max_by_key(|token| token.chars().count())
}

/// Why a line is no puzzle.
pub(super) fn diagnosis(task: Sudoku, text: &str) -> Problem {
    if let Some(number) = floats(text) {
        return Problem::Floats(number.to_owned());
    }
    if text.contains("://") {
        return Problem::Link;
    }
    if let Some(found) = columns_of_cells(task, text) {
        return Problem::MoreColumns { cells: task.cells(), found };
    }
    let of_list = text.strip_prefix("- ").map(|row| row.trim_matches(['"', '\'', ' ']));
    if of_list.is_some_and(|row| row.len() >= 4 && all_cells(row)) {
        return Problem::Yaml;
    }
    // A bar ends each grid, and another begins the next.
    let ends = text.split('|').filter(|part| !part.is_empty() && part.trim().is_empty()).count();
    if (1..4).contains(&ends)
        && text.matches('|').count() >= 6
        && text.chars().all(|c| c == '|' || c == ' ' || is_cell(c, 9))
    {
        return Problem::Beside;
    }
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
    let strange = all.chars().find(|c| !is_cell(*c, task.side()));
    if let Some(strange) = strange.filter(|_| longest.len() == 1 && all_cells(&all)) {
        return Problem::Strange { strange, side: task.side() };
    }
    let is_spread = longest.len() == 1 && all.chars().all(|c| is_cell(c, task.side()));
    if is_spread && all.len() != task.cells() {
        return length(task, all.len());
    }
    match parse(task, longest, &mut out) {
        Err(Problem::Text(TextError::Length { got, .. })) => length(task, got.into()),
        Err(problem) => problem.of_part(longest, text),
        // A whole grid would have been found.
        Ok(()) => Problem::NoPuzzle(text.chars().take(60).collect()),
    }
}

/// Whether `text` has the digits that each cell of a row may hold, several in one at least.
pub(super) fn are_candidates(task: Sudoku, text: &str) -> bool {
    let are_digits =
        |cell: &str| cell.chars().all(|c| c != '0' && c.is_ascii_digit() && is_cell(c, task.side()));
    let rise = |cell: &str| cell.as_bytes().windows(2).all(|pair| pair[0] < pair[1]);
    tokens(text).count() == task.side()
        && tokens(text).all(|cell| are_digits(cell) && rise(cell))
        && tokens(text).any(|cell| cell.len() > 1)
}

/// What is wrong with a line of `found` cells that is no row of a grid of side `side`.
pub(super) fn wrong_row(side: usize, found: usize, line: &str) -> Problem {
    let is_known = |c: char| is_cell(c, side) || c.is_whitespace() || ",;|&+=[](){}\"'`:".contains(c);
    match line.chars().find(|c| !is_known(*c)) {
        _ if found != side => Problem::Cells { expected: side, found },
        Some(strange) => Problem::Strange { strange, side },
        None => Problem::Drawn { cells: side },
    }
}

/// How many fields `text` has, where they are the cells of a puzzle, or of its answer, too, behind one or two
/// of other columns.
fn columns_of_cells(task: Sudoku, text: &str) -> Option<usize> {
    let by = [',', ';', '\t'].into_iter().find(|by| text.contains(*by))?;
    let fields: Vec<&str> = text.split(by).map(|field| cell_in(field.trim().trim_matches('"'))).collect();
    let is_field = |field: &&str| field.len() < 2 && field.chars().all(|c| is_cell(c, task.side()));
    let is_behind = |cells: &usize| {
        (1..=2).any(|others| fields.len() == cells + others && fields[others..].iter().all(is_field))
    };
    [task.cells(), 2 * task.cells()].iter().any(is_behind).then_some(fields.len())
}

/// What is wrong with a line of `found` cells alone: as few as a row or two have were hardly meant to be a
/// whole puzzle.
fn length(task: Sudoku, found: usize) -> Problem {
    let (side, got) = (task.side(), u16::try_from(found).unwrap_or(u16::MAX));
    if found == side {
        return Problem::Drawn { cells: side };
    }
    if (side - 1..=2 * side).contains(&found) {
        return Problem::Row { side, cells: task.cells(), found };
    }
    Problem::Text(TextError::Length { expected: task.cells() as u16, got })
}

/// The first of several numbers such as `5.000000000000000000e+00`, of which a line consists.
pub(super) fn floats(text: &str) -> Option<&str> {
    let is_float = |token: &str| token.contains('e') && token.contains('.') && token.parse::<f32>().is_ok();
    let first = tokens(text).next().filter(|token| token.len() < text.len())?;
    tokens(text).all(is_float).then_some(first)
}

/// The first word of a line, in small letters; nothing where a number or a mark comes first.
pub(super) fn first_word(text: &str) -> String {
    let text = text.trim_start_matches(|c: char| !c.is_alphanumeric());
    text.chars().take_while(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect()
}

/// Whether `text` is a row but for a character or two, and no number.
pub(super) fn is_nearly_row(task: Sudoku, text: &str) -> bool {
    let side = task.side();
    let tight = || text.chars().filter(|c| !c.is_whitespace() && !",;|&".contains(*c));
    let strange = tight().filter(|&c| !is_cell(c, side)).count();
    tight().count() == side && strange <= side / 4 && !is_number(text)
}
