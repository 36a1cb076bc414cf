//! Arm's MPS2 and MPS3 with an FPGA image each, which QEMU emulates: CMSDK UARTs and watchdogs
//! on the APB, semihosting.

use cortex_m_rt::exception;
use hrm_firmware::Exit;

use super::{
    BAUD, Boot,
    clock::Clock,
    serial::{self, Registers, Serial},
};

/// How one FPGA image differs from another.
struct Image {
    /// Name of the board.
    name: &'static str,
    /// Base address of the UART used as link.
    uart: usize,
    /// Interrupt that its receiver raises.
    uart_rx_irq: u16,
    /// Clock of processor and UART.
    clock_hz: u32,
    /// Base address of the watchdog.
    watchdog: usize,
    /// Its clock.
    watchdog_hz: u32,
    /// Whether accesses that are not aligned fault.
    trap_unaligned: bool,
}

/// This image's own. Arm's application note of its number has the addresses.
const IMAGE: Image = if cfg!(feature = "board-mps2-an385") {
    // A Cortex-M3, which runs what is compiled for a Cortex-M0+ here: QEMU has that processor only with too
    // little memory. All of Armv6-M is part of Armv7-M, and what Armv6-M does not have is made to fault where
    // it can be: accesses to words that are not aligned.
    Image { name: "mps2-an385", trap_unaligned: true, ..CORTEX_M4 }
} else if cfg!(feature = "board-mps2-an500") {
    // A Cortex-M7.
    Image { name: "mps2-an500", ..CORTEX_M4 }
} else if cfg!(feature = "board-mps2-an505") {
    // A Cortex-M33 that starts, and stays, in the Secure state, with that state's addresses.
    Image {
        name: "mps2-an505",
        uart: 0x5020_0000,
        uart_rx_irq: 32,
        clock_hz: 20_000_000,
        watchdog: 0x5002_E000,
        watchdog_hz: 32_768,
        trap_unaligned: false,
    }
} else if cfg!(feature = "board-mps3-an547") {
    // A Cortex-M55, the same way.
    Image {
        name: "mps3-an547",
        uart: 0x5930_3000,
        uart_rx_irq: 33,
        clock_hz: 32_000_000,
        watchdog: 0x5802_E000,
        watchdog_hz: 32_768,
        trap_unaligned: false,
    }
} else {
    CORTEX_M4
};

/// The image of a Cortex-M4F, whose addresses other images of its time share.
const CORTEX_M4: Image = Image {
    name: "mps2-an386",
    uart: 0x4000_4000,
    uart_rx_irq: 0,
    clock_hz: 25_000_000,
    watchdog: 0x4000_8000,
    watchdog_hz: 25_000_000,
    trap_unaligned: false,
};

/// This board.
pub(crate) type Here = Serial<Cmsdk>;

/// Its peripherals.
pub(crate) struct Cmsdk;

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

/// The interrupt of a received byte.
const RECEIVED: u16 = IMAGE.uart_rx_irq;

/// Exception number of the non-maskable interrupt, which the watchdog raises, as `DefaultHandler` gets it.
const NMI: i16 = -14;

impl Cmsdk {
    fn read(offset: usize) -> u32 {
        // SAFETY: a register of the UART, at the address the image's documentation gives.
        unsafe { core::ptr::read_volatile((IMAGE.uart + offset) as *const u32) }
    }

    fn write(offset: usize, value: u32) {
        // SAFETY: as above; the writes below only configure the UART or send a byte.
        unsafe { core::ptr::write_volatile((IMAGE.uart + offset) as *mut u32, value) }
    }

    fn watchdog(offset: usize, value: u32) {
        // SAFETY: a register of the watchdog, which touches no memory.
        unsafe { core::ptr::write_volatile((IMAGE.watchdog + offset) as *mut u32, value) }
    }
}

impl Registers for Cmsdk {
    const NAME: &'static str = IMAGE.name;

    fn listen(on: bool) {
        serial::listen(RECEIVED, on);
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

impl Boot for Here {
    /// What a chip with 512 KiB of RAM could spare.
    const WORKSPACE_BYTES: usize = 256 * 1024;

    fn start() -> Self {
        if IMAGE.trap_unaligned {
            // SAFETY: the processor's configuration and control register; from here on such accesses fault.
            unsafe { (*cortex_m::peripheral::SCB::PTR).ccr.modify(|ccr| ccr | UNALIGNED_TRAP) };
        }
        Cmsdk::watchdog(WATCHDOG_LOAD, WATCHDOG_SECONDS * IMAGE.watchdog_hz);
        Cmsdk::watchdog(WATCHDOG_CONTROL, WATCHDOG_INTERRUPT | WATCHDOG_RESET);
        Cmsdk::write(BAUD_DIVIDER, IMAGE.clock_hz / BAUD);
        Cmsdk::write(CTRL, CTRL_TX | CTRL_RX | CTRL_RX_INTERRUPT);
        Serial::new(Cmsdk, Clock::start(IMAGE.clock_hz))
    }
}

/// Every interrupt without a handler of its own: these images have no vector table with names.
#[exception]
unsafe fn DefaultHandler(number: i16) {
    match u16::try_from(number) {
        Ok(RECEIVED) => Here::arrived(),
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
