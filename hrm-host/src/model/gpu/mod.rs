//! The fast way through a level on a GPU: kernels of our own for all that is not a matrix product.
//!
//! Candle's operations take about thirty passes over memory for a block's attention, two norms and gate, and as many kernel launches; here it
//! is one each. Matrix products stay with cuBLAS. `kernels.cu` has the arithmetic, `operations.rs` its gradients, `launch.rs` what runs it.

#[cfg(test)]
mod emulated;
mod launch;
mod operations;

use candle_core::{Device, Result, Tensor};

use super::block::{Block, linear};
use super::config::ModelConfig;
use operations::{Attention, add_norm, gate};

/// What the kernels need beside weights: the shape of attention, and constant tables.
#[derive(Clone, Debug)]
pub(super) struct Kernels(Attention);

impl Kernels {
    /// Kernels for models of this shape.
    ///
    /// # Errors
    /// Heads too large for a GPU's shared memory.
    pub(super) fn new(config: &ModelConfig, device: &Device) -> Result<Self> {
        Ok(Self(Attention::new(config, device)?))
    }

    /// `level(h, injection)`: the blocks applied to `h + injection`, `[B, S, W]`, f32 or bf16.
    pub(super) fn level(&self, blocks: &[Block], h: &Tensor, injection: &Tensor) -> Result<Tensor> {
        let mut x = (h + injection)?;
        for block in blocks {
            let mixed = self.0.apply(&linear(&x, &block.qkv)?, block.relation_bias.as_ref())?;
            x = add_norm(&x, &linear(&mixed, &block.out)?)?;
            let gated = gate(&linear(&x, &block.gate_up)?)?;
            x = add_norm(&x, &linear(&gated, &block.down)?)?;
        }
        Ok(x)
    }
}
