//! Arm MPS2 with FPGA image AN386: a Cortex-M4F. QEMU's `mps2-an386`.

use super::mps2::{Image, Mps2};

/// This board.
pub(crate) type MpsAn386 = Mps2<An386>;

/// The image's own addresses (Arm DAI 0386).
pub(crate) struct An386;

impl Image for An386 {
    const NAME: &'static str = "mps2-an386";
    const UART: usize = 0x4000_4000;
    const UART_RX_IRQ: u16 = 0;
    const CLOCK_HZ: u32 = 25_000_000;
    const WATCHDOG: usize = 0x4000_8000;
    const WATCHDOG_HZ: u32 = 25_000_000;
}
