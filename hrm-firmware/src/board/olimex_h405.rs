//! Olimex STM32-H405: an STM32F405RG with an 8 MHz crystal. Fits any board with both.

use embassy_stm32::{
    rcc::{APBPrescaler, PllMul, PllPreDiv, PllQDiv},
    time::Hertz,
};

use super::{
    stm32f4,
    stm32f405::{Stm32F405, Variant},
};

/// This board.
pub(crate) type Here = Stm32F405<Crystal8>;

/// The kind with an 8 MHz crystal.
pub(crate) struct Crystal8;

impl Variant for Crystal8 {
    const NAME: &'static str = "olimex-h405";
    /// All but 8 KiB of the 128: the stack is in the core-coupled memory.
    const WORKSPACE_BYTES: usize = 120 * 1024;

    fn clocks() {
        // 8 MHz / 4 x 168 / 2 = 168 MHz.
        let pll = (PllPreDiv::DIV4, PllMul::MUL168, PllQDiv::DIV7);
        embassy_stm32::init(stm32f4::clocks(Hertz(8_000_000), pll, [APBPrescaler::DIV4, APBPrescaler::DIV2]));
    }
}
