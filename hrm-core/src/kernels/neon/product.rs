//! The matrix product with eight columns in two registers of 32-bit sums.
//!
//! A panel holds two columns side by side, input after input. Four of such pairs, taken as 16-bit numbers and
//! transposed, are eight columns' weights of one input, of the next, and so on. `SMLAL` multiplies four
//! of them with one input of a token, which it finds by its place in a register of eight.
//!
//! Where activations are bytes and the processor has `SDOT`, four inputs of a column lie together instead,
//! and one instruction adds sixteen products to four columns.

use core::arch::aarch64::*;
use core::arch::asm;

use crate::kernels::vector::{columns, of_rows, product};
use crate::lane::{Lane, LaneWidth};
use crate::pack::TILE;

/// Pairs of columns that are multiplied at once.
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
    if let (Ok(x), LaneWidth::I8, true) = (bytemuck::try_cast_slice::<A, i8>(x), A::WIDTH, has_dot()) {
        let Some(columns) = columns(x, depth, panel, acc) else { return false };
        for (x, acc) in x.chunks(TILE * depth).zip(acc.chunks_mut(TILE * columns)) {
            // SAFETY: the processor has the instruction; lengths were looked at.
            unsafe { of_rows!(x.len() / depth, dots(x, depth, panel, acc)) };
        }
        return true;
    }
    product((x, packed), depth, panel, acc, pack, |inputs, rows, acc| {
        // SAFETY: `product` promises the lengths.
        unsafe { of_rows!(rows, multiply(inputs, depth, panel, acc)) };
    })
}

/// Whether the processor has `SDOT`.
fn has_dot() -> bool {
    #[cfg(feature = "std")]
    return std::arch::is_aarch64_feature_detected!("dotprod");
    #[cfg(not(feature = "std"))]
    cfg!(target_feature = "dotprod")
}

/// Fills `acc`, `ROWS` rows of as many columns as `panel` has, with the sums that `of` makes of four pairs of
/// columns at a time, which it gets by where they begin: of each row four columns' and four more.
///
/// # Safety
/// `panel` is an even number of columns of `depth`; `acc` has room.
#[inline(always)]
unsafe fn by_pairs<const ROWS: usize>(
    depth: usize,
    panel: &[i8],
    acc: &mut [i32],
    mut of: impl FnMut([*const i8; PAIRS]) -> [[int32x4_t; 2]; ROWS],
) {
    let columns = panel.len() / depth;
    let mut column = 0;
    while column < columns {
        let pairs = ((columns - column) / 2).min(PAIRS);
        // pairs beyond the last are the last once more, and not stored
        let start = |pair: usize| panel.as_ptr().wrapping_add((column + 2 * pair.min(pairs - 1)) * depth);
        let sums = of([start(0), start(1), start(2), start(3)]);
        for (row, [front, back]) in sums.into_iter().enumerate() {
            // SAFETY: `2 * pairs` columns from this one on are within the row; others are not written.
            unsafe {
                let to = acc.as_mut_ptr().add(row * columns + column);
                if pairs == PAIRS {
                    vst1q_s32(to, front);
                    vst1q_s32(to.add(4), back);
                } else {
                    let mut values = [0i32; 2 * PAIRS];
                    vst1q_s32(values.as_mut_ptr(), front);
                    vst1q_s32(values.as_mut_ptr().add(4), back);
                    to.copy_from_nonoverlapping(values.as_ptr(), 2 * pairs);
                }
            }
        }
        column += 2 * pairs;
    }
}

/// # Safety
/// `x` holds `ROWS` rows of `depth`, a multiple of 4; `panel` an even number of columns of `depth`; `acc`
/// has room for the product.
unsafe fn multiply<const ROWS: usize>(x: &[i16], depth: usize, panel: &[i8], acc: &mut [i32]) {
    // SAFETY: NEON is there on every such processor. Eight inputs, or four, from `first` on are within each
    // pair of columns and each row.
    let sums = |starts: [*const i8; PAIRS]| unsafe {
        let mut sums = [[vdupq_n_s32(0); 2]; ROWS];
        for first in (0..depth).step_by(8) {
            let eight = depth - first >= 8;
            let [p, q, r, s] = starts.map(|start| {
                let from = start.add(2 * first).cast::<u16>();
                if eight { vld1q_u16(from) } else { vcombine_u16(vld1_u16(from), vdup_n_u16(0)) }
            });
            let inputs: [int16x8_t; ROWS] = core::array::from_fn(|row| {
                let from = x.as_ptr().add(row * depth + first);
                if eight { vld1q_s16(from) } else { vcombine_s16(vld1_s16(from), vdup_n_s16(0)) }
            });
            let (a, b) = (vzip1q_u16(p, r), vzip1q_u16(q, s));
            let (c, d) = (vzip2q_u16(p, r), vzip2q_u16(q, s));
            // of two inputs the eight columns
            let twos = [vzip1q_u16(a, b), vzip2q_u16(a, b), vzip1q_u16(c, d), vzip2q_u16(c, d)]
                .map(|two| vreinterpretq_s8_u16(two));
            macro_rules! input {
                ($weights:expr, $at:literal) => {
                    let weights = $weights;
                    for ([front, back], input) in sums.iter_mut().zip(inputs) {
                        *front = vmlal_laneq_s16::<$at>(*front, vget_low_s16(weights), input);
                        *back = vmlal_high_laneq_s16::<$at>(*back, weights, input);
                    }
                };
            }
            input!(vmovl_s8(vget_low_s8(twos[0])), 0);
            input!(vmovl_high_s8(twos[0]), 1);
            input!(vmovl_s8(vget_low_s8(twos[1])), 2);
            input!(vmovl_high_s8(twos[1]), 3);
            if eight {
                input!(vmovl_s8(vget_low_s8(twos[2])), 4);
                input!(vmovl_high_s8(twos[2]), 5);
                input!(vmovl_s8(vget_low_s8(twos[3])), 6);
                input!(vmovl_high_s8(twos[3]), 7);
            }
        }
        sums
    };
    // SAFETY: by the caller.
    unsafe { by_pairs(depth, panel, acc, sums) };
}

/// As `multiply`, with bytes.
///
/// # Safety
/// `SDOT`; else as `multiply`.
#[target_feature(enable = "dotprod")]
unsafe fn dots<const ROWS: usize>(x: &[i8], depth: usize, panel: &[i8], acc: &mut [i32]) {
    // SAFETY: as in `multiply`.
    let sums = |starts: [*const i8; PAIRS]| unsafe {
        let mut sums = [[vdupq_n_s32(0); 2]; ROWS];
        for first in (0..depth).step_by(8) {
            let eight = depth - first >= 8;
            let [p, q, r, s] = starts.map(|start| {
                let from = start.add(2 * first);
                if eight { vld1q_s8(from) } else { vcombine_s8(vld1_s8(from), vdup_n_s8(0)) }
            });
            let weights = [fours(p, q), fours(r, s)];
            for (row, sums) in sums.iter_mut().enumerate() {
                let from = x.as_ptr().add(row * depth + first);
                let inputs = match eight {
                    true => vld1_s8(from),
                    false => vcreate_s8(from.cast::<u32>().read_unaligned().into()),
                };
                for (sum, (now, next)) in sums.iter_mut().zip(weights) {
                    *sum = dot::<0>(*sum, now, inputs);
                    if eight {
                        *sum = dot::<1>(*sum, next, inputs);
                    }
                }
            }
        }
        sums
    };
    // SAFETY: by the caller.
    unsafe { by_pairs(depth, panel, acc, sums) };
}

/// Eight inputs of two pairs of columns: the first four inputs of each of the four columns, and the next.
#[inline(always)]
fn fours(p: int8x16_t, q: int8x16_t) -> (int8x16_t, int8x16_t) {
    // SAFETY: NEON is there on every such processor.
    unsafe {
        let even = vreinterpretq_u32_s8(vuzp1q_s8(p, q));
        let odd = vreinterpretq_u32_s8(vuzp2q_s8(p, q));
        (vreinterpretq_s8_u32(vtrn1q_u32(even, odd)), vreinterpretq_s8_u32(vtrn2q_u32(even, odd)))
    }
}

/// `acc + w x`: four products to each sum, of four weights and the `AT`th four inputs. In assembly, as the
/// intrinsic is not stable.
///
/// # Safety
/// `SDOT`.
#[inline]
#[target_feature(enable = "dotprod")]
unsafe fn dot<const AT: usize>(mut acc: int32x4_t, w: int8x16_t, x: int8x8_t) -> int32x4_t {
    // SAFETY: touches registers alone.
    unsafe {
        asm!(
            "sdot {acc:v}.4s, {w:v}.16b, {x:v}.4b[{at}]",
            acc = inout(vreg) acc,
            w = in(vreg) w,
            x = in(vreg) x,
            at = const AT,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    acc
}
