//! How much of the stack was ever in use: start-up paints all of it (cortex-m-rt's `paint-stack`, or
//! `riscv.rs`), and what still has its paint was never touched.

#[cfg(target_arch = "riscv32")]
use crate::riscv::STACK_PAINT_VALUE;
#[cfg(target_arch = "arm")]
use cortex_m_rt::STACK_PAINT_VALUE;

unsafe extern "C" {
    // Addresses from the board's memory.x, `_stack_end` being the lower one.
    static _stack_start: u32;
    static _stack_end: u32;
}

/// Bytes set aside.
pub(crate) fn bytes() -> u32 {
    (&raw const _stack_start as usize - &raw const _stack_end as usize) as u32
}

/// The most bytes that were ever in use.
pub(crate) fn used() -> u32 {
    let (end, start) = (&raw const _stack_end, &raw const _stack_start);
    let mut word = end;
    // SAFETY: aligned words between the two addresses, which are the stack's own memory; a stack that is in
    // use while it is read gives one value or another, and the loop ends at its top at the latest.
    while word < start && unsafe { word.read_volatile() } == STACK_PAINT_VALUE {
        word = word.wrapping_add(1);
    }
    (start as usize - word as usize) as u32
}
