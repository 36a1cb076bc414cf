//! The row operations of Arm's processors: which lengths and addresses their kernels take, whether these are
//! those of the DSP extension or of Helium.
#![allow(unsafe_code)] // calls naked assembly, for which lengths and alignments are checked here

#[cfg(feature = "dsp")]
use super::dsp as own;
#[cfg(feature = "mve")]
use super::mve as own;
use super::norm::gain;
use crate::lane::{Lane, LaneWidth};

pub(super) use own::add_bias;

/// [`softmax`](super::softmax); `None` where it does not apply (coarse scores, lengths that do not fit).
pub(super) fn softmax<A: Lane>(
    scores: &[i32],
    score_bits: u32,
    bits: u32,
    table: &[u16],
    weights: &mut [A],
) -> Option<u32> {
    let n = scores.len();
    // from 10 on the factor 2^(32 - drop) is a positive `i32`
    let fits = (10..=26).contains(&score_bits) && table.len() == 256 && weights.len() >= n;
    if !fits || !own::weighs(n, bits, weights.as_ptr()) {
        return None;
    }
    // SAFETY: `n` scores are there, at least one for Helium.
    let max = unsafe { own::largest(scores.as_ptr(), n) };
    let drop = score_bits - 8;
    let top = max.wrapping_add((1 << drop) - 1) >> drop;
    // what a narrower weight is shifted by is added to every exponent
    let top = top.wrapping_add(((15 - bits) << 8) as i32);
    let factor = 1 << (32 - drop);
    let (scores, weights, table) = (scores.as_ptr(), weights.as_mut_ptr(), table.as_ptr());
    // SAFETY: `n` scores, at least one for Helium, and room for `n` weights, word-aligned for the DSP
    // extension; a table of 256.
    Some(unsafe { own::exponentials(scores, weights, table, factor, top, n) })
}

/// [`residual_norm`](super::residual_norm); `false` (and nothing done) where it does not apply.
pub(super) fn residual_norm<A: Lane>(
    row: &mut [A],
    step: i32,
    acc: &mut [i32],
    factors: &[i32],
    numerator: u32,
) -> bool {
    let n = row.len();
    let fits = n > 0 && acc.len() >= n && factors.len() >= n && (1..=16384).contains(&step);
    if !fits || !own::takes(n, row.as_ptr()) {
        return false;
    }
    let (sums, by) = (acc.as_mut_ptr(), factors.as_ptr());
    // SAFETY: `n` of each, at least one, as many and where the processor takes them; the step fits 16 bits.
    let square = unsafe { own::sums(row.as_ptr(), sums, by, n, step) };
    let gain = gain(n, square, numerator);
    if gain.shift == 32 {
        // SAFETY: as above.
        unsafe { own::rescale_lanes(row.as_mut_ptr(), sums, n, gain.mantissa) };
    } else {
        row.iter_mut().zip(acc).for_each(|(x, sum)| *x = A::saturate(gain.apply(*sum)));
    }
    true
}

/// [`swiglu`](super::swiglu); `false` (and nothing done) where it does not apply.
pub(super) fn swiglu<A: Lane>(
    acc: &[i32],
    factors: &[i32],
    factor: i32,
    table: &[u16],
    out: &mut [A],
) -> bool {
    let n = (acc.len() / 2).min(factors.len() / 2).min(out.len());
    if table.len() != 257 {
        return false;
    }
    let fours = n & !3;
    if fours > 0 {
        let (acc, factors, table) = (acc.as_ptr(), factors.as_ptr(), table.as_ptr());
        // SAFETY: `fours` pairs of accumulators and factors and places for outputs, a table of 257.
        unsafe { own::gates(acc, factors, out.as_mut_ptr(), fours, table, factor) };
    }
    let rest = (acc.get(2 * fours..2 * n), factors.get(2 * fours..2 * n), out.get_mut(fours..n));
    if let (Some(acc), Some(factors), Some(out)) = rest {
        super::swiglu_portable(acc, factors, factor, table, out);
    }
    true
}

/// [`requantize`](super::requantize()); `false` (and nothing done) where it does not apply.
pub(super) fn requantize<A: Lane, O: Lane>(acc: &[i32], factors: &[i32], out: &mut [O]) -> bool {
    let n = acc.len().min(factors.len()).min(out.len());
    if n == 0 || !own::takes(n, out.as_ptr()) {
        return false;
    }
    let (acc, factors, out) = (acc.as_ptr(), factors.as_ptr(), out.as_mut_ptr());
    match (A::WIDTH, O::WIDTH) {
        // SAFETY: `n` of each, at least one, as many and where the processor takes them.
        (LaneWidth::I16, LaneWidth::I16) => unsafe { own::halves(acc, factors, out.cast(), n) },
        // SAFETY: as above, and outputs one behind the other.
        (LaneWidth::I8, LaneWidth::I8) => unsafe { own::bytes::<A>(acc, factors, out.cast(), n, 1, 2) },
        _ => return false,
    }
    true
}

/// [`requantize_pairs`](super::requantize_pairs()); `false` (and nothing done) where it does not apply.
pub(super) fn requantize_pairs<A: Lane>(
    acc: &[i32],
    factors: &[i32],
    which: usize,
    pairs: &mut [[i8; 2]],
) -> bool {
    let n = acc.len().min(factors.len()).min(pairs.len());
    if n == 0 || !own::takes(n, acc.as_ptr()) {
        return false;
    }
    // SAFETY: `n` of each, at least one, as many as the processor takes; one output in each pair.
    unsafe {
        let out = pairs.as_mut_ptr().cast::<i8>().wrapping_add(which & 1);
        own::bytes::<A>(acc.as_ptr(), factors.as_ptr(), out, n, 2, 4);
    }
    true
}

/// [`requantize_places`](super::requantize_places()); `false` (and nothing done) where it does not apply.
pub(super) fn requantize_places<A: Lane>(
    acc: &[i32],
    factors: &[i32],
    panels: &mut [i8],
    rows: usize,
    t: usize,
) -> bool {
    let n = acc.len().min(factors.len()) & !1;
    if n == 0 || !own::takes(n, acc.as_ptr()) || t >= rows || panels.len() < n * rows {
        return false;
    }
    // SAFETY: `n` of each, at least one pair, as many as the processor takes; panel `p` has its two outputs
    // from `2 * (p * rows + t)` on, and `t < rows`.
    unsafe {
        let out = panels.as_mut_ptr().wrapping_add(2 * t);
        own::bytes::<A>(acc.as_ptr(), factors.as_ptr(), out, n, 1, 2 * rows);
    }
    true
}

/// `out[i] = sat(scale(acc[i], factor))`; `false` (and nothing done) where it does not apply.
pub(super) fn rescale<A: Lane>(acc: &[i32], factor: i32, out: &mut [A]) -> bool {
    let n = acc.len().min(out.len());
    if n == 0 || !own::takes(n, out.as_ptr()) {
        return false;
    }
    // SAFETY: `n` of each, at least one, as many and where the processor takes them.
    unsafe { own::rescale_lanes(out.as_mut_ptr(), acc.as_ptr(), n, factor) };
    true
}
