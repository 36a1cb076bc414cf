//! The boards that QEMU emulates.

/// A board, as the build and the emulator know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Board {
    /// Name of its folder in `hrm-firmware/boards`; its cargo feature is `board-` and this.
    pub name: &'static str,
    /// QEMU's name for the machine.
    pub machine: &'static str,
    /// What it stands for.
    pub processor: &'static str,
    /// Rust's name for the target.
    pub target: &'static str,
}

/// Every emulated board.
pub const BOARDS: [Board; 2] = [
    Board {
        name: "mps2-an386",
        machine: "mps2-an386",
        processor: "Cortex-M4",
        target: "thumbv7em-none-eabihf",
    },
    Board {
        name: "mps2-an500",
        machine: "mps2-an500",
        processor: "Cortex-M7",
        target: "thumbv7em-none-eabihf",
    },
];

impl Board {
    /// The board called `name`.
    pub fn find(name: &str) -> Option<Board> {
        BOARDS.into_iter().find(|board| board.name == name)
    }

    /// The cargo feature of `hrm-firmware` that chooses it.
    pub fn feature(&self) -> String {
        format!("board-{}", self.name)
    }
}
