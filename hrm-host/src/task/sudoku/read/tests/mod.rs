//! No text is read as another puzzle than those that are written in it.

mod bare;
mod damaged;
mod delimited;
mod drawn;
mod edges;
mod foreign;
mod lost;
mod moved;
mod numbered;
mod programs;
mod rows;
mod tables;

use hrm_core::task::TextError;

use super::*;

const GRIDS: [[&str; 4]; 3] =
    [["34..", "..12", "4..3", "21.."], [".4.1", "1.34", "..1.", "41.."], ["2.4.", "4..1", ".24.", "..32"]];

/// What is told of a text.
#[derive(Debug, Default, PartialEq)]
struct Told {
    /// Puzzles, with `.` for every blank.
    rows: Vec<String>,
    /// `line: what is wrong`.
    faults: Vec<String>,
    edges: Vec<(u64, &'static str)>,
    /// Lines that are passed over.
    passed: Vec<u64>,
}

impl Told {
    /// Puzzles, and nothing else.
    fn only(rows: Vec<String>) -> Self {
        Told { rows, ..Told::default() }
    }

    /// The puzzles, then what is wrong.
    fn all(self) -> Vec<String> {
        [self.rows, self.faults].concat()
    }
}

/// What is told of `text` as puzzles of `side` rows.
fn told_of(side: usize, text: &str) -> Told {
    let mut told = Told::default();
    visit(sudoku(side), text, &mut |item| match item {
        Item::Row(row) => told.rows.push(row.question.replace(is_blank, ".")),
        Item::Fault(fault) => {
            assert!(is_said_well(&fault.problem), "{text}{}", fault.problem);
            told.faults.push(format!("{}: {}", fault.line, fault.problem));
        }
        Item::Passed { line, .. } => told.passed.push(line),
        Item::EmptyEdge { line, edge } => told.edges.push((line, edge)),
    });
    told
}

/// The puzzles of 4x4 that are read from `text`, and how often something is refused.
fn told(text: &str) -> (Vec<String>, usize) {
    let told = told_of(4, text);
    (told.rows, told.faults.len())
}

/// Whether what is found differs from what is expected, where a message names both.
fn is_said_well(problem: &Problem) -> bool {
    match *problem {
        Problem::Cells { expected, found }
        | Problem::Ragged { expected, found }
        | Problem::Uneven { expected, found, .. } => expected != found,
        Problem::Row { side, cells, found } => ![side, cells].contains(&found),
        Problem::Text(TextError::Length { expected, got }) => expected != got,
        Problem::Height { .. } => {
            let said = problem.to_string();
            let mut numbers = said.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
            let first = numbers.next();
            numbers.all(|number| Some(number) != first)
        }
        _ => true,
    }
}

/// Reads `lines`, and says whether all that was written was read, and nothing else was.
fn is_read(lines: &[String]) -> bool {
    let text = lines.concat();
    let (rows, faults) = told(&text);
    let written = GRIDS.map(|grid| grid.concat());
    assert!(rows.iter().all(|row| written.contains(row)), "{text}{rows:?}");
    assert!(faults > 0 || !rows.is_empty(), "{text}");
    faults == 0
}

/// The cells of `row` with `between` them, and `blank` for each blank.
fn apart(row: &str, between: &str, blank: &str) -> String {
    row.chars().map(|c| c.to_string().replace('.', blank)).collect::<Vec<_>>().join(between)
}

fn fields(row: &str) -> String {
    apart(row, ",", "")
}

/// Ways to draw a row.
const DRAWN: [fn(&str) -> String; 4] = [
    |row| format!("{row}\n"),
    |row| fields(row) + "\n",
    |row| format!("|{}|{}|\n", &row[..2], &row[2..]),
    |row| format!("{},,{}\n", fields(row), fields(row)),
];

/// What stands above a grid.
const ABOVE: [&str; 4] = ["", "\n", "Grid 7\n", "\n# hard\n"];

#[test]
fn rows_are_never_joined_across_a_line_that_is_none() {
    let remarks =
        ["see below\n", "# note\n", "=> ?\n", "12a.\n", "1,a,,\n", "ab!d\n", "Grid\n", "{}\n", "// x\n"];
    for (draw, above) in DRAWN.iter().flat_map(|draw| ABOVE.map(|above| (draw, above))) {
        let grid = |grid: &[&str; 4]| [above.to_owned()].into_iter().chain(grid.map(draw)).collect();
        let lines: Vec<String> = GRIDS.iter().flat_map(|rows| -> Vec<String> { grid(rows) }).collect();
        assert!(is_read(&lines), "{lines:?}");
        for remark in remarks {
            for first in 0..lines.len() {
                let mut replaced = lines.clone();
                replaced[first] = remark.to_owned();
                is_read(&replaced);
                for second in first..lines.len() {
                    let mut twice = lines.clone();
                    twice.insert(second, remark.to_owned());
                    is_read(&twice);
                    twice.insert(first, remark.to_owned());
                    is_read(&twice);
                }
            }
        }
    }
}

#[test]
fn numbers_above_grids_are_no_rows_or_the_grids_are_refused() {
    let titles: [fn(usize) -> String; 5] = [
        |number| format!("{number:04}\n"),
        |number| format!("{number},,,\n"),
        |_| "1,2,3,4\n".to_owned(),
        |_| "0,1,2,3\n".to_owned(),
        |number| format!("{number}\n"),
    ];
    for draw in &DRAWN[..2] {
        for (title, above) in titles.iter().flat_map(|title| ["", "\n", ",,,\n"].map(|above| (title, above)))
        {
            for (count, once) in (1..=9).flat_map(|count| [(count, false), (count, true)]) {
                let grid = |number: usize| {
                    let title = if once && number > 0 { String::new() } else { title(number + 1) };
                    [above.to_owned(), title].into_iter().chain(GRIDS[number % 3].map(draw))
                };
                let lines: Vec<String> = (0..count).flat_map(grid).collect();
                is_read(&lines);
            }
        }
    }
}

#[test]
fn cells_of_two_arrays_are_never_joined() {
    let row = |row: &&str| format!("[{}]", apart(row, ",", "0"));
    let nested = |grid: &[&str; 4]| format!("[{}]\n", grid.iter().map(row).collect::<Vec<_>>().join(",\n"));
    let plain = |grid: &[&str; 4]| grid.iter().map(|it| row(it) + "\n").collect::<String>() + "\n";
    for text in [GRIDS.iter().map(nested).collect::<String>(), GRIDS.iter().map(plain).collect()] {
        let lines: Vec<String> = text.lines().map(|line| format!("{line}\n")).collect();
        assert!(is_read(&lines), "{text}");
        for place in 1..lines.len() {
            let mut lacking = lines.clone();
            // The brackets stay.
            let cell = lacking[place].replacen(",0", "", 1);
            lacking[place] = cell;
            is_read(&lacking);
            for remark in ["see below\n", "# note\n", "\n"] {
                let mut lines = lines.clone();
                lines.insert(place, remark.to_owned());
                is_read(&lines);
            }
        }
    }
}

#[test]
fn a_line_that_is_drawn_is_no_puzzle_without_givens() {
    let (first, second) = ("12........4..1..", "4....3.4..13....");
    for mark in ["-", "_", "*"] {
        let rule = mark.repeat(16);
        for rule in [rule.clone(), vec![mark; 16].join(" "), vec![mark.repeat(4); 4].join(" ")] {
            let rows = told(&format!("{first}\n{rule}\n{second}\n")).0;
            assert_eq!(rows, [first, second], "{rule}");
        }
    }
    let table =
        GRIDS[0].map(|row| row.chars().map(|c| format!("| {c} ").replace('.', " ")).collect::<String>());
    let (rows, _) = told(&format!("| A | B | C | D |\n|----|----|----|----|\n{}|\n", table.join("|\n")));
    assert!(rows.iter().all(|row| *row == GRIDS[0].concat()), "{rows:?}");
}

#[test]
fn the_answer_of_a_puzzle_that_is_refused_is_no_puzzle() {
    let (answer, other) = ("1243342143122134", "1.....2..3.....4");
    for refused in ["1.....2..3....", "11....2..3.....4", "1.....2..3.....x.", "1...\n..2.\n.3..\n"] {
        for title in ["", "Answer:\n"] {
            let text = format!("{refused}\n{title}{answer}\n{other}\n");
            let rows = told(&text).0;
            assert!(!rows.contains(&answer.to_owned()) && rows.contains(&other.to_owned()), "{text}{rows:?}");
        }
    }
}

#[test]
fn an_answer_without_its_puzzle_is_no_puzzle_where_others_have_theirs() {
    let draw: [fn(&[&str; 4]) -> String; 5] = [
        |grid| grid.concat() + "\n",
        |grid| grid.join("\n") + "\n\n",
        |grid| format!("Grid\n{}\n", grid.map(|row| fields(row) + "\n").concat()),
        |grid| grid.map(|row| format!("|{}|{}|\n", &row[..2], &row[2..])).concat() + "\n",
        |grid| format!("\"{}\",\n", grid.concat()),
    ];
    for (index, draw) in draw.iter().enumerate() {
        let all: Vec<String> = GRIDS
            .iter()
            .zip(&tables::ANSWERS)
            .flat_map(|(grid, answer)| [draw(grid), draw(answer)])
            .collect();
        let text = |all: &[String]| if index == 4 { format!("[\n{}]\n", all.concat()) } else { all.concat() };
        assert_eq!(told(&text(&all)), (GRIDS.map(|grid| grid.concat()).to_vec(), 0));
        for lost in [0, 2, 4] {
            let mut all = all.clone();
            all.remove(lost);
            let rest = (0..3).filter(|grid| 2 * grid != lost).map(|grid| GRIDS[grid].concat()).collect();
            assert_eq!(told(&text(&all)), (rest, 1), "{}", text(&all));
        }
        // Where no puzzle has an answer, nothing is known of a complete grid.
        let alone = [draw(&tables::ANSWERS[0]), draw(&GRIDS[1]), draw(&tables::ANSWERS[2])];
        assert_eq!(told(&text(&alone)).0.len(), 3);
    }
}

/// A complete grid of `side` rows.
fn complete(side: usize) -> Vec<String> {
    let (rows, columns) = match side {
        4 => (2, 2),
        6 => (2, 3),
        _ => (3, 3),
    };
    let digit = |row: usize, column: usize| (row % rows * columns + row / rows + column) % side + 1;
    (0..side).map(|row| (0..side).map(|column| digit(row, column).to_string()).collect()).collect()
}

/// A puzzle of `side` rows, of which those in `empty` are.
fn puzzle(side: usize, empty: &[usize]) -> Vec<String> {
    let cell = |(place, c): (usize, char)| if place.is_multiple_of(2) { '.' } else { c };
    let row = |(row, digits): (usize, String)| match empty.contains(&row) {
        true => ".".repeat(side),
        false => digits.chars().enumerate().map(|(place, c)| cell((place + row, c))).collect(),
    };
    complete(side).into_iter().enumerate().map(row).collect()
}

/// Whether the grid of `rows` begins or ends with an empty row and has not exactly one solution: it may have
/// lost a row.
fn is_doubtful<R: AsRef<str>>(rows: &[R]) -> bool {
    let is_empty = |row: Option<&R>| row.is_some_and(|row| row.as_ref().bytes().all(|cell| cell == b'.'));
    let grid: String = rows.iter().map(AsRef::as_ref).collect();
    (is_empty(rows.first()) || is_empty(rows.last())) && !doubt::has_one_solution(sudoku(rows.len()), &grid)
}

fn sudoku(side: usize) -> Sudoku {
    cells::sizes().find(|size| size.side() == side).unwrap()
}

#[test]
fn the_answer_of_a_puzzle_whose_blanks_were_lost_is_no_puzzle() {
    let lost: [fn(&str) -> String; 3] = [
        |row| row.replace('.', ""),
        |row| row.replace('.', " ").split_whitespace().collect::<Vec<_>>().join(" "),
        |row| row.chars().filter(|c| *c != '.').map(|c| format!("{c} ")).collect(),
    ];
    for (side, empty) in
        [4, 6, 9].into_iter().flat_map(|side| [(side, &[][..]), (side, &[1]), (side, &[0, 1])])
    {
        let rows = puzzle(side, empty);
        for (lose, spread) in lost.iter().flat_map(|lose| [(lose, ""), (lose, " ")]) {
            let remains: String = rows.iter().map(|row| lose(row) + "\n").collect();
            let answer: String = complete(side).iter().map(|row| apart(row, spread, ".") + "\n").collect();
            for between in ["", "\n", "\n\n", "Answer:\n", "\nAnswer:\n\n"] {
                let text = format!("{remains}{between}{answer}");
                let Told { rows, faults, .. } = told_of(side, &text);
                assert!(!faults.is_empty() && !rows.contains(&complete(side).concat()), "{text}{rows:?}");
            }
        }
    }
    // A number and a size are titles, and so is a number above each of several complete grids.
    let grid = GRIDS[0].join("\n");
    assert_eq!(told(&format!("17\n4 4\n{grid}\n\n18\n4 4\n{grid}\n")), (vec![GRIDS[0].concat(); 2], 0));
    let complete = complete(4).join("\n");
    assert_eq!(told(&format!("1\n{complete}\n\n2\n{complete}\n")).0.len(), 2);
}

#[test]
fn the_default_of_savetxt_has_a_hint_of_its_own() {
    let row = ["5.000000000000000000e+00"; 4].join(" ") + "\n";
    let Told { faults, .. } = told_of(4, &row.repeat(4));
    assert!(faults[0].contains("fmt='%d'"), "{faults:?}");
    assert_eq!(task_of_text(&row), Some(sudoku(4)));
}

#[test]
fn what_is_no_puzzle_is_named_and_tells_no_size() {
    let candidates = "| 1    2347   35 | 6    8    2479   | 47   5    9      |\n| 6    8    9  | 1    2    3   | 4   57   5 |\n";
    let rule = ".----------------.---------------.----------------.\n";
    let text = format!("{rule}{candidates}{}{candidates}", rule.replace('.', ":"));
    let told = told_of(9, &text).all();
    assert!(told.len() == 4 && told.iter().all(|told| told.contains("candidates, not a puzzle")), "{told:?}");
    assert_eq!(task_of_text(&text), Some(sudoku(9)));
    for text in [".--------------.\n", "@#$^&~@@@@~~~~+.\n", "....-....*....x.\n"] {
        assert_eq!(task_of_text(text), None, "{text}");
        told_of(9, text);
    }
    for count in [16, 32] {
        let cells = ["1,0,0,2"; 8][..count / 4].join(",");
        let names: String = (0..count).map(|cell| format!(",p{cell}")).collect();
        let text = format!("id{names}\n17,{cells}\n18,{cells}\n");
        let Told { rows, faults, passed, .. } = told_of(4, &text);
        assert!(rows.is_empty() && faults.len() + passed.len() >= 2, "{faults:?}");
        assert!(faults.iter().all(|fault| fault.contains("leave out other columns")), "{faults:?}");
        assert_eq!(task_of_text(&text), Some(sudoku(4)), "{text}");
    }
}
