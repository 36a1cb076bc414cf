//! The reader of packs against damage of every kind, and the model's memory and bits on a released pack.

mod layout;
mod made;
mod ranges;

use hrm_core::lane::LaneWidth;
use hrm_core::pack::{
    AlignedBytes, Header, MAX_SELF_TEST_SEGMENTS, PRELUDE_BYTES, Provenance, SecondHead, SelfTest, assembled,
    seal,
};
use hrm_core::{Hrm, Pack, PackError, Reasoner, Shape, include_pack, workspace_bytes, workspace_words};
use proptest::prelude::*;

const RELEASED: &[u8] = include_pack!("../../../models/sudoku4-demo.hrm");

fn open(bytes: &[u8]) -> Result<u32, PackError> {
    Pack::open(AlignedBytes::copy_of(bytes).bytes()).map(|pack| pack.crc())
}

/// `bytes` with its checksum made right again, so that the checks behind it are reached.
fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
    seal(&mut bytes);
    bytes
}

/// Runs one segment, if the pack is accepted: nothing in it may panic or reach outside.
fn think(bytes: &[u8]) {
    let aligned = AlignedBytes::copy_of(bytes);
    if let Ok(pack) = Pack::open(aligned.bytes()) {
        let mut memory = vec![0u32; workspace_words(pack.shape())];
        let mut model = Hrm::new(pack, &mut memory).unwrap();
        model.begin(usize::MAX, &[255; 16]);
        model.segment(&mut ()).unwrap();
        assert_eq!(model.grid().len(), model.cells());
    }
}

#[test]
fn every_truncation_is_named() {
    for bytes in 0..RELEASED.len() {
        if bytes > 512 && bytes % 97 != 0 {
            continue;
        }
        let needed = if bytes < PRELUDE_BYTES { PRELUDE_BYTES } else { RELEASED.len() };
        assert_eq!(open(&RELEASED[..bytes]), Err(PackError::Truncated { needed, got: bytes }));
    }
    assert!(open(RELEASED).is_ok());
}

/// The released pack with `end` behind its header, and without the self-test it may have.
fn with_header_end(end: &[u8]) -> Vec<u8> {
    let aligned = AlignedBytes::copy_of(RELEASED);
    let pack = Pack::open(aligned.bytes()).unwrap();
    let header = postcard::to_stdvec(&pack.header().unwrap()).unwrap();
    assembled(&[&header, end].concat(), pack.layout().relations, pack.sections())
}

#[test]
fn a_self_test_comes_with_the_pack_or_is_refused() {
    let encoded = |test: &SelfTest<'_>| {
        let mut buffer = [0; 512];
        postcard::to_slice(test, &mut buffer).unwrap().to_vec()
    };
    let puzzles = [[1u8; 16], [2; 16]].concat();
    let digests = [7u32, 8].into_iter().collect::<Vec<_>>();
    let test = |segments, puzzles, digests: &[u32]| SelfTest {
        segments,
        puzzles,
        digests: digests.iter().copied().collect(),
    };
    let good = with_header_end(&encoded(&test(2, &puzzles, &digests)));
    let aligned = AlignedBytes::copy_of(&good);
    let found = Pack::open(aligned.bytes()).unwrap().self_test().unwrap();
    assert_eq!((found.segments, found.row(1), found.row(2)), (2, Some((&[2u8; 16][..], 8)), None));
    let longest = with_header_end(&encoded(&test(MAX_SELF_TEST_SEGMENTS, &puzzles, &digests)));
    let aligned = AlignedBytes::copy_of(&longest);
    assert!(Pack::open(aligned.bytes()).unwrap().self_test().is_some());
    let none = with_header_end(&[]);
    let aligned = AlignedBytes::copy_of(&none);
    assert_eq!(Pack::open(aligned.bytes()).unwrap().self_test(), None);
    let mut longer = encoded(&test(2, &puzzles, &digests));
    longer.push(0);
    for (what, end) in [
        ("no segment", encoded(&test(0, &puzzles, &digests))),
        ("a segment too many", encoded(&test(MAX_SELF_TEST_SEGMENTS + 1, &puzzles, &digests))),
        ("weeks of segments", encoded(&test(u16::MAX, &puzzles, &digests))),
        ("no puzzle", encoded(&test(2, &[], &[]))),
        ("half a puzzle", encoded(&test(2, &puzzles[..24], &digests))),
        ("a token beyond the vocabulary", encoded(&test(2, &[200; 32], &digests))),
        ("something behind it", longer),
        ("noise", vec![0xFF; 20]),
    ] {
        assert_eq!(open(&with_header_end(&end)), Err(PackError::SelfTest), "{what}");
    }
}

#[test]
fn bytes_behind_the_pack_are_ignored() {
    let mut region = RELEASED.to_vec();
    region.resize(RELEASED.len() + 4096, 0xFF);
    assert_eq!(open(&region), open(RELEASED));
}

#[test]
fn erased_flash_and_other_files_are_no_packs() {
    assert_eq!(open(&[0xFF; 256]), Err(PackError::Magic));
    assert_eq!(open(&[0; 256]), Err(PackError::Magic));
    assert_eq!(open(b"PK\x03\x04 this is a zip archive, not a pack"), Err(PackError::Magic));
}

#[test]
fn every_flipped_bit_is_found() {
    for at in (0..RELEASED.len()).filter(|at| *at < 600 || at % 61 == 0) {
        let mut bytes = RELEASED.to_vec();
        bytes[at] ^= 1 << (at % 8);
        assert!(open(&bytes).is_err(), "byte {at}");
    }
}

#[test]
fn a_newer_format_is_named() {
    let mut bytes = RELEASED.to_vec();
    bytes[4] = 9;
    assert_eq!(open(&resealed(bytes)), Err(PackError::Version { found: 9 }));
}

#[test]
fn a_misaligned_pack_is_refused() {
    let mut bytes = vec![0];
    bytes.extend_from_slice(RELEASED);
    assert_eq!(
        Pack::open(&AlignedBytes::copy_of(&bytes).bytes()[1..]).map(|_| ()),
        Err(PackError::Misaligned)
    );
}

#[test]
fn too_little_memory_is_named_in_bytes() {
    let aligned = AlignedBytes::copy_of(RELEASED);
    let pack = Pack::open(aligned.bytes()).unwrap();
    let needed = workspace_bytes(pack.shape());
    let mut memory = vec![0u32; needed / 4 - 1];
    let error = Hrm::new(pack, &mut memory).map(|_| ()).unwrap_err();
    assert_eq!((error.needed_bytes, error.got_bytes), (needed, needed - 4));
}

#[test]
fn nothing_outside_the_workspace_is_touched() {
    const CANARY: u32 = 0xDEAD_BEEF;
    let aligned = AlignedBytes::copy_of(RELEASED);
    let pack = Pack::open(aligned.bytes()).unwrap();
    let words = workspace_words(pack.shape());
    let mut memory = vec![CANARY; words + 64];
    let mut model = Hrm::new(pack, &mut memory[32..]).unwrap();
    model.begin(0, &[1, 2, 3, 4, 5, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
    for _ in 0..3 {
        model.segment(&mut ()).unwrap();
    }
    assert!(memory[..32].iter().chain(&memory[32 + words..]).all(|word| *word == CANARY));
    assert!(memory[32..32 + words].iter().any(|word| *word != CANARY && *word != 0));
}

#[test]
fn a_second_puzzle_leaves_no_trace_of_the_first() {
    let aligned = AlignedBytes::copy_of(RELEASED);
    let pack = Pack::open(aligned.bytes()).unwrap();
    let digest = |before: Option<&[u8]>| {
        let mut memory = vec![0u32; workspace_words(pack.shape())];
        let mut model = Hrm::new(pack, &mut memory).unwrap();
        if let Some(tokens) = before {
            model.begin(0, tokens);
            model.segment(&mut ()).unwrap();
        }
        model.begin(0, &[1; 16]);
        model.segment(&mut ()).unwrap();
        (model.state_digest(), model.halt())
    };
    assert_eq!(digest(None), digest(Some(&[5; 16])));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = open(&bytes);
    }

    /// Whatever the header and the sections say behind a right checksum: refused, or safe to run.
    #[test]
    fn resealed_damage_never_panics(changes in prop::collection::vec((0usize..RELEASED.len(), any::<u8>()), 1..40), early: bool) {
        let mut bytes = RELEASED.to_vec();
        for (at, value) in changes {
            let at = if early { 20 + at % 1200 } else { at.max(20) };
            bytes[at] = value;
        }
        think(&resealed(bytes));
    }

    #[test]
    fn resealed_header_noise_never_panics(noise in prop::collection::vec(any::<u8>(), 1..64), length in 0u32..2000) {
        let mut bytes = RELEASED.to_vec();
        bytes[8..12].copy_from_slice(&length.to_le_bytes());
        bytes[PRELUDE_BYTES..PRELUDE_BYTES + noise.len()].copy_from_slice(&noise);
        think(&resealed(bytes));
    }
}

proptest! {
    #[test]
    fn the_shape_that_a_compiler_reads_is_the_one_that_postcard_reads(
        name in "[a-z0-9]{0,200}",
        sizes: [u16; 6],
        bytes: [u8; 6],
        flags: [bool; 4],
        second in 0..3usize,
    ) {
        let shape = Shape {
            cells: sizes[0],
            vocab: sizes[1],
            width: sizes[2],
            heads: sizes[3],
            inner: sizes[4],
            h_layers: bytes[0],
            l_layers: bytes[1],
            h_cycles: bytes[2],
            l_cycles: bytes[3],
            segments: sizes[5],
            members: bytes[4],
            shared_levels: flags[0],
            rope: flags[1],
            learned_positions: flags[2],
            relations: bytes[5],
            second_head: [SecondHead::None, SecondHead::Continue, SecondHead::Doubt][second],
            lanes: if flags[3] { LaneWidth::I8 } else { LaneWidth::I16 },
        };
        let provenance = Provenance { config: "", program: "", data: "", seed: 0, steps: 0, samples: 0 };
        let header = postcard::to_allocvec(&Header { task: &name, shape, provenance, accuracy: None }).unwrap();
        let pack = [&[0; PRELUDE_BYTES], &header[..]].concat();
        prop_assert_eq!(Shape::stated_by(&pack), Some(shape));
        let end = header.len() - postcard::to_allocvec(&(0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 0u8)).unwrap().len();
        for short in 0..PRELUDE_BYTES + end {
            prop_assert_eq!(Shape::stated_by(&pack[..short]), None, "{} bytes", short);
        }
    }
}
