//! Writing a pack: sections at the places the core's own layout gives.

use std::path::{Path, PathBuf};

use bytemuck::{NoUninit, cast_slice};
use hrm_core::digest::run_digest;
use hrm_core::pack::{
    AlignedBytes, Header, Layout, MAX_SELF_TESTS, MatrixSpan, PRELUDE_BYTES, Pack, PackError, Provenance,
    RelationMap, SelfTest, Shape, Span, assembled,
};
use hrm_core::{Hrm, ample_words};

use super::tables;
use crate::files;
use crate::kind::{Kind, Wanted, kind_of};
use crate::model::ModelConfig;
use crate::task::Game;

/// A pack's bytes in memory aligned to 16, as `Pack::open` wants them.
#[derive(Clone, Debug)]
pub struct AlignedPack(AlignedBytes);

impl AlignedPack {
    /// A copy of `bytes` (of any content) at an aligned place.
    pub fn copy_of(bytes: &[u8]) -> Self {
        Self(AlignedBytes::copy_of(bytes))
    }

    /// Reads and checks a pack file.
    ///
    /// # Errors
    /// A file that cannot be read, or that is no valid pack; the message names it.
    pub fn read(path: &Path) -> Result<Self, PackFileError> {
        let at = |problem| PackFileError { path: files::shown(path).to_owned(), problem };
        if files::is_folder(path).map_err(|error| at(error.into()))? {
            return Err(at(PackProblem::Folder));
        }
        let pack = Self::copy_of(&files::read(path).map_err(|error| at(error.into()))?);
        pack.open().map_err(|error| match kind_of(pack.bytes()) {
            Kind::Pack | Kind::Binary => at(error.into()),
            kind => at(PackProblem::Kind { kind }),
        })?;
        Ok(pack)
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        self.0.bytes()
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
    /// It is a folder.
    #[error(
        "is a folder, not a pack; where it is a run's, `hrm-host export FOLDER --out NAME.hrm` makes one of it"
    )]
    Folder,
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// It is something else.
    #[error("not a pack but {kind}; {}", other(*.kind))]
    Kind {
        /// What it is.
        kind: Kind,
    },
    /// It is not a valid pack.
    #[error("not a usable pack: {0}; `hrm-host export` writes one")]
    Pack(#[from] PackError),
}

/// What to do where a file of this kind was named as a pack.
fn other(kind: Kind) -> &'static str {
    match kind {
        Kind::Safetensors => "`hrm-host export` makes a pack of a checkpoint",
        kind => kind.advice(Wanted::Model),
    }
}

/// The relation map of a pack for `task`, and how it is to be read; empty where the model has no relations.
pub(super) fn relation_map(task: &Game, has_relations: bool) -> (RelationMap, Vec<u8>) {
    if has_relations { RelationMap::of(task) } else { (RelationMap::Pairs, Vec::new()) }
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
        let (relations, map) = relation_map(&config.task, config.positions.relation());
        let layout = Layout::of(shape, relations);
        let mut writer = Self { shape: *shape, layout, sections: vec![0; layout.bytes] };
        writer.put(layout.exp2, &tables::exp2());
        writer.put(layout.sigmoid, &tables::sigmoid());
        writer.put(layout.rope, &tables::rope(config));
        writer.put(layout.relation_map, &map);
        writer
    }

    /// As [`Self::new`], of sections that are there.
    pub(super) fn with_sections(shape: &Shape, layout: Layout, sections: Vec<u8>) -> Self {
        Self { shape: *shape, layout, sections }
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

    /// All members at once; they are as long as those of the layout.
    pub(super) fn put_members(&mut self, members: &[u8]) {
        self.sections[self.layout.members_at..].copy_from_slice(members);
    }

    /// Fills a section; `values` must have exactly its size.
    pub(super) fn put<T: NoUninit>(&mut self, span: Span, values: &[T]) {
        self.sections[span.at..span.at + span.bytes].copy_from_slice(cast_slice(values));
    }

    /// Fills a matrix from rows `weights[column][k]` (column-major, as a linear layer stores them) and
    /// factors; missing columns (padding) are zero.
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
    pub(super) fn finish(
        self,
        header: &Header<'_>,
        self_test: Option<&SelfTest<'_>>,
    ) -> Result<AlignedPack, PackError> {
        let header = filled(header, self_test)?;
        let pack = AlignedPack::copy_of(&assembled(&header, self.layout.relations, &self.sections));
        pack.open()?;
        Ok(pack)
    }
}

/// The header and the prelude before it take a multiple of this, so that the length of a pack is
/// known before there is one.
const HEADER_ROOM: usize = 2048;

/// Bytes that the prelude, a header and a self-test take in a pack.
pub(super) fn header_room(header: &Header<'_>, self_test: Option<&SelfTest<'_>>) -> Result<usize, PackError> {
    Ok((PRELUDE_BYTES + encoded(header, self_test)?.len()).next_multiple_of(HEADER_ROOM))
}

fn encoded(header: &Header<'_>, self_test: Option<&SelfTest<'_>>) -> Result<Vec<u8>, PackError> {
    let mut encoded = postcard::to_stdvec(header).map_err(|_| PackError::Header)?;
    if let Some(test) = self_test {
        encoded.extend(postcard::to_stdvec(test).map_err(|_| PackError::SelfTest)?);
    }
    Ok(encoded)
}

/// The encoded header, spaces behind the configuration's JSON filling its room.
fn filled(header: &Header<'_>, self_test: Option<&SelfTest<'_>>) -> Result<Vec<u8>, PackError> {
    let with = |config: &str| {
        let mut header = header.clone();
        header.provenance = Provenance { config, ..header.provenance };
        let room = header_room(&header, self_test)? - PRELUDE_BYTES;
        Ok((encoded(&header, self_test)?, room))
    };
    let bare = header.provenance.config.trim_end();
    let (encoded, room) = with(bare)?;
    let spaces = room - encoded.len();
    // A longer text may need a byte more for its length.
    for spaces in (spaces.saturating_sub(4)..=spaces).rev() {
        let (encoded, _) = with(&format!("{bare}{:spaces$}", ""))?;
        if encoded.len() <= room {
            return Ok(encoded);
        }
    }
    Ok(encoded)
}

/// `pack` with another account of how the model came to be.
///
/// # Errors
/// A pack that does not pass its check.
pub fn with_provenance(pack: &AlignedPack, provenance: &Provenance<'_>) -> Result<AlignedPack, PackError> {
    let opened = pack.open()?;
    let header = Header { provenance: provenance.clone(), ..opened.header()? };
    rewritten(pack, &header, opened.self_test().as_ref())
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
    let mut header = opened.header()?;
    header.accuracy = Some(accuracy);
    rewritten(pack, &header, opened.self_test().as_ref())
}

/// `pack` with a self-test on `puzzles` (at most [`MAX_SELF_TESTS`] of them are taken), each digest as
/// this machine computes it.
///
/// # Errors
/// A pack that does not pass its check, or puzzles that are none of its task.
pub fn with_self_test(
    pack: &AlignedPack,
    puzzles: &[&[u8]],
    segments: u16,
) -> Result<AlignedPack, PackError> {
    let opened = pack.open()?;
    let members = usize::from(opened.shape().members);
    let puzzles = &puzzles[..puzzles.len().min(MAX_SELF_TESTS)];
    let mut memory = vec![0u32; ample_words(opened.shape())];
    // The memory is what the shape asks for, and nothing cancels a run.
    let mut model = Hrm::new(opened, &mut memory).map_err(|_| PackError::SelfTest)?;
    let digest = |(row, tokens): (usize, &&[u8])| run_digest(&mut model, row % members, tokens, segments);
    let digests = puzzles.iter().enumerate().map(digest).collect::<Result<_, _>>();
    let test =
        SelfTest { segments, puzzles: &puzzles.concat(), digests: digests.map_err(|_| PackError::SelfTest)? };
    rewritten(pack, &opened.header()?, Some(&test))
}

/// The sections of `pack` behind another header.
fn rewritten(
    pack: &AlignedPack,
    header: &Header<'_>,
    self_test: Option<&SelfTest<'_>>,
) -> Result<AlignedPack, PackError> {
    let opened = pack.open()?;
    let sections = opened.sections().to_vec();
    Writer::with_sections(opened.shape(), *opened.layout(), sections).finish(header, self_test)
}
