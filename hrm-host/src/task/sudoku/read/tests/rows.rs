//! Lines that may be rows or not: whatever is missing or there twice, nothing is read but what is written.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

/// Ways to draw a row, and a row without digits beside them, if it can be told from one.
const DRAWINGS: [fn(&str) -> String; 7] = [
    |row| apart(row, ",", ""),
    |row| apart(row, ",", "."),
    |row| apart(row, ",", "0"),
    |row| apart(row, " ", "-"),
    |row| apart(row, "", "-"),
    |row| format!("|{}|", apart(row, "", " ")),
    |row| apart(row, "", " "),
];

/// What may stand between rows, bands, or grids.
const BETWEEN: [&[&str]; 7] =
    [&[], &[",,,"], &[",,,", ",,,"], &[",,,", ",,,", ",,,"], &["----"], &[""], &["", ""]];

/// A grid whose rows in `mask` are empty.
fn masked(grid: &[String], mask: usize) -> Vec<String> {
    let row = |(place, row): (usize, &String)| {
        if mask >> place & 1 == 1 { ".".repeat(row.len()) } else { row.clone() }
    };
    grid.iter().enumerate().map(row).collect()
}

/// The lines of grids with something between the bands of each, between grids, and below the last.
fn drawn(
    grids: &[Vec<String>],
    band: usize,
    draw: fn(&str) -> String,
    [bands, within, end]: [&[&str]; 3],
) -> Vec<String> {
    let mut lines = Vec::new();
    for (number, grid) in grids.iter().enumerate() {
        for (place, row) in grid.iter().enumerate() {
            let above = match place {
                0 if number == 0 => &[][..],
                0 => within,
                place if place.is_multiple_of(band) => bands,
                _ => &[],
            };
            lines.extend(above.iter().map(|line| (*line).to_owned()));
            lines.push(draw(row));
        }
    }
    lines.extend(end.iter().map(|line| (*line).to_owned()));
    lines
}

/// Reads `lines`, and says whether all is read. Asserts that nothing is read but what is written: grids of
/// `written`, or as many lines as a grid has, by themselves or between empty ones.
fn is_read_of(task: Sudoku, draw: fn(&str) -> String, lines: &[String], written: &[Vec<String>]) -> bool {
    let text = lines.join("\n") + "\n";
    let side = task.side();
    let Told { rows, faults, .. } = told_of(side, &text);
    // The row that a line is in this drawing, if it is one.
    let rows_of = written.iter().flatten().cloned().chain([".".repeat(side)]);
    let drawn: HashMap<String, String> = rows_of.map(|row| (draw(&row), row)).collect();
    let known: Vec<Option<&String>> = lines.iter().map(|line| drawn.get(line)).collect();
    let parts = || known.split(Option::is_none).filter(|part| !part.is_empty());
    let join = |part: &[Option<&String>]| part.iter().flatten().map(|row| row.as_str()).collect::<String>();
    let bands = parts().all(|part| part.len() == task.kind().box_rows())
        && parts().map(<[_]>::len).sum::<usize>() == side;
    let is_space = |line: &Option<&String>| line.is_none_or(|row| row.bytes().all(|cell| cell == b'.'));
    let between = |row: &String| known.split(is_space).any(|part| part.len() == side && join(part) == *row);
    let alone = |row: &String| {
        parts().any(|part| part.len() == side && join(part) == *row)
            || bands && parts().map(join).collect::<String>() == *row
    };
    // No puzzle: the digits of a row are there twice.
    let twice = |row: &String| {
        (1..side).any(|place| {
            let (above, this) = (&row[side * (place - 1)..side * place], &row[side * place..][..side]);
            above == this && this.contains(|c| c != '.')
        })
    };
    for row in &rows {
        let known =
            written.iter().any(|grid| grid.concat() == *row) || alone(row) || between(row) || twice(row);
        assert!(known, "{row}\n{text}");
    }
    faults.is_empty() && rows.len() == written.len()
}

/// Reads the lines, and with each of them deleted or doubled. Whether they are read as they are.
fn is_read_and_no_other(
    task: Sudoku,
    draw: fn(&str) -> String,
    lines: &[String],
    written: &[Vec<String>],
) -> bool {
    for place in 0..lines.len() {
        let mut lacking = lines.to_vec();
        lacking.remove(place);
        is_read_of(task, draw, &lacking, written);
        let mut twice = lines.to_vec();
        twice.insert(place, lines[place].clone());
        is_read_of(task, draw, &twice, written);
    }
    is_read_of(task, draw, lines, written)
}

fn owned(grid: &[&str]) -> Vec<String> {
    grid.iter().map(|row| (*row).to_owned()).collect()
}

/// Grids whose rows in `masks` are empty, with each of `parts` between bands and grids: nothing else is read,
/// and what is drawn as usual is.
fn check(masks: &[usize], drawings: &[fn(&str) -> String], parts: [&[&[&str]]; 2]) {
    let task = sudoku(4);
    let grids = masks.iter().zip(GRIDS).map(|(mask, grid)| masked(&owned(&grid), *mask));
    let written: Vec<Vec<String>> = grids.collect();
    for draw in drawings {
        for (bands, within) in
            parts[0].iter().flat_map(|bands| parts[1].iter().map(move |within| (*bands, *within)))
        {
            for end in [&[][..], within] {
                // Where bands stand apart, grids do.
                if within.is_empty() && !bands.is_empty() && masks.len() > 1 {
                    continue;
                }
                let lines = drawn(&written, 2, *draw, [bands, within, end]);
                let read = is_read_and_no_other(task, *draw, &lines, &written);
                let alone = masks.len() == 1 && (end.is_empty() || end == [""]);
                // Two empty rows in the middle may be those between bands.
                let edge = masks.iter().any(|mask| mask & 9 != 0 || *mask == 6);
                let clear = end.is_empty() || masks.len() > 2 && masks.iter().any(|mask| *mask != masks[0]);
                let apart = within == [",,,"] && masks.len() > 1 && !edge && clear || within == [""];
                let doubtful = written.iter().any(|grid| is_doubtful(grid));
                assert!(read || doubtful || !bands.is_empty() || !alone && !apart, "{lines:?}");
            }
        }
    }
}

#[test]
fn a_grid_with_empty_rows_is_read_as_it_is_written_or_refused() {
    for mask in 0..15 {
        check(&[mask], &DRAWINGS, [&BETWEEN, &BETWEEN]);
    }
}

#[test]
fn grids_with_empty_rows_are_read_as_they_are_written_or_refused() {
    for (first, second) in (0..15).flat_map(|first| [0, 1, 2, 6, 8, 9].map(|second| (first, second))) {
        check(&[first, second], &[DRAWINGS[0], DRAWINGS[4]], [&BETWEEN[..2], &BETWEEN[..2]]);
        check(&[first, second], &DRAWINGS[..1], [&[&[], &[""], &["----"]], &[&["----"], &[""]]]);
    }
    for masks in
        (0..216).map(|case| [case / 36, case / 6 % 6, case % 6].map(|index| [0, 1, 2, 4, 6, 8][index]))
    {
        check(&masks, &DRAWINGS[..1], [&BETWEEN[..2], &BETWEEN[1..2]]);
    }
}

/// A grid of `side` rows with a digit in each.
fn grid(side: usize, start: usize) -> Vec<String> {
    let digit = |row: usize, column: usize| {
        (row + start + column).is_multiple_of(3).then_some((2 * row + column + start) % side + 1)
    };
    let row = |row: usize| {
        (0..side).map(|column| digit(row, column).map_or(".".to_owned(), |digit| digit.to_string())).collect()
    };
    (0..side).map(row).collect()
}

/// A row between two rules is one, whatever stands in it.
#[test]
fn an_empty_row_in_a_frame_is_a_row() {
    let drawings: [fn(&str) -> String; 4] = [
        |row| format!("| {} |", apart(row, " | ", " ")),
        |row| format!("| {} |", apart(row, " | ", "_")),
        |row| {
            format!("|{}|{}|", apart(&row[..row.len() / 2], "", " "), apart(&row[row.len() / 2..], "", " "))
        },
        |row| apart(row, ",", ""),
    ];
    for (side, index) in [4, 6, 9].into_iter().flat_map(|side| (0..4).map(move |index| (side, index))) {
        // Bars between halves part boxes only where there are two.
        if side == 9 && index == 2 {
            continue;
        }
        let (task, draw, rule) = (sudoku(side), drawings[index], "+---+---+".to_owned());
        for mask in (0..1 << side).filter(|mask: &usize| mask.count_ones() < 4 && *mask + 1 < 1 << side) {
            let written = [masked(&grid(side, 0), mask), masked(&grid(side, 1), mask >> 1)];
            for count in [1, 2] {
                let framed = |rows: &Vec<String>| {
                    let rows = rows.iter().flat_map(|row| [draw(row), rule.clone()]);
                    [rule.clone()].into_iter().chain(rows).collect::<Vec<_>>()
                };
                let lines = written[..count].iter().map(framed).collect::<Vec<_>>().join(&String::new());
                let read = match side {
                    9 => is_read_of(task, draw, &lines, &written[..count]),
                    _ => is_read_and_no_other(task, draw, &lines, &written[..count]),
                };
                assert!(read, "{lines:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn larger_grids_with_empty_rows_are_read_as_they_are_written_or_refused(
        nine in any::<bool>(),
        masks in prop::collection::vec(0_usize..512, 1..4),
        draw in 0..DRAWINGS.len(),
        between in [0..BETWEEN.len(), 0..BETWEEN.len()],
        sparse in any::<bool>(),
    ) {
        let task = sudoku(if nine { 9 } else { 6 });
        let (side, band) = (task.side(), task.kind().box_rows());
        // Most grids have few empty rows.
        let few = |mask: usize| if sparse { 1 << (mask % side) } else { mask % ((1 << side) - 1) };
        let grids = masks.iter().enumerate().map(|(start, mask)| masked(&grid(side, start), few(*mask)));
        let written: Vec<Vec<String>> = grids.collect();
        let [bands, within] = between.map(|index| BETWEEN[index]);
        if !(within.is_empty() && !bands.is_empty() && masks.len() > 1) {
            let lines = drawn(&written, band, DRAWINGS[draw], [bands, within, &[]]);
            let read = is_read_and_no_other(task, DRAWINGS[draw], &lines, &written);
            let doubtful = written.iter().any(|grid| is_doubtful(grid));
            prop_assert!(read || doubtful || masks.len() > 1 || !bands.is_empty(), "{:?}", lines);
        }
    }
}
