//! The Hierarchical Reasoning Model in integers.
//!
//! One segment, as in the paper:
//!
//! ```text
//! for each H cycle:
//!     for each L cycle:
//!         z_L = L(z_L, z_H + x)
//!     z_H = H(z_H, z_L)
//! answer = argmax(lm_head(z_H)),   halt = q_head(z_H[puzzle position])
//! ```
//!
//! `x` is the embedded puzzle. A level adds its injection to its state and runs its blocks over it; everything happens in the
//! state's own memory. A block is post-norm: `x = rms(x + Attention(x)); x = rms(x + SwiGLU(x))`.

use crate::digest::CRC;
#[cfg(all(feature = "std", target_arch = "x86_64", not(feature = "_portable")))]
use crate::kernels::matmul_ordered;
use crate::kernels::{
    add_bias, add_displaced_bias, attention_output, inject, matmul, matmul_again, requantize,
    requantize_pairs, requantize_places, residual_norm, rotate, softmax, swiglu,
};
use crate::lane::{Lane, LaneWidth};
use crate::pack::{Layer, Matrix, Member, Order, Pack, RelationMap, SecondHead, Shape, TILE, Tables};
use crate::reasoner::{Cancelled, Halt, Reasoner};
use crate::rows::Rows;
use crate::trace::{Op, Trace, Values};
use crate::workspace::{
    Scratch, Workspace, acc_columns, board, clear, state, tokens_per_pass, workspace_bytes,
    workspace_bytes_for,
};

/// Fraction bits of queries and keys before rotation.
#[doc(hidden)]
pub const ROPE_GUARD_BITS: u32 = 6;

/// The caller's memory is too small for the pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MemoryError {
    /// Bytes needed, see [`workspace_bytes`].
    pub needed_bytes: usize,
    /// Bytes given.
    pub got_bytes: usize,
}

impl core::fmt::Display for MemoryError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "the model needs {} bytes of memory, {} given; use a narrower model or 8-bit lanes",
            self.needed_bytes, self.got_bytes
        )
    }
}

impl core::error::Error for MemoryError {}

/// A model bound to its memory.
pub struct Hrm<'p, 'w> {
    pack: Pack<'p>,
    memory: &'w mut [u32],
    /// Tokens that a pass over the weights serves.
    tokens: usize,
    member: usize,
    halt: Halt,
}

impl<'p, 'w> Hrm<'p, 'w> {
    /// Binds `pack` to `memory`: [`workspace_bytes`] of it at least. More of it is used, as far as that makes a pass over the weights serve
    /// more tokens ([`tokens_per_pass`]).
    ///
    /// # Errors
    /// [`MemoryError`] where it is shorter.
    pub fn new(pack: Pack<'p>, memory: &'w mut [u32]) -> Result<Self, MemoryError> {
        let needed_bytes = workspace_bytes(pack.shape());
        let got_bytes = size_of_val(memory);
        let tokens = tokens_per_pass(pack.shape(), got_bytes);
        let used = workspace_bytes_for(pack.shape(), tokens.max(TILE)) / 4;
        let memory = memory.get_mut(..used).ok_or(MemoryError { needed_bytes, got_bytes })?;
        clear(memory);
        Ok(Hrm { pack, memory, tokens, member: 0, halt: Halt::default() })
    }

    /// The pack.
    pub fn pack(&self) -> &Pack<'p> {
        &self.pack
    }

    /// How many tokens a pass over the weights serves, by the memory that the model was given.
    pub fn tokens_per_pass(&self) -> usize {
        self.tokens
    }

    /// The slow state z_H, (sequence, width), in units of [`MemberParams::state_step`](crate::pack::MemberParams::state_step).
    pub fn z_h(&self) -> Values<'_> {
        let shape = self.pack.shape();
        let bytes = state(shape, self.memory);
        let bytes = bytes.get(..shape.sequence() * shape.width() * shape.lanes.bytes()).unwrap_or_default();
        match shape.lanes {
            LaneWidth::I8 => Values::I8(bytemuck::try_cast_slice(bytes).unwrap_or_default()),
            LaneWidth::I16 => Values::I16(bytemuck::try_cast_slice(bytes).unwrap_or_default()),
        }
    }

    fn begin_lanes<A: Lane>(&mut self, tokens: &[u8]) {
        let shape = self.pack.shape();
        let ws = Workspace::<A>::carve(shape, self.tokens, self.memory);
        let initial = self.pack.member(self.member).initial;
        let (initial_h, initial_l) = initial.split_at_checked(shape.width()).unwrap_or_default();
        for (z, initial) in [(ws.z_h, initial_h), (ws.z_l, initial_l)] {
            for row in z.rows_mut(shape.width()) {
                for (z, initial) in row.iter_mut().zip(initial) {
                    *z = A::saturate(i32::from(*initial));
                }
            }
        }
        for ((token, grid), given) in ws.tokens.iter_mut().zip(ws.grid).zip(tokens) {
            *token = *given;
            *grid = *given;
        }
    }

    fn segment_lanes<A: Lane>(&mut self, trace: &mut dyn Trace) -> Result<(), Cancelled> {
        let shape = *self.pack.shape();
        let member = self.pack.member(self.member);
        let mut ws = Workspace::<A>::carve(&shape, self.tokens, self.memory);
        let level =
            |level| Level { pack: &self.pack, shape: &shape, member: &member, index: self.member, level };
        let (l, h) = (level(LevelName::L), level(LevelName::H));
        trace.begin_segment();
        for _ in 0..shape.h_cycles {
            for _ in 0..shape.l_cycles {
                l.call(ws.z_l, ws.z_h, ws.tokens, &mut ws.scratch, trace)?;
            }
            h.call(ws.z_h, ws.z_l, ws.tokens, &mut ws.scratch, trace)?;
        }
        decode(&shape, &member, ws.z_h, &mut ws.scratch, ws.grid, trace);
        self.halt = halt(&shape, &member, ws.z_h, &mut ws.scratch, trace);
        Ok(())
    }
}

impl Reasoner for Hrm<'_, '_> {
    fn members(&self) -> usize {
        self.pack.shape().members as usize
    }

    fn cells(&self) -> usize {
        self.pack.shape().cells as usize
    }

    fn begin(&mut self, member: usize, tokens: &[u8]) {
        clear(self.memory);
        self.member = member.min(self.members().saturating_sub(1));
        self.halt = Halt::default();
        match self.pack.shape().lanes {
            LaneWidth::I8 => self.begin_lanes::<i8>(tokens),
            LaneWidth::I16 => self.begin_lanes::<i16>(tokens),
        }
    }

    /// One compiled segment serves every trace: a few thousand indirect calls are nothing beside a segment, a copy of its code for each trace is.
    fn segment<T: Trace>(&mut self, trace: &mut T) -> Result<(), Cancelled> {
        match self.pack.shape().lanes {
            LaneWidth::I8 => self.segment_lanes::<i8>(trace),
            LaneWidth::I16 => self.segment_lanes::<i16>(trace),
        }
    }

    fn grid(&self) -> &[u8] {
        board(self.pack.shape(), self.memory).1
    }

    fn halt(&self) -> Halt {
        self.halt
    }

    fn state_digest(&self) -> u32 {
        CRC.checksum(state(self.pack.shape(), self.memory))
    }
}

/// Which of the two levels.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LevelName {
    L,
    H,
}

/// One level of the hierarchy: its blocks and how its input is formed.
struct Level<'a, 'p> {
    pack: &'a Pack<'p>,
    shape: &'a Shape,
    member: &'a Member<'p>,
    /// Member index.
    index: usize,
    level: LevelName,
}

impl Level<'_, '_> {
    /// `z = Level(z, other [+ x])`, in place. `z` and `other`: (sequence, width).
    fn call<A: Lane>(
        &self,
        z: &mut [A],
        other: &[A],
        tokens: &[u8],
        scratch: &mut Scratch<'_, A>,
        trace: &mut dyn Trace,
    ) -> Result<(), Cancelled> {
        let params = &self.member.params;
        let (first, layers, mut step) = match self.level {
            LevelName::L => (0, self.shape.l_layers, params.l_input_step),
            LevelName::H if self.shape.shared_levels => (0, self.shape.h_layers, params.h_input_step),
            LevelName::H => (usize::from(self.shape.l_layers), self.shape.h_layers, params.h_input_step),
        };
        self.inject(z, other, tokens);
        trace.op(Op::Inject, A::values(z));
        for index in first..first + usize::from(layers) {
            let block = Block {
                shape: self.shape,
                layer: self.pack.layer(self.index, index),
                tables: self.pack.tables(),
                numerator: params.norm_numerator as u32,
                state_step: params.state_step,
            };
            block.call(z, step, scratch, trace);
            step = params.state_step;
            if !trace.proceed() {
                return Err(Cancelled);
            }
        }
        Ok(())
    }

    /// `z = round(((z + other) * state_step [+ x * embed_step]) / input_step)`, saturated; `x` is added for the L level.
    fn inject<A: Lane>(&self, z: &mut [A], other: &[A], tokens: &[u8]) {
        let (params, width) = (&self.member.params, self.shape.width());
        let factor = match self.level {
            LevelName::L => params.l_input_factor,
            LevelName::H => params.h_input_factor,
        };
        for (t, (z, other)) in z.rows_mut(width).zip(other.rows(width)).enumerate() {
            let embeddings = match self.level {
                LevelName::L => self.embedding(t, tokens),
                LevelName::H => [&[][..], &[][..]],
            };
            inject(z, other, params.state_step, embeddings, params.embed_step, factor);
        }
    }

    /// The two summands of the embedding at position `t`: its token's, and its position's. Each (width), or empty for zeros: the
    /// puzzle position has no token, cells have no position of their own unless positions are learned.
    fn embedding(&self, t: usize, tokens: &[u8]) -> [&[i16]; 2] {
        let row = |index: usize| index * self.shape.width()..(index + 1) * self.shape.width();
        let token = t.checked_sub(1).and_then(|cell| tokens.get(cell));
        let token =
            token.and_then(|token| self.member.tokens.get(row(usize::from(*token)))).unwrap_or_default();
        [token, self.member.positions.get(row(t)).unwrap_or_default()]
    }
}

/// What attention of one tile needs.
struct Heads<'a, A> {
    /// Keys of the whole sequence.
    keys: &'a [i8],
    /// Values of the whole sequence.
    values: &'a [i8],
    /// Room for queries and weights.
    rest: &'a mut [A],
    acc: &'a mut [i32],
    pack: &'a mut [u32],
}

/// One post-norm block.
struct Block<'a> {
    shape: &'a Shape,
    layer: Layer<'a>,
    tables: Tables<'a>,
    /// Numerator of the normalisation.
    numerator: u32,
    /// Step of normalised values.
    state_step: i32,
}

impl Block<'_> {
    /// `x = rms(x + Attention(x)); x = rms(x + SwiGLU(x))` in place; `x`: (sequence, width), stored with `step`.
    ///
    /// Keys and values of the whole sequence come first; after them, the tokens of every pass over the weights go through the rest on
    /// their own, four at a time within each product.
    fn call<A: Lane>(&self, x: &mut [A], step: i32, scratch: &mut Scratch<'_, A>, trace: &mut dyn Trace) {
        let (width, tokens) = (self.shape.width(), scratch.tokens);
        self.keys_and_values(x, scratch);
        trace.op(Op::Key, Values::I8(scratch.keys));
        trace.op(Op::Value, Values::I8(scratch.values));
        for (index, x) in x.tiles_mut(tokens * width).enumerate() {
            self.attention(index * tokens, x, step, scratch, trace);
            self.feed_forward(x, scratch, trace);
        }
    }

    /// Fills the key and value panels from `x`: (sequence, width).
    fn keys_and_values<A: Lane>(&self, x: &[A], scratch: &mut Scratch<'_, A>) {
        let (width, dim, key_columns) = (self.shape.width(), self.shape.head_dim(), self.shape.key_columns());
        let value_rows = self.shape.value_rows();
        for (pass, x) in x.tiles(scratch.tokens * width).enumerate() {
            let first = pass * scratch.tokens;
            let key = scratch.copy.of(self.layer.key);
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
            let value = scratch.copy.of(self.layer.value);
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

    /// `x = rms(x + Attention(x))` for the tokens of a pass, the first of them at position `first`; `x`: (tokens, width).
    fn attention<A: Lane>(
        &self,
        first: usize,
        x: &mut [A],
        step: i32,
        scratch: &mut Scratch<'_, A>,
        trace: &mut dyn Trace,
    ) {
        let tile = TILE * self.shape.width();
        let (outputs, rest) = split(scratch.tile, x.len());
        let query = scratch.copy.of(self.layer.query);
        for (index, (x, outputs)) in x.tiles(tile).zip(outputs.tiles_mut(tile)).enumerate() {
            let heads = Heads {
                keys: scratch.keys,
                values: scratch.values,
                rest,
                acc: scratch.acc,
                pack: scratch.pack,
            };
            self.attend(first + index * TILE, x, &query, outputs, heads, trace);
        }
        let out = scratch.copy.of(self.layer.out);
        for (x, outputs) in x.tiles_mut(tile).zip(outputs.tiles(tile)) {
            product(outputs, &out, scratch.acc, scratch.pack);
            self.add_and_norm(x, step, scratch.acc, &out);
            trace.op(Op::AttentionNorm, A::values(x));
        }
    }

    /// Attention of one tile, before the output projection: `outputs`, (tokens, width), of `x`, (tokens, width), the first of them at
    /// position `first`.
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
        let (key_columns, value_rows) = (self.shape.key_columns(), self.shape.value_rows());
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

        let heads = queries
            .rows(tokens * dim)
            .zip(scratch.keys.rows(dim * key_columns))
            .zip(scratch.values.rows(dim * value_rows));
        for (head, ((queries, keys), values)) in heads.enumerate() {
            let mut sums = [0u32; TILE];
            let scores = first_of(scratch.acc, tokens * key_columns);
            matmul(queries, dim, keys, scores, scratch.pack);
            weights.fill(A::default());
            let rows = scores.rows_mut(key_columns).zip(weights.rows_mut(value_rows));
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
            let acc = first_of(scratch.acc, tokens * dim);
            matmul(weights, value_rows, values, acc, scratch.pack);
            let rows = acc.rows(dim).zip(outputs.rows_mut(width));
            for ((acc, output), sum) in rows.zip(sums) {
                attention_output(acc, sum, output.get_mut(head * dim..(head + 1) * dim).unwrap_or_default());
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
            let part = scratch.copy.of(Matrix { weights, factors, ..*gate_up });
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
        let down = scratch.copy.of(self.layer.down);
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

    /// Turns every head of `row` (width) by position `t`, and drops the guard bits; does nothing without RoPE.
    fn rotate(&self, t: usize, row: &mut [i32]) {
        if self.shape.rope {
            let dim = self.shape.head_dim();
            let rotation = self.tables.rope.get(t * dim..(t + 1) * dim).unwrap_or_default();
            for head in row.rows_mut(dim) {
                rotate(head, rotation);
            }
            for value in row {
                *value = crate::fixed::round_shift(i64::from(*value), ROPE_GUARD_BITS) as i32;
            }
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

/// `lm_head(z_h)` of every cell; the grid is each cell's best token, the lowest on ties.
fn decode<A: Lane>(
    shape: &Shape,
    member: &Member<'_>,
    z_h: &[A],
    scratch: &mut Scratch<'_, A>,
    grid: &mut [u8],
    trace: &mut dyn Trace,
) {
    let (width, columns) = (shape.width(), shape.logit_columns());
    let cells = z_h.get(width..).unwrap_or_default();
    let mut tiles = cells.tiles(TILE * width);
    for grid in grid.tiles_mut(TILE) {
        let x = tiles.next().unwrap_or_default();
        let acc = product(x, &member.logits, scratch.acc, scratch.pack);
        for (logits, token) in acc.rows_mut(columns).zip(grid) {
            rescale::<A>(logits, member.logits.factors);
            let logits = first_of(logits, usize::from(shape.vocab));
            trace.op(Op::Logits, Values::I32(logits));
            let mut best = i32::MIN;
            for (index, logit) in logits.iter().enumerate() {
                if *logit > best {
                    (best, *token) = (*logit, index as u8);
                }
            }
        }
    }
}

/// `q_head(z_h[puzzle position])`.
fn halt<A: Lane>(
    shape: &Shape,
    member: &Member<'_>,
    z_h: &[A],
    scratch: &mut Scratch<'_, A>,
    trace: &mut dyn Trace,
) -> Halt {
    let acc = product(z_h.get(..shape.width()).unwrap_or_default(), &member.halt, scratch.acc, scratch.pack);
    rescale::<A>(acc, member.halt.factors);
    let (halt, second) = match acc {
        [halt, second] => (*halt, *second),
        _ => (0, 0),
    };
    let params = &member.params;
    let q_halt = halt.saturating_add(params.halt_bias);
    let second = match shape.second_head {
        SecondHead::None => 0,
        SecondHead::Continue | SecondHead::Doubt => second.saturating_add(params.second_bias),
    };
    trace.op(Op::Halt, Values::I32(&[q_halt, second]));
    match shape.second_head {
        SecondHead::Doubt => Halt { q_halt, q_continue: 0, q_doubt: Some(second) },
        SecondHead::None | SecondHead::Continue => Halt { q_halt, q_continue: second, q_doubt: None },
    }
}

/// The accumulators of `x W`, at the start of `acc`: (tokens, columns).
fn product<'a, A: Lane>(x: &[A], matrix: &Matrix<'_>, acc: &'a mut [i32], pack: &mut [u32]) -> &'a mut [i32] {
    product_of(x, matrix, acc, pack, false)
}

/// [`product`]; where `packed`, the packing of the same `x` is still in `pack`.
fn product_of<'a, A: Lane>(
    x: &[A],
    matrix: &Matrix<'_>,
    acc: &'a mut [i32],
    pack: &mut [u32],
    packed: bool,
) -> &'a mut [i32] {
    let acc = first_of(acc, x.len() / matrix.depth.max(1) * matrix.factors.len());
    match matrix.order {
        Order::Pairs if packed => matmul_again(x, matrix.depth, matrix.weights, acc, pack),
        Order::Pairs => matmul(x, matrix.depth, matrix.weights, acc, pack),
        #[cfg(all(feature = "std", target_arch = "x86_64", not(feature = "_portable")))]
        Order::Registers => matmul_ordered(x, matrix.depth, matrix.weights, acc, pack, packed),
    }
    acc
}

/// `acc[n] = requantize(acc[n], factors[n])`.
fn rescale<A: Lane>(acc: &mut [i32], factors: &[i32]) {
    for (acc, factor) in acc.iter_mut().zip(factors) {
        *acc = A::requantize(*acc, *factor);
    }
}

/// The pair of columns of a panel of `depth` inputs that column `t` belongs to: `[even, odd]` for each input.
fn columns(panel: &mut [i8], t: usize, depth: usize) -> &mut [[i8; 2]] {
    let from = t / 2 * 2 * depth;
    panel.get_mut(from..from + 2 * depth).unwrap_or_default().as_chunks_mut().0
}

/// The first `n` elements; the workspace is sized so that they are there.
fn first_of<T>(slice: &mut [T], n: usize) -> &mut [T] {
    slice.get_mut(..n).unwrap_or_default()
}

/// The first `n` elements and the rest.
fn split<T>(slice: &mut [T], n: usize) -> (&mut [T], &mut [T]) {
    slice.split_at_mut_checked(n).unwrap_or_default()
}
