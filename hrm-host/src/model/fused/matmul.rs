//! Single-threaded matrix products over slices, the only place that needs `unsafe`.

/// A read-only matrix within a slice; element `(i, j)` lies at `i * row_stride + j * column_stride`.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub(super) data: &'a [f32],
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) row_stride: usize,
    pub(super) column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Rows side by side, `stride` elements apart.
    pub(super) fn rows(data: &'a [f32], rows: usize, columns: usize, stride: usize) -> Self {
        Self { data, rows, columns, row_stride: stride, column_stride: 1 }
    }

    /// The transpose of the same elements.
    pub(super) fn t(self) -> Self {
        let Self { data, rows, columns, row_stride, column_stride } = self;
        Self { data, rows: columns, columns: rows, row_stride: column_stride, column_stride: row_stride }
    }

    /// One past the furthest element.
    fn end(&self) -> usize {
        end(self.rows, self.columns, self.row_stride, self.column_stride)
    }
}

fn end(rows: usize, columns: usize, row_stride: usize, column_stride: usize) -> usize {
    if rows == 0 || columns == 0 { 0 } else { (rows - 1) * row_stride + (columns - 1) * column_stride + 1 }
}

/// What happens to the elements already at the destination.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Into {
    /// `C = scale A B`.
    Overwrite,
    /// `C = C + scale A B`.
    Add,
}

/// What the factors of a product are before they are multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Factors {
    /// As they are.
    Single,
    /// Rounded to bf16, to nearest with ties to even, and those below its normal numbers
    /// to zero; sums stay in f32.
    Short,
}

impl Factors {
    /// [`Factors::Short`], where this processor gains by it.
    pub(super) fn short() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        return super::short::available().then_some(Factors::Short);
        #[cfg(not(target_arch = "x86_64"))]
        None
    }
}

/// `C = [C +] scale A B`, with C in rows of `stride` elements.
///
/// The order of the sums depends on the shapes alone, so that equal inputs give equal bits.
///
/// # Panics
/// Where A and B do not fit each other or C, or reach outside their slices; with [`Factors::Short`] on a
/// processor for which [`Factors::short`] has none.
pub(super) fn matmul(
    factors: Factors,
    c: &mut [f32],
    stride: usize,
    mode: Into,
    scale: f32,
    a: Matrix,
    b: Matrix,
) {
    assert_eq!(a.columns, b.rows, "inner dimensions");
    assert!(a.end() <= a.data.len() && b.end() <= b.data.len(), "operand outside its slice");
    assert!(
        stride >= b.columns && end(a.rows, b.columns, stride, 1) <= c.len(),
        "destination outside its slice"
    );
    if factors == Factors::Short {
        assert_eq!(Factors::short(), Some(factors), "a processor without products of bf16");
        // SAFETY: the asserts above.
        #[cfg(target_arch = "x86_64")]
        return unsafe { super::short::matmul(c, stride, mode, scale, a, b) };
    }
    // SAFETY: the three asserts keep every element inside its slice; `c` is borrowed mutably, so it
    // overlaps neither operand, and its rows do not overlap each other (`stride >= columns`).
    // Strides fit isize as slices do.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            c.as_mut_ptr(),
            1,
            stride as isize,
            mode == Into::Add,
            a.data.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            1.0,
            scale,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_the_definition() {
        let (rows, inner, columns) = (5, 7, 3);
        let a: Vec<f32> = (0..rows * inner).map(|i| (i % 11) as f32 - 4.0).collect();
        let b: Vec<f32> = (0..columns * inner).map(|i| (i % 5) as f32 - 2.0).collect(); // transposed
        let mut c = vec![1.0; rows * 4];
        let (left, right) =
            (Matrix::rows(&a, rows, inner, inner), Matrix::rows(&b, columns, inner, inner).t());
        matmul(Factors::Single, &mut c, 4, Into::Add, 0.5, left, right);
        for i in 0..rows {
            for j in 0..columns {
                let sum: f32 = (0..inner).map(|k| a[i * inner + k] * b[j * inner + k]).sum();
                assert_eq!(c[i * 4 + j], 1.0 + 0.5 * sum);
            }
            assert_eq!(c[i * 4 + 3], 1.0, "beyond the columns");
        }
        matmul(Factors::Single, &mut c, 4, Into::Overwrite, 2.0, left, right);
        let sum: f32 = (0..inner).map(|k| a[k] * b[k]).sum();
        assert_eq!(c[0], 2.0 * sum);
    }

    #[test]
    #[should_panic(expected = "destination outside its slice")]
    fn a_short_destination_is_refused() {
        let a = [0.0; 4];
        let square = Matrix::rows(&a, 2, 2, 2);
        matmul(Factors::Single, &mut [0.0; 3], 2, Into::Overwrite, 1.0, square, square);
    }
}
