//! Nordic nRF52840 DK (PCA10056): a Cortex-M4F at 64 MHz. The link is the chip's USB port, or the debugger's
//! virtual serial port (P0.06 out, P0.08 in).
//!
//! SysTick rests while the processor sleeps, so the clock counts the time that the board
//! works, not the time it waits.

use embassy_nrf::{
    Peri, bind_interrupts,
    buffered_uarte::{BufferedUarte, InterruptHandler},
    config::{Config, HfclkSource},
    interrupt,
    interrupt::Interrupt,
    pac::{FICR, NVMC, P0, gpio::vals::Pull},
    peripherals::{UARTE0, USBD, WDT},
    uarte::{self, Baudrate},
    usb::{
        self as nrf_usb,
        vbus_detect::{self, HardwareVbusDetect},
    },
    wdt::{self, HaltConfig, SleepConfig, WatchdogHandle},
};

use super::{
    BAUD, Boot,
    clock::Clock,
    hal::{Hal, Watchdog, buffers},
    usb::{self, WithUsb},
};

bind_interrupts!(struct Interrupts {
    CLOCK_POWER => vbus_detect::InterruptHandler;
    UARTE0 => InterruptHandler<UARTE0>;
    USBD => nrf_usb::InterruptHandler<USBD>;
});

/// The chip has a table of speeds; its entry below must be the link's.
const _: () = assert!(BAUD == 115_200);

const NAME: &str = "nrf52840-dk";
const CLOCK_HZ: u32 = 64_000_000;

/// 8 s of a 32,768 Hz clock: longer than the slowest block of the largest model that fits, by far.
const WATCHDOG_TICKS: u32 = 8 * 32_768;

/// This board.
pub(crate) type Here = Hal<WithUsb<BufferedUarte<'static>>, Option<WatchdogHandle>>;

impl Watchdog for Option<WatchdogHandle> {
    fn feed(&mut self) {
        if let Some(handle) = self {
            handle.pet();
        }
    }
}

impl Boot for Here {
    const WORKSPACE_BYTES: usize = 208 * 1024;

    fn start() -> Self {
        let mut config = Config::default();
        // The internal oscillator is too far off for a UART.
        config.hfclk_source = HfclkSource::ExternalXtal;
        let p = embassy_nrf::init(config);
        // Off at reset; every fetch that misses it waits for the flash.
        NVMC.icachecnf().write(|w| w.set_cacheen(true));
        let mut line = uarte::Config::default();
        line.baudrate = Baudrate::Baud115200;
        let (rx, tx) = buffers();
        let uart = BufferedUarte::new(
            p.UARTE0,
            p.TIMER0,
            p.PPI_CH0,
            p.PPI_CH1,
            p.PPI_GROUP0,
            p.P0_08,
            p.P0_06,
            Interrupts,
            line,
            rx,
            tx,
        );
        // The debugger lets go of its lines while no terminal is open.
        P0.pin_cnf(8).modify(|w| w.set_pull(Pull::Pullup));
        if let Ok(port) = usb_port(p.USBD) {
            usb::runner(Interrupt::EGU0_SWI0).spawn(port);
        }
        Self { name: NAME, uart: usb::beside(uart), watchdog: watchdog(p.WDT), clock: Clock::start(CLOCK_HZ) }
    }
}

/// The watchdog; it rests while the processor sleeps, as the clock that would wake it up to feed does. A
/// watchdog that runs from before a restart has these very settings.
fn watchdog(peripheral: Peri<'static, WDT>) -> Option<WatchdogHandle> {
    let mut config = wdt::Config::default();
    config.timeout_ticks = WATCHDOG_TICKS;
    config.action_during_sleep = SleepConfig::Pause;
    config.action_during_debug_halt = HaltConfig::Pause;
    wdt::Watchdog::try_new(peripheral, config).ok().map(|(_, [handle])| handle)
}

#[embassy_executor::task]
async fn usb_port(peripheral: Peri<'static, USBD>) {
    let driver = nrf_usb::Driver::new(peripheral, Interrupts, HardwareVbusDetect::new(Interrupts));
    let number = [1, 0].map(|word| FICR.deviceid(word).read());
    usb::serve(driver, NAME, usb::serial(u64::from(number[0]) << 32 | u64::from(number[1]))).await;
}

#[interrupt]
fn EGU0_SWI0() {
    // SAFETY: nothing else calls it.
    unsafe { usb::on_interrupt() }
}
