//! Whether two backends compute the same, tried on a small batch before anything depends on it.

use candle_core::{DType, Device, Tensor};

use super::config::ModelConfig;
use super::error::ModelError;
use super::hrm::{Gradient, Hrm, Output};
use super::init::TruncatedNormal;
use super::level::Backend;
use super::params::Params;

/// Puzzles of a trial.
const BATCH: usize = 3;

/// The largest relative distance, `‖a - b‖ / ‖b‖`, between what `a` and `b` make of a shallow model of this
/// shape (a block and a cycle a level) with random parameters: of both outputs and of the gradient of every
/// parameter. Rounding makes about 1e-6 of it in f32 and 0.03 in bf16; unrelated values are 1.4 apart. At
/// full depth random parameters would amplify rounding to that, too.
///
/// # Errors
/// A backend that cannot compute this model on `device`.
pub fn disagreement(
    config: &ModelConfig,
    device: &Device,
    (a, b): ((Backend, DType), (Backend, DType)),
) -> Result<f64, ModelError> {
    let config = &ModelConfig { h_layers: 1, l_layers: 1, h_cycles: 1, l_cycles: 1, ..config.clone() };
    let params = Params::lively(config, DType::F32, 1, device)?;
    let ids = (0..BATCH * config.cells()).map(|i| ((i * 7 + i / 5) % config.vocab()) as u32).collect();
    let tokens = Tensor::from_vec(ids, (BATCH, config.cells()), device)?;
    let run = |(backend, compute)| {
        let hrm = Hrm::with_backend(config, &params, backend)?.in_type(compute);
        let output = hrm.segment(&hrm.initial_carry(BATCH)?, &tokens, Gradient::Full)?;
        let gradients = weighted_sum(&output)?.backward()?;
        let of_parameters = params.vars().filter_map(|(_, var)| gradients.get(var).cloned());
        Ok::<Vec<Tensor>, ModelError>(of_parameters.chain([output.logits, output.q]).collect())
    };
    let mut worst = 0.0f64;
    for (a, b) in run(a)?.iter().zip(&run(b)?) {
        let apart = distance(a, b)?;
        worst = if apart.is_nan() { f64::INFINITY } else { worst.max(apart) };
    }
    Ok(worst)
}

/// A scalar in which every output has its own fixed weight.
pub(super) fn weighted_sum(output: &Output) -> candle_core::Result<Tensor> {
    let weighted = |t: &Tensor, seed| {
        let weights = TruncatedNormal::new(seed).draw(t.elem_count(), 1.0);
        let weights = Tensor::from_vec(weights, t.shape(), t.device())?.to_dtype(t.dtype())?;
        (t * weights)?.sum_all()
    };
    weighted(&output.logits, 11)? + weighted(&output.q, 12)?
}

/// `‖a - b‖ / ‖b‖`.
pub(super) fn distance(a: &Tensor, b: &Tensor) -> candle_core::Result<f64> {
    let norm = |t: &Tensor| t.to_dtype(DType::F64)?.sqr()?.sum_all()?.sqrt()?.to_scalar::<f64>();
    Ok(norm(&(a - b)?)? / norm(b)?)
}
