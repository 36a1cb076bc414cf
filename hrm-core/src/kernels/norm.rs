//! Residual addition and RMS normalisation, fused.

use crate::fixed::{Gain, over_sqrt, scale};
use crate::lane::Lane;

/// Residual values are in units of `2^-16` and clamped to `-2^26..2^26` (±1024.0), so that
/// squares add up in 64 bits.
pub const RESIDUAL_BITS: u32 = 26;

/// `EPSILON` of the RMS normalisation (1e-5) in squared residual units: `round(1e-5 * 2^32)`.
const EPSILON: u64 = 42_950;

/// `row = (row + delta) / sqrt(mean((row + delta)^2) + 1e-5)`, in place.
///
/// * `row`: (width), stored with `step`: one unit is worth `step / 2^16`;
/// * `acc`: (width), accumulators of the sub-layer's last product, turned into `delta` by `factors`:
///   `delta = requantize(acc, factor)` in units of `2^-16`; overwritten (scratch);
/// * `numerator`: `round(2^12 * sqrt(width) * 2^16 / step_out)`.
///
/// The result is rounded once, to nearest, and saturated. Before that rounding its relative error is below
/// `2^-26 + 1 / (2 numerator) + 2^-17 * rms * step_out / 2^16`, `rms` being that of `row + delta` (1.0 to 3.0
/// in practice). The second term is the numerator's own rounding (below `2^-20` at width 96 for 8-bit states
/// up to ±5), the third the factor's to a multiple of `2^-32`.
pub fn residual_norm<A: Lane>(row: &mut [A], step: i32, acc: &mut [i32], factors: &[i32], numerator: u32) {
    on_processor!(residual_norm(row, step, acc, factors, numerator));
    residual_norm_portable(row, step, acc, factors, numerator);
}

/// The definition of [`residual_norm`].
pub fn residual_norm_portable<A: Lane>(
    row: &mut [A],
    step: i32,
    acc: &mut [i32],
    factors: &[i32],
    numerator: u32,
) {
    let square = sums_portable(row, step, acc, factors);
    normalize(row, acc, square, numerator);
}

/// Residual sums into `acc`; the sum of their squares.
#[inline]
pub(super) fn sums_portable<A: Lane>(row: &[A], step: i32, acc: &mut [i32], factors: &[i32]) -> u64 {
    let mut square = 0;
    for ((x, acc), factor) in row.iter().zip(acc.iter_mut()).zip(factors) {
        // below 2^29 + 2^30 in magnitude
        let sum = (x.wide() * step).wrapping_add(A::requantize(*acc, *factor));
        *acc = sum.clamp(-(1 << RESIDUAL_BITS), (1 << RESIDUAL_BITS) - 1);
        square += (i64::from(*acc) * i64::from(*acc)) as u64;
    }
    square
}

/// The gain of a row of `width` residual values whose squares add up to `square`.
pub(super) fn gain(width: usize, square: u64, numerator: u32) -> Gain {
    over_sqrt(numerator, square + width as u64 * EPSILON)
}

/// `row[n] = sat(round(sums[n] * gain))`.
fn normalize<A: Lane>(row: &mut [A], sums: &[i32], square: u64, numerator: u32) {
    let gain = gain(row.len(), square, numerator);
    // all but tiny rows have a gain below one half, and then it is one rescaling
    if gain.shift == 32 {
        for (x, sum) in row.iter_mut().zip(sums) {
            *x = A::saturate(scale(*sum, gain.mantissa));
        }
    } else {
        for (x, sum) in row.iter_mut().zip(sums) {
            *x = A::saturate(gain.apply(*sum));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    extern crate std;
    use std::{vec, vec::Vec};

    fn check<A: Lane>(
        row: &[A],
        step: i32,
        out_step: i32,
        acc: &[i32],
        factor: i32,
    ) -> Result<(), TestCaseError> {
        let width = row.len();
        let numerator = (4096.0 * (width as f64).sqrt() * 65536.0 / f64::from(out_step)).round() as u32;
        let sums: Vec<f64> = row
            .iter()
            .zip(acc)
            .map(|(x, a)| f64::from(x.wide() * step) + f64::from(A::requantize(*a, factor)))
            .map(|sum| sum.clamp(-67108864.0, 67108863.0) / 65536.0)
            .collect();
        let mean = sums.iter().map(|s| s * s).sum::<f64>() / width as f64;
        let unit = 65536.0 / f64::from(out_step);
        let mut got = row.to_vec();
        residual_norm(&mut got, step, &mut acc.to_vec(), &vec![factor; width], numerator);
        let rms = (mean + EPSILON as f64 / 2f64.powi(32)).sqrt();
        let relative = 2f64.powi(-26) + 0.5 / f64::from(numerator) + rms / unit * 2f64.powi(-17);
        let limit = f64::from(A::WIDTH.max());
        for (sum, got) in sums.iter().zip(&got) {
            let exact = (unit * sum / rms).clamp(-limit - 1.0, limit);
            let error = (f64::from(got.wide()) - exact).abs();
            // the first term is that of f64 here
            prop_assert!(error <= 0.5 + 1e-9 + exact.abs() * relative, "{} {exact}", got.wide());
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn equals_the_float_formula(row in prop::collection::vec(any::<i16>(), 16..130), seed: i32, shrink in 0u32..16, factor in 0i32..1 << 26) {
            let row: Vec<i16> = row.iter().map(|x| x >> shrink).collect();
            let acc: Vec<i32> = (0..row.len()).map(|i| seed.wrapping_mul(i as i32 * 7919 + 1) >> 9).collect();
            check(&row, 32, 32, &acc, factor)?;
            check(&row, 5000, 2621, &acc, factor)?;
            let narrow: Vec<i8> = row.iter().map(|x| (x >> 8) as i8).collect();
            check(&narrow, 4000, 2621, &acc, factor)?;
        }
    }

    #[test]
    fn a_zero_row_stays_zero() {
        let mut row = [0i16; 32];
        residual_norm(&mut row, 32, &mut [0; 32], &[1 << 20; 32], 4096 * 2048 * 6);
        assert_eq!(row, [0; 32]);
    }
}
