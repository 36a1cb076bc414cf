//! Marks of other languages around puzzles: tags of forums (`[code]`), Markdown's around digits, what LaTeX
//! writes behind rows, the quotation marks of a text on several lines, and R's before rows.

use std::borrow::Cow;

use super::cells::{all_cells, is_cell};

/// Commands that draw a line in a table of LaTeX.
const RULES: [&str; 6] = ["\\hline", "\\cline", "\\toprule", "\\midrule", "\\bottomrule", "\\tabularnewline"];

/// What stands around a text of several lines in Python, JavaScript and Rust.
const TEXTS: [&str; 3] = ["\"\"\"", "'''", "`"];

/// `text` without them. Lines stay where they are.
pub(super) fn without_marks(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    if text.contains("[/") {
        text = without_tags(&text).into();
    }
    if text.contains("**") && text.contains('|') {
        text = text.split_inclusive('|').map(without_bold).collect::<String>().into();
    }
    if TEXTS.iter().any(|mark| text.contains(mark)) {
        text = text.lines().map(|line| within_text(line).to_owned() + "\n").collect::<String>().into();
    }
    if text.contains(['"', '\'']) {
        text = without_quotes(&text).map_or(text, Cow::Owned);
    }
    if text.contains("[1,]") {
        text = text.lines().map(|line| without_indices(line) + "\n").collect::<String>().into();
    }
    let closes = text.contains("|.") && closes_by_point(&text);
    if closes || text.contains('\\') {
        text = text.lines().map(|line| without_commands(line, closes) + "\n").collect::<String>().into();
    }
    text
}

/// `text` without the tags that are closed in it, and what closes them.
fn without_tags(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let (mut bare, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, behind)) = rest.split_once('[') {
        let tag = behind.split_once(']').map(|(tag, _)| tag).unwrap_or_default();
        let name =
            tag.strip_prefix('/').unwrap_or(tag).split('=').next().unwrap_or_default().to_ascii_lowercase();
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic());
        let is_tag = is_name && !tag.contains('\n') && lower.contains(&format!("[/{name}]"));
        bare.push_str(before);
        rest = if is_tag { &behind[tag.len() + 1..] } else { behind };
        bare.push_str(if is_tag { "" } else { "[" });
    }
    bare + rest
}

/// A field of a table, with spaces for the marks of Markdown around a digit: `**5**`.
fn without_bold(field: &str) -> String {
    let inner =
        field.trim_end_matches('|').trim().strip_prefix("**").and_then(|inner| inner.strip_suffix("**"));
    let is_digit = inner.is_some_and(|inner| inner.len() == 1 && inner.as_bytes()[0].is_ascii_digit());
    if is_digit { field.replace("**", "  ") } else { field.to_owned() }
}

/// Whether a point stands behind the last bar of all rows, as the package `sudoku` wants it: they have one
/// bar more than a grid columns.
fn closes_by_point(text: &str) -> bool {
    let mut rows = text.lines().map(str::trim).filter(|line| line.starts_with('|')).peekable();
    rows.peek().is_some()
        && rows.all(|row| row.ends_with("|.") && [5, 7, 10].contains(&row.matches('|').count()))
}

/// `line` without `\\` and the commands behind it; a rule where nothing is left.
fn without_commands(line: &str, closes: bool) -> String {
    let mut row = line.trim_end();
    let closed = row.strip_suffix('.').filter(|_| closes && row.trim_start().starts_with('|'));
    if let Some(closed) = closed {
        return closed.to_owned();
    }
    while let Some(command) =
        row.rfind('\\').filter(|place| RULES.iter().any(|rule| row[*place..].starts_with(rule)))
    {
        row = row[..command].trim_end();
    }
    match row.strip_suffix("\\\\") {
        Some(row) => row.to_owned(),
        None if row.is_empty() && line.contains('\\') => "+---+".to_owned(),
        None => if row.len() < line.trim_end().len() { row } else { line }.to_owned(),
    }
}

/// `text` with the rows that stand between quotation marks, three and more below each other, as languages write
/// a text of several lines. What a bracket around them holds is an array.
fn without_quotes(text: &str) -> Option<String> {
    let lines: Vec<_> = text.lines().map(|line| (line, quoted_row(line))).collect();
    let mut bare: Vec<&str> = Vec::with_capacity(lines.len());
    let (mut open, mut found) = (0i64, false);
    for run in lines.chunk_by(|(_, a), (_, b)| a.is_some() == b.is_some()) {
        let rows: Option<Vec<&str>> = run.iter().map(|(_, row)| *row).collect();
        if let Some(rows) = rows.filter(|rows| open <= 0 && rows.len() >= 3) {
            bare.extend(rows);
            found = true;
            continue;
        }
        for c in run.iter().flat_map(|(line, _)| line.chars()) {
            open += i64::from("[({".contains(c)) - i64::from("])}".contains(c));
        }
        bare.extend(run.iter().map(|(line, _)| line));
    }
    found.then(|| bare.join("\n") + "\n")
}

/// The cells of `  "53..7....\n" +` or `- "53..7...."`, if that is all of `line`.
fn quoted_row(line: &str) -> Option<&str> {
    let line = line.trim();
    let line = line.strip_prefix("- ").unwrap_or(line).trim_start();
    let line = line.strip_suffix(" .").unwrap_or(line).trim_end_matches([',', ';', '+', '\\', '&', ' ']);
    let quote = line.chars().next().filter(|c| "\"'".contains(*c))?;
    let inner = line.strip_prefix(quote)?.strip_suffix(quote)?;
    let inner = inner.strip_suffix("\\n").unwrap_or(inner);
    ((3..=10).contains(&inner.len()) && all_cells(inner)).then_some(inner)
}

/// A line of a matrix as R prints it, without `[,1] [,2]` above the columns, with `1:` for `[1,]`.
fn without_indices(line: &str) -> String {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let column =
        |word: &str| word.strip_prefix("[,").and_then(|word| word.strip_suffix(']')).is_some_and(is_number);
    let row = line.trim_start().strip_prefix('[').and_then(|row| row.split_once(",]"));
    match row.filter(|(number, _)| is_number(number)) {
        Some((number, cells)) => format!("{number}:{cells}"),
        None if line.split_whitespace().all(column) => String::new(),
        None => line.to_owned(),
    }
}

/// `line` without the mark by which a text of several lines begins before a row on it, or ends behind one.
fn within_text(line: &str) -> &str {
    let are_cells = |text: &str| text.len() > 2 && text.chars().all(|c| c == ' ' || is_cell(c, 9));
    let parted = |mark: &&str| line.split_once(mark).filter(|(_, behind)| !behind.contains(mark));
    let Some((before, behind)) = TEXTS.iter().find_map(parted) else { return line };
    match (before.trim(), behind.trim_end()) {
        (_, row) if are_cells(row) && before.ends_with(['=', ' ', '(']) => row,
        (row, ends) if are_cells(row) && ends.trim_matches([';', ',', ')', ' ']).is_empty() => before,
        _ => line,
    }
}
