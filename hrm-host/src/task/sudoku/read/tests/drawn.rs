//! Rows that may be empty, headings and numbers, in every drawing.

use super::super::lines;
use super::*;

/// What is told of a text of 4x4 grids: `line cells`, or `line: why`.
fn told(text: &str) -> Vec<String> {
    let mut told = Vec::new();
    lines::visit(text, sudoku(4), &mut |item| match item {
        Item::Row(row) => told.push(format!("{} {}", row.line, row.question.replace('0', "."))),
        Item::Fault(fault) => told.push(format!("{}: {}", fault.line, fault.problem)),
        Item::Passed { .. } | Item::EmptyEdge { .. } => {}
    });
    told
}

/// A grid with its `empty` rows empty, as cells.
fn rows_of(empty: &[usize]) -> Vec<String> {
    let row = |index: usize| {
        if empty.contains(&index) { "...." } else { GRIDS[0][index] }
    };
    (0..4).map(|index| row(index).to_owned()).collect()
}

/// Rows whose blanks are empty fields.
fn delimited(rows: &[String], delimiter: &str) -> String {
    rows.iter().map(|row| apart(row, delimiter, "") + "\n").collect()
}

#[test]
fn an_empty_row_is_a_row_at_every_place_and_in_every_drawing() {
    let drawings: [fn(&[String]) -> String; 9] = [
        |rows| delimited(rows, ","),
        |rows| delimited(rows, ";"),
        |rows| delimited(rows, "\t"),
        |rows| delimited(rows, " & "),
        |rows| rows.iter().map(|row| row.replace('.', " ") + "\n").collect(),
        |rows| rows.iter().map(|row| row.replace('.', "-") + "\n").collect(),
        |rows| rows.iter().map(|row| format!("|{}|\n", row.replace('.', " "))).collect(),
        |rows| {
            let rows: Vec<String> =
                rows.iter().map(|row| format!("|{}|{}|\n", &row[..2], &row[2..]).replace('.', " ")).collect();
            format!("+--+--+\n{}+--+--+\n{}+--+--+\n", rows[..2].concat(), rows[2..].concat())
        },
        |rows| {
            let row = |row: &str| format!("|{}|\n", row.trim_end());
            let rows: String = delimited(rows, "|").lines().map(row).collect();
            format!("|||||\n|--|--|--|--|\n{rows}")
        },
    ];
    for (index, draw) in drawings.into_iter().enumerate() {
        for empty in [&[][..], &[0], &[1], &[2], &[3], &[0, 1], &[1, 2], &[2, 3], &[0, 2]] {
            let (grid, text) = (rows_of(empty).concat(), draw(&rows_of(empty)));
            let same = |told: &[String]| {
                told.iter().all(|told| told.replace('-', ".").ends_with(&format!(" {grid}")))
            };
            for (text, grids) in [
                (text.clone(), 1),
                (text.replace('\n', "\r\n"), 1),
                (format!("{text}{text}{text}"), 3),
                (format!("{text}\n{text}\n{text}"), 3),
                (format!("Grid 1\n{text}Grid 2\n{text}"), 2),
            ] {
                let told = told(&text);
                // A grid is never another one; where it is not clear, that is told.
                let refused = told.iter().any(|told| told.contains(": "));
                assert!(refused || told.len() == grids && same(&told), "{index}\n{text}\n{told:?}");
                // Grids that touch may as well be apart, and lack a row each.
                let touching = text.lines().count() == 12;
                // Or be fewer, whose bands stand apart.
                let edge = empty.contains(&0) || touching && (empty.contains(&3) || empty == [1, 2]);
                let clear = (grids == 1 || index < 3 && !edge) && !is_doubtful(&rows_of(empty));
                assert!(!refused || !clear, "{index}\n{text}\n{told:?}");
            }
        }
    }
}

#[test]
fn an_empty_row_between_grids_is_space_or_the_block_is_refused() {
    for delimiter in [",", ";", "\t"] {
        let space = delimiter.repeat(3) + "\n";
        let grid = |empty: &[usize]| delimited(&rows_of(empty), delimiter);
        let text = format!("{}{space}{}{space}{}{space}", grid(&[2]), grid(&[1]), grid(&[2]));
        let expected: Vec<String> = [(1, 2), (6, 1), (11, 2)]
            .map(|(line, empty)| format!("{line} {}", rows_of(&[empty]).concat()))
            .into();
        assert_eq!(told(&text), expected);
        assert_eq!(told(&text.replace('\n', "\r\n")), expected);
        // Two grids: no puzzle is half empty.
        let two = format!("{}{space}{space}{}{space}{space}", grid(&[]), grid(&[]));
        assert_eq!(told(&two), [1, 7].map(|line| format!("{line} {}", rows_of(&[]).concat())), "{two}");
        // The first grid may begin, or end, with an empty row.
        let text = format!("{}{space}", grid(&[0]));
        assert!(told(&text)[0].starts_with("1: this row is empty"), "{text}");
    }
    assert_eq!(told(",,,\n;;;\n"), [""; 0]);
}

#[test]
fn grids_of_which_one_lacks_a_row_are_never_read_shifted() {
    let right = GRIDS.map(|grid| grid.concat());
    for (count, space) in [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (3, 3)] {
        for (lacking, row, again) in (0..count * 8).map(|case| (case / 8, case % 4, case % 8 > 3)) {
            let mut lines: Vec<String> = Vec::new();
            for (index, grid) in GRIDS.iter().enumerate().take(count) {
                let mut rows: Vec<String> = grid.iter().map(|row| fields(row)).collect();
                if index == lacking && again {
                    rows.insert(row, rows[row].clone());
                } else if index == lacking {
                    rows.remove(row);
                }
                lines.extend(rows);
                lines.extend(std::iter::repeat_n(",,,".to_owned(), space));
            }
            for trailing in 0..=space {
                let text = lines[..lines.len() - trailing].join("\n");
                let told = told(&text);
                let wrong = |told: &String| {
                    let (_, cells) = told.split_once(' ').unwrap();
                    !told.contains(": ") && !right.iter().any(|right| right == cells)
                };
                // One grid alone whose last row is empty is what it looks like.
                let one = count == 1 && lines.len() - trailing == 4;
                let refused = told.iter().any(|told| told.contains(": "));
                assert!(one || refused || !told.iter().any(wrong), "{text}\n{told:?}");
            }
        }
    }
}

#[test]
fn a_heading_of_numbers_is_no_row() {
    let plain = "3 4 . .\n4 . . .\n. . . .\n. . 4 .\n";
    let fields = "3,4,,\n4,,,\n,,,\n,,4,\n";
    let labelled = "A 3 4 . .\nB 4 . . .\nC . . . .\nD . . 4 .\n";
    let table = "| 3 | 4 |   |   |\n| 4 |   |   |   |\n|   |   |   |   |\n|   |   | 4 |   |\n";
    for text in [
        format!("  1 2 3 4\n{plain}"),
        format!("  1 2 3 4\n{labelled}"),
        format!("  1 2 3 4\n\n{labelled}"),
        format!("  A B C D\n{labelled}"),
        format!("1,2,3,4\n{fields}"),
        format!("0,1,2,3\n{fields}"),
        format!("| 1 | 2 | 3 | 4 |\n|---|---|---|---|\n{table}"),
        format!("4 4\n{plain}"),
        format!("2 2\n{plain}"),
        format!("4x4\n{plain}"),
        plain.replacen("3 4 . .", "3 4 . . # hard", 1),
    ] {
        let told = told(&text);
        assert!(told.len() == 1 && told[0].ends_with(" 34..4.........4."), "{text}\n{told:?}");
    }
    // Twice, and where it is a row.
    let both = told(&format!("1,2,3,4\n{fields}\n1,2,3,4\n{fields}"));
    assert_eq!(both, ["2 34..4.........4.", "8 34..4.........4."]);
    assert_eq!(told("1234\n3412\n2143\n4321\n"), ["1 1234341221434321"]);
    assert_eq!(told("1234\n3412\n2143\n4321\n3412\n1234\n2143\n4321\n").len(), 2);
}

#[test]
fn lines_that_can_be_taken_in_two_ways_are_refused() {
    let numbers = "4,,,\n,,1,2\n4,,,3\n,1,,\n";
    for text in [
        // An empty row between bands and an empty last row; the other way round; several times; a number.
        "4,,,\n,,3,4\n,,,\n,,1,3\n,,,\n".to_owned(),
        ",,,\n,,3,4\n,,,\n,,1,3\n4,,,\n".to_owned(),
        "4,,,\n,,3,4\n,,,\n,,1,3\n,,,\n".repeat(3),
        "1,,,\n,,3,4\n3,,,\n,,1,3\n,,,\n".to_owned(),
        // A heading in the place of a row, and rows without their labels.
        format!("1,2,3,4\n{numbers}\nGrid 2\n1,2,3,4\n,,1,2\n4,,,3\n,1,,\n"),
        format!("1,2,3,4\n,,1,2\n4,,,3\n,1,,\n\nGrid 2\n1,2,3,4\n{numbers}"),
    ] {
        let told = told(&text);
        assert!(told.iter().any(|told| told.contains(": ")), "{text}\n{told:?}");
        assert!(
            told.iter().all(|told| told.contains(": ") || told.ends_with(" 4.....124..3.1..")),
            "{told:?}"
        );
    }
    for labels in
        [["A", "B", "D", "E"], ["R1", "R2", "R4", "R3"], ["1:", "2:", "2:", "3:"], ["A", "B", "", "C"]]
    {
        let text: String =
            labels.iter().zip(rows_of(&[])).map(|(label, row)| format!("{label} {row}\n")).collect();
        assert!(told(&text).iter().all(|told| told.contains("label")), "{text}{:?}", told(&text));
    }
}

#[test]
fn a_line_that_is_drawn_otherwise_than_the_rows_is_no_row() {
    let rows: String = rows_of(&[]).iter().enumerate().fold(String::new(), |text, (place, row)| {
        text + if place == 2 { ",,,\n" } else { "" } + &apart(row, ",", ".") + "\n"
    });
    let grid = rows_of(&[]).concat();
    assert_eq!(told(&rows), [format!("1 {grid}")]);
    assert_eq!(told(&format!("{rows},,,\n{rows}")).len(), 2);
    // A tight rule below dashes that stand apart.
    let three = "- - - 4\n- 2 - -\n3 - - -\n----\n";
    assert!(told(three)[0].starts_with("1: the grid that begins here has 3 rows"), "{:?}", told(three));
    let four = format!("- - - 4\n{three}").replace("3 -", "3 1");
    assert_eq!(told(&four).len(), 1);
    assert!(told(";;;\n3,4,,\n,,1,2\n4,,,3\n").iter().all(|told| told.contains(": ")));
}
