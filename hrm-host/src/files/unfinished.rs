//! Files that are being written, so that none is left where the program is told to end in the midst of it.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What this process has begun to write and not put in place, and whether it has put anything in place.
#[derive(Debug)]
pub(super) struct Unfinished {
    paths: BTreeSet<PathBuf>,
    pub(super) written: bool,
}

static UNFINISHED: Mutex<Unfinished> = Mutex::new(Unfinished { paths: BTreeSet::new(), written: false });

/// What is unfinished, for as long as the result lives: the program is not ended by a signal meanwhile.
pub(super) fn unfinished() -> MutexGuard<'static, Unfinished> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Unfinished {
    /// Makes a new file at `path`, where there must be none.
    pub(super) fn create(&mut self, path: &Path) -> io::Result<File> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        self.paths.insert(path.to_owned());
        Ok(file)
    }

    /// Deletes the file at `path`, where it was not put in place.
    pub(super) fn delete(&mut self, path: &Path) -> io::Result<()> {
        if self.paths.remove(path) { fs::remove_file(path) } else { Ok(()) }
    }

    /// Lets the file at `path` be.
    pub(super) fn forget(&mut self, path: &Path) {
        self.paths.remove(path);
    }

    /// Puts the file at `path` in place.
    pub(super) fn rename(&mut self, path: &Path, destination: &Path) -> io::Result<()> {
        fs::rename(path, destination)?;
        self.paths.remove(path);
        Ok(())
    }
}

/// A new file that is made empty, and deleted again unless something is [written](Fresh::keep) into it.
#[derive(Debug)]
pub struct Fresh(Option<PathBuf>);

impl Fresh {
    /// Makes the file at `path`, unless there is one, which stays.
    ///
    /// # Errors
    /// What the system says.
    pub fn at(path: &Path) -> io::Result<Self> {
        match unfinished().create(path) {
            Ok(_) => Ok(Self(Some(path.to_owned()))),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Self(None)),
            Err(error) => Err(error),
        }
    }

    /// Something is going to be written into it.
    pub fn keep(mut self) {
        let mut unfinished = unfinished();
        unfinished.written = true;
        if let Some(path) = self.0.take() {
            unfinished.forget(&path);
        }
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = unfinished().delete(path);
        }
    }
}

/// Whether this process has put a file in place, or written to what cannot be replaced.
pub fn has_written() -> bool {
    unfinished().written
}

/// Deletes all that is unfinished and sees that nothing more is written: for a program that is about to end.
/// Says what that has left.
pub fn abandon() -> &'static str {
    let mut unfinished = unfinished();
    for path in std::mem::take(&mut unfinished.paths) {
        let _ = fs::remove_file(path);
    }
    let written = unfinished.written;
    // Whoever wants to go on writing waits for the end.
    std::mem::forget(unfinished);
    if written { "files written before are complete" } else { "no file was changed" }
}
