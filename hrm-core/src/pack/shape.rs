//! The shape of a model: every size in the pack and in memory follows from it.

use serde::{Deserialize, Serialize};

use super::PackError;
use crate::lane::LaneWidth;
use crate::task::MAX_CELLS;

/// All sizes of a quantized HRM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Shape {
    /// Cells of a puzzle, 1 to [`MAX_CELLS`].
    pub cells: u16,
    /// Tokens, 2 to 256; token values are below this.
    pub vocab: u16,
    /// Width of the states, a multiple of 16 from 16 to 1024.
    pub width: u16,
    /// Attention heads; `width / heads` is a multiple of 4 from 4 to 128.
    pub heads: u16,
    /// Inner width of SwiGLU, a multiple of 16 from 16 to 4096.
    pub inner: u16,
    /// Blocks of the H level, 1 to 32.
    pub h_layers: u8,
    /// Blocks of the L level, 1 to 32.
    pub l_layers: u8,
    /// H cycles per segment, 1 to 64.
    pub h_cycles: u8,
    /// L cycles per H cycle, 1 to 64.
    pub l_cycles: u8,
    /// Segments the model was trained to take at most, 1 to 4096.
    pub segments: u16,
    /// Checkpoints in the pack, 1 to 64; their blocks have less than 2^30 weights together.
    pub members: u8,
    /// Whether H and L are the same blocks (then `h_layers == l_layers`).
    pub shared_levels: bool,
    /// Whether queries and keys are rotated by position.
    pub rope: bool,
    /// Whether each position has its own learned embedding.
    pub learned_positions: bool,
    /// Relation classes of the attention bias; 0 for none.
    pub relations: u8,
    /// What the halting head's second output says.
    pub second_head: SecondHead,
    /// Width of stored states and activations.
    pub lanes: LaneWidth,
}

/// What the second output of the halting head says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SecondHead {
    /// There is none.
    #[default]
    None,
    /// `q_continue`: the value of thinking on, as in the original (Q-learning of halting).
    Continue,
    /// `q_doubt`: that a cell which was filled in before the model began to think is wrong.
    Doubt,
}

/// Tokens processed together by one pass over the weights.
pub const TILE: usize = 4;

/// `n` rounded up to a multiple of `to`.
pub(crate) const fn round_up(n: usize, to: usize) -> usize {
    n.div_ceil(to) * to
}

impl Shape {
    /// The greatest [`Self::width`].
    pub const MAX_WIDTH: u16 = 1024;
    /// The greatest [`Self::head_dim`].
    pub const MAX_HEAD_DIM: usize = 128;
    /// The greatest [`Self::inner`].
    pub const MAX_INNER: u16 = 4096;
    /// The most blocks of a level.
    pub const MAX_LAYERS: u8 = 32;
    /// The most cycles of a level.
    pub const MAX_CYCLES: u8 = 64;

    /// Positions the model sees: the puzzle position, then the cells.
    pub const fn sequence(&self) -> usize {
        1 + self.cells as usize
    }

    /// [`Self::sequence`] padded to a whole pair of columns: how many keys a panel holds.
    pub const fn key_columns(&self) -> usize {
        round_up(self.sequence(), 2)
    }

    /// [`Self::sequence`] padded to the depth step of the matrix product: how many values a panel holds.
    pub const fn value_rows(&self) -> usize {
        round_up(self.sequence(), 4)
    }

    /// Vocabulary padded to a whole pair of columns.
    pub(crate) const fn logit_columns(&self) -> usize {
        round_up(self.vocab as usize, 2)
    }

    /// Width of one head.
    pub const fn head_dim(&self) -> usize {
        if self.heads == 0 { 0 } else { self.width as usize / self.heads as usize }
    }

    /// Blocks stored in the pack: shared levels are stored once.
    pub const fn stored_layers(&self) -> usize {
        if self.shared_levels {
            self.l_layers as usize
        } else {
            self.l_layers as usize + self.h_layers as usize
        }
    }

    /// Width of states, as `usize`.
    pub const fn width(&self) -> usize {
        self.width as usize
    }

    /// Inner width, as `usize`.
    pub const fn inner(&self) -> usize {
        self.inner as usize
    }

    /// Int8 weights of all members' blocks.
    pub const fn weights(&self) -> u64 {
        let (w, i) = (self.width as u64, self.inner as u64);
        self.members as u64 * self.stored_layers() as u64 * (4 * w * w + 3 * w * i)
    }

    /// Multiply-accumulates of one block call.
    const fn block_macs(&self) -> u64 {
        let (s, w, i) = (self.sequence() as u64, self.width as u64, self.inner as u64);
        s * (4 * w * w + 3 * w * i + 2 * s * w)
    }

    /// Multiply-accumulates of one segment, heads included.
    pub const fn segment_macs(&self) -> u64 {
        let (h, l) = (self.h_cycles as u64, self.l_cycles as u64);
        let blocks = h * l * self.l_layers as u64 + h * self.h_layers as u64;
        blocks * self.block_macs() + self.width as u64 * (self.cells as u64 * self.vocab as u64 + 2)
    }

    /// Refuses shapes the integer model cannot run; the arithmetic's bounds rest on these limits.
    ///
    /// # Errors
    /// [`PackError::Shape`] names the field at fault.
    pub fn check(&self) -> Result<(), PackError> {
        let limits: [(&'static str, bool); 14] = [
            ("cells", (1..=MAX_CELLS).contains(&(self.cells as usize))),
            ("vocab", (2..=256).contains(&self.vocab)),
            ("width", self.width.is_multiple_of(16) && (16..=Self::MAX_WIDTH).contains(&self.width)),
            ("heads", self.heads > 0 && self.width.is_multiple_of(self.heads)),
            (
                "head_dim",
                self.head_dim().is_multiple_of(4) && (4..=Self::MAX_HEAD_DIM).contains(&self.head_dim()),
            ),
            ("inner", self.inner.is_multiple_of(16) && (16..=Self::MAX_INNER).contains(&self.inner)),
            ("h_layers", (1..=Self::MAX_LAYERS).contains(&self.h_layers)),
            ("l_layers", (1..=Self::MAX_LAYERS).contains(&self.l_layers)),
            ("h_cycles", (1..=Self::MAX_CYCLES).contains(&self.h_cycles)),
            ("l_cycles", (1..=Self::MAX_CYCLES).contains(&self.l_cycles)),
            ("segments", (1..=4096).contains(&self.segments)),
            ("members", (1..=64).contains(&self.members)),
            ("members x layers (over 1 GiB of weights)", self.weights() < 1 << 30),
            ("shared_levels", !self.shared_levels || self.h_layers == self.l_layers),
        ];
        match limits.iter().find(|(_, holds)| !holds) {
            Some((field, _)) => Err(PackError::Shape { field }),
            None => Ok(()),
        }
    }
}
