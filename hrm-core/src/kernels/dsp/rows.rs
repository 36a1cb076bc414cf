//! Row operations with the DSP extension: `SMMULR` is the rounding rescale, `SSAT` the saturation, and a
//! shift leaves its rounding bit in the carry.

use core::arch::naked_asm;

use crate::lane::Lane;

/// Whether kernels take `n` elements and write to `to`.
pub(in crate::kernels) fn takes<T>(n: usize, to: *const T) -> bool {
    n.is_multiple_of(4) && to.cast::<u32>().is_aligned()
}

/// Whether [`exponentials`] gives weights of `bits`.
pub(in crate::kernels) fn weighs<A: Lane>(_n: usize, bits: u32, weights: *const A) -> bool {
    bits < 8 * size_of::<A>() as u32 && weights.cast::<u32>().is_aligned()
}

/// Goes on behind `$back` with what `$register` holds where that is not larger than the largest so
/// far, else by way of `$new`.
macro_rules! compare {
    ($($register:literal $new:literal $back:literal),*) => {
        concat!($("cmp ", $register, ", r2\n bgt ", $new, "f\n", $back, ":\n"),*)
    };
}

/// The detours of [`compare`].
macro_rules! replace {
    ($($register:literal $new:literal $back:literal),*) => {
        concat!($($new, ":\n mov r2, ", $register, "\n b ", $back, "b\n"),*)
    };
}

/// The largest of `n` scores, `i32::MIN` of none. A new largest one is rare, so it is a branch away.
///
/// # Safety
/// `n` readable scores.
#[unsafe(naked)]
pub(in crate::kernels) unsafe extern "C" fn largest(scores: *const i32, n: usize) -> i32 {
    naked_asm!(
        processor!(),
        "push {{r4-r10, lr}}",
        "mov.w r2, #0x80000000",
        "bics r12, r1, #15",
        "beq 4f",
        "2:",
        "ldm r0!, {{r3-r10}}",
        compare!("r3" 20 30, "r4" 21 31, "r5" 22 32, "r6" 23 33, "r7" 24 34, "r8" 25 35, "r9" 26 36, "r10" 27 37),
        "ldm r0!, {{r3-r10}}",
        compare!("r3" 40 50, "r4" 41 51, "r5" 42 52, "r6" 43 53, "r7" 44 54, "r8" 45 55, "r9" 46 56, "r10" 47 57),
        "subs r12, r12, #16",
        "bne 2b",
        "4:",
        "ands r12, r1, #15",
        "beq 6f",
        "5:",
        "ldr r3, [r0], #4",
        "cmp r3, r2",
        "it gt",
        "movgt r2, r3",
        "subs r12, r12, #1",
        "bne 5b",
        "6:",
        "mov r0, r2",
        "pop {{r4-r10, pc}}",
        replace!("r3" 20 30, "r4" 21 31, "r5" 22 32, "r6" 23 33, "r7" 24 34, "r8" 25 35, "r9" 26 36, "r10" 27 37),
        replace!("r3" 40 50, "r4" 41 51, "r5" 42 52, "r6" 43 53, "r7" 44 54, "r8" 45 55, "r9" 46 56, "r10" 47 57),
    )
}

/// A weight in place of its score, and `$more` added, the other of a pair or nothing.
///
/// The exponent is one `SMMLSR`; nothing lies beyond 31 shifts, to which `USAT` limits it. `LSRS` leaves the
/// rounding bit in the carry, and `ADCS` adds it and clears the carry, which a shift by nothing leaves alone;
/// the second of a pair is rounded by the addition that puts the pair together.
macro_rules! exponent {
    ($score:literal, $more:literal) => {
        concat!(
            concat!("smmlsr ", $score, ", ", $score, ", r3, r4\n"),
            concat!("usat ", $score, ", #13, ", $score, "\n"),
            concat!("uxtb r12, ", $score, "\n"),
            "ldrh r12, [r2, r12, lsl #1]\n",
            concat!("lsr.w ", $score, ", ", $score, ", #8\n"),
            concat!("lsrs ", $score, ", r12, ", $score, "\n"),
            concat!("adcs ", $score, ", ", $score, ", ", $more, "\n"),
        )
    };
}

/// Weights `round(table[e % 256] / 2^(e / 256))` with `e = round(top - score * factor / 2^32)`, and their
/// sum. Bytes saturate at 127.
///
/// # Safety
/// `n` scores, room for `n` weights at a word-aligned address, 256 entries in `table`.
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
        processor!(),
        "push {{r4-r11, lr}}",
        "ldr r4, [sp, #36]",
        "ldr r5, [sp, #40]",
        "mov r6, #0",
        ".if {lane} == 1",
        "mov.w r7, #0x80808080",
        "mov lr, #0",
        ".else",
        "mov.w r7, #0x00010001",
        ".endif",
        "bic r5, r5, #15",
        "rsbs r5, r5, #0",
        "beq 4f",
        "2:",
        ".rept 4",
        "ldm r0!, {{r8-r11}}",
        ".if {lane} == 1",
        exponent!("r10", "#0"),
        exponent!("r8", "r10, lsl #16"),
        exponent!("r11", "#0"),
        exponent!("r9", "r11, lsl #16"),
        "orr r8, r8, r9, lsl #8",
        // 128, the only weight too large, to 127
        "uqadd8 r8, r8, r7",
        "eor r8, r8, r7",
        "usada8 r6, r8, lr, r6",
        "str r8, [r1], #4",
        ".else",
        exponent!("r9", "#0"),
        exponent!("r8", "r9, lsl #16"),
        "smlad r6, r8, r7, r6",
        exponent!("r11", "#0"),
        exponent!("r10", "r11, lsl #16"),
        "smlad r6, r10, r7, r6",
        "strd r8, r10, [r1], #8",
        ".endif",
        ".endr",
        "adds r5, r5, #16",
        "bne.w 2b",
        "4:",
        "ldr r5, [sp, #40]",
        // counting up leaves the carry clear until the end
        "and r5, r5, #15",
        "rsbs r5, r5, #0",
        "beq 6f",
        "5:",
        "ldr r8, [r0], #4",
        exponent!("r8", "#0"),
        ".if {lane} == 1",
        "usat r8, #7, r8",
        "strb r8, [r1], #1",
        ".else",
        "strh r8, [r1], #2",
        ".endif",
        "add r6, r6, r8",
        "adds r5, r5, #1",
        "bne 5b",
        "6:",
        "mov r0, r6",
        "pop {{r4-r11, pc}}",
        lane = const size_of::<A>(),
    )
}

/// [`add_bias`](crate::kernels::add_bias); `false` (and nothing done) where it does not apply.
pub(in crate::kernels) fn add_bias(scores: &mut [i32], bias: &[i32], classes: &[u8]) -> bool {
    let n = scores.len().min(classes.len());
    let Some(last) = bias.len().checked_sub(1).filter(|last| *last <= 255) else { return false };
    // SAFETY: `n` scores and classes; classes above `last` are noticed before they are used.
    let done = unsafe {
        add_bias_fours(scores.as_mut_ptr(), bias.as_ptr(), classes.as_ptr(), n, last as u32 * 0x0101_0101)
    };
    let rest = (scores.get_mut(done..), classes.get(done..));
    if let (Some(scores), Some(classes)) = rest {
        crate::kernels::add_bias_portable(scores, bias, classes);
    }
    true
}

/// Four scores at a time, as long as all four classes are at most `last` (in each of its
/// bytes); how many were done.
///
/// # Safety
/// `n` scores, `n` classes, a bias for every class up to `last`.
#[unsafe(naked)]
unsafe extern "C" fn add_bias_fours(
    scores: *mut i32,
    bias: *const i32,
    classes: *const u8,
    n: usize,
    last: u32,
) -> usize {
    naked_asm!(
        processor!(),
        "push {{r4-r11, lr}}",
        "ldr r4, [sp, #36]",
        "mov r12, r3",
        "2:",
        "cmp r12, #4",
        "blo 3f",
        "ldr r5, [r2]",
        "uqsub8 r6, r5, r4",
        "cbnz r6, 3f",
        "ldm r0, {{r6-r9}}",
        "uxtb r10, r5",
        "ldr r10, [r1, r10, lsl #2]",
        "uxtb r11, r5, ror #8",
        "ldr r11, [r1, r11, lsl #2]",
        "add r6, r6, r10",
        "uxtb r10, r5, ror #16",
        "ldr r10, [r1, r10, lsl #2]",
        "add r7, r7, r11",
        "lsr r11, r5, #24",
        "ldr r11, [r1, r11, lsl #2]",
        "add r8, r8, r10",
        "add r9, r9, r11",
        "stm r0!, {{r6-r9}}",
        "add r2, r2, #4",
        "sub r12, r12, #4",
        "b 2b",
        "3:",
        "sub r0, r3, r12",
        "pop {{r4-r11, pc}}",
    )
}

/// Residual sums into `acc`; the sum of their squares. Accumulators over bytes count as the upper half of
/// 16 bits, here and below.
///
/// # Safety
/// `n` of each, `n` a positive multiple of 4, `row` word-aligned, `step` in 16 bits.
#[unsafe(naked)]
pub(in crate::kernels) unsafe extern "C" fn sums<A: Lane>(
    row: *const A,
    acc: *mut i32,
    factors: *const i32,
    n: usize,
    step: i32,
) -> u64 {
    naked_asm!(
        processor!(),
        "push {{r4-r11, lr}}",
        "ldr r4, [sp, #36]",
        "add r3, r1, r3, lsl #2",
        "mov r5, #0",
        "mov r6, #0",
        "2:",
        ".rept 2",
        ".if {lane} == 1",
        "ldrsb r7, [r0], #1",
        "ldrsb r12, [r0], #1",
        ".else",
        "ldr r7, [r0], #4",
        ".endif",
        "ldrd r8, r9, [r1]",
        "ldrd r10, r11, [r2], #8",
        ".if {lane} == 1",
        "mul r7, r7, r4",
        "mul r12, r12, r4",
        "lsl r8, r8, #8",
        "lsl r9, r9, #8",
        ".else",
        "smultb r12, r7, r4",
        "smulbb r7, r7, r4",
        ".endif",
        "smmlar r8, r8, r10, r7",
        "smmlar r9, r9, r11, r12",
        "ssat r8, #27, r8",
        "ssat r9, #27, r9",
        "strd r8, r9, [r1], #8",
        "smlal r5, r6, r8, r8",
        "smlal r5, r6, r9, r9",
        ".endr",
        "cmp r1, r3",
        "bne 2b",
        "mov r0, r5",
        "mov r1, r6",
        "pop {{r4-r11, pc}}",
        lane = const size_of::<A>(),
    )
}

/// `row[i] = sat(scale(sums[i], factor))`.
///
/// # Safety
/// `n` of each, `n` a positive multiple of 4, `row` word-aligned.
#[unsafe(naked)]
pub(in crate::kernels) unsafe extern "C" fn rescale_lanes<A: Lane>(
    row: *mut A,
    sums: *const i32,
    n: usize,
    factor: i32,
) {
    naked_asm!(
        processor!(),
        ".if {lane} == 1",
        "push {{r4-r8, lr}}",
        "add r2, r1, r2, lsl #2",
        "2:",
        "ldm r1!, {{r4-r7}}",
        "smmulr r4, r4, r3",
        "smmulr r5, r5, r3",
        "smmulr r6, r6, r3",
        "smmulr r7, r7, r3",
        "ssat r4, #8, r4",
        "ssat r5, #8, r5",
        "ssat r6, #8, r6",
        "ssat r7, #8, r7",
        "strb r4, [r0], #4",
        "strb r5, [r0, #-3]",
        "strb r6, [r0, #-2]",
        "strb r7, [r0, #-1]",
        "cmp r1, r2",
        "bne 2b",
        "pop {{r4-r8, pc}}",
        ".else",
        "push {{r4, r5, r6, lr}}",
        "add r2, r1, r2, lsl #2",
        "2:",
        ".rept 2",
        "ldrd r4, r5, [r1], #8",
        "smmulr r4, r4, r3",
        "smmulr r5, r5, r3",
        "ssat r4, #16, r4",
        "ssat r5, #16, r5",
        "pkhbt r4, r4, r5, lsl #16",
        "str r4, [r0], #4",
        ".endr",
        "cmp r1, r2",
        "bne 2b",
        "pop {{r4, r5, r6, pc}}",
        ".endif",
        lane = const size_of::<A>(),
    )
}

/// Gated products. Two neighbouring table entries are one load; less 2^15 they are signed, and one
/// `SMUAD` interpolates them. With `m = |gate|` and `n = sigmoid(m) - 2^15`,
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
        processor!(),
        "push {{r4-r11, lr}}",
        "ldr r4, [sp, #36]",
        "ldr r5, [sp, #40]",
        "add r3, r0, r3, lsl #3",
        "mov.w lr, #0x80008000",
        "movw r12, #0xFFFF",
        "mov r11, #64",
        "2:",
        ".rept 4",
        "ldrd r6, r7, [r0], #8",
        "ldrd r8, r9, [r1], #8",
        ".if {lane} == 1",
        "lsl r6, r6, #8",
        "lsl r7, r7, #8",
        ".endif",
        "smmulr r6, r6, r8",
        "smmulr r7, r7, r9",
        "ssat r6, #16, r6",
        "ssat r7, #16, r7",
        "add r8, r6, r6, asr #31",
        "eor r8, r8, r6, asr #31",
        "usat r9, #14, r8",
        "and r10, r9, #63",
        "lsr r9, r9, #6",
        "ldr r9, [r4, r9, lsl #1]",
        "eor r9, r9, lr",
        "mla r10, r10, r12, r11",
        "smuad r9, r9, r10",
        "asrs r9, r9, #6",
        "adc r9, r9, #0",
        "mul r10, r8, r9",
        "add r8, r8, r6",
        "add r10, r10, r8, lsl #14",
        "lsl r7, r7, #16",
        "smmulr r7, r10, r7",
        "smmulr r7, r7, r5",
        ".if {lane} == 1",
        "ssat r7, #8, r7",
        "strb r7, [r2], #1",
        ".else",
        "ssat r7, #16, r7",
        "strh r7, [r2], #2",
        ".endif",
        ".endr",
        "cmp r0, r3",
        "bne.w 2b",
        "pop {{r4-r11, pc}}",
        lane = const size_of::<A>(),
    )
}

/// `out[i] = sat16(scale(acc[i], factors[i]))`.
///
/// # Safety
/// `n` of each, `n` a positive multiple of 4, `out` word-aligned.
#[unsafe(naked)]
pub(in crate::kernels) unsafe extern "C" fn halves(
    acc: *const i32,
    factors: *const i32,
    out: *mut i16,
    n: usize,
) {
    naked_asm!(
        processor!(),
        "push {{r4-r7, lr}}",
        "add r3, r0, r3, lsl #2",
        "2:",
        ".rept 2",
        "ldrd r4, r5, [r0], #8",
        "ldrd r6, r7, [r1], #8",
        "smmulr r4, r4, r6",
        "smmulr r5, r5, r7",
        "ssat r4, #16, r4",
        "ssat r5, #16, r5",
        "pkhbt r4, r4, r5, lsl #16",
        "str r4, [r2], #4",
        ".endr",
        "cmp r0, r3",
        "bne 2b",
        "pop {{r4-r7, pc}}",
    )
}

/// `sat8(scale(acc[i], factors[i]))` of two elements at `out` and `out + second`, of the next two `next`
/// bytes behind, and so on.
///
/// # Safety
/// `n` accumulators and factors, `n` a positive multiple of 4, and a place for each output.
#[unsafe(naked)]
pub(in crate::kernels) unsafe extern "C" fn bytes<A: Lane>(
    acc: *const i32,
    factors: *const i32,
    out: *mut i8,
    n: usize,
    second: usize,
    next: usize,
) {
    naked_asm!(
        processor!(),
        "push {{r4-r9, lr}}",
        "ldrd r8, r9, [sp, #28]",
        "add r3, r0, r3, lsl #2",
        "2:",
        ".rept 2",
        "ldrd r4, r5, [r0], #8",
        "ldrd r6, r7, [r1], #8",
        ".if {lane} == 1",
        "lsl r4, r4, #8",
        "lsl r5, r5, #8",
        ".endif",
        "smmulr r4, r4, r6",
        "smmulr r5, r5, r7",
        "ssat r4, #8, r4",
        "ssat r5, #8, r5",
        "strb r4, [r2]",
        "strb r5, [r2, r8]",
        "add r2, r9",
        ".endr",
        "cmp r0, r3",
        "bne 2b",
        "pop {{r4-r9, pc}}",
        lane = const size_of::<A>(),
    )
}
