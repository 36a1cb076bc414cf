//! Puzzles with several solutions, found cheaply: a training set should not hold them, and a proof for every row takes
//! longer than reading the file.
//!
//! Most second solutions differ from the answer by two digits that change places in part of the grid, or by parts of two
//! rows (or columns) of a band that do. Such parts are found in the answer without a search: none of their cells is given.
//! Beside that, an exact solver searches as many rows as a fixed amount of work allows.

use hrm_core::task::{
    Task,
    sudoku::{BLANK, Sudoku},
};
use rayon::prelude::*;

use super::exact::Exact;
use super::import::Imported;
use super::problem::Problem;
use super::read::Fault;

/// How thoroughly second solutions are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Exchanges in every row, and a search for as many guesses over all rows.
    Cheap(u64),
    /// A search of every row to its end.
    Proof,
}

/// Guesses after which the search of one row is given up, where the effort is limited.
const GUESSES_A_ROW: u64 = 1000;
/// What a row costs that needs no guess, in guesses.
const ROW_COST: u64 = 2;
/// Rows searched at once.
const ROWS_AT_ONCE: usize = 64;

/// The rows of `imported` that have more than one solution, as far as `effort` tells.
pub fn several(imported: &Imported, effort: Effort) -> Vec<Fault> {
    let set = &imported.set;
    let exact = Exact::new(set.task());
    let search = |row: usize, most: u64| {
        let found = exact.search_within(set.question(row), 2, most);
        let second = found.solutions.into_iter().find(|grid| grid != set.answer(row));
        (second.map(|second| fault(imported, row, &second)), found.guesses)
    };
    let Effort::Cheap(most) = effort else {
        return (0..set.len()).into_par_iter().filter_map(|row| search(row, u64::MAX).0).collect();
    };
    let exchanged = |row: usize| exchange(set.task(), set.question(row), set.answer(row));
    let mut found: Vec<Option<Fault>> = (0..set.len())
        .into_par_iter()
        .map(|row| exchanged(row).map(|second| fault(imported, row, &second)))
        .collect();
    // The rows to search are spread over the file, and the same at every run.
    let stride = set.len().div_ceil(usize::try_from(most / ROW_COST).unwrap_or(usize::MAX).max(1)).max(1);
    let rows: Vec<usize> = (0..stride).flat_map(|first| (first..set.len()).step_by(stride)).collect();
    let mut done = 0;
    for rows in rows.chunks(ROWS_AT_ONCE) {
        if done >= most {
            break;
        }
        let searched: Vec<_> =
            rows.par_iter().map(|&row| (row, search(row, GUESSES_A_ROW.min(most)))).collect();
        for (row, (second, guesses)) in searched {
            done += guesses + ROW_COST;
            found[row] = found[row].take().or(second);
        }
    }
    found.into_iter().flatten().collect()
}

fn fault(imported: &Imported, row: usize, second: &[u8]) -> Fault {
    let text = |grid: &[u8]| imported.set.task().text(grid).to_string();
    let problem = Problem::Ambiguous { first: text(imported.set.answer(row)), second: text(second) };
    Fault { line: imported.lines[row], column: Some("question"), problem }
}

/// Another answer to `question`, made of `answer` by one exchange.
fn exchange(task: Sudoku, question: &[u8], answer: &[u8]) -> Option<Vec<u8>> {
    let found =
        exchanged_digits(task, question, answer).or_else(|| exchanged_lines(task, question, answer))?;
    task.accepts(question, &found).then_some(found)
}

/// Two digits change places in some rows. Rows must go together where they share a column or a box of such cells.
fn exchanged_digits(task: Sudoku, question: &[u8], answer: &[u8]) -> Option<Vec<u8>> {
    let (kind, side) = (task.kind(), task.side());
    // By digit: column and box in each row, row in each column and box, and the rows in which its cell is given.
    let mut unit = [[[0u8; 2]; 10]; 10];
    let mut row_of = [[[0u8; 10]; 2]; 10];
    let mut given = [0u16; 10];
    for (cell, (&token, &asked)) in answer.iter().zip(question).enumerate() {
        let digit = usize::from(task.digit(token)?);
        let (row, column, square) = kind.units(cell);
        unit[digit][row] = [column as u8, square as u8];
        row_of[digit][0][column] = row as u8;
        row_of[digit][1][square] = row as u8;
        given[digit] |= u16::from(asked != BLANK) << row;
    }
    for a in 1..=side {
        for b in a + 1..=side {
            let bound_to = |row: usize| {
                let [here, there] = [(a, b), (b, a)].map(|(one, other)| {
                    let [column, square] = unit[one][row].map(usize::from);
                    1 << row_of[other][0][column] | 1 << row_of[other][1][square]
                });
                here | there
            };
            let rows = closed(all(side) & !given[a] & !given[b], bound_to);
            if rows != 0 {
                let other = |(cell, &token): (usize, &u8)| match task.digit(token).map(usize::from) {
                    Some(digit) if rows >> (cell / side) & 1 == 1 && digit == a => token + (b - a) as u8,
                    Some(digit) if rows >> (cell / side) & 1 == 1 && digit == b => token - (b - a) as u8,
                    _ => token,
                };
                return Some(answer.iter().enumerate().map(other).collect());
            }
        }
    }
    None
}

/// Two rows of a band, or columns of a stack, change places over part of their length. Cells must go together where they
/// hold the same digit.
fn exchanged_lines(task: Sudoku, question: &[u8], answer: &[u8]) -> Option<Vec<u8>> {
    let (kind, side) = (task.kind(), task.side());
    for (band, along, across) in [(kind.box_rows(), 1, side), (kind.box_columns(), side, 1)] {
        let cell = |line: usize, place: usize| line * across + place * along;
        let open = |line: usize| {
            let blank = |place: &usize| question[cell(line, *place)] == BLANK;
            (0..side).filter(blank).fold(0u16, |open, place| open | 1 << place)
        };
        let digit_at = |line, place| task.digit(answer[cell(line, place)]).map_or(0, usize::from);
        let place_of = |line: usize| {
            let mut places = [0u8; 10];
            (0..side).for_each(|place| places[digit_at(line, place)] = place as u8);
            places
        };
        for first in 0..side {
            for second in first + 1..(first / band + 1) * band {
                let open = open(first) & open(second);
                if open.count_ones() < 2 {
                    continue;
                }
                let (of_first, of_second) = (place_of(first), place_of(second));
                let bound_to = |place: usize| {
                    1 << of_first[digit_at(second, place)] | 1 << of_second[digit_at(first, place)]
                };
                let places = closed(open, bound_to);
                if places != 0 {
                    let mut other = answer.to_vec();
                    let chosen = (0..side).filter(|place| places >> place & 1 == 1);
                    chosen.for_each(|place| other.swap(cell(first, place), cell(second, place)));
                    return Some(other);
                }
            }
        }
    }
    None
}

fn all(side: usize) -> u16 {
    (1 << side) - 1
}

/// The lines of the bit mask `open` that are bound, directly or through others, to open lines only.
fn closed(mut open: u16, bound_to: impl Fn(usize) -> u16) -> u16 {
    loop {
        let mut kept = open;
        let mut left = open;
        while left != 0 {
            let line = left.trailing_zeros() as usize;
            left &= left - 1;
            if bound_to(line) & !open != 0 {
                kept &= !(1 << line);
            }
        }
        if kept == open {
            return open;
        }
        open = kept;
    }
}

#[cfg(test)]
mod tests {
    use hrm_core::task::sudoku::SudokuKind;

    use super::*;
    use crate::data::generate::{Recipe, generate};
    use crate::data::{Puzzle, PuzzleSet};

    /// Minimal puzzles, and the same with one given fewer, which have several solutions.
    fn proper_and_improper(kind: SudokuKind) -> (Imported, Imported) {
        let task = Sudoku::new(kind);
        let proper = generate(&Recipe { task, count: 60, seed: 3, givens: None }, |_| {}).expect("puzzles");
        let mut improper = PuzzleSet::new(task);
        for (row, puzzle) in proper.iter().enumerate() {
            let mut question = puzzle.question.to_vec();
            let given = question.iter().enumerate().filter(|(_, token)| **token != BLANK);
            let given = given.map(|(cell, _)| cell).nth(row % 4).expect("a given");
            question[given] = BLANK;
            improper.push(Puzzle { question: &question, ..puzzle });
        }
        let imported = |set: PuzzleSet| {
            let lines = (2..).take(set.len()).collect();
            Imported::of(set, lines)
        };
        (imported(proper), imported(improper))
    }

    #[test]
    fn puzzles_with_several_solutions_are_found_and_no_others() {
        for kind in SudokuKind::ALL {
            let (proper, improper) = proper_and_improper(kind);
            let rows = improper.set.len();
            assert_eq!(several(&proper, Effort::Proof), []);
            assert_eq!(several(&proper, Effort::Cheap(100_000)), []);
            assert_eq!(several(&improper, Effort::Proof).len(), rows);
            assert_eq!(several(&improper, Effort::Cheap(100_000)).len(), rows, "{kind:?}");
            // Exchanges alone find most of them.
            let by_exchange = several(&improper, Effort::Cheap(0));
            assert!(2 * by_exchange.len() > rows, "{kind:?}: {} of {rows}", by_exchange.len());
            let lines: Vec<u64> = by_exchange.iter().map(|fault| fault.line).collect();
            assert!(lines.is_sorted());
        }
    }
}
