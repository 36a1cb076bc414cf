//! A block: attention, then SwiGLU, each added to its input and normalised.

use super::panels::{Panels, order_heads};
use super::products::{columns, first_of, product, product_of, rescale, split};
use crate::kernels::{
    add_bias, add_displaced_bias, attention_output, requantize, requantize_pairs, requantize_places,
    residual_norm, rotate_heads, softmax, swiglu,
};
use crate::lane::Lane;
use crate::pack::{Layer, Matrix, Order, RelationMap, Shape, TILE, Tables};
use crate::rows::Rows;
use crate::trace::{Op, Trace, Values};
use crate::workspace::{Scratch, acc_columns};

/// What attention of one tile needs.
struct Heads<'a, A> {
    /// Keys of the whole sequence.
    keys: Panels<'a>,
    /// Values of the whole sequence.
    values: Panels<'a>,
    /// Room for queries and weights.
    rest: &'a mut [A],
    acc: &'a mut [i32],
    pack: &'a mut [u32],
}

/// One post-norm block.
pub(super) struct Block<'a> {
    pub(super) shape: &'a Shape,
    pub(super) layer: Layer<'a>,
    pub(super) tables: Tables<'a>,
    /// Numerator of the normalisation.
    pub(super) numerator: u32,
    /// Step of normalised values.
    pub(super) state_step: i32,
}

impl Block<'_> {
    /// `x = rms(x + Attention(x)); x = rms(x + SwiGLU(x))` in place; `x`: (sequence,
    /// width), stored with `step`.
    ///
    /// Keys and values of the whole sequence come first; after them, the tokens of every pass over the
    /// weights go through the rest on their own, four at a time within each product.
    pub(super) fn call<A: Lane>(
        &self,
        x: &mut [A],
        step: i32,
        scratch: &mut Scratch<'_, A>,
        trace: &mut dyn Trace,
    ) {
        let (width, tokens) = (self.shape.width(), scratch.tokens);
        self.keys_and_values(x, scratch);
        trace.op(Op::Key, Values::I8(scratch.keys));
        trace.op(Op::Value, Values::I8(scratch.values));
        let order = order_heads(self.shape, scratch);
        for (index, x) in x.tiles_mut(tokens * width).enumerate() {
            self.attention((index * tokens, order), x, step, scratch, trace);
            self.feed_forward(x, scratch, trace);
        }
    }

    /// Fills the key and value panels from `x`: (sequence, width).
    fn keys_and_values<A: Lane>(&self, x: &[A], scratch: &mut Scratch<'_, A>) {
        let (width, dim, key_columns) = (self.shape.width(), self.shape.head_dim(), self.shape.key_columns());
        let value_rows = self.shape.value_rows();
        for (pass, x) in x.tiles(scratch.tokens * width).enumerate() {
            let first = pass * scratch.tokens;
            let key = scratch.copy.of(self.layer.key, A::WIDTH);
            for (tile, x) in x.tiles(TILE * width).enumerate() {
                let acc = product(x, &key, scratch.acc, scratch.pack);
                for (row, acc) in acc.rows_mut(width).enumerate() {
                    let t = first + tile * TILE + row;
                    let heads = scratch.keys.rows_mut(dim * key_columns);
                    if self.shape.rope {
                        rescale::<A>(acc, key.factors);
                        self.rotate(t, acc);
                        for (panel, acc) in heads.zip(acc.rows(dim)) {
                            for (keys, value) in columns(panel, t, dim).iter_mut().zip(acc) {
                                keys[t & 1] = i8::saturate(*value);
                            }
                        }
                    } else {
                        let rows = acc.rows(dim).zip(key.factors.rows(dim));
                        for (panel, (acc, factors)) in heads.zip(rows) {
                            requantize_pairs::<A>(acc, factors, t, columns(panel, t, dim));
                        }
                    }
                }
            }
            let value = scratch.copy.of(self.layer.value, A::WIDTH);
            // the packing of a lone tile is still there
            let packed = x.len() <= TILE * width;
            for (tile, x) in x.tiles(TILE * width).enumerate() {
                let acc = product_of(x, &value, scratch.acc, scratch.pack, packed);
                for (row, acc) in acc.rows(width).enumerate() {
                    let t = first + tile * TILE + row;
                    requantize_places::<A>(acc, value.factors, scratch.values, value_rows, t);
                }
            }
        }
    }

    /// `x = rms(x + Attention(x))` for the tokens of a pass, the first of them at position
    /// `first`; `x`: (tokens, width). Keys and values lie in `order`.
    fn attention<A: Lane>(
        &self,
        (first, order): (usize, Order),
        x: &mut [A],
        step: i32,
        scratch: &mut Scratch<'_, A>,
        trace: &mut dyn Trace,
    ) {
        let tile = TILE * self.shape.width();
        let (outputs, rest) = split(scratch.tile, x.len());
        let query = scratch.copy.of(self.layer.query, A::WIDTH);
        for (index, (x, outputs)) in x.tiles(tile).zip(outputs.tiles_mut(tile)).enumerate() {
            let heads = Heads {
                keys: Panels::keys(self.shape, order, scratch.keys, scratch.ordered_keys),
                values: Panels::values(self.shape, order, scratch.values, scratch.ordered_values),
                rest,
                acc: scratch.acc,
                pack: scratch.pack,
            };
            self.attend(first + index * TILE, x, &query, outputs, heads, trace);
        }
        let out = scratch.copy.of(self.layer.out, A::WIDTH);
        for (x, outputs) in x.tiles_mut(tile).zip(outputs.tiles(tile)) {
            product(outputs, &out, scratch.acc, scratch.pack);
            self.add_and_norm(x, step, scratch.acc, &out);
            trace.op(Op::AttentionNorm, A::values(x));
        }
    }

    /// Attention of one tile, before the output projection: `outputs`, (tokens, width), of `x`, (tokens,
    /// width), the first of them at position `first`.
    fn attend<A: Lane>(
        &self,
        first: usize,
        x: &[A],
        query: &Matrix<'_>,
        outputs: &mut [A],
        scratch: Heads<'_, A>,
        trace: &mut dyn Trace,
    ) {
        let (width, dim, sequence) = (self.shape.width(), self.shape.head_dim(), self.shape.sequence());
        let value_rows = self.shape.value_rows();
        let tokens = x.len() / width.max(1);
        let (queries, rest) = split(scratch.rest, tokens * width);
        let (weights, _) = split(rest, tokens * value_rows);

        // queries, (heads, tokens, dim)
        let acc = product(x, query, scratch.acc, scratch.pack);
        for (row, acc) in acc.rows_mut(width).enumerate() {
            if self.shape.rope {
                rescale::<A>(acc, query.factors);
                self.rotate(first + row, acc);
            }
            let factors = query.factors.rows(dim);
            let places = queries.rows_mut(dim).skip(row).step_by(tokens.max(1));
            for (queries, (acc, factors)) in places.zip(acc.rows(dim).zip(factors)) {
                match self.shape.rope {
                    true => queries.iter_mut().zip(acc).for_each(|(query, acc)| *query = A::saturate(*acc)),
                    false => requantize::<A, A>(acc, factors, queries),
                }
            }
        }
        trace.op(Op::Query, A::values(queries));

        let (keys, values) = (scratch.keys, scratch.values);
        let heads = queries.rows(tokens * dim).zip(keys.heads()).zip(values.heads());
        for (head, ((queries, head_keys), head_values)) in heads.enumerate() {
            let mut sums = [0u32; TILE];
            let scores = keys.product(queries, head_keys, scratch.acc, scratch.pack);
            weights.fill(A::default());
            let rows = scores.rows_mut(keys.columns).zip(weights.rows_mut(value_rows));
            for (row, ((scores, weights), sum)) in rows.zip(&mut sums).enumerate() {
                let scores = first_of(scores, sequence);
                self.add_relation_bias(head, first + row, scores);
                *sum = softmax(
                    scores,
                    self.layer.params.score_bits as u32,
                    A::WIDTH.weight_bits(sequence),
                    self.tables.exp2,
                    weights,
                );
            }
            trace.op(Op::Weights, A::values(weights));
            let acc = values.product(weights, head_values, scratch.acc, scratch.pack);
            let rows = acc.rows(values.columns).zip(outputs.rows_mut(width));
            for ((acc, output), sum) in rows.zip(sums) {
                let output = output.get_mut(head * dim..(head + 1) * dim).unwrap_or_default();
                attention_output(acc.get(..dim).unwrap_or_default(), sum, output);
            }
        }
        trace.op(Op::Attention, A::values(outputs));
    }

    /// `x = rms(x + SwiGLU(x))` for the tokens of a pass; `x`: (tokens, width).
    fn feed_forward<A: Lane>(&self, x: &mut [A], scratch: &mut Scratch<'_, A>, trace: &mut dyn Trace) {
        let (width, inner) = (self.shape.width(), self.shape.inner());
        let (gated, _) = split(scratch.tile, x.len() / width.max(1) * inner);
        let columns = acc_columns(self.shape) & !1;
        let gate_up = &self.layer.gate_up;
        let lone = x.len() <= TILE * width;
        // as many columns at a time as the accumulators hold; a pair is one gate and its up
        let mut weights = gate_up.weights.tiles(columns * width);
        for (chunk, factors) in gate_up.factors.tiles(columns).enumerate() {
            let weights = weights.next().unwrap_or_default();
            let part = scratch.copy.of(Matrix { weights, factors, ..*gate_up }, A::WIDTH);
            for (x, gated) in x.tiles(TILE * width).zip(gated.tiles_mut(TILE * inner)) {
                let acc = product_of(x, &part, scratch.acc, scratch.pack, lone && chunk > 0);
                let rows = acc.rows(part.factors.len()).zip(gated.rows_mut(inner));
                for (acc, gated) in rows {
                    let gated = gated.get_mut(chunk * columns / 2..).unwrap_or_default();
                    swiglu(acc, part.factors, self.layer.params.gate_factor, self.tables.sigmoid, gated);
                }
            }
        }
        for gated in gated.tiles(TILE * inner) {
            trace.op(Op::Gate, A::values(gated));
        }
        let down = scratch.copy.of(self.layer.down, A::WIDTH);
        for (x, gated) in x.tiles_mut(TILE * width).zip(gated.tiles(TILE * inner)) {
            product(gated, &down, scratch.acc, scratch.pack);
            self.add_and_norm(x, self.state_step, scratch.acc, &down);
            trace.op(Op::FeedForwardNorm, A::values(x));
        }
    }

    /// `x = rms(x + matrix's product)`, from the accumulators that lie in `acc`.
    fn add_and_norm<A: Lane>(&self, x: &mut [A], step: i32, acc: &mut [i32], matrix: &Matrix<'_>) {
        let width = self.shape.width();
        for (x, acc) in x.rows_mut(width).zip(acc.rows_mut(width)) {
            residual_norm(x, step, acc, matrix.factors, self.numerator);
        }
    }

    /// Turns every head of `row` (width) by position `t`, and drops the guard bits;
    /// does nothing without RoPE.
    fn rotate(&self, t: usize, row: &mut [i32]) {
        if self.shape.rope {
            let dim = self.shape.head_dim();
            rotate_heads(row, self.tables.rope.get(t * dim..(t + 1) * dim).unwrap_or_default());
        }
    }

    /// `scores[j] += bias[head][class(i, j)]` for the query at position `i`; does nothing without relations.
    fn add_relation_bias(&self, head: usize, i: usize, scores: &mut [i32]) {
        let (classes, sequence) = (usize::from(self.shape.relations), self.shape.sequence());
        let bias = self.layer.relation_bias.get(head * classes..(head + 1) * classes).unwrap_or_default();
        let map = self.tables.relation_map;
        match self.tables.relations {
            RelationMap::Pairs => {
                let classes = map.get(i * sequence..(i + 1) * sequence).unwrap_or_default();
                add_bias(scores, bias, classes);
            }
            RelationMap::Displacements { columns } => add_displaced_bias(scores, bias, i, columns, map),
        }
    }
}
