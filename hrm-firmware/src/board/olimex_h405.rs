//! Olimex STM32-H405: an STM32F405RG with an 8 MHz crystal. Fits any board with both.

use embassy_stm32::{
    Config,
    rcc::{
        AHBPrescaler, APBPrescaler, Hse, HseMode, Pll, PllMul, PllPDiv, PllPreDiv, PllQDiv, PllSource, Sysclk,
    },
    time::Hertz,
};
use hrm_firmware::Exit;

use super::stm32f405::{Stm32F405, Variant};

/// This board.
pub(crate) type OlimexH405 = Stm32F405<Crystal8>;

/// The kind with an 8 MHz crystal.
pub(crate) struct Crystal8;

impl Variant for Crystal8 {
    const NAME: &'static str = "olimex-h405";
    /// All but 8 KiB of the 128: the stack is in the core-coupled memory.
    const WORKSPACE_BYTES: usize = 120 * 1024;

    fn clocks() {
        let mut config = Config::default();
        config.rcc.hse = Some(Hse { freq: Hertz(8_000_000), mode: HseMode::Oscillator });
        config.rcc.pll_src = PllSource::HSE;
        // 8 MHz / 4 x 168 / 2 = 168 MHz.
        config.rcc.pll = Some(Pll {
            prediv: PllPreDiv::DIV4,
            mul: PllMul::MUL168,
            divp: Some(PllPDiv::DIV2),
            divq: Some(PllQDiv::DIV7),
            divr: None,
        });
        config.rcc.sys = Sysclk::PLL1_P;
        config.rcc.ahb_pre = AHBPrescaler::DIV1;
        config.rcc.apb1_pre = APBPrescaler::DIV4;
        config.rcc.apb2_pre = APBPrescaler::DIV2;
        embassy_stm32::init(config);
    }

    fn exit(_: Exit) -> ! {
        super::restart()
    }
}
