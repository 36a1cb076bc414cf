//! Keys and values of a block call, a panel for each head, as attention's products read them.

use super::products::{first_of, multiply};
use crate::kernels::{order, ordered_columns};
use crate::lane::Lane;
use crate::pack::{Order, Shape};
use crate::rows::Rows;
use crate::workspace::{Scratch, acc_columns};

/// A panel for each head.
#[derive(Clone, Copy)]
pub(super) struct Panels<'a> {
    weights: &'a [i8],
    order: Order,
    /// Inputs of a product.
    pub(super) depth: usize,
    /// Columns of a panel, which may be more than mean something.
    pub(super) columns: usize,
}

impl<'a> Panels<'a> {
    /// The keys, which [`order_heads`] has left in `order`.
    pub(super) fn keys(shape: &Shape, order: Order, pairs: &'a [i8], ordered: &'a [i8]) -> Self {
        Self::of(order, pairs, ordered, shape.head_dim(), shape.key_columns())
    }

    /// The values, which [`order_heads`] has left in `order`.
    pub(super) fn values(shape: &Shape, order: Order, pairs: &'a [i8], ordered: &'a [i8]) -> Self {
        Self::of(order, pairs, ordered, shape.value_rows(), shape.head_dim())
    }

    fn of(order: Order, pairs: &'a [i8], ordered: &'a [i8], depth: usize, columns: usize) -> Self {
        match order {
            Order::Pairs => Panels { weights: pairs, order, depth, columns },
            #[allow(unreachable_patterns, reason = "where no processor has another order")]
            _ => Panels { weights: ordered, order, depth, columns: ordered_columns(columns) },
        }
    }

    /// The panels of the heads.
    pub(super) fn heads(&self) -> impl Iterator<Item = &'a [i8]> + use<'a> {
        self.weights.rows(self.depth * self.columns)
    }

    /// The accumulators of `x`, (tokens, depth), times one of [`Self::heads`]: (tokens, columns).
    pub(super) fn product<'b, A: Lane>(
        &self,
        x: &[A],
        panel: &[i8],
        acc: &'b mut [i32],
        pack: &mut [u32],
    ) -> &'b mut [i32] {
        let acc = first_of(acc, x.len() / self.depth.max(1) * self.columns);
        multiply(x, self.depth, (panel, self.order), acc, pack, false);
        acc
    }
}

/// Puts keys and values of all heads in the order that the processor's products read, once for all tokens, and
/// says which that is: pairs, as they are, where it reads these, or there is no room.
pub(super) fn order_heads<A: Lane>(shape: &Shape, scratch: &mut Scratch<'_, A>) -> Order {
    let (dim, rows) = (shape.head_dim(), shape.value_rows());
    let (keys, values) = (shape.key_columns(), dim);
    let columns = ordered_columns(keys).max(ordered_columns(values));
    // Where few tokens read them, as on a 4x4 Sudoku's 17, columns that fill a group cost more than order saves.
    if columns == 0 || columns > acc_columns(shape) || 4 * keys < 3 * ordered_columns(keys) {
        return Order::Pairs;
    }
    let mut result = Order::Pairs;
    for (panels, to, depth, columns) in [
        (&*scratch.keys, &mut *scratch.ordered_keys, dim, keys),
        (&*scratch.values, &mut *scratch.ordered_values, rows, values),
    ] {
        for (panel, to) in panels.rows(depth * columns).zip(to.rows_mut(depth * ordered_columns(columns))) {
            match order(panel, depth, A::WIDTH, to) {
                Some(order) => result = order,
                None => return Order::Pairs,
            }
        }
    }
    result
}
