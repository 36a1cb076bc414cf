//! AVX2 matrix product for fast evaluation on the host.
#![allow(unsafe_code)] // vendor intrinsics; every load is inside slices whose lengths are checked first

use core::arch::x86_64::*;

use crate::lane::{Lane, LaneWidth};

/// [`matmul`](super::matmul()) where the processor has AVX2; `false` (and nothing done) elsewhere.
pub(super) fn matmul<A: Lane>(x: &[A], depth: usize, panel: &[i8], acc: &mut [i32]) -> bool {
    if depth == 0 || !depth.is_multiple_of(4) || !std::arch::is_x86_feature_detected!("avx2") {
        return false;
    }
    let columns = panel.len() / depth;
    if columns == 0 || columns % 2 == 1 {
        return false;
    }
    for (x, acc) in x.chunks(4 * depth).zip(acc.chunks_mut(4 * columns)) {
        // SAFETY: AVX2 was detected. `rows` of `x` hold `depth` lanes each and `rows` of `acc` hold `columns` values.
        unsafe {
            match (x.len() / depth, acc.len() / columns) {
                (4, 4) => tile::<A, 4>(x, depth, panel, acc),
                (3, 3) => tile::<A, 3>(x, depth, panel, acc),
                (2, 2) => tile::<A, 2>(x, depth, panel, acc),
                (1, 1) => tile::<A, 1>(x, depth, panel, acc),
                _ => return false,
            }
        }
    }
    true
}

/// Sixteen lanes as 16-bit values.
///
/// # Safety
/// AVX2, and 16 readable lanes at `x`.
#[inline(always)]
unsafe fn load16<A: Lane>(x: *const A) -> __m256i {
    unsafe {
        match A::WIDTH {
            LaneWidth::I8 => _mm256_cvtepi8_epi16(_mm_loadu_si128(x.cast())),
            LaneWidth::I16 => _mm256_loadu_si256(x.cast()),
        }
    }
}

/// # Safety
/// AVX2; `x` holds `ROWS * depth` lanes, `acc` holds `ROWS * panel.len() / depth` values, `depth` is a multiple of 4.
#[target_feature(enable = "avx2")]
unsafe fn tile<A: Lane, const ROWS: usize>(x: &[A], depth: usize, panel: &[i8], acc: &mut [i32]) {
    let columns = panel.len() / depth;
    let whole = depth - depth % 16;
    for (pair_index, pair) in panel.chunks_exact(2 * depth).enumerate() {
        let mut even = [_mm256_setzero_si256(); ROWS];
        let mut odd = [_mm256_setzero_si256(); ROWS];
        let mut k = 0;
        while k < whole {
            // SAFETY: k + 16 <= depth, so 32 bytes of the pair and 16 lanes of each row are there.
            unsafe {
                let w = _mm256_loadu_si256(pair.as_ptr().add(2 * k).cast());
                // like Armv7E-M's SXTB16: even bytes are one column, odd bytes the other
                let w_even = _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(w));
                let w_odd = _mm256_srai_epi16::<8>(w);
                for row in 0..ROWS {
                    let lanes = load16(x.as_ptr().add(row * depth + k));
                    even[row] = _mm256_add_epi32(even[row], _mm256_madd_epi16(lanes, w_even));
                    odd[row] = _mm256_add_epi32(odd[row], _mm256_madd_epi16(lanes, w_odd));
                }
            }
            k += 16;
        }
        let tail = pair.get(2 * whole..).unwrap_or_default();
        for row in 0..ROWS {
            let mut sums = [horizontal_sum(even[row]), horizontal_sum(odd[row])];
            let lanes = x.get(row * depth + whole..(row + 1) * depth).unwrap_or_default();
            for (x, w) in lanes.iter().zip(tail.chunks_exact(2)) {
                for (sum, w) in sums.iter_mut().zip(w) {
                    *sum = sum.wrapping_add(x.wide() * i32::from(*w));
                }
            }
            let at = row * columns + 2 * pair_index;
            if let Some(out) = acc.get_mut(at..at + 2) {
                out.copy_from_slice(&sums);
            }
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn horizontal_sum(v: __m256i) -> i32 {
    let quad = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256::<1>(v));
    let pair = _mm_add_epi32(quad, _mm_shuffle_epi32::<0b01_00_11_10>(quad));
    _mm_cvtsi128_si32(_mm_add_epi32(pair, _mm_shuffle_epi32::<0b10_11_00_01>(pair)))
}
