//! `cargo xtask reproducible`: the same sources in two folders are the same image.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use hrm_emulator::board::BOARDS;

use crate::builder::Place;
use crate::firmware::{Program, Variant, compile_in, compiler_for, find};
use crate::run::{command, output, root, target};
use crate::setup::Toolchain;

/// Build the firmware of one board in two folders, and compare the images.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The board
    #[arg(default_value = BOARDS[0].name)]
    board: String,
}

/// The two folders: names of other lengths, one of them with a space and at another depth.
const FOLDERS: [&str; 2] = ["one", "another place/with sources"];

/// Runs the task.
pub(crate) fn task(args: &Args) -> Result<()> {
    let board = find(&args.board)?;
    let toolchain = compiler_for(&[board])?;
    let work = target().join("reproducible");
    let mut images = Vec::new();
    for folder in FOLDERS {
        let place = Place { sources: work.join(folder), target: work.join(folder).join("target") };
        copy(&place.sources)?;
        let image = compile_in(&place, toolchain, board, Program::Firmware(Variant::Plain))?;
        let bytes = fs::read(&image).with_context(|| format!("cannot read {}", image.display()))?;
        place.check_unnamed(toolchain, &image.display().to_string(), &bytes)?;
        images.push(bytes);
    }
    let [one, other] = &images[..] else { unreachable!("there are two folders") };
    if let Some(at) = first_difference(one, other) {
        anyhow::bail!(
            "the images of {} differ from byte {at} on: compare the two in {}",
            args.board,
            work.display()
        );
    }
    println!(
        "{}: the image of {} bytes, debug information included, is the same from two folders ({})",
        args.board,
        one.len(),
        match toolchain {
            Toolchain::Rustup => "this Rust",
            Toolchain::Debian => "Debian's Rust",
        }
    );
    fs::remove_dir_all(&work).with_context(|| format!("cannot remove {}", work.display()))
}

fn first_difference(one: &[u8], other: &[u8]) -> Option<usize> {
    let differ = one.iter().zip(other).position(|(a, b)| a != b);
    differ.or((one.len() != other.len()).then_some(one.len().min(other.len())))
}

/// Copies what git has of this repository, as it is now, to `folder`.
fn copy(folder: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(folder);
    let mut list = command("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let names = output(&mut list).context("`git ls-files` fails: this needs a clone")?;
    let names: Vec<&str> = names.split('\0').filter(|name| !name.is_empty()).collect();
    ensure!(names.contains(&"Cargo.toml"), "git does not know this repository's files");
    for name in names {
        let (from, to): (PathBuf, PathBuf) = (root().join(name), folder.join(name));
        // What is deleted and not yet committed.
        if !from.exists() {
            continue;
        }
        fs::create_dir_all(to.parent().unwrap_or(folder))
            .and_then(|()| fs::copy(&from, &to))
            .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn the_first_difference_is_a_byte_or_an_end() {
        assert_eq!(first_difference(b"abc", b"abc"), None);
        assert_eq!(first_difference(b"abc", b"abd"), Some(2));
        assert_eq!(first_difference(b"ab", b"abd"), Some(2));
    }
}
