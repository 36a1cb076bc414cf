//! Muon: the momentum of a block's matrix, made orthogonal, so that a step turns all of
//! its directions by as much.

use candle_core::{Device, Tensor};

use super::flat::{Named, places};

/// Of the odd polynomial `a s + b s^3 + c s^5`, whose repetition takes every singular
/// value from (0, 1] near 1.
const POLYNOMIAL: (f64, f64, f64) = (3.4445, -4.7750, 2.0315);
const REPETITIONS: usize = 5;

/// Root mean square of an update in units of the learning rate, about that of Adam-atan2, so
/// that one rate serves both.
const SIZE: f64 = 0.2;

/// One matrix among the flat parameters: where it starts, its rows and its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matrix {
    start: usize,
    rows: usize,
    columns: usize,
}

impl Matrix {
    /// The indices of its elements.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start..self.start + self.rows * self.columns
    }
}

/// The matrices of all blocks in `layout`; queries, keys and values, gate and up count
/// as matrices of their own.
pub fn matrices(layout: &[Named]) -> Vec<Matrix> {
    let mut found = Vec::new();
    for (named, place) in places(layout) {
        let parts = match named.name.rsplit('.').next() {
            Some("qkv") => 3,
            Some("gate_up") => 2,
            Some("out" | "down") => 1,
            _ => 0,
        };
        if let (1.., &[rows, columns]) = (parts, &named.shape[..]) {
            let rows = rows / parts;
            found.extend((0..parts).map(|part| Matrix {
                start: place.start + part * rows * columns,
                rows,
                columns,
            }));
        }
    }
    found
}

/// One update of a matrix `p` with its gradient `g` and `m`, Adam's first moment of it,
/// already moved to this gradient:
///
/// ```text
/// p <- p * (1 - lr * wd) - lr * 0.2 sqrt(max(rows, columns)) * orthogonal(b1 * m + (1 - b1) * g)
/// ```
///
/// # Errors
/// Where candle fails.
pub fn step(
    matrix: Matrix,
    (p, m, g): (&mut [f32], &[f32], &[f32]),
    (lr, weight_decay, beta1): (f64, f64, f64),
) -> candle_core::Result<()> {
    let Matrix { rows, columns, .. } = matrix;
    let ahead: Vec<f32> = m.iter().zip(g).map(|(m, g)| m + (1.0 - beta1) as f32 * (g - m)).collect();
    let turned = orthogonal(&Tensor::from_vec(ahead, (rows, columns), &Device::Cpu)?)?;
    let (keep, rate) =
        ((1.0 - lr * weight_decay) as f32, (lr * SIZE * (rows.max(columns) as f64).sqrt()) as f32);
    for (p, turned) in p.iter_mut().zip(turned.flatten_all()?.to_vec1::<f32>()?) {
        *p = *p * keep - rate * turned;
    }
    Ok(())
}

/// `U V^T` of `x = U S V^T`, with singular values between about 0.7 and 1.2 instead of 1 (small ones of
/// `x` less); zero of zero.
///
/// # Errors
/// Where candle fails.
fn orthogonal(x: &Tensor) -> candle_core::Result<Tensor> {
    let (rows, columns) = x.dims2()?;
    // the products below are square: on the shorter side
    let flat = if rows <= columns { x.clone() } else { x.t()?.contiguous()? };
    let norm = flat.sqr()?.sum_all()?.sqrt()?.to_scalar::<f32>()?;
    if norm == 0.0 {
        return Ok(x.clone());
    }
    let (a, b, c) = POLYNOMIAL;
    let mut flat = (flat / f64::from(norm))?;
    for _ in 0..REPETITIONS {
        let square = flat.matmul(&flat.t()?)?;
        let rest = ((&square * b)? + (square.matmul(&square)? * c)?)?;
        flat = ((&flat * a)? + rest.matmul(&flat)?)?;
    }
    if rows <= columns { Ok(flat) } else { flat.t()?.contiguous() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_blocks_matrices_are_found_with_their_parts() {
        let named = |name: &str, shape: &[usize]| Named { name: name.to_owned(), shape: shape.to_vec() };
        let layout = [
            named("embed.tokens", &[11, 4]),
            named("level.0.qkv", &[12, 4]),
            named("level.0.relation_bias", &[2, 11]),
            named("level.0.down", &[4, 6]),
            named("lm_head", &[11, 4]),
        ];
        let matrix = |start, rows, columns| Matrix { start, rows, columns };
        let expected = [matrix(44, 4, 4), matrix(60, 4, 4), matrix(76, 4, 4), matrix(114, 4, 6)];
        assert_eq!(matrices(&layout), expected);
    }

    #[test]
    fn singular_values_come_near_one_and_directions_stay() {
        // diag(3, 0.4) beside a column of zeros, and turned on its side: U V^T is the identity beside zeros.
        let wide = Tensor::new(&[[3.0f32, 0.0, 0.0], [0.0, 0.4, 0.0]], &Device::Cpu).unwrap();
        for (x, turn) in [(wide.clone(), false), (wide.t().unwrap(), true)] {
            let y = orthogonal(&x).unwrap();
            let y = if turn { y.t().unwrap() } else { y };
            let y = y.to_vec2::<f32>().unwrap();
            for (i, row) in y.iter().enumerate() {
                for (j, value) in row.iter().enumerate() {
                    let expected = if i == j { 0.65..1.25 } else { -1e-6..1e-6 };
                    assert!(expected.contains(value), "{y:?}");
                }
            }
        }
        let zero = Tensor::zeros((2, 3), candle_core::DType::F32, &Device::Cpu).unwrap();
        assert_eq!(orthogonal(&zero).unwrap().to_vec2::<f32>().unwrap(), [[0.0; 3]; 2]);
    }

    #[test]
    fn a_step_by_hand() {
        // One element: the orthogonal matrix is the sign, but for the polynomial's own error, so
        // p = 2 * 0.95 - 0.1 * 0.2 s.
        let matrix = Matrix { start: 0, rows: 1, columns: 1 };
        let (a, b, c) = POLYNOMIAL;
        let sign = (0..REPETITIONS).fold(1.0, |s: f64, _| a * s + b * s.powi(3) + c * s.powi(5));
        for g in [5.0, -0.01] {
            let mut p = [2.0];
            step(matrix, (&mut p, &[0.1 * g], &[g]), (0.1, 0.5, 0.9)).unwrap();
            let expected = 1.9 - 0.02 * sign * f64::from(g).signum();
            assert!((f64::from(p[0]) - expected).abs() < 1e-6, "{p:?} {expected}");
        }
    }
}
