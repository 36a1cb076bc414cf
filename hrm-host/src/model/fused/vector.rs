//! The elementwise parts, written so that the compiler vectorises them.
//!
//! Rows are walked in lanes of eight. No fused multiply-add is used, so every processor
//! gives the same bits here.

/// Elements handled together; row lengths are multiples of it.
pub(super) const LANES: usize = 8;
type Lane = [f32; LANES];

/// Runs a block, compiled for AVX2 too, in the version that suits the processor.
macro_rules! wide {
    ($($body:tt)*) => { dispatch(#[inline(always)] || { $($body)* }) };
}

#[inline(always)]
fn dispatch<R>(body: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if let Some(v3) = pulp::x86::V3::try_new() {
        return v3.vectorize(body);
    }
    body()
}

#[inline(always)]
fn lanes(row: &[f32]) -> &[Lane] {
    let (lanes, rest) = row.as_chunks();
    debug_assert!(rest.is_empty());
    lanes
}

#[inline(always)]
fn lanes_mut(row: &mut [f32]) -> &mut [Lane] {
    let (lanes, rest) = row.as_chunks_mut();
    debug_assert!(rest.is_empty());
    lanes
}

/// The sum of a lane, always in the same order.
#[inline(always)]
fn total(v: Lane) -> f32 {
    ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]))
}

/// `a . b` over rows of whole lanes.
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sum = [0.0; LANES];
    for (a, b) in lanes(a).iter().zip(lanes(b)) {
        for l in 0..LANES {
            sum[l] += a[l] * b[l];
        }
    }
    total(sum)
}

/// `e^x` to about 2 units in the last place for x in [-87, 88], which other inputs are clamped to.
///
/// `x = n ln 2 + r` with |r| <= ln 2 / 2; `e^r` by its Taylor polynomial of degree 7, `2^n`
/// through the exponent bits.
#[inline(always)]
fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it rounds to an integer held in the low bits
    const LN2_HIGH: f32 = 0.693_359_4; // 355 / 512, whose products with n are exact
    const LN2_LOW: f32 = -2.121_944_4e-4;
    const SERIES: [f32; 8] = [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let x = if x < -87.0 { -87.0 } else { x };
    let x = if x > 88.0 { 88.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    let series = SERIES.iter().fold(0.0, |sum, coefficient| sum * r + coefficient);
    series * f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23))
}

/// `x = 1 / (1 + e^-x)` of `from`, in a loop of its own that the compiler has no trouble with.
#[inline(always)]
fn sigmoid(out: &mut [f32], from: &[f32]) {
    for (out, x) in out.iter_mut().zip(from) {
        *out = 1.0 / (1.0 + exp(-x));
    }
}

/// `out = a + b`.
pub(super) fn add(out: &mut [f32], a: &[f32], b: &[f32]) {
    wide! {
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out = a + b;
        }
    }
}

/// `out = out + a`.
pub(super) fn accumulate(out: &mut [f32], a: &[f32]) {
    wide! {
        for (out, a) in out.iter_mut().zip(a) {
            *out += a;
        }
    }
}

/// `x = x / sqrt(mean(x²) + eps)` for each row of `width`; keeps the factors in `scales`.
pub(super) fn rms(x: &mut [f32], width: usize, eps: f32, scales: &mut [f32]) {
    wide! {
        for (row, scale) in x.chunks_exact_mut(width).zip(scales) {
            *scale = 1.0 / (dot(row, row) / width as f32 + eps).sqrt();
            let factor = *scale;
            for lane in lanes_mut(row) {
                for v in lane {
                    *v *= factor;
                }
            }
        }
    }
}

/// Turns the gradient `d` of `y = rms(x)` into that of x: `scale (d - y mean(d y))`.
pub(super) fn rms_backward(d: &mut [f32], width: usize, y: &[f32], scales: &[f32]) {
    wide! {
        for ((d, y), &scale) in d.chunks_exact_mut(width).zip(y.chunks_exact(width)).zip(scales) {
            let mean = dot(d, y) / width as f32;
            for (d, y) in lanes_mut(d).iter_mut().zip(lanes(y)) {
                for l in 0..LANES {
                    d[l] = scale * (d[l] - y[l] * mean);
                }
            }
        }
    }
}

/// `gated = silu(gate) * up` for rows `gate ‖ up` of `2 inner`.
pub(super) fn swiglu(gate_up: &[f32], inner: usize, gated: &mut [f32]) {
    wide! {
        for (row, gated) in gate_up.chunks_exact(2 * inner).zip(gated.chunks_exact_mut(inner)) {
            let (gate, up) = row.split_at(inner);
            sigmoid(gated, gate);
            for ((gated, gate), up) in gated.iter_mut().zip(gate).zip(up) {
                *gated *= gate * up;
            }
        }
    }
}

/// From the gradient of `gated` to that of rows `gate ‖ up`; `gated` comes in as the gradient and leaves as
/// the value, which the down projection's own gradient needs.
pub(super) fn swiglu_backward(gate_up: &[f32], inner: usize, gated: &mut [f32], d_gate_up: &mut [f32]) {
    wide! {
        let rows = gate_up.chunks_exact(2 * inner).zip(d_gate_up.chunks_exact_mut(2 * inner));
        for ((row, d_row), gated) in rows.zip(gated.chunks_exact_mut(inner)) {
            let ((gate, up), (d_gate, d_up)) = (row.split_at(inner), d_row.split_at_mut(inner));
            sigmoid(d_gate, gate);
            for ((((gate, up), gated), d_gate), d_up) in gate.iter().zip(up).zip(gated).zip(d_gate).zip(d_up) {
                let (sigma, d) = (*d_gate, *gated);
                let silu = gate * sigma;
                *d_up = d * silu;
                *d_gate = d * up * (sigma + silu * (1.0 - sigma));
                *gated = silu * up;
            }
        }
    }
}

/// Softmax of each row's first `columns` elements, `bias` added first; the rest of a row becomes 0.
///
/// Rows are `stride` apart, in `bias` too. Whatever lies beyond `columns` may be anything.
pub(super) fn softmax(scores: &mut [f32], columns: usize, stride: usize, bias: Option<&[f32]>) {
    wide! {
        if let Some(bias) = bias {
            for (score, bias) in scores.iter_mut().zip(bias) {
                *score += bias;
            }
        }
        for row in scores.chunks_exact_mut(stride) {
            row[columns..].fill(f32::NEG_INFINITY);
            let mut most = [f32::NEG_INFINITY; LANES];
            for lane in lanes(row) {
                for l in 0..LANES {
                    most[l] = if lane[l] > most[l] { lane[l] } else { most[l] };
                }
            }
            let most = most.iter().fold(f32::NEG_INFINITY, |a, &b| if b > a { b } else { a });
            for v in row {
                *v -= most;
            }
        }
        for v in &mut *scores {
            *v = exp(*v);
        }
        for row in scores.chunks_exact_mut(stride) {
            row[columns..].fill(0.0);
            let mut sum = [0.0; LANES];
            for lane in lanes(row) {
                for l in 0..LANES {
                    sum[l] += lane[l];
                }
            }
            let factor = 1.0 / total(sum);
            for v in row {
                *v *= factor;
            }
        }
    }
}

/// Turns the gradient `d` of `weights = softmax(scores)` into that of the scores:
/// `weights (d - sum(d weights))`.
///
/// Whatever lies beyond a row's `columns` may be anything in `d`, and leaves as 0.
pub(super) fn softmax_backward(d: &mut [f32], columns: usize, stride: usize, weights: &[f32]) {
    wide! {
        for (d, weights) in d.chunks_exact_mut(stride).zip(weights.chunks_exact(stride)) {
            d[columns..].fill(0.0);
            let shared = dot(d, weights);
            for (d, weights) in lanes_mut(d).iter_mut().zip(lanes(weights)) {
                for l in 0..LANES {
                    d[l] = weights[l] * (d[l] - shared);
                }
            }
        }
    }
}

/// Turns every pair `(x_i, x_{i + d/2})` of each head by its angle; `forward = false` turns back.
///
/// `columns` are those of a row, those of them that turn, and those of a head. `cos` and `sin` have one row
/// of `d / 2` per position; the rows of `x` go through the positions again and again.
pub(super) fn rotate(x: &mut [f32], columns: (usize, usize, usize), cos: &[f32], sin: &[f32], forward: bool) {
    let (row, turning, head_dim) = columns;
    let (half, sign) = (head_dim / 2, if forward { 1.0 } else { -1.0 });
    wide! {
        for sample in x.chunks_mut(row * (cos.len() / half)) {
            let angles = cos.chunks_exact(half).zip(sin.chunks_exact(half));
            for (row, (cos, sin)) in sample.chunks_exact_mut(row).zip(angles) {
                for head in row[..turning].chunks_exact_mut(head_dim) {
                    let (low, high) = head.split_at_mut(half);
                    for (((low, high), cos), sin) in low.iter_mut().zip(high).zip(cos).zip(sin) {
                        let (a, b, sin) = (*low, *high, sign * sin);
                        (*low, *high) = (a * cos - b * sin, b * cos + a * sin);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_within_a_few_units_in_the_last_place() {
        let mut worst = 0.0f64;
        for i in -870_000..=880_000 {
            let x = i as f32 * 1e-4;
            let exact = f64::from(x).exp();
            worst = worst.max((f64::from(exp(x)) / exact - 1.0).abs());
        }
        assert!(worst < 2.5e-7, "{worst:e}");
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(f32::NEG_INFINITY) < 2e-38 && exp(f32::INFINITY) > 1e38);
    }

    #[test]
    fn softmax_ignores_what_lies_beyond_its_columns() {
        let mut scores = vec![f32::NAN; 16];
        scores[..10].copy_from_slice(&[0.0, 1.0, -3.0, 2.0, 80.0, -80.0, 5.0, 79.0, 78.0, 0.5]);
        let exact: Vec<f64> = scores[..10].iter().map(|&s| f64::from(s - 80.0).exp()).collect();
        let sum: f64 = exact.iter().sum();
        softmax(&mut scores, 10, 16, None);
        for (got, exact) in scores.iter().zip(&exact) {
            assert!((f64::from(*got) - exact / sum).abs() < 1e-7);
        }
        assert_eq!(scores[10..], [0.0; 6]);
    }

    #[test]
    fn turning_back_undoes_turning() {
        let start: Vec<f32> = (0..16).map(|i| i as f32 - 4.0).collect();
        let (cos, sin) = ([0.6, 1.0, 0.0], [0.8, 0.0, 1.0]);
        let mut rows = start.clone(); // two rows of one head of six and two columns that stay
        rotate(&mut rows, (8, 6, 6), &cos, &sin, true);
        for at in [0, 8] {
            assert!((rows[at] - (start[at] * 0.6 - start[at + 3] * 0.8)).abs() < 1e-6);
            assert!((rows[at + 3] - (start[at + 3] * 0.6 + start[at] * 0.8)).abs() < 1e-6);
            assert_eq!(rows[at + 6..at + 8], start[at + 6..at + 8]);
        }
        rotate(&mut rows, (8, 6, 6), &cos, &sin, false);
        assert!(rows.iter().zip(&start).all(|(a, b)| (a - b).abs() < 1e-5));
    }
}
