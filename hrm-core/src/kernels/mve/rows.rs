//! Row operations on Helium, four elements at a time: `VRMULH` is the rounding rescale, `VQMOVN` the saturation, tables are gathered, and
//! tail-predicated loops need no rest.

use core::arch::naked_asm;

use crate::kernels::norm::gain;
use crate::lane::{Lane, LaneWidth};

/// [`softmax`](crate::kernels::softmax); `None` where it does not apply (coarse scores, lengths that do not fit).
pub(in crate::kernels) fn softmax<A: Lane>(
    scores: &[i32],
    score_bits: u32,
    bits: u32,
    table: &[u16],
    weights: &mut [A],
) -> Option<u32> {
    let n = scores.len();
    // from 10 on the factor 2^(32 - drop) is a positive `i32`
    let fits = (10..=26).contains(&score_bits) && table.len() == 256 && weights.len() >= n && bits <= 15;
    if !fits || n == 0 {
        return None;
    }
    // SAFETY: `n` scores are there, at least one.
    let max = unsafe { largest(scores.as_ptr(), n) };
    let drop = score_bits - 8;
    let top = max.wrapping_add((1 << drop) - 1) >> drop;
    // what a narrower weight is shifted by is added to every exponent
    let top = top.wrapping_add(((15 - bits) << 8) as i32);
    let factor = 1 << (32 - drop);
    let (scores, weights, table) = (scores.as_ptr(), weights.as_mut_ptr(), table.as_ptr());
    // SAFETY: `n` scores and room for `n` weights, at least one; a table of 256.
    Some(unsafe { exponentials(scores, weights, table, factor, top, n) })
}

/// The largest of `n` scores.
///
/// # Safety
/// `n` readable scores, at least one.
#[unsafe(naked)]
unsafe extern "C" fn largest(scores: *const i32, n: usize) -> i32 {
    naked_asm!(
        ".cpu cortex-m55",
        "push {{r7, lr}}",
        "mov.w r2, #0x80000000",
        "dlstp.32 lr, r1",
        "2:",
        "vldrw.u32 q0, [r0], #16",
        "vmaxv.s32 r2, q0",
        "letp lr, 2b",
        "mov r0, r2",
        "pop {{r7, pc}}",
    )
}

/// Weights `round(table[e % 256] / 2^(e / 256))` with `e = round(top - score * factor / 2^32)`, at most 2^13 - 1; and their sum. Bytes saturate at
/// 127.
///
/// # Safety
/// `n` scores, room for `n` weights, `n` at least one; 256 entries in `table`.
#[unsafe(naked)]
unsafe extern "C" fn exponentials<A: Lane>(
    scores: *const i32,
    weights: *mut A,
    table: *const u16,
    factor: i32,
    top: i32,
    n: usize,
) -> u32 {
    naked_asm!(
        ".cpu cortex-m55",
        "push {{r4-r6, lr}}",
        "vpush {{d8-d11}}",
        "ldrd r4, r5, [sp, #48]",
        "rsb r3, r3, #0",
        "vdup.32 q2, r3",
        "mov.w r3, #0xFF",
        "vdup.32 q3, r3",
        "movw r3, #0x1FFF",
        "vdup.32 q4, r3",
        "mov r6, #0",
        "dlstp.32 lr, r5",
        "2:",
        "vldrw.u32 q0, [r0], #16",
        "vrmulh.s32 q0, q0, q2",
        "vadd.i32 q0, q0, r4",
        "vmin.u32 q0, q0, q4",
        "vand q1, q0, q3",
        "vldrh.u32 q5, [r2, q1, uxtw #1]",
        "vshr.u32 q0, q0, #8",
        "vneg.s32 q0, q0",
        "vrshl.u32 q1, q5, q0",
        ".if {lane} == 1",
        "vqmovnb.s32 q1, q1",
        "vmovlb.s16 q1, q1",
        "vqmovnb.s16 q1, q1",
        "vmovlb.s8 q1, q1",
        "vmovlb.s16 q1, q1",
        "vstrb.32 q1, [r1], #4",
        ".else",
        "vstrh.32 q1, [r1], #8",
        ".endif",
        "vaddva.u32 r6, q1",
        "letp lr, 2b",
        "mov r0, r6",
        "vpop {{d8-d11}}",
        "pop {{r4-r6, pc}}",
        lane = const size_of::<A>(),
    )
}

/// [`add_bias`](crate::kernels::add_bias); `false` (and nothing done) where a class has no bias.
pub(in crate::kernels) fn add_bias(scores: &mut [i32], bias: &[i32], classes: &[u8]) -> bool {
    let n = scores.len().min(classes.len());
    // SAFETY: `n` classes are there, at least one.
    if n == 0 || unsafe { highest(classes.as_ptr(), n) } as usize >= bias.len() {
        return false;
    }
    // SAFETY: `n` scores and classes, at least one, and a bias for each class.
    unsafe { add_biases(scores.as_mut_ptr(), bias.as_ptr(), classes.as_ptr(), n) };
    true
}

/// The highest of `n` classes.
///
/// # Safety
/// `n` readable classes, at least one.
#[unsafe(naked)]
unsafe extern "C" fn highest(classes: *const u8, n: usize) -> u32 {
    naked_asm!(
        ".cpu cortex-m55",
        "push {{r7, lr}}",
        "mov r2, #0",
        "dlstp.8 lr, r1",
        "2:",
        "vldrb.u8 q0, [r0], #16",
        "vmaxv.u8 r2, q0",
        "letp lr, 2b",
        "mov r0, r2",
        "pop {{r7, pc}}",
    )
}

/// Adds its class's bias to each score.
///
/// # Safety
/// `n` scores and classes, at least one; a bias for every class.
#[unsafe(naked)]
unsafe extern "C" fn add_biases(scores: *mut i32, bias: *const i32, classes: *const u8, n: usize) {
    naked_asm!(
        ".cpu cortex-m55",
        "push {{r7, lr}}",
        "dlstp.32 lr, r3",
        "2:",
        "vldrb.u32 q0, [r2], #4",
        "vldrw.u32 q1, [r0]",
        "vldrw.u32 q2, [r1, q0, uxtw #2]",
        "vadd.i32 q1, q1, q2",
        "vstrw.32 q1, [r0], #16",
        "letp lr, 2b",
        "pop {{r7, pc}}",
    )
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
    let fits = n > 0 && acc.len() >= n && factors.len() >= n && (1..=16384).contains(&step);
    if !fits {
        return false;
    }
    let (sums, by) = (acc.as_mut_ptr(), factors.as_ptr());
    // SAFETY: `n` of each, at least one.
    let square = unsafe { self::sums(row.as_ptr(), sums, by, n, step) };
    let gain = gain(n, square, numerator);
    if gain.shift == 32 {
        // SAFETY: as above.
        unsafe { rescale_lanes(row.as_mut_ptr(), sums, n, gain.mantissa) };
    } else {
        row.iter_mut().zip(acc).for_each(|(x, sum)| *x = A::saturate(gain.apply(*sum)));
    }
    true
}

/// Residual sums into `acc`; the sum of their squares. Accumulators over bytes count as the upper half of 16 bits, here and below.
///
/// # Safety
/// `n` of each, at least one.
#[unsafe(naked)]
unsafe extern "C" fn sums<A: Lane>(
    row: *const A,
    acc: *mut i32,
    factors: *const i32,
    n: usize,
    step: i32,
) -> u64 {
    naked_asm!(
        ".cpu cortex-m55",
        "push {{r4-r7, lr}}",
        "sub sp, #4",
        "vpush {{d8-d9}}",
        "ldr r4, [sp, #40]",
        "mov r6, #0",
        "mov r7, #0",
        "mvn r5, #0xFC000000",
        "vdup.32 q3, r5",
        "mvn r5, r5",
        "vdup.32 q4, r5",
        "dlstp.32 lr, r3",
        "2:",
        ".if {lane} == 1",
        "vldrb.s32 q0, [r0], #4",
        ".else",
        "vldrh.s32 q0, [r0], #8",
        ".endif",
        "vldrw.u32 q1, [r1]",
        "vmul.i32 q0, q0, r4",
        ".if {lane} == 1",
        "vshl.i32 q1, q1, #8",
        ".endif",
        "vldrw.u32 q2, [r2], #16",
        "vrmulh.s32 q1, q1, q2",
        "vadd.i32 q0, q0, q1",
        "vmin.s32 q0, q0, q3",
        "vmax.s32 q0, q0, q4",
        "vstrw.32 q0, [r1], #16",
        "vmlaldava.s32 r6, r7, q0, q0",
        "letp lr, 2b",
        "mov r0, r6",
        "mov r1, r7",
        "vpop {{d8-d9}}",
        "add sp, #4",
        "pop {{r4-r7, pc}}",
        lane = const size_of::<A>(),
    )
}

/// `row[i] = sat(scale(sums[i], factor))`.
///
/// # Safety
/// `n` of each, at least one.
#[unsafe(naked)]
unsafe extern "C" fn rescale_lanes<A: Lane>(row: *mut A, sums: *const i32, n: usize, factor: i32) {
    naked_asm!(
        ".cpu cortex-m55",
        "push {{r7, lr}}",
        "vdup.32 q1, r3",
        "dlstp.32 lr, r2",
        "2:",
        "vldrw.u32 q0, [r1], #16",
        "vrmulh.s32 q0, q0, q1",
        "vqmovnb.s32 q0, q0",
        ".if {lane} == 1",
        "vmovlb.s16 q0, q0",
        "vqmovnb.s16 q0, q0",
        "vstrb.32 q0, [r0], #4",
        ".else",
        "vstrh.32 q0, [r0], #8",
        ".endif",
        "letp lr, 2b",
        "pop {{r7, pc}}",
        lane = const size_of::<A>(),
    )
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
    if table.len() != 257 {
        return false;
    }
    let fours = n & !3;
    if fours > 0 {
        let (acc, factors, table) = (acc.as_ptr(), factors.as_ptr(), table.as_ptr());
        // SAFETY: `fours` pairs of accumulators and factors and places for outputs, a table of 257.
        unsafe { gates(acc, factors, out.as_mut_ptr(), fours, table, factor) };
    }
    let rest = (acc.get(2 * fours..2 * n), factors.get(2 * fours..2 * n), out.get_mut(fours..n));
    if let (Some(acc), Some(factors), Some(out)) = rest {
        crate::kernels::swiglu_portable(acc, factors, factor, table, out);
    }
    true
}

/// Gated products. With `m = |gate|` and `n = sigmoid(m) - 2^15`, `silu = m n + (m + gate) 2^14` for both signs.
///
/// # Safety
/// `n` pairs of accumulators and factors, room for `n` outputs, `n` a positive multiple of 4; 257 entries in `table`.
#[unsafe(naked)]
unsafe extern "C" fn gates<A: Lane>(
    acc: *const i32,
    factors: *const i32,
    out: *mut A,
    n: usize,
    table: *const u16,
    factor: i32,
) {
    naked_asm!(
        ".cpu cortex-m55",
        "push {{r4-r6, lr}}",
        "vpush {{d8-d15}}",
        "ldrd r4, r5, [sp, #80]",
        "vdup.32 q7, r5",
        "add r5, r4, #2",
        "mov.w r6, #32768",
        "lsr r3, r3, #2",
        "dls lr, r3",
        "2:",
        "vld20.32 {{q0, q1}}, [r0]",
        "vld21.32 {{q0, q1}}, [r0]!",
        "vld20.32 {{q2, q3}}, [r1]",
        "vld21.32 {{q2, q3}}, [r1]!",
        ".if {lane} == 1",
        "vshl.i32 q0, q0, #8",
        "vshl.i32 q1, q1, #8",
        ".endif",
        "vrmulh.s32 q0, q0, q2",
        "vrmulh.s32 q1, q1, q3",
        "vqmovnb.s32 q0, q0",
        "vmovlb.s16 q0, q0",
        "vqshl.s32 q1, q1, #16",
        "vbic.i32 q1, #0xFF",
        "vbic.i32 q1, #0xFF00",
        "vabs.s32 q2, q0",
        "vqshl.u32 q3, q2, #18",
        "vshr.u32 q4, q3, #24",
        "vshl.i32 q3, q3, #8",
        "vshr.u32 q3, q3, #26",
        "vldrh.u32 q5, [r4, q4, uxtw #1]",
        "vldrh.u32 q6, [r5, q4, uxtw #1]",
        "vsub.i32 q6, q6, q5",
        "vmul.i32 q6, q6, q3",
        "vrshr.s32 q6, q6, #6",
        "vadd.i32 q5, q5, q6",
        "vsub.i32 q5, q5, r6",
        "vmul.i32 q5, q5, q2",
        "vadd.i32 q0, q0, q2",
        "vshl.i32 q0, q0, #14",
        "vadd.i32 q0, q0, q5",
        "vrmulh.s32 q0, q0, q1",
        "vrmulh.s32 q0, q0, q7",
        "vqmovnb.s32 q0, q0",
        ".if {lane} == 1",
        "vmovlb.s16 q0, q0",
        "vqmovnb.s16 q0, q0",
        "vstrb.32 q0, [r2], #4",
        ".else",
        "vstrh.32 q0, [r2], #8",
        ".endif",
        "le lr, 2b",
        "vpop {{d8-d15}}",
        "pop {{r4-r6, pc}}",
        lane = const size_of::<A>(),
    )
}

/// [`requantize`](crate::kernels::requantize()); `false` (and nothing done) where it does not apply.
pub(in crate::kernels) fn requantize<A: Lane, O: Lane>(acc: &[i32], factors: &[i32], out: &mut [O]) -> bool {
    let n = acc.len().min(factors.len()).min(out.len());
    let (acc, factors, out) = (acc.as_ptr(), factors.as_ptr(), out.as_mut_ptr());
    match (A::WIDTH, O::WIDTH) {
        _ if n == 0 => return false,
        // SAFETY: `n` of each, at least one.
        (LaneWidth::I16, LaneWidth::I16) => unsafe { halves(acc, factors, out.cast(), n) },
        // SAFETY: `n` of each, at least one, and outputs one behind the other.
        (LaneWidth::I8, LaneWidth::I8) => unsafe {
            bytes::<A>(acc, factors, out.cast(), n, &[0, 1, 2, 3], 4)
        },
        _ => return false,
    }
    true
}

/// [`requantize_pairs`](crate::kernels::requantize_pairs()); `false` (and nothing done) where it does not apply.
pub(in crate::kernels) fn requantize_pairs<A: Lane>(
    acc: &[i32],
    factors: &[i32],
    which: usize,
    pairs: &mut [[i8; 2]],
) -> bool {
    let n = acc.len().min(factors.len()).min(pairs.len());
    if n == 0 {
        return false;
    }
    // SAFETY: `n` of each, at least one; one output in each pair.
    unsafe {
        let out = pairs.as_mut_ptr().cast::<i8>().wrapping_add(which & 1);
        bytes::<A>(acc.as_ptr(), factors.as_ptr(), out, n, &[0, 2, 4, 6], 8);
    }
    true
}

/// [`requantize_places`](crate::kernels::requantize_places()); `false` (and nothing done) where it does not apply.
pub(in crate::kernels) fn requantize_places<A: Lane>(
    acc: &[i32],
    factors: &[i32],
    panels: &mut [i8],
    rows: usize,
    t: usize,
) -> bool {
    let n = acc.len().min(factors.len()) & !1;
    if n == 0 || t >= rows || panels.len() < n * rows {
        return false;
    }
    let next = 2 * rows as u32;
    // SAFETY: `n` of each, at least one pair; panel `p` has its two outputs from `2 * (p * rows + t)` on, and `t < rows`.
    unsafe {
        let out = panels.as_mut_ptr().wrapping_add(2 * t);
        bytes::<A>(acc.as_ptr(), factors.as_ptr(), out, n, &[0, 1, next, next + 1], 4 * rows);
    }
    true
}

/// `out[i] = sat16(scale(acc[i], factors[i]))`.
///
/// # Safety
/// `n` of each, at least one.
#[unsafe(naked)]
unsafe extern "C" fn halves(acc: *const i32, factors: *const i32, out: *mut i16, n: usize) {
    naked_asm!(
        ".cpu cortex-m55",
        "push {{r7, lr}}",
        "dlstp.32 lr, r3",
        "2:",
        "vldrw.u32 q0, [r0], #16",
        "vldrw.u32 q1, [r1], #16",
        "vrmulh.s32 q0, q0, q1",
        "vqmovnb.s32 q0, q0",
        "vstrh.32 q0, [r2], #8",
        "letp lr, 2b",
        "pop {{r7, pc}}",
    )
}

/// `sat8(scale(acc[i], factors[i]))` of four elements at `out + places[0..4]`, of the next four `next` bytes behind, and so on.
///
/// # Safety
/// `n` accumulators and factors, at least one, and a place for each output.
#[unsafe(naked)]
unsafe extern "C" fn bytes<A: Lane>(
    acc: *const i32,
    factors: *const i32,
    out: *mut i8,
    n: usize,
    places: *const [u32; 4],
    next: usize,
) {
    naked_asm!(
        ".cpu cortex-m55",
        "push {{r7, lr}}",
        "ldrd r7, r12, [sp, #8]",
        "vldrw.u32 q2, [r7]",
        "dlstp.32 lr, r3",
        "2:",
        "vldrw.u32 q0, [r0], #16",
        "vldrw.u32 q1, [r1], #16",
        ".if {lane} == 1",
        "vshl.i32 q0, q0, #8",
        ".endif",
        "vrmulh.s32 q0, q0, q1",
        "vqmovnb.s32 q0, q0",
        "vmovlb.s16 q0, q0",
        "vqmovnb.s16 q0, q0",
        "vstrb.32 q0, [r2, q2]",
        "add r2, r12",
        "letp lr, 2b",
        "pop {{r7, pc}}",
        lane = const size_of::<A>(),
    )
}

/// `out[i] = sat(scale(acc[i], factor))`; `false` (and nothing done) where there is nothing to do.
pub(in crate::kernels) fn rescale<A: Lane>(acc: &[i32], factor: i32, out: &mut [A]) -> bool {
    let n = acc.len().min(out.len());
    if n == 0 {
        return false;
    }
    // SAFETY: `n` of each, at least one.
    unsafe { rescale_lanes(out.as_mut_ptr(), acc.as_ptr(), n, factor) };
    true
}
