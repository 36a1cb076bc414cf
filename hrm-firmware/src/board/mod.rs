//! The boards. One is chosen by a `board-...` feature; the rest of the program knows it as [`Here`].

use hrm_core::wire::SelfTestState;
use hrm_firmware::{Board, Event, Exit};

mod clock;
pub(crate) mod stack;

#[cfg(feature = "_mps")]
mod mps2;
#[cfg(feature = "_register-uart")]
mod serial;

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

/// What start-up needs of a board, beyond what the application does.
pub(crate) trait Boot: Board {
    /// Static memory set aside for the model, in bytes.
    const WORKSPACE_BYTES: usize;

    /// Switches on what the application uses. Called once, before anything else.
    fn start() -> Self;

    /// Leaves the program: tells an emulator how it ended, restarts a real board.
    fn exit(exit: Exit) -> !;
}

/// Writes `event` to defmt's log.
fn log(event: Event) {
    match event {
        Event::Refused { .. } | Event::Noise(_) => defmt::warn!("{}", event),
        Event::NoModel(_) | Event::SelfTest(SelfTestState::Failed { .. }) => defmt::error!("{}", event),
        _ => defmt::info!("{}", event),
    }
}
