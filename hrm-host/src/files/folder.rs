//! What is a folder, and whether files can be written into it, found out before there is anything to write.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::plan::PlanError;
use super::staged::create_beside;
use super::unfinished::unfinished;

/// Whether a folder is at `path`.
///
/// # Errors
/// Why the system does not tell; that nothing is there is no error.
pub fn is_folder(path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(about) => Ok(about.is_dir()),
        Err(error) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Sees that `folder` can be written, or that it can be made; makes nothing.
///
/// # Errors
/// Why it cannot.
pub fn check_folder(folder: &Path) -> Result<(), PlanError> {
    if folder.as_os_str() == "-" {
        let source = io::Error::other("only single files go to standard output");
        return Err(PlanError::Folder { folder: folder.into(), source });
    }
    let here = Path::new(".");
    let mut known = folder.ancestors().map(|path| if path.as_os_str().is_empty() { here } else { path });
    let there = known.find(|path| path.exists() || path.is_symlink()).unwrap_or(here);
    let tried = match fs::read_link(there) {
        Ok(target) if !there.exists() => {
            Err(io::Error::other(format!("it is a link to {}, which is not there", target.display())))
        }
        _ => probe(&there.join("hrm-host")),
    };
    tried.map_err(|source| PlanError::Folder { folder: there.into(), source })
}

/// Makes `folder` where it is missing, and sees that it can be written.
///
/// # Errors
/// Why it cannot.
pub fn make_folder(folder: &Path) -> Result<(), PlanError> {
    check_folder(folder)?;
    fs::create_dir_all(folder).map_err(|source| PlanError::Folder { folder: folder.into(), source })
}

/// Sees that a file can be made beside `path`, under a name as long as that of an unfinished one.
pub(super) fn probe(path: &Path) -> io::Result<()> {
    let (probe, _) = create_beside(path)?;
    unfinished().delete(&probe)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_does_not_tell_is_no_file() {
        let at = tempfile::tempdir().unwrap();
        let path = |name: &str| at.path().join(name);
        fs::write(path("file"), "").unwrap();
        std::os::unix::fs::symlink("round", path("round")).unwrap();
        assert!(is_folder(at.path()).unwrap());
        for name in ["file", "file/below", "nothing"] {
            assert!(!is_folder(&path(name)).unwrap(), "{name}");
        }
        assert!(is_folder(&path("round")).is_err());
    }
}
