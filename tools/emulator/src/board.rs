//! The boards: those that QEMU emulates, and real ones.

use crate::tasks::stack_for;
use crate::uf2::Part;

/// QEMU's program for 32-bit Arm machines.
pub const QEMU: &str = "qemu-system-arm";
/// QEMU's program for 32-bit RISC-V machines.
pub const QEMU_RISCV: &str = "qemu-system-riscv32";

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
    /// Whether all kernels, or all but the product, are the portable ones, which take an
    /// emulator several times as long.
    pub slow: bool,
}

/// A board whose machine has its name, and whose processor kernels of its own.
const fn emulated(
    name: &'static str,
    processor: &'static str,
    cpu: &'static str,
    target: &'static str,
) -> Board {
    Board { name, machine: name, processor, cpu, target, slow: false }
}

/// Every emulated board.
pub const BOARDS: [Board; 7] = [
    emulated("mps2-an386", "Cortex-M4", "cortex-m4", "thumbv7em-none-eabihf"),
    emulated("mps2-an500", "Cortex-M7", "cortex-m7", "thumbv7em-none-eabihf"),
    emulated("mps2-an505", "Cortex-M33", "cortex-m33", "thumbv8m.main-none-eabihf"),
    emulated("mps3-an547", "Cortex-M55", "cortex-m55", "thumbv8m.main-none-eabihf"),
    emulated("netduinoplus2", "STM32F405, Cortex-M4", "cortex-m4", "thumbv7em-none-eabihf"),
    Board { slow: true, ..emulated("mps2-an385", "Cortex-M0+", "cortex-m0plus", "thumbv6m-none-eabi") },
    Board {
        machine: "virt",
        slow: true,
        ..emulated("virt-rv32", "RV32IMAC", "generic-rv32", "riscv32imac-unknown-none-elf")
    },
];

/// One emulated board a processor: the first that has it.
pub fn one_per_processor() -> impl Iterator<Item = Board> {
    let first = |at: usize| BOARDS.iter().position(|board| board.cpu == BOARDS[at].cpu) == Some(at);
    (0..BOARDS.len()).filter(move |&at| first(at)).map(|at| BOARDS[at])
}

/// The emulated boards that also exist with a corrupted kernel: one an instruction set. What slips is the
/// same code on every board.
pub fn corrupted() -> impl Iterator<Item = Board> {
    let first = |at: usize| BOARDS.iter().position(|b| b.is_riscv() == BOARDS[at].is_riscv()) == Some(at);
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
    /// Bytes it keeps for the stack. And this.
    pub stack: u64,
    /// Its processor's clock.
    pub hz: u64,
    /// What its flash gives at most, where that is outside the chip and slower than the processor.
    pub flash_bytes_a_second: Option<u64>,
    /// Whether a pack that fits there, beside the model's memory, is copied to RAM.
    pub pack_to_ram: bool,
    /// The family of UF2 files that its boot ROM takes on the drive that it shows, if it shows one.
    pub uf2: Option<u32>,
}

/// Every real board. Chip names and flash are those of probe-rs' descriptions of its targets:
/// `probe-rs chip info CHIP` prints them, and `tools/chips` tests them.
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
        stack: 64 * 1024,
        hz: 150_000_000,
        flash_bytes_a_second: Some(25_000_000),
        pack_to_ram: true,
        uf2: Some(crate::uf2::RP2350_ARM_S),
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
        stack: 64 * 1024,
        hz: 400_000_000,
        flash_bytes_a_second: None,
        pack_to_ram: false,
        uf2: None,
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
        stack: 32 * 1024,
        hz: 64_000_000,
        flash_bytes_a_second: None,
        pack_to_ram: false,
        uf2: None,
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
        stack: 32 * 1024,
        hz: 168_000_000,
        flash_bytes_a_second: None,
        pack_to_ram: false,
        uf2: None,
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
        stack: 20 * 1024,
        hz: 96_000_000,
        flash_bytes_a_second: None,
        pack_to_ram: false,
        uf2: None,
    },
];

/// What installs the program that flashes real boards, in the version that reaches all of them:
/// 0.32.0 fails on most RP2350s.
pub const INSTALL_PROBE_RS: &str = "cargo install probe-rs-tools --version 0.31.0 --locked";

/// Where the ways to flash a board are that need no probe.
pub const WITHOUT_A_PROBE: &str = "hrm-firmware/boards/README.md, \"Without a probe\"";

/// A board without a drive for UF2 files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the boot ROM of {name} takes no UF2 files; other ways to flash it: {WITHOUT_A_PROBE}")]
pub struct NoDrive {
    name: &'static str,
}

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
    /// Solving its task needs too much stack.
    #[error("{needed} bytes of stack needed to solve such puzzles, {room} kept for it: take another board")]
    Stack {
        /// Bytes of the stack.
        needed: u64,
        /// Bytes for it.
        room: u64,
    },
}

impl Hardware {
    /// Whether it can hold a model of `task` whose pack and whose workspace have so many bytes.
    ///
    /// # Errors
    /// What there is too little of.
    pub fn hold(&self, task: &str, pack: u64, workspace: u64) -> Result<(), NoRoom> {
        let stack = stack_for(task);
        if stack > self.stack {
            return Err(NoRoom::Stack { needed: stack, room: self.stack });
        }
        let (_, room) = self.pack;
        if pack > room {
            return Err(NoRoom::Flash { needed: pack, room });
        }
        if workspace > self.workspace {
            return Err(NoRoom::Memory { needed: workspace, room: self.workspace });
        }
        Ok(())
    }

    /// `pack` where its boot ROM is to put it.
    ///
    /// # Errors
    /// Where it takes no UF2 files.
    pub fn uf2_pack(&self, pack: Vec<u8>) -> Result<(u32, Part), NoDrive> {
        let family = self.uf2.ok_or(NoDrive { name: self.name })?;
        Ok((family, Part { start: self.pack.0 as u32, bytes: pack }))
    }

    /// What to try where probe-rs failed: what is known to fail on this board, and the ways around the probe.
    pub fn hint(&self) -> String {
        let known = match self.chip {
            "RP235x" => format!(
                "other versions of probe-rs than that of `{INSTALL_PROBE_RS}` may not reach an RP2350; "
            ),
            chip if chip.starts_with("nRF") => {
                "a locked chip is unlocked by erasing all of it, once: add `-- --allow-erase-all` when you flash the program, \
                 and flash the pack after it; "
                    .into()
            }
            chip if chip.starts_with("STM32") => {
                "a board that does not answer: unplug it and plug it in again, or add `-- --connect-under-reset` (the probe's \
                 reset line must be connected); "
                    .into()
            }
            _ => String::new(),
        };
        format!("{known}without a probe: {WITHOUT_A_PROBE}")
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

    /// The program of QEMU's that has the machine.
    pub fn emulator(&self) -> &'static str {
        if self.is_riscv() { QEMU_RISCV } else { QEMU }
    }

    /// What that is told of the machine.
    pub fn options(&self) -> Vec<&'static str> {
        let mut options = vec!["-machine", self.machine, "-display", "none"];
        if self.is_riscv() {
            // No firmware but ours.
            options.extend(["-bios", "none"]);
        }
        options
    }

    fn is_riscv(&self) -> bool {
        self.target.starts_with("riscv")
    }

    /// The cargo feature of `hrm-firmware` that chooses it.
    pub fn feature(&self) -> String {
        format!("board-{}", self.name)
    }
}
