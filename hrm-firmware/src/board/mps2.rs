//! What Arm's MPS2 and MPS3 FPGA images have in common: CMSDK UARTs on the APB, semihosting under QEMU.
//!
//! Interrupts stay masked for good. A received byte makes the UART's interrupt pending, which wakes the sleeping
//! processor, and nothing more: whoever slept looks for the byte. So there is no handler and no shared state.

use core::marker::PhantomData;

use cortex_m::{asm, interrupt, interrupt::InterruptNumber, peripheral::NVIC};
use hrm_firmware::{Event, Exit, Link};

use super::Board;

/// How one FPGA image differs from another.
pub(crate) trait Image {
    /// Name of the board.
    const NAME: &'static str;
    /// Base address of the UART used as link.
    const UART: usize;
    /// Interrupt that its receiver raises.
    const UART_RX_IRQ: u16;
    /// Clock of the UART.
    const CLOCK_HZ: u32;
}

/// A board running FPGA image `I`.
pub(crate) struct Mps2<I>(PhantomData<I>);

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

/// Speed of the link; QEMU sends at once.
const BAUD: u32 = 115_200;

#[derive(Clone, Copy)]
struct RxInterrupt(u16);

// SAFETY: the number comes from the image's documentation and never changes.
unsafe impl InterruptNumber for RxInterrupt {
    fn number(self) -> u16 {
        self.0
    }
}

impl<I: Image> Mps2<I> {
    fn read(offset: usize) -> u32 {
        // SAFETY: a register of the UART, at the address the image's documentation gives.
        unsafe { core::ptr::read_volatile((I::UART + offset) as *const u32) }
    }

    fn write(offset: usize, value: u32) {
        // SAFETY: as above; the writes below only configure the UART or send a byte.
        unsafe { core::ptr::write_volatile((I::UART + offset) as *mut u32, value) }
    }
}

impl<I: Image> Link for Mps2<I> {
    fn board(&self) -> &'static str {
        I::NAME
    }

    fn receive(&mut self) -> Option<u8> {
        (Self::read(STATE) & STATE_RX_FULL != 0).then(|| Self::read(DATA) as u8)
    }

    fn wait(&mut self) {
        if Self::read(STATE) & STATE_RX_FULL == 0 {
            // With interrupts masked, a byte that arrives between the test and here still wakes it.
            asm::wfi();
        }
        Self::write(INT_CLEAR, INT_RX);
        NVIC::unpend(RxInterrupt(I::UART_RX_IRQ));
    }

    fn send(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            while Self::read(STATE) & STATE_TX_FULL != 0 {}
            Self::write(DATA, byte.into());
        }
    }

    fn log(&mut self, event: Event) {
        match event {
            Event::Refused { .. } | Event::Noise(_) => defmt::warn!("{}", event),
            _ => defmt::info!("{}", event),
        }
    }
}

impl<I: Image> Board for Mps2<I> {
    /// What a chip with 512 KiB of RAM could spare.
    const WORKSPACE_BYTES: usize = 256 * 1024;

    fn start() -> Self {
        interrupt::disable();
        Self::write(BAUD_DIVIDER, I::CLOCK_HZ / BAUD);
        Self::write(CTRL, CTRL_TX | CTRL_RX | CTRL_RX_INTERRUPT);
        // SAFETY: interrupts are masked for good, so unmasking one line can break no critical section.
        unsafe { NVIC::unmask(RxInterrupt(I::UART_RX_IRQ)) };
        Self(PhantomData)
    }

    fn exit(exit: Exit) -> ! {
        semihosting::process::exit(exit.code().into())
    }
}
