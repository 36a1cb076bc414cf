//! Puzzles with several solutions, found cheaply: a training set should not hold them, and a proof for every
//! row takes longer than reading the file.
//!
//! A task may know second solutions that are found without a search. Beside that, its exact solver searches
//! as many rows as a fixed amount of work allows. Of a task without an exact solver nothing is found.

use hrm_core::task::Task;
use rayon::prelude::*;

use super::import::Imported;
use super::problem::Problem;
use super::read::Fault;
use crate::task::Exact;

/// How thoroughly second solutions are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Exchanges in every row, and a search for as many guesses over all rows.
    Cheap(u64),
    /// A search of every row to its end.
    Proof,
}

/// Guesses after which the search of one row is given up, where the effort is limited.
pub const GUESSES_A_ROW: u64 = 1000;
/// What a row costs that needs no guess, in guesses.
const ROW_COST: u64 = 2;
/// Rows searched at once.
const ROWS_AT_ONCE: usize = 64;

/// The rows of `imported` that have more than one solution, as far as `effort` tells.
pub fn several(imported: &Imported, effort: Effort) -> Vec<Fault> {
    let set = &imported.set;
    let Some(exact) = set.task().exact() else { return Vec::new() };
    let search = |row: usize, most: u64| {
        let found = exact.search_within(set.question(row), 2, most);
        let second = found.solutions.into_iter().find(|grid| grid != set.answer(row));
        (second.map(|second| fault(imported, row, &second)), found.guesses)
    };
    let Effort::Cheap(most) = effort else {
        return (0..set.len()).into_par_iter().filter_map(|row| search(row, u64::MAX).0).collect();
    };
    let exchanged = |row: usize| exact.exchange(set.question(row), set.answer(row));
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

/// How many solutions a question has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Solutions {
    /// It has none.
    None,
    /// It has exactly one.
    One,
    /// It has more than one.
    Several,
}

/// How many solutions `question` has, if a search of at most `most` guesses tells.
pub fn solutions(exact: &dyn Exact, question: &[u8], most: u64) -> Option<Solutions> {
    let found = exact.search_within(question, 2, most);
    match found.solutions.len() {
        2.. => Some(Solutions::Several),
        _ if found.guesses == most => None,
        0 => Some(Solutions::None),
        1 => Some(Solutions::One),
    }
}

fn fault(imported: &Imported, row: usize, second: &[u8]) -> Fault {
    let text = |grid: &[u8]| imported.set.task().text(grid).to_string();
    let problem = Problem::Ambiguous { first: text(imported.set.answer(row)), second: text(second) };
    Fault { line: imported.lines[row], column: Some("question"), problem }
}

#[cfg(test)]
mod tests {
    use hrm_core::task::sudoku::{BLANK, Sudoku, SudokuKind};

    use super::*;
    use crate::data::generate::{Recipe, generate};
    use crate::data::{Puzzle, PuzzleSet};

    /// Minimal puzzles, and the same with one given fewer, which have several solutions.
    fn proper_and_improper(kind: SudokuKind) -> (Imported, Imported) {
        let task = Sudoku::new(kind);
        let proper = generate(&Recipe { task: task.into(), count: 60, seed: 3, givens: None }, |_| {})
            .expect("puzzles");
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
    fn a_question_by_itself_is_proper_or_not() {
        for kind in SudokuKind::ALL {
            let (proper, improper) = proper_and_improper(kind);
            let exact = proper.set.task().exact().expect("a solver");
            for row in 0..proper.set.len() {
                let of = |set: &PuzzleSet, most| solutions(exact.as_ref(), set.question(row), most);
                assert_eq!(of(&proper.set, u64::MAX), Some(Solutions::One), "{kind:?}");
                assert_eq!(of(&proper.set, 0), None, "{kind:?}");
                assert_eq!(of(&improper.set, GUESSES_A_ROW), Some(Solutions::Several), "{kind:?}");
            }
            // The first row lacks only its last digit, which stands right below.
            let mut none = proper.set.answer(0).to_vec();
            let side = kind.side();
            none[side - 1] = BLANK;
            let missing = proper.set.answer(0)[side - 1];
            none.iter_mut().skip(side).for_each(|token| *token = BLANK);
            none[2 * side - 1] = missing;
            assert_eq!(solutions(exact.as_ref(), &none, GUESSES_A_ROW), Some(Solutions::None), "{kind:?}");
        }
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
