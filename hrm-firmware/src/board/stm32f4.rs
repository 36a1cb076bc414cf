//! What an STM32F4 needs beside what every STM32 does.

use embassy_stm32::pac::{DBGMCU, FLASH};

/// The first silicon of the STM32F405 and its like, by number of device and revision, has a prefetch that fails (ST's errata
/// ES0182); its caches work.
const WITHOUT_PREFETCH: (u16, u16) = (0x413, 0x1000);

/// Switches on what hides the flash's wait states: both caches and the prefetch. They are off at reset, and embassy-stm32 writes
/// zeros there with the wait states.
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
