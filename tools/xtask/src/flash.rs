//! `cargo xtask run`: an image on its real board, through probe-rs.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use hrm_emulator::board::{HARDWARE, Hardware, INSTALL_PROBE_RS};
use hrm_emulator::image::Image;

use crate::firmware::build_plain;
use crate::run::{command, run, shown};

/// Flash a real board's image and show its log.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A board, for example pico2, whose firmware is built first; or an image, as `cargo run` names it
    what: String,
    /// Only say which command that would be
    #[arg(long)]
    dry_run: bool,
    /// Passed on to `probe-rs run`, for example `--probe` where there are several
    #[arg(last = true)]
    rest: Vec<String>,
}

/// Runs the task.
pub(crate) fn task(args: &Args) -> Result<()> {
    let (board, path) = match Hardware::find(&args.what) {
        Some(board) => {
            build_plain(&[(&board).into()])?;
            (board, Image::built(board.name)?.path().to_owned())
        }
        None if Path::new(&args.what).exists() => of_image(Path::new(&args.what))?,
        None => bail!("{} is neither an image nor a real board ({})", args.what, names()),
    };
    // What is caught stays caught when the log ends: the board would stop at its next restart, and look dead.
    let mut probe =
        command("probe-rs", ["run", "--chip", board.chip, "--no-catch-reset", "--no-catch-hardfault"]);
    probe.args(&args.rest).arg(&path);
    if args.dry_run {
        println!("{}", shown(&probe));
        return Ok(());
    }
    run(&mut probe).with_context(|| {
        format!("probe-rs is installed by `{INSTALL_PROBE_RS}`. Where it is: {}", board.hint())
    })
}

fn of_image(path: &Path) -> Result<(Hardware, PathBuf)> {
    let name = Image::open(path)?.board().unwrap_or_default();
    let board = Hardware::find(&name).with_context(|| {
        format!(
            "{} is for {name}, which is no real board ({}); `hrm-host device emulate` runs an emulated one",
            path.display(),
            names()
        )
    })?;
    Ok((board, path.to_owned()))
}

fn names() -> String {
    HARDWARE.map(|board| board.name).join(", ")
}
