//! What boards with an STM32F405 have in common, whether silicon or QEMU: USART1 on PA9 (out) and PA10 (in),
//! the independent watchdog, SysTick.

use core::marker::PhantomData;

use embassy_stm32::{
    pac::{
        self, GPIOA, Interrupt, RCC,
        gpio::vals::{Moder, Pupdr},
        interrupt,
    },
    peripherals::IWDG,
    wdg::IndependentWatchdog,
};

use super::{
    BAUD, Boot, Here,
    clock::Clock,
    serial::{self, Registers, Serial},
    stm32, stm32f4,
};

/// How one board differs from another.
pub(crate) trait Variant {
    /// Name of the board.
    const NAME: &'static str;
    /// Static memory set aside for the model.
    const WORKSPACE_BYTES: usize;

    /// Sets up the clocks: 168 MHz for the processor, half of it for pac::USART1.
    fn clocks();
}

/// A board of kind `V`.
pub(crate) type Stm32F405<V> = Serial<Peripherals<V>>;

/// The peripherals used, on a board of kind `V`.
pub(crate) struct Peripherals<V> {
    watchdog: IndependentWatchdog<'static, IWDG>,
    variant: PhantomData<V>,
}

const CLOCK_HZ: u32 = 168_000_000;
const USART_HZ: u32 = CLOCK_HZ / 2;

/// PA9 and PA10.
const PINS: [usize; 2] = [9, 10];
/// Alternate function of USART1 on them (data sheet, table 9).
const USART1_FUNCTION: u8 = 7;

impl<V: Variant> Registers for Peripherals<V> {
    const NAME: &'static str = V::NAME;

    fn listen(on: bool) {
        serial::listen(Interrupt::USART1 as u16, on);
    }

    fn take() -> Option<u8> {
        let status = pac::USART1.sr().read();
        // Reading the data also takes back an overrun, which would raise the interrupt for ever.
        let data = (status.rxne() || status.ore()).then(|| pac::USART1.dr().read().dr() as u8);
        data.filter(|_| status.rxne())
    }

    fn put(byte: u8) {
        while !pac::USART1.sr().read().txe() {}
        pac::USART1.dr().write(|w| w.set_dr(byte.into()));
    }

    fn feed(&mut self) {
        self.watchdog.pet();
        stm32::keep_debuggable();
    }
}

impl<V: Variant> Boot for Stm32F405<V> {
    const WORKSPACE_BYTES: usize = V::WORKSPACE_BYTES;

    fn start() -> Self {
        V::clocks();
        stm32f4::speed_up_flash();
        RCC.ahb1enr().modify(|w| w.set_gpioaen(true));
        RCC.apb2enr().modify(|w| w.set_usart1en(true));
        for pin in PINS {
            GPIOA.afr(pin / 8).modify(|w| w.set_afr(pin % 8, USART1_FUNCTION));
            GPIOA.moder().modify(|w| w.set_moder(pin, Moder::ALTERNATE));
        }
        // Nothing may be connected.
        GPIOA.pupdr().modify(|w| w.set_pupdr(PINS[1], Pupdr::PULL_UP));
        // Sixteenths of a bit, as the reference manual's USARTDIV is read in one number.
        pac::USART1.brr().write(|w| w.0 = (USART_HZ + BAUD / 2) / BAUD);
        pac::USART1.cr1().write(|w| {
            w.set_ue(true);
            w.set_te(true);
            w.set_re(true);
            w.set_rxneie(true);
        });
        // SAFETY: nothing else uses the watchdog.
        let watchdog = stm32::watchdog(unsafe { IWDG::steal() });
        Serial::new(Peripherals { watchdog, variant: PhantomData }, Clock::start(CLOCK_HZ))
    }
}

#[interrupt]
fn USART1() {
    Here::arrived();
}
