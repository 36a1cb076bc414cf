//! Writing files so that a reader, a crash or a full disk never leaves half of one.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file written in full beside its destination, which is still untouched. Dropping it deletes it.
#[derive(Debug)]
pub struct Staged {
    path: PathBuf,
    /// `path` with `.partial` appended: what a killed process leaves is overwritten by the next attempt.
    temporary: PathBuf,
}

impl Staged {
    /// Calls `fill` on a temporary file in the folder of `path` and flushes it to the disk.
    ///
    /// # Errors
    /// What the system or `fill` says; the temporary file is gone then.
    pub fn new(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Staged> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let temporary = path.with_file_name(name);
        let file = File::create(&temporary)?;
        // From here on, leaving early deletes it.
        let staged = Staged { path: path.to_owned(), temporary };
        let mut buffered = BufWriter::new(file);
        fill(&mut buffered)?;
        buffered.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        Ok(staged)
    }

    /// Renames the file to its destination: after a crash there is the old content or the new one, never a part.
    ///
    /// # Errors
    /// What the system says; the destination is what it was then.
    pub fn commit(self) -> io::Result<()> {
        std::fs::rename(&self.temporary, &self.path)?;
        // The rename itself reaches the disk with the directory; not every system lets a directory be opened.
        if let Some(directory) = self.path.parent().and_then(|p| File::open(p).ok()) {
            let _ = directory.sync_all();
        }
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // After a commit there is nothing left to delete.
        let _ = std::fs::remove_file(&self.temporary);
    }
}

/// Replaces `path` by what `fill` writes; where anything fails, `path` is what it was.
///
/// # Errors
/// What the system or `fill` says.
pub fn replace_file(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    Staged::new(path, fill)?.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_litter() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        replace_file(&path, |f| f.write_all(b"good")).unwrap();
        let full = |f: &mut dyn Write| {
            f.write_all(b"ba")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        };
        assert_eq!(replace_file(&path, full).unwrap_err().kind(), io::ErrorKind::StorageFull);
        drop(Staged::new(&path, |f| f.write_all(b"never committed")).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), b"good");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_device_that_is_full_is_an_error() {
        // What is buffered reaches the device only in the end: that error must not be lost.
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        std::os::unix::fs::symlink("/dev/full", dir.path().join("x.partial")).unwrap();
        let error = replace_file(&path, |f| f.write_all(b"small")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(!path.exists());
    }
}
