//! Perturbation-voted solving of whole puzzle sets with the integer model, on all processors.

use hrm_core::solve::{Policy, Solver, Status};
use hrm_core::{Hrm, MemoryError, Pack, workspace_bytes};
use rayon::prelude::*;
use serde::Serialize;

use crate::data::PuzzleSet;
use crate::train::eval::wilson;

/// What came of one puzzle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What the solver said.
    pub status: Status,
    /// Whether its grid is the answer of the set.
    pub right: bool,
    /// Guesses begun.
    pub guesses: u16,
    /// Segments taken.
    pub segments: u32,
}

/// What came of a set.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Verdict {
    /// Puzzles asked.
    pub rows: usize,
    /// Puzzles called solved whose grid is the answer.
    pub solved: usize,
    /// Puzzles called solved whose grid is not the answer: of puzzles with one solution there can be none.
    pub wrongly_solved: usize,
    /// Puzzles voted on (tasks without a checker).
    pub voted: usize,
    /// Of those, with the right grid.
    pub voted_right: usize,
    /// 95 % interval of the share solved (Wilson's).
    pub interval: [f64; 2],
    /// Guesses per puzzle, mean.
    pub mean_guesses: f64,
    /// Segments per puzzle, mean.
    pub mean_segments: f64,
    /// Puzzles solved within 1, 2, 3, ... guesses.
    pub by_guess: Vec<usize>,
}

/// Solves every puzzle of `set`, each from the start with the same `policy`.
///
/// # Errors
/// Where the model does not fit the memory given to it, which its own size decides.
pub fn solve_all(pack: Pack<'_>, set: &PuzzleSet, policy: Policy) -> Result<Vec<Outcome>, MemoryError> {
    let words = workspace_bytes(pack.shape()) / 4;
    (0..set.len())
        .into_par_iter()
        .map_init(
            || vec![0u32; words],
            |memory, row| {
                let mut model = Hrm::new(pack, memory)?;
                let mut solver = Solver::new(set.task(), set.question(row), policy);
                let answer = solver.run(&mut model, &mut ());
                let right = answer.grid == set.answer(row);
                let (status, guesses, segments) = (answer.status, answer.guesses, answer.segments);
                Ok(Outcome { status, right, guesses, segments })
            },
        )
        .collect()
}

/// The sums over `outcomes`.
pub fn verdict(outcomes: &[Outcome]) -> Verdict {
    let rows = outcomes.len();
    let count = |test: &dyn Fn(&Outcome) -> bool| outcomes.iter().filter(|o| test(o)).count();
    let mean = |of: &dyn Fn(&Outcome) -> f64| outcomes.iter().map(of).sum::<f64>() / rows.max(1) as f64;
    let solved = |o: &Outcome| o.status == Status::Solved && o.right;
    let most = outcomes.iter().map(|o| o.guesses).max().unwrap_or(0);
    Verdict {
        rows,
        solved: count(&solved),
        wrongly_solved: count(&|o| o.status == Status::Solved && !o.right),
        voted: count(&|o| o.status == Status::Voted),
        voted_right: count(&|o| o.status == Status::Voted && o.right),
        interval: wilson(count(&solved), rows),
        mean_guesses: mean(&|o| f64::from(o.guesses)),
        mean_segments: mean(&|o| f64::from(o.segments)),
        by_guess: (1..=most).map(|n| count(&|o| solved(o) && o.guesses <= n)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_grid_called_solved_is_counted_apart() {
        let outcome = |status, right, guesses| Outcome { status, right, guesses, segments: 10 };
        let verdict = verdict(&[
            outcome(Status::Solved, true, 1),
            outcome(Status::Solved, true, 3),
            outcome(Status::Solved, false, 1),
            outcome(Status::Unproven, true, 4),
        ]);
        assert_eq!((verdict.rows, verdict.solved, verdict.wrongly_solved), (4, 2, 1));
        assert_eq!(verdict.by_guess, [1, 1, 2, 2]);
        assert_eq!((verdict.mean_guesses, verdict.mean_segments), (2.25, 10.0));
    }
}
