//! What an STM32F4 needs beside what every STM32 does.

use embassy_stm32::pac::{DBGMCU, FLASH};
#[cfg(feature = "_hardware")]
use embassy_stm32::{
    Config,
    rcc::{
        AHBPrescaler, APBPrescaler, Hse, HseMode, Pll, PllMul, PllPDiv, PllPreDiv, PllQDiv, PllSource, Sysclk,
    },
    time::Hertz,
};

/// The processor by the PLL from a crystal: the PLL's input divider, its multiplier, half of which the
/// processor has, and the divider for USB; those of the two peripheral buses.
#[cfg(feature = "_hardware")]
pub(crate) fn clocks(
    crystal: Hertz,
    (prediv, mul, for_usb): (PllPreDiv, PllMul, PllQDiv),
    [apb1, apb2]: [APBPrescaler; 2],
) -> Config {
    let mut config = Config::default();
    config.rcc.hse = Some(Hse { freq: crystal, mode: HseMode::Oscillator });
    config.rcc.pll_src = PllSource::HSE;
    let divp = Some(PllPDiv::DIV2);
    config.rcc.pll = Some(Pll { prediv, mul, divp, divq: Some(for_usb), divr: None });
    config.rcc.sys = Sysclk::PLL1_P;
    config.rcc.ahb_pre = AHBPrescaler::DIV1;
    config.rcc.apb1_pre = apb1;
    config.rcc.apb2_pre = apb2;
    config
}

/// The first silicon of the STM32F405 and its like, by number of device and revision, has a prefetch that
/// fails (ST's errata ES0182); its caches work.
const WITHOUT_PREFETCH: (u16, u16) = (0x413, 0x1000);

/// Switches on what hides the flash's wait states: both caches and the prefetch. They are off at reset, and
/// embassy-stm32 writes zeros there with the wait states.
pub(crate) fn speed_up_flash() {
    let id = DBGMCU.idcode().read();
    let prefetch = (id.dev_id(), id.rev_id()) != WITHOUT_PREFETCH;

    // The caches may be emptied only while they are off.
    FLASH.acr().modify(|w| {
        w.set_icrst(true);
        w.set_dcrst(true);
    });
    FLASH.acr().modify(|w| {
        w.set_icrst(false);
        w.set_dcrst(false);
    });
    FLASH.acr().modify(|w| {
        w.set_icen(true);
        w.set_dcen(true);
        w.set_prften(prefetch);
    });
}
