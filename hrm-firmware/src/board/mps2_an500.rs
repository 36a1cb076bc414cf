//! Arm MPS2 with FPGA image AN500: a Cortex-M7. QEMU's `mps2-an500`.

use super::mps2::{Image, Mps2};

/// This board.
pub(crate) type MpsAn500 = Mps2<An500>;

/// The image's own addresses (Arm DAI 0500).
pub(crate) struct An500;

impl Image for An500 {
    const NAME: &'static str = "mps2-an500";
    const UART: usize = 0x4000_4000;
    const UART_RX_IRQ: u16 = 0;
    const CLOCK_HZ: u32 = 25_000_000;
    const WATCHDOG: usize = 0x4000_8000;
    const WATCHDOG_HZ: u32 = 25_000_000;
}
