//! The matrix product on Armv7E-M and Armv8-M with the DSP extension: Cortex-M4, M7, M33.
//!
//! Activations are packed first: of four tokens (then of two), two neighbouring inputs of each,
//! `t0[k] t0[k+1] t1[k] t1[k+1] …`, sign-extended to 16 bits where they are bytes. Then one 32-bit load and
//! two `SXTB16` give two inputs of two columns of weights, and every loaded word feeds dual
//! multiply-accumulates: 4 tokens x 2 columns are eight accumulators, which with two pointers and four
//! operands fill all fourteen registers. The compiler would spill them (it keeps a frame pointer, too),
//! hence the naked assembly.
//!
//! A step of two inputs is a piece of code of constant length, sixteen in a row; the first round jumps to
//! where only the steps that are left over lie ahead, so any even number of inputs takes no other path.

use core::arch::naked_asm;

use crate::lane::{Lane, LaneWidth};

/// [`matmul`](crate::kernels::matmul()) by `SMLAD`; `false` (and nothing done) where a length does not fit.
/// `packed`: the same `x` was packed by the call before, which saves packing it where it is one pack.
pub(in crate::kernels) fn matmul<A: Lane>(
    x: &[A],
    depth: usize,
    panel: &[i8],
    acc: &mut [i32],
    pack: &mut [u32],
    packed: bool,
) -> bool {
    if depth < 4 || !depth.is_multiple_of(4) || pack.len() < 2 * depth {
        return false;
    }
    let columns = panel.len() / depth;
    let tokens = x.len() / depth;
    if columns == 0
        || !columns.is_multiple_of(2)
        || panel.len() != columns * depth
        || acc.len() < tokens * columns
        || !panel.as_ptr().cast::<u32>().is_aligned()
        || !x.as_ptr().cast::<u32>().is_aligned()
    {
        return false;
    }
    let mut product = Product {
        packed: pack.as_mut_ptr(),
        packed_end: pack.as_mut_ptr(),
        panel: panel.as_ptr(),
        panel_end: panel.as_ptr().wrapping_add(panel.len()),
        acc: acc.as_mut_ptr(),
        next_row: 4 * columns as isize - 8,
        steps: depth / 2,
        entry: 0,
    };
    let packed = packed && matches!(tokens, 1 | 2 | 4);
    let mut token = 0;
    while token < tokens {
        let rows = if tokens - token >= 4 { 4 } else { 2 };
        // a lone last token is computed twice, into the same place
        let alone = tokens - token == 1;
        product.acc = acc.as_mut_ptr().wrapping_add(token * columns);
        product.packed_end = pack.as_mut_ptr().wrapping_add(rows * depth / 2);
        if alone {
            product.next_row = -8;
        }
        let first = x.as_ptr().wrapping_add(token * depth);
        // bytes from one row to the next
        let stride = if alone { 0 } else { depth * size_of::<A>() };
        // SAFETY: rows `token..token + rows` (or one row twice) of `depth` lanes are inside `x`, which
        // is word-aligned as are its rows, depth being a multiple of 4; `pack` holds `rows * depth`
        // 16-bit values; `panel` is word-aligned and holds `columns` columns of `depth`; `acc` holds
        // `columns` values for each row.
        unsafe {
            match (A::WIDTH, rows) {
                _ if packed => {}
                (_, 4) => pack4(first, stride, depth, product.packed),
                (LaneWidth::I16, _) => pack2_i16(first.cast(), stride, depth, product.packed),
                (LaneWidth::I8, _) => pack2_i8(first.cast(), stride, depth, product.packed),
            }
            match rows {
                4 => product4(&mut product),
                _ => product2(&mut product),
            }
        }
        token += rows;
    }
    true
}

/// What the assembly works on; the offsets of its fields are written there as numbers.
#[repr(C)]
struct Product {
    /// 0: packed activations.
    packed: *mut u32,
    /// 4: their end.
    packed_end: *mut u32,
    /// 8: weights.
    panel: *const i8,
    /// 12: their end.
    panel_end: *const i8,
    /// 16: where the next pair of columns of the first token goes.
    acc: *mut i32,
    /// 20: bytes from behind that pair to the next token's.
    next_row: isize,
    /// 24: pairs of inputs.
    steps: usize,
    /// 28: where the steps are entered (scratch).
    entry: usize,
}

/// Four bytes of each of two rows, sign-extended: of the first row in r11 and r7, of the second in r12 and
/// r8. Two `SXTB16` and two packings of halves a row.
macro_rules! unpack {
    ($first:literal, $second:literal) => {
        concat!(
            concat!("ldr r7, [", $first, "], #4\n"),
            concat!("ldr r8, [", $second, "], #4\n"),
            "sxtb16 r9, r7\n",
            "sxtb16 r7, r7, ror #8\n",
            "sxtb16 r10, r8\n",
            "sxtb16 r8, r8, ror #8\n",
            "pkhbt r11, r9, r7, lsl #16\n",
            "pkhtb r7, r7, r9, asr #16\n",
            "pkhbt r12, r10, r8, lsl #16\n",
            "pkhtb r8, r8, r10, asr #16\n",
        )
    };
}

/// Packs four rows, four `STRD` at a time: two words of each by four `LDRD`, or four bytes.
///
/// # Safety
/// Four rows of `depth` lanes, `stride` bytes apart, word-aligned; room for `4 * depth` lanes at `out`;
/// `depth` a multiple of 4.
#[unsafe(naked)]
unsafe extern "C" fn pack4<A: Lane>(x: *const A, stride: usize, depth: usize, out: *mut u32) {
    naked_asm!(
        processor!(),
        "push {{r4-r11, lr}}",
        "add r4, r0, r1",
        "add r5, r4, r1",
        "add r6, r5, r1",
        ".if {lane} == 1",
        "add lr, r0, r2",
        ".else",
        "add lr, r0, r2, lsl #1",
        ".endif",
        "2:",
        ".if {lane} == 1",
        unpack!("r0", "r4"),
        "strd r11, r12, [r3]",
        "strd r7, r8, [r3, #16]",
        unpack!("r5", "r6"),
        "strd r11, r12, [r3, #8]",
        "strd r7, r8, [r3, #24]",
        ".else",
        "ldrd r1, r2, [r0], #8",
        "ldrd r7, r8, [r4], #8",
        "ldrd r9, r10, [r5], #8",
        "ldrd r11, r12, [r6], #8",
        "strd r1, r7, [r3]",
        "strd r9, r11, [r3, #8]",
        "strd r2, r8, [r3, #16]",
        "strd r10, r12, [r3, #24]",
        ".endif",
        "add r3, r3, #32",
        "cmp r0, lr",
        "bne 2b",
        "pop {{r4-r11, pc}}",
        lane = const size_of::<A>(),
    )
}

/// Packs two rows of words.
///
/// # Safety
/// As for [`pack4`], for two rows.
#[unsafe(naked)]
unsafe extern "C" fn pack2_i16(x: *const i16, stride: usize, depth: usize, out: *mut u32) {
    naked_asm!(
        processor!(),
        "push {{r4-r6, lr}}",
        "add r4, r0, r1",
        "add lr, r0, r2, lsl #1",
        "2:",
        "ldrd r1, r2, [r0], #8",
        "ldrd r5, r6, [r4], #8",
        "strd r1, r5, [r3]",
        "strd r2, r6, [r3, #8]",
        "add r3, r3, #16",
        "cmp r0, lr",
        "bne 2b",
        "pop {{r4-r6, pc}}",
    )
}

/// Packs two rows of bytes.
///
/// # Safety
/// As for [`pack4`], for two rows.
#[unsafe(naked)]
unsafe extern "C" fn pack2_i8(x: *const i8, stride: usize, depth: usize, out: *mut u32) {
    naked_asm!(
        processor!(),
        "push {{r4-r11, lr}}",
        "add r4, r0, r1",
        "add lr, r0, r2",
        "2:",
        unpack!("r0", "r4"),
        "strd r11, r12, [r3]",
        "strd r7, r8, [r3, #8]",
        "add r3, r3, #16",
        "cmp r0, lr",
        "bne 2b",
        "pop {{r4-r11, pc}}",
    )
}

/// Four tokens times all columns, in the order that suits Cortex-M4 and M33: activations by `LDRD`, thirteen
/// instructions for sixteen products.
///
/// # Safety
/// See [`matmul`].
#[cfg(not(feature = "dsp-m7"))]
#[unsafe(naked)]
unsafe extern "C" fn product4(product: *mut Product) {
    naked_asm!(
        processor!(),
        "push {{r4-r11, lr}}",
        "sub sp, #36",
        // the frame is the Product, so that every field is one load away
        "ldm r0, {{r4-r10}}",
        "stm sp, {{r4-r10}}",
        // entry = behind the steps - 52 * ((steps - 1) % 16 + 1), Thumb bit set
        "sub r10, r10, #1",
        "and r10, r10, #15",
        "add r10, r10, #1",
        "mov r2, #52",
        "mul r10, r10, r2",
        "adr.w r2, 4f",
        "sub r2, r2, r10",
        "orr r2, r2, #1",
        "str r2, [sp, #28]",
        "mov r1, r6",
        // one pair of columns
        "2:",
        "ldr r0, [sp]",
        "mov.w r6, #0",
        "mov.w r7, #0",
        "mov.w r8, #0",
        "mov.w r9, #0",
        "mov.w r10, #0",
        "mov.w r11, #0",
        "mov.w r12, #0",
        "mov.w lr, #0",
        "ldr pc, [sp, #28]",
        "3:",
        ".rept 16",
        "ldr.w r4, [r1], #4",
        "ldrd r2, r3, [r0], #8",
        "sxtb16 r5, r4, ror #8",
        "sxtb16 r4, r4",
        "smlad r6, r2, r4, r6",
        "smlad r7, r2, r5, r7",
        "smlad r8, r3, r4, r8",
        "smlad r9, r3, r5, r9",
        "ldrd r2, r3, [r0], #8",
        "smlad r10, r2, r4, r10",
        "smlad r11, r2, r5, r11",
        "smlad r12, r3, r4, r12",
        "smlad lr, r3, r5, lr",
        ".endr",
        "4:",
        "ldr r2, [sp, #4]",
        "cmp r0, r2",
        "bne.w 3b",
        "ldr r2, [sp, #16]",
        "ldr r3, [sp, #20]",
        "strd r6, r7, [r2], #8",
        "str r2, [sp, #16]",
        "add r2, r3",
        "strd r8, r9, [r2], #8",
        "add r2, r3",
        "strd r10, r11, [r2], #8",
        "add r2, r3",
        "strd r12, lr, [r2]",
        "ldr r2, [sp, #12]",
        "cmp r1, r2",
        "bne.w 2b",
        "add sp, #36",
        "pop {{r4-r11, pc}}",
    )
}

/// Four tokens times all columns, in the order that suits Cortex-M7: every second instruction is a single
/// load for the next product, so that the processor issues two at a time. The last step, which has nothing
/// more to load, is separate.
///
/// # Safety
/// See [`matmul`].
#[cfg(feature = "dsp-m7")]
#[unsafe(naked)]
unsafe extern "C" fn product4(product: *mut Product) {
    naked_asm!(
        processor!(),
        "push {{r4-r11, lr}}",
        "sub sp, #36",
        "ldm r0, {{r4-r10}}",
        // the loop ends one step early, with that step's first word loaded: 12 bytes before the end
        "sub r5, r5, #12",
        "stm sp, {{r4-r10}}",
        // entry = behind the steps - 60 * ((steps - 2) % 16 + 1), Thumb bit set
        "sub r10, r10, #2",
        "and r10, r10, #15",
        "add r10, r10, #1",
        "mov r2, #60",
        "mul r10, r10, r2",
        "adr.w r2, 4f",
        "sub r2, r2, r10",
        "orr r2, r2, #1",
        "str r2, [sp, #28]",
        "mov r1, r6",
        "2:",
        "ldr r0, [sp]",
        "ldr r4, [r1], #4",
        "mov.w r6, #0",
        "mov.w r7, #0",
        "ldr r2, [r0], #4",
        "mov.w r8, #0",
        "mov.w r9, #0",
        "sxtb16 r5, r4, ror #8",
        "mov.w r10, #0",
        "sxtb16 r4, r4",
        "mov.w r11, #0",
        "mov.w r12, #0",
        "mov.w lr, #0",
        "ldr pc, [sp, #28]",
        "3:",
        ".rept 16",
        "smlad r6, r2, r4, r6",
        "ldr.w r3, [r0], #4",
        "smlad r7, r2, r5, r7",
        "ldr.w r2, [r0], #4",
        "smlad r8, r3, r4, r8",
        "smlad r9, r3, r5, r9",
        "ldr.w r3, [r0], #4",
        "smlad r10, r2, r4, r10",
        "smlad r11, r2, r5, r11",
        "ldr.w r2, [r0], #4",
        "smlad r12, r3, r4, r12",
        "ldr.w r4, [r1], #4",
        "smlad lr, r3, r5, lr",
        "sxtb16 r5, r4, ror #8",
        "sxtb16 r4, r4",
        ".endr",
        "4:",
        "ldr r3, [sp, #4]",
        "cmp r0, r3",
        "bne.w 3b",
        "smlad r6, r2, r4, r6",
        "ldr r3, [r0], #4",
        "smlad r7, r2, r5, r7",
        "ldr r2, [r0], #4",
        "smlad r8, r3, r4, r8",
        "smlad r9, r3, r5, r9",
        "ldr r3, [r0], #4",
        "smlad r10, r2, r4, r10",
        "smlad r11, r2, r5, r11",
        "ldr r2, [sp, #16]",
        "smlad r12, r3, r4, r12",
        "smlad lr, r3, r5, lr",
        "ldr r3, [sp, #20]",
        "strd r6, r7, [r2], #8",
        "str r2, [sp, #16]",
        "add r2, r3",
        "strd r8, r9, [r2], #8",
        "add r2, r3",
        "strd r10, r11, [r2], #8",
        "add r2, r3",
        "strd r12, lr, [r2]",
        "ldr r2, [sp, #12]",
        "cmp r1, r2",
        "bne.w 2b",
        "add sp, #36",
        "pop {{r4-r11, pc}}",
    )
}

/// Two tokens times all columns: eight instructions for eight products.
///
/// # Safety
/// See [`matmul`].
#[unsafe(naked)]
unsafe extern "C" fn product2(product: *mut Product) {
    naked_asm!(
        processor!(),
        "push {{r4-r11, lr}}",
        "sub sp, #36",
        "ldm r0, {{r4-r10}}",
        "stm sp, {{r4-r10}}",
        // entry = behind the steps - 32 * ((steps - 1) % 16 + 1), Thumb bit set
        "sub r10, r10, #1",
        "and r10, r10, #15",
        "add r10, r10, #1",
        "adr.w r12, 4f",
        "sub r12, r12, r10, lsl #5",
        "orr r12, r12, #1",
        "mov r1, r6",
        "ldr r10, [sp, #4]",
        "ldr r11, [sp, #12]",
        "ldr lr, [sp, #16]",
        "2:",
        "ldr r0, [sp]",
        "mov.w r6, #0",
        "mov.w r7, #0",
        "mov.w r8, #0",
        "mov.w r9, #0",
        "bx r12",
        "3:",
        ".rept 16",
        "ldr.w r4, [r1], #4",
        "ldrd r2, r3, [r0], #8",
        "sxtb16 r5, r4, ror #8",
        "sxtb16 r4, r4",
        "smlad r6, r2, r4, r6",
        "smlad r8, r3, r4, r8",
        "smlad r7, r2, r5, r7",
        "smlad r9, r3, r5, r9",
        ".endr",
        "4:",
        "cmp r0, r10",
        "bne.w 3b",
        "ldr r3, [sp, #20]",
        "strd r6, r7, [lr], #8",
        "add r2, lr, r3",
        "cmp r1, r11",
        "strd r8, r9, [r2]",
        "bne.w 2b",
        "add sp, #36",
        "pop {{r4-r11, pc}}",
    )
}
