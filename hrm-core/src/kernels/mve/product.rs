//! The matrix product on Helium.
//!
//! Four tokens times two columns: eight accumulators are all the even registers that `VMLADAVA` can add to,
//! so the loop register is one of them and the loop counts by an address. 16-bit lanes widen the weights by
//! `VMOVLB` and `VMOVLT`, eight inputs at a time; bytes take the two columns apart by `VLD20`/`VLD21`,
//! sixteen at a time. The last few inputs are loaded under a predicate, which reads zeros beyond them.

use core::arch::naked_asm;

use crate::lane::{Lane, LaneWidth};

/// Groups of inputs in a row of code.
const GROUPS: usize = 8;

/// [`matmul`](crate::kernels::matmul()) by `VMLADAVA`; `false` (and nothing done)
/// where a length does not fit.
pub(in crate::kernels) fn matmul<A: Lane>(x: &[A], depth: usize, panel: &[i8], acc: &mut [i32]) -> bool {
    // inputs and bytes of code of one group
    let (group, code) = match A::WIDTH {
        LaneWidth::I16 => (8, 60),
        LaneWidth::I8 => (16, 56),
    };
    if depth < group || !depth.is_multiple_of(4) {
        return false;
    }
    let (columns, tokens) = (panel.len() / depth, x.len() / depth);
    if columns == 0
        || !columns.is_multiple_of(2)
        || panel.len() != columns * depth
        || acc.len() < tokens * columns
    {
        return false;
    }
    let steps = depth / group - 1;
    let row = 4 * columns as isize;
    let mut token = 0;
    while token < tokens {
        let rows = match tokens - token {
            4.. => 4,
            2.. => 2,
            _ => 1,
        };
        // fewer than four rows are computed more than once, into the same place
        let at = |row: usize| x.as_ptr().wrapping_add((token + row % rows) * depth).cast::<u8>();
        let (within, between) = match rows {
            4 => (row, row),
            2 => (row, -row),
            _ => (0, 0),
        };
        let mut product = Product {
            x: [at(0), at(1), at(2), at(3)],
            panel: panel.as_ptr(),
            panel_end: panel.as_ptr().wrapping_add(panel.len()),
            acc: acc.as_mut_ptr().wrapping_add(token * columns),
            within: within - 8,
            between: between - 8,
            end: at(3).wrapping_add(depth / group * group * size_of::<A>()),
            back: if steps == 0 { 0 } else { ((steps - 1) % GROUPS + 1) * code },
            tail: depth % group,
        };
        // SAFETY: each of the four rows is `depth` lanes inside `x`; `panel` holds `columns` columns of
        // `depth`, at least one group; `acc` holds `columns` values for each row.
        unsafe { products::<A>(&mut product) };
        token += rows;
    }
    true
}

/// What the assembly works on; the offsets of its fields are written there as numbers.
#[repr(C)]
struct Product {
    /// 0: four rows of activations.
    x: [*const u8; 4],
    /// 16: weights.
    panel: *const i8,
    /// 20: their end.
    panel_end: *const i8,
    /// 24: where the next pair of columns of the first row goes.
    acc: *mut i32,
    /// 28: bytes from behind that pair to the second row's, and from the third's to the fourth's.
    within: isize,
    /// 32: bytes from behind the second row's to the third's.
    between: isize,
    /// 36: where the last row's whole groups end.
    end: *const u8,
    /// 40: bytes of code of the first round.
    back: usize,
    /// 44: inputs that fill no group.
    tail: usize,
}

/// A group's products, which `$add` makes the sums or adds to them: fifteen instructions for 64 of 16-bit
/// lanes, fourteen for 128 of bytes.
macro_rules! group {
    ($add:literal) => {
        concat!(
            ".if {lane} == 1\n",
            "vld20.8 {{q0, q1}}, [r1]\n",
            "vldrb.u8 q2, [r3], #16\n",
            "vld21.8 {{q0, q1}}, [r1]!\n",
            "vldrb.u8 q3, [r5], #16\n",
            concat!($add, ".s8 r0, q2, q0\n"),
            concat!($add, ".s8 r2, q2, q1\n"),
            "vldrb.u8 q2, [r7], #16\n",
            concat!($add, ".s8 r4, q3, q0\n"),
            concat!($add, ".s8 r6, q3, q1\n"),
            "vldrb.u8 q3, [r9], #16\n",
            concat!($add, ".s8 r8, q2, q0\n"),
            concat!($add, ".s8 r10, q2, q1\n"),
            concat!($add, ".s8 r12, q3, q0\n"),
            concat!($add, ".s8 lr, q3, q1\n"),
            ".else\n",
            "vldrb.u8 q0, [r1], #16\n",
            "vldrh.u16 q2, [r3], #16\n",
            "vmovlb.s8 q1, q0\n",
            "vldrh.u16 q3, [r5], #16\n",
            "vmovlt.s8 q0, q0\n",
            concat!($add, ".s16 r0, q2, q1\n"),
            concat!($add, ".s16 r2, q2, q0\n"),
            "vldrh.u16 q2, [r7], #16\n",
            concat!($add, ".s16 r4, q3, q1\n"),
            concat!($add, ".s16 r6, q3, q0\n"),
            "vldrh.u16 q3, [r9], #16\n",
            concat!($add, ".s16 r8, q2, q1\n"),
            concat!($add, ".s16 r10, q2, q0\n"),
            concat!($add, ".s16 r12, q3, q1\n"),
            concat!($add, ".s16 lr, q3, q0\n"),
            ".endif\n",
        )
    };
}

/// The product of four rows and all columns.
///
/// # Safety
/// See [`matmul`]; the rows are of lanes `A`.
#[unsafe(naked)]
unsafe extern "C" fn products<A: Lane>(product: *mut Product) {
    naked_asm!(
        ".cpu cortex-m55",
        "push {{r4-r11, lr}}",
        "sub sp, #52",
        "ldm r0, {{r1-r12}}",
        "stm sp, {{r1-r12}}",
        "adr.w r0, 4f",
        "sub r0, r0, r11",
        "orr r0, r0, #1",
        "str r0, [sp, #48]",
        "mov r1, r5",
        "2:",
        "ldrd r3, r5, [sp]",
        "ldrd r7, r9, [sp, #8]",
        group!("vmladav"),
        "ldr pc, [sp, #48]",
        "3:",
        ".rept 8",
        group!("vmladava"),
        ".endr",
        "4:",
        "ldr r11, [sp, #36]",
        "cmp r9, r11",
        "bne.w 3b",
        "ldr r11, [sp, #44]",
        "cmp r11, #0",
        "beq 6f",
        "5:",
        "vctp.16 r11",
        "vpsttt",
        "vldrbt.u8 q0, [r1], #16",
        ".if {lane} == 1",
        "vldrbt.s16 q2, [r3], #8",
        "vldrbt.s16 q3, [r5], #8",
        ".else",
        "vldrht.u16 q2, [r3], #16",
        "vldrht.u16 q3, [r5], #16",
        ".endif",
        "vmovlb.s8 q1, q0",
        "vmovlt.s8 q0, q0",
        "vmladava.s16 r0, q2, q1",
        "vmladava.s16 r2, q2, q0",
        "vmladava.s16 r4, q3, q1",
        "vmladava.s16 r6, q3, q0",
        ".if {lane} == 1",
        "vpst",
        "vldrbt.s16 q2, [r7], #8",
        // a widening load takes no high register: r7 and r9 change places for it
        "add r7, r9",
        "sub r9, r7, r9",
        "sub r7, r7, r9",
        "vpst",
        "vldrbt.s16 q3, [r7], #8",
        "add r7, r9",
        "sub r9, r7, r9",
        "sub r7, r7, r9",
        ".else",
        "vpstt",
        "vldrht.u16 q2, [r7], #16",
        "vldrht.u16 q3, [r9], #16",
        ".endif",
        "vmladava.s16 r8, q2, q1",
        "vmladava.s16 r10, q2, q0",
        "vmladava.s16 r12, q3, q1",
        "vmladava.s16 lr, q3, q0",
        "subs r11, r11, #8",
        "bhi 5b",
        "add r1, r1, r11, lsl #1",
        "6:",
        "ldr r11, [sp, #24]",
        "ldrd r9, r7, [sp, #28]",
        "strd r0, r2, [r11], #8",
        "str r11, [sp, #24]",
        "add r11, r9",
        "strd r4, r6, [r11], #8",
        "add r11, r7",
        "strd r8, r10, [r11], #8",
        "add r11, r9",
        "strd r12, lr, [r11]",
        "ldr r11, [sp, #20]",
        "cmp r1, r11",
        "bne.w 2b",
        "add sp, #52",
        "pop {{r4-r11, pc}}",
        lane = const size_of::<A>(),
    )
}
