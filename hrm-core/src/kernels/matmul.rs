//! The integer matrix product: stored activations times interleaved int8 columns.

use crate::lane::Lane;
#[cfg(kernels = "x86")]
use crate::pack::Order;
use crate::pack::TILE;
use crate::rows::Rows;

/// `acc[t][n] = sum_k x[t][k] * w[k][n]`, exact in 32 bits.
///
/// * `x`: (tokens, depth), any number of tokens; `depth` a multiple of 4;
/// * `panel`: (columns / 2, depth, 2), see [`Matrix`](crate::pack::Matrix); attention's keys and
///   values are such panels, too;
/// * `acc`: (tokens, columns), overwritten.
///
/// * `pack`: room for a processor's own order of the activations, [`pack_words`]`(depth)` words; its contents
///   mean nothing afterwards.
///
/// The caller guarantees `max|x| * sum_k |w[k][n]| < 2^31` (a checked pack does).
#[inline]
pub fn matmul<A: Lane>(x: &[A], depth: usize, panel: &[i8], acc: &mut [i32], pack: &mut [u32]) {
    product(x, depth, panel, acc, pack, false);
}

/// [`matmul`] of the same `x` as in the call before, whose packing is still in `pack`.
#[inline]
pub fn matmul_again<A: Lane>(x: &[A], depth: usize, panel: &[i8], acc: &mut [i32], pack: &mut [u32]) {
    product(x, depth, panel, acc, pack, true);
}

/// [`matmul`] by weights that [`order`](super::order()) has put in `order`, for these lanes;
/// `packed`: the packing of the same `x` is still in `pack`.
#[cfg(kernels = "x86")]
pub fn matmul_ordered<A: Lane>(
    x: &[A],
    depth: usize,
    (weights, order): (&[i8], Order),
    acc: &mut [i32],
    pack: &mut [u32],
    packed: bool,
) {
    let _done = super::x86::matmul(x, depth, weights, acc, pack, (packed, order));
    debug_assert!(_done, "weights are ordered where the product can use them");
}

#[inline]
fn product<A: Lane>(x: &[A], depth: usize, panel: &[i8], acc: &mut [i32], pack: &mut [u32], packed: bool) {
    #[cfg(kernels = "dsp")]
    if super::dsp::matmul(x, depth, panel, acc, pack, packed) {
        return;
    }
    #[cfg(kernels = "mve")]
    if super::mve::matmul(x, depth, panel, acc) {
        return;
    }
    #[cfg(kernels = "x86")]
    if super::x86::matmul(x, depth, panel, acc, pack, (packed, Order::Pairs)) {
        return;
    }
    #[cfg(kernels = "rv32")]
    if super::rv32::matmul(x, depth, panel, acc, pack, packed) {
        return;
    }
    #[cfg(kernels = "neon")]
    if super::neon::matmul(x, depth, panel, acc, pack, packed) {
        return;
    }
    #[cfg(kernels = "wasm")]
    if super::wasm::matmul(x, depth, panel, acc, pack, packed) {
        return;
    }
    let _ = (pack, packed);
    matmul_portable(x, depth, panel, acc);
}

/// Words that [`matmul`] may use for packing: 16 bits for each activation of [`TILE`] tokens.
pub const fn pack_words(depth: usize) -> usize {
    TILE * depth / 2
}

/// The definition of [`matmul`]: two tokens by two columns at a time, so that each weight is
/// loaded once for two tokens.
pub fn matmul_portable<A: Lane>(x: &[A], depth: usize, panel: &[i8], acc: &mut [i32]) {
    let depth = depth.max(1);
    let columns = (panel.len() / depth).max(1);
    for (x, acc) in x.tiles(2 * depth).zip(acc.tiles_mut(2 * columns)) {
        match (x.split_at_checked(depth), acc.split_at_mut_checked(columns)) {
            (Some((x0, x1)), Some((acc0, acc1))) if x1.len() == depth => {
                let rows = acc0.chunks_exact_mut(2).zip(acc1.chunks_exact_mut(2));
                for (pair, (out0, out1)) in panel.rows(2 * depth).zip(rows) {
                    let sums = dot_2x2(x0, x1, pair);
                    out0.copy_from_slice(&sums.0);
                    out1.copy_from_slice(&sums.1);
                }
            }
            _ => {
                for (pair, out) in panel.rows(2 * depth).zip(acc.chunks_exact_mut(2)) {
                    out.copy_from_slice(&dot_1x2(x, pair));
                }
            }
        }
    }
}

#[inline(always)]
fn dot_2x2<A: Lane>(x0: &[A], x1: &[A], pair: &[i8]) -> ([i32; 2], [i32; 2]) {
    let (weights, _) = pair.as_chunks::<2>();
    let mut sums = ([0i32; 2], [0i32; 2]);
    for ((x0, x1), [w0, w1]) in x0.iter().zip(x1).zip(weights) {
        let (x0, x1, w0, w1) = (x0.wide(), x1.wide(), i32::from(*w0), i32::from(*w1));
        sums.0[0] = sums.0[0].wrapping_add(x0 * w0);
        sums.0[1] = sums.0[1].wrapping_add(x0 * w1);
        sums.1[0] = sums.1[0].wrapping_add(x1 * w0);
        sums.1[1] = sums.1[1].wrapping_add(x1 * w1);
    }
    sums
}

#[inline(always)]
fn dot_1x2<A: Lane>(x: &[A], pair: &[i8]) -> [i32; 2] {
    let (weights, _) = pair.as_chunks::<2>();
    let mut sums = [0i32; 2];
    for (x, [w0, w1]) in x.iter().zip(weights) {
        sums[0] = sums[0].wrapping_add(x.wide() * i32::from(*w0));
        sums[1] = sums[1].wrapping_add(x.wide() * i32::from(*w1));
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use hrm_samples::Noise;
    use proptest::prelude::*;
    extern crate std;
    use std::{vec, vec::Vec};

    fn naive<A: Lane>(x: &[A], depth: usize, panel: &[i8], tokens: usize, columns: usize) -> Vec<i32> {
        let mut acc = vec![0i32; tokens * columns];
        for t in 0..tokens {
            for n in 0..columns {
                let sum: i64 = (0..depth)
                    .map(|k| {
                        x[t * depth + k].wide() as i64 * panel[(n / 2) * 2 * depth + 2 * k + n % 2] as i64
                    })
                    .sum();
                acc[t * columns + n] = i32::try_from(sum).unwrap();
            }
        }
        acc
    }

    fn agree<A: Lane>(x: Vec<A>, depth: usize, panel: &[i8], tokens: usize, columns: usize) {
        let expected = naive(&x, depth, panel, tokens, columns);
        let mut acc = vec![-1; tokens * columns];
        matmul(&x, depth, panel, &mut acc, &mut vec![0; pack_words(depth)]);
        assert_eq!(acc, expected, "depth {depth}, {tokens} tokens, {columns} columns");
        acc.fill(-1);
        matmul_portable(&x, depth, panel, &mut acc);
        assert_eq!(acc, expected, "portable: depth {depth}, {tokens} tokens, {columns} columns");
    }

    proptest! {
        #[test]
        fn equals_the_definition(tokens in 1usize..10, quads in 1usize..33, pairs in 1usize..9, seed: u64) {
            let depth = 4 * quads;
            let mut noise = Noise { state: seed, extremes: true };
            let panel: Vec<i8> = (0..depth * 2 * pairs).map(|_| (noise.next() >> 24) as i8).collect();
            let wide: Vec<i16> = (0..tokens * depth).map(|_| (noise.next() >> 16) as i16).collect();
            let narrow: Vec<i8> = wide.iter().map(|&x| (x >> 8) as i8).collect();
            agree(wide, depth, &panel, tokens, 2 * pairs);
            agree(narrow, depth, &panel, tokens, 2 * pairs);
        }
    }

    #[test]
    fn extremes() {
        let (tokens, depth, columns) = (5, 512, 4);
        for (x, w) in [(i16::MIN, -127i8), (i16::MAX, -127), (i16::MIN, 127), (i16::MAX, 127)] {
            agree(vec![x; tokens * depth], depth, &vec![w; depth * columns], tokens, columns);
        }
        agree(vec![i8::MIN; tokens * depth], depth, &vec![-128; depth * columns], tokens, columns);
    }
}
