//! Marks of other languages around puzzles: tags of forums (`[code]`), Markdown's around digits, and what LaTeX
//! writes behind rows.

use std::borrow::Cow;

/// Commands that draw a line in a table of LaTeX.
const RULES: [&str; 6] = ["\\hline", "\\cline", "\\toprule", "\\midrule", "\\bottomrule", "\\tabularnewline"];

/// `text` without them. Lines stay where they are.
pub(super) fn without_marks(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    if text.contains("[/") {
        text = without_tags(&text).into();
    }
    if text.contains("**") && text.contains('|') {
        text = text.split_inclusive('|').map(without_bold).collect::<String>().into();
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
