//! What every STM32 here needs and embassy-stm32 leaves out.

use embassy_stm32::pac::DBGMCU;

/// Lets a debugger in while the processor sleeps, and lets the watchdog rest while one holds it. probe-rs puts the first back
/// when it leaves, to what a fresh chip has; the next one would then find a board that sleeps and does not answer. So this
/// is done again with every feed of the watchdog.
pub(crate) fn keep_debuggable() {
    DBGMCU.cr().modify(|w| {
        #[cfg(feature = "board-nucleo-h743zi")]
        {
            w.set_d1dbgcken(true);
            w.set_dbgsleep_d1(true);
        }
        #[cfg(not(feature = "board-nucleo-h743zi"))]
        w.set_dbg_sleep(true);
    });
    #[cfg(feature = "board-nucleo-h743zi")]
    DBGMCU.apb4fzr1().modify(|w| w.set_iwdg1(true));
    #[cfg(not(feature = "board-nucleo-h743zi"))]
    DBGMCU.apb1fzr().modify(|w| w.set_iwdg(true));
}

/// Switches on what hides the flash's wait states on an STM32F4: both caches and the prefetch. They are off at reset, and
/// embassy-stm32 writes zeros there with the wait states.
#[cfg(not(feature = "board-nucleo-h743zi"))]
pub(crate) fn speed_up_flash() {
    use embassy_stm32::pac::FLASH;

    /// The first silicon of the STM32F405 has a prefetch that fails (ST's errata ES0182); its caches work.
    const F405_REVISION_A: u16 = 0x1000;
    let prefetch = !(cfg!(feature = "_stm32f405") && DBGMCU.idcode().read().rev_id() == F405_REVISION_A);

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
