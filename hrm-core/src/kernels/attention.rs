//! Softmax without division, and the weighted mean of values.

use core::num::{NonZeroU16, NonZeroUsize};

use crate::fault::slip;
use crate::fixed::{Reciprocal, reciprocal, round_shift, scale};
use crate::lane::Lane;
use crate::rows::Rows;

/// Unnormalised attention weights: `weights[j] = round(2^bits * 2^((scores[j] - top) / 2^score_bits))`,
/// saturated to the lane; returns their sum.
///
/// * `scores`: 32-bit, below `2^30` in magnitude, in units of `2^-score_bits` powers of two (the logarithm's
///   base and the square root of the head's width are folded into the query's factors);
/// * `top`: their largest, rounded up to a multiple of `2^-8` powers of two, so that one
///   multiplication gives the exponent;
/// * `bits`: [`LaneWidth::weight_bits`](crate::lane::LaneWidth::weight_bits), `7..=15`;
/// * `table`: `round(32767 * 2^(-i/256))`, 256 entries: the exponent is rounded to 1/256, so a weight's
///   relative error is below 0.14 % plus half a unit.
pub fn softmax<A: Lane>(scores: &[i32], score_bits: u32, bits: u32, table: &[u16], weights: &mut [A]) -> u32 {
    on_processor!(Some(sum) => sum; softmax(scores, score_bits, bits, table, weights));
    softmax_portable(scores, score_bits, bits, table, weights)
}

/// The definition of [`softmax`].
pub fn softmax_portable<A: Lane>(
    scores: &[i32],
    score_bits: u32,
    bits: u32,
    table: &[u16],
    weights: &mut [A],
) -> u32 {
    let Ok(table) = <&[u16; 256]>::try_from(table) else { return 0 };
    let max = scores.iter().copied().max().unwrap_or(0);
    // scores in 1/256 are `score / 2^drop`, after a shift to the left where they are coarser than that
    let drop = score_bits.saturating_sub(8).min(31);
    let coarser = 8u32.saturating_sub(score_bits);
    let one = 1i64 << drop;
    let top = (((i64::from(max) << coarser) + one - 1) >> drop) << drop;
    exponentials_portable(scores, top, drop, coarser, 15 - bits.min(15), table, weights)
}

/// The weights of [`softmax_portable`] below `top`, and their sum; `skip`: bits that a
/// weight has less than 15.
#[inline]
pub(super) fn exponentials_portable<A: Lane>(
    scores: &[i32],
    top: i64,
    drop: u32,
    coarser: u32,
    skip: u32,
    table: &[u16; 256],
    weights: &mut [A],
) -> u32 {
    let half = (1i64 << drop) >> 1;
    let mut sum = 0u32;
    for (score, weight) in scores.iter().zip(weights) {
        let below = (top - (i64::from(*score) << coarser) + half) >> drop;
        let below = below.min(0x1FFF) as u32;
        let fraction = u32::from(table[(below & 255) as usize]);
        let shift = (below >> 8) + skip;
        let rounded = ((fraction << 1 >> shift.min(31)) + 1) >> 1;
        *weight = A::saturate(rounded as i32);
        sum = sum.wrapping_add(weight.wide() as u32);
    }
    sum
}

/// `scores[j] += bias[class[j]]`; classes without a bias (there are none in a checked pack) add nothing.
///
/// * `bias`: (relations);
/// * `classes`: as many as scores.
pub fn add_bias(scores: &mut [i32], bias: &[i32], classes: &[u8]) {
    on_processor!(add_bias(scores, bias, classes));
    add_bias_portable(scores, bias, classes);
}

/// The definition of [`add_bias`].
pub fn add_bias_portable(scores: &mut [i32], bias: &[i32], classes: &[u8]) {
    for (score, class) in scores.iter_mut().zip(classes) {
        *score = score.wrapping_add(bias.get(usize::from(*class)).copied().unwrap_or(0));
    }
}

/// As [`add_bias`], where two cells' class follows from how far apart they are.
///
/// * `scores`: of the prefix, then of the cells, row by row;
/// * `bias`: (relations), the last three for prefix to cell, cell to prefix, and prefix to itself;
/// * `query`: the query's position, 0 for the prefix;
/// * `map`: [`RelationMap::Displacements`](crate::pack::RelationMap::Displacements), (2
///   rows - 1, 2 `columns` - 1).
pub fn add_displaced_bias(scores: &mut [i32], bias: &[i32], query: usize, columns: NonZeroU16, map: &[u8]) {
    let Some((prefix, cells)) = scores.split_first_mut() else { return };
    let last = |n: usize| bias.len().checked_sub(n).and_then(|at| bias.get(at)).copied().unwrap_or(0);
    let add = |score: &mut i32, bias| *score = score.wrapping_add(bias);
    let Some(query) = query.checked_sub(1) else {
        add(prefix, last(1));
        cells.iter_mut().for_each(|score| add(score, last(3)));
        return;
    };
    add(prefix, last(2));
    let columns = NonZeroUsize::from(columns);
    let (row, column) = (query / columns, query % columns);
    let rows = cells.len() / columns;
    let columns = columns.get();
    // What one row of keys is to the query is one piece of one row of the map.
    let across = 2 * columns - 1;
    let (up, left) = (rows.saturating_sub(1 + row), columns - 1 - column);
    let map = map.get(up * across..).unwrap_or_default();
    for (scores, classes) in cells.rows_mut(columns).zip(map.rows(across)) {
        add_bias(scores, bias, classes.get(left..left + columns).unwrap_or_default());
    }
}

/// Attention output: `out[d] = round(2^gain * acc[d] / sum)`, saturated.
///
/// `acc[d] = sum_j weights[j] * value[j][d]`; `gain` is
/// [`LaneWidth::attention_gain_bits`](crate::lane::LaneWidth::attention_gain_bits). The quotient's
/// relative error is below `2^-14`.
pub fn attention_output<A: Lane>(acc: &[i32], sum: u32, out: &mut [A]) {
    // (a kernel that is corrupted for a test is the portable one)
    if !cfg!(feature = "_fault-injection")
        && let (_, Some(factor)) = quotient::<A>(sum)
    {
        on_processor!(rescale(acc, factor, out));
        let _ = factor;
    }
    attention_output_portable(acc, sum, out);
}

/// The reciprocal of `sum` and the shift of its product; and both as one rescaling where that is the same:
/// the factor stays below 2^31.
#[inline(always)]
fn quotient<A: Lane>(sum: u32) -> ((Reciprocal, u32), Option<i32>) {
    let by = reciprocal(sum);
    let shift = 16 + by.bits - A::WIDTH.attention_gain_bits();
    let factor = (18..=32).contains(&shift).then(|| (by.reciprocal << (32 - shift)) as i32);
    ((by, shift), factor)
}

/// The definition of [`attention_output`].
pub fn attention_output_portable<A: Lane>(acc: &[i32], sum: u32, out: &mut [A]) {
    let ((by, shift), factor) = quotient::<A>(sum);
    if let Some(factor) = factor {
        for (acc, out) in acc.iter().zip(out) {
            *out = A::saturate(slip(scale(*acc, factor)));
        }
        return;
    }
    for (acc, out) in acc.iter().zip(out) {
        let mean = round_shift(i64::from(*acc) * i64::from(by.reciprocal), shift) as i32;
        *out = A::saturate(slip(mean));
    }
}

/// Rotates `(row[d], row[d + n/2])` by position: `(a cos - b sin, b cos + a sin)`, rounded from Q14.
///
/// `rotation` holds `n / 2` pairs `(cos, sin)` in Q14; the magnitude grows by at most `sqrt(2)` and fits 32
/// bits for `|row| < 2^30`.
pub fn rotate(row: &mut [i32], rotation: &[i16]) {
    let (low, high) = row.split_at_mut(row.len() / 2);
    for ((a, b), turn) in low.iter_mut().zip(high).zip(rotation.chunks_exact(2)) {
        if let [cos, sin] = turn {
            let (cos, sin, x, y) = (i64::from(*cos), i64::from(*sin), i64::from(*a), i64::from(*b));
            *a = round_shift(x * cos - y * sin, 14) as i32;
            *b = round_shift(y * cos + x * sin, 14) as i32;
        }
    }
}

/// Fraction bits of queries and keys before rotation.
#[doc(hidden)]
pub const ROPE_GUARD_BITS: u32 = 6;

/// [`rotate`] of each head of `row`, (heads, n), and then `round(row / 2^6)`: the guard bits are dropped.
pub fn rotate_heads(row: &mut [i32], rotation: &[i16]) {
    on_vectors!(rotate_heads(row, rotation));
    rotate_heads_portable(row, rotation);
}

/// The definition of [`rotate_heads`].
pub fn rotate_heads_portable(row: &mut [i32], rotation: &[i16]) {
    for head in row.rows_mut(rotation.len()) {
        rotate(head, rotation);
    }
    for value in row {
        *value = round_shift(i64::from(*value), ROPE_GUARD_BITS) as i32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lane::LaneWidth;
    use hrm_samples::exp2;
    use proptest::prelude::*;
    extern crate std;
    use std::{vec, vec::Vec};

    fn check_softmax<A: Lane>(scores: &[i32], score_bits: u32) -> Result<(), TestCaseError> {
        let bits = A::WIDTH.weight_bits(scores.len());
        let mut weights = vec![A::default(); scores.len()];
        let sum = softmax(scores, score_bits, bits, &exp2(), &mut weights);
        // the largest score, rounded up to 1/256 of a power of two
        let unit = (f64::from(score_bits) - 8.0).exp2().max(1.0);
        let max = (f64::from(*scores.iter().max().unwrap()) / unit).ceil() * unit;
        let one = f64::from(1u32 << bits).min(f64::from(A::WIDTH.max()));
        let mut total = 0u32;
        for (score, weight) in scores.iter().zip(&weights) {
            let exact = one * ((f64::from(*score) - max) / f64::from(score_bits).exp2()).exp2();
            let got = f64::from(weight.wide());
            prop_assert!((got - exact).abs() <= exact * 0.0014 + 0.51 + exact / one, "{got} {exact}");
            total += weight.wide() as u32;
        }
        prop_assert_eq!(sum, total);
        prop_assert!(sum > 0);
        Ok(())
    }

    proptest! {
        #[test]
        fn softmax_is_close(raw in prop::collection::vec(-(1i32 << 30) + 1..1 << 30, 1..120), score_bits in 4u32..=26, shrink in 0u32..31) {
            let scores: Vec<i32> = raw.iter().map(|s| s >> shrink).collect();
            check_softmax::<i16>(&scores, score_bits)?;
            check_softmax::<i8>(&scores, score_bits)?;
        }

        #[test]
        fn output_is_close(parts in prop::collection::vec((0i32..=32767, -127i32..=127), 1..516)) {
            let sum: i32 = parts.iter().map(|(w, _)| w).sum();
            prop_assume!(sum > 0);
            let acc: i32 = parts.iter().map(|(w, v)| w * v).sum();
            let exact = f64::from(acc) / f64::from(sum);
            let mut wide = [0i16];
            attention_output(&[acc], sum as u32, &mut wide);
            prop_assert!((f64::from(wide[0]) - 256.0 * exact).abs() <= 0.5 + 256.0 * exact.abs() * (2f64).powi(-14));
            let mut narrow = [0i8];
            attention_output(&[acc], sum as u32, &mut narrow);
            prop_assert!((f64::from(narrow[0]) - exact).abs() <= 0.51);
        }

        #[test]
        fn rotation_is_close(a in -(1i32 << 29)..1 << 29, b in -(1i32 << 29)..1 << 29, angle in 0.0f64..6.3) {
            let turn = [(angle.cos() * 16384.0).round() as i16, (angle.sin() * 16384.0).round() as i16];
            let mut row = [a, b];
            rotate(&mut row, &turn);
            let (cos, sin) = (f64::from(turn[0]) / 16384.0, f64::from(turn[1]) / 16384.0);
            prop_assert!((f64::from(row[0]) - (f64::from(a) * cos - f64::from(b) * sin)).abs() <= 0.5);
            prop_assert!((f64::from(row[1]) - (f64::from(b) * cos + f64::from(a) * sin)).abs() <= 0.5);
        }
    }

    #[test]
    fn long_sequences_leave_room() {
        assert_eq!(LaneWidth::I16.weight_bits(82), 15);
        assert_eq!(LaneWidth::I16.weight_bits(901), 14);
        assert_eq!(LaneWidth::I8.weight_bits(901), 7);
    }
}
