//! A maze as a person reads it: walls as blocks, the way in colour.

use hrm_core::task::Task;
use hrm_core::task::maze::{GOAL, Maze, START, WALL, WAY};

use crate::task::View;

/// `view` in lines, two characters a cell. Start and goal are bold, the way is green, and red where it leads
/// through what is no open cell.
pub(super) fn picture(maze: &Maze, view: &View<'_>) -> String {
    let (_, columns) = maze.dims();
    let mut lines = String::new();
    for (row, cells) in view.grid.chunks_exact(columns).enumerate() {
        for (column, &token) in cells.iter().enumerate() {
            let given = view.puzzle.get(row * columns + column);
            let symbol = maze.symbol(token).unwrap_or('?');
            match token {
                WALL => lines.push_str("██"),
                START | GOAL => lines.push_str(&view.paint(symbol, "1")),
                WAY if given == Some(&WALL) => lines.push_str(&view.paint(symbol, "31")),
                WAY => lines.push_str(&view.paint(symbol, "32")),
                _ => lines.push(symbol),
            }
            if token != WALL {
                lines.push(' ');
            }
        }
        lines.push('\n');
    }
    lines
}
