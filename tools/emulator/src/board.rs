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
    /// The compiler's name for the processor.
    pub cpu: &'static str,
    /// Rust's name for the target.
    pub target: &'static str,
}

/// Every emulated board.
pub const BOARDS: [Board; 4] = [
    Board {
        name: "mps2-an386",
        machine: "mps2-an386",
        processor: "Cortex-M4",
        cpu: "cortex-m4",
        target: "thumbv7em-none-eabihf",
    },
    Board {
        name: "mps2-an500",
        machine: "mps2-an500",
        processor: "Cortex-M7",
        cpu: "cortex-m7",
        target: "thumbv7em-none-eabihf",
    },
    Board {
        name: "mps2-an505",
        machine: "mps2-an505",
        processor: "Cortex-M33",
        cpu: "cortex-m33",
        target: "thumbv8m.main-none-eabihf",
    },
    Board {
        name: "mps3-an547",
        machine: "mps3-an547",
        processor: "Cortex-M55",
        cpu: "cortex-m55",
        target: "thumbv8m.main-none-eabihf",
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
