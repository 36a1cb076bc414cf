//! The files by which a training run keeps itself. Training alone writes them; no other command
//! does, whatever it is told.

use std::fs;
use std::path::{Path, PathBuf};

use super::place::folder_of;

/// Says that a process trains here.
pub const LOCK: &str = "lock";
/// What the run goes by.
pub const CONFIG: &str = "config.toml";
/// What it has measured.
pub const METRICS: &str = "metrics.jsonl";
/// The name of its newest checkpoint.
pub const LATEST: &str = "latest";

/// The name of the checkpoint of step `step`.
pub fn checkpoint_name(step: u64) -> String {
    format!("step-{step:08}.safetensors")
}

/// Where rank `rank` of a run in `out` keeps its own checkpoints: rank 0 in `out` itself,
/// the others inside of it.
pub fn rank_folder(out: &Path, rank: usize) -> PathBuf {
    if rank == 0 { out.to_owned() } else { out.join(format!("{RANK}{rank}")) }
}

/// What the name of another rank's folder begins with.
const RANK: &str = "rank-";

/// Whether `name` is that of another rank's folder: `rank-N`.
pub fn is_rank_folder(name: &str) -> bool {
    name.strip_prefix(RANK).is_some_and(|rank| rank.parse::<usize>().is_ok_and(|rank| rank > 0))
}

/// Whether `name` is that of a checkpoint: `step-XXXXXXXX.safetensors`.
pub fn is_checkpoint(name: &str) -> bool {
    let step = name.strip_prefix("step-").and_then(|rest| rest.strip_suffix(".safetensors"));
    step.is_some_and(|step| !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a file at `path` is, or would be, one of those of a run that is kept in its folder.
pub fn is_of_run(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    (is_checkpoint(name) || [LOCK, CONFIG, METRICS, LATEST].contains(&name)) && is_run(folder_of(path))
}

/// Whether a run is kept in `folder`.
fn is_run(folder: &Path) -> bool {
    let checkpoint = |entry: fs::DirEntry| entry.file_name().to_str().is_some_and(is_checkpoint);
    folder.join(LOCK).is_file() || fs::read_dir(folder).is_ok_and(|all| all.flatten().any(checkpoint))
}
