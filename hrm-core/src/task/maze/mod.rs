//! Mazes: a shortest way from the start to the goal, of any height and width up to [`MAX_CELLS`] cells.
//!
//! Cells are counted row by row from 0. Tokens, as the original's: 0 padding, 1 wall, 2 open, 3 start, 4
//! goal, 5 the way. An answer is the puzzle with the open cells of one shortest way marked. Every
//! shortest way is accepted.

mod cells;
mod symmetry;

use core::num::{NonZeroU16, NonZeroUsize};
use core::ops::RangeInclusive;

use cells::Cells;
use rand_core::Rng;
pub use symmetry::MazeSymmetry;

use super::{MAX_CELLS, Refusal, Task};

/// Token of a wall.
pub const WALL: u8 = 1;
/// Token of a cell that may be walked on; what is to be found is which of them the way takes.
pub const OPEN: u8 = 2;
/// Token of the start.
pub const START: u8 = 3;
/// Token of the goal.
pub const GOAL: u8 = 4;
/// Token of a cell of the way between start and goal.
pub const WAY: u8 = 5;

/// Rows or columns further apart than this all count as so far: weights do not depend on a maze's size.
pub const FAR: usize = 7;
/// Distances that are told apart along one axis.
const DISTANCES: usize = 2 * FAR + 1;

/// Mazes of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Maze {
    rows: u16,
    columns: NonZeroU16,
    name: [u8; 12],
    name_len: u8,
}

impl Maze {
    /// Mazes of `rows` by `columns`; `None` where that is more than [`MAX_CELLS`] cells or fewer than two.
    pub fn new(rows: usize, columns: usize) -> Option<Self> {
        if !(2..=MAX_CELLS).contains(&rows.checked_mul(columns)?) {
            return None;
        }
        let (rows, columns) = (rows as u16, NonZeroU16::new(columns as u16)?);
        let mut maze = Maze { rows, columns, name: [0; 12], name_len: 0 };
        b"maze".iter().for_each(|&byte| maze.push(byte));
        maze.push_number(rows);
        maze.push(b'x');
        maze.push_number(columns.get());
        Some(maze)
    }

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.name.get_mut(usize::from(self.name_len)) {
            *place = byte;
            self.name_len += 1;
        }
    }

    fn push_number(&mut self, number: u16) {
        for (unit, digit) in [(100, number / 100), (10, number / 10), (1, number)] {
            if number >= unit {
                self.push(b'0' + (digit % 10) as u8);
            }
        }
    }

    /// The cells that hold something else than walls.
    fn passable(&self, grid: &[u8]) -> Cells {
        Cells::holding(grid, |token| token != WALL)
    }

    /// Steps from `from` to `to` over the cells of `ground`, and where they lead within so many steps;
    /// `None` where there is no way.
    fn walk(&self, ground: &Cells, from: usize, to: usize) -> (Cells, Option<u32>) {
        let mut seen = Cells::default();
        seen.insert(from);
        let mut edge = seen;
        for steps in 0.. {
            if edge.contains(to) {
                return (seen, Some(steps));
            }
            let mut next = Cells::default();
            for cell in edge.iter() {
                for neighbour in self.neighbours(cell) {
                    if ground.contains(neighbour) && !seen.contains(neighbour) {
                        seen.insert(neighbour);
                        next.insert(neighbour);
                    }
                }
            }
            if next.is_empty() {
                break;
            }
            edge = next;
        }
        (seen, None)
    }

    /// Row and column of `cell`.
    fn place(&self, cell: usize) -> (usize, usize) {
        let columns = NonZeroUsize::from(self.columns);
        (cell / columns, cell % columns)
    }

    /// The cells beside `cell`.
    pub fn neighbours(&self, cell: usize) -> impl Iterator<Item = usize> + use<> {
        let (rows, columns) = self.dims();
        let (row, column) = self.place(cell);
        let beside = [
            (row > 0).then(|| cell - columns),
            (column > 0).then(|| cell - 1),
            (column + 1 < columns).then(|| cell + 1),
            (row + 1 < rows).then(|| cell + columns),
        ];
        beside.into_iter().flatten()
    }

    fn refuse_of(&self, tokens: RangeInclusive<u8>, puzzle: &[u8]) -> Option<Refusal> {
        if puzzle.len() != self.cells() {
            let got = u16::try_from(puzzle.len()).unwrap_or(u16::MAX);
            return Some(Refusal::Length { expected: self.cells() as u16, got });
        }
        if let Some((cell, &token)) = puzzle.iter().enumerate().find(|(_, token)| !tokens.contains(token)) {
            return Some(Refusal::Token { cell: cell as u16, token });
        }
        for token in [START, GOAL] {
            let found = count(puzzle, token);
            if found != 1 {
                return Some(Refusal::Count { token, found });
            }
        }
        self.distance(puzzle).is_none().then_some(Refusal::Impossible)
    }

    /// Steps of a shortest way from start to goal; `None` where there is none, or not one start and one goal.
    pub fn distance(&self, puzzle: &[u8]) -> Option<u32> {
        let (start, goal) = (only(puzzle, START)?, only(puzzle, GOAL)?);
        self.walk(&self.passable(puzzle), start, goal).1
    }
}

/// The one cell that holds `token`.
fn only(grid: &[u8], token: u8) -> Option<usize> {
    let mut cells = grid.iter().enumerate().filter(|&(_, &found)| found == token);
    let (cell, _) = cells.next()?;
    cells.next().is_none().then_some(cell)
}

fn count(grid: &[u8], token: u8) -> u16 {
    grid.iter().filter(|&&found| found == token).count() as u16
}

impl Task for Maze {
    type Symmetry = MazeSymmetry;
    type Grid = [u8; MAX_CELLS];

    /// `maze30x30`: rows, then columns.
    fn named(name: &str) -> Option<Self> {
        let (rows, columns) = name.strip_prefix("maze")?.split_once('x')?;
        let maze = Maze::new(rows.parse().ok()?, columns.parse().ok()?)?;
        (maze.name() == name).then_some(maze)
    }

    fn name(&self) -> &str {
        let name = self.name.get(..usize::from(self.name_len)).unwrap_or_default();
        core::str::from_utf8(name).unwrap_or_default()
    }

    fn dims(&self) -> (usize, usize) {
        (self.rows.into(), self.columns.get().into())
    }

    fn grid(&self) -> Self::Grid {
        [0; MAX_CELLS]
    }

    fn vocab(&self) -> usize {
        6
    }

    fn blank(&self) -> u8 {
        OPEN
    }

    fn may_be_asked(&self, token: u8) -> bool {
        token == OPEN || token == WAY
    }

    fn symbol(&self, token: u8) -> Option<char> {
        Some(match token {
            WALL => '#',
            OPEN => ' ',
            START => 'S',
            GOAL => 'G',
            WAY => 'o',
            _ => return None,
        })
    }

    /// As [`Self::symbol`]; an open cell may also be `.`, which no editor cuts off.
    fn token(&self, symbol: char) -> Option<u8> {
        match symbol {
            '.' => Some(OPEN),
            _ => (WALL..=WAY).find(|&token| self.symbol(token) == Some(symbol)),
        }
    }

    /// One for each pair of distances, rows and columns, up to [`FAR`] either way.
    fn relations(&self) -> usize {
        DISTANCES * DISTANCES
    }

    fn relation(&self, i: usize, j: usize) -> u8 {
        let apart = |a: usize, b: usize| (a + FAR).saturating_sub(b).min(2 * FAR);
        let ((row, column), (other_row, other_column)) = (self.place(i), self.place(j));
        (apart(row, other_row) * DISTANCES + apart(column, other_column)) as u8
    }

    /// A puzzle has one start, one goal and a way between them, none of which is marked: that is what is asked.
    fn refuse(&self, puzzle: &[u8]) -> Option<Refusal> {
        self.refuse_of(WALL..=GOAL, puzzle)
    }

    /// Some of the way may be supposed.
    fn refuse_supposed(&self, question: &[u8]) -> Option<Refusal> {
        self.refuse_of(WALL..=WAY, question)
    }

    /// Cells that changed, cells of the way that the start does not lead to or that are too many or too few,
    /// and one more where the way does not arrive.
    ///
    /// A way that arrives and has no more cells than a shortest one *is* a shortest one,
    /// whichever the label shows.
    fn violations(&self, puzzle: &[u8], grid: &[u8]) -> Option<u32> {
        let lacking = grid.len().abs_diff(self.cells()) + puzzle.len().abs_diff(self.cells());
        let changed = puzzle.iter().zip(grid).filter(|&(&given, &token)| {
            if given == OPEN { token != OPEN && token != WAY } else { given != token }
        });
        let mut violations = (lacking + changed.count()) as u32;
        let (Some(start), Some(goal)) = (only(puzzle, START), only(puzzle, GOAL)) else {
            return Some(violations + 1);
        };
        let Some(steps) = self.walk(&self.passable(puzzle), start, goal).1 else {
            return Some(violations + 1);
        };
        let way = Cells::holding(grid, |token| token == WAY);
        let mut ground = way;
        ground.insert(start);
        ground.insert(goal);
        let (reached, arrives) = self.walk(&ground, start, goal);
        let cells = way.iter().count() as u32;
        violations += cells.abs_diff(steps.saturating_sub(1));
        if arrives.is_none() {
            violations += 1 + way.iter().filter(|&cell| !reached.contains(cell)).count() as u32;
        }
        Some(violations)
    }

    fn identity(&self) -> MazeSymmetry {
        MazeSymmetry::default()
    }

    /// Start and goal exchanged comes second: the only one that leaves every wall where it is.
    fn perturbation(&self, k: usize) -> MazeSymmetry {
        MazeSymmetry::nth(k % self.perturbations())
    }

    fn perturbations(&self) -> usize {
        MazeSymmetry::count(self)
    }

    fn draw<R: Rng>(&self, rng: &mut R) -> MazeSymmetry {
        let count = self.perturbations() as u32;
        MazeSymmetry::nth(super::draw::below(rng, count) as usize)
    }

    fn apply(&self, symmetry: &MazeSymmetry, grid: &[u8], out: &mut [u8]) {
        for (cell, image) in out.iter_mut().enumerate().take(self.cells()) {
            if let Some(&token) = grid.get(symmetry.source(self, cell)) {
                *image = symmetry.renamed(token);
            }
        }
    }

    fn undo(&self, symmetry: &MazeSymmetry, grid: &[u8], out: &mut [u8]) {
        for (cell, &token) in grid.iter().enumerate().take(self.cells()) {
            if let Some(original) = out.get_mut(symmetry.source(self, cell)) {
                *original = symmetry.renamed(token);
            }
        }
    }
}

#[cfg(test)]
mod tests;
