//! Whose a file is, by its first bytes.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

/// So many bytes of a file are looked at.
const LOOK: u64 = 16 << 10;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// By what a file that this program makes is known, so that it may replace an earlier one.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// What to call such a file: `a pack`.
    pub name: &'static str,
    /// Whether a file whose first bytes (unpacked, where it is gzip) are these is one.
    pub begins: fn(&[u8]) -> bool,
}

impl Signature {
    /// Whether the file at `path` begins so, or is empty.
    pub(super) fn is_on(self, path: &Path) -> io::Result<bool> {
        let mut start = Vec::new();
        File::open(path)?.take(LOOK).read_to_end(&mut start)?;
        if start.starts_with(&GZIP) {
            let packed = std::mem::take(&mut start);
            // The end is missing, of course; what comes before it is there.
            let _ = MultiGzDecoder::new(packed.as_slice()).take(LOOK).read_to_end(&mut start);
            return Ok((self.begins)(&start));
        }
        Ok(start.is_empty() || (self.begins)(&start))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_is_known_by_its_first_bytes_packed_or_not() {
        let dir = tempfile::tempdir().unwrap();
        let table = Signature { name: "a table", begins: |start| start.starts_with(b"a,b\n") };
        let noise: Vec<u8> =
            (0..40_000u32).flat_map(|x| x.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let gzip = |start: &[u8]| {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(&[start, &noise].concat()).unwrap();
            packed.finish().unwrap()
        };
        for (bytes, ours) in [
            (b"a,b\n1,2\n".to_vec(), true),
            (Vec::new(), true),
            (b"a,c\n".to_vec(), false),
            (gzip(b"a,b\n"), true),
            (gzip(b"a;b\n"), false),
            (GZIP.to_vec(), false),
        ] {
            let path = dir.path().join("x");
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(table.is_on(&path).unwrap(), ours, "{:?}", &bytes[..bytes.len().min(8)]);
        }
    }
}
