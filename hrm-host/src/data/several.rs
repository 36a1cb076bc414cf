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
    // By digit: the row of its cell in each column and box, and the rows in which that cell is given.
    let mut row_of_column = [[0u8; 10]; 10];
    let mut row_of_box = [[0u8; 10]; 10];
    let mut given = [0u16; 10];
    for (cell, (&token, &asked)) in answer.iter().zip(question).enumerate() {
        let digit = usize::from(task.digit(token)?);
        let (row, column, square) = kind.units(cell);
        row_of_column[digit][column] = row as u8;
        row_of_box[digit][square] = row as u8;
        given[digit] |= u16::from(asked != BLANK) << row;
    }
    for a in 1..=side {
        for b in a + 1..=side {
            let hit = given[a] | given[b];
            if hit == (1 << side) - 1 {
                continue;
            }
            let mut groups = Groups::of(side);
            for unit in 0..side {
                groups.join(row_of_column[a][unit], row_of_column[b][unit]);
                groups.join(row_of_box[a][unit], row_of_box[b][unit]);
            }
            if let Some(rows) = groups.without(hit) {
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
        for first in 0..side {
            for second in first + 1..(first / band + 1) * band {
                let cell = |line: usize, place: usize| line * across + place * along;
                let (mut groups, mut hit) = (Groups::of(side), 0u16);
                let mut place_in_first = [0u8; 10];
                for place in 0..side {
                    let (one, two) = (cell(first, place), cell(second, place));
                    place_in_first[usize::from(task.digit(answer[one])?)] = place as u8;
                    hit |= u16::from(question[one] != BLANK || question[two] != BLANK) << place;
                }
                if hit == (1 << side) - 1 {
                    continue;
                }
                for place in 0..side {
                    let digit = task.digit(answer[cell(second, place)])?;
                    groups.join(place as u8, place_in_first[usize::from(digit)]);
                }
                if let Some(places) = groups.without(hit) {
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

/// Lines that go together, as bit masks.
struct Groups {
    of: [u16; 10],
    count: usize,
}

impl Groups {
    fn of(count: usize) -> Self {
        let mut of = [0; 10];
        of.iter_mut().enumerate().for_each(|(line, group)| *group = 1 << line);
        Groups { of, count }
    }

    fn join(&mut self, a: u8, b: u8) {
        let both = self.of[usize::from(a)] | self.of[usize::from(b)];
        if both != self.of[usize::from(a)] || both != self.of[usize::from(b)] {
            for line in 0..self.count {
                if both >> line & 1 == 1 {
                    self.of[line] = both;
                }
            }
        }
    }

    /// A group without any of the lines `hit`.
    fn without(&self, hit: u16) -> Option<u16> {
        self.of[..self.count].iter().copied().find(|group| group & hit == 0)
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
            Imported { set, lines, solved: 0, passed: None }
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
