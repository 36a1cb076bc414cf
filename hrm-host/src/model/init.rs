//! Seeded initial values, the same on every machine and device.

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64;

/// Standard deviation of a standard normal cut to ±2: `sqrt(1 - 4 φ(2) / (2 Φ(2) - 1))`.
const CUT_STD: f64 = 0.879_625_661_034_239_8;

/// Draws from a normal distribution cut at two (uncorrected) standard deviations and rescaled, so that the
/// standard deviation of the result is the nominal one.
pub(super) struct TruncatedNormal {
    rng: Pcg64,
}

impl TruncatedNormal {
    pub(super) fn new(seed: u64) -> Self {
        Self { rng: Pcg64::seed_from_u64(seed) }
    }

    /// `count` values of mean 0 and standard deviation `std`, all within `±2 std / 0.8796`.
    pub(super) fn draw(&mut self, count: usize, std: f64) -> Vec<f32> {
        let scale = std / CUT_STD;
        std::iter::repeat_with(|| (scale * self.standard()) as f32).take(count).collect()
    }

    /// One value of the cut standard normal, by rejection from Box and Muller's transform. `libm` gives the
    /// same bits everywhere, which the platform's own logarithm and cosine do not promise.
    fn standard(&mut self) -> f64 {
        loop {
            let radius = libm::sqrt(-2.0 * libm::log(self.open_unit()));
            let value = radius * libm::cos(std::f64::consts::TAU * self.open_unit());
            if value.abs() <= 2.0 {
                return value;
            }
        }
    }

    /// Uniform in (0, 1].
    fn open_unit(&mut self) -> f64 {
        ((self.rng.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_deviation_is_the_nominal_one_and_the_tails_are_cut() {
        let values = TruncatedNormal::new(7).draw(400_000, 0.25);
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64;
        let variance =
            values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / values.len() as f64;
        assert!(mean.abs() < 2e-3, "{mean}");
        assert!((variance.sqrt() / 0.25 - 1.0).abs() < 4e-3, "{}", variance.sqrt());
        let cut = (2.0 * 0.25 / CUT_STD) as f32;
        assert!(values.iter().all(|v| v.abs() <= cut) && values.iter().any(|v| v.abs() > 0.98 * cut));
    }

    #[test]
    fn the_correction_is_the_deviation_of_the_cut_normal() {
        // Variance of a standard normal cut to ±a: 1 - 2 a φ(a) / (2 Φ(a) - 1); 2 Φ(a) - 1 = erf(a / sqrt 2).
        let density = libm::exp(-2.0) / libm::sqrt(std::f64::consts::TAU);
        let variance = 1.0 - 4.0 * density / libm::erf(std::f64::consts::SQRT_2);
        assert!((CUT_STD - libm::sqrt(variance)).abs() < 1e-12, "{}", libm::sqrt(variance));
    }

    #[test]
    fn the_seed_decides() {
        assert_eq!(TruncatedNormal::new(1).draw(16, 1.0), TruncatedNormal::new(1).draw(16, 1.0));
        assert_ne!(TruncatedNormal::new(1).draw(16, 1.0), TruncatedNormal::new(2).draw(16, 1.0));
    }
}
