//! Suppositions: a guess that came to rest without an answer lends some of its cells to the next one.

use rand_core::Rng;

use crate::task::{Task, draw::below};

/// Fills `count` blank cells of `question`, drawn at random, with what `belief` (tokens of the same cells)
/// holds there: fewer where more would contradict each other or the givens. Takes one draw a cell.
pub fn suppose<T: Task, R: Rng>(task: &T, question: &mut [u8], belief: &[u8], count: u16, rng: &mut R) {
    for _ in 0..count {
        let blanks = question.iter().filter(|&&token| token == task.blank()).count();
        let first = below(rng, u32::try_from(blanks).unwrap_or(u32::MAX)) as usize;
        // the drawn blank cell, or else the next one that can be filled in
        if !(first..blanks).chain(0..first).any(|blank| fill(task, question, belief, blank)) {
            return;
        }
    }
}

/// Fills in the `blank`-th blank cell of `question`, where `belief` has something for it that
/// keeps `question` a puzzle.
fn fill<T: Task>(task: &T, question: &mut [u8], belief: &[u8], blank: usize) -> bool {
    let mut blanks =
        question.iter().zip(belief).enumerate().filter(|(_, (token, _))| **token == task.blank());
    let Some((cell, (&before, &believed))) = blanks.nth(blank) else { return false };
    let hold = |question: &mut [u8], token| {
        if let Some(held) = question.get_mut(cell) {
            *held = token;
        }
    };
    hold(question, believed);
    let filled = believed != task.blank() && task.refuse_supposed(question).is_none();
    if !filled {
        hold(question, before);
    }
    filled
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::collections::HashSet;

    use rand_pcg::Pcg32;

    use super::*;
    use crate::task::sudoku::{BLANK, Sudoku, SudokuKind};

    const TASK: Sudoku = Sudoku::new(SudokuKind::Four);

    fn grid(text: &str) -> [u8; 16] {
        let mut grid = [0; 16];
        TASK.parse(text, &mut grid).unwrap();
        grid
    }

    #[test]
    fn as_many_cells_as_asked_are_believed_and_all_are_drawn() {
        let (puzzle, belief) = (grid("12..34.........."), grid("1234341221434321"));
        let mut rng = Pcg32::new(1, 1);
        let mut drawn = HashSet::new();
        for count in [0u16, 1, 3, 11] {
            for _ in 0..50 {
                let mut question = puzzle;
                suppose(&TASK, &mut question, &belief, count, &mut rng);
                let filled: std::vec::Vec<usize> =
                    (0..16).filter(|&cell| question[cell] != puzzle[cell]).collect();
                assert_eq!(filled.len(), usize::from(count.min(12)));
                assert!(filled.iter().all(|&cell| question[cell] == belief[cell] && puzzle[cell] == BLANK));
                if count == 1 {
                    drawn.extend(filled);
                }
            }
        }
        assert_eq!(drawn.len(), 12, "every blank cell is drawn at some time");
    }

    #[test]
    fn what_contradicts_the_givens_or_itself_is_not_supposed() {
        // Of a belief in 1 everywhere only two cells keep the grid a puzzle, one of the last two rows each.
        let mut rng = Pcg32::new(2, 1);
        for _ in 0..50 {
            let mut question = grid("1.....1.........");
            suppose(&TASK, &mut question, &[2; 16], 9, &mut rng);
            assert_eq!(TASK.refuse(&question), None);
            assert_eq!(TASK.givens(&question), 4);
        }
        // Blanks and padding are no belief, and a belief may be short.
        for belief in [&[BLANK; 16][..], &[0; 16], &[]] {
            let mut question = grid("1.....1.........");
            suppose(&TASK, &mut question, belief, 3, &mut rng);
            assert_eq!(question, grid("1.....1........."));
        }
    }
}
