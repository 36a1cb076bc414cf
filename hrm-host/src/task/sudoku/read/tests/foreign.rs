//! Grids between the marks of other languages, below decorated titles, with labels and numbers on two sides.

use super::*;

/// Reads `text`, which holds `rows` so many times, in both ends of lines.
fn check(rows: &[String], count: usize, text: &str) {
    let side = rows.len();
    for text in [text.to_owned(), text.replace('\n', "\r\n")] {
        assert_eq!(task_of_text(&text), Some(sudoku(side)), "{text}");
        assert_eq!(told_of(side, &text).all(), vec![rows.concat(); count], "{text}");
    }
}

fn each_side(check: impl Fn(&[String])) {
    for (side, empty) in [4, 6, 9].into_iter().flat_map(|side| [(side, &[][..]), (side, &[1])]) {
        check(&puzzle(side, empty));
    }
}

fn lines(rows: &[String], draw: impl Fn(usize, &str) -> String) -> String {
    rows.iter().enumerate().map(|(place, row)| draw(place, row) + "\n").collect()
}

#[test]
fn puzzles_are_read_between_tags() {
    each_side(|rows| {
        let plain = lines(rows, |_, row| row.to_owned());
        for tag in ["code", "CODE", "pre", "quote=joe"] {
            let end = tag.split('=').next().unwrap();
            for (text, count) in [
                (format!("[{tag}]\n{plain}[/{end}]\n"), 1),
                (format!("[{tag}]{plain}[/{end}]\n"), 1),
                (
                    format!(
                        "Try this one:\n[{tag}]\n{plain}[/{end}]\nand this one:\n[{tag}]\n{plain}[/{end}]\n"
                    ),
                    2,
                ),
                (format!("[{tag}]{}[/{end}]\n", rows.concat()), 1),
            ] {
                check(rows, count, &text);
            }
        }
        check(rows, 1, &format!("```text\n{plain}```\n"));
        // A section is no tag.
        assert!(told_of(rows.len(), &format!("[code]\n{plain}")).all()[0].contains("[code]"));
    });
}

#[test]
fn titles_may_be_decorated_or_dates() {
    let titles = [
        "== 1 ==",
        "=== Puzzle 1 ===",
        "--- Puzzle 3 ---",
        "*** hard ***",
        "~~ 3 ~~",
        "--- 12 ---",
        "2024-05-01",
        "01/05/2024",
        "2024/05/01",
        "01.05.2024",
        "1 May 2024",
        "--- 2024-05-01 ---",
        ">> hard <<",
        "(3)",
    ];
    each_side(|rows| {
        for title in titles {
            let plain = lines(rows, |_, row| row.to_owned());
            check(rows, 2, &format!("{title}\n{plain}\n{title}\n{plain}"));
            check(rows, 2, &format!("{title}\n{0}\n{title}\n{0}\n", rows.concat()));
            // A title is no row.
            let lacking = plain.split_once('\n').unwrap().1;
            assert!(
                told_of(rows.len(), &format!("{title}\n{lacking}"))
                    .all()
                    .iter()
                    .all(|told| told.contains(": "))
            );
        }
    });
}

const LABELS: [fn(usize) -> String; 4] = [
    |row| char::from(b'A' + row as u8).to_string(),
    |row| char::from(b'a' + row as u8).to_string(),
    |row| format!("r{}", row + 1),
    |row| (row + 1).to_string(),
];

#[test]
fn tables_may_have_labels_on_two_sides() {
    each_side(|rows| {
        let side = rows.len();
        for (label, blank) in LABELS.iter().flat_map(|label| [" ", "."].map(|blank| (label, blank))) {
            for name in [|column: usize| (column + 1).to_string(), |column| format!("c{}", column + 1)] {
                let head: String = (0..side).map(|column| format!(" {} |", name(column))).collect();
                let table =
                    lines(rows, |row, cells| format!("| {} | {} |", label(row), apart(cells, " | ", blank)));
                check(rows, 1, &format!("|   |{head}\n|{}\n{table}", "---|".repeat(side + 1)));
            }
        }
        for word in ["row ", "Row ", "row"] {
            check(
                rows,
                1,
                &lines(rows, |row, cells| format!("{word}{}: {}", row + 1, apart(cells, " ", "0"))),
            );
            check(rows, 1, &lines(rows, |row, cells| format!("{word}{}: {cells}", LABELS[0](row))));
        }
    });
}

#[test]
fn a_heading_tells_where_cells_stand() {
    let draw: [fn(&str, &str) -> String; 5] = [
        |row, _| format!(" {row}"),
        |row, blank| format!(" {}", apart(row, " ", blank)),
        |row, blank| format!("  {}", apart(row, "   ", blank)),
        |row, blank| format!(" | {} |", apart(row, " ", blank)),
        |row, blank| format!("| {} |", apart(row, " | ", blank)),
    ];
    each_side(|rows| {
        let side = rows.len();
        for ((label, draw), names) in LABELS
            .iter()
            .flat_map(|label| draw.iter().map(move |draw| (label, draw)))
            .flat_map(|case| ["123456789", "ABCDEFGHI"].map(|names| (case, names)))
        {
            let heading = " ".repeat(label(0).len()) + &draw(&names[..side], "").replace('|', " ");
            let grid =
                heading + "\n" + &lines(rows, |row, cells| label(row) + &draw(&cells.replace('.', " "), " "));
            check(rows, 1, &grid);
            check(rows, 2, &format!("{grid}\n{grid}"));
            // A line of sixteen characters may be a puzzle of its own.
            if side == 4 && grid.lines().any(|line| line.len() > 15) {
                continue;
            }
            // What is no longer below its number is no other cell.
            for at in grid
                .match_indices(|c: char| c != '\n')
                .map(|(at, _)| at)
                .filter(|at| *at > grid.find('\n').unwrap())
            {
                let damaged = grid[..at].to_owned() + &grid[at + 1..];
                let told = told_of(side, &damaged).all();
                assert!(
                    told.iter().all(|told| *told == rows.concat() || told.contains(": ")),
                    "{damaged}{told:?}"
                );
            }
        }
    });
}

#[test]
fn tables_of_latex_are_read() {
    each_side(|rows| {
        let row = |end: &'static str| move |_: usize, cells: &str| apart(cells, " & ", "") + end;
        let ruled = |rule: &str| {
            let line = |place: usize, cells: &str| {
                apart(cells, " & ", "") + r" \\" + if place % 2 == 1 { rule } else { "" }
            };
            lines(rows, line)
        };
        for text in [
            lines(rows, row(r" \\")),
            lines(rows, row(r" \\ \hline")),
            lines(rows, row(r" \\ \hline\hline")),
            format!(
                "\\begin{{tabular}}{{|c|c|}}\n\\hline\n{}\\end{{tabular}}\n",
                lines(rows, row(r" \\ \hline"))
            ),
            ruled("\\hline"),
            lines(rows, |_, cells| format!("|{}|.", apart(cells, "|", " "))),
            format!(
                "\\begin{{sudoku}}\n{}\\end{{sudoku}}\n",
                lines(rows, |_, cells| format!("|{}|.", apart(cells, "|", " ")))
            ),
        ] {
            check(rows, 1, &text);
        }
    });
}

#[test]
fn arrays_are_read_as_tuples_and_as_r_matlab_and_numpy_have_them() {
    each_side(|rows| {
        let side = rows.len();
        let numbers: Vec<String> = rows.iter().map(|row| apart(row, ",", "0")).collect();
        let (all, spaced) =
            (numbers.join(","), numbers.iter().map(|row| row.replace(',', " ")).collect::<Vec<_>>());
        for text in [
            format!("(({}))\n", numbers.join("),\n (")),
            format!("grid = (({}))\n", numbers.join("), (")),
            format!("({}),\n", numbers.join("),\n(")),
            format!("import numpy as np\n\ngrid = np.array([[{}]], dtype=int)\n", numbers.join("],\n [")),
            format!("m <- matrix(c({all}), nrow={side}, byrow=TRUE)\n"),
            format!("matrix(c({}), nrow = {side}, ncol = {side}, byrow = TRUE)\n", numbers.join(",\n")),
            format!("matrix(c({all}), {side}, {side}, byrow=T)\n"),
            format!("rbind(c({}))\n", numbers.join("),\nc(")),
            format!("A = [{}];\n", spaced.join("; ...\n ")),
            format!("[{}]\n", spaced.join(";\n ")),
        ] {
            check(rows, 1, &text);
        }
        let columns = told_of(side, &format!("matrix(c({all}), nrow={side})\n")).all();
        assert!(columns.len() == 1 && columns[0].contains("byrow=TRUE"), "{columns:?}");
    });
}
