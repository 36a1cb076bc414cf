//! Puzzles of our own: random full grids, clues taken away while the answer stays the only one.

use std::collections::HashSet;

use hrm_core::task::{
    Task, draw,
    sudoku::{BLANK, Sudoku, SudokuKind},
};
use rand_pcg::Pcg64;
use rayon::prelude::*;

use super::{
    Puzzle, PuzzleSet,
    exact::Exact,
    export::{MINIMAL, SOURCE},
};

/// What to generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The size.
    pub task: Sudoku,
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
    /// The search ran dry.
    #[error(
        "only {found} of {count} different puzzles found in {attempts} attempts, and hardly a new one among the last: there \
         are hardly more; ask for {found} or fewer, or for another number of givens"
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

/// The fewest givens that any puzzle with one solution has: 4, 8 and 17 (all proven by exhaustive search).
pub fn fewest_givens(kind: SudokuKind) -> usize {
    match kind {
        SudokuKind::Four => 4,
        SudokuKind::Six => 8,
        SudokuKind::Nine => 17,
    }
}

/// Attempts after which the search asks whether it still finds anything.
const WINDOW: u64 = 10_000;

/// It goes on where at least one of so many attempts found a new puzzle.
const FRUITLESS: u64 = 200;

/// Generates puzzles as `recipe` says, on all processors; `progress` is told the number found so far. The rating of a row
/// is the number of guesses of [`Exact`].
///
/// Gives up where of the last `WINDOW` attempts fewer than one in 200 found a new puzzle: few grids have puzzles with very
/// few givens, and small sizes have few different puzzles at all.
pub fn generate(recipe: &Recipe, mut progress: impl FnMut(usize)) -> Result<PuzzleSet, GenerateError> {
    let Recipe { task, count, seed, givens } = *recipe;
    let (fewest, most) = (fewest_givens(task.kind()), task.cells() - 1);
    if let Some(givens) = givens.filter(|givens| !(fewest..=most).contains(givens)) {
        return Err(GenerateError::Givens { task: task.name(), givens, fewest, most });
    }
    let source = givens.map_or(format!("{SOURCE}{MINIMAL}"), |givens| format!("{SOURCE}{givens}"));
    let mut set = PuzzleSet::new(task);
    let mut known: HashSet<Vec<u8>> = HashSet::new();
    let mut attempts = 0;
    let mut window = (0, 0); // attempts and puzzles at its start
    while set.len() < count {
        if attempts - window.0 >= WINDOW {
            if (set.len() - window.1) as u64 * FRUITLESS < WINDOW {
                return Err(GenerateError::Exhausted { found: set.len(), count, attempts });
            }
            window = (attempts, set.len());
        }
        let batch = ((count - set.len()) as u64).clamp(16, 1024);
        let found: Vec<Option<Made>> =
            (attempts..attempts + batch).into_par_iter().map(|attempt| make(recipe, seed, attempt)).collect();
        attempts += batch;
        for made in found.into_iter().flatten() {
            if set.len() < count && known.insert(made.question.clone()) {
                let rating = Some(u32::try_from(made.guesses).unwrap_or(u32::MAX).into());
                set.push(Puzzle { question: &made.question, answer: &made.answer, source: &source, rating });
            }
        }
        progress(set.len());
    }
    Ok(set)
}

struct Made {
    question: Vec<u8>,
    answer: Vec<u8>,
    guesses: u64,
}

/// One attempt: `None` where clues cannot be taken away down to the number asked for.
fn make(recipe: &Recipe, seed: u64, attempt: u64) -> Option<Made> {
    let task = recipe.task;
    let exact = Exact::new(task);
    let mut rng = Pcg64::new(u128::from(seed), u128::from(attempt));
    let grid = exact.complete(&vec![BLANK; task.cells()], &mut rng)?;
    let mut answer = vec![0; task.cells()];
    task.apply(&task.draw(&mut rng), &grid, &mut answer);

    let mut order: Vec<usize> = (0..task.cells()).collect();
    draw::shuffle(&mut rng, &mut order);
    let mut question = answer.clone();
    let mut givens = task.cells();
    for cell in order {
        if recipe.givens == Some(givens) {
            break;
        }
        question[cell] = BLANK;
        if exact.solvable_without(&question, cell, answer[cell]) {
            question[cell] = answer[cell];
        } else {
            givens -= 1;
        }
    }
    if recipe.givens.is_some_and(|wanted| wanted != givens) {
        return None;
    }
    let guesses = exact.search(&question, 1).guesses;
    Some(Made { question, answer, guesses })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(kind: SudokuKind, count: usize, givens: Option<usize>) -> Recipe {
        Recipe { task: Sudoku::new(kind), count, seed: 7, givens }
    }

    fn generated(recipe: &Recipe) -> PuzzleSet {
        generate(recipe, |_| {}).expect("puzzles")
    }

    #[test]
    fn minimal_puzzles_are_minimal_unique_and_different() {
        for (kind, count) in [(SudokuKind::Four, 200), (SudokuKind::Six, 100), (SudokuKind::Nine, 20)] {
            let set = generated(&recipe(kind, count, None));
            let exact = Exact::new(set.task());
            assert_eq!(set.len(), count);
            let questions: HashSet<&[u8]> = set.iter().map(|puzzle| puzzle.question).collect();
            assert_eq!(questions.len(), count);
            for puzzle in set.iter() {
                assert_eq!(exact.search(puzzle.question, 2).solutions, [puzzle.answer]);
                assert!(set.task().givens(puzzle.question) >= fewest_givens(kind));
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
            assert!(set.iter().all(|puzzle| set.task().givens(puzzle.question) == givens));
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
