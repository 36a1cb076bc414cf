//! What the forward pass and its gradients promise, whatever computes them.

mod fused;
mod gradients;
mod segment;

use candle_core::{DType, Device, Tensor, backprop::GradStore};

use super::{Carry, Gradient, Hrm, ModelConfig, Output, Params, Positions, trial};

/// Every position scheme with shared and separate levels, as small as quantization allows.
fn tiny_configs() -> Vec<ModelConfig> {
    let schemes = [Positions::Rope, Positions::Learned, Positions::Relation, Positions::LearnedRelation];
    let config = |positions, shared_levels| ModelConfig {
        task: crate::task::find("sudoku4").unwrap(),
        width: 32,
        heads: 2,
        inner: 48,
        l_layers: if shared_levels { 2 } else { 1 },
        shared_levels,
        positions,
        continue_head: !shared_levels,
        segments: 4,
        ..ModelConfig::example()
    };
    schemes.into_iter().flat_map(|positions| [config(positions, true), config(positions, false)]).collect()
}

/// Parameters without a zero among them.
fn lively_params(config: &ModelConfig, dtype: DType, seed: u64) -> Params {
    Params::lively(config, dtype, seed, &Device::Cpu).unwrap()
}

/// `batch` grids of tokens in no particular order.
fn tokens(config: &ModelConfig, batch: usize) -> Tensor {
    let (cells, vocab) = (config.cells(), config.vocab());
    let ids = (0..batch * cells).map(|i| ((i * 7 + i / 5) % vocab) as u32).collect();
    Tensor::from_vec(ids, (batch, cells), &Device::Cpu).unwrap()
}

/// A scalar in which every logit has its own fixed weight.
fn loss(output: &Output) -> Tensor {
    trial::weighted_sum(output).unwrap()
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
    trial::distance(a, b).unwrap()
}
