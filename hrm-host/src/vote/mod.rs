//! Perturbation-voted solving of whole puzzle sets with the integer model, on all processors.

pub mod paper;
pub mod record;

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use hrm_core::solve::{Policy, Solver, Status, Step};
use hrm_core::task::Task;
use hrm_core::{Hrm, MemoryError, Pack, ample_words};
use serde::Serialize;

use crate::data::PuzzleSet;
use crate::queue::work_off;
use crate::task::Exact;
use crate::train::eval::wilson;

/// What came of one puzzle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What the solver said.
    pub status: Status,
    /// Whether its grid is the answer of the set.
    pub right: bool,
    /// Whether its grid answers the puzzle, but is another than the set's: the puzzle has several solutions.
    pub several: bool,
    /// Guesses begun.
    pub guesses: u16,
    /// Segments taken.
    pub segments: u32,
}

impl Outcome {
    /// Whether it is called solved, with the answer of the set.
    pub fn is_solved(&self) -> bool {
        self.status == Status::Solved && self.right
    }
}

/// What came of a set.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Verdict {
    /// Puzzles asked.
    pub rows: usize,
    /// Puzzles called solved whose grid is the answer.
    pub solved: usize,
    /// Puzzles called solved whose grid is valid and not the answer of the set, because
    /// they have several solutions.
    pub several_solutions: usize,
    /// Puzzles called solved whose grid does not answer them: there can be none.
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
    let rows: Vec<usize> = (0..set.len()).collect();
    let mut outcomes = Vec::with_capacity(rows.len());
    solve_rows(pack, set, &rows, policy, &AtomicBool::new(false), |row, outcome| {
        outcomes.push((row, outcome));
        ControlFlow::Continue(())
    })?;
    outcomes.sort_unstable_by_key(|(row, _)| *row);
    Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
}

/// Solves the puzzles `rows` of `set` and hands each outcome to `each` as it comes. Ends within a
/// segment where `each` breaks off or `stop` is raised: puzzles that are not done then are left out.
///
/// # Errors
/// As [`solve_all`].
pub fn solve_rows(
    pack: Pack<'_>,
    set: &PuzzleSet,
    rows: &[usize],
    policy: Policy,
    stop: &AtomicBool,
    mut each: impl FnMut(usize, Outcome) -> ControlFlow<()>,
) -> Result<(), MemoryError> {
    let words = ample_words(pack.shape());
    let mut failed = None;
    let solve = |memory: &mut Vec<u32>, row, ended: &AtomicBool| {
        let go_on = || ![stop, ended].iter().any(|flag| flag.load(Ordering::Relaxed));
        solve_one(pack, memory, (set, row), policy, go_on).transpose()
    };
    work_off(
        rows,
        || vec![0u32; words],
        solve,
        |row, outcome| match outcome {
            Ok(outcome) => each(row, outcome),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        },
    );
    failed.map_or(Ok(()), Err)
}

/// Solves one puzzle; `None` where `go_on` said no before it was done.
fn solve_one(
    pack: Pack<'_>,
    memory: &mut [u32],
    (set, row): (&PuzzleSet, usize),
    policy: Policy,
    go_on: impl Fn() -> bool,
) -> Result<Option<Outcome>, MemoryError> {
    let mut model = Hrm::new(pack, memory)?;
    let mut solver = Solver::with_hints(set.task(), set.question(row), policy);
    while go_on() {
        if let Step::Done(answer) = solver.advance(&mut model, &mut ()) {
            let right = answer.grid == set.answer(row);
            return Ok(Some(Outcome {
                status: answer.status,
                right,
                several: !right && answers_otherwise(set, row, answer.grid),
                guesses: answer.guesses,
                segments: answer.segments,
            }));
        }
    }
    Ok(None)
}

/// Whether `grid`, which is not the answer of the set, answers puzzle `row` as well: an exact search
/// finds several solutions.
fn answers_otherwise(set: &PuzzleSet, row: usize, grid: &[u8]) -> bool {
    let question = set.question(row);
    let several = |exact: Box<dyn Exact>| exact.search_within(question, 2, u64::MAX).solutions.len() > 1;
    set.task().accepts(question, grid) && set.task().exact().is_some_and(several)
}

/// The sums over `outcomes`.
pub fn verdict(outcomes: &[Outcome]) -> Verdict {
    let rows = outcomes.len();
    let count = |test: &dyn Fn(&Outcome) -> bool| outcomes.iter().filter(|o| test(o)).count();
    let mean = |of: &dyn Fn(&Outcome) -> f64| outcomes.iter().map(of).sum::<f64>() / rows.max(1) as f64;
    let most = outcomes.iter().map(|o| o.guesses).max().unwrap_or(0);
    Verdict {
        rows,
        solved: count(&Outcome::is_solved),
        several_solutions: count(&|o| o.status == Status::Solved && o.several),
        wrongly_solved: count(&|o| o.status == Status::Solved && !o.right && !o.several),
        voted: count(&|o| o.status == Status::Voted),
        voted_right: count(&|o| o.status == Status::Voted && o.right),
        interval: wilson(count(&Outcome::is_solved), rows),
        mean_guesses: mean(&|o| f64::from(o.guesses)),
        mean_segments: mean(&|o| f64::from(o.segments)),
        by_guess: (1..=most).map(|n| count(&|o| o.is_solved() && o.guesses <= n)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use hrm_core::task::sudoku::{Sudoku, SudokuKind};

    use super::*;
    use crate::data::Puzzle;

    #[test]
    fn a_wrong_grid_called_solved_is_counted_apart_from_another_valid_one() {
        let outcome =
            |status, right, several, guesses| Outcome { status, right, several, guesses, segments: 10 };
        let verdict = verdict(&[
            outcome(Status::Solved, true, false, 1),
            outcome(Status::Solved, true, false, 3),
            outcome(Status::Solved, false, false, 1),
            outcome(Status::Solved, false, true, 1),
            outcome(Status::Unproven, true, false, 4),
        ]);
        assert_eq!((verdict.rows, verdict.solved, verdict.wrongly_solved), (5, 2, 1));
        assert_eq!(verdict.several_solutions, 1);
        assert_eq!(verdict.by_guess, [1, 1, 2, 2]);
        assert_eq!((verdict.mean_guesses, verdict.mean_segments), (2.0, 10.0));
    }

    #[test]
    fn only_a_valid_grid_is_another_solution() {
        let task = Sudoku::new(SudokuKind::Four);
        let tokens = |text: &str| {
            let mut tokens = [0; 16];
            task.parse(text, &mut tokens).unwrap();
            tokens
        };
        let (question, answer) = (tokens(".....1..1.43.31."), tokens("2431312412434312"));
        let mut set = PuzzleSet::new(task);
        set.push(Puzzle { question: &question, answer: &answer, source: "", rating: None });
        assert!(answers_otherwise(&set, 0, &tokens("3421213412434312")));
        assert!(!answers_otherwise(&set, 0, &tokens("3421213412434321")));
    }
}
