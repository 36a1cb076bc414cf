//! Every range that `docs/PACK_FORMAT.md` promises to be checked: taken at its edge, refused by its name
//! just outside.

use hrm_core::pack::{LayerParams, RelationMap, SecondHead, SelfTest, assembled};
use hrm_core::{Pack, PackError, Shape};

use crate::made::{Made, SMALL, displacements, member_params};

/// Two members of three blocks each.
fn several() -> Made {
    Made::new(Shape { members: 2, l_layers: 2, ..SMALL }, RelationMap::Pairs)
}

/// The error of a constant of member `member`; of its block `layer`, or of it as a whole (255).
fn constant(member: u8, layer: u8, field: &'static str) -> Option<PackError> {
    Some(PackError::Constant { member, layer, field })
}

/// What is said of a pack after `value` was written to element `at` of `section`.
fn with<T: bytemuck::NoUninit>(section: &str, at: usize, value: T) -> Option<PackError> {
    let mut made = several();
    made.put(section, at, &[value]);
    made.refusal()
}

#[test]
fn the_table_of_powers_begins_with_the_greatest() {
    let bad = constant(0, 255, "exp2 table");
    assert_eq!(with("exp2", 0, 32766u16), bad);
    assert_eq!(with("exp2", 0, 32768u16), bad);
    for at in [1, 100, 255] {
        assert_eq!(with("exp2", at, 32768u16), bad, "{at}");
        assert_eq!(with("exp2", at, u16::MAX), bad, "{at}");
        assert_eq!(with("exp2", at, 32767u16), None, "{at}");
        assert_eq!(with("exp2", at, 0u16), None, "{at}");
    }
}

#[test]
fn no_sigmoid_is_above_one() {
    for at in [0, 100, 256] {
        assert_eq!(with("sigmoid", at, 32769u16), constant(0, 255, "sigmoid table"), "{at}");
        assert_eq!(with("sigmoid", at, 32768u16), None, "{at}");
        assert_eq!(with("sigmoid", at, 0u16), None, "{at}");
    }
}

#[test]
fn no_rotation_is_longer_than_one() {
    // 7 positions, 4 pairs of cosine and sine
    for at in [0, 1, 7 * 4 * 2 - 1] {
        for turn in [16385i16, -16385, i16::MAX, i16::MIN] {
            assert_eq!(with("rope", at, turn), constant(0, 255, "rope table"), "{at}: {turn}");
        }
        for turn in [16384i16, -16384, 0] {
            assert_eq!(with("rope", at, turn), None, "{at}: {turn}");
        }
    }
}

#[test]
fn a_relation_map_holds_classes_that_there_are() {
    // pairs of 7 positions; displacements of 2 x 3 cells
    for (map, length) in [(RelationMap::Pairs, 49), (displacements(3), 3 * 5)] {
        for relations in [3, 4, 255] {
            for at in [0, 8, length - 1] {
                let mut made = Made::new(Shape { relations, ..SMALL }, map);
                made.put("relation map", at, &[relations - 1]);
                assert_eq!(made.refusal(), None, "{map:?}, {at}");
                made.put("relation map", at, &[relations]);
                assert_eq!(made.refusal(), constant(0, 255, "relation map"), "{map:?}, {at}");
            }
        }
    }
}

#[test]
fn columns_divide_the_cells_of_a_map_by_displacement() {
    let shape = SMALL;
    let columns = Some(PackError::Shape { field: "columns" });
    for divisor in [1, 2, 3, 6] {
        assert_eq!(Made::new(shape, displacements(divisor)).refusal(), None, "{divisor} of 6");
    }
    let made = Made::new(shape, RelationMap::Pairs);
    let refusal = |map| crate::open(&assembled(&made.header(), map, made.sections())).err();
    for other in [4, 5, 7, 12, u16::MAX] {
        assert_eq!(refusal(displacements(other)), columns, "{other} of 6");
    }
    // (three classes are those of the position before the cells)
    for (relations, expected) in [(0, columns), (1, columns), (2, columns), (3, None)] {
        let shape = Shape { relations, ..shape };
        assert_eq!(Made::new(shape, displacements(3)).refusal(), expected, "{relations} relations");
        assert_eq!(Made::new(shape, RelationMap::Pairs).refusal(), None, "{relations} relations");
    }
    // none at all
    let mut bytes = made.pack().bytes().to_vec();
    bytes[4] = 2;
    assert_eq!(crate::open(&crate::resealed(bytes)).err(), columns);
}

/// Version 1 has nothing to say there, so nothing is read.
#[test]
fn columns_of_version_1_are_ignored_and_other_versions_refused() {
    let mut bytes = Made::new(SMALL, RelationMap::Pairs).pack().bytes().to_vec();
    bytes[6] = 3;
    assert!(crate::open(&crate::resealed(bytes.clone())).is_ok());
    for found in [0, 3, 0x0101, u16::MAX] {
        bytes[4..6].copy_from_slice(&found.to_le_bytes());
        assert_eq!(crate::open(&crate::resealed(bytes.clone())), Err(PackError::Version { found }));
    }
}

#[test]
fn steps_and_the_numerator_have_ranges() {
    let fields = ["state_step", "l_input_step", "h_input_step", "embed_step"];
    let ranges = fields.iter().enumerate().map(|(at, field)| (at, *field, 1 << 14));
    for (at, field, most) in ranges.chain([(6, "norm_numerator", (1 << 28) - 1)]) {
        for member in 0..2 {
            let section = format!("{member}: params");
            for good in [1, most] {
                assert_eq!(with(&section, at, good), None, "{field} {good}");
            }
            for bad in [0, -1, most + 1, i32::MIN, i32::MAX] {
                assert_eq!(with(&section, at, bad), constant(member, 255, field), "{field} {bad}");
            }
        }
    }
    // factors, biases and what is said to be zero
    for at in [4, 5, 7, 8, 9, 10, 11] {
        for any in [i32::MIN, 0, i32::MAX] {
            assert_eq!(with("1: params", at, any), None, "{at}: {any}");
        }
    }
    let mut made = several();
    made.put("1: params", 0, &[hrm_core::pack::MemberParams { reserved: [1; 3], ..member_params() }]);
    assert_eq!(made.refusal(), None);
}

#[test]
fn blocks_have_score_bits_and_biases_in_their_ranges() {
    for (member, layer) in [(0, 0), (0, 2), (1, 0), (1, 1)] {
        let section = format!("{member}, {layer}: params");
        for good in [4, 26] {
            assert_eq!(with(&section, 0, good), None, "{good}");
        }
        for bad in [3, 27, 0, -4, i32::MIN] {
            assert_eq!(with(&section, 0, bad), constant(member, layer, "score_bits"), "{bad}");
        }
        let params = LayerParams { score_bits: 4, gate_factor: i32::MIN, reserved: [i32::MAX; 2] };
        assert_eq!(with(&section, 0, params), None, "a factor may be any");
        let section = format!("{member}, {layer}: relation_bias");
        // 2 heads, 4 relations
        for at in [0, 7] {
            for good in [1 << 29, -(1 << 29)] {
                assert_eq!(with(&section, at, good), None, "{good}");
            }
            for bad in [(1 << 29) + 1, -(1 << 29) - 1, i32::MAX, i32::MIN] {
                assert_eq!(with(&section, at, bad), constant(member, layer, "relation_bias"), "{bad}");
            }
        }
    }
}

/// A column of magnitudes that add up to 2^16 - 1 is the greatest: 511 times 128 and 127 more.
fn overflows(shape: Shape, (member, layer): (u8, u8), matrix: &'static str, columns: usize) {
    let name = match layer {
        255 => format!("{member}: {matrix} weights"),
        layer => format!("{member}, {layer}: {matrix} weights"),
    };
    let mut full = Made::new(shape, RelationMap::Pairs);
    // a column's weights are two apart, and its neighbour's between them
    let place = |column: usize, row: usize| column / 2 * 512 * 2 + column % 2 + 2 * row;
    let chosen = [0, 1, columns - 1];
    for (column, row) in chosen.into_iter().flat_map(|column| (0..512).map(move |row| (column, row))) {
        full.put(&name, place(column, row), &[if row == 511 { 127 } else { i8::MIN }]);
    }
    assert_eq!(full.refusal(), None, "{matrix}");
    for column in chosen {
        let mut over = full.clone();
        over.put(&name, place(column, 511), &[i8::MIN]);
        let overflow = Some(PackError::Accumulator { member, layer, matrix });
        assert_eq!(over.refusal(), overflow, "{matrix}, column {column}");
    }
}

#[test]
fn no_accumulator_of_any_matrix_can_overflow() {
    let plain = Shape { relations: 0, rope: false, ..SMALL };
    let wide = Shape { width: 512, inner: 16, heads: 4, shared_levels: true, ..plain };
    for (matrix, columns) in [("query", 512), ("key", 512), ("value", 512), ("out", 512), ("gate_up", 32)] {
        overflows(wide, (0, 0), matrix, columns);
    }
    // 5 tokens, and one more for whole pairs
    for (matrix, columns) in [("logits", 6), ("halt", 2)] {
        overflows(wide, (0, 255), matrix, columns);
    }
    overflows(Shape { inner: 512, members: 2, ..plain }, (1, 1), "down", 16);
}

/// The first of several faults is told: tables, then the first member's constants, heads and blocks.
#[test]
fn faults_are_told_in_their_order() {
    let mut made = several();
    let mut expect = |section: &str, at, value: i32, error| {
        made.put(section, at, &[value]);
        assert_eq!(made.refusal(), error);
    };
    expect("1, 2: params", 0, 3, constant(1, 2, "score_bits"));
    expect("1, 0: relation_bias", 0, i32::MAX, constant(1, 0, "relation_bias"));
    expect("1, 0: params", 0, 3, constant(1, 0, "score_bits"));
    expect("1: params", 3, 0, constant(1, 255, "embed_step"));
    expect("1: params", 0, 0, constant(1, 255, "state_step"));
    expect("0, 2: params", 0, 3, constant(0, 2, "score_bits"));
    expect("0: params", 6, 0, constant(0, 255, "norm_numerator"));
    expect("relation map", 0, i32::MAX, constant(0, 255, "relation map"));
    expect("rope", 0, i32::MAX, constant(0, 255, "rope table"));
    expect("sigmoid", 0, i32::MAX, constant(0, 255, "sigmoid table"));
    expect("exp2", 0, i32::MAX, constant(0, 255, "exp2 table"));
}

/// The field that is at fault, if any.
fn fault(shape: Shape) -> Option<&'static str> {
    match shape.check() {
        Err(PackError::Shape { field }) => Some(field),
        Err(other) => panic!("{other}"),
        Ok(()) => None,
    }
}

#[test]
fn sizes_are_taken_at_their_limits_and_refused_beyond() {
    let large = Shape { width: 1024, heads: 8, inner: 16, ..SMALL };
    for good in [
        SMALL,
        large,
        Shape { cells: 1, ..SMALL },
        Shape { cells: 900, ..SMALL },
        Shape { vocab: 2, ..SMALL },
        Shape { vocab: 256, ..SMALL },
        Shape { width: 48, heads: 3, ..SMALL },
        Shape { inner: 16, ..SMALL },
        Shape { inner: 4096, ..SMALL },
        Shape { inner: 4080, ..SMALL },
        Shape { heads: 4, ..SMALL },
        Shape { heads: 1, width: 128, ..SMALL },
        Shape { h_layers: 32, ..SMALL },
        Shape { l_layers: 32, ..SMALL },
        Shape { h_cycles: 64, ..SMALL },
        Shape { l_cycles: 64, ..SMALL },
        Shape { segments: 4096, ..SMALL },
        Shape { members: 64, ..SMALL },
        Shape { relations: 255, ..SMALL },
        Shape { shared_levels: true, ..SMALL },
        Shape { h_layers: 2, ..SMALL },
    ] {
        assert_eq!(fault(good), None, "{good:?}");
    }
    for (field, bad) in [
        ("cells", Shape { cells: 0, ..SMALL }),
        ("cells", Shape { cells: 901, ..SMALL }),
        ("vocab", Shape { vocab: 0, ..SMALL }),
        ("vocab", Shape { vocab: 1, ..SMALL }),
        ("vocab", Shape { vocab: 257, ..SMALL }),
        ("width", Shape { width: 0, ..SMALL }),
        ("width", Shape { width: 8, ..SMALL }),
        ("width", Shape { width: 24, ..SMALL }),
        ("width", Shape { width: 1040, heads: 13, ..SMALL }),
        ("heads", Shape { heads: 0, ..SMALL }),
        ("heads", Shape { heads: 3, ..SMALL }),
        ("head_dim", Shape { heads: 8, ..SMALL }),
        ("head_dim", Shape { width: 48, heads: 8, ..SMALL }),
        ("head_dim", Shape { heads: 1, width: 144, ..SMALL }),
        ("inner", Shape { inner: 0, ..SMALL }),
        ("inner", Shape { inner: 8, ..SMALL }),
        ("inner", Shape { inner: 24, ..SMALL }),
        ("inner", Shape { inner: 4112, ..SMALL }),
        ("h_layers", Shape { h_layers: 0, ..SMALL }),
        ("h_layers", Shape { h_layers: 33, ..SMALL }),
        ("l_layers", Shape { l_layers: 0, ..SMALL }),
        ("l_layers", Shape { l_layers: 33, ..SMALL }),
        ("h_cycles", Shape { h_cycles: 0, ..SMALL }),
        ("h_cycles", Shape { h_cycles: 65, ..SMALL }),
        ("l_cycles", Shape { l_cycles: 0, ..SMALL }),
        ("l_cycles", Shape { l_cycles: 65, ..SMALL }),
        ("segments", Shape { segments: 0, ..SMALL }),
        ("segments", Shape { segments: 4097, ..SMALL }),
        ("members", Shape { members: 0, ..SMALL }),
        ("members", Shape { members: 65, ..SMALL }),
        ("shared_levels", Shape { shared_levels: true, h_layers: 2, ..SMALL }),
        ("shared_levels", Shape { shared_levels: true, l_layers: 2, ..SMALL }),
    ] {
        assert_eq!(fault(bad), Some(field), "{bad:?}");
        let mut made = Made::new(SMALL, RelationMap::Pairs);
        made.shape = bad;
        let opened = crate::open(&assembled(&made.header(), RelationMap::Pairs, &[]));
        assert_eq!(opened, Err(PackError::Shape { field }), "{bad:?}");
    }
}

/// A block of the greatest width and inner width has 2^24 weights.
#[test]
fn the_blocks_of_all_members_have_less_than_2_to_the_30_weights() {
    let greatest = Shape { width: 1024, heads: 8, inner: 4096, ..SMALL };
    let shared = Shape { shared_levels: true, ..greatest };
    let too_many = Some("members x layers (over 1 GiB of weights)");
    assert_eq!(greatest.weights(), 2 << 24);
    assert_eq!(shared.weights(), 1 << 24);
    assert_eq!(fault(Shape { members: 63, ..shared }), None);
    assert_eq!(fault(Shape { members: 64, ..shared }), too_many);
    assert_eq!(fault(Shape { members: 31, ..greatest }), None);
    assert_eq!(fault(Shape { members: 32, ..greatest }), too_many);
    let all = Shape { members: 64, h_layers: 32, l_layers: 32, ..greatest };
    assert_eq!((all.weights(), fault(all)), (1 << 36, too_many));
}

#[test]
fn sizes_follow_from_the_shape() {
    let shape = Shape { width: 48, heads: 3, inner: 80, h_layers: 2, l_layers: 3, members: 5, ..SMALL };
    // four W x W, one W x 2I and one I x W in each of five blocks of five members
    let block = 4 * 48 * 48 + 48 * 160 + 80 * 48;
    assert_eq!(shape.weights(), 5 * 5 * block);
    assert_eq!((shape.stored_layers(), shape.width(), shape.inner(), shape.head_dim()), (5, 48, 80, 16));
    let shared = Shape { shared_levels: true, l_layers: 2, ..shape };
    assert_eq!((shared.stored_layers(), shared.weights()), (2, 5 * 2 * block));
    assert_eq!(Shape { heads: 0, ..SMALL }.head_dim(), 0);
    for (cells, sequence, pairs, fours) in [(1, 2, 2, 4), (2, 3, 4, 4), (3, 4, 4, 4), (4, 5, 6, 8)] {
        let shape = Shape { cells, ..SMALL };
        assert_eq!((shape.sequence(), shape.key_columns(), shape.value_rows()), (sequence, pairs, fours));
    }
}

/// Counted as the model is defined: each block multiplies each position by its matrices, and each pair of
/// positions once for the score and once for the value.
#[test]
fn a_segment_has_as_many_products_as_its_definition() {
    let shape = Shape { cells: 7, width: 48, inner: 80, h_layers: 2, l_layers: 3, h_cycles: 4, ..SMALL };
    let shape = Shape { l_cycles: 5, vocab: 6, ..shape };
    let mut products = 0;
    for _ in 0..4 {
        for _ in 0..5 * 3 + 2 {
            for _ in 0..8 {
                products += 4 * 48 * 48 + 48 * 160 + 80 * 48;
                products += 8 * (48 + 48);
            }
        }
    }
    products += 7 * 48 * 6 + 48 * 2;
    assert_eq!(shape.segment_macs(), products);
    // and as released models' cards say
    let maze = Shape { cells: 100, vocab: 6, width: 64, heads: 2, inner: 160, ..SMALL };
    let maze = Shape { h_layers: 2, l_layers: 2, h_cycles: 2, l_cycles: 2, ..maze };
    assert_eq!(maze.segment_macs(), 72_797_312);
}

/// Two puzzles for six cells and five tokens.
#[test]
fn a_self_test_fits_its_model() {
    let made = Made::new(SMALL, RelationMap::Pairs);
    let refusal = |segments, puzzles: &[u8], digests: &[u32]| {
        let digests = digests.iter().copied().collect();
        let test = postcard::to_stdvec(&SelfTest { segments, puzzles, digests }).unwrap();
        let header = [made.header(), test].concat();
        crate::open(&assembled(&header, RelationMap::Pairs, made.sections())).err()
    };
    let no = Some(PackError::SelfTest);
    assert_eq!(refusal(1, &[4; 12], &[1, 2]), None);
    assert_eq!(refusal(1, &[0; 6], &[1]), None);
    for cell in 0..12 {
        let mut puzzles = [0; 12];
        puzzles[cell] = 5;
        assert_eq!(refusal(1, &puzzles, &[1, 2]), no, "cell {cell}");
    }
    for length in [0, 6, 11, 13, 18] {
        assert_eq!(refusal(1, &vec![0; length], &[1, 2]), no, "{length} cells");
    }
    assert_eq!(refusal(0, &[0; 6], &[1]), no);
    assert_eq!(refusal(1, &[], &[]), no);
    let puzzles: Vec<u8> = (0..12).collect();
    let test = SelfTest { segments: 1, puzzles: &puzzles, digests: [7, 8].into_iter().collect() };
    assert_eq!(test.row(0), Some((&puzzles[..6], 7)));
    assert_eq!(test.row(1), Some((&puzzles[6..], 8)));
    assert_eq!(test.row(2), None);
    let none = SelfTest { segments: 1, puzzles: &[], digests: [].into_iter().collect() };
    assert_eq!(none.row(0), None);
}

/// Bytes in the middle of a header are read as the shape says, whatever the second head and lanes are.
#[test]
fn the_header_can_be_read_again() {
    for (rope, second_head) in
        [(true, SecondHead::None), (false, SecondHead::Continue), (true, SecondHead::Doubt)]
    {
        let made = Made::new(Shape { rope, second_head, ..SMALL }, RelationMap::Pairs);
        let bytes = made.pack();
        let pack = Pack::open(bytes.bytes()).unwrap();
        let header = pack.header().unwrap();
        assert_eq!((header.task, header.shape, header.provenance.steps), ("six", made.shape, 2));
        assert_eq!(pack.self_test(), None);
        assert_eq!(Shape::stated_by(bytes.bytes()), Some(made.shape));
    }
}

/// No size takes more than three bytes of seven bits each.
#[test]
fn a_number_that_goes_on_is_no_header() {
    let header = Made::new(SMALL, RelationMap::Pairs).header();
    // in place of the name's length, which comes first
    let stated = |length: &[u8]| Shape::stated_by(&[&[0; 32], length, &header[1..]].concat());
    assert_eq!(stated(&[3]), Some(SMALL));
    assert_eq!(stated(&[0x83, 0x80, 0]), Some(SMALL));
    assert_eq!(stated(&[0x83, 0x80, 0x80, 0]), None);
}

#[test]
fn errors_say_what_is_wrong_and_what_to_do() {
    let export = "; export the model again";
    for (error, text) in [
        (PackError::Truncated { needed: 32, got: 5 }, "truncated: 32 bytes needed, 5 there; copy it again"),
        (PackError::Magic, "not a pack: the first bytes are not \"HRM\\x1a\""),
        (
            PackError::Version { found: 7 },
            "format version 7, this program reads 1 to 2: export the model again",
        ),
        (
            PackError::Crc { stored: 0xAB, computed: 0x1234_5678 },
            "damaged: checksum 12345678, 000000ab expected; copy it again",
        ),
        (PackError::Header, &format!("the header cannot be decoded{export}")),
        (PackError::SelfTest, &format!("the header ends in something that is no self-test{export}")),
        (
            PackError::Shape { field: "width" },
            "`width` is outside what the integer model can run; train another shape",
        ),
        (
            PackError::Length { expected: 48, stated: 64 },
            &format!("the shape needs 48 bytes, the pack states 64{export}"),
        ),
        (PackError::Misaligned, "must start at a multiple of 16 in memory; copy it to one"),
        (
            PackError::Constant { member: 1, layer: 255, field: "embed_step" },
            &format!("member 1: constant `embed_step` is out of range{export}"),
        ),
        (
            PackError::Constant { member: 1, layer: 2, field: "score_bits" },
            &format!("member 1, layer 2: constant `score_bits` is out of range{export}"),
        ),
        (
            PackError::Accumulator { member: 0, layer: 255, matrix: "halt" },
            &format!("member 0: the accumulators of `halt` could overflow{export}"),
        ),
        (
            PackError::Accumulator { member: 0, layer: 3, matrix: "down" },
            &format!("member 0, layer 3: the accumulators of `down` could overflow{export}"),
        ),
    ] {
        assert_eq!(error.to_string(), text);
    }
}
