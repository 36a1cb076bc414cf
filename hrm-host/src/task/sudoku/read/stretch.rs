//! Rows of drawn grids that follow each other, with nothing between them but rules and space.
//!
//! They are whole grids, all of them, or none is read: where a row is too few or too many, nobody knows whose. What stands in the
//! middle of a grid and is no row leaves open which rows belong together, up to the next blank line.

use hrm_core::task::sudoku::Sudoku;

use super::block::{Block, Drawn, Found, Taken};
use crate::data::problem::Problem;
use crate::data::read::Fault;

/// The rows so far.
pub(super) struct Stretch {
    task: Sudoku,
    /// The grids that were whole.
    grids: Vec<Found>,
    /// The rows behind them.
    block: Block,
    /// The first line of all, and how many rows there are.
    first: u64,
    rows: usize,
    /// Whether the rows stand right below a line that interrupts a grid.
    broken: bool,
}

impl Stretch {
    pub(super) fn new(task: Sudoku) -> Self {
        Stretch { task, grids: Vec::new(), block: Block::new(task), first: 0, rows: 0, broken: false }
    }

    /// Whether the next row is the first of a grid.
    pub(super) fn is_between(&self) -> bool {
        self.block.is_empty()
    }

    /// Whether a row stands above the next one.
    pub(super) fn has_begun(&self) -> bool {
        self.block.certain() > 0
    }

    pub(super) fn add(&mut self, drawn: Drawn) {
        if self.rows == 0 {
            self.first = drawn.line;
        }
        self.rows += 1;
        self.block.add(drawn);
        if self.block.is_complete() {
            let whole = std::mem::replace(&mut self.block, Block::below(self.task));
            match whole.taken() {
                Taken::Grids(grids) => self.grids.extend(grids),
                Taken::Unclear(fault) => self.grids.push(Err(fault)),
                Taken::Nothing => {}
            }
        }
    }

    /// A rule, which may have bars between all cells.
    pub(super) fn add_rule(&mut self, of_table: bool) {
        self.block.add_rule(of_table);
    }

    /// A blank line: whether it ends the stretch.
    pub(super) fn ends_at_gap(&mut self) -> bool {
        self.block.ends_at_gap() || self.broken || self.block.is_empty() && !self.grids.is_empty()
    }

    /// Whether the rows that follow are refused.
    pub(super) fn set_broken(&mut self, broken: bool) {
        self.broken = broken;
    }

    /// Ends it: its grids, or what is wrong, and whether all is well.
    pub(super) fn end(&mut self) -> (Vec<Found>, bool) {
        let Stretch { task, mut grids, block, first, rows, broken } =
            std::mem::replace(self, Stretch::new(self.task));
        let side = task.side();
        let refused = |problem| vec![Err(Fault { line: first, column: None, problem })];
        if broken {
            return (if rows > 0 { refused(Problem::Interrupted) } else { grids }, false);
        }
        if grids.is_empty() && block.is_empty() {
            return (grids, true);
        }
        match block.taken() {
            Taken::Unclear(fault) if grids.is_empty() => return (vec![Err(fault)], false),
            Taken::Unclear(fault) => {
                let mut found = refused(Problem::Height { expected: side, found: rows });
                // A short row is told by its own line.
                found.extend((!matches!(fault.problem, Problem::Height { .. })).then_some(Err(fault)));
                return (found, false);
            }
            Taken::Grids(last) => grids.extend(last),
            Taken::Nothing => {}
        }
        if are_numbered(&grids, side) {
            return (refused(Problem::Numbered { side, rows }), false);
        }
        (grids, true)
    }
}

/// Whether the rows of `grids` are as well those of fewer grids, each below a row that is its number, `0001` or `1,,,`, or that
/// numbers the columns. The first such heading may have been taken for one already.
fn are_numbered(grids: &[Found], side: usize) -> bool {
    let rows = grids.len() * side;
    let first = match () {
        () if rows.is_multiple_of(side + 1) => 0,
        () if (rows + 1).is_multiple_of(side + 1) => side,
        () => return false,
    };
    let row = |row: usize| {
        let (_, cells) = grids[row / side].as_ref().ok()?;
        cells.get(row % side * side..)?.get(..side)
    };
    // Rows of a grid that cannot be read say nothing.
    let places = (first..rows).step_by(side + 1).enumerate();
    let known: Vec<(usize, &str)> = places.filter_map(|(index, place)| Some((index, row(place)?))).collect();
    let start = |(index, text): &(usize, &str)| {
        let number = text.trim_end_matches('.').parse::<usize>().ok()?;
        (number + rows).checked_sub(*index)
    };
    let counts = || known.iter().all(|it| start(it).is_some() && start(it) == start(&known[0]));
    let is_heading = |text: &str| text.starts_with("123") || text.starts_with("0123");
    known.len() > 2 && (counts() || known.iter().all(|(_, text)| is_heading(text) && *text == known[0].1))
}
