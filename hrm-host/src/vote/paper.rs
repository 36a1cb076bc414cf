//! The paper's evaluation, which asks the label, and two rules without labels on the same passes.
//!
//! A *pass* is one checkpoint's thought about one image of a puzzle, all its segments long. Source of
//! the first rules: Ren & Liu, "Are Your Reasoning Models Reasoning or Guessing?" (arXiv 2601.10679),
//! and its published evaluation.

use hrm_core::task::Task;
use serde::Serialize;

use crate::task::Game;
use crate::train::eval::{Answers, Moment, wilson};

/// Where a pass stood after its last segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// Whether the halting head said stop.
    pub halted: bool,
    /// The grid, in the puzzle's own orientation.
    pub grid: Vec<u8>,
}

/// A model's passes over `puzzles` ((rows, cells) tokens), by puzzle and perturbation; the first
/// perturbation changes nothing.
///
/// # Errors
/// Where the model fails.
pub fn passes<A: Answers>(
    model: &mut A,
    task: &Game,
    puzzles: &[u8],
    segments: usize,
) -> Result<Vec<Vec<Pass>>, A::Error> {
    let cells = task.cells();
    let mut of_puzzles = vec![Vec::new(); puzzles.len() / cells];
    let mut image = vec![0; puzzles.len()];
    for k in 0..task.perturbations() {
        let symmetry = task.perturbation(k);
        for (image, puzzle) in image.chunks_exact_mut(cells).zip(puzzles.chunks_exact(cells)) {
            task.apply(&symmetry, puzzle, image);
        }
        let mut last = (Vec::new(), Vec::new());
        model.answer(&image, segments, &mut |Moment { grids, halts, .. }| {
            last = (grids.to_vec(), halts.to_vec());
        })?;
        let (grids, halts) = last;
        for ((passes, found), halted) in of_puzzles.iter_mut().zip(grids.chunks_exact(cells)).zip(halts) {
            let mut grid = vec![0; cells];
            task.undo(&symmetry, found, &mut grid);
            passes.push(Pass { halted, grid });
        }
    }
    Ok(of_puzzles)
}

/// What each rule makes of one puzzle's passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The newest checkpoint's pass over the puzzle itself equals the label.
    pub one_pass: bool,
    /// More than half of the newest checkpoint's halted passes equal the label.
    pub perturbed: bool,
    /// Of some checkpoint, the pass over the puzzle itself has halted and equals the label.
    pub bootstrapped: bool,
    /// Of some checkpoint, more than half of the halted passes equal the label: the paper's rule.
    pub both: bool,
    /// The task's checker accepts some pass's grid.
    pub checked: bool,
    /// Whether the grid that most halted passes of all checkpoints end on, the first of equals, equals the
    /// label; `None` where no pass has halted.
    pub voted: Option<bool>,
}

/// Judges the passes of one puzzle, by checkpoint (the newest last) and perturbation.
pub fn judge(passes: &[&[Pass]], label: &[u8], accepts: impl Fn(&[u8]) -> bool) -> Judged {
    let most = |passes: &[Pass]| {
        let halted: Vec<&Pass> = passes.iter().filter(|pass| pass.halted).collect();
        2 * halted.iter().filter(|pass| pass.grid == label).count() > halted.len()
    };
    let itself = |passes: &[Pass]| passes.first().is_some_and(|pass| pass.halted && pass.grid == label);
    let newest = passes.last().copied().unwrap_or_default();
    Judged {
        one_pass: newest.first().is_some_and(|pass| pass.grid == label),
        perturbed: most(newest),
        bootstrapped: passes.iter().any(|passes| itself(passes)),
        both: passes.iter().any(|passes| most(passes)),
        checked: passes.iter().copied().flatten().any(|pass| accepts(&pass.grid)),
        voted: favourite(passes).map(|grid| grid == label),
    }
}

/// The grid that most halted passes end on; of equals, the one that was there first.
fn favourite<'p>(passes: &[&'p [Pass]]) -> Option<&'p [u8]> {
    let mut votes: Vec<(&[u8], usize)> = Vec::new();
    for pass in passes.iter().copied().flatten().filter(|pass| pass.halted) {
        match votes.iter_mut().find(|(grid, _)| *grid == pass.grid) {
            Some((_, count)) => *count += 1,
            None => votes.push((&pass.grid, 1)),
        }
    }
    let most = votes.iter().map(|(_, count)| *count).max()?;
    votes.into_iter().find(|(_, count)| *count == most).map(|(grid, _)| grid)
}

/// How many puzzles a rule solves.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Solved {
    /// Puzzles solved.
    pub solved: usize,
    /// 95 % interval of their share (Wilson's).
    pub interval: [f64; 2],
    /// Passes that a puzzle takes.
    pub passes: usize,
    /// Puzzles for which the rule gives a wrong grid without knowing it; `None` where the label decides.
    pub wrong: Option<usize>,
}

/// The table of the paper for one model, and what the same passes come to without labels.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// Puzzles judged.
    pub rows: usize,
    /// One pass, by the label.
    pub one_pass: Solved,
    /// Input perturbation, by the label.
    pub perturbed: Solved,
    /// Model bootstrapping, by the label.
    pub bootstrapped: Solved,
    /// Both, by the label.
    pub both: Solved,
    /// A grid that the checker accepts; no label.
    pub checked: Solved,
    /// The grid that most halted passes end on; no label, no checker.
    pub voted: Solved,
}

impl Table {
    /// The counts of `judged`, by `checkpoints` checkpoints and `perturbations` perturbations.
    pub fn of(judged: &[Judged], checkpoints: usize, perturbations: usize) -> Self {
        let rows = judged.len();
        let count = |test: &dyn Fn(&Judged) -> bool| judged.iter().filter(|judged| test(judged)).count();
        let solved = |passes: usize, wrong: Option<usize>, test: &dyn Fn(&Judged) -> bool| {
            let solved = count(test);
            Solved { solved, interval: wilson(solved, rows), passes, wrong }
        };
        let all = checkpoints * perturbations;
        Table {
            rows,
            one_pass: solved(1, None, &|judged| judged.one_pass),
            perturbed: solved(perturbations, None, &|judged| judged.perturbed),
            bootstrapped: solved(checkpoints, None, &|judged| judged.bootstrapped),
            both: solved(all, None, &|judged| judged.both),
            checked: solved(all, Some(0), &|judged| judged.checked),
            voted: solved(all, Some(count(&|judged| judged.voted == Some(false))), &|judged| {
                judged.voted == Some(true)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    const LABEL: [u8; 2] = [1, 2];

    /// Passes written as letters: `r` right and halted, `w` wrong and halted, `v` another wrong
    /// one, `R` and `W` not halted.
    fn pass(letter: char) -> Pass {
        let grid = match letter {
            'r' | 'R' => LABEL.to_vec(),
            'w' | 'W' => vec![3, 3],
            _ => vec![4, 4],
        };
        Pass { halted: letter.is_lowercase(), grid }
    }

    fn judged(checkpoints: &[&str]) -> Judged {
        let passes: Vec<Vec<Pass>> =
            checkpoints.iter().map(|letters| letters.chars().map(pass).collect()).collect();
        let passes: Vec<&[Pass]> = passes.iter().map(Vec::as_slice).collect();
        judge(&passes, &LABEL, |grid| grid == LABEL)
    }

    #[test]
    fn the_paper_asks_the_label_more_than_half_of_the_halted_passes_of_one_checkpoint() {
        // Two of three halted ones; what has not halted does not count.
        assert!(judged(&["wrrWWW"]).perturbed);
        assert!(!judged(&["rrww"]).perturbed, "half is not more than half");
        assert!(!judged(&["RRR"]).perturbed && judged(&["RRR"]).one_pass, "one pass need not halt");
        // One checkpoint is enough, whichever; its majority is its own.
        let judged = judged(&["rrw", "www"]);
        assert!(judged.both && judged.bootstrapped && !judged.perturbed && !judged.one_pass);
        assert!(!self::judged(&["rww", "rww"]).both, "majorities of checkpoints are not added up");
        assert!(!self::judged(&["Rrr"]).bootstrapped, "bootstrapping asks the puzzle itself, halted");
        assert!(!self::judged(&[]).both);
    }

    #[test]
    fn without_labels_the_checker_takes_any_pass_and_the_vote_may_be_wrong() {
        assert!(judged(&["wwW", "wwR"]).checked, "halted or not");
        assert!(!judged(&["wwW"]).checked);
        assert_eq!(judged(&["rww", "rrw"]).voted, Some(true), "three of six, and first");
        assert_eq!(judged(&["wwr", "rvv"]).voted, Some(false), "the first of equals");
        assert_eq!(judged(&["RRW"]).voted, None);
    }

    #[test]
    fn the_table_counts_each_rule_and_what_it_cost() {
        let table =
            Table::of(&[judged(&["rrw", "www"]), judged(&["wwr", "rrr"]), judged(&["wRR", "wWW"])], 2, 3);
        assert_eq!(table.rows, 3);
        let counts =
            [table.one_pass, table.perturbed, table.bootstrapped, table.both, table.checked, table.voted];
        assert_eq!(counts.map(|rule| rule.solved), [1, 1, 2, 2, 3, 1]);
        assert_eq!(counts.map(|rule| rule.passes), [1, 3, 2, 6, 6, 6]);
        assert_eq!(counts.map(|rule| rule.wrong), [None, None, None, None, Some(0), Some(2)]);
    }

    /// Answers an image with itself, and halts where its first token is odd.
    struct Mirror;

    impl Answers for Mirror {
        type Error = Infallible;

        fn batch(&self) -> usize {
            8
        }

        fn answer(
            &mut self,
            puzzles: &[u8],
            segments: usize,
            seen: &mut dyn FnMut(Moment<'_>),
        ) -> Result<(), Infallible> {
            let halts: Vec<bool> = puzzles.chunks_exact(16).map(|puzzle| puzzle[0] % 2 == 1).collect();
            let none = vec![false; halts.len()];
            for segment in 1..=segments {
                // Only the last moment counts.
                let (grids, halts) =
                    if segment == segments { (puzzles, &halts) } else { (&puzzles[..0], &none) };
                seen(Moment { grids, halts, q_halts: &[], z_h: &[], margins: &[] });
            }
            Ok(())
        }
    }

    #[test]
    fn every_pass_is_shown_in_the_puzzles_own_digits() {
        let task = Game::named("sudoku4").unwrap();
        let puzzle = [2, 3, 5, 4, 4, 5, 3, 2, 5, 4, 2, 3, 3, 2, 4, 5];
        let passes = passes(&mut Mirror, &task, &[puzzle, puzzle].concat(), 3).unwrap();
        assert_eq!(passes.len(), 2);
        assert_eq!(passes[0], passes[1]);
        let halted: Vec<bool> = passes[0].iter().map(|pass| pass.halted).collect();
        // The first digit is 1, 2, 3, 4 under the four relabels: tokens 2, 3, 4, 5.
        assert_eq!(halted, [false, true, false, true]);
        assert!(passes[0].iter().all(|pass| pass.grid == puzzle));
    }
}
