//! Arm MPS2 with FPGA image AN505: a Cortex-M33 that starts, and stays, in the Secure state. QEMU's `mps2-an505`.

use super::mps2::{Image, Mps2};

/// This board.
pub(crate) type MpsAn505 = Mps2<An505>;

/// The image's own addresses (Arm DAI 0505), Secure aliases.
pub(crate) struct An505;

impl Image for An505 {
    const NAME: &'static str = "mps2-an505";
    const UART: usize = 0x5020_0000;
    const UART_RX_IRQ: u16 = 32;
    const CLOCK_HZ: u32 = 20_000_000;
    const WATCHDOG: usize = 0x5002_E000;
    const WATCHDOG_HZ: u32 = 32_768;
}
