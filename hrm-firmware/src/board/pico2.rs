//! Raspberry Pi Pico 2: an RP2350, of which one Cortex-M33 at 150 MHz is used. The link is the USB port, or
//! UART0 (GP0 out, GP1 in), where a Raspberry Pi Debug Probe has its own serial port.

use embassy_rp::{
    Peri, bind_interrupts, interrupt,
    interrupt::Interrupt,
    otp,
    pac::{self, psm::regs::Wdsel},
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
pub(crate) type Here = Hal<WithUsb<BufferedUart>, watchdog::Watchdog>;

/// What the watchdog resets: all 25 stages but ROSC and XOSC, bits 2 and 3, whose clock it runs by.
/// embassy-rp writes the mask of the RP2040, whose stages have other places.
const RESET_BY_WATCHDOG: Wdsel = Wdsel(0x01FF_FFFF & !(0b11 << 2));

impl Watchdog for watchdog::Watchdog {
    fn feed(&mut self) {
        watchdog::Watchdog::feed(self, WATCHDOG);
    }
}

impl Boot for Here {
    const WORKSPACE_BYTES: usize = 416 * 1024;
    /// The external flash gives at most 25 MB/s.
    const PACK_TO_RAM: bool = true;

    fn start() -> Self {
        let p = embassy_rp::init(Default::default());
        let mut line = uart::Config::default();
        line.baudrate = BAUD;
        let (rx, tx) = buffers();
        let uart = BufferedUart::new(p.UART0, p.PIN_0, p.PIN_1, Interrupts, tx, rx, line);
        // Nothing may be connected.
        pac::PADS_BANK0.gpio(1).modify(|w| w.set_pue(true));
        if let Ok(port) = usb_port(p.USB) {
            usb::runner(Interrupt::SWI_IRQ_0).spawn(port);
        }
        let mut watchdog = watchdog::Watchdog::new(p.WATCHDOG);
        watchdog.pause_on_debug(true);
        watchdog.start(WATCHDOG);
        pac::PSM.wdsel().write_value(RESET_BY_WATCHDOG);
        Self {
            name: NAME,
            uart: usb::beside(uart),
            watchdog,
            clock: Clock::start(embassy_rp::clocks::clk_sys_freq()),
        }
    }

    /// By the watchdog: a reset by the processor leaves the peripherals as they are, USB among them.
    fn exit(_: Exit) -> ! {
        super::wait_for_probe();
        pac::PSM.wdsel().write_value(RESET_BY_WATCHDOG);
        pac::WATCHDOG.ctrl().modify(|w| {
            w.set_pause_dbg0(false);
            w.set_pause_dbg1(false);
            w.set_pause_jtag(false);
            w.set_trigger(true);
        });
        loop {
            cortex_m::asm::nop();
        }
    }
}

#[embassy_executor::task]
async fn usb_port(peripheral: Peri<'static, USB>) {
    let serial = usb::serial(otp::get_chipid().unwrap_or_default());
    usb::serve(rp_usb::Driver::new(peripheral, Interrupts), NAME, serial).await;
}

#[interrupt]
fn SWI_IRQ_0() {
    // SAFETY: nothing else calls it.
    unsafe { usb::on_interrupt() }
}
