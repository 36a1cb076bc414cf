//! What every STM32 here needs and embassy-stm32 leaves out. The families differ in their registers for
//! debuggers: those of F4 and F7 are alike, H7 has others.

use embassy_stm32::{
    Peri,
    pac::DBGMCU,
    wdg::{IndependentWatchdog, Instance},
};
#[cfg(feature = "_hal")]
use embassy_stm32::{
    gpio::Pull,
    interrupt::typelevel::Binding,
    usart::{self, BufferedInterruptHandler, BufferedUart, RxPin, TxPin},
};

/// Longer than the slowest block of the largest model that fits, by far.
const WATCHDOG_US: u32 = 8_000_000;

/// The watchdog, running.
pub(crate) fn watchdog<T: Instance>(peripheral: Peri<'static, T>) -> IndependentWatchdog<'static, T> {
    let mut watchdog = IndependentWatchdog::new(peripheral, WATCHDOG_US);
    watchdog.unleash();
    watchdog
}

/// The board's UART.
///
/// # Panics
/// Where the chip's clock cannot give the link's speed, and at the second call.
#[cfg(feature = "_hal")]
pub(crate) fn uart<T: usart::Instance>(
    peripheral: Peri<'static, T>,
    rx: Peri<'static, impl RxPin<T>>,
    tx: Peri<'static, impl TxPin<T>>,
    interrupts: impl Binding<T::Interrupt, BufferedInterruptHandler<T>> + 'static,
) -> BufferedUart<'static> {
    let mut line = usart::Config::default();
    line.baudrate = super::BAUD;
    line.rx_pull = Pull::Up; // nothing may be connected
    let (receive, send) = super::hal::buffers();
    match BufferedUart::new(peripheral, rx, tx, send, receive, interrupts, line) {
        Ok(uart) => uart,
        Err(_) => defmt::panic!("the UART cannot have {} baud from this clock", super::BAUD),
    }
}

/// Lets a debugger in while the processor sleeps, and lets the watchdog rest while one holds it. probe-rs
/// puts the first back when it leaves, to what a fresh chip has; the next one would then find a board that
/// sleeps and does not answer. So this is done again with every feed of the watchdog.
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
impl<T: Instance> super::hal::Watchdog for IndependentWatchdog<'static, T> {
    fn feed(&mut self) {
        self.pet();
        keep_debuggable();
    }
}
