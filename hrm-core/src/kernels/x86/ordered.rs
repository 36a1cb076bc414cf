//! Products with weights that many tokens share, put in the registers' order once for all of them: sixteen
//! columns lie together, and of these two inputs at a time ([`Order::Twos`]) or four ([`Order::Fours`]).
//!
//! *Twos* are 32 bytes, the two weights of each column side by side. So a sign-extending load gives what one
//! dual multiply-accumulate takes, and the sums end up in the columns' order.
//!
//! *Fours* are 64 bytes for VNNI's product of four unsigned with four signed bytes, where activations are
//! bytes, too. The weights are the unsigned ones, 128 more than they are: `sum (w + 128) x` is
//! `sum w x + 128 sum x`, and sums begin with what that is too much.

use core::arch::x86_64::*;

use super::product::{dot, inputs, words};
use super::{Level, level};
use crate::kernels::vector::{columns, of_rows};
use crate::lane::{Lane, LaneWidth};
use crate::pack::{Order, TILE};

/// Columns that lie together.
pub(in crate::kernels) const COLUMNS: usize = 16;

/// Writes the column pairs `panel` of `depth` inputs to `to` in the order that the product of such lanes
/// reads, its last sixteen columns filled up with zeros; `None` (and nothing done) where the one in use reads
/// none, or the sizes do not fit.
pub(in crate::kernels) fn order(
    panel: &[i8],
    depth: usize,
    lanes: LaneWidth,
    to: &mut [i8],
) -> Option<Order> {
    let fits = depth > 0 && depth.is_multiple_of(4) && panel.len().is_multiple_of(2 * depth);
    let level = level();
    if level == Level::Portable || !fits || to.len() != panel.len().next_multiple_of(COLUMNS * depth) {
        return None;
    }
    let fours = level == Level::Avx512 && lanes == LaneWidth::I8;
    for (panel, to) in panel.chunks(COLUMNS * depth).zip(to.chunks_exact_mut(COLUMNS * depth)) {
        // SAFETY: the processor has the level; `panel` holds pairs of columns of `depth`, a multiple of 4, at
        // most sixteen columns, and `to` sixteen.
        unsafe {
            match fours {
                true => order_fours(panel, depth, to),
                false => order_twos(panel, depth, to),
            }
        }
    }
    Some(if fours { Order::Fours } else { Order::Twos })
}

/// # Safety
/// AVX2; `panel` holds pairs of columns of `depth`, a multiple of 4, and `to` sixteen columns.
#[target_feature(enable = "avx2")]
unsafe fn order_twos(panel: &[i8], depth: usize, to: &mut [i8]) {
    // a pair's word is two inputs of its even and its odd column, in turns: the even column's two first
    let sides = _mm256_setr_epi8(
        0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15, 0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14,
        13, 15,
    );
    let pairs = panel.len() / (2 * depth);
    for step in (0..depth / 2).step_by(4) {
        // four words of each pair, or the last two, those of pairs 4 to 7 in the upper halves
        let count = (depth / 2 - step).min(4);
        let of = |pair: usize| {
            let from = panel.as_ptr().wrapping_add(2 * pair * depth + 4 * step).cast();
            match (pair < pairs, count) {
                (false, _) => _mm_setzero_si128(),
                // SAFETY: so many words from `step` on are within the pair of columns.
                (true, 4) => unsafe { _mm_loadu_si128(from) },
                (true, _) => unsafe { _mm_loadl_epi64(from) },
            }
        };
        let row = |pair: usize| _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(of(pair)), of(pair + 4));
        for (at, word) in words([row(0), row(1), row(2), row(3)]).into_iter().take(count).enumerate() {
            // SAFETY: 32 bytes for each of `depth / 2` words are there.
            unsafe {
                let to = to.as_mut_ptr().add(2 * COLUMNS * (step + at));
                _mm256_storeu_si256(to.cast(), _mm256_shuffle_epi8(word, sides));
            }
        }
    }
}

/// # Safety
/// AVX-512 F, BW and VL; else as [`order_twos`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn order_fours(panel: &[i8], depth: usize, to: &mut [i8]) {
    // of a pair's four inputs first the even column's
    let sides = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15));
    let above = _mm512_set1_epi8(i8::MIN);
    let even = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13);
    let odd = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
    let pairs = panel.len() / (2 * depth);
    for first in (0..depth).step_by(16) {
        // sixteen inputs of each pair, or what is left, those of pairs 4 to 7 in the upper halves
        let count = ((depth - first) / 4).min(4);
        let of = |pair: usize| {
            let there = if pair < pairs { (1u8 << count) - 1 } else { 0 };
            let from = panel.as_ptr().wrapping_add(2 * (pair * depth + first));
            // SAFETY: `4 * count` inputs from `first` on are within a pair of columns; others are not read.
            unsafe { _mm256_maskz_loadu_epi64(there, from.cast()) }
        };
        let row = |pair: usize| _mm512_inserti64x4::<1>(_mm512_castsi256_si512(of(pair)), of(pair + 4));
        let rows = [row(0), row(1), row(2), row(3)];
        // quarters: four inputs of pairs 0 and 1 (2 and 3), 8 inputs on, the same of pairs 4 and 5 (6, 7)
        let (a, b) = (_mm512_unpacklo_epi64(rows[0], rows[1]), _mm512_unpackhi_epi64(rows[0], rows[1]));
        let (c, d) = (_mm512_unpacklo_epi64(rows[2], rows[3]), _mm512_unpackhi_epi64(rows[2], rows[3]));
        let fours = [
            _mm512_permutex2var_epi64(a, even, c),
            _mm512_permutex2var_epi64(b, even, d),
            _mm512_permutex2var_epi64(a, odd, c),
            _mm512_permutex2var_epi64(b, odd, d),
        ];
        for (at, four) in fours.into_iter().take(count).enumerate() {
            // SAFETY: 64 bytes for each of `depth / 4` fours are there.
            unsafe {
                let to = to.as_mut_ptr().add(COLUMNS * (first + 4 * at));
                _mm512_storeu_si512(to.cast(), _mm512_xor_si512(_mm512_shuffle_epi8(four, sides), above));
            }
        }
    }
}

/// The product of `ROWS` tokens with twos.
///
/// # Safety
/// AVX2; `x` holds `ROWS` rows of `depth`, even; `weights` are twos, a multiple of sixteen columns of
/// `depth`; `acc` has room for the product.
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

/// The product of `ROWS` tokens with twos.
///
/// # Safety
/// AVX-512 F, BW and VNNI; else as [`avx2`].
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn avx512<const ROWS: usize>(x: &[i16], depth: usize, weights: &[i8], acc: &mut [i32]) {
    let columns = weights.len() / depth;
    let mut column = 0;
    while column < columns {
        // two groups of sixteen columns, so that eight sums are on their way; the last may be alone
        let beside = if columns - column > COLUMNS { COLUMNS } else { 0 };
        let mut front = [_mm512_setzero_si512(); ROWS];
        let mut back = [_mm512_setzero_si512(); ROWS];
        for step in 0..depth / 2 {
            // SAFETY: 32 bytes for each of `depth / 2` words of both groups are there, and inputs
            // `2 * step` and the next of each row.
            unsafe {
                let from = weights.as_ptr().add(column * depth + 2 * COLUMNS * step);
                let w_front = _mm512_cvtepi8_epi16(_mm256_loadu_si256(from.cast()));
                let w_back = _mm512_cvtepi8_epi16(_mm256_loadu_si256(from.add(beside * depth).cast()));
                for row in 0..ROWS {
                    let x = x.as_ptr().add(row * depth + 2 * step);
                    front[row] = dot(front[row], w_front, x);
                    back[row] = dot(back[row], w_back, x);
                }
            }
        }
        // SAFETY: both groups' columns are within each row.
        unsafe { store(&front, &back, beside, acc.get_mut(column..).unwrap_or_default(), columns) };
        column += COLUMNS + beside;
    }
}

/// Stores the sums of two groups of columns at the start of every row of `columns`. The second lies so many
/// columns `beside` the first: 0 where that is alone and stored twice.
///
/// # Safety
/// AVX-512 F; `acc` holds as many rows, of the last one the groups at least.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn store<const ROWS: usize>(
    front: &[__m512i; ROWS],
    back: &[__m512i; ROWS],
    beside: usize,
    acc: &mut [i32],
    columns: usize,
) {
    for row in 0..ROWS {
        let to = acc.as_mut_ptr().wrapping_add(row * columns);
        // SAFETY: by the caller.
        unsafe {
            _mm512_storeu_si512(to.cast(), front[row]);
            _mm512_storeu_si512(to.add(beside).cast(), back[row]);
        }
    }
}

/// The product of bytes with fours: [`matmul`](crate::kernels::matmul()); `false` (and nothing done) where
/// lanes are no bytes or a length does not fit.
pub(super) fn fours<A: Lane>(x: &[A], depth: usize, weights: &[i8], acc: &mut [i32]) -> bool {
    let Ok(x) = bytemuck::try_cast_slice::<A, i8>(x) else { return false };
    let Some(columns) = columns(x, depth, weights, acc) else { return false };
    if A::WIDTH != LaneWidth::I8 || !columns.is_multiple_of(COLUMNS) {
        return false;
    }
    for (x, acc) in x.chunks(TILE * depth).zip(acc.chunks_mut(TILE * columns)) {
        // SAFETY: such an order is there since the level was AVX-512; lengths were looked at.
        unsafe { of_rows!(x.len() / depth, avx512_fours(x, depth, weights, acc)) };
    }
    true
}

/// The product of `ROWS` tokens with fours.
///
/// # Safety
/// AVX-512 F, BW and VNNI; `x` holds `ROWS` rows of `depth`, a multiple of 4; `weights` are fours, a
/// multiple of sixteen columns of `depth`; `acc` has room for the product.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn avx512_fours<const ROWS: usize>(x: &[i8], depth: usize, weights: &[i8], acc: &mut [i32]) {
    let columns = weights.len() / depth;
    let mut begin = [_mm512_setzero_si512(); ROWS];
    for (begin, x) in begin.iter_mut().zip(x.chunks_exact(depth)) {
        *begin = _mm512_set1_epi32(-128 * x.iter().map(|x| i32::from(*x)).sum::<i32>());
    }
    let mut column = 0;
    while column < columns {
        // two groups of sixteen columns, so that eight sums are on their way; the last may be alone
        let beside = if columns - column > COLUMNS { COLUMNS } else { 0 };
        let (mut front, mut back) = (begin, begin);
        for first in (0..depth).step_by(4) {
            // SAFETY: 64 bytes for each of `depth / 4` fours of both groups are there, and inputs
            // `first` to `first + 3` of each row.
            unsafe {
                let from = weights.as_ptr().add(column * depth + COLUMNS * first);
                let w_front = _mm512_loadu_si512(from.cast());
                let w_back = _mm512_loadu_si512(from.add(beside * depth).cast());
                for row in 0..ROWS {
                    let x = x.as_ptr().add(row * depth + first).cast::<i32>().read_unaligned();
                    let x = _mm512_set1_epi32(x);
                    front[row] = _mm512_dpbusd_epi32(front[row], w_front, x);
                    back[row] = _mm512_dpbusd_epi32(back[row], w_back, x);
                }
            }
        }
        // SAFETY: both groups' columns are within each row.
        unsafe { store(&front, &back, beside, acc.get_mut(column..).unwrap_or_default(), columns) };
        column += COLUMNS + beside;
    }
}
