//! Grids whose rows may all be moved by one, and space around whole grids.

use proptest::prelude::*;

use super::edges::{FOUR, NINE};
use super::*;

/// A way to draw a row whose blanks are not written, and what parts its cells.
type Drawing = (fn(&str) -> String, &'static str);

const DRAWN: [Drawing; 4] = [
    (|row| fields(row), ","),
    (|row| fields(row).replace(',', ";"), ";"),
    (|row| fields(row).replace(',', "\t"), "\t"),
    (|row| row.replace('.', " ").chars().map(|c| format!("|{c}")).collect::<String>() + "|", "|"),
];

/// Puzzles of `side` rows with so many givens, which may have several solutions.
fn puzzles(side: usize, givens: std::ops::Range<usize>) -> impl Strategy<Value = Vec<String>> {
    let all = || (0..side).collect::<Vec<_>>();
    let cells = prop::sample::subsequence((0..side * side).collect::<Vec<_>>(), givens);
    let keys = [all(), all(), all()].map(|all| Just(all).prop_shuffle());
    (keys, cells).prop_map(move |([digits, rows, columns], givens)| {
        // Rows are exchanged within their bands, and columns within their boxes.
        let (band, box_columns) = (sudoku(side).kind().box_rows(), sudoku(side).kind().box_columns());
        let order = |keys: &[usize], unit: usize| {
            let mut order: Vec<usize> = (0..side).collect();
            order.sort_by_key(|place| (place / unit, keys[*place]));
            order
        };
        let (rows, columns) = (order(&rows, band), order(&columns, box_columns));
        let complete: Vec<Vec<char>> = complete(side).iter().map(|row| row.chars().collect()).collect();
        let cell = |row: usize, column: usize| match givens.contains(&(row * side + column)) {
            true => {
                let digit = complete[rows[row]][columns[column]].to_digit(10).unwrap() as usize;
                char::from(b'1' + digits[digit - 1] as u8)
            }
            false => '.',
        };
        (0..side).map(|row| (0..side).map(|column| cell(row, column)).collect()).collect()
    })
}

/// Such puzzles of all sizes, so many that a part of them has one solution without one of its rows.
fn any_puzzle() -> impl Strategy<Value = Vec<String>> {
    prop_oneof![puzzles(4, 6..11), puzzles(6, 15..24), puzzles(9, 36..45)]
}

fn text(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// A row is lost, and an empty line beside the grid stands in for it.
    #[test]
    fn an_empty_line_that_is_read_as_a_row_is_told(
        grid in any_puzzle(),
        lost in any::<prop::sample::Index>(),
        above in any::<bool>(),
        draw in prop::sample::select(DRAWN.to_vec()),
    ) {
        let side = grid.len();
        let mut rows = grid.clone();
        rows.remove(lost.index(side));
        rows.insert(if above { 0 } else { side - 1 }, ".".repeat(side));
        let lines: Vec<String> = rows.iter().map(|row| draw.0(row)).collect();
        let told = told_of(side, &text(&lines));
        let edge = if above { (1, "first") } else { (side as u64, "last") };
        prop_assert!(told.rows.is_empty() != told.faults.is_empty(), "{}", text(&lines));
        prop_assert!(told.rows.is_empty() || told.edges.contains(&edge), "{}{:?}", text(&lines), told.edges);
        // Rules tell that all are rows.
        if side == 4 && draw.1 == "|" {
            let rule = "+-+-+-+-+".to_owned();
            let framed: Vec<String> =
                [rule.clone()].into_iter().chain(lines.iter().flat_map(|line| [line.clone(), rule.clone()])).collect();
            prop_assert_eq!(told_of(side, &text(&framed)).edges, [], "{}", text(&framed));
        }
    }

    /// An empty row at one end has a delimiter too few or too many, and an empty line stands at the other.
    #[test]
    fn a_grid_is_never_moved_by_an_empty_row_that_is_damaged(
        grid in any_puzzle(),
        first in any::<bool>(),
        more in any::<bool>(),
        other in 0..4_usize,
        draw in prop::sample::select(DRAWN.to_vec()),
    ) {
        let side = grid.len();
        let mut rows = grid.clone();
        let (edge, opposite) = if first { (0, side) } else { (side - 1, 0) };
        rows[edge] = ".".repeat(side);
        let written = rows.concat();
        let mut lines: Vec<String> = rows.iter().map(|row| draw.0(row)).collect();
        lines[edge] = match more {
            true => lines[edge].clone() + draw.1,
            false => lines[edge].replacen(draw.1, "", 1),
        };
        let space = draw.0(&".".repeat(side));
        lines.insert(opposite, space.clone());
        // Another grid, with or without a line between.
        let another: Vec<String> = puzzle(side, &[]).iter().map(|row| draw.0(row)).collect();
        let between = [vec![], vec![space], vec![String::new()]];
        if let Some(between) = between.get(other) {
            lines = match first {
                true => [&another[..], between, &lines].concat(),
                false => [&lines[..], between, &another].concat(),
            };
        }
        let known = [written, puzzle(side, &[]).concat()];
        let told = told_of(side, &text(&lines));
        prop_assert!(told.rows.iter().all(|row| known.contains(row)), "{}{:?}", text(&lines), told.rows);
        prop_assert!(!told.faults.is_empty(), "{}", text(&lines));
    }

    /// A line is lost, or a delimiter of it, or there twice, in grids with space around them.
    #[test]
    fn nothing_is_moved_in_silence(
        grids in prop_oneof![
            prop::collection::vec(puzzles(4, 5..11), 1..4),
            prop::collection::vec(puzzles(6, 9..24), 1..4),
            prop::collection::vec(puzzles(9, 18..45), 1..3),
        ],
        spaces in prop::collection::vec(0..4_usize, 4),
        blank in any::<bool>(),
        place in any::<prop::sample::Index>(),
        damage in 0..4,
        draw in prop::sample::select(DRAWN.to_vec()),
    ) {
        let side = grids[0].len();
        let empty = draw.0(&".".repeat(side));
        let between = |count: usize| match blank {
            true => vec![String::new(); count],
            false => vec![empty.clone(); count],
        };
        let mut lines = between(spaces[0]);
        for (grid, space) in grids.iter().zip(&spaces[1..]) {
            lines.extend(grid.iter().map(|row| draw.0(row)));
            lines.extend(between(*space));
        }
        let written: Vec<String> = grids.iter().map(|grid| grid.concat()).collect();
        let place = place.index(lines.len());
        let line = lines[place].clone();
        match damage {
            0 => _ = lines.remove(place),
            1 => lines.insert(place, line),
            2 => lines[place] = line.replacen(draw.1, "", 1),
            _ => lines[place].push_str(draw.1),
        }
        let told = told_of(side, &text(&lines));
        // Of what has no solution, or several, every command says so.
        let is_known = |row: &String| written.contains(row) || !doubt::has_one_solution(sudoku(side), row);
        prop_assert!(told.rows.iter().all(is_known) || !told.edges.is_empty(), "{}{:?}", text(&lines), told.rows);
    }
}

#[test]
fn empty_rows_around_whole_grids_are_space() {
    for (side, (draw, _)) in [4, 6, 9].into_iter().flat_map(|side| DRAWN.map(|drawn| (side, drawn))) {
        let empty = |count: usize| vec![draw(&".".repeat(side)); count];
        let drawn = |grid: &[String]| grid.iter().map(|row| draw(row)).collect::<Vec<_>>();
        let full: Vec<String> = match side {
            4 => FOUR[0].map(String::from).to_vec(),
            6 => SIXES[0].map(String::from).to_vec(),
            _ => NINE[0].map(String::from).to_vec(),
        };
        let open = puzzle(side, &[side / 2]);
        let counts = [0, 1, 2, 3, side, 2 * side + 1];
        for (above, below) in counts.into_iter().flat_map(|above| counts.map(|below| (above, below))) {
            for between in [1, 2, 3, side] {
                let lines = [
                    empty(above),
                    drawn(&full),
                    empty(between),
                    drawn(&full),
                    empty(between),
                    drawn(&full),
                    empty(below),
                ];
                let told = told_of(side, &text(&lines.concat()));
                let is_right = told.rows == vec![full.concat(); 3] && told.faults.is_empty();
                assert!(is_right && told.edges.is_empty(), "{}{:?}", text(&lines.concat()), told.faults);
            }
            let lines = [empty(above), drawn(&full), empty(2), drawn(&open), empty(below)];
            for (lines, written) in [
                (&lines[..], vec![full.concat(), open.concat()]),
                (&[empty(above), drawn(&open), empty(below)], vec![open.concat()]),
            ] {
                // An empty row at the edge of a band may part two, and so may one of two empty lines.
                if side < 9 || written.len() == 1 && above + below == 1 {
                    continue;
                }
                let told = told_of(side, &text(&lines.concat()));
                let is_right = told.rows == written && told.faults.is_empty() && told.edges.is_empty();
                assert!(is_right, "{}{:?}", text(&lines.concat()), told.faults);
            }
        }
    }
}

/// Puzzles with one solution, and their rows.
const SIXES: [[&str; 6]; 2] = [
    ["4..5..", "..5..6", "...6.2", ".....3", ".6....", "34...."],
    ["......", "..4..6", "2.53..", "......", "1..5..", "5.21.3"],
];

#[test]
fn a_puzzle_below_another_is_never_moved_up() {
    let lines: Vec<String> =
        SIXES[0].iter().chain(&["......"]).chain(&SIXES[1]).map(|row| fields(row)).collect();
    for uneven in [",,,,", ",,,,,,"] {
        let mut lines = [lines.clone(), vec![",,,,,".to_owned()]].concat();
        lines[7] = uneven.to_owned();
        let told = told_of(6, &text(&lines));
        assert!(told.rows == [SIXES[0].concat()] && told.faults.len() == 1, "{:?}", told.rows);
        assert!(told.faults[0].starts_with(&format!("8: {} cells", uneven.len() + 1)), "{:?}", told.faults);
    }
}

#[test]
fn a_row_of_digits_with_one_too_many_or_too_few_is_no_title() {
    for (side, blank) in [4, 6, 9].into_iter().flat_map(|side| ["0", "."].map(|blank| (side, blank))) {
        let rows: Vec<String> = puzzle(side, &[]).iter().map(|row| row.replace('.', blank)).collect();
        for (place, at) in [0, side - 1].into_iter().flat_map(|place| (0..side).map(move |at| (place, at))) {
            let (before, behind) = (&rows[place][..at], &rows[place][at + 1..]);
            let cell = &rows[place][at..=at];
            for damaged in [format!("{before}{behind}"), format!("{before}{cell}{cell}{behind}")] {
                let mut rows = rows.clone();
                rows[place] = damaged;
                // A line too many stands in for it at either end.
                for (at, extra) in [0, side]
                    .into_iter()
                    .flat_map(|at| [blank.repeat(side), rows[1].clone()].map(|row| (at, row)))
                {
                    let mut lines = rows.clone();
                    lines.insert(at, extra);
                    for text in [text(&rows), text(&lines)] {
                        let told = told_of(side, &text);
                        assert!(told.rows.is_empty() && !told.faults.is_empty(), "{text}{:?}", told.rows);
                        assert!(told.passed.is_empty(), "{text}");
                    }
                }
            }
        }
    }
    // Numbers that count are titles, and so is one apart from the rows.
    let grid = ["3...", "..1.", ".4..", "...2"];
    for (numbers, between) in [(98..103, ""), (98..103, "\n"), (1..4, ""), (1..4, "\n")] {
        let number =
            |number: usize| if numbers.start == 1 { format!("{number:03}") } else { number.to_string() };
        let text: String =
            numbers.clone().map(|n| format!("{}\n{}{between}", number(n), grid.join("\n") + "\n")).collect();
        let told = told_of(4, &text);
        assert!(
            told.rows == vec![grid.concat(); numbers.len()] && told.faults.is_empty(),
            "{text}{:?}",
            told.faults
        );
    }
    // The first of all stands above a grid.
    assert!(told_of(4, &format!("{}\n000\n", grid.join("\n"))).rows.is_empty());
    assert_eq!(told_of(4, &format!("102\n\n{}\n", grid.join("\n"))).rows.len(), 1);
}

#[test]
fn rows_on_one_line_have_as_many_cells_each() {
    for side in [4, 6, 9] {
        let cells: Vec<char> = puzzle(side, &[]).concat().replace('.', "0").chars().collect();
        for (between, by) in [
            (",", ";"),
            (" ", ";"),
            (", ", "; "),
            ("", ";"),
            ("", "/"),
            (",", "/"),
            (",", "|"),
            (",", " "),
            (",", "\",\""),
        ] {
            let line = |ends: &[usize]| {
                let row = |pair: &[usize]| {
                    cells[pair[0]..pair[1]].iter().map(char::to_string).collect::<Vec<_>>().join(between)
                };
                ends.windows(2).map(row).collect::<Vec<_>>().join(by)
            };
            let ends: Vec<usize> = (0..=side).map(|row| row * side).collect();
            assert_eq!(told_of(side, &line(&ends)).rows.len(), 1, "{}", line(&ends));
            for row in 1..side {
                // A cell is moved from one row to the next, is lost with it, or a mark is.
                let mut moved = ends.clone();
                moved[row] -= 1;
                let mut joined = ends.clone();
                joined.remove(row);
                for line in [line(&moved), line(&joined)] {
                    let told = told_of(side, &line);
                    let is_named =
                        told.faults.len() == 1 && told.faults[0].starts_with(&format!("1: row {row} of"));
                    assert!(told.rows.is_empty() && is_named, "{line}{:?}{:?}", told.rows, told.faults);
                    assert_eq!(task_of_text(&line), Some(sudoku(side)), "{line}");
                    // In a field of a table, too.
                    let read = parse(sudoku(side), &grid_in(&line), &mut vec![0; side * side]);
                    assert!(
                        matches!(read, Err(Problem::UnevenRow { row: at, .. }) if at == row),
                        "{line}{read:?}"
                    );
                }
            }
        }
    }
}
