//! The matrix product on RISC-V with multiplication (RV32IM): some thirty registers, two
//! numbers multiplied at a time.
//!
//! A tile of four tokens by four columns is sixteen sums, all in registers: eight loads serve sixteen
//! multiplications, where the portable definition needs sixteen. Activations are packed first, the four
//! tokens' values of an input side by side, so that one pointer leads to all of them. Sums, operands and
//! pointers fill all 28 registers; the compiler, which orders all multiplications before all additions,
//! spills them (4.2 instructions per multiply-accumulate, and 3.1 for a tile of half the size), hence
//! the naked assembly (2.6).
#![allow(unsafe_code)] // naked assembly; its safe wrapper has checked the lengths that it relies on

use core::arch::naked_asm;

use crate::lane::Lane;
use crate::pack::TILE;
use crate::rows::Rows;

/// Columns of a tile.
const COLUMNS: usize = 4;

/// [`matmul`](crate::kernels::matmul()) by tiles; `false` (and nothing done) where a length does not fit.
/// `packed`: the same `x` was packed by the call before, which saves packing it where it is one tile.
pub(super) fn matmul<A: Lane>(
    x: &[A],
    depth: usize,
    panel: &[i8],
    acc: &mut [i32],
    pack: &mut [u32],
    packed: bool,
) -> bool {
    let (inputs, _) = bytemuck::cast_slice_mut::<u32, i16>(pack).as_chunks_mut::<TILE>();
    let Some(inputs) = inputs.get_mut(..depth) else { return false };
    if depth == 0 || !depth.is_multiple_of(4) {
        return false;
    }
    let columns = panel.len() / depth;
    let tiled = columns / COLUMNS * COLUMNS;
    let (whole, pair) = panel.split_at_checked(tiled * depth).unwrap_or_default();
    let packed = packed && x.len() <= TILE * depth;
    for (x, acc) in x.tiles(TILE * depth).zip(acc.tiles_mut(TILE * columns)) {
        if !packed {
            interleave(x, depth, inputs);
        }
        if let (Some(rows), false) = (rows_of(acc, columns), whole.is_empty()) {
            let panel = whole.as_ptr_range();
            let mut tile =
                Tile { inputs: inputs.as_ptr(), panel: panel.start, end: panel.end, pair: 2 * depth, rows };
            // SAFETY: `inputs` holds `depth` inputs, a multiple of four; `whole` is one or more times four
            // columns of `depth`, and each of `rows` points to as many columns inside `acc`.
            unsafe { products(&mut tile) };
        }
        if !pair.is_empty() {
            for (row, sums) in acc.rows_mut(columns).zip(products_of_a_pair(inputs, pair)) {
                row.iter_mut().skip(tiled).zip(sums).for_each(|(to, sum)| *to = sum);
            }
        }
    }
    true
}

/// Where the sums of each token go. The first row stands for those that there are not: it is written last.
fn rows_of(acc: &mut [i32], columns: usize) -> Option<[*mut i32; TILE]> {
    let mut rows = acc.rows_mut(columns).map(<[i32]>::as_mut_ptr);
    let first = rows.next()?;
    let mut next = || rows.next().unwrap_or(first);
    Some([first, next(), next(), next()])
}

/// Input by input the values of up to four tokens; what is there for a token that is not means nothing.
fn interleave<A: Lane>(x: &[A], depth: usize, inputs: &mut [[i16; TILE]]) {
    for (token, row) in x.rows(depth).enumerate().take(TILE) {
        for (to, x) in inputs.iter_mut().zip(row) {
            if let Some(to) = to.get_mut(token) {
                *to = x.wide() as i16;
            }
        }
    }
}

/// Four tokens by the pair of columns that is left over.
fn products_of_a_pair(inputs: &[[i16; TILE]], pair: &[i8]) -> [[i32; 2]; TILE] {
    let mut sums = [[0i32; 2]; TILE];
    for (x, weights) in inputs.iter().zip(pair.as_chunks::<2>().0) {
        for (sums, x) in sums.iter_mut().zip(x) {
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = sum.wrapping_add(i32::from(*x) * i32::from(*weight));
            }
        }
    }
    sums
}

/// What the assembly works on; the offsets of its fields are written there as numbers.
#[repr(C)]
struct Tile {
    /// 0: packed activations.
    inputs: *const [i16; TILE],
    /// 4: weights of the next columns.
    panel: *const i8,
    /// 8: their end.
    end: *const i8,
    /// 12: bytes of a pair of columns.
    pair: usize,
    /// 16: where the next sums of each token go.
    rows: [*mut i32; TILE],
}

/// Adds the products of one weight with the four tokens' values to a column of sums. A load before it fetches
/// the weight, and one after its last multiplication the next.
macro_rules! weight {
    ($load:expr, $s0:literal, $s1:literal, $s2:literal, $s3:literal) => {
        concat!(
            "mul t5, t0, t4\n",
            "mul t6, t1, t4\n",
            concat!("add ", $s0, ", ", $s0, ", t5\n"),
            concat!("add ", $s1, ", ", $s1, ", t6\n"),
            "mul t5, t2, t4\n",
            "mul t6, t3, t4\n",
            $load,
            concat!("add ", $s2, ", ", $s2, ", t5\n"),
            concat!("add ", $s3, ", ", $s3, ", t6\n"),
        )
    };
}

/// One input: four tokens by four columns.
macro_rules! input {
    ($x0:literal, $x1:literal, $x2:literal, $x3:literal, $even:literal, $odd:literal) => {
        concat!(
            concat!("lb t4, ", $even, "(a2)\n"),
            concat!("lh t0, ", $x0, "(a1)\n"),
            concat!("lh t1, ", $x1, "(a1)\n"),
            concat!("lh t2, ", $x2, "(a1)\n"),
            concat!("lh t3, ", $x3, "(a1)\n"),
            weight!(concat!("lb t4, ", $odd, "(a2)\n"), "s0", "s4", "s8", "a4"),
            weight!(concat!("lb t4, ", $even, "(a3)\n"), "s1", "s5", "s9", "a5"),
            weight!(concat!("lb t4, ", $odd, "(a3)\n"), "s2", "s6", "s10", "a6"),
            weight!("", "s3", "s7", "s11", "a7"),
        )
    };
}

/// The sums of four tokens and as many columns as `tile` has, four at a time: a1 inputs, a2 and a3 a pair of
/// columns each, ra the end of the first; s0 to s11 and a4 to a7 sums.
///
/// # Safety
/// `tile.inputs` has `pair / 2` inputs, a multiple of four; from `panel` to `end` there are one or
/// more times two pairs; each of `rows` has room for all columns. The first row is written last,
/// so others may be the same.
#[unsafe(naked)]
unsafe extern "C" fn products(tile: &mut Tile) {
    naked_asm!(
        // Where everything is linked as one, the assembler has forgotten the target.
        ".option push",
        ".option arch, +m",
        "addi sp, sp, -64",
        "sw ra, 60(sp)",
        "sw s0, 56(sp)",
        "sw s1, 52(sp)",
        "sw s2, 48(sp)",
        "sw s3, 44(sp)",
        "sw s4, 40(sp)",
        "sw s5, 36(sp)",
        "sw s6, 32(sp)",
        "sw s7, 28(sp)",
        "sw s8, 24(sp)",
        "sw s9, 20(sp)",
        "sw s10, 16(sp)",
        "sw s11, 12(sp)",
        "lw a2, 4(a0)",
        "2:",
        "lw a1, 0(a0)",
        "lw ra, 12(a0)",
        "add ra, ra, a2",
        "mv a3, ra",
        "li s0, 0",
        "li s1, 0",
        "li s2, 0",
        "li s3, 0",
        "li s4, 0",
        "li s5, 0",
        "li s6, 0",
        "li s7, 0",
        "li s8, 0",
        "li s9, 0",
        "li s10, 0",
        "li s11, 0",
        "li a4, 0",
        "li a5, 0",
        "li a6, 0",
        "li a7, 0",
        "3:",
        input!("0", "2", "4", "6", "0", "1"),
        input!("8", "10", "12", "14", "2", "3"),
        input!("16", "18", "20", "22", "4", "5"),
        input!("24", "26", "28", "30", "6", "7"),
        "addi a1, a1, 32",
        "addi a2, a2, 8",
        "addi a3, a3, 8",
        "bne a2, ra, 3b",
        // The first row last.
        "lw t0, 28(a0)",
        "sw a4, 0(t0)",
        "sw a5, 4(t0)",
        "sw a6, 8(t0)",
        "sw a7, 12(t0)",
        "lw t1, 24(a0)",
        "sw s8, 0(t1)",
        "sw s9, 4(t1)",
        "sw s10, 8(t1)",
        "sw s11, 12(t1)",
        "lw t2, 20(a0)",
        "sw s4, 0(t2)",
        "sw s5, 4(t2)",
        "sw s6, 8(t2)",
        "sw s7, 12(t2)",
        "lw t3, 16(a0)",
        "sw s0, 0(t3)",
        "sw s1, 4(t3)",
        "sw s2, 8(t3)",
        "sw s3, 12(t3)",
        "addi t0, t0, 16",
        "addi t1, t1, 16",
        "addi t2, t2, 16",
        "addi t3, t3, 16",
        "sw t0, 28(a0)",
        "sw t1, 24(a0)",
        "sw t2, 20(a0)",
        "sw t3, 16(a0)",
        // The next pair lies behind the second.
        "mv a2, a3",
        "lw t0, 8(a0)",
        "bne a2, t0, 2b",
        "lw ra, 60(sp)",
        "lw s0, 56(sp)",
        "lw s1, 52(sp)",
        "lw s2, 48(sp)",
        "lw s3, 44(sp)",
        "lw s4, 40(sp)",
        "lw s5, 36(sp)",
        "lw s6, 32(sp)",
        "lw s7, 28(sp)",
        "lw s8, 24(sp)",
        "lw s9, 20(sp)",
        "lw s10, 16(sp)",
        "lw s11, 12(sp)",
        "addi sp, sp, 64",
        "ret",
        ".option pop",
    )
}
