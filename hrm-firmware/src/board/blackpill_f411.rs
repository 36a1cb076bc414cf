//! WeAct Black Pill with an STM32F411CE: a Cortex-M4F at 96 MHz. The link is the USB port (PA11, PA12), or
//! USART1 (PA9 out, PA10 in).

use embassy_stm32::{
    bind_interrupts,
    peripherals::{IWDG, USART1},
    rcc::{APBPrescaler, PllMul, PllPreDiv, PllQDiv},
    time::Hertz,
    usart::{BufferedInterruptHandler, BufferedUart},
    wdg::IndependentWatchdog,
};

use super::{
    Boot,
    clock::Clock,
    hal::Hal,
    otg, stm32, stm32f4,
    usb::{self, WithUsb},
};

bind_interrupts!(struct Interrupts {
    USART1 => BufferedInterruptHandler<USART1>;
});

const NAME: &str = "blackpill-f411";
const CLOCK_HZ: u32 = 96_000_000;

const CRYSTAL: Hertz = Hertz(25_000_000);
/// 25 MHz / 25 x 192 / 2 = 96 MHz, and / 4 = 48 MHz for USB, which the highest 100 MHz
/// would not leave room for.
const PLL: (PllPreDiv, PllMul, PllQDiv) = (PllPreDiv::DIV25, PllMul::MUL192, PllQDiv::DIV4);

/// This board.
pub(crate) type Here = Hal<WithUsb<BufferedUart<'static>>, IndependentWatchdog<'static, IWDG>>;

impl Boot for Here {
    const WORKSPACE_BYTES: usize = 92 * 1024;

    fn start() -> Self {
        let p = embassy_stm32::init(stm32f4::clocks(CRYSTAL, PLL, [APBPrescaler::DIV2, APBPrescaler::DIV1]));
        stm32f4::speed_up_flash();
        let uart = stm32::uart(p.USART1, p.PA10, p.PA9, Interrupts);
        otg::start(p.USB_OTG_FS, p.PA12, p.PA11, NAME);
        let watchdog = stm32::watchdog(p.IWDG);
        Self { name: NAME, uart: usb::beside(uart), watchdog, clock: Clock::start(CLOCK_HZ) }
    }
}
