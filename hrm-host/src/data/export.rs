//! Writing puzzle files so that a reader never sees half of one.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, GzBuilder};

use super::PuzzleSet;
use crate::files::Staged;

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

/// Writes `set` beside `path` as CSV with the columns `source,question,answer,rating`, gzip where the name ends in `.gz`.
/// Equal sets give equal bytes.
pub fn stage(set: &PuzzleSet, path: &Path) -> Result<Staged, ExportError> {
    let gzip = path.extension().is_some_and(|extension| extension == "gz");
    let staged = Staged::new(path, |file| {
        if gzip {
            let mut encoder = GzBuilder::new().write(file, Compression::best());
            write_csv(set, &mut encoder)?;
            encoder.finish().map(|_| ())
        } else {
            write_csv(set, file)
        }
    });
    staged.map_err(at(path))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> ExportError {
    move |source| ExportError { path: path.into(), source }
}

/// [`stage`]s `set` and puts it in place.
pub fn save(set: &PuzzleSet, path: &Path) -> Result<(), ExportError> {
    stage(set, path)?.commit().map_err(at(path))
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
    fn a_set_that_cannot_be_written_leaves_the_old_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("set.csv");
        fs::write(&path, "old").expect("written");
        fs::create_dir(folder.path().join("set.csv.partial")).expect("a folder in the way");
        assert!(save(&set(), &path).expect_err("an error").to_string().contains("set.csv"));
        assert_eq!(fs::read_to_string(&path).expect("text"), "old");
        assert!(save(&set(), &folder.path().join("missing/set.csv")).is_err());
    }
}
