//! A float matrix on its way to integers or back.

/// A matrix, (out, in), in double precision.
#[derive(Clone, Debug)]
pub(super) struct Linear {
    pub(super) rows: Vec<Vec<f64>>,
}

impl Linear {
    /// Rows `from` to `to`.
    pub(super) fn rows(&self, from: usize, to: usize) -> Linear {
        Linear { rows: self.rows[from..to].to_vec() }
    }

    /// The largest magnitude.
    pub(super) fn max(&self) -> f64 {
        self.rows.iter().flatten().fold(0.0, |max, x| x.abs().max(max))
    }

    /// The largest magnitude of every column.
    pub(super) fn column_max(&self) -> Vec<f64> {
        let mut max = vec![0.0; self.rows.first().map_or(0, Vec::len)];
        for row in &self.rows {
            max.iter_mut().zip(row).for_each(|(max, w): (&mut f64, _)| *max = max.max(w.abs()));
        }
        max
    }

    /// The Euclidean norm of every row.
    pub(super) fn row_norms(&self) -> Vec<f64> {
        self.rows.iter().map(|row| row.iter().map(|w| w * w).sum::<f64>().sqrt()).collect()
    }

    /// The Euclidean norm of every column.
    pub(super) fn column_norms(&self) -> Vec<f64> {
        let mut squares = vec![0.0; self.rows.first().map_or(0, Vec::len)];
        for row in &self.rows {
            squares.iter_mut().zip(row).for_each(|(sum, w)| *sum += w * w);
        }
        squares.into_iter().map(f64::sqrt).collect()
    }

    /// The same with every output `n` multiplied by `by[n]`.
    pub(super) fn scale_outputs(&self, by: &[f64]) -> Linear {
        let scaled = |(row, by): (&Vec<f64>, &f64)| row.iter().map(|w| w * by).collect();
        Linear { rows: self.rows.iter().zip(by).map(scaled).collect() }
    }

    /// The same with every input `k` multiplied by `by[k]`.
    pub(super) fn scale_inputs(&self, by: &[f64]) -> Linear {
        let rows = self.rows.iter().map(|row| row.iter().zip(by).map(|(w, s)| w * s).collect()).collect();
        Linear { rows }
    }
}

/// `values` with RoPE's partners `(d, d + head_dim / 2)` of every head replaced by `both` of them,
/// since rotation mixes them.
pub(super) fn paired(mut values: Vec<f64>, head_dim: usize, both: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    for head in values.chunks_mut(head_dim) {
        let (low, high) = head.split_at_mut(head_dim / 2);
        for (a, b) in low.iter_mut().zip(high) {
            *a = both(*a, *b);
            *b = *a;
        }
    }
    values
}
