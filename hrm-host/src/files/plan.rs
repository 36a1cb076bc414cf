//! What a command reads and writes, checked before it begins to work.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::folder::probe;
use super::place::{Identity, Place, folder_of};
use super::signature::Signature;
use super::staged::{Staged, WriteError, commit};

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
    /// Somebody else's.
    #[error(
        "{path} is there already and is not {wanted} that this command could have written; give another name, or replace it \
         with --force"
    )]
    Foreign {
        /// What was to be written.
        path: PathBuf,
        /// What was expected there.
        wanted: &'static str,
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
            let identity = Identity::of(path).filter(|_| path.exists())?;
            Some((path.to_owned(), identity))
        };
        Self { force, inputs: inputs.into_iter().filter_map(identified).collect(), outputs: Vec::new() }
    }

    /// Adds a file with `signature` that is going to be written to `path`; `-` is standard output.
    ///
    /// # Errors
    /// Why it cannot be written there, or must not.
    pub fn output(&mut self, path: &Path, signature: Signature) -> Result<Output, PlanError> {
        let place = Place::of(path).map_err(|source| no_place(path, source))?;
        if let Some(identity) = place.identity() {
            if let Some((input, _)) = self.inputs.iter().find(|(_, input)| *input == identity) {
                return Err(PlanError::Input { path: path.into(), input: input.clone() });
            }
            if let Some((other, _)) = self.outputs.iter().find(|(_, other)| *other == identity) {
                return Err(PlanError::Twice { path: path.into(), other: other.clone() });
            }
            self.outputs.push((path.into(), identity));
        }
        if let Place::File(file) = &place {
            if !self.force {
                may_replace(path, file, signature)?;
            }
            let unwritable = |source| PlanError::Folder { folder: folder_of(path).into(), source };
            probe(file).map_err(unwritable)?;
        }
        Ok(Output { name: path.into(), place })
    }
}

fn no_place(path: &Path, source: io::Error) -> PlanError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::IsADirectory => PlanError::IsFolder { path },
        io::ErrorKind::NotFound => {
            let folder = folder_of(&path).to_owned();
            PlanError::NoFolder { path, folder }
        }
        _ => PlanError::Io { path, source },
    }
}

/// Whether the file at `file`, where there is one, may make room for one with `signature`.
fn may_replace(path: &Path, file: &Path, signature: Signature) -> Result<(), PlanError> {
    let Ok(about) = fs::metadata(file) else { return Ok(()) };
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
        Ok(false) => Err(PlanError::Foreign { path: path.into(), wanted: signature.name }),
        Err(source) => Err(PlanError::Io { path: path.into(), source }),
    }
}

/// A file that can be written when its content is there.
#[derive(Debug)]
pub struct Output {
    name: PathBuf,
    place: Place,
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
        Staged::new(&self.name, &self.place, fill)
    }

    /// Has `fill` write it and puts it in place, where it is all that the command writes.
    ///
    /// # Errors
    /// What the system or `fill` says; the destination is what it was then.
    pub fn write(&self, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), WriteError> {
        commit([self.stage(fill)?])
    }
}
