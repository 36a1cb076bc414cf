//! Every random choice of training, from one serialisable generator.

use hrm_core::task::Task;
use hrm_core::task::draw::below;
use hrm_core::task::sudoku::BLANK;
use rand_core::Rng;

/// True with probability `p`. Draws exactly one number whatever `p` is.
pub fn chance<R: Rng>(rng: &mut R, p: f64) -> bool {
    ((rng.next_u64() >> 11) as f64) < p * (1u64 << 53) as f64
}

/// Fills `n` random blanks of `puzzle` from `answer` (all of them where there are fewer).
pub fn fill_blanks<R: Rng>(puzzle: &mut [u8], answer: &[u8], n: usize, rng: &mut R) {
    let mut blanks: Vec<usize> = (0..puzzle.len()).filter(|&i| puzzle[i] == BLANK).collect();
    for chosen in 0..n.min(blanks.len()) {
        let other = chosen + below(rng, (blanks.len() - chosen) as u32) as usize;
        blanks.swap(chosen, other);
        puzzle[blanks[chosen]] = answer[blanks[chosen]];
    }
}

/// How drawn puzzles are varied.
#[derive(Clone, Copy, Debug)]
pub struct Variation {
    /// Probability of filling n ~ U{1..blanks-1} blanks.
    pub eased: f64,
    /// Whether a random symmetry is applied.
    pub symmetries: bool,
}

/// Writes a variation of one training row to `puzzle` and `label`; tells whether it was eased.
pub fn vary<T: Task, R: Rng>(
    task: &T,
    row: (&[u8], &[u8]),
    variation: Variation,
    rng: &mut R,
    puzzle: &mut [u8],
    label: &mut [u8],
) -> bool {
    let symmetry = if variation.symmetries { task.draw(rng) } else { task.identity() };
    task.apply(&symmetry, row.0, puzzle);
    task.apply(&symmetry, row.1, label);
    let blanks = puzzle.iter().filter(|&&t| t == BLANK).count();
    let eased = chance(rng, variation.eased) && blanks >= 2;
    if eased {
        let n = 1 + below(rng, blanks as u32 - 1) as usize;
        fill_blanks(puzzle, label, n, rng);
    }
    eased
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;
    use rand_pcg::Pcg64;

    use super::*;

    #[test]
    fn chances_are_as_likely_as_asked() {
        let mut rng = Pcg64::seed_from_u64(7);
        let hits = (0..5000).filter(|_| chance(&mut rng, 0.1)).count();
        assert!((420..580).contains(&hits), "{hits}");
        assert!(!(0..100).any(|_| chance(&mut rng, 0.0)));
        assert!((0..100).all(|_| chance(&mut rng, 1.0)));
    }

    #[test]
    fn blanks_are_filled_from_the_answer_only() {
        let mut rng = Pcg64::seed_from_u64(7);
        let answer = [2u8, 3, 4, 5, 6, 7];
        for n in 0..8 {
            let mut puzzle = [2u8, 1, 1, 5, 1, 1];
            fill_blanks(&mut puzzle, &answer, n, &mut rng);
            assert_eq!(puzzle.iter().filter(|&&t| t == BLANK).count(), 4usize.saturating_sub(n));
            assert!(puzzle.iter().zip(&answer).all(|(p, a)| *p == BLANK || p == a));
        }
    }
}
