//! What to do where a device does not do what it was asked: a real board is flashed, an
//! emulated one is started again.

use hrm_core::wire::{Fault, NoModel};

use crate::LinkError;
use crate::tasks::MORE_FEATURES;

/// What to do about `error` of a board on a serial line.
pub fn real(error: &LinkError) -> Option<String> {
    Some(match error {
        LinkError::Timeout(_) => {
            "is it powered, flashed (`cargo xtask run BOARD`) and started since, are transmit and receive crossed, is the baud \
             rate right, or does a segment of its model take longer (--timeout)?"
                .into()
        }
        LinkError::Stranger(stranger) if stranger.text().is_some() => {
            "another program than the HRM firmware is on the board: flash the firmware (`cargo xtask run BOARD`), or name another \
             port with --port"
                .into()
        }
        LinkError::Stranger(stranger) if !stranger.is_echo() => {
            "the baud rates of both ends may differ, or something else than the HRM firmware is there".into()
        }
        LinkError::Refused(Fault::NoModel(NoModel::Pack)) => {
            "flash one (`hrm-host device flash-pack`, or without a probe as hrm-firmware/boards/README.md says)".into()
        }
        LinkError::Refused(Fault::NoModel(NoModel::Memory)) => "flash a smaller one".into(),
        LinkError::Refused(Fault::NoModel(NoModel::Task)) => format!(
            "build one that has it, as hrm-firmware/README.md says (`{MORE_FEATURES}=task-NAME cargo xtask run BOARD`), or flash \
             a pack for another task"
        ),
        LinkError::Refused(Fault::SelfTest) => "flash program and pack again".into(),
        _ => return None,
    })
}

/// An emulated board, as far as it is known who it is.
#[derive(Clone, Copy, Debug)]
pub struct Emulated<'a> {
    /// The board's name.
    pub board: &'a str,
    /// The file of its pack.
    pub pack: &'a str,
    /// The feature by which a program has the pack's task.
    pub feature: &'a str,
}

/// One at an address, of which nothing else is known.
pub const SOMEWHERE: Emulated<'static> = Emulated { board: "BOARD", pack: "PACK", feature: "task-NAME" };

/// What to do about `error` of an emulated board.
pub fn emulated(error: &LinkError, Emulated { board, pack, feature }: Emulated<'_>) -> Option<String> {
    Some(match error {
        LinkError::Timeout(_) => {
            "is another program connected to it (an emulated board serves one at a time, the next one waits), or does a segment \
             of its model take longer (--timeout)?"
                .into()
        }
        LinkError::Stranger(_) => {
            "something else than an emulated board listens there: `hrm-host device emulate BOARD PACK` starts one, and tells its \
             address"
                .into()
        }
        LinkError::Refused(Fault::NoModel(NoModel::Pack)) => {
            format!("`hrm-host inspect {pack}` says what is wrong with the file")
        }
        LinkError::Refused(Fault::NoModel(NoModel::Memory)) => {
            "take a smaller model, the same with `export --lanes 8`, or another board".into()
        }
        LinkError::Refused(Fault::NoModel(NoModel::Task)) => format!(
            "build one that has it (`{MORE_FEATURES}={feature} cargo xtask firmware {board}`), then do this again"
        ),
        LinkError::Refused(Fault::SelfTest) => {
            format!("build its program again (`cargo xtask firmware {board}`), and export the pack again")
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// What only a real board can do.
    const REAL: [&str; 5] = ["flash", "xtask run", "baud", "powered", "reset"];

    #[test]
    fn advice_for_an_emulated_board_is_none_that_only_a_real_one_can_follow() {
        let faults = [NoModel::Pack, NoModel::Memory, NoModel::Task].map(Fault::NoModel);
        let errors = faults.into_iter().chain([Fault::SelfTest]).map(LinkError::Refused);
        let others = [LinkError::Timeout(Duration::from_secs(1)), LinkError::Stranger(Default::default())];
        for error in errors.chain(others) {
            // The error itself is told in either case.
            let told = error.to_string() + &emulated(&error, SOMEWHERE).expect("advice");
            for word in REAL {
                assert!(!told.replace("in flash", "").contains(word), "{word}: {told}");
            }
            assert!(REAL.iter().any(|word| real(&error).expect("advice").contains(word)), "{error}");
        }
        let task = LinkError::Refused(Fault::NoModel(NoModel::Task));
        let known = Emulated { board: "a-board", feature: "task-new", ..SOMEWHERE };
        let told = emulated(&task, known).unwrap();
        assert!(told.contains("HRM_FIRMWARE_FEATURES=task-new cargo xtask firmware a-board"), "{told}");
    }
}
