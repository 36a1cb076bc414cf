//! Looking inside a forward pass, for quantization's calibration and for analysis.

use candle_core::Tensor;

/// One of the two recurrent levels, or the heads after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The slow, abstract level.
    H,
    /// The fast, detailed level.
    L,
    /// The output heads; their sites have layer 0.
    Heads,
}

/// Which intermediate of a block (or of the heads) a tensor is. `B` batch, `S` sequence,
/// `W` width, `d` head size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SiteOp {
    /// `h + injection`, the input of a level, `[B, S, W]`; only at layer 0.
    Inject,
    /// Queries after RoPE, not yet scaled, `[B, heads, S, d]`.
    Query,
    /// Keys after RoPE, `[B, heads, S, d]`.
    Key,
    /// Values, `[B, heads, S, d]`.
    Value,
    /// Scores before the softmax, scaled and with the relation bias, `[B, heads, S, S]`.
    Scores,
    /// Attention output with the heads side by side, before the output projection, `[B, S, W]`.
    Attention,
    /// `x + Attention(x)` before its RMSNorm, `[B, S, W]`.
    AttentionSum,
    /// `rms(x + Attention(x))`, `[B, S, W]`.
    AttentionNorm,
    /// Gate before SiLU, `[B, S, inner]`.
    Gate,
    /// Up projection, `[B, S, inner]`.
    Up,
    /// `silu(gate) * up`, `[B, S, inner]`.
    Gated,
    /// `x + SwiGLU(x)` before its RMSNorm, `[B, S, W]`.
    FeedForwardSum,
    /// `rms(x + SwiGLU(x))`, the block's output, `[B, S, W]`.
    FeedForwardNorm,
    /// The final z_H of the segment, `[B, S, W]`.
    ZH,
    /// Logits of the language-model head, `[B, cells, vocab]`.
    Logits,
    /// Halting logits, `[B, 1 or 2]`.
    Q,
}

/// A place in the model: the same site is seen once per call of its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// Which level is being called (also where both share weights).
    pub level: Level,
    /// Block within the level, from 0.
    pub layer: usize,
    /// Which intermediate.
    pub op: SiteOp,
}

/// What a forward pass shows its intermediates to.
pub(super) trait Probe {
    fn see(&mut self, level: Level, layer: usize, op: SiteOp, value: &Tensor);
}

/// Nobody looks.
pub(super) struct Unseen;

impl Probe for Unseen {
    fn see(&mut self, _: Level, _: usize, _: SiteOp, _: &Tensor) {}
}

/// Everything goes to a closure.
pub(super) struct Seen<'a>(pub(super) &'a mut dyn FnMut(Site, &Tensor));

impl Probe for Seen<'_> {
    fn see(&mut self, level: Level, layer: usize, op: SiteOp, value: &Tensor) {
        (self.0)(Site { level, layer, op }, value);
    }
}
