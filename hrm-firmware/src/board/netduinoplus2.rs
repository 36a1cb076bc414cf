//! QEMU's `netduinoplus2`: an STM32F405 with its true 1 MiB of flash and 128 KiB of RAM. QEMU has no clock
//! tree, so there is nothing to set up, and no watchdog, so feeding it does nothing.

use super::stm32f405::{Stm32F405, Variant};

/// This board.
pub(crate) type Here = Stm32F405<Emulated>;

/// The emulated kind.
pub(crate) struct Emulated;

impl Variant for Emulated {
    const NAME: &'static str = "netduinoplus2";
    /// All but 8 KiB of what the stack leaves of the 128.
    const WORKSPACE_BYTES: usize = 100 * 1024;

    fn clocks() {}
}
