//! The fast way through a level on a GPU: kernels of our own for all that is not a matrix product.
//!
//! Candle's operations take about thirty passes over memory for a block's attention, two norms and gate, and
//! as many kernel launches; here it is one each. Matrix products stay with cuBLAS. `kernels.cu` has the
//! arithmetic, `operations.rs` its gradients, `launch.rs` what runs it.

#[cfg(test)]
mod emulated;
mod launch;
mod operations;

use candle_core::{Device, Result, Tensor};

use super::block::Block;
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
    /// Blocks are [`transposed`].
    ///
    /// Between the ends a level is two-dimensional, as every reshaping costs the backward pass a sum.
    pub(super) fn level(&self, blocks: &[Block], h: &Tensor, injection: &Tensor) -> Result<Tensor> {
        let (batch, sequence, width) = h.dims3()?;
        let mut x = (h + injection)?.reshape((batch * sequence, width))?;
        for block in blocks {
            let mixed = self.0.apply(&x.matmul(&block.qkv)?, block.relation_bias.as_ref())?;
            x = add_norm(&x, &mixed.matmul(&block.out)?)?;
            let gated = gate(&x.matmul(&block.gate_up)?)?;
            x = add_norm(&x, &gated.matmul(&block.down)?)?;
        }
        x.reshape((batch, sequence, width))
    }
}

/// The block with `(in, out)` matrices, turned once instead of at every call.
pub(super) fn transposed(block: &Block) -> Result<Block> {
    Ok(Block {
        qkv: block.qkv.t()?,
        out: block.out.t()?,
        gate_up: block.gate_up.t()?,
        down: block.down.t()?,
        relation_bias: block.relation_bias.clone(),
    })
}
