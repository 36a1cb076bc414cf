//! Row operations, a register of elements at a time; what is left over goes through the portable definitions.

#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::{__m256i, __m512i};

use super::Vector;
use crate::kernels::attention::{ROPE_GUARD_BITS, exponentials_portable};
use crate::kernels::norm::{RESIDUAL_BITS, gain, sums_portable};
use crate::kernels::requantize::{
    requantize_pairs_portable, requantize_places_portable, requantize_portable,
};
use crate::kernels::swiglu::swiglu_portable;
#[cfg(target_arch = "x86_64")]
use crate::kernels::x86::{Level, level};
use crate::lane::{Lane, LaneWidth};

/// The registers of a processor that has no others.
#[cfg(target_arch = "aarch64")]
type Register = core::arch::aarch64::int32x4_t;
#[cfg(target_arch = "wasm32")]
type Register = core::arch::wasm32::v128;

/// `function` with the registers of this processor; `None` where the portable definitions are wanted.
#[cfg(any(target_arch = "aarch64", target_arch = "wasm32"))]
macro_rules! at_level {
    ($function:ident<$($lane:ident),*>($($argument:ident: $type:ty),* $(,)?) -> $output:ty) => {
        // SAFETY: code with these instructions is not even built, or loaded, where there are none, and
        // `function` needs no more than what this macro's user has checked.
        Some(unsafe { $function::<Register $(, $lane)*>($($argument),*) })
    };
}

/// `function` with the registers of the level in use; `None` where that is the portable one.
#[cfg(target_arch = "x86_64")]
macro_rules! at_level {
    ($function:ident<$($lane:ident),*>($($argument:ident: $type:ty),* $(,)?) -> $output:ty) => {{
        #[target_feature(enable = "avx2")]
        unsafe fn avx2<$($lane: Lane),*>($($argument: $type),*) -> $output {
            // SAFETY: by the caller.
            unsafe { $function::<__m256i $(, $lane)*>($($argument),*) }
        }
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
        unsafe fn avx512<$($lane: Lane),*>($($argument: $type),*) -> $output {
            // SAFETY: by the caller.
            unsafe { $function::<__m512i $(, $lane)*>($($argument),*) }
        }
        // SAFETY: the level is at most the processor's, and `function` needs no more than that and what this
        // macro's user has checked.
        unsafe {
            match level() {
                Level::Portable => None,
                Level::Avx2 => Some(avx2::<$($lane),*>($($argument),*)),
                Level::Avx512 => Some(avx512::<$($lane),*>($($argument),*)),
            }
        }
    }};
}

/// Whether the compiler makes fewer instructions of the portable definitions of the plainest operations
/// than these here have: it knows NEON's registers, and may always use them.
const COMPILER_IS_BETTER: bool = cfg!(target_arch = "aarch64");

/// Splits slices of `n` elements into what whole registers cover and the rest; `n` is at most every length.
fn whole<V: Vector>(n: usize) -> usize {
    n - n % V::COUNT
}

/// [`softmax`](crate::kernels::softmax); `None` where it does not apply (coarse scores,
/// lengths that do not fit).
pub(in crate::kernels) fn softmax<A: Lane>(
    scores: &[i32],
    score_bits: u32,
    bits: u32,
    table: &[u16],
    weights: &mut [A],
) -> Option<u32> {
    let weights = weights.get_mut(..scores.len())?;
    let table = <&[u16; 256]>::try_from(table).ok()?;
    // from 10 on an exponent fits 31 bits
    if scores.is_empty() || !(10..=26).contains(&score_bits) {
        return None;
    }
    let (drop, skip) = (score_bits - 8, 15 - bits.min(15));
    at_level!(exponentials<A>(scores: &[i32], drop: u32, skip: u32, table: &[u16; 256], weights: &mut [A]) -> u32)
}

/// # Safety
/// `V`'s instructions; as many weights as scores.
#[inline(always)]
unsafe fn exponentials<V: Vector, A: Lane>(
    scores: &[i32],
    drop: u32,
    skip: u32,
    table: &[u16; 256],
    weights: &mut [A],
) -> u32 {
    let n = whole::<V>(scores.len());
    let (rest, mut sums) = (scores.get(n..).unwrap_or_default(), [0i32; 16]);
    // SAFETY: `n`, a multiple of a register, elements of each are there.
    let (top, sum) = unsafe {
        let mut max = V::splat(i32::MIN);
        for i in (0..n).step_by(V::COUNT) {
            max = max.max(V::load(scores.as_ptr().add(i)));
        }
        max.store(sums.as_mut_ptr());
        let max = sums.iter().take(V::COUNT).chain(rest).copied().max().unwrap_or(0);
        // scores are below 2^30, so neither overflows
        let top = (max.wrapping_add((1 << drop) - 1) >> drop) << drop;
        let from = V::splat(top.wrapping_add((1 << drop) >> 1));
        let (by, last, table) = (V::splat(skip as i32), V::splat(A::WIDTH.max()), V::table(table.as_ptr()));
        let mut sum = V::splat(0);
        for i in (0..n).step_by(V::COUNT) {
            let below = from.sub(V::load(scores.as_ptr().add(i))).shr_all(drop).min(V::splat(0x1FFF));
            let fraction = below.and(V::splat(255)).look_up(table);
            let shifted = fraction.shl::<1>().shr_each(below.shr::<8>().add(by));
            let weight = shifted.add(V::splat(1)).shr::<1>().min(last);
            weight.store_lanes(weights.as_mut_ptr().add(i));
            sum = sum.add(weight);
        }
        sum.store(sums.as_mut_ptr());
        (top, sums.iter().take(V::COUNT).sum::<i32>() as u32)
    };
    let weights = weights.get_mut(n..).unwrap_or_default();
    sum.wrapping_add(exponentials_portable(rest, top.into(), drop, 0, skip, table, weights))
}

/// [`rotate_heads`](crate::kernels::rotate_heads); `false` (and nothing done) where it does not apply.
pub(in crate::kernels) fn rotate_heads(row: &mut [i32], rotation: &[i16]) -> bool {
    let (n, registers) = (rotation.len(), 2 * 16);
    if n == 0 || !n.is_multiple_of(registers) || !row.len().is_multiple_of(n) {
        return false;
    }
    at_level!(turns<>(row: &mut [i32], rotation: &[i16]) -> ()).is_some()
}

/// # Safety
/// `V`'s instructions; `rotation` is two times a whole number of registers, and `row` a multiple of it.
#[inline(always)]
unsafe fn turns<V: Vector>(row: &mut [i32], rotation: &[i16]) {
    let half = rotation.len() / 2;
    for row in row.chunks_exact_mut(rotation.len()) {
        for i in (0..half).step_by(V::COUNT) {
            // SAFETY: a register of either half, and as many pairs of 16 bits, are there for every `i`.
            unsafe {
                let turn = V::load(rotation.as_ptr().add(2 * i).cast());
                let (cos, sin) = (turn.shl::<16>().sar::<16>(), turn.sar::<16>());
                let (low, high) = (row.as_mut_ptr().add(i), row.as_mut_ptr().add(half + i));
                let (x, y) = (V::load(low), V::load(high));
                turned(x, y, cos, V::splat(0).sub(sin)).store(low);
                turned(y, x, cos, sin).store(high);
            }
        }
    }
}

/// `round((x cos + y sin) / 2^14)`, then rounded to what it is without the guard bits.
///
/// # Safety
/// `V`'s instructions.
#[inline(always)]
unsafe fn turned<V: Vector>(x: V, y: V, cos: V, sin: V) -> V {
    // SAFETY: by the caller.
    unsafe {
        let rounding = V::half64().shr64::<18>();
        let even = x.mul_even(cos).add64(y.mul_even(sin)).add64(rounding).shr64::<14>();
        let odd = x.odd().mul_even(cos.odd()).add64(y.odd().mul_even(sin.odd())).add64(rounding);
        let sum = even.even_and(odd.shl64::<18>());
        sum.add(V::splat(1 << (ROPE_GUARD_BITS - 1))).sar::<ROPE_GUARD_BITS>()
    }
}

/// [`add_bias`](crate::kernels::add_bias); `false` (and nothing done) where it does not apply.
pub(in crate::kernels) fn add_bias(scores: &mut [i32], bias: &[i32], classes: &[u8]) -> bool {
    let n = scores.len().min(classes.len());
    let (Some(scores), Some(classes)) = (scores.get_mut(..n), classes.get(..n)) else { return false };
    at_level!(add_biases<>(scores: &mut [i32], bias: &[i32], classes: &[u8]) -> ()).is_some()
}

/// # Safety
/// `V`'s instructions; as many classes as scores.
#[inline(always)]
unsafe fn add_biases<V: Vector>(scores: &mut [i32], bias: &[i32], classes: &[u8]) {
    let n = whole::<V>(scores.len());
    for i in (0..n).step_by(V::COUNT) {
        // SAFETY: a register of elements from `i` on of each is there.
        unsafe {
            let at = scores.as_mut_ptr().add(i);
            V::load(at).add(V::load_bytes(classes.as_ptr().add(i)).look_up_bias(bias)).store(at);
        }
    }
    let rest = (scores.get_mut(n..).unwrap_or_default(), classes.get(n..).unwrap_or_default());
    crate::kernels::add_bias_portable(rest.0, bias, rest.1);
}

/// `out[i] = sat(scale(acc[i], factor))`; `false` (and nothing done) where it does not apply.
pub(in crate::kernels) fn rescale<A: Lane>(acc: &[i32], factor: i32, out: &mut [A]) -> bool {
    let n = acc.len().min(out.len());
    if COMPILER_IS_BETTER {
        return false;
    }
    let (Some(acc), Some(out)) = (acc.get(..n), out.get_mut(..n)) else { return false };
    at_level!(rescale_all<A>(acc: &[i32], factor: i32, out: &mut [A]) -> ()).is_some()
}

/// # Safety
/// `V`'s instructions; as many outputs as accumulators.
#[inline(always)]
unsafe fn rescale_all<V: Vector, A: Lane>(acc: &[i32], factor: i32, out: &mut [A]) {
    let n = whole::<V>(acc.len());
    // SAFETY: a register of elements from `i` on of each is there.
    unsafe {
        let by = V::splat(factor);
        for i in (0..n).step_by(V::COUNT) {
            V::load(acc.as_ptr().add(i)).scale(by).store_lanes(out.as_mut_ptr().add(i));
        }
    }
    for (acc, out) in acc.iter().zip(out).skip(n) {
        *out = A::saturate(crate::fixed::scale(*acc, factor));
    }
}

/// [`residual_norm`](crate::kernels::residual_norm); `false` (and nothing done) where it does not apply.
pub(in crate::kernels) fn residual_norm<A: Lane>(
    row: &mut [A],
    step: i32,
    acc: &mut [i32],
    factors: &[i32],
    numerator: u32,
) -> bool {
    let n = row.len();
    if COMPILER_IS_BETTER {
        return false;
    }
    let (Some(acc), Some(factors)) = (acc.get_mut(..n), factors.get(..n)) else { return false };
    at_level!(norm<A>(row: &mut [A], step: i32, acc: &mut [i32], factors: &[i32], numerator: u32) -> ())
        .is_some()
}

/// # Safety
/// `V`'s instructions; as many accumulators and factors as there are lanes.
#[inline(always)]
unsafe fn norm<V: Vector, A: Lane>(
    row: &mut [A],
    step: i32,
    acc: &mut [i32],
    factors: &[i32],
    numerator: u32,
) {
    let n = whole::<V>(row.len());
    let mut squares = [0u64; 8];
    // SAFETY: a register of elements from `i` on of each is there; the squares' sums are at most eight.
    unsafe {
        let (by, low, high) =
            (V::splat(step), V::splat(-(1 << RESIDUAL_BITS)), V::splat((1 << RESIDUAL_BITS) - 1));
        let mut square = V::splat(0);
        for i in (0..n).step_by(V::COUNT) {
            let at = acc.as_mut_ptr().add(i);
            let delta = V::load(at).requantize::<A>(V::load(factors.as_ptr().add(i)));
            let sum = V::load_lanes(row.as_ptr().add(i)).mul(by).add(delta).max(low).min(high);
            sum.store(at);
            let odd = sum.odd();
            square = square.add64(sum.mul_even(sum)).add64(odd.mul_even(odd));
        }
        square.store(squares.as_mut_ptr().cast());
    }
    let rest = (row.get(n..), acc.get_mut(n..), factors.get(n..));
    let (Some(row_rest), Some(acc_rest), Some(factors_rest)) = rest else { return };
    let square = squares.iter().sum::<u64>() + sums_portable(row_rest, step, acc_rest, factors_rest);
    let gain = gain(row.len(), square, numerator);
    if gain.shift == 32 {
        // SAFETY: by the caller.
        unsafe { rescale_all::<V, A>(acc, gain.mantissa, row) };
    } else {
        row.iter_mut().zip(acc).for_each(|(x, sum)| *x = A::saturate(gain.apply(*sum)));
    }
}

/// [`swiglu`](crate::kernels::swiglu); `false` (and nothing done) where it does not apply.
pub(in crate::kernels) fn swiglu<A: Lane>(
    acc: &[i32],
    factors: &[i32],
    factor: i32,
    table: &[u16],
    out: &mut [A],
) -> bool {
    let n = (acc.len() / 2).min(factors.len() / 2).min(out.len());
    let Ok(table) = <&[u16; 257]>::try_from(table) else { return false };
    let (Some(acc), Some(factors), Some(out)) = (acc.get(..2 * n), factors.get(..2 * n), out.get_mut(..n))
    else {
        return false;
    };
    at_level!(gates<A>(acc: &[i32], factors: &[i32], factor: i32, table: &[u16; 257], out: &mut [A]) -> ())
        .is_some()
}

/// # Safety
/// `V`'s instructions; twice as many accumulators and factors as outputs.
#[inline(always)]
unsafe fn gates<V: Vector, A: Lane>(
    acc: &[i32],
    factors: &[i32],
    factor: i32,
    table: &[u16; 257],
    out: &mut [A],
) {
    let n = whole::<V>(out.len());
    // SAFETY: two registers of accumulators and factors and room for a register of outputs
    // are there for every `i`.
    unsafe {
        let (lows, highs) = (V::table(table.as_ptr()), V::table(table.as_ptr().add(1)));
        let (by, least, most) = (V::splat(factor), V::splat(-32768), V::splat(32767));
        for i in (0..n).step_by(V::COUNT) {
            let (acc, factors) = (acc.as_ptr().add(2 * i), factors.as_ptr().add(2 * i));
            let first = alternating::<V, A>(acc, factors);
            let second = alternating::<V, A>(acc.add(V::COUNT), factors.add(V::COUNT));
            let gate = first.0.odd().even_and(second.0).max(least).min(most);
            let up = first.1.odd().even_and(second.1).max(least).min(most);
            let sign = gate.sar::<31>();
            let magnitude = gate.xor(sign).sub(sign).min(V::splat((16 << 10) - 1));
            let at = magnitude.shr::<6>();
            let (low, high) = (at.look_up(lows), at.look_up(highs));
            let part = high.sub(low).mul(magnitude.and(V::splat(63)));
            let positive = low.shl::<6>().add(part).add(V::splat(32)).sar::<6>();
            // `2^15 - positive` for negative gates
            let sigmoid = positive.xor(sign).sub(sign).add(sign.and(V::splat(1 << 15)));
            let silu = gate.mul(sigmoid);
            let out = out.as_mut_ptr().add(i);
            silu.scale(up.shl::<16>()).scale(by).even_then_odd().store_lanes(out);
        }
    }
    let rest = (acc.get(2 * n..), factors.get(2 * n..), out.get_mut(n..));
    if let (Some(acc), Some(factors), Some(out)) = rest {
        swiglu_portable(acc, factors, factor, table, out);
    }
}

/// A register of accumulators alternates gate and up: the products of its even numbers are gates, those of
/// its odd ones ups, both in the upper halves of 64 bits.
///
/// # Safety
/// `V`'s instructions; a register of each is there.
#[inline(always)]
unsafe fn alternating<V: Vector, A: Lane>(acc: *const i32, factors: *const i32) -> (V, V) {
    // SAFETY: by the caller.
    unsafe {
        let (acc, by) = (V::load(acc), V::load(factors));
        let acc = match A::WIDTH {
            LaneWidth::I8 => acc.shl::<8>(),
            LaneWidth::I16 => acc,
        };
        (acc.mul_even(by).add64(V::half64()), acc.odd().mul_even(by.odd()).add64(V::half64()))
    }
}

/// [`requantize`](crate::kernels::requantize()); `false` (and nothing done) where it does not apply.
pub(in crate::kernels) fn requantize<A: Lane, O: Lane>(acc: &[i32], factors: &[i32], out: &mut [O]) -> bool {
    let n = acc.len().min(factors.len()).min(out.len());
    let (Some(acc), Some(factors), Some(out)) = (acc.get(..n), factors.get(..n), out.get_mut(..n)) else {
        return false;
    };
    at_level!(requantize_all<A, O>(acc: &[i32], factors: &[i32], out: &mut [O]) -> ()).is_some()
}

/// # Safety
/// `V`'s instructions; as many factors and outputs as accumulators.
#[inline(always)]
unsafe fn requantize_all<V: Vector, A: Lane, O: Lane>(acc: &[i32], factors: &[i32], out: &mut [O]) {
    let n = whole::<V>(acc.len());
    for i in (0..n).step_by(V::COUNT) {
        // SAFETY: a register of elements from `i` on of each is there.
        unsafe {
            let value = V::load(acc.as_ptr().add(i)).requantize::<A>(V::load(factors.as_ptr().add(i)));
            value.store_lanes(out.as_mut_ptr().add(i));
        }
    }
    let rest = (acc.get(n..), factors.get(n..), out.get_mut(n..));
    if let (Some(acc), Some(factors), Some(out)) = rest {
        requantize_portable::<A, O>(acc, factors, out);
    }
}

/// [`requantize_pairs`](crate::kernels::requantize_pairs()); `false` (and nothing done)
/// where it does not apply.
pub(in crate::kernels) fn requantize_pairs<A: Lane>(
    acc: &[i32],
    factors: &[i32],
    which: usize,
    pairs: &mut [[i8; 2]],
) -> bool {
    let n = acc.len().min(factors.len()).min(pairs.len());
    let (Some(acc), Some(factors), Some(pairs)) = (acc.get(..n), factors.get(..n), pairs.get_mut(..n)) else {
        return false;
    };
    at_level!(pairs_of<A>(acc: &[i32], factors: &[i32], which: usize, pairs: &mut [[i8; 2]]) -> ()).is_some()
}

/// # Safety
/// `V`'s instructions; as many factors and pairs as accumulators.
#[inline(always)]
unsafe fn pairs_of<V: Vector, A: Lane>(acc: &[i32], factors: &[i32], which: usize, pairs: &mut [[i8; 2]]) {
    let n = whole::<V>(acc.len());
    let shift = if which & 1 == 0 { 0 } else { 8 };
    for i in (0..n).step_by(V::COUNT) {
        let mut bytes = [0i8; 16];
        // SAFETY: a register of elements from `i` on of each is there, and room for its bytes.
        unsafe {
            let value = V::load(acc.as_ptr().add(i)).requantize::<A>(V::load(factors.as_ptr().add(i)));
            value.store_lanes(bytes.as_mut_ptr());
        }
        // sixteen-bit pairs, of which one byte is replaced: the compiler's vectors are as good as ours
        let places = pairs.get_mut(i..i + V::COUNT).unwrap_or_default();
        for (pair, byte) in places.iter_mut().zip(bytes) {
            let kept = u16::from_le_bytes(pair.map(|byte| byte as u8)) & (0xFF00 >> shift);
            *pair = (kept | u16::from(byte as u8) << shift).to_le_bytes().map(|byte| byte as i8);
        }
    }
    let rest = (acc.get(n..), factors.get(n..), pairs.get_mut(n..));
    if let (Some(acc), Some(factors), Some(pairs)) = rest {
        requantize_pairs_portable::<A>(acc, factors, which, pairs);
    }
}

/// [`requantize_places`](crate::kernels::requantize_places()); `false` (and nothing done)
/// where it does not apply.
pub(in crate::kernels) fn requantize_places<A: Lane>(
    acc: &[i32],
    factors: &[i32],
    panels: &mut [i8],
    rows: usize,
    t: usize,
) -> bool {
    let n = acc.len().min(factors.len()) & !1;
    if t >= rows || panels.len() < n * rows {
        return false;
    }
    let (Some(acc), Some(factors)) = (acc.get(..n), factors.get(..n)) else { return false };
    at_level!(places<A>(acc: &[i32], factors: &[i32], panels: &mut [i8], rows: usize, t: usize) -> ())
        .is_some()
}

/// # Safety
/// `V`'s instructions; as many factors as accumulators.
#[inline(always)]
unsafe fn places<V: Vector, A: Lane>(acc: &[i32], factors: &[i32], panels: &mut [i8], rows: usize, t: usize) {
    let n = whole::<V>(acc.len());
    for i in (0..n).step_by(V::COUNT) {
        let mut bytes = [0i8; 16];
        // SAFETY: a register of elements from `i` on of each is there, and room for its bytes.
        unsafe {
            let value = V::load(acc.as_ptr().add(i)).requantize::<A>(V::load(factors.as_ptr().add(i)));
            value.store_lanes(bytes.as_mut_ptr());
        }
        let places = panels.get_mut(i * rows + 2 * t..).unwrap_or_default().chunks_mut(2 * rows);
        for (place, pair) in places.zip(bytes.as_chunks::<2>().0).take(V::COUNT / 2) {
            if let Some(place) = place.first_chunk_mut::<2>() {
                *place = *pair;
            }
        }
    }
    let rest = (acc.get(n..), factors.get(n..), panels.get_mut(n * rows..));
    if let (Some(acc), Some(factors), Some(panels)) = rest {
        requantize_places_portable::<A>(acc, factors, panels, rows, t);
    }
}

/// [`inject`](crate::kernels::inject()); `false` (and nothing done) where it does not apply.
pub(in crate::kernels) fn inject<A: Lane>(
    z: &mut [A],
    other: &[A],
    step: i32,
    embeddings: [&[i16]; 2],
    embed_step: i32,
    factor: i32,
) -> bool {
    let n = z.len();
    // within these, no sum comes near the ends of an `i32`
    let small = |step: i32| (1..=16384).contains(&step);
    if COMPILER_IS_BETTER || other.len() != n || !small(step) || !small(embed_step) {
        return false;
    }
    if embeddings.iter().any(|row| !row.is_empty() && row.len() != n) {
        return false;
    }
    at_level!(injection<A>(z: &mut [A], other: &[A], step: i32, embeddings: [&[i16]; 2], embed_step: i32, factor: i32) -> ())
        .is_some()
}

/// # Safety
/// `V`'s instructions; as many lanes of `other` as of `z`, and in each embedding, or none.
#[inline(always)]
unsafe fn injection<V: Vector, A: Lane>(
    z: &mut [A],
    other: &[A],
    step: i32,
    embeddings: [&[i16]; 2],
    embed_step: i32,
    factor: i32,
) {
    let n = whole::<V>(z.len());
    // SAFETY: a register of elements from `i` on of each is there.
    unsafe {
        let (by, embed_by, factor) = (V::splat(step), V::splat(embed_step), V::splat(factor));
        for i in (0..n).step_by(V::COUNT) {
            let at = z.as_mut_ptr().add(i);
            let mut sum = V::load_lanes(at).add(V::load_lanes(other.as_ptr().add(i))).mul(by);
            for row in embeddings.iter().filter(|row| !row.is_empty()) {
                sum = sum.add(V::load_lanes(row.as_ptr().add(i)).mul(embed_by));
            }
            sum.scale(factor).store_lanes(at);
        }
    }
    let embeddings = embeddings.map(|row| row.get(n..).unwrap_or_default());
    if let (Some(z), Some(other)) = (z.get_mut(n..), other.get(n..)) {
        crate::kernels::inject::inject_portable(z, other, step, embeddings, embed_step, factor);
    }
}
