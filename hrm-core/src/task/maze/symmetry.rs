//! What changes a maze's look and nothing of its ways: the symmetries of its outline,
//! and walking from the goal.

use super::{GOAL, Maze, START};
use crate::task::Task;

/// An element of the group: start and goal exchanged or not, mirrored or not along each axis, and for square
/// mazes the transpose. 16 elements for squares, 8 otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MazeSymmetry {
    exchanged: bool,
    rows_turned: bool,
    columns_turned: bool,
    transposed: bool,
}

impl MazeSymmetry {
    /// How many there are.
    pub(super) fn count(maze: &Maze) -> usize {
        let (rows, columns) = maze.dims();
        if rows == columns { 16 } else { 8 }
    }

    /// The `n`-th, below [`Self::count`]; the 0th changes nothing.
    pub(super) fn nth(n: usize) -> Self {
        let bit = |place: usize| n >> place & 1 == 1;
        MazeSymmetry { exchanged: bit(0), rows_turned: bit(1), columns_turned: bit(2), transposed: bit(3) }
    }

    /// The cell whose token moves to `cell`.
    pub(super) fn source(self, maze: &Maze, cell: usize) -> usize {
        let (rows, columns) = maze.dims();
        let (mut row, mut column) = maze.place(cell);
        if self.rows_turned {
            row = (rows - 1).saturating_sub(row);
        }
        if self.columns_turned {
            column = (columns - 1).saturating_sub(column);
        }
        if self.transposed { column * columns + row } else { row * columns + column }
    }

    /// What `token` is in the image, and what an image's token was: exchanging twice changes nothing.
    pub(super) fn renamed(self, token: u8) -> u8 {
        match token {
            START if self.exchanged => GOAL,
            GOAL if self.exchanged => START,
            token => token,
        }
    }
}
