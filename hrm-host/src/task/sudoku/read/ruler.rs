//! Grids whose columns a heading numbers, with a label before each row and spaces for blanks: the heading
//! tells where cells stand.

use std::borrow::Cow;

use super::cells::sides;
use super::drawing::{Label, is_rule, plain_line};

/// Bytes of a heading, at most.
const LONGEST: usize = 160;

/// `text` with the rows of such grids as cells alone; as it is where a row has anything beside its label but
/// digits below the heading's.
pub(super) fn without_rulers(text: &str) -> Cow<'_, str> {
    let is_heading = |line: &str| {
        line.len() <= LONGEST && line.starts_with([' ', '|', '\t']) && places(&plain_line(line)).is_some()
    };
    if !text.lines().any(is_heading) {
        return text.into();
    }
    let lines: Vec<String> = text.lines().map(|line| plain_line(line.trim_end_matches('\r'))).collect();
    let mut out: Vec<Cow<'_, str>> = text.lines().map(Cow::from).collect();
    for (heading, line) in lines.iter().enumerate() {
        let Some(places) = places(line) else { continue };
        let is_between = |line: &&String| line.trim().is_empty() || is_rule(line);
        let below = (heading + 1..).zip(&lines[heading + 1..]).filter(|(_, line)| !is_between(line));
        let rows: Vec<(usize, &str)> =
            below.take(places.len()).map(|(place, line)| (place, &line[..])).collect();
        let Some(cells) = cells(&rows, &places) else { return text.into() };
        out[heading] = "#".into();
        for ((place, _), row) in rows.iter().zip(cells) {
            out[*place] = row.into();
        }
    }
    (out.join("\n") + "\n").into()
}

/// Where the characters of a heading stand that number as many columns as a grid has, one below each other:
/// `1 2 3`, `ABC`.
fn places(line: &str) -> Option<Vec<usize>> {
    let names = || line.chars().enumerate().filter(|(_, c)| !matches!(c, ' ' | '|' | '\t'));
    let first = names().next().filter(|(place, c)| *place > 0 && matches!(c, '1' | 'A' | 'a'))?.1;
    let known = sides().any(|side| side == names().count());
    let counts = names().zip(u32::from(first)..).all(|((_, c), number)| u32::from(c) == number);
    (known && counts).then(|| names().map(|(place, _)| place).collect())
}

/// The cells of `rows` at `places`, with `.` for a blank.
fn cells(rows: &[(usize, &str)], places: &[usize]) -> Option<Vec<String>> {
    let (first, last) = (*places.first()?, *places.last()?);
    let length = |row: &str| row.chars().count();
    let are_kept = rows.iter().any(|(_, row)| row.ends_with(' '));
    let are_even = rows.windows(2).all(|pair| length(pair[0].1) == length(pair[1].1));
    let are_apart = places.windows(2).all(|pair| pair[1] > pair[0] + 1);
    let bars =
        |row: &str| row.char_indices().filter(|(_, c)| *c == '|').map(|(place, _)| place).collect::<Vec<_>>();
    let are_alike = rows.windows(2).all(|pair| bars(pair[0].1) == bars(pair[1].1));
    if rows.len() < places.len() || !are_alike || !are_even && (are_kept || !are_apart) {
        return None;
    }
    let mut above: Option<Label> = None;
    let mut all = Vec::new();
    for (_, row) in rows {
        let before: String = row.chars().take(first).collect();
        let label = Label::of(before.trim_matches([' ', '|', ':', ')', '.', '\t']))?;
        if !above.as_ref().map_or_else(|| label.is_first(), |above| label.follows(above)) {
            return None;
        }
        let is_digit =
            |c: char| c.to_digit(10).is_some_and(|digit| (1..=places.len()).contains(&(digit as usize)));
        let fits = |(place, c): (usize, char)| {
            c == ' ' || if places.contains(&place) { is_digit(c) } else { c == '|' }
        };
        if !row.chars().enumerate().skip(first).all(fits)
            || row.chars().skip(last + 1).any(|c| c != ' ' && c != '|')
        {
            return None;
        }
        let cell = |place: &usize| row.chars().nth(*place).filter(|c| *c != ' ').unwrap_or('.');
        all.push(places.iter().map(cell).collect::<String>());
        above = Some(label);
    }
    Some(all).filter(|all| all.iter().any(|row| row.contains('.')))
}
