//! ST Nucleo-144 with an STM32H743ZI: a Cortex-M7 at 400 MHz, both caches on. The link is the user's USB port (PA11, PA12), or the
//! debugger's virtual serial port (USART3, PD8 out, PD9 in).

use cortex_m::Peripherals;
use embassy_stm32::{
    Config, bind_interrupts,
    gpio::Pull,
    pac::{CRS, DBGMCU, FMC, RCC, crs::vals::Syncsrc},
    peripherals::{IWDG1, USART3},
    rcc::{
        AHBPrescaler, APBPrescaler, HSIPrescaler, Hsi48Config, Pll, PllDiv, PllMul, PllPreDiv, PllSource,
        Sysclk, VoltageScale, mux::Usbsel,
    },
    usart::{self, BufferedInterruptHandler, BufferedUart},
    wdg::IndependentWatchdog,
};
use hrm_firmware::Exit;

use super::{
    BAUD, Boot,
    clock::Clock,
    hal::{Hal, buffers},
    otg,
    usb::{self, WithUsb},
};

bind_interrupts!(struct Interrupts {
    USART3 => BufferedInterruptHandler<USART3>;
});

const NAME: &str = "nucleo-h743zi";
const CLOCK_HZ: u32 = 400_000_000;

/// Longer than the slowest block of the largest model that fits, by far.
const WATCHDOG_US: u32 = 8_000_000;

/// This board.
pub(crate) type NucleoH743Zi = Hal<WithUsb<BufferedUart<'static>>, IndependentWatchdog<'static, IWDG1>>;

impl Boot for NucleoH743Zi {
    const WORKSPACE_BYTES: usize = 448 * 1024;

    fn start() -> Self {
        work_around();
        let p = embassy_stm32::init(clocks());
        sync_to_frames();
        // SAFETY: nothing else in the program uses the caches' controls.
        let mut core = unsafe { Peripherals::steal() };
        core.SCB.enable_icache();
        core.SCB.enable_dcache(&mut core.CPUID);
        let mut line = usart::Config::default();
        line.baudrate = BAUD;
        line.rx_pull = Pull::Up; // nothing may be connected
        let (rx, tx) = buffers();
        let Ok(uart) = BufferedUart::new(p.USART3, p.PD9, p.PD8, tx, rx, Interrupts, line) else {
            defmt::panic!("USART3 cannot have {} baud from this clock", BAUD);
        };
        otg::start(p.USB_OTG_FS, p.PA12, p.PA11, NAME);
        let mut watchdog = IndependentWatchdog::new(p.IWDG1, WATCHDOG_US);
        watchdog.unleash();
        Self { name: NAME, uart: usb::beside(uart), watchdog, clock: Clock::start(CLOCK_HZ) }
    }

    fn exit(_: Exit) -> ! {
        super::restart()
    }
}

/// 64 MHz (internal) / 4 x 50 / 2 = 400 MHz, which every revision of the chip can do.
fn clocks() -> Config {
    let mut config = Config::default();
    config.rcc.hsi = Some(HSIPrescaler::DIV1);
    config.rcc.pll1 = Some(Pll {
        source: PllSource::HSI,
        prediv: PllPreDiv::DIV4,
        mul: PllMul::MUL50,
        fracn: None,
        divp: Some(PllDiv::DIV2),
        divq: Some(PllDiv::DIV8),
        divr: None,
    });
    config.rcc.sys = Sysclk::PLL1_P;
    config.rcc.ahb_pre = AHBPrescaler::DIV2;
    config.rcc.apb1_pre = APBPrescaler::DIV2;
    config.rcc.apb2_pre = APBPrescaler::DIV2;
    config.rcc.apb3_pre = APBPrescaler::DIV2;
    config.rcc.apb4_pre = APBPrescaler::DIV2;
    // The USB port's 48 MHz, which `sync_to_frames` keeps exact.
    config.rcc.mux.usbsel = Usbsel::HSI48;
    config.rcc.hsi48 = Some(Hsi48Config { sync_from_usb: true });
    config.rcc.voltage_scale = VoltageScale::Scale1;
    config
}

/// The first revision (V) whose AXI RAM is sound and whose clock recovery knows USB2 as source 3. Older boards have Y.
const REVISION_V: u16 = 0x2000;

fn is_before_revision_v() -> bool {
    DBGMCU.idc().read().rev_id() < REVISION_V
}

/// What ST's own start-up code does before anything uses the AXI RAM.
fn work_around() {
    /// `AXI_TARG7_FN_MOD`, the issuing functions of the interconnect's port to the AXI RAM; bit 0 lets one read at a time through.
    const AXI_RAM_ISSUING: *mut u32 = 0x5100_8108 as *mut u32;
    if is_before_revision_v() {
        // Reads that overlap may return wrong data (ST's errata ES0392, 2.2.10).
        // SAFETY: a register of the interconnect, as the reference manual RM0433 has it; it changes no memory.
        unsafe { AXI_RAM_ISSUING.write_volatile(1) };
    }
    // On after reset; the processor may read ahead from external memory that is not there.
    RCC.ahb3enr().modify(|w| w.set_fmcen(true));
    FMC.bcr1().modify(|w| w.set_mbken(false));
    RCC.ahb3enr().modify(|w| w.set_fmcen(false));
}

/// Trims the internal 48 MHz by the frames of the port on PA11 and PA12, USB2, which ST's header calls source 3, and for chips
/// before revision V, 0. embassy-stm32 selects source 2, and that is USB1, the port that this board does not bring out.
fn sync_to_frames() {
    let source = if is_before_revision_v() { 0 } else { 3 };
    // The source can be written only while the counter rests.
    CRS.cr().modify(|w| w.set_cen(false));
    CRS.cfgr().modify(|w| w.set_syncsrc(Syncsrc::from_bits(source)));
    CRS.cr().modify(|w| w.set_cen(true));
}
