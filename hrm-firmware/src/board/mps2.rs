//! What Arm's MPS2 and MPS3 FPGA images have in common: CMSDK UARTs and watchdogs on the APB, semihosting under QEMU.

use core::marker::PhantomData;

use cortex_m_rt::exception;
use hrm_firmware::Exit;

use super::{
    BAUD, Boot, Here,
    clock::Clock,
    serial::{self, Registers, Serial},
};

/// How one FPGA image differs from another.
pub(crate) trait Image {
    /// Name of the board.
    const NAME: &'static str;
    /// Base address of the UART used as link.
    const UART: usize;
    /// Interrupt that its receiver raises.
    const UART_RX_IRQ: u16;
    /// Clock of processor and UART.
    const CLOCK_HZ: u32;
    /// Base address of the watchdog.
    const WATCHDOG: usize;
    /// Its clock.
    const WATCHDOG_HZ: u32;
    /// Whether accesses that are not aligned fault.
    const TRAP_UNALIGNED: bool = false;
}

/// A board running FPGA image `I`.
pub(crate) type Mps2<I> = Serial<Cmsdk<I>>;

/// The peripherals of FPGA image `I`.
pub(crate) struct Cmsdk<I>(PhantomData<I>);

// CMSDK APB UART registers and bits (Arm DDI 0479, chapter 4).
const DATA: usize = 0x00;
const STATE: usize = 0x04;
const CTRL: usize = 0x08;
const INT_CLEAR: usize = 0x0C;
const BAUD_DIVIDER: usize = 0x10;

const STATE_TX_FULL: u32 = 1 << 0;
const STATE_RX_FULL: u32 = 1 << 1;
const CTRL_TX: u32 = 1 << 0;
const CTRL_RX: u32 = 1 << 1;
const CTRL_RX_INTERRUPT: u32 = 1 << 3;
const INT_RX: u32 = 1 << 1;

// CMSDK APB watchdog (the same document).
const WATCHDOG_LOAD: usize = 0x00;
const WATCHDOG_CONTROL: usize = 0x08;
const WATCHDOG_CLEAR: usize = 0x0C;
const WATCHDOG_INTERRUPT: u32 = 1 << 0;
const WATCHDOG_RESET: u32 = 1 << 1;

/// Longer than the slowest block of the largest model takes under an emulator that shares its machine.
const WATCHDOG_SECONDS: u32 = 20;

/// The bit of the processor's configuration that does so.
const UNALIGNED_TRAP: u32 = 1 << 3;

/// Exception number of the non-maskable interrupt, which the watchdog raises, as `DefaultHandler` gets it.
const NMI: i16 = -14;

impl<I: Image> Cmsdk<I> {
    fn read(offset: usize) -> u32 {
        // SAFETY: a register of the UART, at the address the image's documentation gives.
        unsafe { core::ptr::read_volatile((I::UART + offset) as *const u32) }
    }

    fn write(offset: usize, value: u32) {
        // SAFETY: as above; the writes below only configure the UART or send a byte.
        unsafe { core::ptr::write_volatile((I::UART + offset) as *mut u32, value) }
    }

    fn watchdog(offset: usize, value: u32) {
        // SAFETY: a register of the watchdog, which touches no memory.
        unsafe { core::ptr::write_volatile((I::WATCHDOG + offset) as *mut u32, value) }
    }
}

impl<I: Image> Mps2<I> {
    const RX_INTERRUPT: u16 = I::UART_RX_IRQ;
}

impl<I: Image> Registers for Cmsdk<I> {
    const NAME: &'static str = I::NAME;
    fn listen(on: bool) {
        serial::listen(I::UART_RX_IRQ, on);
    }

    fn take() -> Option<u8> {
        // Cleared before the look: a byte that comes in between raises it again.
        Self::write(INT_CLEAR, INT_RX);
        (Self::read(STATE) & STATE_RX_FULL != 0).then(|| Self::read(DATA) as u8)
    }

    fn put(byte: u8) {
        while Self::read(STATE) & STATE_TX_FULL != 0 {}
        Self::write(DATA, byte.into());
    }

    fn feed(&mut self) {
        Self::watchdog(WATCHDOG_CLEAR, 1);
    }
}

impl<I: Image> Boot for Mps2<I> {
    /// What a chip with 512 KiB of RAM could spare.
    const WORKSPACE_BYTES: usize = 256 * 1024;

    fn start() -> Self {
        if I::TRAP_UNALIGNED {
            // SAFETY: the processor's configuration and control register; from here on such accesses fault.
            unsafe { (*cortex_m::peripheral::SCB::PTR).ccr.modify(|ccr| ccr | UNALIGNED_TRAP) };
        }
        Cmsdk::<I>::watchdog(WATCHDOG_LOAD, WATCHDOG_SECONDS * I::WATCHDOG_HZ);
        Cmsdk::<I>::watchdog(WATCHDOG_CONTROL, WATCHDOG_INTERRUPT | WATCHDOG_RESET);
        Cmsdk::<I>::write(BAUD_DIVIDER, I::CLOCK_HZ / BAUD);
        Cmsdk::<I>::write(CTRL, CTRL_TX | CTRL_RX | CTRL_RX_INTERRUPT);
        Serial::new(Cmsdk(PhantomData), Clock::start(I::CLOCK_HZ))
    }

    fn exit(exit: Exit) -> ! {
        semihosting::process::exit(exit.code().into())
    }
}

/// Every interrupt without a handler of its own: these images have no vector table with names.
#[exception]
unsafe fn DefaultHandler(number: i16) {
    match u16::try_from(number) {
        Ok(Here::RX_INTERRUPT) => Here::arrived(),
        _ if number == NMI => {
            defmt::error!("watchdog: no progress for {} s", WATCHDOG_SECONDS);
            Here::exit(Exit::Watchdog)
        }
        _ => {
            defmt::error!("interrupt {}, which nobody asked for", number);
            Here::exit(Exit::Exception)
        }
    }
}
