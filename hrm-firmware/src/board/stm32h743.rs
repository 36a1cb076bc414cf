//! What boards with an STM32H743 or its like (H742, H750, H753) have in common: 400 MHz from the internal
//! oscillator, so that no crystal matters, both caches on, and what its revisions need.

use cortex_m::Peripherals as Core;
use embassy_stm32::{
    Config, Peripherals,
    pac::{CRS, DBGMCU, FMC, RCC, crs::vals::Syncsrc},
    rcc::{
        AHBPrescaler, APBPrescaler, HSIPrescaler, Hsi48Config, Pll, PllDiv, PllMul, PllPreDiv, PllSource,
        Sysclk, VoltageScale, mux::Usbsel,
    },
};

/// The processor's.
pub(crate) const CLOCK_HZ: u32 = 400_000_000;

/// Starts the chip. USB has 48 MHz.
pub(crate) fn start() -> Peripherals {
    work_around();
    let peripherals = embassy_stm32::init(clocks());
    sync_to_frames();
    // SAFETY: nothing else in the program uses the caches' controls.
    let mut core = unsafe { Core::steal() };
    core.SCB.enable_icache();
    core.SCB.enable_dcache(&mut core.CPUID);
    peripherals
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

/// The first revision (V) whose AXI RAM is sound and whose clock recovery knows USB2 as
/// source 3. Older boards have Y.
const REVISION_V: u16 = 0x2000;

fn is_before_revision_v() -> bool {
    DBGMCU.idc().read().rev_id() < REVISION_V
}

/// What ST's own start-up code does before anything uses the AXI RAM.
fn work_around() {
    /// `AXI_TARG7_FN_MOD`, the issuing functions of the interconnect's port to the AXI RAM; bit 0 lets
    /// one read at a time through.
    const AXI_RAM_ISSUING: *mut u32 = 0x5100_8108 as *mut u32;
    if is_before_revision_v() {
        // Reads that overlap may return wrong data (ST's errata ES0392, 2.2.10). SAFETY: a register of the
        // interconnect, as the reference manual RM0433 has it; it changes no memory.
        unsafe { AXI_RAM_ISSUING.write_volatile(1) };
    }
    // On after reset; the processor may read ahead from external memory that is not there.
    RCC.ahb3enr().modify(|w| w.set_fmcen(true));
    FMC.bcr1().modify(|w| w.set_mbken(false));
    RCC.ahb3enr().modify(|w| w.set_fmcen(false));
}

/// Trims the internal 48 MHz by the frames of the port on PA11 and PA12, USB2, which ST's header calls source
/// 3, and for chips before revision V, 0. embassy-stm32 selects source 2, and that is USB1, the port that
/// this board does not bring out.
fn sync_to_frames() {
    let source = if is_before_revision_v() { 0 } else { 3 };
    // The source can be written only while the counter rests.
    CRS.cr().modify(|w| w.set_cen(false));
    CRS.cfgr().modify(|w| w.set_syncsrc(Syncsrc::from_bits(source)));
    CRS.cr().modify(|w| w.set_cen(true));
}
