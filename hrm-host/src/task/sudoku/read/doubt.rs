//! Grids that may have lost a row: where their first or last row is empty, it may be the space beside them; and
//! a line with another number of fields right beside them may be what is left of one.
//!
//! Nothing in such lines tells. But a puzzle of which a row is missing seldom has exactly one solution, and
//! where the rest stands in its place, that solution is the whole puzzle's, too.

use hrm_core::task::{Task, sudoku::Sudoku};

use super::super::exact::Exact;
use super::cells::parse;
use super::stretch::Drawn;
use crate::data::problem::Problem;
use crate::data::read::Fault;

/// Guesses after which a puzzle is not known to have one solution.
const GUESSES: u64 = 20_000;

/// A line of empty fields, more or fewer than a row has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Uneven {
    pub(super) line: u64,
    pub(super) fields: usize,
}

/// Why the grid of `rows`, whose cells are `grid`, is refused, where a row may be missing: `beside` are the
/// lines of other lengths right above and below it. Rows are known to be some where rules `frame` them all, or
/// they have labels.
pub(super) fn doubt(
    task: Sudoku,
    (rows, grid): (&[&Drawn], &str),
    beside: [Option<Uneven>; 2],
    framed: bool,
) -> Option<Fault> {
    let is_empty = |row: &&&Drawn| row.is_open() && row.label.is_none() && !framed;
    let first = rows.first().filter(is_empty).map(|row| (row.line, "first"));
    let empty = first.or_else(|| rows.last().filter(is_empty).map(|row| (row.line, "last")));
    let uneven = beside.into_iter().flatten().next();
    let (line, problem) = match (uneven, empty) {
        (Some(Uneven { line, fields }), _) => {
            (line, Problem::BesideUneven { expected: task.side(), found: fields })
        }
        (None, Some((line, edge))) => (line, Problem::EmptyEdge(edge)),
        (None, None) => return None,
    };
    (!has_one_solution(task, grid)).then_some(Fault { line, column: None, problem })
}

/// Whether the puzzle `grid` is known to have exactly one solution.
pub(super) fn has_one_solution(task: Sudoku, grid: &str) -> bool {
    let mut question = vec![0; task.cells()];
    if parse(task, grid, &mut question).is_err() {
        return false;
    }
    let found = Exact::new(task).search_within(&question, 2, GUESSES);
    found.solutions.len() == 1 && found.guesses < GUESSES
}
