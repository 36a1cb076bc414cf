//! The tables a pack carries. They are computed with `libm`, which is the same program on every host, so the
//! same model becomes the same pack everywhere.

use crate::model::ModelConfig;

/// `round(32767 * 2^(-i/256))`, 256 entries.
pub(super) fn exp2() -> Vec<u16> {
    (0..256).map(|i| libm::round(32767.0 * libm::exp2(-f64::from(i) / 256.0)) as u16).collect()
}

/// `round(32768 / (1 + e^(-i/16)))`, 257 entries.
pub(super) fn sigmoid() -> Vec<u16> {
    (0..257).map(|i| libm::round(32768.0 / (1.0 + libm::exp(-f64::from(i) / 16.0))) as u16).collect()
}

/// `(cos, sin)` in Q14 of `position * 10000^(-2 d / head_dim)`, (sequence, head_dim /
/// 2, 2); empty without RoPE.
pub(super) fn rope(config: &ModelConfig) -> Vec<i16> {
    if !config.positions.rope() {
        return Vec::new();
    }
    let dim = config.head_dim();
    let q14 = |x: f64| libm::round(x * 16384.0) as i16;
    let mut table = Vec::with_capacity(config.sequence() * dim);
    for position in 0..config.sequence() {
        for d in 0..dim / 2 {
            let angle = position as f64 * libm::pow(10_000.0, -2.0 * d as f64 / dim as f64);
            table.extend([q14(libm::cos(angle)), q14(libm::sin(angle))]);
        }
    }
    table
}
