//! Constant tables of the position schemes.

use candle_core::{DType, Device, Tensor};

use super::config::ModelConfig;

/// Base of the rotary frequencies.
pub(super) const ROPE_THETA: f64 = 10_000.0;

/// `cos` and `sin` of `position * theta^(-2 i / d)`, for `i < d / 2`, each `[sequence * d / 2]` row by row.
pub(super) fn rope_tables(sequence: usize, head_dim: usize) -> (Vec<f64>, Vec<f64>) {
    let half = head_dim / 2;
    let angle = |at: usize| {
        let (position, pair) = ((at / half) as f64, (at % half) as f64);
        position * libm::pow(ROPE_THETA, -2.0 * pair / head_dim as f64)
    };
    (0..sequence * half).map(angle).map(|a| (libm::cos(a), libm::sin(a))).unzip()
}

/// Rotary tables as tensors, `[sequence, d]` each with both halves alike.
pub(super) fn rope(
    config: &ModelConfig,
    dtype: DType,
    device: &Device,
) -> candle_core::Result<(Tensor, Tensor)> {
    let (sequence, head_dim) = (config.sequence(), config.head_dim());
    let (cos, sin) = rope_tables(sequence, head_dim);
    let table = |values: Vec<f64>| {
        let half = Tensor::from_vec(values, (sequence, head_dim / 2), device)?;
        Tensor::cat(&[&half, &half], 1)?.to_dtype(dtype)
    };
    Ok((table(cos)?, table(sin)?))
}

/// One-hot relation classes, `[classes, sequence * sequence]`: a product with it spreads a bias table over
/// all pairs of positions, and its transpose gathers the gradient, as two matrix products on any device.
pub(super) fn relation_one_hot(
    config: &ModelConfig,
    dtype: DType,
    device: &Device,
) -> candle_core::Result<Tensor> {
    let (map, classes) = (config.relation_map(), config.relation_classes());
    let values: Vec<f64> = (0..classes)
        .flat_map(|class| map.iter().map(move |&c| f64::from(u8::from(usize::from(c) == class))))
        .collect();
    Tensor::from_vec(values, (classes, map.len()), device)?.to_dtype(dtype)
}
