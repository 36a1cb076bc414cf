//! A pack's bytes, put together on a workstation.

use std::vec::Vec;

use super::{ALIGN, MAGIC, PRELUDE_BYTES, RelationMap, checksum, round_up};

/// Where a pack's checksum lies.
const CHECKSUM: core::ops::Range<usize> = 16..20;

/// The pack of an encoded header, with what lies behind it, and of the sections. Whether they fit each other,
/// [`Pack::open`](super::Pack::open) says.
pub fn assembled(header: &[u8], relations: RelationMap, sections: &[u8]) -> Vec<u8> {
    let sections_at = round_up(PRELUDE_BYTES + header.len(), ALIGN);
    let total = sections_at + sections.len();
    let (version, columns) = relations.version();
    let mut pack = Vec::with_capacity(total);
    pack.extend(MAGIC);
    pack.extend(version.to_le_bytes());
    pack.extend(columns.to_le_bytes());
    pack.extend((header.len() as u32).to_le_bytes());
    pack.extend((total as u32).to_le_bytes());
    pack.resize(PRELUDE_BYTES, 0);
    pack.extend(header);
    pack.resize(sections_at, 0);
    pack.extend(sections);
    seal(&mut pack);
    pack
}

/// Makes the checksum of `pack` right; of fewer bytes than have one, none.
pub fn seal(pack: &mut [u8]) {
    let sum = checksum(pack).to_le_bytes();
    if let Some(place) = pack.get_mut(CHECKSUM) {
        place.copy_from_slice(&sum);
    }
}
