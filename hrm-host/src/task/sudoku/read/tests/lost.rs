//! Cells that lost their characters, whatever is kept of the space around them.

use super::*;

/// The cells of `row` with `between` them, `bar` between boxes, and `blank` for each blank.
fn boxes(row: &str, [between, bar, blank]: [&str; 3]) -> String {
    let cells: Vec<char> = row.chars().collect();
    let part = |part: &[char]| part.iter().map(char::to_string).collect::<Vec<_>>().join(between);
    let width = if row.len() == 4 { 2 } else { 3 };
    cells.chunks(width).map(part).collect::<Vec<_>>().join(bar).replace('.', blank)
}

/// Ways to draw a row in columns.
const DRAWN: [fn(&str, &str) -> String; 10] = [
    |row, blank| boxes(row, [" ", " | ", blank]),
    |row, blank| boxes(row, ["", "|", blank]),
    |row, blank| format!("| {} |", boxes(row, [" ", " | ", blank])),
    |row, blank| format!("|{}|", boxes(row, ["", "|", blank])),
    |row, blank| format!(" {} ", boxes(row, [" | ", " | ", blank])),
    |row, blank| format!("| {} |", boxes(row, [" | ", " | ", blank])),
    |row, blank| format!("|{}|", boxes(row, ["|", "|", blank])),
    |row, blank| format!("A  |{}|", boxes(row, ["|", "|", blank])),
    |row, blank| boxes(row, [", ", ", ", blank]),
    |row, blank| boxes(row, [" ; ", " ; ", blank]),
];

/// Reads `rows` with each cell lost in each of the ways that `lose` knows; nothing else is read but `rows`.
fn check(side: usize, lines: &[String], grid: &str, lose: impl Fn(&str, usize) -> Vec<String>) {
    let text = |lines: &[String]| lines.join("\n") + "\n";
    assert_eq!(told_of(side, &text(lines)).rows, [grid], "{}", text(lines));
    for place in 0..side {
        let cells = lines[place].char_indices().filter(|(at, c)| c.is_ascii_digit() || *c == '.' && *at > 0);
        for lost in cells.flat_map(|(at, _)| lose(&lines[place], at)) {
            let mut lines = lines.to_vec();
            lines[place] = lost;
            let text = text(&lines);
            let read = told_of(side, &text).rows;
            assert!(read.iter().all(|read| *read == grid), "{text}{read:?}");
        }
    }
}

#[test]
fn a_gap_is_no_blank_where_blanks_have_a_sign() {
    let lose = |line: &str, at: usize| {
        let (before, behind) = (&line[..at], &line[at + 1..]);
        vec![format!("{before} {behind}"), format!("{before}{behind}"), before.to_owned()]
    };
    for (side, draw) in [4, 6, 9].into_iter().flat_map(|side| DRAWN[..7].iter().map(move |draw| (side, draw)))
    {
        let rows = puzzle(side, &[]);
        for blank in [".", "0"] {
            let lines: Vec<String> = rows.iter().map(|row| draw(row, blank)).collect();
            check(side, &lines, &rows.concat(), lose);
        }
    }
}

#[test]
fn a_digit_that_is_missing_in_a_column_is_no_blank() {
    // Spaces before a first delimiter may be cut off.
    let is_known = |line: &str, at: usize| at > 0 || !line[1..].trim_start().starts_with([',', ';']);
    let lose = |line: &str, at: usize| {
        if is_known(line, at) { vec![line[..at].to_owned() + &line[at + 1..]] } else { Vec::new() }
    };
    for (side, draw) in [4, 6, 9].into_iter().flat_map(|side| DRAWN.iter().map(move |draw| (side, draw))) {
        let rows = puzzle(side, &[]);
        let label = |n: usize| char::from(b'A' + n as u8).to_string();
        let lines: Vec<String> =
            rows.iter().enumerate().map(|(n, row)| draw(row, " ").replace('A', &label(n))).collect();
        check(side, &lines, &rows.concat(), lose);
    }
}

#[test]
fn a_blank_is_empty_or_has_a_sign_in_an_array_and_never_both() {
    let cell = |c: char| if c == '.' { "\"0\"".to_owned() } else { format!("\"{c}\"") };
    let row = |row: &&str| format!("[{}]", row.chars().map(cell).collect::<Vec<_>>().join(", "));
    for nothing in ["\"0\"", "\".\"", "null", "None"] {
        let text = format!("[{}]\n", GRIDS[0].iter().map(row).collect::<Vec<_>>().join(",\n"))
            .replace("\"0\"", nothing);
        assert_eq!(told(&text), (vec![GRIDS[0].concat()], 0));
        for at in text.match_indices(|c: char| c.is_ascii_digit() || c == '.').map(|(at, _)| at) {
            let damaged = text[..at].to_owned() + &text[at + 1..];
            assert_eq!(told(&damaged), (Vec::new(), 1), "{damaged}");
        }
    }
}

#[test]
fn what_is_found_is_never_what_is_expected() {
    let changes: [fn(&str, usize) -> String; 4] = [
        |line, at| format!("{}a{}", &line[..at], &line[at + 1..]),
        |line, at| format!("{}|{}", &line[..at], &line[at..]),
        |line, at| format!("{},{}", &line[..at], &line[at..]),
        |line, at| format!("{}{}", &line[..at], &line[at + 1..]),
    ];
    for (draw, blank) in DRAWN.iter().flat_map(|draw| [".", " "].map(|blank| (draw, blank))) {
        let lines = GRIDS[0].map(|row| draw(row, blank));
        for (place, change) in (0..4).flat_map(|place| changes.iter().map(move |change| (place, change))) {
            for at in 0..lines[place].len() {
                let mut lines = lines.clone();
                lines[place] = change(&lines[place], at);
                // Says so of each message.
                told(&(lines.join("\n") + "\n"));
                told(&lines[place]);
            }
        }
    }
}
