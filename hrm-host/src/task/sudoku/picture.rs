//! A grid as a person reads it: boxes apart, givens bold, what changed or clashes in colour.

use std::fmt::Write;

use hrm_core::task::{
    Task,
    sudoku::{BLANK, Sudoku},
};

use crate::task::View;

/// `grid` in lines. Givens of `puzzle` are bold, cells that differ from `before` green,
/// cells that break a rule red.
pub(super) fn picture(task: &Sudoku, view: &View<'_>) -> String {
    let View { puzzle, grid, before, .. } = *view;
    let (side, kind) = (task.side(), task.kind());
    let mut lines = String::new();
    for (row, cells) in grid.chunks_exact(side).enumerate() {
        if row > 0 && row % kind.box_rows() == 0 {
            let bar = "-".repeat(2 * kind.box_columns() + 1);
            let bars = vec![bar; side / kind.box_columns()].join("+");
            let _ = writeln!(lines, "{}", &bars[1..bars.len() - 1]);
        }
        for (column, &token) in cells.iter().enumerate() {
            let cell = row * side + column;
            if column > 0 {
                lines.push_str(if column % kind.box_columns() == 0 { " | " } else { " " });
            }
            let text = task.symbol(token).unwrap_or('?');
            let clashes = (0..grid.len())
                .any(|other| other != cell && grid[other] == token && task.relation(cell, other) != 0);
            let given = puzzle.get(cell).is_some_and(|&token| token != BLANK);
            let codes = match () {
                () if task.digit(token).is_some() && clashes => "31",
                () if given => "1",
                () if before.get(cell) != Some(&token) => "32",
                () => "",
            };
            lines.push_str(&view.paint(text, codes));
        }
        lines.push('\n');
    }
    lines
}

#[cfg(test)]
mod tests {
    use hrm_core::task::sudoku::SudokuKind;

    use super::*;

    fn grid(task: &Sudoku, text: &str) -> Vec<u8> {
        let mut grid = vec![0; task.cells()];
        task.parse(text, &mut grid).unwrap();
        grid
    }

    #[test]
    fn boxes_stand_apart() {
        let task = Sudoku::new(SudokuKind::Six);
        let puzzle = grid(&task, "1.....2.....3.....4.....5.....6.....");
        let text = picture(&task, &View { puzzle: &puzzle, grid: &puzzle, before: &puzzle, colour: false });
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "1 . . | . . .");
        assert_eq!(lines[2], "------+------");
        assert_eq!(lines.len(), 8);
    }

    #[test]
    fn colours_tell_givens_changes_and_clashes_apart() {
        let task = Sudoku::new(SudokuKind::Four);
        let puzzle = grid(&task, "1...............");
        let now = grid(&task, "12.2............");
        let text = picture(&task, &View { puzzle: &puzzle, grid: &now, before: &puzzle, colour: true });
        assert!(text.starts_with("\x1b[1m1\x1b[0m \x1b[31m2\x1b[0m | . \x1b[31m2\x1b[0m"), "{text:?}");
        let now = grid(&task, "12..............");
        let text = picture(&task, &View { puzzle: &puzzle, grid: &now, before: &puzzle, colour: true });
        assert!(text.contains("\x1b[32m2\x1b[0m"), "{text:?}");
    }
}
