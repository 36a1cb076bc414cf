//! Writing beside the destination, and putting everything in place at once.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::mark::{Summed, keep};
use super::place::{Place, STANDARD_OUTPUT, folder_of};
use super::stamp::{Stamp, about};
use super::unfinished::unfinished;

/// Characters of a name that an unfinished file takes over: a longer name would be too long with an ending.
const NAME_KEPT: usize = 40;

/// Something could not be written; what stood there before is untouched, unless it is standard output.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: {source}; {}{}", left(path), advice(source))]
pub struct WriteError {
    /// What was to be written, by the name that was given, or `standard output`.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// What stands there now.
fn left(path: &Path) -> &'static str {
    let is_standard = path == Path::new(STANDARD_OUTPUT);
    if is_standard { "what has arrived there is not whole" } else { "no file was changed" }
}

/// What to look at; a file that has come in the way says that itself.
fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::AlreadyExists => "",
        _ => " (is the disk full, or the folder missing or read-only?)",
    }
}

impl WriteError {
    /// Whether a reader has gone who was written to.
    pub fn nobody_reads(&self) -> bool {
        self.source.kind() == io::ErrorKind::BrokenPipe
    }
}

/// An output that is complete, while its destination is still untouched. Dropping it deletes it.
#[derive(Debug)]
pub struct Staged {
    name: PathBuf,
    content: Content,
    /// What must still be there to be replaced; where that was not looked at, anything may be.
    before: Option<Stamp>,
}

#[derive(Debug)]
enum Content {
    /// Beside the file that it becomes.
    Beside { temporary: PathBuf, destination: PathBuf },
    /// What cannot be replaced is only written to once everything is there.
    Held { place: Place, bytes: Vec<u8> },
}

impl Staged {
    /// Has `fill` write what goes to `place`, which the user calls `name`, where nothing but what was there
    /// `before` may be replaced. With a `mark` it is known again as long as nobody changes it.
    pub(super) fn new(
        name: &Path,
        (place, before, mark): (&Place, Option<Stamp>, Option<&str>),
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Self, WriteError> {
        let name = place.shown(name).to_owned();
        let content = match place {
            Place::File(destination) => beside(destination, mark, fill),
            place => {
                let mut bytes = Vec::new();
                fill(&mut bytes).map(|()| Content::Held { place: place.clone(), bytes })
            }
        };
        match content {
            Ok(content) => Ok(Self { name, content, before }),
            Err(source) => Err(WriteError { path: name, source }),
        }
    }

    fn error(&self, source: io::Error) -> WriteError {
        WriteError { path: self.name.clone(), source }
    }

    /// Whether somebody else has written to the destination since `before`.
    fn is_overtaken(&self) -> Result<bool, WriteError> {
        match (&self.content, &self.before) {
            (Content::Beside { destination, .. }, Some(before)) => {
                Stamp::of(destination).map(|now| now != *before).map_err(|source| self.error(source))
            }
            _ => Ok(false),
        }
    }

    /// The file that this is in, which is not deleted any more; nothing where it is in none.
    fn keep(&self) -> Option<&Path> {
        let Content::Beside { temporary, .. } = &self.content else { return None };
        unfinished().forget(temporary);
        Some(temporary)
    }
}

/// Why nothing of `staged` is put in place, after `overtaken`'s destination was written to by somebody else.
/// What was staged is kept: it may be the work of hours.
fn overtaken(overtaken: &Staged, staged: &[Staged]) -> WriteError {
    let kept: Vec<String> =
        staged.iter().filter_map(Staged::keep).map(|path| path.display().to_string()).collect();
    let told = format!(
        "it was written by another program meanwhile; what was to be written is in {}",
        kept.join(", ")
    );
    overtaken.error(io::Error::new(io::ErrorKind::AlreadyExists, told))
}

impl Drop for Staged {
    fn drop(&mut self) {
        if let Content::Beside { temporary, .. } = &self.content {
            // After a commit there is nothing left to delete.
            let _ = unfinished().delete(temporary);
        }
    }
}

/// Fills a new file beside `destination`, with that one's owner and mode, and flushes it to the disk.
fn beside(
    destination: &Path,
    mark: Option<&str>,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<Content> {
    let (temporary, file) = create_beside(destination)?;
    let write = || {
        if let Some(before) = about(destination)? {
            keep_owner(&file, &before);
            file.set_permissions(before.permissions())?;
        }
        let mut buffered = BufWriter::new(&file);
        match mark {
            None => fill(&mut buffered)?,
            Some(kind) => {
                let mut summed = Summed::new(&mut buffered);
                fill(&mut summed)?;
                keep(&file, &summed.note(kind));
            }
        }
        buffered.flush()?;
        file.sync_all()
    };
    match write() {
        Ok(()) => Ok(Content::Beside { temporary, destination: destination.to_owned() }),
        Err(error) => {
            let _ = unfinished().delete(&temporary);
            Err(error)
        }
    }
}

/// A new file in the folder of `path`: `NAME.PROCESS-COUNT.partial`, of a long name only the start. Nobody
/// else's file is touched, whatever its name.
pub(super) fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let mut count = 0;
    loop {
        let temporary = beside_name(path, &format!("{}-{count}.partial", std::process::id()));
        match unfinished().create(&temporary) {
            Ok(file) => return Ok((temporary, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && count < 1000 => count += 1,
            Err(error) => return Err(error),
        }
    }
}

fn beside_name(path: &Path, ending: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let start: String = name.chars().take(NAME_KEPT).collect();
    path.with_file_name(format!("{start}.{ending}"))
}

/// Gives `file` the owner of the one that it replaces, where this user may.
#[cfg(unix)]
fn keep_owner(file: &File, before: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let _ = fchown(file, Some(before.uid()), Some(before.gid()));
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &fs::Metadata) {}

/// Puts everything that was written in place, or nothing of it: after a crash each file has its old content
/// or its new one, never a part. Symbolic links are kept; a file with a second name (hard link) keeps its
/// old content under that one.
///
/// # Errors
/// What the system says. Every destination that can be replaced is what it was then.
pub fn commit(staged: impl IntoIterator<Item = Staged>) -> Result<(), WriteError> {
    let staged: Vec<Staged> = staged.into_iter().collect();
    for output in &staged {
        if output.is_overtaken()? {
            return Err(overtaken(output, &staged));
        }
    }
    for output in &staged {
        if let Content::Held { place, bytes } = &output.content {
            place.write(bytes).map_err(|error| output.error(error))?;
            unfinished().written = true;
        }
    }
    let mut unfinished = unfinished();
    let mut replaced = Vec::new();
    for output in &staged {
        if let Content::Beside { temporary, destination } = &output.content {
            // A single rename has nothing to be undone by.
            let before = if staged.len() > 1 { Before::remember(destination) } else { Before::Unknown };
            if let Err(error) = unfinished.rename(temporary, destination) {
                before.forget();
                replaced.into_iter().rev().for_each(|(before, path): (Before, &Path)| before.restore(path));
                // What is dropped now asks for it again.
                drop(unfinished);
                return Err(output.error(error));
            }
            replaced.push((before, destination.as_path()));
        }
    }
    unfinished.written |= !replaced.is_empty();
    let replaced = replaced.into_iter().map(|(before, destination)| {
        before.forget();
        destination
    });
    let replaced: Vec<&Path> = replaced.collect();
    drop(unfinished);
    for destination in replaced {
        // The rename itself reaches the disk with the folder; not every system lets a folder be opened.
        if let Ok(folder) = File::open(folder_of(destination)) {
            let _ = folder.sync_all();
        }
    }
    Ok(())
}

/// What a destination was before it was replaced.
enum Before {
    Absent,
    /// Kept under a second name.
    Kept(PathBuf),
    /// The file system gives no second names.
    Unknown,
}

impl Before {
    fn remember(path: &Path) -> Self {
        // A disk that fails does not say that there is nothing.
        if matches!(path.try_exists(), Ok(false)) {
            return Self::Absent;
        }
        let kept = beside_name(path, &format!("{}-before.partial", std::process::id()));
        fs::hard_link(path, &kept).map_or(Self::Unknown, |()| Self::Kept(kept))
    }

    fn restore(self, path: &Path) {
        // There is nothing more to be done where this fails, too.
        let _ = match self {
            Self::Absent => fs::remove_file(path),
            Self::Kept(kept) => fs::rename(kept, path),
            Self::Unknown => Ok(()),
        };
    }

    fn forget(self) {
        if let Self::Kept(kept) = self {
            let _ = fs::remove_file(kept);
        }
    }
}

/// Replaces `path` by what `fill` writes; where anything fails, `path` is what it was.
///
/// For files whose names are this program's own, as a run's; what a user names goes through
/// a [`Plan`](super::Plan).
///
/// # Errors
/// What the system or `fill` says.
pub fn replace_file(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let place = Place::of(path).map_err(|nowhere| nowhere.source)?;
    let staged = Staged::new(path, (&place, None, None), fill);
    staged.and_then(|staged| commit([staged])).map_err(|error| error.source)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(path: &Path, content: &str) -> Staged {
        let place = Place::of(path).unwrap();
        Staged::new(path, (&place, None, None), |file| file.write_all(content.as_bytes())).unwrap()
    }

    #[test]
    fn what_somebody_writes_meanwhile_stays_and_so_does_what_was_to_replace_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::write(path("a"), "old").unwrap();
        let stage = |name: &str| {
            let (path, before) = (path(name), Some(Stamp::of(&path(name)).unwrap()));
            let place = Place::of(&path).unwrap();
            Staged::new(&path, (&place, before, None), |file| file.write_all(b"new")).unwrap()
        };
        commit([stage("a")]).unwrap();
        for late in ["a", "b"] {
            let staged = [stage("a"), stage("b")];
            fs::write(path(late), "theirs").unwrap();
            let error = commit(staged).unwrap_err();
            assert_eq!(error.path, path(late));
            assert_eq!(fs::read_to_string(path(late)).unwrap(), "theirs");
            let kept: Vec<PathBuf> = fs::read_dir(dir.path())
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.extension().is_some_and(|end| end == "partial"))
                .collect();
            assert_eq!(kept.len(), 2);
            for kept in kept {
                assert_eq!(fs::read_to_string(&kept).unwrap(), "new");
                assert!(error.to_string().contains(&kept.display().to_string()), "{error}");
                fs::remove_file(kept).unwrap();
            }
            fs::write(path("a"), "old").unwrap();
        }
    }

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
        drop(stage(&path, "never committed"));
        assert_eq!(fs::read(&path).unwrap(), b"good");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn where_one_file_cannot_be_put_in_place_none_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::write(path("a"), "old").unwrap();
        let staged = ["a", "b", "c"].map(|name| stage(&path(name), "new"));
        // Only now does something come in the way of the last.
        fs::create_dir(path("c")).unwrap();
        let error = commit(staged).unwrap_err();
        assert_eq!(error.path, path("c"));
        assert_eq!(fs::read_to_string(path("a")).unwrap(), "old");
        assert!(!path("b").exists());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no litter");

        fs::remove_dir(path("c")).unwrap();
        commit(["a", "b", "c"].map(|name| stage(&path(name), "new"))).unwrap();
        assert!(["a", "b", "c"].iter().all(|name| fs::read_to_string(path(name)).unwrap() == "new"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3, "no litter");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_device_that_is_full_is_an_error_and_keeps_the_files_beside_it_as_they_were() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::write(&path, "old").unwrap();
        let error = commit([stage(&path, "new"), stage(Path::new("/dev/full"), "new")]).unwrap_err();
        assert_eq!((error.source.kind(), error.path), (io::ErrorKind::StorageFull, "/dev/full".into()));
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    }

    #[cfg(unix)]
    #[test]
    fn a_replaced_file_keeps_its_mode_and_its_link() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        symlink("file", &link).unwrap();
        replace_file(&link, |f| f.write_all(b"new")).unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
