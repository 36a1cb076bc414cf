//! What every STM32 here needs and embassy-stm32 leaves out. The families differ in their registers for debuggers: those of F4 and F7 are
//! alike, H7 has others.

use embassy_stm32::pac::DBGMCU;

/// Lets a debugger in while the processor sleeps, and lets the watchdog rest while one holds it. probe-rs puts the first back
/// when it leaves, to what a fresh chip has; the next one would then find a board that sleeps and does not answer. So this
/// is done again with every feed of the watchdog.
pub(crate) fn keep_debuggable() {
    #[cfg(not(feature = "_stm32h7"))]
    {
        DBGMCU.cr().modify(|w| w.set_dbg_sleep(true));
        DBGMCU.apb1fzr().modify(|w| w.set_iwdg(true));
    }
    #[cfg(feature = "_stm32h7")]
    {
        DBGMCU.cr().modify(|w| {
            w.set_d1dbgcken(true);
            w.set_dbgsleep_d1(true);
        });
        DBGMCU.apb4fzr1().modify(|w| w.set_iwdg1(true));
    }
}

#[cfg(feature = "_hal")]
impl<T: embassy_stm32::wdg::Instance> super::hal::Watchdog
    for embassy_stm32::wdg::IndependentWatchdog<'static, T>
{
    fn feed(&mut self) {
        self.pet();
        keep_debuggable();
    }
}
