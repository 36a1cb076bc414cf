//! What the forward pass and its gradients promise, whatever computes them.

mod fused;
mod gradients;
mod segment;

use candle_core::{DType, Device, Tensor, backprop::GradStore};

use super::init::TruncatedNormal;
use super::{Carry, Gradient, Hrm, ModelConfig, Output, Params, Positions, TaskName};

/// Every position scheme with shared and separate levels, as small as quantization allows.
fn tiny_configs() -> Vec<ModelConfig> {
    let schemes = [Positions::Rope, Positions::Learned, Positions::Relation, Positions::LearnedRelation];
    let config = |positions, shared_levels| ModelConfig {
        task: TaskName::Sudoku4,
        width: 32,
        heads: 2,
        inner: 48,
        h_layers: 2,
        l_layers: if shared_levels { 2 } else { 1 },
        h_cycles: 2,
        l_cycles: 2,
        shared_levels,
        positions,
        continue_head: !shared_levels,
        segments: 4,
    };
    schemes.into_iter().flat_map(|positions| [config(positions, true), config(positions, false)]).collect()
}

/// Parameters without a zero among them, so that no gradient is zero by construction.
fn lively_params(config: &ModelConfig, dtype: DType, seed: u64) -> Params {
    let mut normal = TruncatedNormal::new(seed);
    let params = Params::init(config, seed, &Device::Cpu).unwrap();
    let tensors = params.tensors().into_iter().map(|(name, tensor)| {
        let noise =
            Tensor::from_vec(normal.draw(tensor.elem_count(), 0.1), tensor.shape(), &Device::Cpu).unwrap();
        (name, (tensor + noise).unwrap())
    });
    Params::from_tensors_as(config, &tensors.collect(), dtype, &Device::Cpu).unwrap()
}

/// `batch` grids of tokens in no particular order.
fn tokens(config: &ModelConfig, batch: usize) -> Tensor {
    let (cells, vocab) = (config.cells(), config.vocab());
    let ids = (0..batch * cells).map(|i| ((i * 7 + i / 5) % vocab) as u32).collect();
    Tensor::from_vec(ids, (batch, cells), &Device::Cpu).unwrap()
}

/// A scalar in which every logit has its own fixed weight.
fn loss(output: &Output) -> Tensor {
    let weighted = |t: &Tensor, seed| {
        let weights = TruncatedNormal::new(seed).draw(t.elem_count(), 1.0);
        let weights =
            Tensor::from_vec(weights, t.shape(), &Device::Cpu).unwrap().to_dtype(t.dtype()).unwrap();
        (t * weights).unwrap().sum_all().unwrap()
    };
    (weighted(&output.logits, 11) + weighted(&output.q, 12)).unwrap()
}

/// A carry away from the initial state, the same for every model of the shape.
fn mid_carry(hrm: &Hrm, tokens: &Tensor) -> Carry {
    let start = hrm.initial_carry(tokens.dim(0).unwrap()).unwrap();
    hrm.segment(&start, tokens, Gradient::None).unwrap().carry
}

fn gradients(hrm: &Hrm, carry: &Carry, tokens: &Tensor, gradient: Gradient) -> GradStore {
    loss(&hrm.segment(carry, tokens, gradient).unwrap()).backward().unwrap()
}

fn scalar(t: &Tensor) -> f64 {
    t.to_dtype(DType::F64).unwrap().to_scalar().unwrap()
}

/// `‖a - b‖ / ‖b‖`.
fn distance(a: &Tensor, b: &Tensor) -> f64 {
    let norm = |t: &Tensor| scalar(&t.sqr().unwrap().sum_all().unwrap()).sqrt();
    norm(&(a - b).unwrap()) / norm(b)
}
