//! Products with a pack's matrices, and the parts of the workspace that they fill.

#[cfg(kernels = "x86")]
use crate::kernels::matmul_ordered;
use crate::kernels::{matmul, matmul_again};
use crate::lane::Lane;
use crate::pack::{Matrix, Order};

/// The accumulators of `x W`, at the start of `acc`: (tokens, columns).
pub(super) fn product<'a, A: Lane>(
    x: &[A],
    matrix: &Matrix<'_>,
    acc: &'a mut [i32],
    pack: &mut [u32],
) -> &'a mut [i32] {
    product_of(x, matrix, acc, pack, false)
}

/// [`product`]; where `packed`, the packing of the same `x` is still in `pack`.
pub(super) fn product_of<'a, A: Lane>(
    x: &[A],
    matrix: &Matrix<'_>,
    acc: &'a mut [i32],
    pack: &mut [u32],
    packed: bool,
) -> &'a mut [i32] {
    let acc = first_of(acc, x.len() / matrix.depth.max(1) * matrix.factors.len());
    multiply(x, matrix.depth, (matrix.weights, matrix.order), acc, pack, packed);
    acc
}

/// `acc = x W`, whatever order the weights lie in.
#[inline(always)]
pub(super) fn multiply<A: Lane>(
    x: &[A],
    depth: usize,
    (weights, order): (&[i8], Order),
    acc: &mut [i32],
    pack: &mut [u32],
    packed: bool,
) {
    match order {
        Order::Pairs if packed => matmul_again(x, depth, weights, acc, pack),
        Order::Pairs => matmul(x, depth, weights, acc, pack),
        #[cfg(kernels = "x86")]
        order => matmul_ordered(x, depth, (weights, order), acc, pack, packed),
    }
}

/// `acc[n] = requantize(acc[n], factors[n])`.
pub(super) fn rescale<A: Lane>(acc: &mut [i32], factors: &[i32]) {
    for (acc, factor) in acc.iter_mut().zip(factors) {
        *acc = A::requantize(*acc, *factor);
    }
}

/// The pair of columns of a panel of `depth` inputs that column `t` belongs to: `[even, odd]` for each input.
pub(super) fn columns(panel: &mut [i8], t: usize, depth: usize) -> &mut [[i8; 2]] {
    let from = t / 2 * 2 * depth;
    panel.get_mut(from..from + 2 * depth).unwrap_or_default().as_chunks_mut().0
}

/// The first `n` elements; the workspace is sized so that they are there.
pub(super) fn first_of<T>(slice: &mut [T], n: usize) -> &mut [T] {
    slice.get_mut(..n).unwrap_or_default()
}

/// The first `n` elements and the rest.
pub(super) fn split<T>(slice: &mut [T], n: usize) -> (&mut [T], &mut [T]) {
    slice.split_at_mut_checked(n).unwrap_or_default()
}
