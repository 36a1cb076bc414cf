//! Puzzles for suites: a solved grid, moved by a random symmetry, with random cells emptied. Nobody asks whether the
//! answer is unique: what is compared is how models think, not what they find.

use hrm_core::task::{
    Task,
    sudoku::{BLANK, FIRST_DIGIT, Sudoku},
};
use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

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
    use hrm_core::task::sudoku::SudokuKind;

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
