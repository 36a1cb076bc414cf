//! Comments in the code of programs.

use super::cells::all_cells;
use super::puzzle_line::tokens;

/// What stands around comments on several lines. Cells may look like the marks of some, which therefore need
/// a letter.
const BLOCKS: [(&str, &str, bool); 4] =
    [("/*", "*/", false), ("<!--", "-->", false), ("{-", "-}", true), ("(*", "*)", true)];

/// The comment with which `rest`, and of its first line `line`, begins, if it does; `before` stands before it on
/// that line, and `inside` is the innermost bracket that is open.
pub(super) fn comment_at<'t>(
    rest: &'t str,
    (before, line): (&str, &'t str),
    inside: Option<char>,
) -> Option<&'t str> {
    let block = BLOCKS.iter().find_map(|(opens, closes, lettered)| {
        let (inner, _) = rest.strip_prefix(opens)?.split_once(closes)?;
        (!lettered || has_letter(inner)).then_some(&rest[..opens.len() + inner.len() + closes.len()])
    });
    block.or_else(|| begins_comment(line, before, inside).then_some(line))
}

pub(super) fn is_block(comment: &str) -> bool {
    BLOCKS.iter().any(|(opens, ..)| comment.starts_with(opens))
}

fn begins_comment(line: &str, before: &str, inside: Option<char>) -> bool {
    let Some(c) = line.chars().next() else { return false };
    let behind = &line[c.len_utf8()..];
    let is_first = before.trim().is_empty();
    let last = before.chars().next_back();
    let is_apart = last.is_none_or(|last| last.is_whitespace() || ",;[]{}()".contains(last));
    match c {
        '/' => behind.starts_with('/') && last != Some(':'),
        // An array of Lisp.
        '#' if behind.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with("A(") => false,
        '#' if inside.is_none() => is_first || is_apart && behind.starts_with([' ', '#']),
        '#' => true,
        '%' => {
            let is_words = behind.starts_with(['w', 'W', 'i', 'I']) && behind[1..].starts_with(['[', '(']);
            // `%` divides, too.
            !is_words && (inside == Some('[') || inside.is_none() && is_first)
        }
        '-' => {
            let is_apart = if inside.is_none() { is_first } else { is_apart };
            is_apart && behind.starts_with('-') && behind[1..].starts_with([' ', '[', '(', '{'])
        }
        // What Lisp has; in other languages it ends a row or a statement.
        ';' => {
            let text = behind.trim_start_matches(';').trim_start();
            let is_text = text.starts_with(char::is_alphabetic) && !text.starts_with("c(");
            let is_code = text.contains(|c| ";[](){}=".contains(c));
            is_first && (is_text || behind.starts_with(';'))
                || is_text && !is_code && last.is_some_and(char::is_whitespace)
        }
        _ => false,
    }
}

/// The lines of a comment in which cells seem to stand, counted from 0.
pub(super) fn lines_with_cells(comment: &str) -> impl Iterator<Item = (u64, &str)> {
    let cells = |token: &str| if all_cells(token) { token.len() } else { 0 };
    let are_cells = move |text: &str| {
        text.contains(|c: char| c.is_ascii_digit()) && tokens(text).map(cells).sum::<usize>() >= 4
    };
    (0..).zip(comment.lines().map(str::trim)).filter(move |(_, text)| are_cells(text))
}

pub(super) fn has_letter(text: &str) -> bool {
    text.contains(char::is_alphabetic)
}
