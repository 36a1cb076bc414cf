//! Where a name leads: to standard output, to something that is only written to, or to a
//! file that can be replaced.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What messages call it.
pub(super) const STANDARD_OUTPUT: &str = "standard output";
/// As many links are followed as Linux does.
const LINKS: usize = 40;

/// Whether the name at `path` ends in `.ending`, whatever its case, as where systems do not tell cases apart.
pub fn ends_in(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|own| own.eq_ignore_ascii_case(ending))
}

/// Where what is written under a name goes. Every symbolic link on the way has been followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `-`, and every other name of descriptor 1.
    StandardOutput,
    /// A FIFO, a device or an open descriptor: written to, never replaced.
    Stream(PathBuf),
    /// A regular file, or none yet, in a folder that exists.
    File(PathBuf),
}

impl Place {
    /// Where `name` leads.
    ///
    /// # Errors
    /// Where it leads to a folder, into no folder, in a circle, or where the system does not say; with the
    /// folder that it leads into.
    pub(super) fn of(name: &Path) -> Result<Self, Nowhere> {
        let mut path = name.to_owned();
        Self::follow(name, &mut path).map_err(|source| {
            let folder = folder_of(&path);
            let folder = match fs::read_link(folder) {
                Ok(target) if !folder.exists() => folder_of(folder).join(target),
                _ => folder.to_owned(),
            };
            Nowhere { folder, source }
        })
    }

    /// As [`Self::of`]; `path` is `name`, and afterwards where it leads.
    fn follow(name: &Path, path: &mut PathBuf) -> io::Result<Self> {
        if name.as_os_str() == "-" {
            return Ok(Self::StandardOutput);
        }
        for _ in 0..LINKS {
            let last = path.file_name().filter(|_| !ends_like_a_folder(path));
            let last = last.ok_or(io::ErrorKind::IsADirectory)?.to_owned();
            let folder = fs::canonicalize(folder_of(path))?;
            *path = folder.join(&last);
            if folder == descriptors() {
                return Ok(if last == "1" { Self::StandardOutput } else { Self::Stream(path.clone()) });
            }
            if !path.is_symlink() {
                return Self::at(path.clone());
            }
            *path = folder.join(fs::read_link(&path)?);
        }
        Err(io::Error::other("too many links, one leading to the next"))
    }

    /// What is at `path`, which is no link.
    fn at(path: PathBuf) -> io::Result<Self> {
        match fs::metadata(&path) {
            Ok(about) if about.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Ok(about) if about.is_file() => Ok(Self::File(path)),
            Ok(_) => Ok(Self::Stream(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::File(path)),
            Err(error) => Err(error),
        }
    }

    /// What to call it in a message, where the user calls it `name`.
    pub(super) fn shown<'a>(&self, name: &'a Path) -> &'a Path {
        if *self == Self::StandardOutput { Path::new(STANDARD_OUTPUT) } else { name }
    }

    /// Writes `bytes` to what cannot be replaced.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::StandardOutput => {
                let mut out = io::stdout().lock();
                out.write_all(bytes)?;
                out.flush()
            }
            Self::Stream(path) | Self::File(path) => {
                OpenOptions::new().append(true).open(path)?.write_all(bytes)
            }
        }
    }

    /// What tells this place from every other, whatever it is called; `None` where that does not
    /// matter, as on a terminal.
    pub(super) fn identity(&self) -> Option<Identity> {
        match self {
            Self::StandardOutput => Some(Identity::of_standard_output()),
            Self::Stream(path) | Self::File(path) => Identity::of(path),
        }
    }
}

/// A name that leads to nothing that can be written.
#[derive(Debug)]
pub(super) struct Nowhere {
    /// The folder that it leads into, every link on the way followed.
    pub(super) folder: PathBuf,
    pub(super) source: io::Error,
}

/// The folder that `path` names a file in.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn ends_like_a_folder(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().last().is_some_and(|&last| std::path::is_separator(last.into()))
}

/// Where Linux shows this process its open descriptors; `/dev/stdout` and `/dev/fd/1` lead there.
fn descriptors() -> PathBuf {
    format!("/proc/{}/fd", std::process::id()).into()
}

/// What tells a file from every other, whatever it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    StandardOutput,
    /// Device and number on it.
    Node(u64, u64),
    /// Not there yet.
    Absent(PathBuf),
}

impl Identity {
    /// That of what is read under the name `path`, where there is such a thing; `-` is standard input.
    pub(super) fn of_input(path: &Path) -> Option<Self> {
        if path.as_os_str() == "-" {
            return of_descriptor(&io::stdin());
        }
        Self::of(path).filter(|_| path.exists())
    }

    /// A shell may have led standard output into a file that has a name as well.
    fn of_standard_output() -> Self {
        of_descriptor(&io::stdout()).unwrap_or(Self::StandardOutput)
    }

    /// That of the file at `path`; `None` for devices, which many may write to and read from at once.
    pub(super) fn of(path: &Path) -> Option<Self> {
        match fs::metadata(path) {
            Ok(about) => node(path, &about),
            Err(_) => Some(Self::Absent(path.to_owned())),
        }
    }
}

/// That of the regular file that a descriptor leads to.
#[cfg(unix)]
fn of_descriptor(stream: &impl std::os::fd::AsFd) -> Option<Identity> {
    let about = fs::File::from(stream.as_fd().try_clone_to_owned().ok()?).metadata().ok()?;
    node(Path::new(""), &about).filter(|_| about.is_file())
}

#[cfg(not(unix))]
fn of_descriptor<T>(_: &T) -> Option<Identity> {
    None
}

#[cfg(unix)]
fn node(_: &Path, about: &fs::Metadata) -> Option<Identity> {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    let device = about.file_type().is_char_device() || about.file_type().is_block_device();
    (!device).then(|| Identity::Node(about.dev(), about.ino()))
}

#[cfg(not(unix))]
fn node(path: &Path, _: &fs::Metadata) -> Option<Identity> {
    fs::canonicalize(path).ok().map(Identity::Absent)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn names_lead_where_the_system_says() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        fs::create_dir(root.join("store")).unwrap();
        symlink("store/a", root.join("a")).unwrap();
        symlink("a", root.join("b")).unwrap();
        symlink("circle", root.join("circle")).unwrap();
        symlink("/dev/stdout", root.join("out")).unwrap();
        for (name, place) in [
            ("b", Place::File(root.join("store/a"))),
            ("store/../store/./a", Place::File(root.join("store/a"))),
            ("/dev/null", Place::Stream("/dev/null".into())),
            ("-", Place::StandardOutput),
            ("./-", Place::File(std::env::current_dir().unwrap().join("-"))),
        ] {
            let name = if name.starts_with(['-', '/', '.']) { name.into() } else { root.join(name) };
            assert_eq!(Place::of(&name).unwrap(), place, "{}", name.display());
        }
        for (name, kind) in [
            ("store", io::ErrorKind::IsADirectory),
            ("new/", io::ErrorKind::IsADirectory),
            ("missing/a", io::ErrorKind::NotFound),
            ("circle", io::ErrorKind::Other),
        ] {
            assert_eq!(Place::of(&root.join(name)).unwrap_err().source.kind(), kind, "{name}");
        }
        symlink("gone/b", root.join("far")).unwrap();
        assert_eq!(Place::of(&root.join("far")).unwrap_err().folder, root.join("gone"));
        #[cfg(target_os = "linux")]
        for name in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
            assert_eq!(Place::of(Path::new(name)).unwrap(), Place::StandardOutput);
            assert_eq!(Place::of(&root.join("out")).unwrap(), Place::StandardOutput);
        }
    }

    #[test]
    fn one_file_has_one_identity_under_all_its_names() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let identity = |name: &str| Place::of(&path(name)).unwrap().identity();
        symlink("a", path("link")).unwrap();
        assert_eq!(identity("a"), identity("link"), "before there is a file");
        fs::write(path("a"), "").unwrap();
        fs::hard_link(path("a"), path("hard")).unwrap();
        fs::write(path("b"), "").unwrap();
        assert_eq!(identity("a"), identity("link"));
        assert_eq!(identity("a"), identity("hard"));
        assert_ne!(identity("a"), identity("b"));
        assert_ne!(identity("a"), identity("c"));
    }
}
