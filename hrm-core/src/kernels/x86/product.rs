//! The matrix product with column pairs in the register's 32-bit places.
//!
//! A word of a panel holds two inputs of two columns, so that of a register of words the even bytes are one
//! column's two weights and the odd bytes the other's, for as many pairs of columns as it has words. Words of
//! one input but neighbouring pairs lie a column's depth apart: a square of them is transposed on its way
//! into the registers. Then one dual (or VNNI) multiply-accumulate with two inputs of a token, repeated in
//! every place, adds to as many columns at once, and no sum is ever taken across a register.

use core::arch::asm;
use core::arch::x86_64::*;

use super::{Level, level, ordered};
use crate::kernels::vector::{of_rows, product};
use crate::lane::{Lane, LaneWidth};
use crate::pack::Order;

/// [`matmul`](crate::kernels::matmul()); `false` (and nothing done) where the processor or a length does not
/// fit. `packed`: the same `x` was in the call before. Weights are in `order`.
pub(in crate::kernels) fn matmul<A: Lane>(
    x: &[A],
    depth: usize,
    panel: &[i8],
    acc: &mut [i32],
    pack: &mut [u32],
    (packed, order): (bool, Order),
) -> bool {
    if order == Order::Fours {
        return ordered::fours(x, depth, panel, acc);
    }
    let level = level();
    if level == Level::Portable && order == Order::Pairs {
        return false;
    }
    // fours pack nothing, so a call before may have been one of them
    let packed = packed && (level < Level::Avx512 || A::WIDTH == LaneWidth::I16);
    product((x, packed), depth, panel, acc, pack, |inputs, rows, acc| {
        // SAFETY: the level is at most the processor's, and `product` promises the lengths. Weights
        // are in another order since the level was AVX2 at least, in whole groups of columns.
        unsafe {
            match (level, order) {
                (Level::Avx512, Order::Pairs) => of_rows!(rows, avx512(inputs, depth, panel, acc)),
                (_, Order::Pairs) => of_rows!(rows, avx2(inputs, depth, panel, acc)),
                (Level::Avx512, _) => of_rows!(rows, ordered::avx512(inputs, depth, panel, acc)),
                _ => of_rows!(rows, ordered::avx2(inputs, depth, panel, acc)),
            }
        }
    })
}

/// Two neighbouring inputs of a token.
///
/// # Safety
/// They are there.
#[inline(always)]
pub(super) unsafe fn inputs(x: *const i16) -> i32 {
    // SAFETY: by the caller.
    unsafe { x.cast::<i32>().read_unaligned() }
}

/// The words of rows: of each row its first, and so on, in both halves of a register.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn words([p, q, r, s]: [__m256i; 4]) -> [__m256i; 4] {
    let (a, b) = (_mm256_unpacklo_epi32(p, q), _mm256_unpackhi_epi32(p, q));
    let (c, d) = (_mm256_unpacklo_epi32(r, s), _mm256_unpackhi_epi32(r, s));
    [
        _mm256_unpacklo_epi64(a, c),
        _mm256_unpackhi_epi64(a, c),
        _mm256_unpacklo_epi64(b, d),
        _mm256_unpackhi_epi64(b, d),
    ]
}

/// Sixteen pairs of columns, eight words of inputs at a time.
///
/// # Safety
/// AVX-512 F, BW, VL and VNNI; `x` holds `ROWS` rows of `depth`, a multiple of 4; `panel` an even number of
/// columns of `depth`; `acc` has room for the product.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn avx512<const ROWS: usize>(x: &[i16], depth: usize, panel: &[i8], acc: &mut [i32]) {
    let (columns, steps) = (panel.len() / depth, depth / 2);
    let front = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    let back = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    let mut column = 0;
    while column < columns {
        let pairs = ((columns - column) / 2).min(16);
        // pairs beyond the last are the last once more, and not stored
        let mut starts = [panel.as_ptr(); 16];
        for (pair, start) in starts.iter_mut().enumerate() {
            *start = panel.as_ptr().wrapping_add((column + 2 * pair.min(pairs - 1)) * depth);
        }
        let mut even = [_mm512_setzero_si512(); ROWS];
        let mut odd = [_mm512_setzero_si512(); ROWS];
        let mut step = 0;
        while step < steps {
            let count = (steps - step).min(8);
            let there = ((1u32 << count) - 1) as u8;
            // two rows of eight words each: four pairs apart, so that they end up in order
            let mut rows = [_mm512_setzero_si512(); 8];
            for (at, row) in rows.iter_mut().enumerate() {
                let first = at / 4 * 8 + at % 4;
                // SAFETY: `count` words from `step` on are within each of the pairs of
                // columns; others are not read.
                let of = |pair: usize| unsafe {
                    _mm256_maskz_loadu_epi32(there, starts[pair].add(4 * step).cast())
                };
                *row = _mm512_inserti64x4::<1>(_mm512_castsi256_si512(of(first)), of(first + 4));
            }
            let words = transpose8x16(rows);
            macro_rules! step {
                ($($at:literal)*) => { $(
                    if $at < count {
                        let word = words[$at];
                        let (w_even, w_odd) =
                            (_mm512_srai_epi16::<8>(_mm512_slli_epi16::<8>(word)), _mm512_srai_epi16::<8>(word));
                        for row in 0..ROWS {
                            // SAFETY: inputs `2 * (step + at)` and the next are within the
                            // row, as `step + at < steps`.
                            unsafe {
                                let x = x.as_ptr().add(row * depth + 2 * step);
                                even[row] = dot(even[row], w_even, x.add(2 * $at));
                                odd[row] = dot(odd[row], w_odd, x.add(2 * $at));
                            }
                        }
                    }
                )* };
            }
            step!(0 1 2 3 4 5 6 7);
            step += count;
        }
        let there = ((1u64 << (2 * pairs)) - 1) as u32;
        for row in 0..ROWS {
            let to = acc.as_mut_ptr().wrapping_add(row * columns + column);
            // SAFETY: `2 * pairs` columns from this one on are within the row; others are not written.
            unsafe {
                let ordered = _mm512_permutex2var_epi32(even[row], front, odd[row]);
                _mm512_mask_storeu_epi32(to, there as u16, ordered);
                let ordered = _mm512_permutex2var_epi32(even[row], back, odd[row]);
                _mm512_mask_storeu_epi32(to.wrapping_add(16), (there >> 16) as u16, ordered);
            }
        }
        column += 2 * pairs;
    }
}

/// `acc + w * x` with the two inputs of a token at `x`, the same in every place. In assembly,
/// because the compiler takes the intrinsic apart into a multiplication and an addition where it is not told
/// for which processor it compiles.
///
/// # Safety
/// AVX-512 F and VNNI; the inputs are there.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
pub(super) unsafe fn dot(mut acc: __m512i, w: __m512i, x: *const i16) -> __m512i {
    // SAFETY: reads four bytes that are there.
    unsafe {
        asm!(
            "vpdpwssd {acc}, {w}, dword ptr [{x}]{{1to16}}",
            acc = inout(zmm_reg) acc,
            w = in(zmm_reg) w,
            x = in(reg) x,
            options(pure, readonly, nostack, preserves_flags)
        );
    }
    acc
}

/// Rows of eight words, two to a register (0 and 4, 1 and 5, …, 8 and 12, …), to columns of sixteen.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose8x16(rows: [__m512i; 8]) -> [__m512i; 8] {
    let [p, q, r, s, t, u, v, w] = rows;
    let (a, b) = (transpose4([p, q, r, s]), transpose4([t, u, v, w]));
    let low = |i: usize| _mm512_shuffle_i32x4::<0b10_00_10_00>(a[i], b[i]);
    let high = |i: usize| _mm512_shuffle_i32x4::<0b11_01_11_01>(a[i], b[i]);
    [low(0), low(1), low(2), low(3), high(0), high(1), high(2), high(3)]
}

/// Four rows to columns in every quarter of a register.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose4([p, q, r, s]: [__m512i; 4]) -> [__m512i; 4] {
    let (a, b) = (_mm512_unpacklo_epi32(p, q), _mm512_unpackhi_epi32(p, q));
    let (c, d) = (_mm512_unpacklo_epi32(r, s), _mm512_unpackhi_epi32(r, s));
    [
        _mm512_unpacklo_epi64(a, c),
        _mm512_unpackhi_epi64(a, c),
        _mm512_unpacklo_epi64(b, d),
        _mm512_unpackhi_epi64(b, d),
    ]
}

/// Eight pairs of columns, four words of inputs at a time.
///
/// # Safety
/// AVX2; else as [`avx512`].
#[target_feature(enable = "avx2")]
unsafe fn avx2<const ROWS: usize>(x: &[i16], depth: usize, panel: &[i8], acc: &mut [i32]) {
    let (columns, steps) = (panel.len() / depth, depth / 2);
    let mut column = 0;
    while column < columns {
        let pairs = ((columns - column) / 2).min(8);
        // pairs beyond the last are the last once more, and not stored
        let mut starts = [panel.as_ptr(); 8];
        for (pair, start) in starts.iter_mut().enumerate() {
            *start = panel.as_ptr().wrapping_add((column + 2 * pair.min(pairs - 1)) * depth);
        }
        let mut even = [_mm256_setzero_si256(); ROWS];
        let mut odd = [_mm256_setzero_si256(); ROWS];
        let mut step = 0;
        while step < steps {
            // the number of words is even
            let count = (steps - step).min(4);
            let mut rows = [_mm256_setzero_si256(); 4];
            for (pair, row) in rows.iter_mut().enumerate() {
                // SAFETY: `count` words from `step` on, four or two, are within each of the pairs of columns.
                let of = |pair: usize| unsafe {
                    let from = starts[pair].add(4 * step).cast();
                    if count == 4 { _mm_loadu_si128(from) } else { _mm_loadl_epi64(from) }
                };
                *row = _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(of(pair)), of(pair + 4));
            }
            let words = words(rows);
            macro_rules! step {
                ($($at:literal)*) => { $(
                    let word = words[$at];
                    let (w_even, w_odd) =
                        (_mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(word)), _mm256_srai_epi16::<8>(word));
                    for row in 0..ROWS {
                        // SAFETY: inputs `2 * (step + at)` and the next are within the
                        // row, as `step + at < steps`.
                        let x = _mm256_set1_epi32(unsafe { inputs(x.as_ptr().add(row * depth + 2 * (step + $at))) });
                        even[row] = _mm256_add_epi32(even[row], _mm256_madd_epi16(x, w_even));
                        odd[row] = _mm256_add_epi32(odd[row], _mm256_madd_epi16(x, w_odd));
                    }
                )* };
            }
            step!(0 1);
            if count == 4 {
                step!(2 3);
            }
            step += count;
        }
        for row in 0..ROWS {
            let (low, high) =
                (_mm256_unpacklo_epi32(even[row], odd[row]), _mm256_unpackhi_epi32(even[row], odd[row]));
            let front = _mm256_permute2x128_si256::<0x20>(low, high);
            let back = _mm256_permute2x128_si256::<0x31>(low, high);
            let to = acc.as_mut_ptr().wrapping_add(row * columns + column);
            // SAFETY: `2 * pairs` columns from this one on are within the row; others are not written.
            unsafe {
                if pairs == 8 {
                    _mm256_storeu_si256(to.cast(), front);
                    _mm256_storeu_si256(to.add(8).cast(), back);
                } else {
                    let mut values = [0i32; 16];
                    _mm256_storeu_si256(values.as_mut_ptr().cast(), front);
                    _mm256_storeu_si256(values.as_mut_ptr().add(8).cast(), back);
                    to.copy_from_nonoverlapping(values.as_ptr(), 2 * pairs);
                }
            }
        }
        column += 2 * pairs;
    }
}
