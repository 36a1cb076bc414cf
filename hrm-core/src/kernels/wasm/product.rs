//! The matrix product with column pairs in the register's four 32-bit places, as on [x86](../x86/product.rs):
//! four pairs of columns, four words of inputs at a time.

use core::arch::wasm32::*;

use crate::kernels::vector::{of_rows, product};
use crate::lane::Lane;

/// Pairs of columns that a register holds.
const PAIRS: usize = 4;

/// [`matmul`](crate::kernels::matmul()); `false` (and nothing done) where a length does not fit. `packed`:
/// the same `x` was in the call before.
pub(in crate::kernels) fn matmul<A: Lane>(
    x: &[A],
    depth: usize,
    panel: &[i8],
    acc: &mut [i32],
    pack: &mut [u32],
    packed: bool,
) -> bool {
    product((x, packed), depth, panel, acc, pack, |inputs, rows, acc| {
        // SAFETY: `product` promises the lengths.
        unsafe { of_rows!(rows, multiply(inputs, depth, panel, acc)) }
    })
}

/// # Safety
/// `x` holds `ROWS` rows of `depth`, a multiple of 4; `panel` an even number of columns of `depth`; `acc`
/// has room for the product.
unsafe fn multiply<const ROWS: usize>(x: &[i16], depth: usize, panel: &[i8], acc: &mut [i32]) {
    let (columns, steps) = (panel.len() / depth, depth / 2);
    let mut column = 0;
    while column < columns {
        let pairs = ((columns - column) / 2).min(PAIRS);
        // pairs beyond the last are the last once more, and not stored
        let start = |pair: usize| panel.as_ptr().wrapping_add((column + 2 * pair.min(pairs - 1)) * depth);
        let starts = [start(0), start(1), start(2), start(3)];
        let mut even = [i32x4_splat(0); ROWS];
        let mut odd = [i32x4_splat(0); ROWS];
        let mut step = 0;
        while step < steps {
            // the number of words is even
            let four = steps - step >= 4;
            let [p, q, r, s] = starts.map(|start| {
                // SAFETY: four or two words from `step` on are within each of the pairs of columns.
                unsafe {
                    let from = start.add(4 * step);
                    if four { v128_load(from.cast()) } else { v128_load64_zero(from.cast()) }
                }
            });
            let (a, b) = (i32x4_shuffle::<0, 4, 1, 5>(p, q), i32x4_shuffle::<2, 6, 3, 7>(p, q));
            let (c, d) = (i32x4_shuffle::<0, 4, 1, 5>(r, s), i32x4_shuffle::<2, 6, 3, 7>(r, s));
            let words = [
                i64x2_shuffle::<0, 2>(a, c),
                i64x2_shuffle::<1, 3>(a, c),
                i64x2_shuffle::<0, 2>(b, d),
                i64x2_shuffle::<1, 3>(b, d),
            ];
            macro_rules! step {
                ($($at:literal)*) => { $(
                    let word = words[$at];
                    let (w_even, w_odd) = (i16x8_shr(i16x8_shl(word, 8), 8), i16x8_shr(word, 8));
                    for row in 0..ROWS {
                        // SAFETY: inputs `2 * (step + at)` and the next are within the
                        // row, as `step + at < steps`.
                        let x = unsafe { v128_load32_splat(x.as_ptr().add(row * depth + 2 * (step + $at)).cast()) };
                        even[row] = i32x4_add(even[row], i32x4_dot_i16x8(x, w_even));
                        odd[row] = i32x4_add(odd[row], i32x4_dot_i16x8(x, w_odd));
                    }
                )* };
            }
            step!(0 1);
            if four {
                step!(2 3);
            }
            step += if four { 4 } else { 2 };
        }
        for row in 0..ROWS {
            let front = i32x4_shuffle::<0, 4, 1, 5>(even[row], odd[row]);
            let back = i32x4_shuffle::<2, 6, 3, 7>(even[row], odd[row]);
            let to = acc.as_mut_ptr().wrapping_add(row * columns + column);
            // SAFETY: `2 * pairs` columns from this one on are within the row; others are not written.
            unsafe {
                if pairs == PAIRS {
                    v128_store(to.cast(), front);
                    v128_store(to.add(4).cast(), back);
                } else {
                    let mut values = [0i32; 2 * PAIRS];
                    v128_store(values.as_mut_ptr().cast(), front);
                    v128_store(values.as_mut_ptr().add(4).cast(), back);
                    to.copy_from_nonoverlapping(values.as_ptr(), 2 * pairs);
                }
            }
        }
        column += 2 * pairs;
    }
}
