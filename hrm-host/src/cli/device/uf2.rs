//! `hrm-host device uf2`

use std::io::{self, BufRead};
use std::path::PathBuf;

use anyhow::{Context, Result};
use hrm_core::workspace_bytes;
use hrm_emulator::uf2;
use hrm_host::files::{Form, Signature, commit, whole};
use hrm_host::quant::AlignedPack;

use super::{hardware, note_task};
use crate::cli::exit::Exit;
use crate::cli::outputs::Force;

/// Write a pack as a UF2 file: a Pico 2 that is plugged in while its BOOTSEL button is held shows a drive,
/// and flashes what is copied there. `cargo xtask uf2` makes such a file of the program; the two are copied
/// one after the other, in any order.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Board; only pico2 shows such a drive
    board: String,
    /// Pack
    pack: PathBuf,
    /// File to write, - for standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    force: Force,
}

/// A file of whole blocks, each with the marks of the format.
const UF2: Signature<'static> = Signature::of_content("a UF2 file", &is_uf2).in_form(Form::UF2);

fn is_uf2(file: &mut dyn BufRead) -> io::Result<bool> {
    Ok(uf2::is_file(&whole(file)?))
}

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> Result<Exit> {
    let board = hardware(&args.board)?;
    let file = AlignedPack::read(&args.pack)?;
    let pack = file.open()?;
    let (family, part) = board.uf2_pack(file.bytes().to_vec())?;
    board
        .hold(pack.header()?.task, file.bytes().len() as u64, workspace_bytes(pack.shape()) as u64)
        .with_context(|| format!("{} does not fit {}", args.pack.display(), board.name))?;
    note_task(&pack, &board)?;
    let bytes = uf2::file(family, vec![part])?;
    let out = args.force.plan([&args.pack]).output(&args.out, UF2)?;
    commit(vec![out.stage(|file| file.write_all(&bytes))?])?;
    eprintln!(
        "wrote pack {:08x} to {}: hold the board's BOOTSEL button while you plug it in, and copy the file to the drive that appears",
        pack.crc(),
        out.shown()
    );
    Ok(Exit::Success)
}
