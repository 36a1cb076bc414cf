//! Reading files, and what can be read only once: standard input where the name is `-`, and FIFOs.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use hrm_core::digest::CRC;

/// What standard input is called in messages.
const STANDARD_INPUT: &str = "standard input";

/// How the file at `path` is called in messages; `-` is standard input.
pub fn shown(path: &Path) -> &Path {
    if path.as_os_str() == "-" { Path::new(STANDARD_INPUT) } else { path }
}

/// The last part of a path, for what is to be read elsewhere: a card, a table or a report
/// tells nobody where files lay.
pub fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Whether `path` is standard input, by its name or by what it is [`shown`] as: what a message advises
/// may not be possible there.
pub fn is_stdin(path: &Path) -> bool {
    shown(path).as_os_str() == STANDARD_INPUT
}

/// What streams held, by name: a command may look at a file twice, first to see what it is.
static STREAMS: Mutex<BTreeMap<PathBuf, Vec<u8>>> = Mutex::new(BTreeMap::new());

/// All bytes of the file at `path`; `-` is standard input.
///
/// # Errors
/// What the system says.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !is_stream(path) {
        return fs::read(path);
    }
    let mut streams = STREAMS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(held) = streams.get(path) {
        return Ok(held.clone());
    }
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        io::stdin().lock().read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.read_to_end(&mut bytes)?;
    }
    streams.insert(path.to_owned(), bytes.clone());
    Ok(bytes)
}

/// The text in the file at `path`; `-` is standard input.
///
/// # Errors
/// What the system says, and where it is no UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// The CRC-32 (of zip and gzip) of all bytes of the file at `path`; `-` is standard input.
///
/// # Errors
/// What the system says.
pub fn crc32(path: &Path) -> io::Result<u32> {
    let mut digest = CRC.digest();
    if is_stream(path) {
        digest.update(&read(path)?);
        return Ok(digest.finalize());
    }
    let (mut file, mut piece) = (File::open(path)?, vec![0; 1 << 16]);
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(digest.finalize()),
            Ok(length) => digest.update(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The first bytes of the file at `path`, at most `most`; `-` is standard input.
///
/// # Errors
/// What the system says.
pub fn read_start(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    if is_stream(path) {
        start = read(path)?;
        start.truncate(most);
    } else {
        File::open(path)?.take(most as u64).read_to_end(&mut start)?;
    }
    Ok(start)
}

/// Whether what is read of `path` is gone then.
fn is_stream(path: &Path) -> bool {
    path.as_os_str() == "-" || fs::metadata(path).is_ok_and(|about| !about.is_file() && !about.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_last_part_of_a_path() {
        let names = ["a/b.hrm", "runs/mcu/", "-", "..", "/"].map(|path| name_of(Path::new(path)));
        assert_eq!(names, ["b.hrm", "mcu", "-", "..", "/"]);
    }

    #[test]
    fn a_sum_is_that_of_zip_and_gzip() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "123456789").unwrap();
        assert_eq!(crc32(file.path()).unwrap(), 0xcbf4_3926);
        fs::write(file.path(), [7; 200_000]).unwrap();
        assert_eq!(crc32(file.path()).unwrap(), CRC.checksum(&[7; 200_000]), "in several pieces");
        assert!(crc32(Path::new("no such file")).is_err());
    }
}
