//! Row operations on Helium, four elements at a time: `VRMULH` is the rounding rescale, `VQMOVN` the
//! saturation, tables are gathered, and tail-predicated loops need no rest.

use core::arch::naked_asm;

use crate::lane::Lane;

/// Whether kernels take `n` elements and write to `to`: any.
pub(in crate::kernels) fn takes<T>(_n: usize, _to: *const T) -> bool {
    true
}

/// Whether [`exponentials`] gives weights of `bits`.
pub(in crate::kernels) fn weighs<A: Lane>(n: usize, bits: u32, _weights: *const A) -> bool {
    n > 0 && bits <= 15
}

/// The largest of `n` scores.
///
/// # Safety
/// `n` readable scores, at least one.
#[unsafe(naked)]
pub(in crate::kernels) unsafe extern "C" fn largest(scores: *const i32, n: usize) -> i32 {
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

/// Weights `round(table[e % 256] / 2^(e / 256))` with `e = round(top - score * factor / 2^32)`, at most
/// 2^13 - 1; and their sum. Bytes saturate at 127.
///
/// # Safety
/// `n` scores, room for `n` weights, `n` at least one; 256 entries in `table`.
#[unsafe(naked)]
pub(in crate::kernels) unsafe extern "C" fn exponentials<A: Lane>(
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

/// Residual sums into `acc`; the sum of their squares. Accumulators over bytes count as the upper half of
/// 16 bits, here and below.
///
/// # Safety
/// `n` of each, at least one.
#[unsafe(naked)]
pub(in crate::kernels) unsafe extern "C" fn sums<A: Lane>(
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
pub(in crate::kernels) unsafe extern "C" fn rescale_lanes<A: Lane>(
    row: *mut A,
    sums: *const i32,
    n: usize,
    factor: i32,
) {
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

/// Gated products. With `m = |gate|` and `n = sigmoid(m) - 2^15`,
/// `silu = m n + (m + gate) 2^14` for both signs.
///
/// # Safety
/// `n` pairs of accumulators and factors, room for `n` outputs, `n` a positive multiple of
/// 4; 257 entries in `table`.
#[unsafe(naked)]
pub(in crate::kernels) unsafe extern "C" fn gates<A: Lane>(
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

/// `out[i] = sat16(scale(acc[i], factors[i]))`.
///
/// # Safety
/// `n` of each, at least one.
#[unsafe(naked)]
pub(in crate::kernels) unsafe extern "C" fn halves(
    acc: *const i32,
    factors: *const i32,
    out: *mut i16,
    n: usize,
) {
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

/// `sat8(scale(acc[i], factors[i]))` of two elements at `out` and `out + second`, of the next two `next`
/// bytes behind, and so on.
///
/// # Safety
/// `n` accumulators and factors, at least one, and a place for each output.
pub(in crate::kernels) unsafe fn bytes<A: Lane>(
    acc: *const i32,
    factors: *const i32,
    out: *mut i8,
    n: usize,
    second: usize,
    next: usize,
) {
    let places = [0, second, next, next + second].map(|place| place as u32);
    // SAFETY: by the caller.
    unsafe { fours::<A>(acc, factors, out, n, &places, 2 * next) };
}

/// `sat8(scale(acc[i], factors[i]))` of four elements at `out + places[0..4]`, of the next four `next`
/// bytes behind, and so on.
///
/// # Safety
/// As for [`bytes`].
#[unsafe(naked)]
unsafe extern "C" fn fours<A: Lane>(
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
