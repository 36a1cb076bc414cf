//! Processor exceptions. One may be the overflow of the stack that its own handler needs.

use hrm_core::wire::LastEnd;
use hrm_firmware::Exit;

use crate::{
    board::{Boot, Here},
    last,
};

/// Every fault comes here. Where less than 512 bytes of the stack are left, or it has left its
/// memory, its contents are given up for room to say so: a fault within this handler would stop the
/// processor without a word.
#[cfg(target_arch = "arm")]
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn HardFault() -> ! {
    core::arch::naked_asm!(
        "mrs r0, msp",
        "ldr r1, =_stack_end",
        "movs r2, #2",
        "lsls r2, r2, #8",
        "adds r1, r1, r2",
        "cmp r0, r1",
        "bhs 1f",
        "ldr r1, =_stack_start",
        "mov sp, r1",
        "movs r0, #0",
        "1:",
        "ldr r1, ={fault}",
        "bx r1",
        ".ltorg",
        fault = sym hard_fault,
    )
}

/// `frame` is what the processor has put on the stack, `None` where the stack was full.
#[cfg(target_arch = "arm")]
extern "C" fn hard_fault(frame: Option<&cortex_m_rt::ExceptionFrame>) -> ! {
    fault(frame.map(|frame| (frame.pc(), frame.lr())))
}

/// Every exception of a RISC-V processor, from `riscv.rs`, which has looked at the stack: its cause is all
/// ones where that was full.
#[cfg(target_arch = "riscv32")]
#[unsafe(no_mangle)]
extern "C" fn exception(cause: u32, pc: u32, called_from: u32) -> ! {
    fault((cause != u32::MAX).then_some((pc, called_from)))
}

/// `place` is where, and from where it was called; `None` where the stack was full.
fn fault(place: Option<(u32, u32)>) -> ! {
    let end = match place {
        None => LastEnd::StackOverflow,
        Some(_) if last::is_checking_pack() => LastEnd::PackUnreadable,
        Some((pc, called_from)) => LastEnd::Exception { pc, called_from },
    };
    last::note(end);
    defmt::error!("exception: {}", end);
    Here::exit(Exit::Exception)
}
