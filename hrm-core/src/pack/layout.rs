//! Where everything lies in a pack: a pure function of the [`Shape`] and the [`RelationMap`]'s kind, used by
//! reader and writer alike.

use super::{RelationMap, shape::Shape};

/// Alignment of every section.
pub const ALIGN: usize = 16;

/// A run of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte.
    pub at: usize,
    /// Number of bytes.
    pub bytes: usize,
}

impl Span {
    /// The same run, `by` bytes further on.
    pub const fn shifted(self, by: usize) -> Span {
        Span { at: self.at + by, bytes: self.bytes }
    }
}

/// Hands out consecutive aligned sections.
struct Cursor(usize);

impl Cursor {
    const fn take(&mut self, bytes: usize) -> Span {
        let at = self.0;
        self.0 = (at + bytes).next_multiple_of(ALIGN);
        Span { at, bytes }
    }

    const fn matrix(&mut self, depth: usize, columns: usize) -> MatrixSpan {
        MatrixSpan { weights: self.take(depth * columns), factors: self.take(columns * 4), depth }
    }
}

/// Sections of one matrix: int8 weights and one `i32` factor per column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatrixSpan {
    /// Weights, columns interleaved in pairs.
    pub weights: Span,
    /// Requantisation factor of each column.
    pub factors: Span,
    /// Inputs of the product.
    pub depth: usize,
}

impl MatrixSpan {
    /// The same sections, `by` bytes further on.
    pub const fn shifted(self, by: usize) -> MatrixSpan {
        MatrixSpan { weights: self.weights.shifted(by), factors: self.factors.shifted(by), depth: self.depth }
    }
}

/// Sections of one block, relative to its start.
#[derive(Clone, Copy, Debug)]
pub struct LayerLayout {
    /// [`LayerParams`](super::LayerParams).
    pub params: Span,
    /// Query projection.
    pub query: MatrixSpan,
    /// Key projection.
    pub key: MatrixSpan,
    /// Value projection.
    pub value: MatrixSpan,
    /// Output projection of attention.
    pub out: MatrixSpan,
    /// Gate and up projections, columns alternating `gate_0, up_0, gate_1, …`.
    pub gate_up: MatrixSpan,
    /// Down projection.
    pub down: MatrixSpan,
    /// Relation bias, `i32` (heads, relations).
    pub relation_bias: Span,
    /// Bytes of a whole block.
    pub bytes: usize,
}

/// Sections of one member, relative to its start.
#[derive(Clone, Copy, Debug)]
pub struct MemberLayout {
    /// [`MemberParams`](super::MemberParams).
    pub params: Span,
    /// Token embeddings, `i16` (vocab, width).
    pub tokens: Span,
    /// Embedding added per position, `i16`: (sequence, width) with learned positions, else (1, width)
    /// for the puzzle position.
    pub positions: Span,
    /// Initial states, `i16` (2, width): H, then L.
    pub initial: Span,
    /// The blocks: L first, then H unless shared.
    pub layers_at: usize,
    /// One block.
    pub layer: LayerLayout,
    /// Language-model head.
    pub logits: MatrixSpan,
    /// Halting head: columns halt and continue.
    pub halt: MatrixSpan,
    /// Bytes of a whole member.
    pub bytes: usize,
}

/// Sections of a pack, relative to the end of the header.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// `2^(-i/256)`, `u16` Q15 (256).
    pub exp2: Span,
    /// `sigmoid(i/16)`, `u16` Q15 (257).
    pub sigmoid: Span,
    /// Pairs `(cos, sin)`, `i16` Q14 (sequence, head_dim / 2, 2); empty without RoPE.
    pub rope: Span,
    /// How the relation map is to be read.
    pub relations: RelationMap,
    /// Relation classes, `u8`; empty without relations.
    pub relation_map: Span,
    /// Start of the first member.
    pub members_at: usize,
    /// One member.
    pub member: MemberLayout,
    /// Bytes of all sections.
    pub bytes: usize,
}

impl Layout {
    /// The layout of `shape` with this relation map, both of which must have passed their checks.
    pub const fn of(shape: &Shape, relations: RelationMap) -> Layout {
        let mut cursor = Cursor(0);
        let sequence = shape.sequence();
        let exp2 = cursor.take(256 * 2);
        let sigmoid = cursor.take(257 * 2);
        let rope = cursor.take(if shape.rope { sequence * shape.head_dim() * 2 } else { 0 });
        let relation_map = cursor.take(relations.bytes(shape));
        let members_at = cursor.0;
        let member = member(shape);
        Layout {
            exp2,
            sigmoid,
            rope,
            relations,
            relation_map,
            members_at,
            member,
            bytes: members_at + member.bytes * shape.members as usize,
        }
    }
}

const fn member(shape: &Shape) -> MemberLayout {
    let mut cursor = Cursor(0);
    let width = shape.width();
    let params = cursor.take(size_of::<super::MemberParams>());
    let tokens = cursor.take(shape.vocab as usize * width * 2);
    let positions = cursor.take(if shape.learned_positions { shape.sequence() } else { 1 } * width * 2);
    let initial = cursor.take(2 * width * 2);
    let layers_at = cursor.0;
    let layer = layer(shape);
    cursor.0 += layer.bytes * shape.stored_layers();
    let logits = cursor.matrix(width, shape.logit_columns());
    let halt = cursor.matrix(width, 2);
    MemberLayout { params, tokens, positions, initial, layers_at, layer, logits, halt, bytes: cursor.0 }
}

const fn layer(shape: &Shape) -> LayerLayout {
    let mut cursor = Cursor(0);
    let (width, inner) = (shape.width(), shape.inner());
    LayerLayout {
        params: cursor.take(size_of::<super::LayerParams>()),
        query: cursor.matrix(width, width),
        key: cursor.matrix(width, width),
        value: cursor.matrix(width, width),
        out: cursor.matrix(width, width),
        gate_up: cursor.matrix(width, 2 * inner),
        down: cursor.matrix(inner, width),
        relation_bias: cursor.take(shape.heads as usize * shape.relations as usize * 4),
        bytes: cursor.0,
    }
}
