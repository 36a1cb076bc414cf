//! `cargo xtask uf2`: a real board's program, and its pack with it, for the drive that its boot ROM shows.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use hrm_core::pack::{AlignedBytes, Pack};
use hrm_core::workspace_bytes;
use hrm_emulator::board::{HARDWARE, Hardware};
use hrm_emulator::image::{IMAGES, Image};
use hrm_emulator::tasks::{MORE_FEATURES, feature_for};
use hrm_emulator::uf2::{self, Part};

use crate::firmware::{build_plain, more_features};
use crate::run::target;

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
        let aligned = AlignedBytes::copy_of(&pack.bytes);
        let open =
            Pack::open(aligned.bytes()).with_context(|| format!("{} is no sound pack", path.display()))?;
        board
            .hold(open.header()?.task, pack.bytes.len() as u64, workspace_bytes(open.shape()) as u64)
            .with_context(|| format!("{} does not fit {}", path.display(), board.name))?;
        let task = open.header()?.task;
        if let Some(feature) = feature_for(task).filter(|needed| !more_features().any(|own| own == *needed)) {
            bail!(
                "{} is for {task}, which this program would not have: set {MORE_FEATURES}={feature}",
                path.display()
            );
        }
    }
    build_plain(&[(&board).into()])?;
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
