//! A board's own USB port as a serial port (CDC-ACM). It runs in an interrupt that software raises, below the
//! priority of all others: the model may think for seconds, a USB host does not wait that long.

use core::convert::Infallible;

use cortex_m::{Peripherals, interrupt::InterruptNumber};
use embassy_executor::{InterruptExecutor, SendSpawner};
use embassy_futures::join::join4;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_usb::{
    Builder, Config, Handler,
    class::cdc_acm::{CdcAcmClass, ControlChanged, Receiver, Sender, State},
    driver::Driver,
};
use hrm_firmware::{
    lines::Lines,
    usb::{FromHost, Gone, PACKET, Port, ToHost},
};
use static_cell::StaticCell;

/// A UART, and this port.
pub(crate) type WithUsb<U> = Lines<'static, U, CriticalSectionRawMutex>;

static PORT: Port<CriticalSectionRawMutex> = Port::new();
static EXECUTOR: InterruptExecutor = InterruptExecutor::new();

/// An id of pid.codes for tests; a product needs its own.
const ID: (u16, u16) = (0x1209, 0x0001);

/// Below that of every other interrupt, a UART's above all, whose bytes do not wait. Three bits of it
/// are there on every chip.
const PRIORITY: u8 = 0xC0;

/// The line that `uart` and the USB port are together.
pub(crate) fn beside<U>(uart: U) -> WithUsb<U> {
    Lines::new(uart, &PORT)
}

/// What runs the port, in `interrupt`, which nothing else uses and whose handler calls [`on_interrupt`].
pub(crate) fn runner(interrupt: impl InterruptNumber) -> SendSpawner {
    // SAFETY: `interrupt` is not in use before this, nor by anything else.
    unsafe { Peripherals::steal().NVIC.set_priority(interrupt, PRIORITY) };
    EXECUTOR.start(interrupt)
}

/// To be called by the handler of the interrupt given to [`runner`].
///
/// # Safety
/// By nothing else.
pub(crate) unsafe fn on_interrupt() {
    // SAFETY: as the caller says.
    unsafe { EXECUTOR.on_interrupt() }
}

/// Runs the port of the board called `board`, for ever. `serial` is the chip's own number: by it a computer
/// tells two boards of a kind apart.
pub(crate) async fn serve<D: Driver<'static>>(driver: D, board: &'static str, serial: &'static str) {
    struct Buffers {
        configuration: [u8; 128],
        bos: [u8; 32],
        control: [u8; 64],
        class: State<'static>,
        watch: Watch,
    }
    static BUFFERS: StaticCell<Buffers> = StaticCell::new();

    let Buffers { configuration, bos, control, class, watch } = BUFFERS.init_with(|| Buffers {
        configuration: [0; 128],
        bos: [0; 32],
        control: [0; 64],
        class: State::new(),
        watch: Watch,
    });
    let mut config = Config::new(ID.0, ID.1);
    config.manufacturer = Some("HRM");
    config.product = Some(board);
    config.serial_number = Some(serial);
    let mut builder = Builder::new(driver, config, configuration, bos, &mut [], control);
    builder.handler(watch);
    let class = CdcAcmClass::new(&mut builder, class, PACKET as u16);
    let (sender, receiver, control) = class.split_with_control();
    let (mut sender, mut receiver) = (Out(sender), In(receiver));
    let mut device = builder.build();
    // In this order: that a program has opened the port is known before its first byte is taken.
    join4(device.run(), listen(control), PORT.take(&mut receiver), PORT.give(&mut sender)).await;
}

/// A chip's number of 64 bits as a serial number.
///
/// # Panics
/// At the second call.
#[cfg(not(feature = "_stm32"))]
pub(crate) fn serial(number: u64) -> &'static str {
    static TEXT: StaticCell<heapless::String<16>> = StaticCell::new();
    let text = TEXT.init_with(heapless::String::new);
    // It has 16 digits.
    let _ = core::fmt::Write::write_fmt(text, format_args!("{number:016X}"));
    text
}

/// Tells the port whether a program listens.
async fn listen(control: ControlChanged<'static>) -> Infallible {
    loop {
        control.control_changed().await;
        PORT.set_listening(control.dtr());
    }
}

/// Tells the port whether a host uses the device. A plug that is pulled shows as a suspended bus, where the
/// chip does not see the voltage.
struct Watch;

impl Handler for Watch {
    fn enabled(&mut self, _: bool) {
        PORT.set_plugged(false);
    }

    fn reset(&mut self) {
        PORT.set_plugged(false);
    }

    fn configured(&mut self, configured: bool) {
        PORT.set_plugged(configured);
    }

    fn suspended(&mut self, suspended: bool) {
        PORT.set_plugged(!suspended);
    }
}

struct In<D: Driver<'static>>(Receiver<'static, D>);

impl<D: Driver<'static>> FromHost for In<D> {
    async fn ready(&mut self) {
        self.0.wait_connection().await;
    }

    async fn take(&mut self, packet: &mut [u8; PACKET]) -> Result<usize, Gone> {
        self.0.read_packet(packet).await.map_err(|_| Gone)
    }
}

struct Out<D: Driver<'static>>(Sender<'static, D>);

impl<D: Driver<'static>> ToHost for Out<D> {
    async fn ready(&mut self) {
        self.0.wait_connection().await;
    }

    async fn give(&mut self, packet: &[u8]) -> Result<(), Gone> {
        self.0.write_packet(packet).await.map_err(|_| Gone)
    }
}
