//! Blanks that are nothing: boxes behind numbers of rows, spaces that an editor has cut off, sheets whose
//! lines end twice.

use proptest::prelude::*;

use super::*;

const COMPLETE: [&str; 4] = ["1243", "3421", "4312", "2134"];

/// The cells of a complete grid where `mask` has a bit, and blanks elsewhere.
fn masked(mask: u16) -> [String; 4] {
    [0, 1, 2, 3].map(|row| {
        let cell = |(place, c): (usize, char)| if mask >> (4 * row + place) & 1 == 1 { c } else { '.' };
        COMPLETE[row].chars().enumerate().map(cell).collect()
    })
}

/// Masks of any cells, and of few, so that rows are short.
fn masks(grids: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u16>> {
    let mask = (any::<[u16; 2]>(), any::<bool>())
        .prop_map(|([a, b], few)| if few { a & b } else { a })
        .prop_filter("a digit and a blank", |mask| ![0, u16::MAX].contains(mask));
    prop::collection::vec(mask, grids)
}

/// Reads `text`, which is of `written` grids: nothing else is read, and all of them unless something is
/// refused. Whether they are.
fn is_read_of(text: &str, written: &[[String; 4]]) -> bool {
    let (rows, faults) = (read_of(text, written), told(text).1);
    let written: Vec<String> = written.iter().map(|grid| grid.concat()).collect();
    assert!(faults > 0 || rows.is_empty() || rows == written, "{text}{rows:?}");
    rows == written
}

/// What is read of `text`, which is nothing but grids of `written`, or has a row twice and is no puzzle.
fn read_of(text: &str, written: &[[String; 4]]) -> Vec<String> {
    let (rows, _) = told(text);
    let row = |grid: &str, row: usize| grid[4 * row..][..4].to_owned();
    let is_twice =
        |grid: &str| (0..3).any(|at| row(grid, at) == row(grid, at + 1) && row(grid, at) != "....");
    let is_known = |grid: &String| written.iter().any(|known| known.concat() == *grid) || is_twice(grid);
    assert!(rows.iter().all(is_known), "{text}{rows:?}");
    rows
}

/// As [`read_of`], with any line of `text` missing or there twice.
fn check_lines(text: &str, written: &[[String; 4]]) {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    for place in 0..lines.len() {
        read_of(&[&lines[..place], &lines[place + 1..]].concat().concat(), written);
        read_of(&[&lines[..=place], &lines[place..]].concat().concat(), written);
    }
}

const LABELS: [fn(usize) -> String; 5] = [
    |row| format!("{}", row + 1),
    |row| format!("{} ", row + 1),
    |row| format!("{}  ", row + 1),
    |row| format!("{row} "),
    |row| format!(" {row}"),
];
const BOXES: [fn(&str) -> String; 3] = [
    |row| format!("|{}|{}|", &row[..2], &row[2..]),
    |row| format!("|{}|{}|", apart(&row[..2], " ", "."), apart(&row[2..], " ", ".")),
    |row| format!("| {} | {} |", apart(&row[..2], " ", "."), apart(&row[2..], " ", ".")),
];

#[test]
fn numbers_of_rows_before_bars_are_no_cells() {
    let mut unread = 0;
    for mask in (1..u16::MAX).step_by(1009) {
        let grid = masked(mask);
        for (label, boxes) in LABELS.iter().flat_map(|label| BOXES.map(|boxes| (label, boxes))) {
            for (blank, rule) in [(" ", ""), (" ", "  +--+--+\n"), (".", "")] {
                let row = |(place, row): (usize, &String)| {
                    let rule = if place % 2 == 0 { rule } else { "" };
                    format!("{rule}{}{}\n", label(place), boxes(&row.replace('.', blank)))
                };
                let text: String = grid.iter().enumerate().map(row).collect();
                unread += usize::from(!is_read_of(&text, std::slice::from_ref(&grid)));
                let twice = [grid.clone(), grid.clone()];
                is_read_of(&format!("{text}\n{text}"), &twice);
                check_lines(&format!("{text}\n{text}"), &twice);
            }
        }
    }
    // Digits that all stand at the same place of their boxes may be those of cells.
    assert!(unread < 60, "{unread}");
    let nine = ["7     8  ", "    1    ", "  2      "].repeat(3);
    let row = |(place, row): (usize, &&str)| {
        format!("{} |{}|{}|{}|\n", place + 1, &row[..3], &row[3..6], &row[6..])
    };
    let text: String = nine.iter().enumerate().map(row).collect();
    assert_eq!(told_of(9, &text).all(), [nine.concat().replace(' ', ".")], "{text}");
}

#[test]
fn a_first_column_that_counts_is_one_of_cells_or_refused() {
    for (text, count) in [
        ("1|2| |4\n2| | |3\n3| |4| \n4| | |1\n", 1),
        ("|1|2| | |\n|2| | |3|\n|3| |4| |\n|4| | |1|\n", 1),
        ("1 |2 |  |\n2 |3 |  |\n3 |  |4 |\n4 |  |  |\n", 0),
    ] {
        assert_eq!(told(text).0.len(), count, "{text}{:?}", told(text));
    }
}

/// Rows without the spaces at their ends.
fn trimmed(grid: &[String; 4]) -> String {
    grid.iter().map(|row| row.replace('.', " ").trim_end().to_owned() + "\n").collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Where an editor has cut off spaces, short lines and empty ones are rows.
    #[test]
    fn what_is_left_of_rows_is_no_text(masks in masks(1..4), gap in 1_usize..4) {
        let grids: Vec<[String; 4]> = masks.into_iter().map(masked).collect();
        let text = grids.iter().map(trimmed).collect::<Vec<_>>().join(&"\n".repeat(gap));
        is_read_of(&text, &grids);
        // An empty row in a grid that lost a line, too, may be taken for the space between two.
        if grids.iter().flatten().all(|row| row != "....") {
            check_lines(&text, &grids);
        }
    }

    /// Lines that end twice are the same as lines that end once.
    #[test]
    fn an_empty_line_behind_each_is_none(masks in masks(1..6), gap in 0_usize..2, tabs in any::<bool>(), zeros in any::<bool>()) {
        let delimiter = if tabs { "\t" } else { "," };
        let grids: Vec<[String; 4]> = masks.into_iter().map(masked).collect();
        let row = |row: &String| apart(row, delimiter, if zeros { "0" } else { "" }) + "\n";
        let grid = |grid: &[String; 4]| grid.each_ref().map(row).concat();
        let text = grids.iter().map(grid).collect::<Vec<_>>().join(&"\n".repeat(gap));
        let doubled = text.replace('\n', "\n\n");
        prop_assert_eq!(told(&text), told(&doubled), "{}", text);
        prop_assert_eq!(told(&text), told(&text.replace('\n', "\r\n\r\n")), "{}", text);
        // What is half empty is no puzzle, and its empty rows may be space.
        if grids.iter().flat_map(|grid| grid.chunks(2)).all(|band| band.concat() != "........") {
            is_read_of(&doubled, &grids);
        }
    }
}

#[test]
fn whole_grids_of_which_spaces_are_cut_off_are_read() {
    let grid = GRIDS[0].map(String::from);
    let (rows, bands) = (trimmed(&grid), trimmed(&grid).replacen("12\n", "12\n\n", 1));
    for (text, count) in [
        (rows.clone(), 1),
        (format!("{rows}\n{rows}"), 2),
        (bands.clone(), 1),
        (format!("{bands}\n\n{bands}"), 2),
    ] {
        assert_eq!(told(&text), (vec![GRIDS[0].concat(); count], 0), "{text}");
    }
    // The second grid may be whole, and the first lack a row.
    let text = " 4\n 1 2\n  1\n\n\n   1\n  3\n 12\n3\n";
    assert!(told(text).0.is_empty() && told(text).1 > 0, "{:?}", told(text));
}
