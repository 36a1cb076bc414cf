//! Writing files so that a reader, a crash or a full disk never leaves half of one.

use std::fs::File;
use std::io;
use std::path::Path;

/// Replaces `path` by what `fill` writes: into a temporary file in the same directory, flushed to the disk, then renamed.
/// Where anything fails, `path` is what it was and the temporary file is gone.
pub fn replace_file(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let temporary = path.with_file_name(name);
    let written = File::create(&temporary).and_then(|mut file| {
        fill(&mut file)?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| std::fs::rename(&temporary, path)) {
        // The error that matters is the first one; a file that was never created cannot be removed either.
        let _ = std::fs::remove_file(&temporary);
        return Err(error);
    }
    // The rename itself reaches the disk with the directory; not every system lets a directory be opened.
    if let Some(directory) = path.parent().and_then(|p| File::open(p).ok()) {
        let _ = directory.sync_all();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_litter() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        replace_file(&path, |f| f.write_all(b"good")).unwrap();
        let full = |f: &mut File| {
            f.write_all(b"ba")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        };
        assert_eq!(replace_file(&path, full).unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(std::fs::read(&path).unwrap(), b"good");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
