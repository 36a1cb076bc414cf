//! The gate of the feed-forward: `silu(gate) * up`.

use crate::fixed::scale;
use crate::lane::Lane;

/// Fraction bits of a gate pre-activation, which is clamped to ±32.
pub const GATE_BITS: u32 = 10;

/// `2^15 * sigmoid(gate / 2^10)` by linear interpolation in a table of
/// `round(2^15 * sigmoid(i / 16))`, 257 entries.
///
/// `gate` is in `-32768..=32767`; beyond ±16 the last entries count. The absolute error is
/// below `3` units (`1e-4`).
#[inline(always)]
pub fn sigmoid(gate: i32, table: &[u16; 257]) -> i32 {
    let magnitude = gate.unsigned_abs().min((16 << GATE_BITS) - 1);
    let at = (magnitude >> 6) as usize & 255;
    let (low, high) = (i32::from(table[at]), i32::from(table[at + 1]));
    let part = (magnitude & 63) as i32;
    let positive = (low * (64 - part) + high * part + 32) >> 6;
    if gate < 0 { (1 << 15) - positive } else { positive }
}

/// `out[i] = scale(silu(gate_i) * up_i * 2^9, factor)`, saturated.
///
/// * `acc`: (inner, 2), accumulators alternating gate, up;
/// * `factors`: (inner, 2): the gate's leads to Q10, the up's to 16 bits in a unit of its own (per channel);
///   both saturate at 16 bits;
/// * `table`: see [`sigmoid`]; with another length, nothing is done.
///
/// The gate is rounded to `2^-10`, so the absolute error of `silu` is below `2^-10`.
pub fn swiglu<A: Lane>(acc: &[i32], factors: &[i32], factor: i32, table: &[u16], out: &mut [A]) {
    on_processor!(swiglu(acc, factors, factor, table, out));
    swiglu_portable(acc, factors, factor, table, out);
}

/// The definition of [`swiglu`].
pub fn swiglu_portable<A: Lane>(acc: &[i32], factors: &[i32], factor: i32, table: &[u16], out: &mut [A]) {
    let Ok(table) = <&[u16; 257]>::try_from(table) else { return };
    let (acc, _) = acc.as_chunks::<2>();
    let (factors, _) = factors.as_chunks::<2>();
    for (([gate, up], [gate_factor, up_factor]), out) in acc.iter().zip(factors).zip(out) {
        let gate = A::requantize(*gate, *gate_factor).clamp(-32768, 32767);
        let up = A::requantize(*up, *up_factor).clamp(-32768, 32767);
        let silu = gate * sigmoid(gate, table); // Q25, at most 2^30
        let product = scale(silu, up << 16); // silu * up * 2^9
        *out = A::saturate(scale(product, factor));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    extern crate std;

    #[test]
    fn sigmoid_is_close_everywhere() {
        let table = hrm_samples::sigmoid();
        for gate in -32768..=32767 {
            let exact = 32768.0 / (1.0 + (-f64::from(gate) / 1024.0).exp());
            assert!((f64::from(sigmoid(gate, &table)) - exact).abs() < 3.0, "{gate}");
        }
    }

    proptest! {
        #[test]
        fn equals_the_float_formula(gate in -(1i32 << 28)..1 << 28, up in -(1i32 << 28)..1 << 28, gate_factor in 1i32..1 << 22, up_factor in 1i32..1 << 22) {
            let mut out = [0i16];
            let factor = 1 << 23; // out = silu * up_int
            swiglu(&[gate, up], &[gate_factor, up_factor], factor, &hrm_samples::sigmoid(), &mut out);
            let real = (f64::from(gate) * f64::from(gate_factor) / 4294967296.0 / 1024.0).clamp(-32.0, 31.9990234375);
            let up = (f64::from(up) * f64::from(up_factor) / 4294967296.0).clamp(-32768.0, 32767.0);
            let exact = (real / (1.0 + (-real).exp()) * up).clamp(-32768.0, 32767.0);
            // gate and up are each rounded once; sigmoid's error is 1e-4
            let bound = 1.0 + up.abs() * (1.0 / 1024.0 + real.abs() * 1e-4) + 0.5 * real.abs();
            prop_assert!((f64::from(out[0]) - exact).abs() <= bound, "{} {exact}", out[0]);
        }
    }
}
