//! Borrowed numbers: tables, members, layers and matrices inside a pack.

use bytemuck::{Pod, Zeroable};

use super::{MatrixSpan, Pack, RelationMap};

/// Tables that depend on the shape only.
#[derive(Clone, Copy, Debug)]
pub struct Tables<'a> {
    /// `round(32767 * 2^(-i/256))`, 256 entries.
    pub exp2: &'a [u16],
    /// `round(32768 * sigmoid(i/16))`, 257 entries.
    pub sigmoid: &'a [u16],
    /// `(cos, sin)` in Q14, (sequence, head_dim / 2, 2); empty without RoPE.
    pub rope: &'a [i16],
    /// How the relation map is to be read.
    pub relations: RelationMap,
    /// Relation classes; empty without relations.
    pub relation_map: &'a [u8],
}

/// Constants of one member. A *step* is the worth of one stored unit, in units of 2^-16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct MemberParams {
    /// Step of normalised values (z_H, z_L and everything between the sub-layers), `1..=16384`.
    pub state_step: i32,
    /// Step of the L level's input `z_L + (z_H + x)`, `1..=16384`.
    pub l_input_step: i32,
    /// Step of the H level's input `z_H + z_L`, `1..=16384`.
    pub h_input_step: i32,
    /// Step of the embeddings, `1..=16384`.
    pub embed_step: i32,
    /// `round(2^32 / l_input_step)`, saturated to `2^31 - 1`.
    pub l_input_factor: i32,
    /// `round(2^32 / h_input_step)`, saturated to `2^31 - 1`.
    pub h_input_factor: i32,
    /// `round(2^12 * sqrt(width) * 2^16 / state_step)`, `1..2^28`.
    pub norm_numerator: i32,
    /// Bias of the halt logit, in units of 2^-12.
    pub halt_bias: i32,
    /// Bias of the second output, in units of 2^-12.
    pub second_bias: i32,
    /// Zero.
    #[doc(hidden)]
    pub reserved: [i32; 3],
}

/// Constants of one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct LayerParams {
    /// Scores are in units of `2^-score_bits` powers of two, `4..=26`.
    pub score_bits: i32,
    /// `lane = scale(t, gate_factor)` with `t = silu(gate) * up * 2^9`.
    pub gate_factor: i32,
    /// Zero.
    #[doc(hidden)]
    pub reserved: [i32; 2],
}

/// Largest step.
const MAX_STEP: i32 = 1 << 14;
/// Largest magnitude of a relation bias, so that a score and its bias fit 31 bits.
const MAX_BIAS: i32 = 1 << 29;

impl MemberParams {
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let steps = [
            ("state_step", self.state_step),
            ("l_input_step", self.l_input_step),
            ("h_input_step", self.h_input_step),
            ("embed_step", self.embed_step),
        ];
        match steps.iter().find(|(_, step)| !(1..=MAX_STEP).contains(step)) {
            Some((field, _)) => Err(field),
            None if !(1..1 << 28).contains(&self.norm_numerator) => Err("norm_numerator"),
            None => Ok(()),
        }
    }
}

/// An int8 matrix with one factor per column.
///
/// Column pairs are interleaved: the bytes of columns `c` and `c + 1` (`c` even) are
/// `w[0][c], w[0][c+1], w[1][c], w[1][c+1], …`.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    /// Weights, (columns / 2, depth, 2).
    pub weights: &'a [i8],
    /// `scale` factor of each column.
    pub factors: &'a [i32],
    /// Inputs of the product.
    pub depth: usize,
    /// How the weights lie.
    pub order: Order,
}

/// How a matrix's weights lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// In column pairs, as in a pack.
    Pairs,
    /// Two inputs of sixteen columns together, see [`copy_matrix`](crate::kernels::copy_matrix).
    #[cfg(kernels = "x86")]
    Twos,
    /// Four inputs of sixteen columns together, each 128 more than it is; for 8-bit lanes.
    #[cfg(kernels = "x86")]
    Fours,
}

/// One block's numbers.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// Constants.
    pub params: LayerParams,
    /// Query projection.
    pub query: Matrix<'a>,
    /// Key projection.
    pub key: Matrix<'a>,
    /// Value projection.
    pub value: Matrix<'a>,
    /// Output projection of attention.
    pub out: Matrix<'a>,
    /// Gate and up projections, columns alternating.
    pub gate_up: Matrix<'a>,
    /// Down projection.
    pub down: Matrix<'a>,
    /// Relation bias in units of the scores, (heads, relations).
    pub relation_bias: &'a [i32],
}

impl Layer<'_> {
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if !(4..=26).contains(&self.params.score_bits) {
            return Err("score_bits");
        }
        if self.relation_bias.iter().any(|bias| !(-MAX_BIAS..=MAX_BIAS).contains(bias)) {
            return Err("relation_bias");
        }
        Ok(())
    }

    /// A matrix whose accumulators could overflow in some column.
    pub(crate) fn overflowing_matrix(&self) -> Option<&'static str> {
        let matrices = [
            ("query", self.query),
            ("key", self.key),
            ("value", self.value),
            ("out", self.out),
            ("gate_up", self.gate_up),
            ("down", self.down),
        ];
        matrices.iter().find(|(_, matrix)| !matrix.fits()).map(|(name, _)| *name)
    }
}

impl Matrix<'_> {
    /// The greatest `sum|w|` of a column, so that `2^15 * sum|w| < 2^31`: what 16-bit lanes, and 8-bit lanes
    /// after their shift, need.
    pub const MOST_MAGNITUDE: u32 = u16::MAX as u32;

    /// Whether every column keeps to [`Self::MOST_MAGNITUDE`].
    pub(crate) fn fits(&self) -> bool {
        self.weights.chunks_exact(2 * self.depth.max(1)).all(|pair| {
            let (even, odd) = pair.chunks_exact(2).fold((0u32, 0u32), |(even, odd), w| match w {
                [a, b] => (even + u32::from(a.unsigned_abs()), odd + u32::from(b.unsigned_abs())),
                _ => (even, odd),
            });
            even <= Self::MOST_MAGNITUDE && odd <= Self::MOST_MAGNITUDE
        })
    }
}

/// One member's numbers, without its blocks (see [`Pack::layer`]).
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// Constants.
    pub params: MemberParams,
    /// Token embeddings, (vocab, width).
    pub tokens: &'a [i16],
    /// Embedding added per position, (sequence or 1, width).
    pub positions: &'a [i16],
    /// Initial states, (2, width): H, then L, in units of `state_step`.
    pub initial: &'a [i16],
    /// Language-model head.
    pub logits: Matrix<'a>,
    /// Halting head.
    pub halt: Matrix<'a>,
}

impl<'a> Pack<'a> {
    /// Tables that depend on the shape only.
    pub fn tables(&self) -> Tables<'a> {
        let layout = self.layout();
        Tables {
            exp2: self.section(layout.exp2),
            sigmoid: self.section(layout.sigmoid),
            rope: self.section(layout.rope),
            relations: layout.relations,
            relation_map: self.section(layout.relation_map),
        }
    }

    fn matrix(&self, span: MatrixSpan) -> Matrix<'a> {
        Matrix {
            weights: self.section(span.weights),
            factors: self.section(span.factors),
            depth: span.depth,
            order: Order::Pairs,
        }
    }

    /// Member `index`; an index past the last one gives the last.
    pub fn member(&self, index: usize) -> Member<'a> {
        let (at, layout) = (self.member_at(index), &self.layout().member);
        Member {
            params: self.section(layout.params.shifted(at)).first().copied().unwrap_or(Zeroable::zeroed()),
            tokens: self.section(layout.tokens.shifted(at)),
            positions: self.section(layout.positions.shifted(at)),
            initial: self.section(layout.initial.shifted(at)),
            logits: self.matrix(layout.logits.shifted(at)),
            halt: self.matrix(layout.halt.shifted(at)),
        }
    }

    /// Stored layer `index` of member `member`: the L level's blocks, then the H level's unless shared.
    pub fn layer(&self, member: usize, index: usize) -> Layer<'a> {
        let layout = &self.layout().member.layer;
        let index = index.min(self.shape().stored_layers() - 1);
        let at = self.member_at(member) + self.layout().member.layers_at + index * layout.bytes;
        let matrix = |span: MatrixSpan| self.matrix(span.shifted(at));
        Layer {
            params: self.section(layout.params.shifted(at)).first().copied().unwrap_or(Zeroable::zeroed()),
            query: matrix(layout.query),
            key: matrix(layout.key),
            value: matrix(layout.value),
            out: matrix(layout.out),
            gate_up: matrix(layout.gate_up),
            down: matrix(layout.down),
            relation_bias: self.section(layout.relation_bias.shifted(at)),
        }
    }

    fn member_at(&self, index: usize) -> usize {
        let index = index.min(self.shape().members as usize - 1);
        self.layout().members_at + index * self.layout().member.bytes
    }
}
