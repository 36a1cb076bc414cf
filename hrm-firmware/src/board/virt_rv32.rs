//! QEMU's `virt` with a 32-bit RISC-V core (RV32IMAC): a 16550 UART behind a PLIC, the CLINT's timer as clock
//! and watchdog, semihosting.

use core::{
    arch::asm,
    ptr::{read_volatile, write_volatile},
    sync::atomic::{AtomicU32, Ordering},
};

use hrm_firmware::Exit;

use super::{
    Boot,
    clock::{self, Clock},
    serial::{Registers, Serial},
};

/// This board.
pub(crate) type Here = Serial<Virt>;

/// Its peripherals.
pub(crate) struct Virt;

// The UART (NS16550), a byte each.
const DATA: usize = 0x1000_0000;
const INTERRUPTS: usize = DATA + 1;
const FIFO: usize = DATA + 2;
const STATUS: usize = DATA + 5;
const RECEIVED: u8 = 1 << 0;
const ROOM: u8 = 1 << 5;

// The PLIC, of which the UART is source 10, and this hart's machine mode context 0.
const UART: u32 = 10;
const PRIORITY: usize = 0x0C00_0000 + 4 * UART as usize;
const ENABLED: usize = 0x0C00_2000;
const THRESHOLD: usize = 0x0C20_0000;
const CLAIM: usize = 0x0C20_0004;

// Bits of `mie`: timer and external interrupts.
const TIMER: usize = 1 << 7;
const EXTERNAL: usize = 1 << 11;

/// Longer than the slowest block of the largest model takes under an emulator that shares its machine.
const WATCHDOG_SECONDS: u32 = 20;
/// Timer interrupts since the watchdog was fed, one a second.
static HUNGRY: AtomicU32 = AtomicU32::new(0);

fn read8(address: usize) -> u8 {
    // SAFETY: a register of the UART.
    unsafe { read_volatile(address as *const u8) }
}

fn write8(address: usize, value: u8) {
    // SAFETY: as above; the writes here configure the UART or send a byte.
    unsafe { write_volatile(address as *mut u8, value) }
}

fn write32(address: usize, value: u32) {
    // SAFETY: a register of the PLIC.
    unsafe { write_volatile(address as *mut u32, value) }
}

impl Registers for Virt {
    const NAME: &'static str = "virt-rv32";

    fn listen(on: bool) {
        write8(INTERRUPTS, on.into());
    }

    fn take() -> Option<u8> {
        (read8(STATUS) & RECEIVED != 0).then(|| read8(DATA))
    }

    fn put(byte: u8) {
        while read8(STATUS) & ROOM == 0 {}
        write8(DATA, byte);
    }

    fn feed(&mut self) {
        HUNGRY.store(0, Ordering::Relaxed);
    }
}

unsafe extern "C" {
    // Addresses from memory.x.
    static __program_start: u8;
    static __pack_end: u8;
}

impl Boot for Here {
    /// What a chip with 512 KiB of RAM could spare.
    const WORKSPACE_BYTES: usize = 256 * 1024;

    fn start() -> Self {
        // Program and pack: read and execute, no writes, locked, from the first address to the second.
        const RANGE: usize = (1 << 7 | 1 << 3 | 1 << 2 | 1) << 8;
        // SAFETY: nothing writes there.
        unsafe {
            asm!("csrw pmpaddr0, {}", in(reg) (&raw const __program_start as usize) >> 2);
            asm!("csrw pmpaddr1, {}", in(reg) (&raw const __pack_end as usize) >> 2);
            asm!("csrw pmpcfg0, {}", in(reg) RANGE);
        }
        write8(FIFO, 1);
        write32(PRIORITY, 1);
        write32(ENABLED, 1 << UART);
        write32(THRESHOLD, 0);
        let clock = Clock::start();
        // SAFETY: both have their handler below.
        unsafe { asm!("csrs mie, {}", in(reg) TIMER | EXTERNAL) };
        Serial::new(Virt, clock)
    }
}

/// Called by `riscv.rs`.
#[unsafe(no_mangle)]
extern "C" fn interrupt() {
    if clock::tick() {
        let hungry = HUNGRY.load(Ordering::Relaxed) + 1;
        HUNGRY.store(hungry, Ordering::Relaxed);
        if hungry > WATCHDOG_SECONDS {
            defmt::error!("watchdog: no progress for {} s", WATCHDOG_SECONDS);
            Here::exit(Exit::Watchdog);
        }
    }
    // SAFETY: a register of the PLIC: reading it claims what is pending, 0 where nothing is.
    let source = unsafe { read_volatile(CLAIM as *const u32) };
    if source == UART {
        Here::arrived();
    }
    write32(CLAIM, source);
}
