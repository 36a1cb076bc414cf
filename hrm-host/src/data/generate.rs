//! Puzzles of our own, all different.

use std::collections::HashSet;

use rand_pcg::Pcg64;
use rayon::prelude::*;

use super::{
    Puzzle, PuzzleSet,
    export::{MINIMAL, SOURCE},
};
use crate::task::{Game, Made};

/// What to generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The task.
    pub task: Game,
    /// How many puzzles, all with different questions.
    pub count: usize,
    /// Equal seeds give equal puzzles, whatever the number of threads.
    pub seed: u64,
    /// Exactly so many givens; `None` takes clues away until none can go (a minimal puzzle).
    pub givens: Option<usize>,
}

/// Why puzzles cannot be generated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// Outside what puzzles with one solution and at least one blank have.
    #[error("{givens} givens are impossible for {task}; ask for {fewest} to {most}")]
    Givens {
        /// The task's name.
        task: &'static str,
        /// What was asked for.
        givens: usize,
        /// Fewest givens of any puzzle with one solution.
        fewest: usize,
        /// One blank.
        most: usize,
    },
    /// Nobody can make its puzzles.
    #[error("there is no generator of {task}; import puzzles from a file")]
    None {
        /// The task's name.
        task: &'static str,
    },
    /// Its puzzles have no number of givens to choose.
    #[error("{task} puzzles have no number of givens to choose; leave it out")]
    NoGivens {
        /// The task's name.
        task: &'static str,
    },
    /// Nobody can change its puzzles a little.
    #[error("there is no search near {task} puzzles; leave out --near, and they are made anew")]
    NoNear {
        /// The task's name.
        task: &'static str,
    },
    /// Nothing to start from.
    #[error("there is no puzzle to search near; name a file that has some")]
    NoStart,
    /// The search ran dry.
    #[error(
        "only {found} of {count} different puzzles found in {attempts} attempts, and hardly a new one among the last: there \
         are hardly more, or they are rare; ask for {}another number of givens, a lower rating or another size",
        if *.found == 0 { String::new() } else { format!("{found} or fewer, for ") }
    )]
    Exhausted {
        /// Puzzles found.
        found: usize,
        /// Puzzles asked for.
        count: usize,
        /// Grids tried.
        attempts: u64,
    },
}

/// Attempts after which the search asks whether it still finds anything.
const WINDOW: u64 = 10_000;

/// It goes on where at least one of so many puzzles that were made is a new one.
const FRUITLESS: usize = 200;

/// Generates puzzles as `recipe` says, on all processors; `progress` is told the number found so far. The
/// rating of a row is what the task's generator says.
///
/// Gives up where the last `WINDOW` attempts made no new puzzle, or of those that they made fewer than one in
/// 200 was new: few grids have puzzles with very few givens, and small sizes have few different puzzles at
/// all. What is rare and new is searched on.
pub fn generate(recipe: &Recipe, mut progress: impl FnMut(usize)) -> Result<PuzzleSet, GenerateError> {
    let Recipe { task, count, seed, givens } = *recipe;
    let generator = task.generator().ok_or(GenerateError::None { task: task.name() })?;
    if let Some(givens) = givens {
        let range = generator.givens().ok_or(GenerateError::NoGivens { task: task.name() })?;
        if !range.contains(&givens) {
            let (fewest, most) = range.into_inner();
            return Err(GenerateError::Givens { task: task.name(), givens, fewest, most });
        }
    }
    let source = givens.map_or(format!("{SOURCE}{MINIMAL}"), |givens| format!("{SOURCE}{givens}"));
    let attempt = |_: &PuzzleSet, rng: &mut Pcg64| generator.attempt(givens, rng);
    collect(Wanted { task, count, seed, source: &source }, HashSet::new(), attempt, &mut progress)
}

/// What [`collect`] gathers.
pub(super) struct Wanted<'a> {
    pub task: Game,
    pub count: usize,
    pub seed: u64,
    /// The source that each row states.
    pub source: &'a str,
}

/// Gathers puzzles that are not `known` from attempts on all processors. An attempt sees what
/// was found before its round.
pub(super) fn collect(
    Wanted { task, count, seed, source }: Wanted<'_>,
    mut known: HashSet<Vec<u8>>,
    attempt: impl Fn(&PuzzleSet, &mut Pcg64) -> Option<Made> + Sync,
    progress: &mut dyn FnMut(usize),
) -> Result<PuzzleSet, GenerateError> {
    let mut set = PuzzleSet::new(task);
    let mut attempts = 0;
    let mut made = 0;
    let mut window = (0, 0, 0); // attempts, puzzles made and new ones at its start
    while set.len() < count {
        if attempts - window.0 >= WINDOW {
            let new = set.len() - window.2;
            if new == 0 || new * FRUITLESS < made - window.1 {
                return Err(GenerateError::Exhausted { found: set.len(), count, attempts });
            }
            window = (attempts, made, set.len());
        }
        let batch = ((count - set.len()) as u64).clamp(16, 1024);
        let one = |number| attempt(&set, &mut Pcg64::new(u128::from(seed), u128::from(number)));
        let found: Vec<Option<Made>> = (attempts..attempts + batch).into_par_iter().map(one).collect();
        attempts += batch;
        for (question, answer, rating) in found.into_iter().flatten() {
            made += 1;
            if set.len() < count && known.insert(question.clone()) {
                let rating = rating.map(|rating| u32::try_from(rating).unwrap_or(u32::MAX).into());
                set.push(Puzzle { question: &question, answer: &answer, source, rating });
            }
        }
        progress(set.len());
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use hrm_core::task::Task;
    use hrm_core::task::sudoku::{BLANK, Sudoku, SudokuKind};

    use super::*;
    use crate::task::sudoku::{exact::Exact, fewest_givens};

    fn recipe(kind: SudokuKind, count: usize, givens: Option<usize>) -> Recipe {
        Recipe { task: Sudoku::new(kind).into(), count, seed: 7, givens }
    }

    fn generated(recipe: &Recipe) -> PuzzleSet {
        generate(recipe, |_| {}).expect("puzzles")
    }

    #[test]
    fn minimal_puzzles_are_minimal_unique_and_different() {
        for (kind, count) in [(SudokuKind::Four, 200), (SudokuKind::Six, 100), (SudokuKind::Nine, 20)] {
            let set = generated(&recipe(kind, count, None));
            let exact = Exact::new(Sudoku::new(kind));
            assert_eq!(set.len(), count);
            let questions: HashSet<&[u8]> = set.iter().map(|puzzle| puzzle.question).collect();
            assert_eq!(questions.len(), count);
            for puzzle in set.iter() {
                assert_eq!(exact.search(puzzle.question, 2).solutions, [puzzle.answer]);
                assert!(Sudoku::new(kind).givens(puzzle.question) >= fewest_givens(kind));
                for cell in 0..set.cells() {
                    if puzzle.question[cell] != BLANK {
                        let mut fewer = puzzle.question.to_vec();
                        fewer[cell] = BLANK;
                        assert_eq!(exact.count(&fewer, 2), 2);
                    }
                }
            }
        }
    }

    #[test]
    fn the_number_of_givens_is_exact() {
        for (kind, givens) in
            [(SudokuKind::Four, 6), (SudokuKind::Six, 14), (SudokuKind::Nine, 30), (SudokuKind::Nine, 80)]
        {
            let set = generated(&recipe(kind, 30, Some(givens)));
            assert!(set.iter().all(|puzzle| Sudoku::new(kind).givens(puzzle.question) == givens));
            assert!(set.iter().all(|puzzle| set.task().accepts(puzzle.question, puzzle.answer)));
        }
    }

    #[test]
    fn seeds_decide_and_threads_do_not() {
        let nine = recipe(SudokuKind::Nine, 40, None);
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
        let three = rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("a pool");
        let set = one.install(|| generated(&nine));
        assert_eq!(set, three.install(|| generated(&nine)));
        assert_ne!(set, generated(&Recipe { seed: 8, ..nine }));
    }

    #[test]
    fn impossible_wishes_are_refused() {
        assert_eq!(
            generate(&recipe(SudokuKind::Nine, 1, Some(16)), |_| {}),
            Err(GenerateError::Givens { task: "sudoku9", givens: 16, fewest: 17, most: 80 })
        );
        assert!(generate(&recipe(SudokuKind::Four, 1, Some(16)), |_| {}).is_err());
        // 4x4 has 288 grids with 16 single blanks each: 4,608 puzzles of 15 givens.
        let error = generate(&recipe(SudokuKind::Four, 5000, Some(15)), |_| {});
        assert!(matches!(error, Err(GenerateError::Exhausted { found, .. }) if found <= 4608), "{error:?}");
        assert_eq!(generated(&recipe(SudokuKind::Four, 0, None)).len(), 0);
    }
}
