//! What a command reads and writes, checked before it begins to work.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::folder::probe;
use super::input::shown;
use super::place::{Identity, Nowhere, Place, folder_of};
use super::run::is_of_run;
use super::signature::Signature;
use super::staged::{Staged, WriteError, commit};
use super::stamp::{Stamp, about};

/// Why something must not, or cannot, be written. Nothing has been.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The folder is missing.
    #[error(
        "cannot write {path}: there is no folder {folder}; make it first (mkdir -p), or give another name"
    )]
    NoFolder {
        /// What was to be written.
        path: PathBuf,
        /// What is missing.
        folder: PathBuf,
    },
    /// The folder cannot be written.
    #[error("cannot write into the folder {folder}: {source}; give another name, or make it writable")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The name is a folder's.
    #[error("cannot write {path}: it is a folder; name a file in it")]
    IsFolder {
        /// What was to be written.
        path: PathBuf,
    },
    /// Its name promises another form.
    #[error("{path}: what is written is {form}, and .{ending} promises something else; {advice}")]
    Form {
        /// What was to be written.
        path: PathBuf,
        /// What it would be.
        form: &'static str,
        /// The end of its name.
        ending: &'static str,
        /// What to call it.
        advice: &'static str,
    },
    /// The system says no.
    #[error("cannot write {path}: {source}; give another name")]
    Io {
        /// What was to be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is also read.
    #[error(
        "{path} would be overwritten, and it is what this command reads ({input}); give another name to write to"
    )]
    Input {
        /// What was to be written.
        path: PathBuf,
        /// By what name it is read.
        input: PathBuf,
    },
    /// It is written twice.
    #[error("{path} and {other} are the same file, and this command writes both; give them different names")]
    Twice {
        /// What was to be written.
        path: PathBuf,
        /// What else was to be written.
        other: PathBuf,
    },
    /// A training run's own.
    #[error(
        "{path} is one of the files by which the run in {folder} keeps itself, which training alone writes; give another name"
    )]
    OfRun {
        /// What was to be written.
        path: PathBuf,
        /// Where the run is.
        folder: PathBuf,
    },
    /// Somebody else's.
    #[error("{path} is there already and {why}; give another name, or replace it with --force")]
    Foreign {
        /// What was to be written.
        path: PathBuf,
        /// What it is not.
        why: String,
    },
    /// Nobody but its owner may replace it, as in /tmp.
    #[error(
        "{path} belongs to another user, and in the folder {folder} only a file's owner may replace it; give another name"
    )]
    Owned {
        /// What was to be written.
        path: PathBuf,
        /// Where.
        folder: PathBuf,
    },
    /// Write-protected.
    #[error("{path} is write-protected ({source}); give another name, or replace it with --force")]
    Protected {
        /// What was to be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl PlanError {
    /// Whether the command line alone is at fault.
    pub fn is_of_command_line(&self) -> bool {
        matches!(self, PlanError::Form { .. })
    }
}

/// What a command reads, and what it is going to write.
#[derive(Debug)]
pub struct Plan {
    force: bool,
    inputs: Vec<(PathBuf, Identity)>,
    outputs: Vec<(PathBuf, Identity)>,
}

impl Plan {
    /// A plan of a command that reads `inputs`, and with `force` replaces any file that is none of them.
    pub fn new<P: AsRef<Path>>(force: bool, inputs: impl IntoIterator<Item = P>) -> Self {
        let identified = |path: P| {
            let path = path.as_ref();
            // What is not there is not overwritten; whoever reads it says so.
            Identity::of_input(path).map(|identity| (shown(path).to_owned(), identity))
        };
        Self { force, inputs: inputs.into_iter().filter_map(identified).collect(), outputs: Vec::new() }
    }

    /// Adds a file with `signature` that is going to be written to `path`; `-` is standard output.
    ///
    /// # Errors
    /// Why it cannot be written there, or must not.
    pub fn output(&mut self, path: &Path, signature: Signature<'_>) -> Result<Output, PlanError> {
        let place = Place::of(path).map_err(|nowhere| no_place(path, nowhere))?;
        let name = place.shown(path).to_owned();
        if let Some(identity) = place.identity() {
            if let Some((input, _)) = self.inputs.iter().find(|(_, input)| *input == identity) {
                return Err(PlanError::Input { path: name, input: input.clone() });
            }
            if let Some((other, _)) = self.outputs.iter().find(|(_, other)| *other == identity) {
                return Err(PlanError::Twice { path: name, other: other.clone() });
            }
            self.outputs.push((name, identity));
        }
        if let Place::File(file) = &place {
            let folder = || shown_folder(path, file);
            if is_of_run(file) {
                return Err(PlanError::OfRun { path: path.into(), folder: folder() });
            }
            if !self.force {
                may_replace(path, file, signature)?;
            }
            probe(file).map_err(|source| PlanError::Folder { folder: folder(), source })?;
            if is_only_its_owner_s(file) {
                return Err(PlanError::Owned { path: path.into(), folder: folder() });
            }
        }
        if let Some(form) = signature.form()
            && let Some(ending) = form.broken_by(path)
        {
            return Err(PlanError::Form { path: path.into(), form: form.name, ending, advice: form.advice });
        }
        let before = match &place {
            Place::File(file) if !self.force => {
                Some(Stamp::of(file).map_err(|source| PlanError::Io { path: path.into(), source })?)
            }
            _ => None,
        };
        Ok(Output { name: path.into(), place, before, mark: signature.mark() })
    }
}

fn no_place(path: &Path, Nowhere { folder, source }: Nowhere) -> PlanError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::IsADirectory if path.is_dir() => PlanError::IsFolder { path },
        // Its name ends like a folder's.
        io::ErrorKind::IsADirectory => PlanError::NoFolder { folder: path.clone(), path },
        io::ErrorKind::NotFound => PlanError::NoFolder { path, folder },
        _ => PlanError::Io { path, source },
    }
}

/// The folder that `file` is in, as the user calls it where `path`, which leads there, is in the same.
fn shown_folder(path: &Path, file: &Path) -> PathBuf {
    let (named, actual) = (folder_of(path), folder_of(file));
    if fs::canonicalize(named).is_ok_and(|named| named == actual) { named.into() } else { actual.into() }
}

/// Whether `file` is another user's in a folder where that keeps it from being replaced.
#[cfg(unix)]
fn is_only_its_owner_s(file: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(about), Ok(folder)) = (fs::metadata(file), fs::metadata(folder_of(file))) else { return false };
    // SAFETY: it cannot fail.
    let user = unsafe { libc::geteuid() };
    let sticky = folder.mode() & 0o1000 != 0;
    sticky && ![0, about.uid(), folder.uid()].contains(&user)
}

#[cfg(not(unix))]
fn is_only_its_owner_s(_: &Path) -> bool {
    false
}

/// Whether the file at `file`, where there is one, may make room for one with `signature`.
fn may_replace(path: &Path, file: &Path, signature: Signature<'_>) -> Result<(), PlanError> {
    let failed = |source| PlanError::Io { path: path.into(), source };
    let Some(about) = about(file).map_err(failed)? else { return Ok(()) };
    // A user who may write everything is told by the mode, all others by the system.
    let writable = match about.permissions().readonly() {
        true => Err(io::Error::other("its mode is read-only")),
        false => OpenOptions::new().write(true).open(file),
    };
    if let Err(source) = writable {
        return Err(PlanError::Protected { path: path.into(), source });
    }
    match signature.is_on(file) {
        Ok(true) => Ok(()),
        Ok(false) => Err(PlanError::Foreign { path: path.into(), why: signature.lacking() }),
        Err(source) => Err(failed(source)),
    }
}

/// A file that can be written when its content is there.
#[derive(Debug)]
pub struct Output {
    name: PathBuf,
    place: Place,
    before: Option<Stamp>,
    /// As what it is known again, where its content does not tell.
    mark: Option<String>,
}

impl Output {
    /// What to call it in a message.
    pub fn shown(&self) -> std::path::Display<'_> {
        self.place.shown(&self.name).display()
    }

    /// As the user calls it.
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// Whether it is standard output, a FIFO or a device: nothing lies beside it then.
    pub fn is_stream(&self) -> bool {
        !matches!(self.place, Place::File(_))
    }

    /// Has `fill` write all of it, while its destination stays as it is.
    ///
    /// # Errors
    /// What the system or `fill` says.
    pub fn stage(&self, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<Staged, WriteError> {
        Staged::new(&self.name, (&self.place, self.before.clone(), self.mark.as_deref()), fill)
    }

    /// Has `fill` write it and puts it in place, where it is all that the command writes.
    ///
    /// # Errors
    /// What the system or `fill` says; the destination is what it was then.
    pub fn write(&self, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), WriteError> {
        commit([self.stage(fill)?])
    }
}
