//! Every section of packs of many shapes lies where `docs/PACK_FORMAT.md` says.

use bytemuck::{cast_slice, try_cast_slice};
use hrm_core::pack::{Matrix, PRELUDE_BYTES, RelationMap, Span, assembled, seal};
use hrm_core::{Pack, PackError, Shape};

use crate::made::{Made, SMALL, displacements};

/// Shapes that differ in every size, and in what decides which sections there are.
fn shapes() -> Vec<(&'static str, Shape, RelationMap)> {
    let pairs = RelationMap::Pairs;
    let plain = Shape { rope: false, relations: 0, ..SMALL };
    let levels = Shape { h_layers: 2, l_layers: 3, members: 3, ..SMALL };
    let shared = Shape { h_layers: 2, l_layers: 2, members: 2, shared_levels: true, ..SMALL };
    let odd = Shape { cells: 12, vocab: 7, width: 48, heads: 3, inner: 16, relations: 5, ..SMALL };
    vec![
        ("RoPE and relations", SMALL, pairs),
        ("neither", plain, pairs),
        ("RoPE alone", Shape { rope: true, ..plain }, pairs),
        ("relations alone", Shape { relations: 3, ..plain }, pairs),
        ("learned positions", Shape { learned_positions: true, ..SMALL }, pairs),
        ("one cell", Shape { cells: 1, ..SMALL }, pairs),
        ("levels of different depth, three members", levels, pairs),
        ("shared levels, two members", shared, pairs),
        ("odd sizes", odd, pairs),
        ("an even vocabulary", Shape { vocab: 8, ..odd }, pairs),
        ("2 x 3 displacements", SMALL, displacements(3)),
        ("3 x 2 displacements", SMALL, displacements(2)),
        ("1 x 6 displacements", SMALL, displacements(6)),
        ("6 x 1 displacements", SMALL, displacements(1)),
        ("3 x 4 displacements", odd, displacements(4)),
    ]
}

/// Compares what the reader gives with the section of that name.
fn same<T: bytemuck::NoUninit>(what: &str, made: &Made, name: &str, got: &[T]) {
    assert_eq!(cast_slice::<T, u8>(got), made.section(name), "{what}: {name}");
}

fn same_matrix(what: &str, made: &Made, name: &str, (depth, got): (u16, Matrix<'_>)) {
    same(what, made, &format!("{name} weights"), got.weights);
    same(what, made, &format!("{name} factors"), got.factors);
    assert_eq!(got.depth, usize::from(depth), "{what}: {name}");
}

#[test]
fn every_section_lies_where_the_document_says() {
    for (state, (what, shape, map)) in shapes().into_iter().enumerate() {
        let made = Made::with_noise(shape, map, state as u64);
        let bytes = made.pack();
        let pack = Pack::open(bytes.bytes()).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!((*pack.shape(), pack.sections()), (shape, made.sections()), "{what}");
        let tables = pack.tables();
        same(what, &made, "exp2", tables.exp2);
        same(what, &made, "sigmoid", tables.sigmoid);
        same(what, &made, "rope", tables.rope);
        same(what, &made, "relation map", tables.relation_map);
        assert_eq!(tables.relations, map, "{what}");
        let (mut sections, mut layers) = (4, 0);
        for index in 0..usize::from(shape.members) {
            let member = pack.member(index);
            let name = |section| format!("{index}: {section}");
            same(what, &made, &name("params"), &[member.params]);
            same(what, &made, &name("tokens"), member.tokens);
            same(what, &made, &name("positions"), member.positions);
            same(what, &made, &name("initial"), member.initial);
            same_matrix(what, &made, &name("logits"), (shape.width, member.logits));
            same_matrix(what, &made, &name("halt"), (shape.width, member.halt));
            sections += 4 + 2 * 2;
            layers = made.names().iter().filter(|name| name.starts_with(&format!("{index}, "))).count() / 14;
            for layer_index in 0..layers {
                let layer = pack.layer(index, layer_index);
                let name = |section| format!("{index}, {layer_index}: {section}");
                same(what, &made, &name("params"), &[layer.params]);
                same_matrix(what, &made, &name("query"), (shape.width, layer.query));
                same_matrix(what, &made, &name("key"), (shape.width, layer.key));
                same_matrix(what, &made, &name("value"), (shape.width, layer.value));
                same_matrix(what, &made, &name("out"), (shape.width, layer.out));
                same_matrix(what, &made, &name("gate_up"), (shape.width, layer.gate_up));
                same_matrix(what, &made, &name("down"), (shape.inner, layer.down));
                same(what, &made, &name("relation_bias"), layer.relation_bias);
                sections += 14;
            }
        }
        assert_eq!(sections, made.names().len(), "{what}: every section was compared");
        assert_eq!(layers, shape.stored_layers(), "{what}");
        // What is behind the last one is the last one.
        let (member, layer) = (usize::from(shape.members) - 1, layers - 1);
        assert_eq!(pack.member(member + 1).tokens.as_ptr(), pack.member(member).tokens.as_ptr(), "{what}");
        let last = pack.layer(member, layer).down.weights.as_ptr();
        assert_eq!(pack.layer(member + 7, layer + 1).down.weights.as_ptr(), last, "{what}");
    }
}

/// The writer of packs writes by the same places.
#[test]
fn a_writer_is_told_the_same_places() {
    for (what, shape, map) in shapes() {
        let made = Made::with_noise(shape, map, 1);
        let bytes = made.pack();
        let pack = Pack::open(bytes.bytes()).unwrap();
        let (layout, member) = (pack.layout(), pack.layout().member);
        let (first, last) = (layout.members_at, usize::from(shape.members) - 1);
        let there = |name: &str, span: Span, by: usize| {
            let moved = span.shifted(by);
            let found = &made.sections()[moved.at..moved.at + moved.bytes];
            assert_eq!((found, moved.bytes), (made.section(name), span.bytes), "{what}: {name}");
        };
        let block = first + member.layers_at;
        there("relation map", layout.relation_map, 0);
        there("0: initial", member.initial, first);
        there("0, 0: relation_bias", member.layer.relation_bias, block);
        there("0, 1: down factors", member.layer.down.shifted(member.layer.bytes).factors, block);
        there(&format!("{last}: halt factors"), member.halt.factors, first + last * member.bytes);
        assert_eq!(layout.bytes, first + (last + 1) * member.bytes, "{what}");
    }
}

#[test]
fn a_section_too_many_or_too_few_is_a_wrong_length() {
    let made = Made::new(SMALL, RelationMap::Pairs);
    let (header, sections) = (made.header(), made.sections());
    let sections_at = (PRELUDE_BYTES + header.len()).next_multiple_of(16);
    let expected = sections_at + sections.len();
    for length in [0, 16, sections.len() - 16, sections.len() + 16] {
        let mut other = sections.to_vec();
        other.resize(length, 0);
        let bytes = assembled(&header, RelationMap::Pairs, &other);
        let stated = sections_at + length;
        assert_eq!(crate::open(&bytes), Err(PackError::Length { expected, stated }));
    }
}

/// CRC-32 (ISO-HDLC), a bit at a time.
fn crc32(bytes: impl Iterator<Item = u8>) -> u32 {
    !bytes.fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 })
    })
}

#[test]
fn a_prelude_is_as_documented() {
    let made = Made::new(SMALL, RelationMap::Pairs);
    let header = made.header();
    for (map, version) in [(RelationMap::Pairs, [1, 0, 0, 0]), (displacements(3), [2, 0, 3, 0])] {
        // The sections of another map: they follow from the version, and need not be right here.
        let pack = assembled(&header, map, made.sections());
        let (length, total) = (header.len() as u32, pack.len() as u32);
        assert_eq!(pack[..4], [0x48, 0x52, 0x4D, 0x1A]);
        assert_eq!(pack[4..8], version);
        assert_eq!(pack[8..12], length.to_le_bytes());
        assert_eq!(pack[12..16], total.to_le_bytes());
        let checked = pack[..16].iter().chain(&pack[20..]);
        assert_eq!(pack[16..20], crc32(checked.copied()).to_le_bytes());
        assert_eq!(pack[20..32], [0; 12]);
        assert_eq!(pack[32..32 + header.len()], header);
        let sections_at = pack.len() - made.sections().len();
        assert_eq!(sections_at, (32 + header.len()).div_ceil(16) * 16);
        assert!(pack[32 + header.len()..sections_at].iter().all(|byte| *byte == 0));
        assert_eq!(&pack[sections_at..], made.sections());
    }
}

#[test]
fn what_is_too_short_for_a_checksum_is_left_alone() {
    for length in [0, 4, 19] {
        let mut bytes = vec![7; length];
        seal(&mut bytes);
        assert_eq!(bytes, vec![7; length]);
    }
}

/// Packs that were trained, of both versions, say of themselves what their files' first bytes say.
#[test]
fn released_packs_tell_their_checksum_and_length() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/");
    for (name, task, columns) in
        [("sudoku4-demo", "sudoku4", 0), ("maze-mini", "maze10x10", 10), ("sudoku9-mcu", "sudoku9", 0)]
    {
        let file = std::fs::read(format!("{folder}{name}.hrm")).unwrap();
        // An area of flash that is longer than the pack.
        let bytes = crate::AlignedBytes::copy_of(&[&file[..], &[0xFF; 100]].concat());
        let pack = Pack::open(bytes.bytes()).unwrap();
        assert_eq!(pack.crc().to_le_bytes(), file[16..20], "{name}");
        assert_eq!(pack.bytes(), file.len(), "{name}");
        let header = pack.header().unwrap();
        assert_eq!((header.task, header.shape), (task, *pack.shape()), "{name}");
        assert_eq!(pack.layout().relations.version().1, columns, "{name}");
        let test = pack.self_test().unwrap();
        let cells = usize::from(pack.shape().cells);
        assert_eq!(test.puzzles.len(), cells * test.digests.len(), "{name}");
        for (row, puzzle) in test.puzzles.chunks(cells).enumerate() {
            assert_eq!(test.row(row), Some((puzzle, test.digests[row])), "{name}");
        }
        assert_eq!(test.row(test.digests.len()), None, "{name}");
        let weights = pack.tables().relation_map.len();
        assert_eq!(weights, if columns == 0 { (1 + cells).pow(2) } else { 19 * 19 }, "{name}");
    }
}

#[test]
fn a_copy_lies_at_a_multiple_of_16_and_can_be_changed() {
    for length in [0, 1, 15, 16, 17, 1000] {
        let bytes: Vec<u8> = (0..length).map(|byte| byte as u8).collect();
        let mut copy = crate::AlignedBytes::copy_of(&bytes);
        assert_eq!(copy.bytes(), bytes);
        assert_eq!(copy.bytes().as_ptr().align_offset(16), 0);
        assert!(try_cast_slice::<u8, u128>(&copy.bytes()[..length / 16 * 16]).is_ok());
        copy.bytes_mut().reverse();
        assert!(copy.bytes().iter().eq(bytes.iter().rev()), "{length} bytes");
    }
}
