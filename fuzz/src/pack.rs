//! Packs: a released one and ones of any shape with any of their bytes changed, and anything at all with a
//! checksum that is right.

use arbitrary::Unstructured;
use hrm_core::{
    Hrm, Pack, Reasoner, Shape,
    lane::LaneWidth,
    pack::{AlignedBytes, RelationMap, SecondHead, seal},
    workspace_words,
};

#[allow(dead_code, reason = "hrm-core's tests use all of it")]
#[path = "../../hrm-core/tests/pack/made.rs"]
mod made;

use made::{Made, SMALL, displacements};

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
    let mut pack = match input.ratio(1, 4).ok()? {
        true => RELEASED.to_vec(),
        false => made(input)?.pack().bytes().to_vec(),
    };
    if input.ratio(1, 4).ok()? {
        return Some(pack);
    }
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

/// A pack of a shape that says what there can be: levels of their own, RoPE, learned positions, relations by
/// pair and by displacement, members, both widths.
fn made(input: &mut Unstructured<'_>) -> Option<Made> {
    let heads = input.int_in_range(1..=2).ok()?;
    let (rows, columns) = (input.int_in_range(1..=4_u16).ok()?, input.int_in_range(1..=4_u16).ok()?);
    let l_layers = input.int_in_range(1..=2).ok()?;
    let shared_levels = input.arbitrary().ok()?;
    let shape = Shape {
        cells: rows * columns,
        vocab: input.int_in_range(2..=9).ok()?,
        width: 16 * heads,
        heads,
        inner: 16 * input.int_in_range(1..=3).ok()?,
        l_layers,
        h_layers: if shared_levels { l_layers } else { input.int_in_range(1..=2).ok()? },
        h_cycles: input.int_in_range(1..=2).ok()?,
        l_cycles: input.int_in_range(1..=2).ok()?,
        members: input.int_in_range(1..=2).ok()?,
        shared_levels,
        rope: input.arbitrary().ok()?,
        learned_positions: input.arbitrary().ok()?,
        relations: *input.choose(&[0, 4, 9]).ok()?,
        second_head: *input.choose(&[SecondHead::None, SecondHead::Continue, SecondHead::Doubt]).ok()?,
        lanes: *input.choose(&[LaneWidth::I8, LaneWidth::I16]).ok()?,
        ..SMALL
    };
    let by_place = shape.relations > 0 && input.arbitrary().ok()?;
    let map = if by_place { displacements(columns) } else { RelationMap::Pairs };
    Some(Made::with_noise(shape, map, input.arbitrary().ok()?))
}
