//! The tables that a pack carries, by their definition and by other code than writes them into packs.

use core::array::from_fn;

/// `round(32767 * 2^(-i/256))`.
pub fn exp2() -> [u16; 256] {
    from_fn(|i| (32767.0 * (-(i as f64) / 256.0).exp2()).round() as u16)
}

/// `round(32768 / (1 + e^(-i/16)))`.
pub fn sigmoid() -> [u16; 257] {
    from_fn(|i| (32768.0 / (1.0 + (-(i as f64) / 16.0).exp())).round() as u16)
}
