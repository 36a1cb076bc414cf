//! A level and its blocks, written with operations that carry gradients.

use candle_core::{D, DType, Device, Result, Tensor};
use candle_nn::ops::silu;

use super::config::ModelConfig;
use super::error::ModelError;
use super::params::Params;
use super::positions;
use super::probe::{Level, Probe, SiteOp};

/// Added to the mean square under the root.
pub(super) const RMS_EPS: f64 = 1e-5;

/// Weights of one block, `(out, in)` each.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) qkv: Tensor,                   // (3 width, width)
    pub(super) out: Tensor,                   // (width, width)
    pub(super) gate_up: Tensor,               // (2 inner, width)
    pub(super) down: Tensor,                  // (width, inner)
    pub(super) relation_bias: Option<Tensor>, // (heads, classes)
}

impl Block {
    pub(super) fn load(
        config: &ModelConfig,
        params: &Params,
        prefix: &str,
    ) -> std::result::Result<Self, ModelError> {
        let get = |part: &str| Ok::<_, ModelError>(params.get(&format!("{prefix}.{part}"))?.clone());
        let relation_bias = config.positions.relation().then(|| get("relation_bias")).transpose()?;
        Ok(Self {
            qkv: get("qkv")?,
            out: get("out")?,
            gate_up: get("gate_up")?,
            down: get("down")?,
            relation_bias,
        })
    }

    /// The block with `f` of every weight.
    pub(super) fn map(&self, f: &impl Fn(&Tensor) -> Result<Tensor>) -> Result<Self> {
        Ok(Self {
            qkv: f(&self.qkv)?,
            out: f(&self.out)?,
            gate_up: f(&self.gate_up)?,
            down: f(&self.down)?,
            relation_bias: self.relation_bias.as_ref().map(f).transpose()?,
        })
    }
}

/// What attention knows of positions, the same for every block.
#[derive(Clone, Debug)]
pub(super) struct Geometry {
    heads: usize,
    head_dim: usize,
    rope: Option<(Tensor, Tensor)>, // cos, sin: (sequence, head_dim)
    relations: Option<Tensor>,      // one-hot (classes, sequence * sequence)
}

impl Geometry {
    pub(super) fn new(config: &ModelConfig, dtype: DType, device: &Device) -> Result<Self> {
        let rope = config.positions.rope().then(|| positions::rope(config, dtype, device)).transpose()?;
        let relations = config
            .positions
            .relation()
            .then(|| positions::relation_one_hot(config, dtype, device))
            .transpose()?;
        Ok(Self { heads: config.heads, head_dim: config.head_dim(), rope, relations })
    }
}

/// `level(h, injection)`: the blocks applied to `h + injection`, `[B, S, W]`.
pub(super) fn level(
    blocks: &[Block],
    geometry: &Geometry,
    (which, h, injection): (Level, &Tensor, &Tensor),
    probe: &mut impl Probe,
) -> Result<Tensor> {
    let mut x = (h + injection)?;
    probe.see(which, 0, SiteOp::Inject, &x);
    for (layer, block) in blocks.iter().enumerate() {
        let mut see = |op, value: &Tensor| probe.see(which, layer, op, value);
        let sum = (&x + attention(block, geometry, &x, &mut see)?)?;
        see(SiteOp::AttentionSum, &sum);
        x = rms(&sum)?;
        see(SiteOp::AttentionNorm, &x);
        let sum = (&x + swiglu(block, &x, &mut see)?)?;
        see(SiteOp::FeedForwardSum, &sum);
        x = rms(&sum)?;
        see(SiteOp::FeedForwardNorm, &x);
    }
    Ok(x)
}

/// `f(x)` computed in f32 where x has fewer bits, and given back in x's type.
fn in_f32(x: &Tensor, f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    match x.dtype() {
        DType::F32 | DType::F64 => f(x),
        short => f(&x.to_dtype(DType::F32)?)?.to_dtype(short),
    }
}

/// `x / sqrt(mean(x²) + eps)` over the last dimension.
fn rms(x: &Tensor) -> Result<Tensor> {
    in_f32(x, |x| x.broadcast_div(&(x.sqr()?.mean_keepdim(D::Minus1)? + RMS_EPS)?.sqrt()?))
}

/// `x W^T` for x `[B, S, in]` and W `(out, in)`.
pub(super) fn linear(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let (batch, sequence, width) = x.dims3()?;
    x.reshape((batch * sequence, width))?.matmul(&weight.t()?)?.reshape((batch, sequence, ()))
}

/// Full self-attention, `[B, S, W]`, output projection included.
fn attention(
    block: &Block,
    geometry: &Geometry,
    x: &Tensor,
    see: &mut impl FnMut(SiteOp, &Tensor),
) -> Result<Tensor> {
    let (batch, sequence, width) = x.dims3()?;
    let (heads, head_dim) = (geometry.heads, geometry.head_dim);
    let qkv = linear(x, &block.qkv)?.reshape((batch, sequence, 3, heads, head_dim))?;
    let part = |which| qkv.narrow(2, which, 1)?.squeeze(2)?.transpose(1, 2)?.contiguous(); // (B, heads, S, d)
    let (mut q, mut k, v) = (part(0)?, part(1)?, part(2)?);
    if let Some(tables) = &geometry.rope {
        (q, k) = (rotate(&q, tables)?, rotate(&k, tables)?);
    }
    see(SiteOp::Query, &q);
    see(SiteOp::Key, &k);
    see(SiteOp::Value, &v);

    let mut scores = (q.matmul(&k.t()?)? / (head_dim as f64).sqrt())?; // (B, heads, S, S)
    if let (Some(bias), Some(one_hot)) = (&block.relation_bias, &geometry.relations) {
        scores = scores.broadcast_add(
            &bias.matmul(&one_hot.to_dtype(bias.dtype())?)?.reshape((1, heads, sequence, sequence))?,
        )?;
    }
    see(SiteOp::Scores, &scores);
    let mixed = softmax(&scores)?.matmul(&v)?.transpose(1, 2)?.reshape((batch, sequence, width))?;
    see(SiteOp::Attention, &mixed);
    linear(&mixed, &block.out)
}

/// Softmax over the last dimension. The maximum only keeps `exp` in range, so no gradient goes through it.
fn softmax(scores: &Tensor) -> Result<Tensor> {
    in_f32(scores, |scores| {
        let weights = scores.broadcast_sub(&scores.detach().max_keepdim(D::Minus1)?)?.exp()?;
        weights.broadcast_div(&weights.sum_keepdim(D::Minus1)?)
    })
}

/// Rotate-half RoPE: pairs `(x_i, x_{i + d/2})` turn by their position's angle.
fn rotate(x: &Tensor, (cos, sin): &(Tensor, Tensor)) -> Result<Tensor> {
    let half = x.dim(D::Minus1)? / 2;
    in_f32(x, |x| {
        let (low, high) = (x.narrow(D::Minus1, 0, half)?, x.narrow(D::Minus1, half, half)?);
        let turned = Tensor::cat(&[&high.neg()?, &low], D::Minus1)?;
        x.broadcast_mul(cos)? + turned.broadcast_mul(sin)?
    })
}

/// `down(silu(gate) * up)`, `[B, S, W]`.
fn swiglu(block: &Block, x: &Tensor, see: &mut impl FnMut(SiteOp, &Tensor)) -> Result<Tensor> {
    let inner = block.down.dim(1)?;
    let gate_up = linear(x, &block.gate_up)?;
    let (gate, up) = (gate_up.narrow(2, 0, inner)?, gate_up.narrow(2, inner, inner)?);
    see(SiteOp::Gate, &gate);
    see(SiteOp::Up, &up);
    let gated = (silu(&gate)? * up)?;
    see(SiteOp::Gated, &gated);
    linear(&gated, &block.down)
}
