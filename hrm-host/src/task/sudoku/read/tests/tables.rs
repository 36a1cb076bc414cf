//! Tables: short rows, answers beside puzzles, headings drawn otherwise than rows, and what other programs
//! print.

use super::*;

/// Complete grids with the givens of [`GRIDS`], which are no true puzzles.
pub(super) const ANSWERS: [[&str; 4]; 3] =
    [["3421", "4312", "4123", "2134"], ["2431", "1234", "3412", "4123"], ["2143", "4321", "3241", "1432"]];

/// The puzzles and answers that are read, and how often something is refused.
pub(super) fn paired(text: &str) -> (Vec<(String, Option<String>)>, usize) {
    let (mut rows, mut faults) = (Vec::new(), 0);
    let task = sudoku(4);
    visit(task, text, &mut |item| match item {
        Item::Row(row) if parse(task, row.question, &mut [0; 16]).is_err() => faults += 1,
        Item::Row(row) => rows.push((row.question.replace('0', "."), row.answer.map(str::to_owned))),
        Item::Fault(fault) => {
            assert!(is_said_well(&fault.problem), "{text}{}", fault.problem);
            faults += 1;
        }
        Item::Passed { .. } | Item::EmptyEdge { .. } => {}
    });
    (rows, faults)
}

#[test]
fn a_row_that_lost_a_cell_is_never_filled_up() {
    let sheets: [fn(&str, usize) -> String; 5] = [
        |row, _| format!(",{row}"),
        |row, _| format!("{row},"),
        |row, _| format!(",,{row},"),
        |row, place| format!("{place},{row}"),
        |row, _| format!("{row},,{row}"),
    ];
    let texts = [&GRIDS[..1], &GRIDS, &[GRIDS[0], ANSWERS[0], GRIDS[1], ANSWERS[1]]];
    for (sheet, grids, blank) in sheets
        .iter()
        .enumerate()
        .flat_map(|sheet| texts.iter().flat_map(move |grids| ["0", "."].map(|blank| (sheet, grids, blank))))
    {
        let line = |(place, row): (usize, &&str)| sheet.1(&apart(row, ",", blank), place);
        let names = if sheet.0 == 3 { ",a,b,c,d\n" } else { "" };
        let text: Vec<String> =
            grids.iter().flat_map(|grid| grid.iter().enumerate().map(line).collect::<Vec<_>>()).collect();
        let (rows, faults) = paired(&format!("{names}{}\n", text.join("\n")));
        assert!(faults == 0 && !rows.is_empty(), "{text:?}");
        let known: Vec<String> = GRIDS.iter().chain(&ANSWERS).map(|grid| grid.concat()).collect();
        for at in 0..text.len() {
            let fields: Vec<&str> = text[at].split(',').collect();
            for lost in (0..fields.len()).filter(|lost| !fields[*lost].is_empty()) {
                let mut fields = fields.clone();
                fields.remove(lost);
                let mut text = text.clone();
                text[at] = fields.join(",");
                let text = format!("{names}{}\n", text.join("\n"));
                let (rows, faults) = paired(&text);
                assert!(rows.iter().all(|row| known.contains(&row.0)), "{text}{rows:?}");
                assert!(faults > 0, "{text}");
            }
        }
    }
}

#[test]
fn answers_to_the_right_of_puzzles_belong_to_them() {
    let beside = |grid: usize| -> String {
        let line = |row: usize| {
            format!("{},,{}\n", apart(GRIDS[grid][row], ",", "0"), apart(ANSWERS[grid][row], ",", "0"))
        };
        (0..4).map(line).collect()
    };
    let pair = |grid: usize| (GRIDS[grid].concat(), Some(ANSWERS[grid].concat()));
    for between in ["\n", ",,,,,,,,\n"] {
        let text = format!("{}{between}{}{between}{}", beside(0), beside(1), beside(2));
        assert_eq!(paired(&text), (vec![pair(0), pair(1), pair(2)], 0), "{text}");
    }
}

#[test]
fn an_answer_that_lacks_cells_is_no_puzzle() {
    for draw in [
        |grid: &[&str; 4]| grid.concat() + "\n",
        |grid: &[&str; 4]| grid.join("\n") + "\n\n",
        |grid: &[&str; 4]| grid.map(|row| apart(row, ";", "")).join("\n") + "\n\n",
    ] {
        for cell in 0..16 {
            let (question, mut answer) = (GRIDS[0].concat(), ANSWERS[0].concat());
            answer.replace_range(cell..=cell, ".");
            let rows = [&answer[..4], &answer[4..8], &answer[8..12], &answer[12..]];
            let text = draw(&GRIDS[0]) + &draw(&rows);
            assert_eq!(told(&text), (vec![question], 1), "{text}");
        }
    }
    // Beside it, too.
    for cell in 0..16 {
        let mut answer = ANSWERS[0].concat();
        answer.replace_range(cell..=cell, ".");
        let row = |(place, row): (usize, &&str)| {
            format!("{},,{}\n", apart(row, ",", "0"), apart(&answer[4 * place..][..4], ",", ""))
        };
        let text: String = GRIDS[0].iter().enumerate().map(row).collect();
        assert_eq!(told(&text), (vec![GRIDS[0].concat()], 1), "{text}");
    }
}

#[test]
fn a_heading_or_a_number_is_no_row_of_a_grid_that_lacks_one() {
    let rows: [fn(&str) -> String; 6] = [
        |row| apart(row, " ", "."),
        |row| apart(row, ",", "0"),
        |row| apart(row, ",", ""),
        |row| format!("{} | {}", apart(&row[..2], " ", "."), apart(&row[2..], " ", ".")),
        |row| format!("| {} |", apart(row, " | ", "0")),
        |row| row.to_owned(),
    ];
    let heads = ["1 2 3 4", "   1 2 3 4", "1,2,3,4", "0 1 2 3", "1234", "0001", "0,1,2,3", "12 | 34"];
    let grid = ["34..", "...2", "4...", "21.."];
    for (draw, head) in rows.iter().flat_map(|draw| heads.map(|head| (draw, head))) {
        let lines = grid.map(draw);
        for lost in 0..4 {
            let rest: Vec<&str> = (0..4).filter(|row| *row != lost).map(|row| lines[row].as_str()).collect();
            let text = format!("{head}\n{}\n", rest.join("\n"));
            // A number drawn as the rows are is one.
            let same = head == "0001" && draw("0001") == head;
            assert!(same || told(&text).0.is_empty(), "{text}{:?}", told(&text));
        }
        let whole = format!("{head}\n{}\n", lines.join("\n"));
        let (rows, _) = told(&whole);
        assert!(rows.is_empty() || rows == [grid.concat()], "{whole}");
    }
    // Complete grids may begin so, and puzzles whose first row is no heading.
    let answer = "1234\n3412\n2143\n4321\n";
    assert_eq!(told(answer), (vec![answer.replace('\n', "")], 0));
    let puzzle = "0001\n3040\n4003\n0200\n";
    assert_eq!(told(puzzle).0, [puzzle.replace('\n', "").replace('0', ".")]);
}

#[test]
fn bands_below_a_refused_line_are_not_joined() {
    let text = "ED=1.2\n2 . 1 .\n. . . .\n\n. . 2 .\n. . 4 3\n\n2 3 1 4\n4 1 3 2\n";
    assert_eq!(told(text).0, [""; 0]);
    // Whole grids below a blank line are read.
    let text = "ED=1.2\n2 . 1 .\n. . . .\n. . 2 .\n. . 4 3\n\n3 4 . .\n. . 1 2\n\n4 . . 3\n2 1 . .\n";
    assert_eq!(told(text).0, [GRIDS[0].concat()]);
}

#[test]
fn what_other_programs_print_is_read() {
    let grid = ["34..", "..12", "4..3", "21.."];
    let printed = |names: &str, cell: fn(char) -> &'static str| -> String {
        let row = |(place, row): (usize, &&str)| {
            format!("{place}  {}\n", row.chars().map(cell).collect::<Vec<_>>().join("  "))
        };
        format!("   {names}\n{}", grid.iter().enumerate().map(row).collect::<String>())
    };
    let digit = |c: char| ["0", "1", "2", "3", "4"][c.to_digit(10).unwrap_or(0) as usize];
    let float = |c: char| match c {
        '1' => "1.0",
        '2' => "2.0",
        '3' => "3.0",
        '4' => "4.0",
        _ => "NaN",
    };
    let table = |names: &str| -> String {
        let row = |(place, row): (usize, &&str)| format!("| {} | {} |\n", place + 1, apart(row, " | ", " "));
        format!(
            "|   | {names} |\n|---|---|---|---|---|\n{}",
            grid.iter().enumerate().map(row).collect::<String>()
        )
    };
    let beside: String = grid
        .iter()
        .map(|row| {
            let row = apart(row, " ", ".");
            format!("{row}   {row}\n")
        })
        .collect();
    let rows = |draw: &dyn Fn(&str) -> String| grid.iter().map(|row| draw(row) + "\n").collect::<String>();
    let named =
        |names: &str, rule: &str, draw: &dyn Fn(&str) -> String| format!("{names}\n{rule}\n{}", rows(draw));
    for (text, count) in [
        (printed("0  1  2  3", digit), 1),
        (printed("c1  c2  c3  c4", digit), 1),
        (printed("A  B  C  D", digit), 1),
        (printed("0  1  2  3", float), 1),
        (table("A | B | C | D"), 1),
        (table("1 | 2 | 3 | 4"), 1),
        (beside, 2),
        (rows(&|row| apart(row, ",", "nan")), 1),
        (format!("a b c d\n{}", rows(&|row| apart(row, " ", "."))), 1),
        (format!("C1 C2 C3 C4\n{}", rows(&|row| apart(row, " ", "."))), 1),
        (grid.join("/") + "\n", 1),
        (grid.join("\n") + "\n\u{1a}\n", 1),
        (
            named("| c0 | c1 | c2 | c3 |", "|---|---|---|---|", &|row| {
                format!("| {} |", apart(row, " | ", " "))
            }),
            1,
        ),
        (
            named(" c0 | c1 | c2 | c3 ", "----+----+----+----", &|row| apart(row, " | ", "0")) + "(4 rows)\n",
            1,
        ),
        (named("A =", "", &|row| format!("     {}", apart(row, "     ", "0"))), 1),
        (rows(&|row| format!("> {row}")), 1),
        (format!("`{}`\n", grid.concat()), 1),
        (
            format!(
                "+--+\n| puzzle |\n+--+\n| {0} |\n| {0} |\n+--+\n2 rows in set (0.00 sec)\n",
                grid.concat()
            ),
            2,
        ),
        (format!("{} -> {}\n", grid.concat(), ANSWERS[0].concat()), 1),
    ] {
        assert_eq!(told(&text), (vec![grid.concat(); count], 0), "{text}");
    }
}
