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

use crate::kernels::vector::{columns, product};
use crate::lane::{Lane, LaneWidth};
use crate::pack::TILE;

/// Pairs of columns that are multiplied at once.
const PAIRS: usize = 4;

/// A function that is made for each number of tokens, 1 to 4.
macro_rules! of_rows {
    ($rows:expr, $kernel:ident($($argument:expr),*)) => {
        match $rows {
            4 => $kernel::<4>($($argument),*),
            3 => $kernel::<3>($($argument),*),
            2 => $kernel::<2>($($argument),*),
            _ => $kernel::<1>($($argument),*),
        }
    };
}

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

/// Where each of the pairs of columns from `column` on begins; those beyond the last of `pairs` are the last
/// once more.
#[inline(always)]
fn starts(panel: &[i8], depth: usize, column: usize, pairs: usize) -> [*const i8; PAIRS] {
    [0, 1, 2, 3].map(|pair: usize| panel.as_ptr().wrapping_add((column + 2 * pair.min(pairs - 1)) * depth))
}

/// Stores the sums of `pairs` pairs of columns at `to`.
///
/// # Safety
/// There is room for them.
#[inline(always)]
unsafe fn store(front: int32x4_t, back: int32x4_t, pairs: usize, to: *mut i32) {
    // SAFETY: by the caller.
    unsafe {
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

/// # Safety
/// `x` holds `ROWS` rows of `depth`, a multiple of 4; `panel` an even number of columns of `depth`; `acc`
/// has room for the product.
unsafe fn multiply<const ROWS: usize>(x: &[i16], depth: usize, panel: &[i8], acc: &mut [i32]) {
    let columns = panel.len() / depth;
    let mut column = 0;
    // SAFETY: NEON is there on every such processor; what is loaded and stored is said below.
    unsafe {
        while column < columns {
            let pairs = ((columns - column) / 2).min(PAIRS);
            let starts = starts(panel, depth, column, pairs);
            let mut front = [vdupq_n_s32(0); ROWS];
            let mut back = [vdupq_n_s32(0); ROWS];
            for first in (0..depth).step_by(8) {
                // eight inputs from `first` on are within each pair of columns and each row, or four
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
                        for row in 0..ROWS {
                            let input = inputs[row];
                            front[row] = vmlal_laneq_s16::<$at>(front[row], vget_low_s16(weights), input);
                            back[row] = vmlal_high_laneq_s16::<$at>(back[row], weights, input);
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
            for row in 0..ROWS {
                // `2 * pairs` columns from this one on are within the row
                store(front[row], back[row], pairs, acc.as_mut_ptr().add(row * columns + column));
            }
            column += 2 * pairs;
        }
    }
}

/// As `multiply`, with bytes.
///
/// # Safety
/// `SDOT`; else as `multiply`.
#[target_feature(enable = "dotprod")]
unsafe fn dots<const ROWS: usize>(x: &[i8], depth: usize, panel: &[i8], acc: &mut [i32]) {
    let columns = panel.len() / depth;
    let mut column = 0;
    // SAFETY: as in `multiply`.
    unsafe {
        while column < columns {
            let pairs = ((columns - column) / 2).min(PAIRS);
            let starts = starts(panel, depth, column, pairs);
            let mut front = [vdupq_n_s32(0); ROWS];
            let mut back = [vdupq_n_s32(0); ROWS];
            for first in (0..depth).step_by(8) {
                let eight = depth - first >= 8;
                let [p, q, r, s] = starts.map(|start| {
                    let from = start.add(2 * first);
                    if eight { vld1q_s8(from) } else { vcombine_s8(vld1_s8(from), vdup_n_s8(0)) }
                });
                let (front_first, front_next) = fours(p, q);
                let (back_first, back_next) = fours(r, s);
                for row in 0..ROWS {
                    let from = x.as_ptr().add(row * depth + first);
                    if eight {
                        let inputs = vld1_s8(from);
                        front[row] = dot::<1>(dot::<0>(front[row], front_first, inputs), front_next, inputs);
                        back[row] = dot::<1>(dot::<0>(back[row], back_first, inputs), back_next, inputs);
                    } else {
                        let four = from.cast::<u32>().read_unaligned();
                        let inputs = vcreate_s8(four.into());
                        front[row] = dot::<0>(front[row], front_first, inputs);
                        back[row] = dot::<0>(back[row], back_first, inputs);
                    }
                }
            }
            for row in 0..ROWS {
                store(front[row], back[row], pairs, acc.as_mut_ptr().add(row * columns + column));
            }
            column += 2 * pairs;
        }
    }
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
