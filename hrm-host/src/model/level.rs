//! The two ways to compute a level.

use std::borrow::Cow;

use candle_core::{Result, Tensor};

use super::block::{self, Block, Geometry};
use super::fused::FusedLevel;
use super::probe::{Level, Probe};

/// What computes the levels; both give the same values and gradients up to rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// One operation per level call, f32 on the CPU only: several times faster there.
    Fused,
    /// The tensor library's operations, on any device and in any floating-point type.
    Composite,
}

/// A level ready to be called.
#[derive(Clone)]
pub(super) enum Net<'a> {
    Composite { blocks: Cow<'a, [Block]>, geometry: &'a Geometry },
    Fused { level: &'a FusedLevel, weights: Tensor },
}

impl<'a> Net<'a> {
    pub(super) fn new(
        blocks: &'a [Block],
        backend: Backend,
        geometry: &'a Geometry,
        level: &'a FusedLevel,
    ) -> Result<Self> {
        Ok(match backend {
            Backend::Composite => Net::Composite { blocks: blocks.into(), geometry },
            Backend::Fused => Net::Fused { level, weights: FusedLevel::flatten(blocks)? },
        })
    }

    /// The same level, out of the gradient's reach.
    pub(super) fn detach(&self) -> Result<Self> {
        Ok(match self {
            Net::Composite { blocks, geometry } => {
                let blocks = blocks.iter().map(|block| block.map(&|weight| Ok(weight.detach())));
                Net::Composite { blocks: blocks.collect::<Result<_>>()?, geometry }
            }
            Net::Fused { level, weights } => Net::Fused { level, weights: weights.detach() },
        })
    }

    /// `level(h, injection)`: the blocks applied to `h + injection`, `[B, S, W]`. Only the composite backend shows its
    /// intermediates.
    pub(super) fn call(
        &self,
        which: Level,
        h: &Tensor,
        injection: &Tensor,
        probe: &mut impl Probe,
    ) -> Result<Tensor> {
        match self {
            Net::Composite { blocks, geometry } => {
                block::level(blocks, geometry, (which, h, injection), probe)
            }
            Net::Fused { level, weights } => level.call(h, injection, weights),
        }
    }
}
