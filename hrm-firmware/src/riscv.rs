//! Start-up, traps and critical sections of a RISC-V processor: one hart in machine mode. `riscv.x`
//! places what is named here.

use core::arch::{asm, global_asm};

/// What unused stack holds.
#[allow(dead_code, reason = "not every program measures its stack")]
pub(crate) const STACK_PAINT_VALUE: u32 = 0xCCCC_CCCC;

unsafe extern "Rust" {
    /// The program. It is called with interrupts off, its memory set up.
    safe fn main() -> !;
}

extern "C" fn begin() -> ! {
    main()
}

// From reset: no interrupts, a painted stack, variables with their initial values.
global_asm!(
    ".section .init, \"ax\"",
    ".global _start",
    "_start:",
    "csrci mstatus, 8",
    "csrw mie, zero",
    "la t0, {trap}",
    "csrw mtvec, t0",
    "la sp, _stack_start",
    "la t0, _stack_end",
    "li t1, {paint}",
    "1: sw t1, 0(t0)",
    "addi t0, t0, 4",
    "bltu t0, sp, 1b",
    "la t0, __sdata",
    "la t1, __edata",
    "la t2, __sidata",
    "j 3f",
    "2: lw t3, 0(t2)",
    "sw t3, 0(t0)",
    "addi t0, t0, 4",
    "addi t2, t2, 4",
    "3: bltu t0, t1, 2b",
    "la t0, __sbss",
    "la t1, __ebss",
    "j 5f",
    "4: sw zero, 0(t0)",
    "addi t0, t0, 4",
    "5: bltu t0, t1, 4b",
    "j {begin}",
    paint = const STACK_PAINT_VALUE,
    trap = sym trap,
    begin = sym begin,
);

/// Every trap comes here. An interrupt calls `interrupt()` and goes back. An exception calls
/// `exception(cause, pc, called_from)` and does not; where less than 512 bytes of the stack are left, its
/// contents are given up for room to say so, and the cause is all ones.
#[unsafe(naked)]
unsafe extern "C" fn trap() {
    core::arch::naked_asm!(
        ".balign 4",
        "csrw mscratch, t0",
        "csrr t0, mcause",
        "bltz t0, 2f",
        "mv a0, t0",
        "csrr a1, mepc",
        "mv a2, ra",
        "la t0, _stack_end",
        "addi t0, t0, 512",
        "bgeu sp, t0, 1f",
        "la sp, _stack_start",
        "li a0, -1",
        "1: j exception",
        "2: csrr t0, mscratch",
        "addi sp, sp, -64",
        "sw ra, 0(sp)",
        "sw t0, 4(sp)",
        "sw t1, 8(sp)",
        "sw t2, 12(sp)",
        "sw t3, 16(sp)",
        "sw t4, 20(sp)",
        "sw t5, 24(sp)",
        "sw t6, 28(sp)",
        "sw a0, 32(sp)",
        "sw a1, 36(sp)",
        "sw a2, 40(sp)",
        "sw a3, 44(sp)",
        "sw a4, 48(sp)",
        "sw a5, 52(sp)",
        "sw a6, 56(sp)",
        "sw a7, 60(sp)",
        "call interrupt",
        "lw ra, 0(sp)",
        "lw t0, 4(sp)",
        "lw t1, 8(sp)",
        "lw t2, 12(sp)",
        "lw t3, 16(sp)",
        "lw t4, 20(sp)",
        "lw t5, 24(sp)",
        "lw t6, 28(sp)",
        "lw a0, 32(sp)",
        "lw a1, 36(sp)",
        "lw a2, 40(sp)",
        "lw a3, 44(sp)",
        "lw a4, 48(sp)",
        "lw a5, 52(sp)",
        "lw a6, 56(sp)",
        "lw a7, 60(sp)",
        "addi sp, sp, 64",
        "mret",
    )
}

/// Machine-mode interrupts, all of them.
const MIE: usize = 1 << 3;

struct InterruptsOff;
critical_section::set_impl!(InterruptsOff);

// SAFETY: there is one hart, and nothing else of the program changes the bit while a critical section lasts.
unsafe impl critical_section::Impl for InterruptsOff {
    unsafe fn acquire() -> critical_section::RawRestoreState {
        let status: usize;
        // SAFETY: takes interrupts out and tells whether they were in.
        unsafe { asm!("csrrci {}, mstatus, 8", out(reg) status) };
        status & MIE != 0
    }

    unsafe fn release(were_on: critical_section::RawRestoreState) {
        if were_on {
            // SAFETY: they were on when the section began.
            unsafe { asm!("csrsi mstatus, 8") };
        }
    }
}
