//! Numbers in front of rows and lines.

use super::*;

/// Ways to write a row behind its number.
const NUMBERED: [fn(usize, &str) -> String; 17] = [
    |n, row| format!("{n}: {}", row.replace('.', " ")),
    |n, row| format!("{n}: {}", row.replace('.', " ")).trim_end().to_owned(),
    |n, row| format!("{n}) {}", row.replace('.', " ")),
    |n, row| format!("{n}:{}", row.replace('.', " ")),
    |n, row| format!("{n}. {}", row.replace('.', " ")),
    |n, row| format!("{n}. {row}"),
    |n, row| format!("{n}. {}", apart(row, " ", "_")),
    |n, row| format!("{n} {row}"),
    |n, row| format!("{n:>2}  {}", apart(row, " ", "0")),
    |n, row| format!("{n} | {}", apart(row, " ", ".")),
    |n, row| format!("{n} │ {}", apart(row, " ", "_")),
    |n, row| format!("{n}\t{row}"),
    |n, row| format!("{n}\t{}", row.replace('.', " ")),
    |n, row| format!("{n},{}", apart(row, ",", "")),
    |n, row| format!("{n};{}", apart(row, ";", "0")),
    |n, row| format!("{n}\t{}", apart(row, "\t", "")),
    |n, row| format!("{n}\t{}", apart(row, "\t", "NaN")),
];

#[test]
fn rows_are_read_behind_their_numbers() {
    for (side, empty) in
        [4, 6, 9].into_iter().flat_map(|side| [(side, &[][..]), (side, &[2]), (side, &[0, 3])])
    {
        let rows = puzzle(side, empty);
        for (index, draw) in NUMBERED.iter().enumerate() {
            let grid = |first: usize| -> String {
                rows.iter().enumerate().map(|(place, row)| draw(place + first, row) + "\n").collect()
            };
            let both = vec![rows.concat(); 2];
            for first in [0, 1] {
                let text = grid(first);
                assert_eq!(task_of_text(&text), Some(sudoku(side)), "{index} {text}");
                assert_eq!(told_of(side, &text).all(), both[1..], "{index} {text}");
                let titled = format!("Grid 1\n{text}\nGrid 2\n{text}");
                assert_eq!(told_of(side, &titled).all(), both, "{index} {titled}");
                assert_eq!(told_of(side, &text.replace('\n', "\r\n")).all(), both[1..], "{index} {text}");
            }
            for label in [|n: usize| format!("R{n}"), |n: usize| char::from(b'@' + n as u8).to_string()] {
                let text: Vec<String> = grid(1)
                    .lines()
                    .zip(1..)
                    .map(|(line, n)| line.replacen(&n.to_string(), &label(n), 1))
                    .collect();
                assert_eq!(told_of(side, &(text.join("\n") + "\n")).all(), both[1..], "{index} {text:?}");
            }
            // The numbers go on.
            let text = format!("{}\n{}", grid(1), grid(side + 1));
            assert_eq!(told_of(side, &text).all(), both, "{index} {text}");
            let heading = format!("    {}\n{}", apart(&"123456789"[..side], " ", ""), grid(1));
            assert_eq!(told_of(side, &heading).all(), both[1..], "{index} {heading}");
        }
    }
}

#[test]
fn numbers_of_all_lines_are_no_cells_whatever_stands_behind_them() {
    let grids = |side: usize| {
        let rows = puzzle(side, &[]);
        let bare: String = rows.iter().map(|row| row.replace('.', " ") + "\n").collect();
        let rule = format!("+{}\n", "---+".repeat(side));
        let framed: String =
            rows.iter().map(|row| format!("| {} |\n{rule}", apart(row, " | ", " "))).collect();
        [
            rows.join("\n") + "\n",
            bare,
            format!("{rule}{framed}"),
            format!("Grid 1\n{}\n\n# x\n", rows.join("\n")),
        ]
    };
    for (side, text) in [4, 6, 9].into_iter().flat_map(|side| grids(side).map(|text| (side, text))) {
        let twice = format!("{text}\n{text}");
        let lines = || (1..).zip(twice.lines());
        let cat: String = lines().map(|(n, line)| format!("{n:>6}\t{line}\n")).collect();
        let from = cat.replace("     1\t", "    70\t");
        let mut count = 0;
        let number = |line: &str| {
            count += usize::from(!line.is_empty());
            if line.is_empty() { "       \n".to_owned() } else { format!("{count:>6}\t{line}\n") }
        };
        let filled: String = twice.lines().map(number).collect();
        for numbered in [&cat, &filled] {
            assert_eq!(task_of_text(numbered), Some(sudoku(side)), "{numbered}");
            assert_eq!(told_of(side, numbered).all(), vec![puzzle(side, &[]).concat(); 2], "{numbered}");
        }
        assert!(told_of(side, &from).all()[0].starts_with("2: these lines are numbered"), "{from}");
        let lost: String = cat
            .lines()
            .filter(|line| !line.starts_with("     3\t"))
            .map(|line| line.to_owned() + "\n")
            .collect();
        assert!(told_of(side, &lost).all()[0].starts_with("3: these lines are numbered"), "{lost}");
        assert_eq!(told_of(side, &lost).all().len(), 1);
    }
}

#[test]
fn cells_that_count_are_no_numbers_of_rows() {
    for (text, read) in [
        ("1 2 . 4\n2 . . .\n3 4 . .\n4 . . 1\n", Some("12.42...34..4..1")),
        ("1 | 2 . 4\n2 | . . .\n3 | 4 . .\n4 | . . 1\n", Some("12.42...34..4..1")),
        ("1\t2\t\t4\n2\t\t\t\n3\t4\t\t\n4\t\t\t1\n", Some("12.42...34..4..1")),
        ("1,2,,4\n2,,,\n3,4,,\n4,,,1\n", Some("12.42...34..4..1")),
        ("1. 24\n2. .3\n3. 1.\n4. .1\n", Some("1.242..33.1.4..1")),
        ("1 34\n2 41\n3 12\n4 3 \n", Some("1.342.413.124.3.")),
        // Boxes, or rows whose blanks are spaces.
        ("1. 24\n2. 13\n3. 12\n4. 31\n", None),
        // Rows of four behind a number and a point are none of six.
        ("1. .234\n1. .234\n2. 3...\n3. 23..\n4. ....\n4. ....\n", None),
        ("1. ..3.\n2. ....\n3. ....\n4. ....\n1. 1...\n2. ....\n3 ..41\n4. ....\n", None),
        ("1\t123 \n2\t\t 41 2\n3\t 341\n4\t412 \n", None),
        // Numbers and an empty column, where a row is there twice.
        ("1,1,,2,\n2,,4,,\n3,,,,\n4,4,,2,\n4,4,,2,\n\n1,,,,\n2,3,,,\n3,,3,4,\n4,,1,,\n", None),
        ("     1\t1.34\n     1\t1.34\n     2\t34..\n     3\t2.4.\n", None),
        // A first column and an empty field behind the last, or numbers and an empty column.
        ("1,2,,4,\n2,,,,\n3,4,,,\n4,,,1,\n", None),
        ("1\t2\t\t4\t\n2\t\t\t\t\n3\t4\t\t\t\n4\t\t\t1\t\n", None),
        // A space behind the mark and an empty last column that was cut off, or an empty first column.
        ("1: 2 4\n2:  3\n3: 1\n4:   1\n", None),
        // Not all rows have a number, or the numbers do not count.
        ("1 12..\n2 ..34\n12..\n4 ..12\n", None),
        ("1 12..\n2 ..34\n2 ..34\n3 2...\n4 ..12\n", None),
        ("1,1,2,,\n2,,,3,4\n4,2,,,\n5,,,1,2\n", None),
    ] {
        let told = told_of(4, text).all();
        assert!(
            told.iter().all(|told| Some(&told[..]) == read || read.is_none() && told.contains(": ")),
            "{text}{told:?}"
        );
        assert!(!told.is_empty(), "{text}");
    }
}

#[test]
fn bars_may_stand_anywhere_where_they_stand_alike_in_all_rows() {
    for (side, at) in [4, 6, 9].into_iter().flat_map(|side| (1..side).map(move |at| (side, at))) {
        let rows = puzzle(side, &[1]);
        for (between, blank) in [(" ", "."), ("", "0"), (" ", "_")] {
            let row = |row: &String| {
                format!("{} | {}\n", apart(&row[..at], between, blank), apart(&row[at..], between, blank))
            };
            let text: Vec<String> = rows.iter().map(row).collect();
            assert_eq!(told_of(side, &text.concat()).all(), [rows.concat()], "{text:?}");
            for lost in 0..side {
                let mut lacking = text.clone();
                lacking[lost] = lacking[lost].replacen([' ', '|'], "", 1).replacen(blank, "", 1);
                let told = told_of(side, &lacking.concat()).all();
                assert!(
                    told.iter().all(|told| *told == rows.concat() || told.contains(": ")),
                    "{lacking:?}{told:?}"
                );
            }
        }
    }
}
