//! Puzzles for suites: twenty true ones, and any number of drawn ones.
//!
//! A drawn puzzle is a solved grid, moved by a random symmetry, with random cells emptied. Nobody asks
//! whether its answer is unique: what is compared is how models think, not what they find.

use hrm_core::task::{
    Task,
    draw::below,
    maze::{GOAL, Maze, OPEN, START, WALL},
    sudoku::{BLANK, FIRST_DIGIT, Sudoku, SudokuKind},
};
use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// The 20 9x9 puzzles in `tests/data/sudoku9.csv`, each with one solution. Made by
/// `hrm-host data generate --task sudoku9 --count 20 --seed 3 --out
/// tests/data/sudoku9.csv`, which a test of `hrm-host` repeats.
pub fn committed() -> Vec<Vec<u8>> {
    questions(&Sudoku::new(SudokuKind::Nine), include_str!("../data/sudoku9.csv"))
}

/// The 20 mazes in `tests/data/maze10x10.csv`, each with one shortest way; made as [`committed`],
/// with `--task maze10x10`.
pub fn committed_mazes(task: &Maze) -> Vec<Vec<u8>> {
    questions(task, include_str!("../data/maze10x10.csv"))
}

fn questions(task: &impl Task, table: &str) -> Vec<Vec<u8>> {
    let puzzle = |row: &str| {
        let mut tokens = vec![0; task.cells()];
        let question = row.split(',').nth(1).expect("a question in every row");
        task.parse(question, &mut tokens).expect("a puzzle in every row");
        tokens
    };
    table.lines().skip(1).map(puzzle).collect()
}

/// `count` puzzles of `task`, the same for the same `seed`.
pub fn drawn(task: &Sudoku, count: usize, seed: u64) -> Vec<Vec<u8>> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let (side, kind) = (task.side(), task.kind());
    let shift = |row: usize| row / kind.box_rows() + row % kind.box_rows() * kind.box_columns();
    let digit = |cell: usize| (shift(cell / side) + cell % side) % side;
    let solved: Vec<u8> = (0..task.cells()).map(|cell| FIRST_DIGIT + digit(cell) as u8).collect();
    let mut moved = solved.clone();
    (0..count)
        .map(|_| {
            task.apply(&task.draw(&mut rng), &solved, &mut moved);
            let givens = 2 + rng.next_u32() % 6;
            moved.iter().map(|&token| if rng.next_u32() % 8 < givens { token } else { BLANK }).collect()
        })
        .collect()
}

/// `count` mazes with a way, the same for the same `seed`.
pub fn mazes(task: &Maze, count: usize, seed: u64) -> Vec<Vec<u8>> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut maze = || {
        let wall = |_| if below(&mut rng, 10) < 3 { WALL } else { OPEN };
        let mut grid: Vec<u8> = (0..task.cells()).map(wall).collect();
        for token in [START, GOAL] {
            grid[below(&mut rng, task.cells() as u32) as usize] = token;
        }
        grid
    };
    std::iter::repeat_with(&mut maze).filter(|grid| task.refuse(grid).is_none()).take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_puzzles_are_twenty_different_ones() {
        let mut puzzles = committed();
        puzzles.sort();
        puzzles.dedup();
        assert_eq!(puzzles.len(), 20);
        assert!(puzzles.iter().all(|puzzle| Sudoku::new(SudokuKind::Nine).refuse(puzzle).is_none()));
    }

    #[test]
    fn drawn_puzzles_are_puzzles_and_differ() {
        for task in SudokuKind::ALL.map(Sudoku::new) {
            let mut puzzles = drawn(&task, 20, 1);
            assert!(puzzles.iter().all(|puzzle| task.refuse(puzzle).is_none()), "{puzzles:?}");
            puzzles.sort();
            puzzles.dedup();
            assert_eq!(puzzles.len(), 20);
            assert_ne!(drawn(&task, 1, 2), drawn(&task, 1, 3));
        }
    }
}
