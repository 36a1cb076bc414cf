//! Raspberry Pi Pico 2: an RP2350, of which one Cortex-M33 at 150 MHz is used. The link is the USB port, or UART0 (GP0 out, GP1 in), where
//! a Raspberry Pi Debug Probe has its own serial port.

use embassy_rp::{
    Peri, bind_interrupts, interrupt,
    interrupt::Interrupt,
    peripherals::{UART0, USB},
    uart::{self, BufferedInterruptHandler, BufferedUart},
    usb as rp_usb, watchdog,
};
use embassy_time::Duration;
use hrm_firmware::Exit;

use super::{
    BAUD, Boot,
    clock::Clock,
    hal::{Hal, Watchdog, buffers},
    usb::{self, WithUsb},
};

bind_interrupts!(struct Interrupts {
    UART0_IRQ => BufferedInterruptHandler<UART0>;
    USBCTRL_IRQ => rp_usb::InterruptHandler<USB>;
});

const NAME: &str = "pico2";

/// Longer than the slowest block of the largest model that fits, by far.
const WATCHDOG: Duration = Duration::from_secs(8);

/// This board.
pub(crate) type Pico2 = Hal<WithUsb<BufferedUart>, watchdog::Watchdog>;

impl Watchdog for watchdog::Watchdog {
    fn feed(&mut self) {
        watchdog::Watchdog::feed(self, WATCHDOG);
    }
}

impl Boot for Pico2 {
    const WORKSPACE_BYTES: usize = 416 * 1024;

    fn start() -> Self {
        let p = embassy_rp::init(Default::default());
        let mut line = uart::Config::default();
        line.baudrate = BAUD;
        let (rx, tx) = buffers();
        let uart = BufferedUart::new(p.UART0, p.PIN_0, p.PIN_1, Interrupts, tx, rx, line);
        if let Ok(port) = usb_port(p.USB) {
            usb::runner(Interrupt::SWI_IRQ_0).spawn(port);
        }
        let mut watchdog = watchdog::Watchdog::new(p.WATCHDOG);
        watchdog.pause_on_debug(true);
        watchdog.start(WATCHDOG);
        Self {
            name: NAME,
            uart: usb::beside(uart),
            watchdog,
            clock: Clock::start(embassy_rp::clocks::clk_sys_freq()),
        }
    }

    fn exit(_: Exit) -> ! {
        super::restart()
    }
}

#[embassy_executor::task]
async fn usb_port(peripheral: Peri<'static, USB>) {
    usb::serve(rp_usb::Driver::new(peripheral, Interrupts), NAME).await;
}

#[interrupt]
fn SWI_IRQ_0() {
    // SAFETY: nothing else calls it.
    unsafe { usb::on_interrupt() }
}
