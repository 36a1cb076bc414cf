//! Packs of any shape, laid out here once more from `docs/PACK_FORMAT.md`, and not by the code under test.

use std::ops::Range;

use hrm_core::lane::LaneWidth;
use hrm_core::pack::{
    AlignedBytes, Header, LayerParams, MemberParams, Provenance, RelationMap, SecondHead, assembled,
};
use hrm_core::{Pack, PackError, Shape};
use hrm_samples::{Noise, exp2, sigmoid};

/// The smallest of nearly everything.
pub(crate) const SMALL: Shape = Shape {
    cells: 6,
    vocab: 5,
    width: 16,
    heads: 2,
    inner: 32,
    h_layers: 1,
    l_layers: 1,
    h_cycles: 1,
    l_cycles: 1,
    segments: 1,
    members: 1,
    shared_levels: false,
    rope: true,
    learned_positions: false,
    relations: 4,
    second_head: SecondHead::None,
    lanes: LaneWidth::I16,
};

/// A relation map by displacement.
pub(crate) fn displacements(columns: u16) -> RelationMap {
    RelationMap::Displacements { columns: columns.try_into().unwrap() }
}

/// A matrix K x N in the section table: its weights, then its factors.
fn matrix(name: &str, k: usize, n: usize) -> [(String, usize); 2] {
    [(format!("{name} weights"), k * n), (format!("{name} factors"), 4 * n)]
}

/// The table of the sections, row by row: their names and bytes.
fn table(shape: &Shape, map: RelationMap) -> Vec<(String, usize)> {
    let [cells, vocab, w, heads, i] =
        [shape.cells, shape.vocab, shape.width, shape.heads, shape.inner].map(usize::from);
    let (s, d, relations) = (1 + cells, w / heads, usize::from(shape.relations));
    let named = |name: &str, bytes| (name.to_string(), bytes);
    let pairs = match map {
        _ if relations == 0 => 0,
        RelationMap::Pairs => s * s,
        RelationMap::Displacements { columns } => {
            let columns = usize::from(columns.get());
            (2 * (cells / columns) - 1) * (2 * columns - 1)
        }
    };
    let mut all = vec![
        named("exp2", 2 * 256),
        named("sigmoid", 2 * 257),
        named("rope", if shape.rope { 2 * s * (d / 2) * 2 } else { 0 }),
        named("relation map", pairs),
    ];
    let layers = shape.l_layers + if shape.shared_levels { 0 } else { shape.h_layers };
    for member in 0..shape.members {
        all.push((format!("{member}: params"), 4 * 12));
        all.push((format!("{member}: tokens"), 2 * vocab * w));
        all.push((format!("{member}: positions"), 2 * w * if shape.learned_positions { s } else { 1 }));
        all.push((format!("{member}: initial"), 2 * 2 * w));
        for layer in 0..layers {
            let at = format!("{member}, {layer}:");
            all.push((format!("{at} params"), 4 * 4));
            for name in ["query", "key", "value", "out"] {
                all.extend(matrix(&format!("{at} {name}"), w, w));
            }
            all.extend(matrix(&format!("{at} gate_up"), w, 2 * i));
            all.extend(matrix(&format!("{at} down"), i, w));
            all.push((format!("{at} relation_bias"), 4 * heads * relations));
        }
        all.extend(matrix(&format!("{member}: logits"), w, vocab + vocab % 2));
        all.extend(matrix(&format!("{member}: halt"), w, 2));
    }
    all
}

/// A pack in the making: each section has a name, such as `sigmoid`, `0: params` of member 0 or
/// `0, 1: query weights` of its layer 1.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) shape: Shape,
    map: RelationMap,
    places: Vec<(String, Range<usize>)>,
    sections: Vec<u8>,
}

impl Made {
    /// A pack with right tables and constants, in which all else is zero.
    pub(crate) fn new(shape: Shape, map: RelationMap) -> Self {
        let mut at = 0usize;
        let place = |(name, bytes): (String, usize)| {
            let begin = at;
            at = (begin + bytes).next_multiple_of(16);
            (name, begin..begin + bytes)
        };
        let places = table(&shape, map).into_iter().map(place).collect();
        let mut made = Made { shape, map, places, sections: vec![0; at] };
        made.put("exp2", 0, &exp2());
        made.put("sigmoid", 0, &sigmoid());
        for name in made.names() {
            match name.split_once(": ") {
                Some((at, "params")) if at.contains(", ") => {
                    made.put(&name, 0, &[LayerParams { score_bits: 4, gate_factor: 0, reserved: [0; 2] }]);
                }
                Some((_, "params")) => made.put(&name, 0, &[member_params()]),
                _ => {}
            }
        }
        made
    }

    /// The same, with noise in every section that may hold any.
    pub(crate) fn with_noise(shape: Shape, map: RelationMap, state: u64) -> Self {
        let mut made = Made::new(shape, map);
        let mut noise = Noise { state, extremes: false };
        for name in made.names() {
            let range = made.place(&name);
            if !["exp2", "sigmoid"].contains(&name.as_str()) && !name.ends_with("params") {
                // 16-bit numbers within 2^14, classes below the relations, biases within 2^29
                for (index, byte) in made.sections[range].iter_mut().enumerate() {
                    let drawn = noise.next() as u8;
                    *byte = match name.as_str() {
                        "rope" if index % 2 == 1 => drawn % 64,
                        "relation map" => drawn % shape.relations,
                        name if name.ends_with("relation_bias") && index % 4 == 3 => drawn % 32,
                        _ => drawn,
                    };
                }
            }
        }
        made
    }

    /// The sections' names, those of empty ones too, in their order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.places.iter().map(|(name, _)| name.clone()).collect()
    }

    fn place(&self, name: &str) -> Range<usize> {
        let found = self.places.iter().find(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("no section {name}")).1.clone()
    }

    /// The bytes of a section.
    pub(crate) fn section(&self, name: &str) -> &[u8] {
        &self.sections[self.place(name)]
    }

    /// Writes `values` to a section, from its element `at` on.
    pub(crate) fn put<T: bytemuck::NoUninit>(&mut self, name: &str, at: usize, values: &[T]) {
        let place = self.place(name);
        let begin = place.start + at * size_of::<T>();
        let end = begin + size_of_val(values);
        assert!(end <= place.end, "{name} is shorter");
        self.sections[begin..end].copy_from_slice(bytemuck::cast_slice(values));
    }

    /// The encoded header.
    pub(crate) fn header(&self) -> Vec<u8> {
        let provenance =
            Provenance { config: "{}", program: "test", data: "none", seed: 1, steps: 2, samples: 3 };
        let header = Header { task: "six", shape: self.shape, provenance, accuracy: None };
        postcard::to_stdvec(&header).unwrap()
    }

    /// The sections.
    pub(crate) fn sections(&self) -> &[u8] {
        &self.sections
    }

    /// The pack.
    pub(crate) fn pack(&self) -> AlignedBytes {
        AlignedBytes::copy_of(&assembled(&self.header(), self.map, &self.sections))
    }

    /// What the reader says of it.
    pub(crate) fn refusal(&self) -> Option<PackError> {
        Pack::open(self.pack().bytes()).err()
    }
}

/// Constants of a member that are in their ranges.
pub(crate) const fn member_params() -> MemberParams {
    MemberParams {
        state_step: 1,
        l_input_step: 2,
        h_input_step: 3,
        embed_step: 4,
        l_input_factor: 5,
        h_input_factor: 6,
        norm_numerator: 7,
        halt_bias: 8,
        second_bias: 9,
        reserved: [0; 3],
    }
}
