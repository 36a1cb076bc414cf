//! Whose a file is, by all of its content.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

const GZIP: [u8; 2] = [0x1f, 0x8b];
/// No line of this program's own tables is as long.
const LINE: u64 = 64 << 10;

/// By what a file that this program makes is known, so that it may replace an earlier one.
#[derive(Clone, Copy)]
pub struct Signature<'a> {
    /// What to call such a file: `a pack`.
    pub name: &'a str,
    /// Whether a file of this content (unpacked, where it is gzip) is one, to its last byte: what somebody has added is theirs.
    pub is_own: &'a dyn Fn(&mut dyn BufRead) -> io::Result<bool>,
}

impl Signature<'_> {
    /// Whether the file at `path` is such a file, or is empty.
    pub(super) fn is_on(&self, path: &Path) -> io::Result<bool> {
        let mut file = BufReader::new(File::open(path)?);
        let start = file.fill_buf()?;
        let (empty, packed) = (start.is_empty(), start.starts_with(&GZIP));
        let own = match packed {
            true => (self.is_own)(&mut BufReader::new(MultiGzDecoder::new(file))),
            false => (self.is_own)(&mut file),
        };
        match own {
            Err(error)
                if ![
                    io::ErrorKind::InvalidInput,
                    io::ErrorKind::InvalidData,
                    io::ErrorKind::UnexpectedEof,
                ]
                .contains(&error.kind()) =>
            {
                Err(error)
            }
            own => Ok(empty || own.unwrap_or(false)),
        }
    }
}

/// Whether `file` has `header` as its first line, and otherwise only lines that are `own`.
///
/// # Errors
/// What the system says.
pub fn is_table(file: &mut dyn BufRead, header: &str, own: impl Fn(&str) -> bool) -> io::Result<bool> {
    let mut line = Vec::new();
    for number in 0.. {
        line.clear();
        if (&mut *file).take(LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(number > 0);
        }
        let text = line.strip_suffix(b"\n").and_then(|line| std::str::from_utf8(line).ok());
        let fits = |text: &str| if number == 0 { text == header } else { own(text) };
        if !text.is_some_and(fits) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// All of `file`.
///
/// # Errors
/// What the system says.
pub fn whole(file: &mut dyn BufRead) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// All of `file` as a text, where it is one.
///
/// # Errors
/// What the system says.
pub fn whole_text(file: &mut dyn BufRead) -> io::Result<String> {
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_is_known_by_all_of_it_packed_or_not() {
        let dir = tempfile::tempdir().unwrap();
        let is_own = |file: &mut dyn BufRead| is_table(file, "a,b", |line| line.starts_with("own,"));
        let table = Signature { name: "a table", is_own: &is_own };
        let gzip = |text: &str| {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(text.as_bytes()).unwrap();
            packed.finish().unwrap()
        };
        let many = format!("a,b\n{}", "own,1\n".repeat(100_000));
        let added = format!("{many}mine,2\n");
        let torn = gzip(&many)[..500].to_vec();
        for (bytes, ours) in [
            (b"a,b\nown,2\n".to_vec(), true),
            (b"a,b\n".to_vec(), true),
            (Vec::new(), true),
            (b"a,c\n".to_vec(), false),
            (b"a,b\nown,2\nmy note".to_vec(), false),
            (b"a,b\nown,2\nown,\xff\n".to_vec(), false),
            (many.clone().into_bytes(), true),
            (added.clone().into_bytes(), false),
            (gzip("a,b\n"), true),
            (gzip(&many), true),
            (gzip(&added), false),
            ([gzip(&many), gzip("mine,2\n")].concat(), false),
            ([gzip(&many), b"mine".to_vec()].concat(), false),
            (torn, false),
            (GZIP.to_vec(), false),
        ] {
            let path = dir.path().join("x");
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(table.is_on(&path).unwrap(), ours, "{:?}", &bytes[..bytes.len().min(30)]);
        }
    }
}
