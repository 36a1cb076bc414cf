//! The AVX2 product with weights that many tokens share, put in the registers' order once for all of them.
//!
//! Sixteen columns lie together, and of these two inputs at a time: 32 bytes, the two weights of each
//! column side by side. So a sign-extending load gives what one dual multiply-accumulate takes, and the
//! sums end up in the columns' order.

use core::arch::x86_64::*;

use super::product::{inputs, words};
use super::{Level, level};

/// Columns that lie together.
const COLUMNS: usize = 16;

/// Writes the column pairs `panel` of `depth` inputs to `to` in the registers' order; `false` (and nothing
/// done) where the product in use does not read it, or the sizes do not fit.
pub(in crate::kernels) fn order(panel: &[i8], depth: usize, to: &mut [i8]) -> bool {
    let fits = depth > 0 && depth.is_multiple_of(8) && panel.len().is_multiple_of(COLUMNS * depth);
    if level() != Level::Avx2 || !fits || to.len() != panel.len() {
        return false;
    }
    for (panel, to) in panel.chunks_exact(COLUMNS * depth).zip(to.chunks_exact_mut(COLUMNS * depth)) {
        // SAFETY: the level is the processor's at least; both hold sixteen columns of
        // `depth`, a multiple of 8.
        unsafe { order_columns(panel, depth, to) };
    }
    true
}

/// # Safety
/// AVX2; `panel` and `to` hold sixteen columns of `depth`, a multiple of 8.
#[target_feature(enable = "avx2")]
unsafe fn order_columns(panel: &[i8], depth: usize, to: &mut [i8]) {
    // a pair's word is two inputs of its even and its odd column, in turns: the even column's two first
    let sides = _mm256_setr_epi8(
        0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15, 0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14,
        13, 15,
    );
    for step in (0..depth / 2).step_by(4) {
        // four words of each pair, those of pairs 4 to 7 in the upper halves
        let row = |pair: usize| {
            // SAFETY: words `step` to `step + 3` are within each pair of columns.
            let of = |pair: usize| unsafe {
                _mm_loadu_si128(panel.as_ptr().add(2 * pair * depth + 4 * step).cast())
            };
            _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(of(pair)), of(pair + 4))
        };
        for (at, word) in words([row(0), row(1), row(2), row(3)]).into_iter().enumerate() {
            // SAFETY: 32 bytes for each of `depth / 2` words are there.
            unsafe {
                let to = to.as_mut_ptr().add(2 * COLUMNS * (step + at));
                _mm256_storeu_si256(to.cast(), _mm256_shuffle_epi8(word, sides));
            }
        }
    }
}

/// The product of `ROWS` tokens.
///
/// # Safety
/// AVX2; `x` holds `ROWS` rows of `depth`, even; `weights` are in this file's order, a multiple of sixteen
/// columns of `depth`; `acc` has room for the product.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn avx2<const ROWS: usize>(x: &[i16], depth: usize, weights: &[i8], acc: &mut [i32]) {
    let columns = weights.len() / depth;
    for column in (0..columns).step_by(COLUMNS) {
        let mut front = [_mm256_setzero_si256(); ROWS];
        let mut back = [_mm256_setzero_si256(); ROWS];
        for step in 0..depth / 2 {
            // SAFETY: 32 bytes for each of `depth / 2` words are there, and inputs `2 * step`
            // and the next of each row.
            unsafe {
                let from = weights.as_ptr().add(column * depth + 2 * COLUMNS * step);
                let w_front = _mm256_cvtepi8_epi16(_mm_loadu_si128(from.cast()));
                let w_back = _mm256_cvtepi8_epi16(_mm_loadu_si128(from.add(COLUMNS).cast()));
                for row in 0..ROWS {
                    let x = _mm256_set1_epi32(inputs(x.as_ptr().add(row * depth + 2 * step)));
                    front[row] = _mm256_add_epi32(front[row], _mm256_madd_epi16(x, w_front));
                    back[row] = _mm256_add_epi32(back[row], _mm256_madd_epi16(x, w_back));
                }
            }
        }
        for row in 0..ROWS {
            let to = acc.as_mut_ptr().wrapping_add(row * columns + column);
            // SAFETY: sixteen columns from this one on are within the row.
            unsafe {
                _mm256_storeu_si256(to.cast(), front[row]);
                _mm256_storeu_si256(to.add(COLUMNS / 2).cast(), back[row]);
            }
        }
    }
}
