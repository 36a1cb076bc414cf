//! Every random choice of training, from one serialisable generator.

use hrm_core::task::Task;
use rand_core::Rng;

use crate::data::hints::ease;

/// True with probability `p`. Draws exactly one number whatever `p` is.
pub fn chance<R: Rng>(rng: &mut R, p: f64) -> bool {
    ((rng.next_u64() >> 11) as f64) < p * (1u64 << 53) as f64
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
    chance(rng, variation.eased) && ease(puzzle, label, rng) > 0
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
}
