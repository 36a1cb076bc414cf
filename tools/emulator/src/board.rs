//! The boards: those that QEMU emulates, and real ones.

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
pub const BOARDS: [Board; 5] = [
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
    Board {
        name: "netduinoplus2",
        machine: "netduinoplus2",
        processor: "STM32F405, Cortex-M4",
        cpu: "cortex-m4",
        target: "thumbv7em-none-eabihf",
    },
];

/// One emulated board a processor: the first that has it.
pub fn one_per_processor() -> impl Iterator<Item = Board> {
    let first = |at: usize| BOARDS.iter().position(|board| board.cpu == BOARDS[at].cpu) == Some(at);
    (0..BOARDS.len()).filter(move |&at| first(at)).map(|at| BOARDS[at])
}

/// A real board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hardware {
    /// Name of its folder in `hrm-firmware/boards`; its cargo feature is `board-` and this.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// The compiler's name for the processor.
    pub cpu: &'static str,
    /// Rust's name for the target.
    pub target: &'static str,
    /// probe-rs' name for the chip.
    pub chip: &'static str,
    /// Its flash, as probe-rs describes it: first address and the one behind the last.
    pub flash: (u64, u64),
    /// Where its memory map puts the pack: first address and length. The build compares it with the image.
    pub pack: (u64, u64),
    /// Bytes it sets aside for a model. The build compares this, too.
    pub workspace: u64,
}

/// Every real board. Chip names and flash are those of probe-rs' descriptions of its targets: `probe-rs chip info CHIP` prints them, and
/// `tools/chips` tests them.
pub const HARDWARE: [Hardware; 5] = [
    Hardware {
        name: "pico2",
        about: "Raspberry Pi Pico 2 (RP2350, Cortex-M33)",
        cpu: "cortex-m33",
        target: "thumbv8m.main-none-eabihf",
        chip: "RP235x",
        flash: (0x1000_0000, 0x1400_0000),
        pack: (0x1020_0000, 2 << 20),
        workspace: 416 << 10,
    },
    Hardware {
        name: "nucleo-h743zi",
        about: "ST Nucleo-144 (STM32H743ZI, Cortex-M7)",
        cpu: "cortex-m7",
        target: "thumbv7em-none-eabihf",
        chip: "STM32H743ZITx",
        flash: (0x0800_0000, 0x0820_0000),
        pack: (0x0810_0000, 1 << 20),
        workspace: 448 << 10,
    },
    Hardware {
        name: "nrf52840-dk",
        about: "Nordic nRF52840 DK (Cortex-M4)",
        cpu: "cortex-m4",
        target: "thumbv7em-none-eabihf",
        chip: "nRF52840_xxAA",
        flash: (0, 0x10_0000),
        pack: (0x8_0000, 512 << 10),
        workspace: 208 << 10,
    },
    Hardware {
        name: "olimex-h405",
        about: "Olimex STM32-H405, or any STM32F405RG with an 8 MHz crystal (Cortex-M4)",
        cpu: "cortex-m4",
        target: "thumbv7em-none-eabihf",
        chip: "STM32F405RGTx",
        flash: (0x0800_0000, 0x0810_0000),
        pack: (0x0806_0000, 640 << 10),
        workspace: 120 << 10,
    },
    Hardware {
        name: "blackpill-f411",
        about: "WeAct Black Pill (STM32F411CE, Cortex-M4)",
        cpu: "cortex-m4",
        target: "thumbv7em-none-eabihf",
        chip: "STM32F411CEUx",
        flash: (0x0800_0000, 0x0808_0000),
        pack: (0x0802_0000, 384 << 10),
        workspace: 92 << 10,
    },
];

/// Why a model does not fit a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoom {
    /// Its pack is too long.
    #[error("{needed} bytes of flash needed, {room} kept for a pack: train a smaller model")]
    Flash {
        /// Bytes of the pack.
        needed: u64,
        /// Bytes for it.
        room: u64,
    },
    /// It needs too much memory.
    #[error(
        "{needed} bytes of memory needed, {room} set aside: train a smaller model or export it with `--lanes 8`"
    )]
    Memory {
        /// Bytes of the workspace.
        needed: u64,
        /// Bytes for it.
        room: u64,
    },
}

impl Hardware {
    /// Whether it can hold a model whose pack and whose workspace have so many bytes.
    ///
    /// # Errors
    /// What there is too little of.
    pub fn hold(&self, pack: u64, workspace: u64) -> Result<(), NoRoom> {
        let (_, room) = self.pack;
        if pack > room {
            return Err(NoRoom::Flash { needed: pack, room });
        }
        if workspace > self.workspace {
            return Err(NoRoom::Memory { needed: workspace, room: self.workspace });
        }
        Ok(())
    }

    /// The board called `name`.
    pub fn find(name: &str) -> Option<Hardware> {
        HARDWARE.into_iter().find(|board| board.name == name)
    }
}

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
