//! The boards. One is chosen by a `board-...` feature; the rest of the program knows it as [`Here`].

use hrm_core::wire::SelfTestState;
use hrm_firmware::{Board, Event, Exit};

#[cfg_attr(target_arch = "riscv32", path = "mtime.rs")]
mod clock;
pub(crate) mod stack;

#[cfg(feature = "_hal")]
mod hal;
#[cfg(feature = "_mps")]
mod mps2;
#[cfg(feature = "_otg")]
mod otg;
#[cfg(feature = "_register-uart")]
mod serial;
#[cfg(feature = "_stm32")]
mod stm32;
#[cfg(feature = "_stm32f4")]
mod stm32f4;
#[cfg(feature = "_stm32f405")]
mod stm32f405;
#[cfg(feature = "_stm32h743")]
mod stm32h743;
#[cfg(feature = "_usb")]
mod usb;

#[cfg(feature = "board-blackpill-f411")]
mod blackpill_f411;
#[cfg(feature = "board-blackpill-f411")]
pub(crate) use blackpill_f411::BlackPillF411 as Here;

#[cfg(feature = "board-mps2-an385")]
mod mps2_an385;
#[cfg(feature = "board-mps2-an385")]
pub(crate) use mps2_an385::MpsAn385 as Here;

#[cfg(feature = "board-mps2-an386")]
mod mps2_an386;
#[cfg(feature = "board-mps2-an386")]
pub(crate) use mps2_an386::MpsAn386 as Here;

#[cfg(feature = "board-mps2-an500")]
mod mps2_an500;
#[cfg(feature = "board-mps2-an500")]
pub(crate) use mps2_an500::MpsAn500 as Here;

#[cfg(feature = "board-mps2-an505")]
mod mps2_an505;
#[cfg(feature = "board-mps2-an505")]
pub(crate) use mps2_an505::MpsAn505 as Here;

#[cfg(feature = "board-mps3-an547")]
mod mps3_an547;
#[cfg(feature = "board-mps3-an547")]
pub(crate) use mps3_an547::MpsAn547 as Here;

#[cfg(feature = "board-netduinoplus2")]
mod netduinoplus2;
#[cfg(feature = "board-netduinoplus2")]
pub(crate) use netduinoplus2::NetduinoPlus2 as Here;

#[cfg(feature = "board-olimex-h405")]
mod olimex_h405;
#[cfg(feature = "board-olimex-h405")]
pub(crate) use olimex_h405::OlimexH405 as Here;

#[cfg(feature = "board-nrf52840-dk")]
mod nrf52840_dk;
#[cfg(feature = "board-nrf52840-dk")]
pub(crate) use nrf52840_dk::Nrf52840Dk as Here;

#[cfg(feature = "board-nucleo-h743zi")]
mod nucleo_h743zi;
#[cfg(feature = "board-nucleo-h743zi")]
pub(crate) use nucleo_h743zi::NucleoH743Zi as Here;

#[cfg(feature = "board-virt-rv32")]
mod virt_rv32;
#[cfg(feature = "board-virt-rv32")]
pub(crate) use virt_rv32::VirtRv32 as Here;

#[cfg(feature = "board-pico2")]
mod pico2;
#[cfg(feature = "board-pico2")]
pub(crate) use pico2::Pico2 as Here;

/// Speed of the link, on every board that has one; an emulator sends at once.
#[cfg(target_arch = "arm")]
const BAUD: u32 = 115_200;

/// What start-up needs of a board, beyond what the application does.
pub(crate) trait Boot: Board {
    /// Static memory set aside for the model, in bytes.
    const WORKSPACE_BYTES: usize;

    /// Whether a pack that fits beside the model's memory is copied there: where flash is slower than the processor by far.
    const PACK_TO_RAM: bool = false;

    /// Switches on what the application uses. Called once, before anything else.
    fn start() -> Self;

    /// Leaves the program: tells an emulator how it ended, restarts a real board.
    fn exit(exit: Exit) -> !;
}

/// Whether feeds reach the watchdog: always, but in a program that is there to try it.
fn feeds(clock: &clock::Clock) -> bool {
    const TRIED_AFTER_US: u64 = 10_000_000;
    !cfg!(feature = "_unfed") || clock.micros() < TRIED_AFTER_US
}

/// Writes `event` to defmt's log.
fn log(event: Event) {
    match event {
        Event::Refused { .. } | Event::Noise(_) => defmt::warn!("{}", event),
        Event::NoModel(_) | Event::SelfTest(SelfTestState::Failed { .. }) => defmt::error!("{}", event),
        _ => defmt::info!("{}", event),
    }
}

/// Sleeps until an interrupt. A debugger keeps the processor awake: it loses an STM32 that sleeps, once it has put back the
/// bits that keep the clock of the debug port on.
#[cfg(target_arch = "arm")]
fn sleep() {
    if !(cfg!(feature = "_hardware") && cortex_m::peripheral::DCB::is_debugger_attached()) {
        cortex_m::asm::wfi();
    }
}

/// Sleeps until an interrupt.
#[cfg(target_arch = "riscv32")]
fn sleep() {
    // SAFETY: waits.
    unsafe { core::arch::asm!("wfi") };
}

/// Lets interrupts in, those that are listened to.
#[cfg(feature = "_register-uart")]
fn allow_interrupts() {
    // SAFETY: their handlers share what has a lock.
    #[cfg(target_arch = "arm")]
    unsafe {
        cortex_m::interrupt::enable();
    }
    // SAFETY: as above.
    #[cfg(target_arch = "riscv32")]
    unsafe {
        core::arch::asm!("csrsi mstatus, 8");
    }
}

/// Restarts a real board.
#[cfg(feature = "_hardware")]
#[allow(dead_code, reason = "an RP2350's peripherals want more than that")]
fn restart() -> ! {
    wait_for_probe();
    cortex_m::peripheral::SCB::sys_reset()
}

/// Gives a debug probe a moment to read the last of the log.
#[cfg(feature = "_hardware")]
fn wait_for_probe() {
    cortex_m::asm::delay(50_000_000);
}
