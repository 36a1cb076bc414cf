//! Packs: a released one with any of its bytes changed, and anything at all with a checksum that is right.

use arbitrary::Unstructured;
use hrm_core::{
    Hrm, Pack, Reasoner,
    pack::{AlignedBytes, seal},
    workspace_words,
};

/// The smallest released pack.
const RELEASED: &[u8] = include_bytes!("../../models/sudoku4-demo.hrm");
/// The beginning of a pack, where a changed byte matters most.
const HEAD: usize = 4096;

/// Opens the pack that `bytes` describe; what is opened thinks for a segment.
pub(crate) fn open_and_think(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let Some(mut pack) = described(&mut input) else { return };
    let stated =
        pack.get(12..16).map_or(0, |total| u32::from_le_bytes(total.try_into().expect("four bytes")));
    if let Some(whole) = pack.get_mut(..stated as usize) {
        seal(whole);
    }
    let aligned = AlignedBytes::copy_of(&pack);
    let Ok(pack) = Pack::open(aligned.bytes()) else { return };
    pack.header().expect("an opened pack has a header");
    let mut memory = vec![0; workspace_words(pack.shape())];
    let mut hrm = Hrm::new(pack, &mut memory).expect("as much memory as it says");
    let (member, tokens): (u8, [u8; 16]) =
        (input.arbitrary().unwrap_or(0), input.arbitrary().unwrap_or([1; 16]));
    hrm.begin(member.into(), &tokens);
    hrm.segment(&mut ()).expect("nobody cancels");
    assert!(hrm.grid().iter().all(|&token| usize::from(token) < usize::from(pack.shape().vocab)));
}

fn described(input: &mut Unstructured<'_>) -> Option<Vec<u8>> {
    if input.ratio(1, 8).ok()? {
        return Some(input.bytes(input.len()).ok()?.to_vec());
    }
    let mut pack = RELEASED.to_vec();
    for _ in 0..input.int_in_range(1..=8).ok()? {
        let end = if input.arbitrary().ok()? { HEAD } else { pack.len() };
        let place = input.int_in_range(0..=end.min(pack.len()) - 1).ok()?;
        pack[place] = input.arbitrary().ok()?;
    }
    if input.ratio(1, 16).ok()? {
        pack.truncate(input.int_in_range(0..=pack.len()).ok()?);
    }
    Some(pack)
}
