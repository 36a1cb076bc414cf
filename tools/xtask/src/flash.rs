//! `cargo xtask run`: an image on its real board, through probe-rs.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use hrm_emulator::board::{Board, HARDWARE, Hardware, INSTALL_PROBE_RS, WITHOUT_A_PROBE};
use hrm_emulator::image::{IMAGES, Image};

use crate::firmware::build_plain;
use crate::run::{command, run, shown, succeeds, target};

/// Flash a real board's image and show its log.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A board, for example pico2, whose firmware is built first; or an image, as `cargo run` names it
    what: String,
    /// Only say which command that would be: nothing is built, and probe-rs need not be there
    #[arg(long)]
    dry_run: bool,
    /// Passed on to `probe-rs run`, for example `--probe` where there are several
    #[arg(last = true)]
    rest: Vec<String>,
}

/// Runs the task.
pub(crate) fn task(args: &Args) -> Result<()> {
    let (named, image) = (Hardware::find(&args.what), Path::new(&args.what));
    let (board, path) = match named {
        Some(board) => (board, target().join(IMAGES).join(format!("{}.elf", board.name))),
        None if image.exists() => of_image(image)?,
        None if Board::find(&args.what).is_some() => bail!(
            "{0} is an emulated board: `cargo xtask firmware {0}` builds its program, `hrm-host device emulate {0} PACK` runs it",
            args.what
        ),
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
    // Said before a build, which takes minutes.
    ensure!(
        succeeds(&mut command("probe-rs", ["--version"])),
        "there is no probe-rs, which flashes boards: `{INSTALL_PROBE_RS}` installs it; without a probe: {WITHOUT_A_PROBE}"
    );
    if named.is_some() {
        build_plain(&[(&board).into()])?;
    }
    run(&mut probe).with_context(|| format!("what to try: {}", board.hint()))
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
