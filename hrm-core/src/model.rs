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
//! `x` is the embedded puzzle. A level adds its injection to its state and runs its blocks over it;
//! everything happens in the state's own memory. A block is post-norm:
//! `x = rms(x + Attention(x)); x = rms(x + SwiGLU(x))`.

mod block;
mod heads;
mod panels;
mod products;

#[doc(hidden)]
pub use crate::kernels::attention::ROPE_GUARD_BITS;
use block::Block;
use heads::{decode, halt};

use crate::digest::CRC;
use crate::kernels::inject;
use crate::lane::{Lane, LaneWidth};
use crate::pack::{Member, Pack, Shape, TILE};
use crate::reasoner::{Cancelled, Halt, Reasoner};
use crate::rows::Rows;
use crate::trace::{Op, Trace, Values};
use crate::workspace::{
    Scratch, Workspace, board, clear, ordered_words, state, tokens_per_pass, workspace_bytes,
    workspace_bytes_for,
};

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
    /// Binds `pack` to `memory`: [`workspace_bytes`] of it at least. More of it is used, as far as that makes
    /// a pass over the weights serve more tokens ([`tokens_per_pass`]).
    ///
    /// # Errors
    /// [`MemoryError`] where it is shorter.
    pub fn new(pack: Pack<'p>, memory: &'w mut [u32]) -> Result<Self, MemoryError> {
        let needed_bytes = workspace_bytes(pack.shape());
        let got_bytes = size_of_val(memory);
        let tokens = tokens_per_pass(pack.shape(), got_bytes);
        let used = workspace_bytes_for(pack.shape(), tokens.max(TILE)) / 4;
        let ordered = used + ordered_words(pack.shape());
        let used = if ordered <= memory.len() { ordered } else { used };
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

    /// The slow state z_H, (sequence, width), in units of
    /// [`MemberParams::state_step`](crate::pack::MemberParams::state_step).
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

    /// One compiled segment serves every trace: a few thousand indirect calls are nothing beside a segment, a
    /// copy of its code for each trace is.
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

    /// `z = round(((z + other) * state_step [+ x * embed_step]) / input_step)`, saturated; `x`
    /// is added for the L level.
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

    /// The two summands of the embedding at position `t`: its token's, and its position's. Each
    /// (width), or empty for zeros: the puzzle position has no token, cells have no position of their
    /// own unless positions are learned.
    fn embedding(&self, t: usize, tokens: &[u8]) -> [&[i16]; 2] {
        let row = |index: usize| index * self.shape.width()..(index + 1) * self.shape.width();
        let token = t.checked_sub(1).and_then(|cell| tokens.get(cell));
        let token =
            token.and_then(|token| self.member.tokens.get(row(usize::from(*token)))).unwrap_or_default();
        [token, self.member.positions.get(row(t)).unwrap_or_default()]
    }
}
