//! What a file was when a command began: what somebody writes in its place meanwhile is not lost.

use std::fs::{self, Metadata};
use std::io;
use std::path::Path;
use std::time::SystemTime;

/// A file's length and the time it was written; nothing of one that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp(Option<(u64, Option<SystemTime>)>);

impl Stamp {
    /// That of the file at `path`.
    ///
    /// # Errors
    /// Where the system does not say whether there is one.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        Ok(Self(about(path)?.map(|about| (about.len(), about.modified().ok()))))
    }
}

/// What the system says of the file at `path`; nothing where there is none. A disk
/// that fails does not say so.
pub(super) fn about(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::metadata(path) {
        Ok(about) => Ok(Some(about)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_looked_at_is_not_taken_for_absent() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x");
        assert_eq!(Stamp::of(&file).unwrap(), Stamp(None));
        fs::write(&file, "x").unwrap();
        assert_ne!(Stamp::of(&file).unwrap(), Stamp(None));
        assert!(Stamp::of(&file.join("y")).is_err(), "a file is no folder");
    }
}
