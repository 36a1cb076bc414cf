//! Comments in the code of programs.

use super::cells::all_cells;
use super::puzzle_line::tokens;

/// What stands around comments on several lines. Cells may look like the marks of some, which therefore need
/// a letter.
const BLOCKS: [(&str, &str, bool); 4] =
    [("/*", "*/", false), ("<!--", "-->", false), ("{-", "-}", true), ("(*", "*)", true)];

/// Where the next end of each of [`BLOCKS`] and the next letter stand in a text that is gone through once.
#[derive(Default)]
pub(super) struct Ahead {
    ends: [Option<usize>; BLOCKS.len()],
    letter: Option<usize>,
}

/// The first place from `start` on that `find` finds in `text`: the `known` one until it is passed. Where
/// there is none, a place beyond the text.
fn next(known: &mut Option<usize>, text: &str, start: usize, find: impl Fn(&str) -> Option<usize>) -> usize {
    let place = known.filter(|place| *place >= start);
    *known.insert(place.unwrap_or_else(|| find(&text[start..]).map_or(usize::MAX, |place| start + place)))
}

impl Ahead {
    /// The comment on several lines that begins in `text` at `at`, if one does.
    fn block<'t>(&mut self, text: &'t str, at: usize) -> Option<&'t str> {
        let ends = BLOCKS.iter().zip(&mut self.ends);
        let mut begun = ends.filter(|((opens, ..), _)| text[at..].starts_with(opens));
        let ((opens, closes, lettered), end) = begun.next()?;
        let start = at + opens.len();
        let end = next(end, text, start, |rest| rest.find(closes));
        let is_comment = end < text.len()
            && (!lettered
                || next(&mut self.letter, text, start, |rest| rest.find(char::is_alphabetic)) < end);
        is_comment.then(|| &text[at..end + closes.len()])
    }

    /// The comment that begins in `text` at `at`, if one does; `before` stands before it on its line, `line`
    /// is the rest of that, and `inside` the innermost bracket that is open.
    pub(super) fn comment<'t>(
        &mut self,
        (text, at): (&'t str, usize),
        (before, line): (&str, &'t str),
        inside: Option<char>,
    ) -> Option<&'t str> {
        self.block(text, at).or_else(|| begins_comment(line, before, inside).then_some(line))
    }
}

pub(super) fn is_block(comment: &str) -> bool {
    BLOCKS.iter().any(|(opens, ..)| comment.starts_with(opens))
}

fn begins_comment(line: &str, before: &str, inside: Option<char>) -> bool {
    let Some(c) = line.chars().next() else { return false };
    let behind = &line[c.len_utf8()..];
    let is_first = || before.trim().is_empty();
    let last = before.chars().next_back();
    let is_apart = last.is_none_or(|last| last.is_whitespace() || ",;[]{}()".contains(last));
    match c {
        '/' => behind.starts_with('/') && last != Some(':'),
        // An array of Lisp.
        '#' if behind.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with("A(") => false,
        '#' if inside.is_none() => is_first() || is_apart && behind.starts_with([' ', '#']),
        '#' => true,
        '%' => {
            let is_words = behind.starts_with(['w', 'W', 'i', 'I']) && behind[1..].starts_with(['[', '(']);
            // `%` divides, too.
            !is_words && (inside == Some('[') || inside.is_none() && is_first())
        }
        '-' => {
            behind.starts_with('-')
                && behind[1..].starts_with([' ', '[', '(', '{'])
                && if inside.is_none() { is_first() } else { is_apart }
        }
        // What Lisp has; in other languages it ends a row or a statement.
        ';' if last.is_none_or(char::is_whitespace) => {
            let text = behind.trim_start_matches(';').trim_start();
            let is_text = text.starts_with(char::is_alphabetic) && !text.starts_with("c(");
            let is_code = text.contains(|c| ";[](){}=".contains(c));
            is_text && !is_code || is_first() && (is_text || behind.starts_with(';'))
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
