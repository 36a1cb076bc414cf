//! `hrm-host device log`

use std::path::PathBuf;

use anyhow::Result;
use hrm_emulator::Image;

use super::{hardware, probe_rs, text};
use crate::cli::exit::Exit;

/// Show a real board's log (defmt over RTT) through its debug probe, without resetting it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Board; `hrm-host device list` shows them
    board: String,
    /// The image that it runs, which has the log's texts; the one that
    /// `cargo xtask firmware` built by default
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// Only print the command
    #[arg(long)]
    dry_run: bool,
    /// Passed on to `probe-rs attach`, for example `--probe` where there are several
    #[arg(last = true)]
    rest: Vec<String>,
}

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> Result<Exit> {
    let board = hardware(&args.board)?;
    let image = match &args.image {
        Some(path) => Image::open(path)?,
        None => Image::built(board.name)?,
    };
    let words =
        ["attach", "--chip", board.chip, "--no-catch-reset", "--no-catch-hardfault"].map(str::to_owned);
    probe_rs(&board, &[&words[..], &args.rest, &[text(image.path())]].concat(), args.dry_run)
}
