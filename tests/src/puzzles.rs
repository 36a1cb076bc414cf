//! Puzzles for suites: a solved grid, moved by a random symmetry, with random cells emptied. Nobody asks whether the
//! answer is unique: what is compared is how models think, not what they find.

use std::{fs, path::Path};

use hrm_core::task::{
    Task,
    sudoku::{BLANK, FIRST_DIGIT, Sudoku, SudokuKind},
};
use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// `count` rows, evenly spread, of the real Sudoku-Extreme test set, where the file lies beside the repository.
///
/// They may not be published with it. They are only thought about here: nobody looks at the answers.
pub fn real(count: usize) -> Option<Vec<Vec<u8>>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/test.csv");
    let text = fs::read_to_string(file).ok()?;
    let rows: Vec<&str> = text.lines().skip(1).collect();
    let task = Sudoku::new(SudokuKind::Nine);
    let puzzle = |row: &&str| {
        let mut tokens = vec![0; task.cells()];
        task.parse(row.split(',').nth(1)?, &mut tokens).ok().map(|()| tokens)
    };
    rows.iter().step_by((rows.len() / count).max(1)).take(count).map(puzzle).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

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
