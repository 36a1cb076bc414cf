//! Rows of a spreadsheet, whatever parts and quotes their cells, and whichever begin with an empty one.

use super::*;

/// How a digit and a blank are written.
const CELLS: [(&str, &str); 3] = [("", ""), ("\"", ""), ("\"", "\"\"")];

fn row(cells: &str, (quote, blank): (&str, &str), delimiter: char) -> String {
    let cell = |c: char| if c == '.' { blank.to_owned() } else { format!("{quote}{c}{quote}") };
    cells.chars().map(cell).collect::<Vec<_>>().join(&delimiter.to_string())
}

/// A puzzle of `side` rows of which those in the bits of `open` begin with a blank, and the `empty` one has
/// no digit.
fn puzzle_with(side: usize, open: usize, empty: Option<usize>) -> Vec<String> {
    let blank = |row: usize, column: usize| match column {
        _ if empty == Some(row) => true,
        0 => open >> row & 1 == 1,
        _ => (row + column).is_multiple_of(2) && column + 1 < side,
    };
    let cell = |row: usize, (column, c): (usize, char)| if blank(row, column) { '.' } else { c };
    let row = |(row, cells): (usize, String)| cells.chars().enumerate().map(|c| cell(row, c)).collect();
    complete(side).into_iter().enumerate().map(row).collect()
}

#[test]
fn rows_that_begin_with_a_delimiter_are_no_comments() {
    for (side, open) in [4, 6, 9].into_iter().flat_map(|side| (0..1 << side).map(move |open| (side, open))) {
        if side == 9 && open % 15 > 1 && open != 511 {
            continue;
        }
        for empty in [None, Some(1), Some(side - 2)] {
            let grids = [puzzle_with(side, open, empty), puzzle_with(side, open, None)];
            for (delimiter, cells) in
                [';', ',', '\t'].into_iter().flat_map(|by| CELLS.map(|cells| (by, cells)))
            {
                let draw = |rows: &Vec<String>| -> String {
                    rows.iter().map(|cells_of| row(cells_of, cells, delimiter) + "\n").collect()
                };
                let text = grids.iter().map(draw).collect::<Vec<_>>().join("\n");
                let expected = Told::only(grids.each_ref().map(|rows| rows.concat()).to_vec());
                assert_eq!(told_of(side, &text), expected, "{text}");
                assert_eq!(task_of_text(&text), Some(sudoku(side)), "{text}");
                let list: String =
                    grids.iter().map(|rows| row(&rows.concat(), cells, delimiter) + "\n").collect();
                assert_eq!(told_of(side, &list), expected, "{list}");
            }
        }
    }
}

#[test]
fn no_row_is_lost_as_a_comment_without_a_word() {
    let rows = [".2.4", "3..1", ".1.3", "4..2"];
    for (place, lost) in (0..8).flat_map(|place| [(place, 1), (place, 3)]) {
        let draw = |(at, cells): (usize, &&str)| {
            let drawn = row(cells, ("\"", ""), ';');
            if at == place {
                drawn.splitn(5 - lost, ';').collect::<Vec<_>>()[..4 - lost].join(";")
            } else {
                drawn
            }
        };
        let text = rows.iter().chain(&rows).enumerate().map(draw).collect::<Vec<_>>().join("\n");
        let Told { rows: read, faults, passed, .. } = told_of(4, &text);
        assert!(
            read.len() < 2
                && read.iter().all(|grid| *grid == rows.concat())
                && faults.len() + passed.len() > 0,
            "{text}\n{read:?}"
        );
    }
    // What is put in comments is told, and a remark is none.
    for mark in ["; ", "# ", "// ", "%"] {
        let text = format!("{mark}{}\n{}\n{mark}see 17, too\n", GRIDS[0].concat(), GRIDS[1].concat());
        let told = told_of(4, &text);
        assert_eq!((told.passed.len(), told.all()), (1, vec![GRIDS[1].concat()]), "{text}");
    }
    let text = format!("; made by hand\n{}", GRIDS[0].map(|cells| row(cells, ("", ""), ';') + "\n").concat());
    assert_eq!(told_of(4, &text), Told::only(vec![GRIDS[0].concat()]), "{text}");
}
