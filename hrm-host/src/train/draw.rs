//! Every random choice of training, from one serialisable generator.

use hrm_core::task::Task;
use hrm_core::task::draw::below;
use rand_core::Rng;
use rand_pcg::Pcg64;

use crate::config::DataConfig;
use crate::data::hints::ease;

/// True with probability `p`. Draws exactly one number whatever `p` is.
pub fn chance<R: Rng>(rng: &mut R, p: f64) -> bool {
    ((rng.next_u64() >> 11) as f64) < p * (1u64 << 53) as f64
}

/// How drawn puzzles are varied.
#[derive(Clone, Copy, Debug)]
pub struct Variation {
    /// Probability that some blanks are filled.
    pub eased: f64,
    /// Share of the blanks that are filled at most.
    pub most: f64,
    /// Whether a random symmetry is applied.
    pub symmetries: bool,
    /// Symmetries each row has, itself aside; 0: all there are.
    pub augmentations: u64,
    /// Decides which symmetries those are.
    pub seed: u64,
}

impl Variation {
    /// How `config` has puzzles varied at step `step`.
    pub fn at(config: &DataConfig, step: u64) -> Self {
        let left = match config.eased_steps {
            0 => 0.0,
            steps => 1.0 - (step as f64 / steps as f64).min(1.0),
        };
        let between = |from: f64, to: f64| to + (from - to) * left;
        Self {
            eased: between(config.eased_from, config.eased),
            most: between(config.eased_most_from, config.eased_most),
            symmetries: config.symmetries,
            augmentations: config.augmentations,
            seed: config.seed,
        }
    }

    /// A symmetry for training row `index`.
    fn symmetry<T: Task, R: Rng>(&self, task: &T, index: u32, rng: &mut R) -> T::Symmetry {
        match (self.symmetries, self.augmentations) {
            (false, _) => task.identity(),
            (true, 0) => task.draw(rng),
            (true, count) => match below(rng, count as u32 + 1) {
                0 => task.identity(),
                // Each has its own generator, so it is the same one whenever it is drawn.
                copy => {
                    let stream = u128::from(index) << 32 | u128::from(copy);
                    task.draw(&mut Pcg64::new(u128::from(self.seed), stream))
                }
            },
        }
    }
}

/// Writes a variation of training row `index`, `row`, to `puzzle` and `label`; tells whether it was eased.
pub fn vary<T: Task, R: Rng>(
    task: &T,
    (index, row): (u32, (&[u8], &[u8])),
    variation: Variation,
    rng: &mut R,
    puzzle: &mut [u8],
    label: &mut [u8],
) -> bool {
    let symmetry = variation.symmetry(task, index, rng);
    task.apply(&symmetry, row.0, puzzle);
    task.apply(&symmetry, row.1, label);
    chance(rng, variation.eased) && ease(task.blank(), puzzle, label, variation.most, rng) > 0
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use hrm_core::task::sudoku::{Sudoku, SudokuKind};
    use rand_core::SeedableRng;

    use super::*;

    const GRID: [u8; 16] = [2, 3, 5, 4, 4, 5, 3, 2, 5, 4, 2, 3, 3, 2, 4, 5];

    #[test]
    fn easing_goes_linearly_to_its_final_values() {
        let config = DataConfig {
            eased: 0.2,
            eased_from: 1.0,
            eased_most: 0.1,
            eased_most_from: 0.9,
            eased_steps: 100,
            ..DataConfig::default()
        };
        let at = |step| Variation::at(&config, step);
        for (step, eased, most) in
            [(0, 1.0, 0.9), (50, 0.6, 0.5), (75, 0.4, 0.3), (100, 0.2, 0.1), (5000, 0.2, 0.1)]
        {
            let got = at(step);
            assert!((got.eased - eased).abs() < 1e-12 && (got.most - most).abs() < 1e-12, "{step}: {got:?}");
        }
        let constant = Variation::at(&DataConfig { eased_steps: 0, ..config }, 0);
        assert_eq!((constant.eased, constant.most), (0.2, 0.1));
    }

    #[test]
    fn a_limited_number_of_augmentations_is_the_same_whenever_it_is_drawn() {
        let task = Sudoku::new(SudokuKind::Four);
        let mut rng = Pcg64::seed_from_u64(3);
        let mut seen = |config: &DataConfig, index: u32| {
            let variation = Variation::at(config, 0);
            (0..400)
                .map(|_| {
                    let (mut puzzle, mut label) = (GRID, GRID);
                    vary(&task, (index, (&GRID, &GRID)), variation, &mut rng, &mut puzzle, &mut label);
                    label
                })
                .collect::<HashSet<_>>()
        };
        let config = DataConfig { eased: 0.0, augmentations: 3, ..DataConfig::default() };
        let first = seen(&config, 0);
        assert!(first.len() <= 4 && first.len() >= 2 && first.contains(&GRID), "{first:?}");
        assert_eq!(seen(&config, 0), first);
        assert_ne!(seen(&config, 1), first, "each row has its own");
        assert_ne!(seen(&DataConfig { seed: 9, ..config.clone() }, 0), first);
        assert!(seen(&DataConfig { augmentations: 0, ..config.clone() }, 0).len() > 50);
        assert_eq!(seen(&DataConfig { symmetries: false, ..config }, 0).len(), 1);
    }

    #[test]
    fn chances_are_as_likely_as_asked() {
        let mut rng = Pcg64::seed_from_u64(7);
        let hits = (0..5000).filter(|_| chance(&mut rng, 0.1)).count();
        assert!((420..580).contains(&hits), "{hits}");
        assert!(!(0..100).any(|_| chance(&mut rng, 0.0)));
        assert!((0..100).all(|_| chance(&mut rng, 1.0)));
    }
}
