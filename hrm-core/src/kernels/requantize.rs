//! Accumulators to what is stored: one factor for each column, rounded once, saturated.

use crate::lane::Lane;
use crate::rows::Rows;

/// `out[i] = sat(requantize(acc[i], factors[i]))`; `A` are the lanes that the accumulators are sums over.
#[inline]
pub fn requantize<A: Lane, O: Lane>(acc: &[i32], factors: &[i32], out: &mut [O]) {
    on_processor!(requantize::<A, O>(acc, factors, out));
    requantize_portable::<A, O>(acc, factors, out);
}

/// The definition of [`requantize`].
#[inline(always)]
pub fn requantize_portable<A: Lane, O: Lane>(acc: &[i32], factors: &[i32], out: &mut [O]) {
    for ((out, acc), factor) in out.iter_mut().zip(acc).zip(factors) {
        *out = O::saturate(A::requantize(*acc, *factor));
    }
}

/// `pairs[i][which & 1] = sat8(requantize(acc[i], factors[i]))`: a token's keys, in the column of their
/// panel that is the token's.
#[inline]
pub fn requantize_pairs<A: Lane>(acc: &[i32], factors: &[i32], which: usize, pairs: &mut [[i8; 2]]) {
    on_processor!(requantize_pairs::<A>(acc, factors, which, pairs));
    requantize_pairs_portable::<A>(acc, factors, which, pairs);
}

/// The definition of [`requantize_pairs`].
#[inline(always)]
pub fn requantize_pairs_portable<A: Lane>(acc: &[i32], factors: &[i32], which: usize, pairs: &mut [[i8; 2]]) {
    for ((pair, acc), factor) in pairs.iter_mut().zip(acc).zip(factors) {
        pair[which & 1] = i8::saturate(A::requantize(*acc, *factor));
    }
}

/// A token's values, at input `t` of their panels of `rows` inputs:
/// `panels[p][t] = sat8(requantize(acc[2p..], factors[2p..]))`.
///
/// * `panels`: (columns / 2, rows, 2).
#[inline]
pub fn requantize_places<A: Lane>(acc: &[i32], factors: &[i32], panels: &mut [i8], rows: usize, t: usize) {
    on_processor!(requantize_places::<A>(acc, factors, panels, rows, t));
    requantize_places_portable::<A>(acc, factors, panels, rows, t);
}

/// The definition of [`requantize_places`].
#[inline(always)]
pub fn requantize_places_portable<A: Lane>(
    acc: &[i32],
    factors: &[i32],
    panels: &mut [i8],
    rows: usize,
    t: usize,
) {
    let pairs = acc.as_chunks::<2>().0.iter().zip(factors.as_chunks::<2>().0);
    for (panel, ([even, odd], factors)) in panels.rows_mut(2 * rows).zip(pairs) {
        let value = |acc: i32, factor: i32| i8::saturate(A::requantize(acc, factor));
        if let Some(place) = panel.as_chunks_mut::<2>().0.get_mut(t) {
            *place = [value(*even, factors[0]), value(*odd, factors[1])];
        }
    }
}
