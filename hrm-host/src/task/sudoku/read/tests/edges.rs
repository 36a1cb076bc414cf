//! Grids that begin or end with an empty row, and lines beside grids that may be what is left of a row.

use super::*;

/// Puzzles with one solution each: none has an empty row, or the first, or the last.
pub(super) const FOUR: [[&str; 4]; 3] =
    [["3...", "..1.", ".4..", "...2"], ["....", "..23", "1...", "3..4"], ["3..4", "1...", "..23", "...."]];
pub(super) const NINE: [[&str; 9]; 2] = [
    [
        "...7..4..",
        ".2...1.7.",
        "....8...2",
        ".9...6.25",
        "6...7...8",
        ".532...1.",
        "4...9....",
        ".3..6..9.",
        "2..4.7...",
    ],
    [
        ".........",
        ".....3.85",
        "..1.2....",
        "...5.7...",
        "..4...1..",
        ".9.......",
        "5......73",
        "..2.1....",
        "....4...9",
    ],
];

/// Ways to draw a row whose blanks are not written.
const DRAWN: [fn(&str) -> String; 3] = [
    |row| fields(row),
    |row| fields(row).replace(',', "\t"),
    |row| format!("| {} |", fields(row).split(',').map(|f| format!("{f:1}")).collect::<Vec<_>>().join(" | ")),
];

/// Whatever is missing, what is read is written in the text, or has one solution. Of the 9x9 nothing else is.
fn check(lines: &[String], written: &[String]) -> (Vec<String>, Vec<String>) {
    let side = if written[0].len() == 16 { 4 } else { 9 };
    let Told { rows: read, faults, .. } = told_of(side, &(lines.join("\n") + "\n"));
    for grid in &read {
        let is_known = written.contains(grid);
        assert!(is_known || doubt::has_one_solution(sudoku(side), grid), "{}\n{grid}", lines.join("\n"));
        assert!(is_known || side == 4, "{}\n{grid}", lines.join("\n"));
    }
    (read, faults)
}

/// As [`check`], with each line of `lines` missing, and without each of its delimiters; those of one grid broken
/// in two and cut off, too.
fn check_damaged(lines: &[String], written: &[String], by: char) {
    for place in 0..lines.len() {
        let with = |new: &[String]| [&lines[..place], new, &lines[place + 1..]].concat();
        check(&with(&[]), written);
        for at in lines[place].match_indices(by).map(|(at, _)| at) {
            let (before, behind) = (lines[place][..at].to_owned(), lines[place][at + 1..].to_owned());
            check(&with(&[format!("{before}{behind}")]), written);
            // What is left of a row between two grids may look like the number of the next.
            if written.len() == 1 {
                check(&with(&[before.clone(), behind.clone()]), written);
                check(&with(&[before]), written);
                check(&with(std::slice::from_ref(&behind)), written);
                // Cut at the head of the file, as well.
                check(&[&[behind][..], &lines[place + 1..]].concat(), written);
            }
        }
    }
}

#[test]
fn an_empty_row_never_fills_the_gap_of_one_that_was_lost() {
    let fours = FOUR.map(|grid| grid.to_vec());
    let nines = NINE.map(|grid| grid.to_vec());
    for (draw, by) in DRAWN.iter().zip([',', '\t', '|']) {
        let empty = |side: usize| draw(&".".repeat(side));
        let drawn = |grid: &[&str]| grid.iter().map(|row| draw(row)).collect::<Vec<_>>();
        for grid in fours.iter().chain(&nines) {
            let (read, faults) = check(&drawn(grid), &[grid.concat()]);
            assert!(read == [grid.concat()] && faults.is_empty(), "{grid:?}{faults:?}");
            // A spreadsheet leaves an empty row, above or below.
            let below = [drawn(grid), vec![empty(grid.len())]].concat();
            let above = [vec![empty(grid.len())], drawn(grid)].concat();
            check_damaged(&below, &[grid.concat()], by);
            check_damaged(&above, &[grid.concat()], by);
        }
        for (first, second) in (0..3).flat_map(|first| (0..3).map(move |second| (first, second))) {
            let written = [fours[first].concat(), fours[second].concat()];
            for between in [vec![], vec![String::new()], vec![empty(4)], vec![empty(4), String::new()]] {
                let lines = [drawn(&fours[first]), between.clone(), drawn(&fours[second]), between].concat();
                check_damaged(&lines, &written, by);
            }
        }
    }
}

#[test]
fn the_heading_of_the_next_table_is_no_row() {
    let draw = DRAWN[2];
    let head = |cells: usize| [draw(&".".repeat(cells)), format!("|{}", "---|".repeat(cells))];
    for (first, second) in (0..3).flat_map(|first| (0..3).map(move |second| (first, second))) {
        let table = |grid: usize| [head(4).to_vec(), FOUR[grid].map(draw).to_vec()].concat();
        let written = [FOUR[first].concat(), FOUR[second].concat()];
        let lines = [table(first), vec![String::new()], table(second)].concat();
        assert_eq!(check(&lines, &written), (written.to_vec(), Vec::new()), "{lines:?}");
        check_damaged(&lines, &written, '|');
        // Its last rows, and the blank line behind them.
        for lost in 1..4 {
            let lacking = [table(first)[..6 - lost].to_vec(), table(second)].concat();
            let (read, faults) = check(&lacking, &written);
            assert!(
                (first == 1 && lost == 3 || !faults.is_empty())
                    && read.iter().all(|grid| written.contains(grid)),
                "{lacking:?}{read:?}"
            );
        }
    }
    // The rule and the first row.
    let lost = [vec![head(4)[0].clone()], FOUR[0][1..].iter().map(|row| draw(row)).collect()].concat();
    check(&lost, &[FOUR[0].concat()]);
}

#[test]
fn a_grid_that_may_lack_a_row_is_told_with_the_line() {
    let lines = |rows: &[&str]| rows.iter().map(|row| fields(row) + "\n").collect::<String>();
    let mut lost = NINE[0].to_vec();
    lost.remove(7);
    lost.push(".........");
    let Told { rows: read, faults, .. } = told_of(9, &lines(&lost));
    assert!(read.is_empty() && faults.len() == 1 && faults[0].contains("would be the last"), "{faults:?}");
    lost.rotate_right(1);
    let Told { rows: read, faults, .. } = told_of(9, &lines(&lost));
    assert!(read.is_empty() && faults.len() == 1 && faults[0].contains("would be the first"), "{faults:?}");
    let rest = [&NINE[1][1..], &["........."]].concat();
    let Told { rows: read, faults, .. } = told_of(9, &format!(",,,,,,,\n{}", lines(&rest)));
    assert!(read.is_empty() && faults.len() == 1 && faults[0].starts_with("1: 8 cells"), "{faults:?}");
    // A puzzle with one solution lacks nothing.
    for text in [format!(",,\n{}", lines(&FOUR[1])), format!("{}\n,,\n", lines(&FOUR[0]))] {
        let Told { rows: read, faults, .. } = told_of(4, &text);
        assert!(read.len() == 1 && faults.is_empty(), "{text}{faults:?}");
    }
}

#[test]
fn boards_of_programs_are_read() {
    let cells = |row: &str, quote: &str, blank: &str| {
        row.chars()
            .map(|c| format!("{quote}{}{quote}", c.to_string().replace('.', blank)))
            .collect::<Vec<_>>()
            .join(", ")
    };
    for (side, grid) in [(4, FOUR[0].to_vec()), (9, NINE[0].to_vec())] {
        for (head, quote, blank) in [
            ("char b[9][9] = {", "'", "."),
            ("char[][] board = new char[][]{", "'", "."),
            ("vector<vector<char>> board = {", "'", "0"),
            ("vector<vector<string>> board{", "\"", "."),
            ("int[][] grid = {", "", "0"),
        ] {
            let rows: Vec<String> =
                grid.iter().map(|row| format!("    {{{}}}", cells(row, quote, blank))).collect();
            for rows in [rows.join(",\n"), rows.join(",\n").replace(", ", ",")] {
                let text = format!("{head}\n{rows}\n}};\n");
                assert_eq!(told_of(side, &text).all(), [grid.concat()], "{text}");
                assert_eq!(task_of_text(&text), Some(sudoku(side)), "{text}");
            }
        }
        let rows: Vec<String> = grid.iter().map(|row| format!("  [{}],", cells(row, "", "0"))).collect();
        for code in [
            "solve(board)",
            "print(solve(board))",
            "print(board[0][1])",
            "for i in range(9):\n    print(board[i])",
            "if __name__ == \"__main__\":\n    main()",
            "x = board[0][0]",
        ] {
            let text = format!("import numpy as np\n\nboard = [\n{}\n]\n\n{code}\n", rows.join("\n"));
            assert_eq!(told_of(side, &text).all(), [grid.concat()], "{text}");
        }
    }
}

#[test]
fn a_character_is_counted_in_a_text_that_is_quoted() {
    let puzzle = FOUR[0].concat();
    for (text, told) in [
        (format!("https://example.org/?s={puzzle}\n"), "a link"),
        (format!("12:00 INFO puzzle={puzzle}\n"), &format!("in \"puzzle={puzzle}\": character 1 is 'p'")),
        (format!("a{}\n", &puzzle[1..]), "character 1 is 'a'"),
        (format!("1{}\n", ".".repeat(14)), "16 characters expected and 15 found"),
    ] {
        let Told { rows: read, faults, .. } = told_of(4, &text);
        assert!(
            read.is_empty() && faults.len() == 1 && faults[0].starts_with(&format!("1: {told}")),
            "{text}{faults:?}"
        );
    }
}
