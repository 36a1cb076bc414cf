//! Easier copies of puzzles: some blanks filled in from the answer.

use hrm_core::task::{Task, draw};
use rand_core::Rng;
use rand_pcg::Pcg64;

use super::{Puzzle, PuzzleSet};

/// How many of `blanks` blanks `percent` per cent are: rounded to nearest, halves up, and at least one blank
/// stays below 100 per cent. Percentages above 100 count as 100.
pub fn hints_for(blanks: usize, percent: u8) -> usize {
    if percent >= 100 {
        return blanks;
    }
    ((blanks * usize::from(percent) + 50) / 100).min(blanks.saturating_sub(1))
}

/// Fills `count` random cells that hold `blank` of `question` from `answer` (all of them where there are
/// fewer). Every set of `count` blanks is equally likely, and the sets of growing counts drawn with
/// equal generators are nested.
pub fn fill<R: Rng>(blank: u8, question: &mut [u8], answer: &[u8], count: usize, rng: &mut R) {
    let mut blanks: Vec<usize> = (0..question.len()).filter(|&cell| question[cell] == blank).collect();
    draw::shuffle(rng, &mut blanks);
    for &cell in blanks.iter().take(count) {
        question[cell] = answer[cell];
    }
}

/// Fills n ~ U{1..m} random blanks with `m = clamp(floor(most * blanks), 1, blanks - 1)`; `most = 1` is the
/// papers' data augmentation. A puzzle with fewer than two blanks stays. Returns n.
pub fn ease<R: Rng>(blank: u8, question: &mut [u8], answer: &[u8], most: f64, rng: &mut R) -> usize {
    let blanks = question.iter().filter(|&&token| token == blank).count();
    if blanks < 2 {
        return 0;
    }
    let most = ((most * blanks as f64) as usize).clamp(1, blanks - 1);
    let count = 1 + draw::below(rng, most as u32) as usize;
    fill(blank, question, answer, count, rng);
    count
}

/// The set with `percent` per cent of each puzzle's blanks filled ([`hints_for`] of them). Row `i`
/// draws from a generator of its own made of `seed` and `i`, so a lower percentage's hints are a
/// subset of a higher one's.
pub fn with_hints(set: &PuzzleSet, percent: u8, seed: u64) -> PuzzleSet {
    let (mut eased, blank) = (PuzzleSet::new(set.task()), set.task().blank());
    for (row, puzzle) in set.iter().enumerate() {
        let mut question = puzzle.question.to_vec();
        let blanks = question.iter().filter(|&&token| token == blank).count();
        let mut rng = Pcg64::new(u128::from(seed), row as u128);
        fill(blank, &mut question, puzzle.answer, hints_for(blanks, percent), &mut rng);
        eased.push(Puzzle { question: &question, ..puzzle });
    }
    eased
}

#[cfg(test)]
mod tests {
    use hrm_core::task::{
        Task,
        sudoku::{BLANK, Sudoku, SudokuKind},
    };

    use super::*;

    const ANSWER: [u8; 16] = [2, 3, 5, 4, 4, 5, 3, 2, 5, 4, 2, 3, 3, 2, 4, 5];

    fn set() -> PuzzleSet {
        let mut set = PuzzleSet::new(Sudoku::new(SudokuKind::Four));
        for blanks in [0, 1, 2, 9, 16] {
            let mut question = ANSWER;
            question[..blanks].fill(BLANK);
            set.push(Puzzle { question: &question, answer: &ANSWER, source: "test", rating: None });
        }
        set
    }

    fn blanks(question: &[u8]) -> usize {
        question.iter().filter(|&&token| token == BLANK).count()
    }

    #[test]
    fn rounding_is_as_stated() {
        assert_eq!(hints_for(10, 0), 0);
        assert_eq!(hints_for(10, 44), 4);
        assert_eq!(hints_for(10, 45), 5);
        assert_eq!(hints_for(10, 99), 9);
        assert_eq!(hints_for(1, 99), 0);
        assert_eq!(hints_for(10, 100), 10);
        assert_eq!(hints_for(10, 255), 10);
        assert_eq!(hints_for(0, 50), 0);
    }

    #[test]
    fn percentages_are_nested_and_exact() {
        let set = set();
        assert!(set.task().accepts(set.question(1), set.answer(1)));
        let levels: Vec<PuzzleSet> = [0, 40, 70, 90, 100].map(|percent| with_hints(&set, percent, 3)).into();
        assert_eq!(levels[0], set);
        for pair in levels.windows(2) {
            for row in 0..set.len() {
                let (less, more) = (pair[0].question(row), pair[1].question(row));
                assert!(less.iter().zip(more).all(|(a, b)| *a == BLANK || a == b));
            }
        }
        assert_eq!(blanks(levels[2].question(4)), 16 - 11);
        assert_eq!(blanks(levels[3].question(1)), 1);
        assert_eq!(levels[4].question(4), set.answer(4));
        assert_ne!(with_hints(&set, 40, 3), with_hints(&set, 40, 4));
    }

    #[test]
    fn easing_draws_every_count() {
        let mut rng = Pcg64::new(1, 1);
        let mut seen = [0u32; 16];
        for _ in 0..1500 {
            let mut question = [BLANK; 16];
            let count = ease(BLANK, &mut question, &ANSWER, 1.0, &mut rng);
            assert_eq!(blanks(&question), 16 - count);
            assert!(question.iter().zip(ANSWER).all(|(&a, b)| a == BLANK || a == b));
            seen[count] += 1;
        }
        assert_eq!(seen[0], 0);
        assert!(seen[1..].iter().all(|&n| (60..150).contains(&n)), "{seen:?}");
        let mut one = ANSWER;
        one[3] = BLANK;
        assert_eq!(ease(BLANK, &mut one, &ANSWER, 1.0, &mut rng), 0);
        assert_eq!(one[3], BLANK);

        let counts = |most, rng: &mut Pcg64| -> std::collections::BTreeSet<usize> {
            (0..200).map(|_| ease(BLANK, &mut [BLANK; 16], &ANSWER, most, rng)).collect()
        };
        assert!(counts(0.26, &mut rng).into_iter().eq(1..=4));
        assert!(counts(0.01, &mut rng).into_iter().eq(1..=1), "at least one");
    }
}
