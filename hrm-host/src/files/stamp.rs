//! What a file was when a command began: what somebody writes in its place meanwhile is not lost.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

/// A file's length and the time it was written; nothing of one that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp(Option<(u64, Option<SystemTime>)>);

impl Stamp {
    /// That of the file at `path`.
    pub(super) fn of(path: &Path) -> Self {
        Self(fs::metadata(path).ok().map(|about| (about.len(), about.modified().ok())))
    }
}
