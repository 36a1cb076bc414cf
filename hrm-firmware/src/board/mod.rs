//! The boards. One is chosen by a `board-...` feature; the rest of the program knows it as [`Here`].

use hrm_core::wire::SelfTestState;
use hrm_firmware::{Board, Event, Exit};

#[cfg_attr(target_arch = "riscv32", path = "mtime.rs")]
mod clock;
pub(crate) mod stack;

#[cfg(feature = "_hal")]
mod hal;
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

#[cfg_attr(feature = "_mps", path = "mps2.rs")]
#[cfg_attr(feature = "board-blackpill-f411", path = "blackpill_f411.rs")]
#[cfg_attr(feature = "board-netduinoplus2", path = "netduinoplus2.rs")]
#[cfg_attr(feature = "board-nrf52840-dk", path = "nrf52840_dk.rs")]
#[cfg_attr(feature = "board-nucleo-h743zi", path = "nucleo_h743zi.rs")]
#[cfg_attr(feature = "board-olimex-h405", path = "olimex_h405.rs")]
#[cfg_attr(feature = "board-pico2", path = "pico2.rs")]
#[cfg_attr(feature = "board-virt-rv32", path = "virt_rv32.rs")]
mod chosen;
pub(crate) use chosen::Here;

/// Speed of the link, on every board that has one; an emulator sends at once.
#[cfg(target_arch = "arm")]
const BAUD: u32 = 115_200;

/// What start-up needs of a board, beyond what the application does.
pub(crate) trait Boot: Board {
    /// Static memory set aside for the model, in bytes.
    const WORKSPACE_BYTES: usize;

    /// Whether a pack that fits beside the model's memory is copied there: where flash is slower
    /// than the processor by far.
    const PACK_TO_RAM: bool = false;

    /// Switches on what the application uses. Called once, before anything else.
    fn start() -> Self;

    /// Leaves the program: tells an emulator how it ended, restarts a real board.
    fn exit(exit: Exit) -> ! {
        leave(exit)
    }
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

/// Sleeps until an interrupt. A debugger keeps the processor awake: it loses an STM32 that sleeps, once it
/// has put back the bits that keep the clock of the debug port on.
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

/// Tells the emulator how the program ended.
#[cfg(feature = "_semihosting")]
fn leave(exit: Exit) -> ! {
    semihosting::process::exit(exit.code().into())
}

/// Restarts a real board.
#[cfg(feature = "_hardware")]
fn leave(_: Exit) -> ! {
    wait_for_probe();
    cortex_m::peripheral::SCB::sys_reset()
}

/// Gives a debug probe a moment to read the last of the log.
#[cfg(feature = "_hardware")]
fn wait_for_probe() {
    cortex_m::asm::delay(50_000_000);
}
