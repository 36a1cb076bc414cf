//! What is in a folder, so that it can be compared.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};

use crate::run::succeeds;

/// The files in a folder and the folders there, by their names seen from it.
pub(super) type Files = BTreeMap<String, Content>;

/// What is in a file, as far as it is the same whenever a command is repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Bytes(Vec<u8>),
    /// A checkpoint: its texts without the clock, and its numbers.
    Checkpoint(BTreeMap<String, String>, Vec<u8>),
    /// Lines with times in them.
    Lines,
    /// It cannot be what its name says.
    Broken(String),
}

/// What `folder` has.
pub(super) fn files(folder: &Path) -> Result<Files> {
    let mut found = Files::new();
    collect(folder, "", &mut found)?;
    Ok(found)
}

fn collect(folder: &Path, prefix: &str, found: &mut Files) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let (path, name) = {
            let entry = entry?;
            (entry.path(), entry.file_name())
        };
        let name = format!("{prefix}{}", name.to_string_lossy());
        if path.is_dir() {
            collect(&path, &format!("{name}/"), found)?;
        } else {
            found.insert(name.clone(), content(&name, fs::read(&path)?));
        }
    }
    Ok(())
}

/// Whether a file is one that was being written, and says so by its name.
pub(super) fn is_partial(name: &str) -> bool {
    name.ends_with(".partial")
}

/// The number of the step that a checkpoint was written at.
pub(super) fn step_of(name: &str) -> Option<u64> {
    name.rsplit('/').next()?.strip_prefix("step-")?.strip_suffix(".safetensors")?.parse().ok()
}

fn content(name: &str, bytes: Vec<u8>) -> Content {
    if step_of(name).is_some() {
        return checkpoint(&bytes).unwrap_or_else(|error| Content::Broken(format!("{error:#}")));
    }
    if name.ends_with("metrics.jsonl") {
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let torn = lines.filter(|line| serde_json::from_slice::<Value>(line).is_err()).count();
        // Of a line that a fault fell into a part may stay; the next line does not go on from there.
        return if torn > 1 { Content::Broken(format!("{torn} torn lines")) } else { Content::Lines };
    }
    Content::Bytes(bytes)
}

/// Texts that may differ from run to run of equal bits: the clock, how many checkpoints are kept,
/// and the sum over all texts.
const OF_THE_SITTING: [&str; 4] = ["seconds", "config", "config_hash", "checksum"];

fn checkpoint(bytes: &[u8]) -> Result<Content> {
    let (length, rest) = bytes.split_first_chunk::<8>().context("no header")?;
    let length = usize::try_from(u64::from_le_bytes(*length))?;
    let header = rest.get(..length).context("the header is cut")?;
    let numbers = rest[length..].to_vec();
    let mut entries: Map<String, Value> = serde_json::from_slice(header).context("the header")?;
    let texts = entries.remove("__metadata__").context("no texts")?;
    let mut texts: BTreeMap<String, String> = serde_json::from_value(texts)?;
    let end = entries.values().filter_map(|entry| entry.get("data_offsets")?.get(1)?.as_u64()).max();
    ensure!(end == Some(numbers.len() as u64), "{} bytes of numbers, {end:?} by its header", numbers.len());
    for key in OF_THE_SITTING {
        ensure!(texts.remove(key).is_some(), "no {key}");
    }
    texts.insert("entries".into(), Value::from(entries).to_string());
    Ok(Content::Checkpoint(texts, numbers))
}

/// Makes `to` what `from` is, with times and attributes.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    empty(to)?;
    let copied = succeeds(Command::new("cp").arg("-a").arg(from.join(".")).arg(to));
    ensure!(copied, "cannot copy {} to {}", from.display(), to.display());
    Ok(())
}

/// Makes `folder`, with nothing in it.
pub(super) fn empty(folder: &Path) -> Result<()> {
    let made = || format!("cannot make {} anew", folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(made)?;
    }
    fs::create_dir_all(folder).with_context(made)
}
