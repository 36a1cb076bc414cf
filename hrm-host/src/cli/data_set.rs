//! Data sets of the original PyTorch code: `hrm-host data import FOLDER`, `hrm-host data export --format hrm`

use std::path::{Path, PathBuf};

use anyhow::Result;
use hrm_host::data::import::{Imported, Options, import as read_file};
use hrm_host::files::{commit, make_folder};
use hrm_host::original::dataset::{IDENTIFIERS, folder_at, read, write};
use hrm_host::task::Game;

use super::outputs::{Force, stage_unsigned};
use super::puzzles::tell_notes;

/// The puzzles of a folder, as if each were a line.
pub(super) fn import(input: &Path, task: Option<Game>) -> Result<Imported> {
    let set = read(&folder_at(input)?, task)?;
    let lines = (1..=set.len() as u64).collect();
    Ok(Imported::of(set, lines))
}

/// The files that reading `input` may open: itself, or those of a folder and of its parts.
pub(super) fn files_of(input: &Path) -> Vec<PathBuf> {
    let inside = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
    };
    if !input.is_dir() {
        return vec![input.to_owned()];
    }
    let (parts, files): (Vec<PathBuf>, Vec<PathBuf>) =
        inside(input).into_iter().partition(|path| path.is_dir());
    files.into_iter().chain(parts.iter().flat_map(|part| inside(part))).collect()
}

/// Writes a puzzle file's rows into a folder; into a part of it, with the names of puzzles beside.
pub(super) fn export(
    input: &Path,
    task: Option<Game>,
    out: &Path,
    part: Option<&str>,
    force: Force,
) -> Result<()> {
    let Imported { set, notes, .. } = read_file(input, &Options { task, ..Options::default() })?;
    tell_notes(input, &notes);
    let folder = part.map_or_else(|| out.to_owned(), |part| out.join(part));
    make_folder(&folder)?;
    let mut plan = force.plan([input]);
    let mut staged = Vec::new();
    for (name, bytes) in write(&set) {
        staged.push(stage_unsigned(&mut plan, &folder.join(name), &bytes)?);
    }
    if part.is_some() {
        staged.push(stage_unsigned(&mut plan, &out.join(IDENTIFIERS.0), IDENTIFIERS.1.as_bytes())?);
    }
    commit(staged)?;
    eprintln!("wrote {} puzzles to {}", set.len(), folder.display());
    Ok(())
}
