//! A safetensors file that is either complete and unaltered, or refused.
//!
//! The metadata entry `checksum` is the CRC-64 of every other metadata entry and every tensor.
//! Files are written beside their final name, flushed to the disk and renamed, so that a reader or
//! a crash never sees half a file.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, View};

use crate::files::{self, replace_file};
use crate::kind::{Kind, Wanted, kind_of};

const CHECKSUM: &str = "checksum";
static CRC: crc::Crc<u64> = crc::Crc::<u64>::new(&crc::CRC_64_XZ);

/// Why an archive cannot be used, or written.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write {path}: {source}; nothing that was there before has been touched")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is of another kind.
    #[error("{path} is {kind}, not a checkpoint; {}", .kind.advice(Wanted::Model))]
    Kind {
        /// The file.
        path: PathBuf,
        /// What it is.
        kind: Kind,
    },
    /// A safetensors file without this program's entries.
    #[error(
        "{path} is a safetensors file of another program, not a checkpoint of `hrm-host train`; {}",
        Kind::PyTorch.advice(Wanted::Model)
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file ends too early.
    #[error("{path} is damaged: cut short, at {found} of {}{whole} bytes", if *.more { "more than " } else { "" })]
    Cut {
        /// The file.
        path: PathBuf,
        /// Bytes there are.
        found: u64,
        /// Bytes that its header asks for.
        whole: u64,
        /// Whether the header itself is cut, so that these are its own alone.
        more: bool,
    },
    /// The file is not a complete safetensors file.
    #[error("{path} is damaged or no safetensors file ({reason})")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The contents do not add up to the stored checksum.
    #[error("{path} was altered after it was written (checksum {found}, expected {expected})")]
    Checksum {
        /// The file.
        path: PathBuf,
        /// Computed now.
        found: String,
        /// Stored.
        expected: String,
    },
    /// There are weights only, as of an imported model, where the state of a run is wanted.
    #[error(
        "{path} holds a model's weights without the state of a training run; start a run from them with `hrm-host train --from`"
    )]
    WeightsAlone {
        /// The file.
        path: PathBuf,
    },
    /// An entry is missing or of another type or shape.
    #[error("{path}: {reason}; it was not written by this version of `hrm-host train`")]
    Entry {
        /// The file.
        path: PathBuf,
        /// Which entry and why.
        reason: String,
    },
}

/// One stored tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl View for &Entry {
    fn dtype(&self) -> Dtype {
        self.dtype
    }
    fn shape(&self) -> &[usize] {
        &self.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }
    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// Named tensors and named texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Archive {
    path: PathBuf,
    texts: BTreeMap<String, String>,
    entries: BTreeMap<String, Entry>,
}

impl Archive {
    /// Stores a text under `name`.
    pub fn put_text(&mut self, name: &str, text: impl Into<String>) {
        self.texts.insert(name.to_owned(), text.into());
    }

    /// Where it was read from; empty for a new one.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Stores 32-bit floats, row-major, under `name`.
    pub fn put_f32(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        self.put(name, Dtype::F32, shape, bytemuck::cast_slice(values).to_vec());
    }

    /// Stores 32-bit whole numbers under `name`.
    pub fn put_u32(&mut self, name: &str, shape: &[usize], values: &[u32]) {
        self.put(name, Dtype::U32, shape, bytemuck::cast_slice(values).to_vec());
    }

    /// Stores bytes under `name`.
    pub fn put_u8(&mut self, name: &str, shape: &[usize], values: &[u8]) {
        self.put(name, Dtype::U8, shape, values.to_vec());
    }

    fn put(&mut self, name: &str, dtype: Dtype, shape: &[usize], bytes: Vec<u8>) {
        self.entries.insert(name.to_owned(), Entry { dtype, shape: shape.to_vec(), bytes });
    }

    /// The names of all tensors, sorted, with their shapes.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.entries.iter().map(|(name, entry)| (name.as_str(), entry.shape.as_slice()))
    }

    /// Whether there is a tensor under `name`.
    pub fn contains(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// The text under `name`.
    pub fn text(&self, name: &str) -> Result<&str, ArchiveError> {
        self.texts.get(name).map(String::as_str).ok_or_else(|| self.refused(format!("it has no `{name}`")))
    }

    /// The text under `name`, read as a value.
    ///
    /// # Errors
    /// Where it is missing or says something else.
    pub fn parsed<T: std::str::FromStr>(&self, name: &str) -> Result<T, ArchiveError> {
        let text = self.text(name)?;
        text.parse().map_err(|_| self.refused(format!("`{name}` cannot be {text:?}")))
    }

    /// The text under `name`, read as JSON.
    ///
    /// # Errors
    /// Where it is missing or no such JSON.
    pub fn json<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T, ArchiveError> {
        serde_json::from_str(self.text(name)?).map_err(|e| self.refused(format!("`{name}`: {e}")))
    }

    /// The floats under `name`, of which there must be `len`, each a finite number.
    pub fn f32(&self, name: &str, len: usize) -> Result<Vec<f32>, ArchiveError> {
        let bytes = self.bytes(name, Dtype::F32, len * 4)?;
        let values: Vec<f32> = bytes.chunks_exact(4).map(bytemuck::pod_read_unaligned).collect();
        match values.iter().all(|value| value.is_finite()) {
            true => Ok(values),
            false => Err(self.refused(format!("tensor `{name}` holds a value that is no finite number"))),
        }
    }

    /// The whole numbers under `name`, of which there must be `len`.
    pub fn u32(&self, name: &str, len: usize) -> Result<Vec<u32>, ArchiveError> {
        Ok(self.bytes(name, Dtype::U32, len * 4)?.chunks_exact(4).map(bytemuck::pod_read_unaligned).collect())
    }

    /// The bytes under `name`, of which there must be `len`.
    pub fn u8(&self, name: &str, len: usize) -> Result<Vec<u8>, ArchiveError> {
        Ok(self.bytes(name, Dtype::U8, len)?.to_vec())
    }

    fn bytes(&self, name: &str, dtype: Dtype, len: usize) -> Result<&[u8], ArchiveError> {
        let entry =
            self.entries.get(name).ok_or_else(|| self.refused(format!("it has no tensor `{name}`")))?;
        if entry.dtype != dtype || entry.bytes.len() != len {
            return Err(self.refused(format!(
                "tensor `{name}` is {:?} {:?}, {} bytes of {dtype:?} were expected",
                entry.dtype, entry.shape, len
            )));
        }
        Ok(&entry.bytes)
    }

    /// An error about this file's contents.
    pub fn refused(&self, reason: String) -> ArchiveError {
        ArchiveError::Entry { path: self.path.clone(), reason }
    }

    fn checksum(&self) -> String {
        let mut digest = CRC.digest();
        let mut add = |bytes: &[u8]| {
            digest.update(&(bytes.len() as u64).to_le_bytes());
            digest.update(bytes);
        };
        for (name, text) in self.texts.iter().filter(|(name, _)| *name != CHECKSUM) {
            add(name.as_bytes());
            add(text.as_bytes());
        }
        for (name, entry) in &self.entries {
            add(name.as_bytes());
            add(format!("{:?} {:?}", entry.dtype, entry.shape).as_bytes());
            add(&entry.bytes);
        }
        format!("{:016x}", digest.finalize())
    }

    /// The archive as a file has it, with its checksum.
    ///
    /// # Errors
    /// Where an entry's bytes are not those of its shape.
    pub fn to_bytes(&self) -> io::Result<Vec<u8>> {
        let mut texts: HashMap<String, String> = self.texts.clone().into_iter().collect();
        texts.insert(CHECKSUM.to_owned(), self.checksum());
        safetensors::serialize(self.entries.iter(), Some(texts)).map_err(io::Error::other)
    }

    /// Writes the archive to `path`, atomically.
    pub fn write(&self, path: &Path) -> Result<(), ArchiveError> {
        self.to_bytes()
            .and_then(|bytes| replace_file(path, |file| file.write_all(&bytes)))
            .map_err(|source| ArchiveError::Write { path: path.to_owned(), source })
    }

    /// Reads and verifies the archive at `path`.
    pub fn read(path: &Path) -> Result<Self, ArchiveError> {
        let read = files::read(path);
        let path = files::shown(path);
        let bytes = read.map_err(|source| ArchiveError::Read { path: path.to_owned(), source })?;
        Self::of_bytes(path, &bytes)
    }

    /// As [`Self::read`], of the bytes that the file at `path` has.
    pub fn of_bytes(path: &Path, bytes: &[u8]) -> Result<Self, ArchiveError> {
        match kind_of(bytes) {
            // A flipped bit may hide what an own file was.
            Kind::Safetensors | Kind::Binary => (),
            kind => return Err(ArchiveError::Kind { path: path.to_owned(), kind }),
        }
        if let Some((whole, more)) = whole_length(bytes).filter(|(whole, _)| *whole > bytes.len() as u64) {
            return Err(ArchiveError::Cut { path: path.to_owned(), found: bytes.len() as u64, whole, more });
        }
        let damaged = |reason: String| ArchiveError::Damaged { path: path.to_owned(), reason };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| damaged(e.to_string()))?;
        let mut texts: BTreeMap<String, String> =
            header.metadata().clone().unwrap_or_default().into_iter().collect();
        let Some(expected) = texts.remove(CHECKSUM) else {
            return Err(ArchiveError::Foreign { path: path.to_owned() });
        };
        let views = SafeTensors::deserialize(bytes).map_err(|e| damaged(e.to_string()))?;
        let mut archive = Self { path: path.to_owned(), texts, entries: BTreeMap::new() };
        for (name, view) in views.iter() {
            archive.put(name, view.dtype(), view.shape(), view.data().to_vec());
        }
        let found = archive.checksum();
        if found != expected {
            return Err(ArchiveError::Checksum { path: path.to_owned(), found, expected });
        }
        Ok(archive)
    }
}

/// How long a file that begins so must be, as far as its header says: the header's length, then JSON with the
/// end of every tensor behind it.
fn whole_length(bytes: &[u8]) -> Option<(u64, bool)> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let header = u64::from_le_bytes(*length);
    let Some(json) = rest.get(..usize::try_from(header).ok()?) else {
        let length = header.checked_add(8).filter(|_| kind_of(bytes) == Kind::Safetensors);
        return length.map(|length| (length, true));
    };
    let entries: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(json).ok()?;
    let ends = entries.values().filter_map(|entry| entry.get("data_offsets")?.get(1)?.as_u64());
    Some((ends.max().unwrap_or(0).checked_add(8)?.checked_add(header)?, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Archive {
        let mut archive = Archive::default();
        archive.put_text("step", "12");
        archive.put_f32("a", &[2, 2], &[1.0, f32::MIN_POSITIVE, -0.0, 3.5]);
        archive.put_u32("b", &[1], &[u32::MAX]);
        archive.put_u8("c", &[3], &[1, 2, 3]);
        archive
    }

    #[test]
    fn what_was_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.safetensors");
        example().write(&path).unwrap();
        let read = Archive::read(&path).unwrap();
        assert_eq!(read.text("step").unwrap(), "12");
        assert_eq!(read.f32("a", 4).unwrap(), [1.0, f32::MIN_POSITIVE, -0.0, 3.5]);
        assert_eq!(read.u32("b", 1).unwrap(), [u32::MAX]);
        assert_eq!(read.u8("c", 3).unwrap(), [1, 2, 3]);
        assert!(matches!(read.u8("c", 4), Err(ArchiveError::Entry { .. })));
        assert!(matches!(read.f32("c", 3), Err(ArchiveError::Entry { .. })));
        assert!(matches!(read.text("samples"), Err(ArchiveError::Entry { .. })));
    }

    #[test]
    fn any_damage_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.safetensors");
        example().write(&path).unwrap();
        let good = std::fs::read(&path).unwrap();
        for cut in 0..good.len() {
            std::fs::write(&path, &good[..cut]).unwrap();
            assert!(Archive::read(&path).is_err(), "cut at {cut}");
        }
        // A bit flipped in the header's padding or a reordering of equal meaning
        // changes nothing that is stored.
        let whole = Archive::read({
            std::fs::write(&path, &good).unwrap();
            &path
        })
        .unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            std::fs::write(&path, &bad).unwrap();
            if let Ok(read) = Archive::read(&path) {
                assert_eq!(read, whole, "flip at {at}");
            }
        }
        let last = good.len() - 1;
        let mut bad = good;
        bad[last] ^= 0x80;
        std::fs::write(&path, &bad).unwrap();
        assert!(matches!(Archive::read(&path), Err(ArchiveError::Checksum { .. })));
    }
}
