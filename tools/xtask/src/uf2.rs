//! `cargo xtask uf2`: a real board's program, and its pack with it, for the drive that its boot ROM shows.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use hrm_core::pack::{AlignedBytes, Pack};
use hrm_emulator::board::{HARDWARE, Hardware};
use hrm_emulator::image::{IMAGES, Image};
use hrm_emulator::uf2::{self, Part};

use crate::firmware::{Variant, build};
use crate::run::target;
use crate::setup::setup;

/// Write a UF2 file.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Board
    #[arg(default_value = "pico2")]
    board: String,
    /// A pack that goes into the same file; `hrm-host device uf2` makes a file of a pack alone
    #[arg(long, value_name = "FILE")]
    pack: Option<PathBuf>,
}

/// Runs the task.
pub(crate) fn task(args: &Args) -> Result<()> {
    let board = Hardware::find(&args.board).with_context(|| {
        format!(
            "there is no real board {}; boards: {}",
            args.board,
            HARDWARE.map(|board| board.name).join(", ")
        )
    })?;
    let pack = match &args.pack {
        Some(path) => fs::read(path).with_context(|| format!("cannot read {}", path.display()))?,
        None => Vec::new(),
    };
    let (family, pack) = board.uf2_pack(pack)?;
    if let Some(path) = &args.pack {
        Pack::open(AlignedBytes::copy_of(&pack.bytes).bytes())
            .with_context(|| format!("{} is no sound pack", path.display()))?;
        board.hold(pack.bytes.len() as u64, 0)?;
    }
    build(setup(false, false)?, &[(&board).into()], &[Variant::Plain])?;
    let (start, bytes) = Image::built(board.name)?.flashed();
    let program = Part { start: u32::try_from(start)?, bytes };
    let parts = if args.pack.is_some() { vec![program, pack] } else { vec![program] };
    let path = target().join(IMAGES).join(format!("{}.uf2", board.name));
    fs::write(&path, uf2::file(family, parts)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!(
        "wrote {}\nhold the board's BOOTSEL button while you plug it in, and copy the file to the drive that appears",
        path.display()
    );
    Ok(())
}
