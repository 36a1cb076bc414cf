//! Grids that may have lost a row: where their first or last row is empty, it may be the space beside them; and
//! a line with another number of fields right beside them may be what is left of one.
//!
//! Nothing in such lines tells. But a puzzle of which a row is missing seldom has exactly one solution. Where
//! there is one, grids are read, and their empty edges told. Where both stand beside a grid, at opposite ends,
//! all its rows may be moved by one: it is refused.

use hrm_core::task::{Task, sudoku::Sudoku};

use super::super::exact::Exact;
use super::cells::parse;
use super::stretch::Drawn;
use crate::data::problem::Problem;
use crate::data::read::Fault;
use crate::data::several::{Solutions, solutions};

/// Guesses after which a puzzle is not known to have one solution.
const GUESSES: u64 = 20_000;

/// A line of empty fields or of digits alone, more or fewer than a row has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Uneven {
    pub(super) line: u64,
    pub(super) fields: usize,
}

/// Lines that are taken for the first or the last row of a grid.
pub(super) type Edges = Vec<(u64, &'static str)>;

/// The empty edges of the grid of `rows`. Rows are known to be some where they have labels.
pub(super) fn empty_edges(rows: &[&Drawn]) -> Edges {
    let ends = [(rows.first(), "first"), (rows.last(), "last")];
    let is_empty = |row: &&&Drawn| row.is_open() && row.label.is_none();
    ends.into_iter().filter_map(|(row, edge)| Some((row.filter(is_empty)?.line, edge))).collect()
}

/// Why a grid whose cells are `grid`, with the edges `empty`, is refused where a row may be missing: `beside` are
/// the lines of other lengths right above and below it.
pub(super) fn doubt(
    task: Sudoku,
    grid: &str,
    empty: &[(u64, &'static str)],
    beside: [Option<Uneven>; 2],
) -> Option<Fault> {
    let fault = beside.into_iter().flatten().next().map(|uneven| uneven.fault(task));
    let edge = |&(line, edge)| Fault::of_line(line, Problem::EmptyEdge(edge));
    let fault = fault.or_else(|| empty.first().map(edge))?;
    (!has_one_solution(task, grid)).then_some(fault)
}

impl Uneven {
    /// Why the grid beside it is refused.
    pub(super) fn fault(&self, task: Sudoku) -> Fault {
        let problem = Problem::BesideUneven { expected: task.side(), found: self.fields };
        Fault::of_line(self.line, problem)
    }
}

/// Whether the puzzle `grid` is known to have exactly one solution.
pub(super) fn has_one_solution(task: Sudoku, grid: &str) -> bool {
    let mut question = vec![0; task.cells()];
    parse(task, grid, &mut question).is_ok()
        && solutions(&Exact::new(task), &question, GUESSES) == Some(Solutions::One)
}
