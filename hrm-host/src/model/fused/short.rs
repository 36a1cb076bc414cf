//! Matrix products whose factors are rounded to bf16, with sums in f32: twice as fast where the processor
//! multiplies pairs of them.
//!
//! A word holds two factors that follow each other along the inner dimension. A lies in words with any
//! strides, so that one of them is broadcast; B in rows of words, one row for every pair of inner indices, so
//! that 16 neighbouring columns are one load.

use std::arch::x86_64::*;
use std::cell::RefCell;

use super::matmul::{Into, Matrix};

/// Columns of a tile: two vectors.
const COLUMNS: usize = 32;
/// Words, and f32, in a vector.
const LANES: usize = 16;

/// Whether this processor has the instructions.
pub(super) fn available() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512bf16")
}

/// Words of one product's factors, kept from one to the next.
#[derive(Default)]
struct Words {
    a: Vec<u32>,
    b: Vec<u32>,
}

thread_local! {
    static WORDS: RefCell<Words> = RefCell::default();
}

/// As [`super::matmul::matmul`], which has checked the operands.
///
/// # Safety
/// The processor must have what [`available`] asks for; A, B and C must lie within their slices.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) unsafe fn matmul(c: &mut [f32], stride: usize, mode: Into, scale: f32, a: Matrix, b: Matrix) {
    WORDS.with_borrow_mut(|words| {
        let (rows, columns, pairs) = (a.rows, b.columns, a.columns.div_ceil(2));
        let padded = columns.next_multiple_of(COLUMNS);
        fit(&mut words.a, rows.next_multiple_of(LANES) * pairs.next_multiple_of(LANES));
        fit(&mut words.b, padded * pairs);
        // SAFETY: the caller's promise about the processor; the buffers have the sizes
        // that the functions ask for.
        unsafe {
            // A's words in rows where its elements are, else in columns.
            let (row, column) = if a.column_stride == 1 {
                let row = pairs.next_multiple_of(LANES);
                round_rows(a, &mut words.a, row);
                (row, 1)
            } else {
                let column = rows.next_multiple_of(LANES);
                pair_rows(a.t(), &mut words.a, column);
                (1, column)
            };
            if b.column_stride == 1 {
                pair_rows(b, &mut words.b, padded);
            } else {
                pair_columns(b, &mut words.b, padded);
            }
            let factors = Factors { a: words.a.as_ptr(), row, column, b: words.b.as_ptr(), padded, pairs };
            let mut at = 0;
            at = factors.strips::<12>(at, rows, columns, (c, stride, mode, scale));
            at = factors.strips::<4>(at, rows, columns, (c, stride, mode, scale));
            factors.strips::<1>(at, rows, columns, (c, stride, mode, scale));
        }
    });
}

fn fit(words: &mut Vec<u32>, len: usize) {
    if words.len() < len {
        words.resize(len, 0);
    }
}

/// Rows that lie in a row each: words `[row][pair]`, `stride` apart, zero behind the last.
///
/// # Safety
/// As [`matmul`]; `words` holds `rows` times `stride`, which is at least the pairs
/// filled up to whole vectors.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn round_rows(m: Matrix, words: &mut [u32], stride: usize) {
    for (row, out) in words.chunks_exact_mut(stride).take(m.rows).enumerate() {
        let from = &m.data[row * m.row_stride..][..m.columns];
        for (out, from) in out.chunks_exact_mut(LANES).zip(from.chunks(2 * LANES)) {
            let low = load(from);
            let high = load(from.get(LANES..).unwrap_or_default());
            let rounded = _mm512_cvtne2ps_pbh(high, low);
            // SAFETY: `out` has 16 words, which is a vector; the two types have the same bits.
            unsafe {
                _mm512_storeu_si512(
                    out.as_mut_ptr().cast(),
                    std::mem::transmute::<__m512bh, __m512i>(rounded),
                )
            };
        }
    }
}

/// Rows that lie in a row each, by twos: words `[pair of rows][column]`, `stride` apart.
///
/// # Safety
/// As [`matmul`]; `words` holds `stride` for every pair, which is at least the columns
/// filled up to whole vectors.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn pair_rows(m: Matrix, words: &mut [u32], stride: usize) {
    let row = |row: usize| match row < m.rows {
        true => &m.data[row * m.row_stride..][..m.columns],
        false => &[],
    };
    for (pair, out) in words.chunks_exact_mut(stride).take(m.rows.div_ceil(2)).enumerate() {
        let (first, second) = (row(2 * pair), row(2 * pair + 1));
        for (at, out) in out.chunks_exact_mut(LANES).enumerate() {
            let from = |row: &[f32]| wide(load(row.get(at * LANES..).unwrap_or_default()));
            let word = _mm512_or_si512(from(first), _mm512_slli_epi32::<16>(from(second)));
            // SAFETY: `out` has 16 words.
            unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), word) };
        }
    }
}

/// Columns that lie in a row each: words `[pair of rows][column]`, `stride` apart.
///
/// # Safety
/// As [`pair_rows`].
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn pair_columns(m: Matrix, words: &mut [u32], stride: usize) {
    let pairs = m.rows.div_ceil(2);
    let mut block = [[0u32; LANES]; LANES]; // [column][pair]
    for first in (0..stride).step_by(LANES) {
        for pair in (0..pairs).step_by(LANES) {
            for (lane, line) in block.iter_mut().enumerate() {
                let column = first + lane;
                let from = match column < m.columns {
                    true => &m.data[column * m.column_stride..][..m.rows],
                    false => &[],
                };
                let from = from.get(2 * pair..).unwrap_or_default();
                let rounded = _mm512_cvtne2ps_pbh(load(from.get(LANES..).unwrap_or_default()), load(from));
                // SAFETY: 64 bytes each.
                *line = unsafe { std::mem::transmute::<__m512bh, [u32; LANES]>(rounded) };
            }
            for at in pair..pairs.min(pair + LANES) {
                let out = &mut words[at * stride + first..][..LANES];
                for (out, line) in out.iter_mut().zip(&block) {
                    *out = line[at - pair];
                }
            }
        }
    }
}

/// The first 16 elements; zero behind the end.
#[target_feature(enable = "avx512f")]
fn load(from: &[f32]) -> __m512 {
    // SAFETY: only the lanes within the slice are read.
    unsafe { _mm512_maskz_loadu_ps(mask(from.len()), from.as_ptr()) }
}

/// bf16 in the lower halves of words.
#[target_feature(enable = "avx512f,avx512bf16")]
fn wide(x: __m512) -> __m512i {
    // SAFETY: 32 bytes each.
    _mm512_cvtepu16_epi32(unsafe { std::mem::transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(x)) })
}

/// The first `len` lanes.
fn mask(len: usize) -> __mmask16 {
    if len >= LANES { !0 } else { (1 << len) - 1 }
}

/// Both factors in words.
struct Factors {
    a: *const u32,
    row: usize,    // words between A's rows
    column: usize, // and between its pairs
    b: *const u32,
    padded: usize, // words between B's rows
    pairs: usize,
}

impl Factors {
    /// As many strips of `ROWS` rows as there are from row `at` on; the row behind them.
    ///
    /// # Safety
    /// As [`matmul`].
    #[target_feature(enable = "avx512f,avx512bf16")]
    unsafe fn strips<const ROWS: usize>(
        &self,
        mut at: usize,
        rows: usize,
        columns: usize,
        (c, stride, mode, scale): (&mut [f32], usize, Into, f32),
    ) -> usize {
        while at + ROWS <= rows {
            for column in (0..columns).step_by(COLUMNS) {
                // SAFETY: the caller's promise.
                unsafe {
                    let sums = self.tile::<ROWS>(at, column);
                    for (row, sums) in sums.into_iter().enumerate() {
                        for (half, sum) in sums.into_iter().enumerate() {
                            let first = column + half * LANES;
                            if first >= columns {
                                continue;
                            }
                            let lanes = mask(columns - first);
                            let place = c.as_mut_ptr().add((at + row) * stride + first);
                            let mut value = _mm512_mul_ps(sum, _mm512_set1_ps(scale));
                            if mode == Into::Add {
                                value = _mm512_add_ps(_mm512_maskz_loadu_ps(lanes, place), value);
                            }
                            _mm512_mask_storeu_ps(place, lanes, value);
                        }
                    }
                }
            }
            at += ROWS;
        }
        at
    }

    /// The sums of `ROWS` rows and two vectors of columns.
    ///
    /// # Safety
    /// As [`matmul`]; the rows and columns lie within both factors.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bf16")]
    unsafe fn tile<const ROWS: usize>(&self, first: usize, column: usize) -> [[__m512; 2]; ROWS] {
        let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
        // SAFETY: the caller's promise; words and pairs of bf16 have the same bits.
        unsafe {
            let pair = |words: __m512i| std::mem::transmute::<__m512i, __m512bh>(words);
            let (mut a, mut b) = (self.a.add(first * self.row), self.b.add(column));
            for _ in 0..self.pairs {
                let right = [0, LANES].map(|half| pair(_mm512_loadu_si512(b.add(half).cast())));
                for (row, sums) in sums.iter_mut().enumerate() {
                    let left = pair(_mm512_set1_epi32(*a.add(row * self.row) as i32));
                    for (sum, right) in sums.iter_mut().zip(right) {
                        *sum = _mm512_dpbf16_ps(*sum, left, right);
                    }
                }
                a = a.add(self.column);
                b = b.add(self.padded);
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::super::matmul::{Factors, matmul as product};
    use super::*;

    /// To nearest, ties to even.
    fn rounded(x: f32) -> f64 {
        let bits = x.to_bits();
        f64::from(f32::from_bits((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000))
    }

    /// Every layout and remainder, against the definition in f64.
    #[test]
    fn products_are_those_of_the_rounded_factors() {
        let Some(short) = Factors::short() else {
            eprintln!("not tested: this processor does not multiply bf16");
            return;
        };
        let values = |len: usize, seed: usize| -> Vec<f32> {
            (0..len).map(|i| ((i * 7919 + seed * 104_729) % 2003) as f32 / 977.0 - 1.01).collect()
        };
        for (rows, inner, columns) in
            [(1, 1, 1), (5, 7, 3), (12, 2, 32), (13, 33, 31), (29, 64, 48), (82, 82, 32), (40, 31, 97)]
        {
            let (a, b, before) = (values(rows * inner, 1), values(inner * columns, 2), values(rows * 100, 3));
            for (a_turned, b_turned) in [(false, false), (false, true), (true, false), (true, true)] {
                let left = match a_turned {
                    false => Matrix::rows(&a, rows, inner, inner),
                    true => Matrix::rows(&a, inner, rows, rows).t(),
                };
                let right = match b_turned {
                    false => Matrix::rows(&b, inner, columns, columns),
                    true => Matrix::rows(&b, columns, inner, inner).t(),
                };
                let at =
                    |m: &Matrix, i: usize, j: usize| rounded(m.data[i * m.row_stride + j * m.column_stride]);
                for mode in [Into::Overwrite, Into::Add] {
                    let mut c = before.clone();
                    product(short, &mut c, 100, mode, 0.5, left, right);
                    for (i, j) in (0..rows).flat_map(|i| (0..100).map(move |j| (i, j))) {
                        let old = f64::from(before[i * 100 + j]);
                        let mut expected = old;
                        if j < columns {
                            let sum: f64 = (0..inner).map(|k| at(&left, i, k) * at(&right, k, j)).sum();
                            expected = 0.5 * sum + if mode == Into::Add { old } else { 0.0 };
                        }
                        let found = f64::from(c[i * 100 + j]);
                        let shape = (rows, inner, columns, a_turned, b_turned);
                        assert!((found - expected).abs() < 1e-5, "{shape:?} ({i}, {j}): {found} {expected}");
                    }
                }
            }
        }
    }
}
