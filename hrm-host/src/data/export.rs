//! Puzzle files as this program writes them.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, GzBuilder};

use hrm_core::task::Task;

use super::PuzzleSet;
use super::read::ROWS_LOOKED_AT;
use crate::files::{Form, Signature, ends_in, replace_file};
use crate::task::{Looks, of_fields};

const HEADER: [&str; 4] = ["source", "question", "answer", "rating"];
/// A column more, where the puzzles alone would be taken for others.
const TASK: &str = "task";
/// The source of generated puzzles; the number of givens follows, [`MINIMAL`] or [`NEAR`].
pub(super) const SOURCE: &str = "generated_";
/// The source of a puzzle that was made out of another.
pub(super) const NEAR: &str = "near";
/// The source of a puzzle of which no given can go.
pub(super) const MINIMAL: &str = "minimal";

/// What `data generate` has written; each command replaces its own files alone.
pub const GENERATED: Signature<'static> =
    Signature::of_mark("a file of generated puzzles").in_form(Form::CSV);
/// What `data import` has written.
pub const IMPORTED: Signature<'static> = Signature::of_mark("a file of imported puzzles").in_form(Form::CSV);
/// What `data split` has written.
pub const SPLIT: Signature<'static> = Signature::of_mark("a part of a split puzzle file").in_form(Form::CSV);

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

/// Replaces `path` by `set`; see [`write()`].
pub fn save(set: &PuzzleSet, path: &Path) -> Result<(), ExportError> {
    replace_file(path, |file| write(set, path, file))
        .map_err(|source| ExportError { path: path.into(), source })
}

/// Writes `set` as CSV with the columns `source,question,answer,rating`, and `task` where the puzzles do not
/// tell their size; gzip where `name` ends in `.gz`. Equal sets give equal bytes.
pub fn write(set: &PuzzleSet, name: &Path, out: &mut dyn Write) -> io::Result<()> {
    if ends_in(name, "gz") {
        let mut encoder = GzBuilder::new().write(out, Compression::best());
        write_csv(set, &mut encoder)?;
        encoder.finish().map(|_| ())
    } else {
        write_csv(set, out)
    }
}

/// Writes `set` as CSV; see [`write()`].
pub fn write_csv(set: &PuzzleSet, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    let task = (!tells_its_task(set)).then_some(set.task().name());
    writer.write_record(HEADER.into_iter().chain(task.map(|_| TASK)))?;
    let text = |grid| set.task().text(grid).to_string();
    for puzzle in set.iter() {
        let rating = puzzle.rating.map_or(String::new(), |rating| rating.to_string());
        let (question, answer) = (text(puzzle.question), text(puzzle.answer));
        writer.write_record([puzzle.source, &question, &answer, &rating].into_iter().chain(task))?;
    }
    writer.flush()
}

/// Whether the reader knows the task by the questions.
fn tells_its_task(set: &PuzzleSet) -> bool {
    let questions =
        set.iter().take(ROWS_LOOKED_AT).map(|puzzle| set.task().text(puzzle.question).to_string());
    set.is_empty() || of_fields(&questions.collect::<Vec<_>>()) == Looks::Like(set.task())
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
        generate(&Recipe { task: task.into(), count: 20, seed: 1, givens: None }, |_| {}).expect("puzzles")
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
        fs::create_dir(folder.path().join("folder.csv")).expect("a folder in the way");
        for name in ["folder.csv", "missing/set.csv", "set.csv/set.csv"] {
            let error = save(&set(), &folder.path().join(name)).expect_err("an error").to_string();
            assert!(error.contains(name), "{error}");
        }
        assert_eq!(fs::read_to_string(&path).expect("text"), "old");
    }
}
