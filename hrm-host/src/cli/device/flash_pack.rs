//! `hrm-host device flash-pack`

use std::path::PathBuf;

use anyhow::{Context, Result};
use hrm_core::workspace_bytes;
use hrm_host::quant::AlignedPack;

use super::{hardware, note_task, probe_rs, text};
use crate::cli::exit::Exit;

/// Flash a pack to a real board, apart from its program: a new model needs no new firmware.
///
/// Flash the program first: unlocking a locked chip for it erases the pack, too. Pack and board are checked
/// first. A pack that is only half written, because the cable came off, is refused by the firmware at its
/// next start, or the one after where the chip faults on it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Board; `hrm-host device list` shows them
    board: String,
    /// Pack
    pack: PathBuf,
    /// Only print the command
    #[arg(long)]
    dry_run: bool,
    /// Passed on to `probe-rs download`, for example `--probe` where there are several
    #[arg(last = true)]
    rest: Vec<String>,
}

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> Result<Exit> {
    let board = hardware(&args.board)?;
    let file = AlignedPack::read(&args.pack)?;
    let pack = file.open()?;
    board
        .hold(pack.header()?.task, file.bytes().len() as u64, workspace_bytes(pack.shape()) as u64)
        .with_context(|| format!("{} does not fit {}", args.pack.display(), board.name))?;
    note_task(&pack, &board)?;
    let (start, _) = board.pack;
    let mut words: Vec<String> =
        ["download", "--chip", board.chip, "--binary-format", "bin"].map(str::to_owned).to_vec();
    words.extend(["--base-address".to_owned(), format!("{start:#x}")]);
    words.extend_from_slice(&args.rest);
    words.push(text(&args.pack));
    let code = probe_rs(&board, &words, args.dry_run)?;
    if !args.dry_run && code == Exit::Success {
        eprintln!("flashed pack {:08x}; reset the board, then `hrm-host device info`", pack.crc());
    }
    Ok(code)
}
