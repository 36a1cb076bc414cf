//! Writing puzzle files so that a reader never sees half of one.

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, GzBuilder};
use hrm_core::task::Task;

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

/// Writes `path` by calling `write` on a temporary file beside it, which is flushed to the disk and then renamed: after a
/// crash or on a full disk `path` holds its old content or the new one, never a part.
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), ExportError> {
    let at = |source| ExportError { path: path.into(), source };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".unfinished-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let file = builder.tempfile_in(folder).map_err(at)?;
    let mut buffered = BufWriter::new(file);
    write(&mut buffered).map_err(at)?;
    let file = buffered.into_inner().map_err(|error| at(error.into_error()))?;
    file.as_file().sync_all().map_err(at)?;
    file.persist(path).map_err(|error| at(error.error))?;
    Ok(())
}

/// Saves `set` as CSV with the columns `source,question,answer,rating`, gzip where the name ends in `.gz`. Equal sets give
/// equal bytes.
pub fn save(set: &PuzzleSet, path: &Path) -> Result<(), ExportError> {
    let gzip = path.extension().is_some_and(|extension| extension == "gz");
    write_atomically(path, |file| {
        if gzip {
            let mut encoder = GzBuilder::new().write(file, Compression::best());
            write_csv(set, &mut encoder)?;
            encoder.finish().map(|_| ())
        } else {
            write_csv(set, file)
        }
    })
}

/// Writes `set` as CSV; see [`save`].
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

/// A name for messages: the task and the number of puzzles.
pub fn describe(set: &PuzzleSet) -> String {
    let plural = if set.len() == 1 { "" } else { "s" };
    format!("{} {} puzzle{plural}", set.len(), set.task().name())
}
