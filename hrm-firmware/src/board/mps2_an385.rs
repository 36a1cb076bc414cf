//! Arm MPS2 with FPGA image AN385, a Cortex-M3, which runs what is compiled for a Cortex-M0+ here: QEMU has that processor only
//! with too little memory. All of Armv6-M is part of Armv7-M, and what Armv6-M does not have is made to fault where it can be:
//! accesses to words that are not aligned.

use super::mps2::{Image, Mps2};

/// This board.
pub(crate) type MpsAn385 = Mps2<An385>;

/// The image's own addresses (Arm DAI 0385).
pub(crate) struct An385;

impl Image for An385 {
    const NAME: &'static str = "mps2-an385";
    const UART: usize = 0x4000_4000;
    const UART_RX_IRQ: u16 = 0;
    const CLOCK_HZ: u32 = 25_000_000;
    const WATCHDOG: usize = 0x4000_8000;
    const WATCHDOG_HZ: u32 = 25_000_000;
    const TRAP_UNALIGNED: bool = true;
}
