//! Writing puzzle files so that a reader never sees half of one.

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, GzBuilder};

use tempfile::NamedTempFile;

use super::PuzzleSet;

/// A file could not be written; what stood there before is untouched.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot write {path}: {source}; nothing was changed there (is the disk full, or the folder missing or read-only?)"
)]
pub struct ExportError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// A file written in full beside its destination, which is still untouched. Dropping it deletes it.
#[derive(Debug)]
pub struct Staged {
    path: PathBuf,
    file: NamedTempFile,
}

impl Staged {
    /// Calls `write` on a temporary file in the folder of `path` and flushes it to the disk.
    pub fn new(
        path: &Path,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Staged, ExportError> {
        let at = |source| ExportError { path: path.into(), source };
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".unfinished-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut buffered = BufWriter::new(builder.tempfile_in(folder).map_err(at)?);
        write(&mut buffered).map_err(at)?;
        let file = buffered.into_inner().map_err(|error| at(error.into_error()))?;
        file.as_file().sync_all().map_err(at)?;
        Ok(Staged { path: path.into(), file })
    }

    /// Renames the file to its destination: after a crash there is the old content or the new one, never a part.
    pub fn commit(self) -> Result<(), ExportError> {
        let Staged { path, file } = self;
        file.persist(&path).map(|_| ()).map_err(|error| ExportError { path, source: error.error })
    }
}

/// Writes `set` beside `path` as CSV with the columns `source,question,answer,rating`, gzip where the name ends in `.gz`.
/// Equal sets give equal bytes.
pub fn stage(set: &PuzzleSet, path: &Path) -> Result<Staged, ExportError> {
    let gzip = path.extension().is_some_and(|extension| extension == "gz");
    Staged::new(path, |file| {
        if gzip {
            let mut encoder = GzBuilder::new().write(file, Compression::best());
            write_csv(set, &mut encoder)?;
            encoder.finish().map(|_| ())
        } else {
            write_csv(set, file)
        }
    })
}

/// [`stage`]s `set` and puts it in place.
pub fn save(set: &PuzzleSet, path: &Path) -> Result<(), ExportError> {
    stage(set, path)?.commit()
}

/// Writes `set` as CSV; see [`stage`].
pub fn write_csv(set: &PuzzleSet, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(["source", "question", "answer", "rating"])?;
    let text = |grid| set.task().text(grid).to_string();
    for puzzle in set.iter() {
        let rating = puzzle.rating.map_or(String::new(), |rating| rating.to_string());
        writer.write_record([puzzle.source, &text(puzzle.question), &text(puzzle.answer), &rating])?;
    }
    writer.flush()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use hrm_core::task::sudoku::{Sudoku, SudokuKind};

    use super::*;
    use crate::data::{
        generate::{Recipe, generate},
        import,
    };

    fn set() -> PuzzleSet {
        let task = Sudoku::new(SudokuKind::Six);
        generate(&Recipe { task, count: 20, seed: 1, givens: None }, |_| {}).expect("puzzles")
    }

    #[test]
    fn plain_and_gzip_files_read_back_equal() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["set.csv", "set.csv.gz"] {
            let path = folder.path().join(name);
            save(&set(), &path).expect("saved");
            assert_eq!(import::load(&path, None).expect("read"), set());
            assert_eq!(fs::read(&path).expect("bytes").starts_with(&[0x1f, 0x8b]), name.ends_with("gz"));
        }
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2);
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("set.csv");
        fs::write(&path, "old").expect("written");
        let failed = Staged::new(&path, |file| {
            file.write_all(b"half a")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        });
        assert!(failed.expect_err("an error").to_string().contains("set.csv"));
        drop(Staged::new(&path, |file| file.write_all(b"never committed")));
        assert_eq!(fs::read_to_string(&path).expect("text"), "old");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
        assert!(save(&set(), &folder.path().join("missing/set.csv")).is_err());
    }
}
