//! ST Nucleo-144 with an STM32H743ZI: a Cortex-M7 at 400 MHz. The link is the user's USB port (PA11, PA12),
//! or the debugger's virtual serial port (USART3, PD8 out, PD9 in).

use embassy_stm32::{
    bind_interrupts,
    peripherals::{IWDG1, USART3},
    usart::{BufferedInterruptHandler, BufferedUart},
    wdg::IndependentWatchdog,
};

use super::{
    Boot,
    clock::Clock,
    hal::Hal,
    otg, stm32, stm32h743,
    usb::{self, WithUsb},
};

bind_interrupts!(struct Interrupts {
    USART3 => BufferedInterruptHandler<USART3>;
});

const NAME: &str = "nucleo-h743zi";

/// This board.
pub(crate) type Here = Hal<WithUsb<BufferedUart<'static>>, IndependentWatchdog<'static, IWDG1>>;

impl Boot for Here {
    const WORKSPACE_BYTES: usize = 448 * 1024;

    fn start() -> Self {
        let p = stm32h743::start();
        let uart = stm32::uart(p.USART3, p.PD9, p.PD8, Interrupts);
        otg::start(p.USB_OTG_FS, p.PA12, p.PA11, NAME);
        let watchdog = stm32::watchdog(p.IWDG1);
        Self { name: NAME, uart: usb::beside(uart), watchdog, clock: Clock::start(stm32h743::CLOCK_HZ) }
    }
}
