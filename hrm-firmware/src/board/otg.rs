//! The USB port of STM32s that have an OTG_FS, on PA11 and PA12 with 48 MHz that the board's clocks give it.

use embassy_stm32::{
    Peri, bind_interrupts, interrupt,
    interrupt::Interrupt,
    peripherals::{PA11, PA12, USB_OTG_FS},
    usb::{Config, Driver, InterruptHandler},
};

use super::usb;

bind_interrupts!(struct Interrupts {
    OTG_FS => InterruptHandler<USB_OTG_FS>;
});

/// Room for a packet of every endpoint that takes some.
const PACKETS_BYTES: usize = 2 * hrm_firmware::usb::PACKET;

/// Starts the port of the board called `board`.
pub(crate) fn start(
    peripheral: Peri<'static, USB_OTG_FS>,
    plus: Peri<'static, PA12>,
    minus: Peri<'static, PA11>,
    board: &'static str,
) {
    // The task is started once, so there is room for it.
    if let Ok(task) = run(peripheral, plus, minus, board) {
        // Every chip has this interrupt, and no board uses SPI.
        usb::runner(Interrupt::SPI1).spawn(task);
    }
}

#[embassy_executor::task]
async fn run(
    peripheral: Peri<'static, USB_OTG_FS>,
    plus: Peri<'static, PA12>,
    minus: Peri<'static, PA11>,
    board: &'static str,
) {
    static mut PACKETS: [u8; PACKETS_BYTES] = [0; PACKETS_BYTES];

    let mut config = Config::default();
    // The pin that could see the port's voltage is a UART's on some boards.
    config.vbus_detection = false;
    // SAFETY: this task runs once, and nothing else names it.
    let packets = unsafe { &mut *&raw mut PACKETS };
    let driver = Driver::new_fs(peripheral, Interrupts, plus, minus, packets, config);
    usb::serve(driver, board, embassy_stm32::uid::uid_hex()).await;
}

#[interrupt]
fn SPI1() {
    // SAFETY: nothing else calls it.
    unsafe { usb::on_interrupt() }
}
