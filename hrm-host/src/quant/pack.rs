//! Writing a pack: sections at the places the core's own layout gives.

use std::path::{Path, PathBuf};

use bytemuck::{NoUninit, cast_slice};
use hrm_core::pack::{
    ALIGN, FORMAT_VERSION, Header, Layout, MAGIC, MatrixSpan, PRELUDE_BYTES, Pack, PackError, Shape, Span,
    checksum,
};

use super::tables;
use crate::model::ModelConfig;

/// A pack's bytes in memory aligned to 16, as `Pack::open` wants them.
#[derive(Clone, Debug)]
pub struct AlignedPack {
    words: Vec<u128>,
    bytes: usize,
}

impl AlignedPack {
    /// A copy of `bytes` (of any content) at an aligned place.
    pub fn copy_of(bytes: &[u8]) -> Self {
        let mut words = vec![0u128; bytes.len().div_ceil(ALIGN)];
        bytemuck::cast_slice_mut::<u128, u8>(&mut words)[..bytes.len()].copy_from_slice(bytes);
        Self { words, bytes: bytes.len() }
    }

    /// Reads and checks a pack file.
    ///
    /// # Errors
    /// A file that cannot be read, or that is no valid pack; the message names it.
    pub fn read(path: &Path) -> Result<Self, PackFileError> {
        let at = |problem| PackFileError { path: path.to_owned(), problem };
        let pack = Self::copy_of(&std::fs::read(path).map_err(|error| at(error.into()))?);
        pack.open().map_err(|error| at(error.into()))?;
        Ok(pack)
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &cast_slice::<u128, u8>(&self.words)[..self.bytes]
    }

    /// The checked pack.
    ///
    /// # Errors
    /// Whatever `Pack::open` finds.
    pub fn open(&self) -> Result<Pack<'_>, PackError> {
        Pack::open(self.bytes())
    }
}

/// A file that is not a usable pack.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct PackFileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: PackProblem,
}

/// What is wrong with a pack file.
#[derive(Debug, thiserror::Error)]
pub enum PackProblem {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// It is not a valid pack.
    #[error("not a usable pack: {0}; `hrm-host export` writes one")]
    Pack(#[from] PackError),
}

/// Collects the sections of a pack.
pub(super) struct Writer {
    shape: Shape,
    layout: Layout,
    sections: Vec<u8>,
}

impl Writer {
    /// A pack of `shape` with its tables filled in.
    pub(super) fn new(shape: &Shape, config: &ModelConfig) -> Self {
        let layout = Layout::of(shape);
        let mut writer = Self { shape: *shape, layout, sections: vec![0; layout.bytes] };
        writer.put(layout.exp2, &tables::exp2());
        writer.put(layout.sigmoid, &tables::sigmoid());
        writer.put(layout.rope, &tables::rope(config));
        writer.put(layout.relation_map, &tables::relation_map(config));
        writer
    }

    pub(super) fn shape(&self) -> &Shape {
        &self.shape
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Start of member `index` among the sections.
    pub(super) fn member_at(&self, index: usize) -> usize {
        self.layout.members_at + index * self.layout.member.bytes
    }

    /// Fills a section; `values` must have exactly its size.
    pub(super) fn put<T: NoUninit>(&mut self, span: Span, values: &[T]) {
        self.sections[span.at..span.at + span.bytes].copy_from_slice(cast_slice(values));
    }

    /// Fills a matrix from rows `weights[column][k]` (column-major, as a linear layer stores them) and factors; missing
    /// columns (padding) are zero.
    pub(super) fn put_matrix(&mut self, span: MatrixSpan, weights: &[Vec<i8>], factors: &[i32]) {
        let columns = span.factors.bytes / 4;
        let mut panel = vec![0i8; span.depth * columns];
        for (column, weights) in weights.iter().enumerate() {
            let at = column / 2 * 2 * span.depth + column % 2;
            for (k, weight) in weights.iter().enumerate() {
                panel[at + 2 * k] = *weight;
            }
        }
        let mut padded = factors.to_vec();
        padded.resize(columns, 0);
        self.put(span.weights, &panel);
        self.put(span.factors, &padded);
    }

    /// The finished pack, checked by the core's own reader.
    pub(super) fn finish(self, header: &Header<'_>) -> Result<AlignedPack, PackError> {
        let encoded = postcard::to_stdvec(header).map_err(|_| PackError::Header)?;
        let mut bytes = vec![0u8; PRELUDE_BYTES];
        bytes.extend(&encoded);
        bytes.resize(bytes.len().next_multiple_of(ALIGN), 0);
        bytes.extend(&self.sections);
        let total = bytes.len() as u32;
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4..6].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes[8..12].copy_from_slice(&(encoded.len() as u32).to_le_bytes());
        bytes[12..16].copy_from_slice(&total.to_le_bytes());
        let crc = checksum(&bytes);
        bytes[16..20].copy_from_slice(&crc.to_le_bytes());
        let pack = AlignedPack::copy_of(&bytes);
        pack.open()?;
        Ok(pack)
    }
}

/// `pack` with its accuracy record replaced.
///
/// # Errors
/// A pack that does not pass its check.
pub fn with_accuracy(
    pack: &AlignedPack,
    accuracy: hrm_core::pack::Accuracy,
) -> Result<AlignedPack, PackError> {
    let opened = pack.open()?;
    let layout = *opened.layout();
    let mut header = opened.header()?;
    header.accuracy = Some(accuracy);
    let sections = pack.bytes()[pack.bytes().len() - layout.bytes..].to_vec();
    Writer { shape: *opened.shape(), layout, sections }.finish(&header)
}
