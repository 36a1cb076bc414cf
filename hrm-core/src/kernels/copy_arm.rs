//! Copying with whole registers: six instructions for 64 bytes.
#![allow(unsafe_code)] // naked assembly; its wrapper has checked lengths and alignment

use core::arch::naked_asm;

/// Bytes of a round.
const ROUND: usize = 64;

/// Copies as many whole rounds as both hold, and returns the rests.
pub(super) fn copy<'a>(from: &'a [u8], to: &'a mut [u8]) -> (&'a [u8], &'a mut [u8]) {
    let rounds = from.len().min(to.len()) / ROUND;
    let aligned = from.as_ptr().cast::<u32>().is_aligned() && to.as_ptr().cast::<u32>().is_aligned();
    if rounds == 0 || !aligned {
        return (from, to);
    }
    // SAFETY: both hold `rounds * ROUND` bytes and are aligned to words; a mutable slice overlaps nothing.
    unsafe { rounds_of(to.as_mut_ptr(), from.as_ptr(), rounds * ROUND) };
    (from.get(rounds * ROUND..).unwrap_or_default(), to.get_mut(rounds * ROUND..).unwrap_or_default())
}

/// Copies `bytes`, a multiple of 64 and not 0, from `from` to `to`, both aligned to words.
#[unsafe(naked)]
unsafe extern "C" fn rounds_of(to: *mut u8, from: *const u8, bytes: usize) {
    naked_asm!(
        "push {{r4-r10, lr}}",
        "1:",
        "ldmia r1!, {{r3-r10}}",
        "stmia r0!, {{r3-r10}}",
        "ldmia r1!, {{r3-r10}}",
        "stmia r0!, {{r3-r10}}",
        "subs r2, #64",
        "bne 1b",
        "pop {{r4-r10, pc}}",
    )
}
