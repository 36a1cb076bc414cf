//! Arm MPS3 with FPGA image AN547: a Cortex-M55 that starts, and stays, in the Secure state. QEMU's `mps3-an547`.

use super::mps2::{Image, Mps2};

/// This board.
pub(crate) type MpsAn547 = Mps2<An547>;

/// The image's own addresses (Arm DAI 0547), Secure aliases.
pub(crate) struct An547;

impl Image for An547 {
    const NAME: &'static str = "mps3-an547";
    const UART: usize = 0x5930_3000;
    const UART_RX_IRQ: u16 = 33;
    const CLOCK_HZ: u32 = 32_000_000;
    const WATCHDOG: usize = 0x5802_E000;
    const WATCHDOG_HZ: u32 = 32_768;
}
