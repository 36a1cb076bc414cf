//! The pack: one file with everything needed to run, read in place from flash.
//!
//! `Pack::open` checks a byte string once; what it returns can be run without a further check. The format is
//! in `docs/PACK_FORMAT.md`.

mod embed;
mod header;
mod layout;
mod relations;
mod self_test;
mod shape;
mod stated;
mod view;
#[cfg(feature = "std")]
mod write;

#[cfg(feature = "std")]
pub use embed::AlignedBytes;
pub use header::{Accuracy, Header, Provenance};
pub use layout::ALIGN;
// For those who write packs.
#[doc(hidden)]
pub use layout::{LayerLayout, Layout, MatrixSpan, MemberLayout, Span};
pub use relations::{PREFIX_RELATIONS, RelationMap, relation_class};
pub use self_test::{MAX_SELF_TEST_SEGMENTS, MAX_SELF_TESTS, SelfTest};
pub(crate) use shape::round_up;
pub use shape::{SecondHead, Shape, TILE};
pub use view::{Layer, LayerParams, Matrix, Member, MemberParams, Order, Tables};
#[cfg(feature = "std")]
#[doc(hidden)]
pub use write::{assembled, seal};

use bytemuck::try_cast_slice;

use crate::digest::CRC;

/// First bytes of every pack.
pub const MAGIC: [u8; 4] = *b"HRM\x1a";
/// Newest version of the format. A pack states the oldest that can tell what it holds:
/// [`RelationMap::version`].
pub const FORMAT_VERSION: u16 = 2;
/// Bytes before the header.
pub const PRELUDE_BYTES: usize = 32;

/// Why a byte string is not a valid pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum PackError {
    /// Fewer bytes than the pack says it has (or than a prelude takes).
    Truncated {
        /// Bytes the pack needs.
        needed: usize,
        /// Bytes there are.
        got: usize,
    },
    /// The first bytes are not those of a pack.
    Magic,
    /// A format version this program cannot read.
    Version {
        /// The pack's version.
        found: u16,
    },
    /// The contents differ from their checksum.
    Crc {
        /// Checksum stored in the pack.
        stored: u32,
        /// Checksum of its contents.
        computed: u32,
    },
    /// The header cannot be decoded.
    Header,
    /// The header ends in something that is no self-test for this shape.
    SelfTest,
    /// A size in the shape is outside what the integer model can run.
    Shape {
        /// The field at fault.
        field: &'static str,
    },
    /// The total length does not follow from the shape.
    Length {
        /// Length that the shape asks for.
        expected: usize,
        /// Length that the prelude states.
        stated: usize,
    },
    /// The bytes do not start at a multiple of 16 in memory.
    Misaligned,
    /// A constant of the arithmetic is out of its range.
    Constant {
        /// Member index.
        member: u8,
        /// Layer index among the stored layers; `u8::MAX` for constants of the whole member.
        layer: u8,
        /// The constant at fault.
        field: &'static str,
    },
    /// A 32-bit accumulator of this matrix could overflow.
    Accumulator {
        /// Member index.
        member: u8,
        /// Layer index among the stored layers; `u8::MAX` for the heads.
        layer: u8,
        /// The matrix at fault.
        matrix: &'static str,
    },
}

/// What to do about a pack that the exporter would not write.
const EXPORT: &str = "; export the model again";

impl core::fmt::Display for PackError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            PackError::Truncated { needed, got } => {
                write!(f, "truncated: {needed} bytes needed, {got} there; copy it again")
            }
            PackError::Magic => write!(f, "not a pack: the first bytes are not \"HRM\\x1a\""),
            PackError::Version { found } => {
                write!(
                    f,
                    "format version {found}, this program reads 1 to {FORMAT_VERSION}: export the model again"
                )
            }
            PackError::Crc { stored, computed } => {
                write!(f, "damaged: checksum {computed:08x}, {stored:08x} expected; copy it again")
            }
            PackError::Header => write!(f, "the header cannot be decoded{EXPORT}"),
            PackError::SelfTest => {
                write!(f, "the header ends in something that is no self-test{EXPORT}")
            }
            PackError::Shape { field } => {
                write!(f, "`{field}` is outside what the integer model can run; train another shape")
            }
            PackError::Length { expected, stated } => {
                write!(f, "the shape needs {expected} bytes, the pack states {stated}{EXPORT}")
            }
            PackError::Misaligned => write!(f, "must start at a multiple of 16 in memory; copy it to one"),
            PackError::Constant { member, layer: u8::MAX, field } => {
                write!(f, "member {member}: constant `{field}` is out of range{EXPORT}")
            }
            PackError::Constant { member, layer, field } => {
                write!(f, "member {member}, layer {layer}: constant `{field}` is out of range{EXPORT}")
            }
            PackError::Accumulator { member, layer: u8::MAX, matrix } => {
                write!(f, "member {member}: the accumulators of `{matrix}` could overflow{EXPORT}")
            }
            PackError::Accumulator { member, layer, matrix } => {
                write!(
                    f,
                    "member {member}, layer {layer}: the accumulators of `{matrix}` could overflow{EXPORT}"
                )
            }
        }
    }
}

impl core::error::Error for PackError {}

/// A checked pack, borrowed from flash or a file.
#[derive(Clone, Copy, Debug)]
pub struct Pack<'a> {
    header: &'a [u8],
    sections: &'a [u8],
    bytes: usize,
    crc: u32,
    shape: Shape,
    layout: Layout,
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |word| u32::from_le_bytes(*word))
}

/// The checksum of a pack: over all of it except the checksum itself, which lies at bytes 16 to 19.
pub fn checksum(pack: &[u8]) -> u32 {
    let mut digest = CRC.digest();
    digest.update(pack.get(..16).unwrap_or_default());
    digest.update(pack.get(20..).unwrap_or_default());
    digest.finalize()
}

/// Nothing, or exactly one self-test that fits the shape.
fn check_self_test(bytes: &[u8], shape: &Shape) -> Result<(), PackError> {
    match postcard::take_from_bytes::<SelfTest<'_>>(bytes) {
        _ if bytes.is_empty() => Ok(()),
        Ok((test, [])) if test.fits(shape.cells, shape.vocab) => Ok(()),
        _ => Err(PackError::SelfTest),
    }
}

impl<'a> Pack<'a> {
    /// Checks `bytes` and borrows them as a pack. Bytes behind the stated length are ignored, so a whole
    /// flash region may be passed.
    ///
    /// Everything the arithmetic relies on is checked here, once: lengths, checksum, shape limits, ranges of
    /// constants, relation classes and accumulator bounds.
    ///
    /// # Errors
    /// [`PackError`] says what is wrong first.
    pub fn open(bytes: &'a [u8]) -> Result<Pack<'a>, PackError> {
        let got = bytes.len();
        let prelude =
            bytes.get(..PRELUDE_BYTES).ok_or(PackError::Truncated { needed: PRELUDE_BYTES, got })?;
        if !prelude.starts_with(&MAGIC) {
            return Err(PackError::Magic);
        }
        let found = u32_at(prelude, 4) as u16;
        let map = RelationMap::stated(found, (u32_at(prelude, 4) >> 16) as u16)?;
        let header_bytes = u32_at(prelude, 8) as usize;
        let total = u32_at(prelude, 12) as usize;
        let bytes = bytes.get(..total).ok_or(PackError::Truncated { needed: total, got })?;
        let (stored, computed) = (u32_at(prelude, 16), checksum(bytes));
        if stored != computed {
            return Err(PackError::Crc { stored, computed });
        }
        if !(bytes.as_ptr() as usize).is_multiple_of(ALIGN) {
            return Err(PackError::Misaligned);
        }
        let rest = bytes.get(PRELUDE_BYTES..).ok_or(PackError::Header)?;
        let header = rest.get(..header_bytes).ok_or(PackError::Header)?;
        let (Header { shape, .. }, self_test) =
            postcard::take_from_bytes::<Header<'a>>(header).map_err(|_| PackError::Header)?;
        shape.check()?;
        check_self_test(self_test, &shape)?;
        map.check(&shape)?;
        let layout = Layout::of(&shape, map);
        let sections_at = round_up(PRELUDE_BYTES + header_bytes, ALIGN);
        let expected = sections_at + layout.bytes;
        if total != expected {
            return Err(PackError::Length { expected, stated: total });
        }
        let sections = bytes.get(sections_at..).ok_or(PackError::Header)?;
        let pack = Pack { header, sections, bytes: total, crc: stored, shape, layout };
        pack.check_constants()?;
        Ok(pack)
    }

    /// All sizes.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Where everything lies.
    #[doc(hidden)]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What lies there.
    #[doc(hidden)]
    pub fn sections(&self) -> &'a [u8] {
        self.sections
    }

    /// The pack's checksum, which names it.
    pub fn crc(&self) -> u32 {
        self.crc
    }

    /// Length in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Task, provenance and accuracy. Decoded anew at each call: only its place is kept.
    ///
    /// # Errors
    /// [`PackError::Header`], though [`Self::open`] has decoded it already.
    pub fn header(&self) -> Result<Header<'a>, PackError> {
        postcard::from_bytes(self.header).map_err(|_| PackError::Header)
    }

    /// What a device can check itself against, where the pack has that. Decoded anew at each call.
    pub fn self_test(&self) -> Option<SelfTest<'a>> {
        let (_, rest) = postcard::take_from_bytes::<Header<'a>>(self.header).ok()?;
        postcard::from_bytes(rest).ok()
    }

    /// A section as a slice of numbers; empty where it is not inside the pack, which a checked pack excludes.
    pub(crate) fn section<T: bytemuck::AnyBitPattern>(&self, span: Span) -> &'a [T] {
        let bytes = self.sections.get(span.at..span.at + span.bytes).unwrap_or_default();
        try_cast_slice(bytes).unwrap_or_default()
    }

    fn check_constants(&self) -> Result<(), PackError> {
        let shape = &self.shape;
        let whole = |field| PackError::Constant { member: 0, layer: u8::MAX, field };
        let tables = self.tables();
        if tables.exp2.first() != Some(&(i16::MAX as u16)) || tables.exp2.iter().any(|&e| e > i16::MAX as u16)
        {
            return Err(whole("exp2 table"));
        }
        if tables.sigmoid.iter().any(|&s| s > 1 << 15) {
            return Err(whole("sigmoid table"));
        }
        if tables.rope.iter().any(|&r| !(-(1 << 14)..=1 << 14).contains(&r)) {
            return Err(whole("rope table"));
        }
        if tables.relation_map.iter().any(|&class| class >= shape.relations) {
            return Err(whole("relation map"));
        }
        for index in 0..shape.members {
            let member = self.member(index as usize);
            member.params.check().map_err(|field| PackError::Constant {
                member: index,
                layer: u8::MAX,
                field,
            })?;
            for (name, matrix) in [("logits", member.logits), ("halt", member.halt)] {
                if !matrix.fits() {
                    return Err(PackError::Accumulator { member: index, layer: u8::MAX, matrix: name });
                }
            }
            for layer_index in 0..shape.stored_layers() {
                let layer = self.layer(index as usize, layer_index);
                let at = layer_index as u8;
                layer.check().map_err(|field| PackError::Constant { member: index, layer: at, field })?;
                let matrix = layer.overflowing_matrix();
                if let Some(matrix) = matrix {
                    return Err(PackError::Accumulator { member: index, layer: at, matrix });
                }
            }
        }
        Ok(())
    }
}
