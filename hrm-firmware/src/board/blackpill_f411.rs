//! WeAct Black Pill with an STM32F411CE: a Cortex-M4F at 96 MHz. The link is the USB port (PA11, PA12), or USART1 (PA9 out, PA10 in).

use embassy_stm32::{
    Config, bind_interrupts,
    gpio::Pull,
    peripherals::{IWDG, USART1},
    rcc::{
        AHBPrescaler, APBPrescaler, Hse, HseMode, Pll, PllMul, PllPDiv, PllPreDiv, PllQDiv, PllSource, Sysclk,
    },
    time::Hertz,
    usart::{self, BufferedInterruptHandler, BufferedUart},
    wdg::IndependentWatchdog,
};
use hrm_firmware::Exit;

use super::{
    BAUD, Boot,
    clock::Clock,
    hal::{Hal, buffers},
    otg, stm32f4,
    usb::{self, WithUsb},
};

bind_interrupts!(struct Interrupts {
    USART1 => BufferedInterruptHandler<USART1>;
});

const NAME: &str = "blackpill-f411";
const CLOCK_HZ: u32 = 96_000_000;

/// Longer than the slowest block of the largest model that fits, by far.
const WATCHDOG_US: u32 = 8_000_000;

/// This board.
pub(crate) type BlackPillF411 = Hal<WithUsb<BufferedUart<'static>>, IndependentWatchdog<'static, IWDG>>;

impl Boot for BlackPillF411 {
    const WORKSPACE_BYTES: usize = 92 * 1024;

    fn start() -> Self {
        let p = embassy_stm32::init(clocks());
        stm32f4::speed_up_flash();
        let mut line = usart::Config::default();
        line.baudrate = BAUD;
        line.rx_pull = Pull::Up; // nothing may be connected
        let (rx, tx) = buffers();
        let Ok(uart) = BufferedUart::new(p.USART1, p.PA10, p.PA9, tx, rx, Interrupts, line) else {
            defmt::panic!("USART1 cannot have {} baud from this clock", BAUD);
        };
        otg::start(p.USB_OTG_FS, p.PA12, p.PA11, NAME);
        let mut watchdog = IndependentWatchdog::new(p.IWDG, WATCHDOG_US);
        watchdog.unleash();
        Self { name: NAME, uart: usb::beside(uart), watchdog, clock: Clock::start(CLOCK_HZ) }
    }

    fn exit(_: Exit) -> ! {
        super::restart()
    }
}

/// 25 MHz (crystal) / 25 x 192 / 2 = 96 MHz, and / 4 = 48 MHz for USB, which the highest 100 MHz would not leave room for.
fn clocks() -> Config {
    let mut config = Config::default();
    config.rcc.hse = Some(Hse { freq: Hertz(25_000_000), mode: HseMode::Oscillator });
    config.rcc.pll_src = PllSource::HSE;
    config.rcc.pll = Some(Pll {
        prediv: PllPreDiv::DIV25,
        mul: PllMul::MUL192,
        divp: Some(PllPDiv::DIV2),
        divq: Some(PllQDiv::DIV4),
        divr: None,
    });
    config.rcc.sys = Sysclk::PLL1_P;
    config.rcc.ahb_pre = AHBPrescaler::DIV1;
    config.rcc.apb1_pre = APBPrescaler::DIV2;
    config.rcc.apb2_pre = APBPrescaler::DIV1;
    config
}
