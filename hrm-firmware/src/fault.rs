//! Processor exceptions. One may be the overflow of the stack that its own handler needs.

use core::arch::naked_asm;

use cortex_m_rt::ExceptionFrame;
use hrm_firmware::Exit;

use crate::{
    board::{Boot, Here},
    last::{self, End},
};

/// Every fault comes here. Where less than 512 bytes of the stack are left, or it has left its memory, its contents are given up
/// for room to say so: a fault within this handler would stop the processor without a word.
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn HardFault() -> ! {
    naked_asm!(
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
        "b {fault}",
        ".ltorg",
        fault = sym fault,
    )
}

/// `frame` is what the processor has put on the stack, `None` where the stack was full.
extern "C" fn fault(frame: Option<&ExceptionFrame>) -> ! {
    let end = match frame {
        None => End::StackOverflow,
        Some(_) if last::is_checking_pack() => End::PackUnreadable,
        Some(frame) => End::HardFault { pc: frame.pc(), lr: frame.lr() },
    };
    last::note(end);
    defmt::error!("exception: {}", end);
    Here::exit(Exit::Exception)
}
