//! Copies weights from flash to RAM.

use crate::lane::LaneWidth;
use crate::pack::Order;

#[cfg(kernels = "arm")]
#[path = "copy_arm.rs"]
mod arm;

/// Copies `from` to the start of `to`; what one of the two does not hold is left out.
pub fn copy<T: bytemuck::Pod>(from: &[T], to: &mut [T]) {
    let (from, to): (&[u8], &mut [u8]) = (bytemuck::cast_slice(from), bytemuck::cast_slice_mut(to));
    #[cfg(kernels = "arm")]
    let (from, to) = arm::copy(from, to);
    if let (Ok(from), Ok(to)) =
        (bytemuck::try_cast_slice::<u8, u32>(from), bytemuck::try_cast_slice_mut::<u8, u32>(to))
    {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        return;
    }
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}

/// Copies a matrix's weights of `depth` inputs, column pairs as in a pack, to `to`, as long as they: in the
/// order in which this processor's product of such lanes reads them, or as they are. Says which.
pub fn copy_matrix(weights: &[i8], depth: usize, lanes: LaneWidth, to: &mut [i8]) -> Order {
    order(weights, depth, lanes, to).unwrap_or_else(|| {
        copy(weights, to);
        Order::Pairs
    })
}

/// Writes a panel of `depth` inputs, column pairs as in a pack, to `to` in the order in which this
/// processor's product of such lanes reads it, and says which. `None`, and nothing done, where it reads pairs,
/// or `to` is not [`ordered_columns`] of `depth`.
pub fn order(panel: &[i8], depth: usize, lanes: LaneWidth, to: &mut [i8]) -> Option<Order> {
    #[cfg(kernels = "x86")]
    return super::x86::order(panel, depth, lanes, to);
    #[cfg(not(kernels = "x86"))]
    {
        let _ = (panel, depth, lanes, to);
        None
    }
}

/// Columns of a panel that [`order`] has written; 0 where no processor that this is built for reads any.
pub const fn ordered_columns(columns: usize) -> usize {
    #[cfg(kernels = "x86")]
    return columns.next_multiple_of(super::x86::COLUMNS);
    #[cfg(not(kernels = "x86"))]
    {
        let _ = columns;
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_hold_is_copied_and_nothing_else() {
        let from: [u8; 300] = core::array::from_fn(|i| i as u8 ^ 0x5A);
        for (start, bytes) in [(0, 0), (0, 3), (1, 200), (0, 64), (4, 128), (8, 292), (3, 297)] {
            let mut to = [0u8; 301];
            copy(&from[start..start + bytes], &mut to[..bytes]);
            assert_eq!(to[..bytes], from[start..start + bytes]);
            assert!(to[bytes..].iter().all(|byte| *byte == 0));
        }
        let mut short = [0i32; 2];
        copy(&[1, 2, 3], &mut short);
        assert_eq!(short, [1, 2]);
    }
}
