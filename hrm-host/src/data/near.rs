//! Puzzles near hard ones: what is hard seldom comes by chance, but changing a hard puzzle a
//! little often gives another.

use std::collections::HashSet;

use hrm_core::task::draw;
use rand_pcg::Pcg64;

use super::PuzzleSet;
use super::export::{NEAR, SOURCE};
use super::generate::{GenerateError, Wanted, collect};
use super::split::Keys;
use crate::task::Generator;

/// Where to search, and for what.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// The puzzles to start from.
    pub from: &'a PuzzleSet,
    /// Puzzles with which none that is found shares a solution up to symmetry (or what
    /// [`Apart`](super::split::Apart) says of the task): those that a model is measured by.
    pub apart_from: &'a [PuzzleSet],
    /// How many puzzles, all with different questions, none of them one to start from.
    pub count: usize,
    /// The least rating, as the task's generator rates.
    pub least: u64,
    /// Equal seeds give equal puzzles, whatever the number of threads.
    pub seed: u64,
}

/// Searches near the puzzles given and near those found, on all processors; `progress` is told
/// the number found so far.
///
/// Each attempt changes one of them, drawn uniformly. Gives up as
/// [`generate`](super::generate::generate) does.
pub fn near(search: &Search<'_>, mut progress: impl FnMut(usize)) -> Result<PuzzleSet, GenerateError> {
    let Search { from, apart_from, count, least, seed } = *search;
    let task = from.task();
    let nearby =
        task.generator().and_then(Generator::nearby).ok_or(GenerateError::NoNear { task: task.name() })?;
    if from.is_empty() && count > 0 {
        return Err(GenerateError::NoStart);
    }
    let keys = Keys::new(task.apart(), task);
    let kept_apart: HashSet<Vec<u8>> = apart_from.iter().flat_map(|set| keys.of_all(set)).collect();
    let attempt = |found: &PuzzleSet, rng: &mut Pcg64| {
        let start = draw::below(rng, (from.len() + found.len()) as u32) as usize;
        let start = match start.checked_sub(from.len()) {
            Some(row) => found.question(row),
            None => from.question(start),
        };
        let made = nearby.near(start, rng)?;
        let hard = made.2.is_some_and(|rating| rating >= least);
        let apart = || kept_apart.is_empty() || !kept_apart.contains(&keys.key(&made.0, &made.1));
        (hard && apart()).then_some(made)
    };
    let known = from.iter().map(|puzzle| puzzle.question.to_vec()).collect();
    collect(Wanted { task, count, seed, source: &format!("{SOURCE}{NEAR}") }, known, attempt, &mut progress)
}

#[cfg(test)]
mod tests {
    use hrm_core::task::Task;
    use hrm_core::task::maze::Maze;
    use hrm_core::task::sudoku::{BLANK, Sudoku, SudokuKind};

    use super::*;
    use crate::data::generate::{Recipe, generate};
    use crate::data::split::Apart;
    use crate::task::Game;
    use crate::task::sudoku::exact::Exact;

    fn start(task: impl Into<Game>) -> PuzzleSet {
        generate(&Recipe { task: task.into(), count: 20, seed: 5, givens: None }, |_| {}).expect("puzzles")
    }

    fn search(from: &PuzzleSet) -> Search<'_> {
        Search { from, apart_from: &[], count: 40, least: 0, seed: 3 }
    }

    #[test]
    fn what_is_found_is_new_minimal_and_has_one_solution() {
        let task = Sudoku::new(SudokuKind::Nine);
        let from = start(task);
        let found = near(&search(&from), |_| {}).expect("puzzles");
        let questions: HashSet<&[u8]> =
            from.iter().chain(found.iter()).map(|puzzle| puzzle.question).collect();
        assert_eq!(questions.len(), 60);
        let exact = Exact::new(task);
        for puzzle in found.iter() {
            assert_eq!(puzzle.source, "generated_near");
            assert_eq!(exact.search(puzzle.question, 2).solutions, [puzzle.answer]);
            let mut question = puzzle.question.to_vec();
            for (cell, &given) in puzzle.question.iter().enumerate().filter(|given| *given.1 != BLANK) {
                question[cell] = BLANK;
                assert_eq!(exact.count(&question, 2), 2, "a given could go");
                question[cell] = given;
            }
        }
    }

    #[test]
    fn it_keeps_to_the_rating_and_near_hard_puzzles_more_are_hard() {
        let from = start(Sudoku::new(SudokuKind::Nine));
        let hard = near(&Search { least: 10, ..search(&from) }, |_| {}).expect("hard puzzles");
        let ratings: Vec<f64> =
            hard.iter().filter_map(|puzzle| puzzle.rating).map(|rating| rating.to_f64()).collect();
        assert!(ratings.len() == 40 && ratings.iter().all(|&rating| rating >= 10.0), "{ratings:?}");
        let share = |from: &PuzzleSet| {
            let found = near(&Search { count: 100, ..search(from) }, |_| {}).expect("puzzles");
            found.iter().filter(|puzzle| puzzle.rating >= Some(10.into())).count()
        };
        assert!(share(&hard) >= 2 * share(&from), "{} and {} of 100", share(&hard), share(&from));
    }

    #[test]
    fn seeds_decide_and_threads_do_not() {
        let from = start(Sudoku::new(SudokuKind::Six));
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let found = pool(1).install(|| near(&search(&from), |_| {})).expect("puzzles");
        assert_eq!(Ok(&found), pool(3).install(|| near(&search(&from), |_| {})).as_ref());
        assert_ne!(Ok(found), near(&Search { seed: 4, ..search(&from) }, |_| {}));
    }

    #[test]
    fn what_a_model_is_measured_by_is_not_found() {
        let task = Sudoku::new(SudokuKind::Six);
        let from = start(task);
        let keys = Keys::new(Apart::Puzzles, task.into());
        let of = |set: &PuzzleSet| -> HashSet<_> { keys.of_all(set).into_iter().collect() };
        let once = near(&search(&from), |_| {}).expect("puzzles");
        let apart = near(&Search { apart_from: std::slice::from_ref(&once), ..search(&from) }, |_| {})
            .expect("puzzles");
        assert!(of(&once).is_disjoint(&of(&apart)) && apart.len() == 40);
    }

    #[test]
    fn where_nothing_can_be_found_it_says_so() {
        let maze = Maze::new(10, 10).expect("a maze");
        let refused = near(&search(&start(maze)), |_| {});
        assert_eq!(refused, Err(GenerateError::NoNear { task: Game::from(maze).name() }));
        let none = PuzzleSet::new(Sudoku::new(SudokuKind::Four));
        assert_eq!(near(&search(&none), |_| {}), Err(GenerateError::NoStart));
        let four = start(Sudoku::new(SudokuKind::Four));
        let refused = near(&Search { least: 1000, ..search(&four) }, |_| {});
        assert!(matches!(refused, Err(GenerateError::Exhausted { found: 0, .. })), "{refused:?}");
        assert!(four.task().accepts(four.question(0), four.answer(0)));
    }
}
