//! Memory: every buffer's size follows from the shape; one caller-owned slice is carved into all of them.

use bytemuck::{cast_slice_mut, try_cast_slice_mut};

use crate::kernels::pack_words;
use crate::lane::{Lane, LaneWidth};
use crate::pack::{Shape, TILE, round_up};

/// Sizes of the buffers, in elements.
struct Sizes {
    /// One state: (sequence, width) lanes.
    state: usize,
    /// Keys: (heads, key_columns / 2, head_dim, 2) bytes.
    keys: usize,
    /// Values: (heads, head_dim / 2, value_rows, 2) bytes.
    values: usize,
    /// Lanes of one tile: queries, weights and attention outputs, later the gated products.
    tile: usize,
    /// Accumulators of one tile.
    acc: usize,
    /// Words for the matrix product's packed activations.
    pack: usize,
    /// Tokens and grid.
    cells: usize,
}

impl Sizes {
    const fn of(shape: &Shape) -> Sizes {
        let (width, sequence) = (shape.width(), shape.sequence());
        let attention = 2 * width + shape.value_rows();
        let tile_lanes = if attention > shape.inner() { attention } else { shape.inner() };
        Sizes {
            state: sequence * width,
            keys: width * shape.key_columns(),
            values: width * shape.value_rows(),
            tile: TILE * tile_lanes,
            acc: TILE * acc_columns(shape),
            pack: pack_words(depth(shape)),
            cells: shape.cells as usize,
        }
    }
}

/// The deepest product of a segment.
const fn depth(shape: &Shape) -> usize {
    let (width, inner, values) = (shape.width(), shape.inner(), shape.value_rows());
    let depth = if width > inner { width } else { inner };
    if depth > values { depth } else { values }
}

/// Columns of the accumulator buffer: a row of the width, or a row of scores.
pub(crate) const fn acc_columns(shape: &Shape) -> usize {
    let (width, keys) = (shape.width(), shape.key_columns());
    let columns = if width > keys { width } else { keys };
    if columns > shape.logit_columns() { columns } else { shape.logit_columns() }
}

const fn words(elements: usize, element_bytes: usize) -> usize {
    round_up(elements * element_bytes, 4) / 4
}

/// Exact size in bytes of the memory [`Hrm::new`](crate::Hrm::new) needs for `shape` (a multiple of 4; `u32` words).
pub const fn workspace_bytes(shape: &Shape) -> usize {
    let sizes = Sizes::of(shape);
    let lane = shape.lanes.bytes();
    4 * (2 * words(sizes.state, lane)
        + words(sizes.keys, 1)
        + words(sizes.values, 1)
        + words(sizes.tile, lane)
        + sizes.acc
        + sizes.pack
        + 2 * words(sizes.cells, 1))
}

/// The same in words: the length of the slice that [`Hrm::new`](crate::Hrm::new) wants. A `const fn`, so that a `static` can have that
/// length, see [`Shape::stated_by`].
pub const fn workspace_words(shape: &Shape) -> usize {
    workspace_bytes(shape) / 4
}

/// Bytes of both carried states alone.
pub const fn state_bytes(shape: &Shape) -> usize {
    2 * Sizes::of(shape).state * shape.lanes.bytes()
}

/// The carved memory.
pub(crate) struct Workspace<'w, A> {
    /// (sequence, width)
    pub z_h: &'w mut [A],
    /// (sequence, width)
    pub z_l: &'w mut [A],
    /// Scratch of one block call.
    pub scratch: Scratch<'w, A>,
    /// (cells)
    pub tokens: &'w mut [u8],
    /// (cells)
    pub grid: &'w mut [u8],
}

/// What a block needs besides its state.
pub(crate) struct Scratch<'w, A> {
    /// (heads, key_columns / 2, head_dim, 2)
    pub keys: &'w mut [i8],
    /// (heads, head_dim / 2, value_rows, 2)
    pub values: &'w mut [i8],
    /// Lanes of one tile.
    pub tile: &'w mut [A],
    /// Accumulators of one tile, (TILE, acc_columns)
    pub acc: &'w mut [i32],
    /// For [`matmul`](crate::kernels::matmul()).
    pub pack: &'w mut [u32],
}

/// Takes the first `elements` of type `T` off `memory`; empty where it is too small, which `Hrm::new` has excluded.
fn take<'w, T: bytemuck::Pod>(memory: &mut &'w mut [u32], elements: usize) -> &'w mut [T] {
    let whole = core::mem::take(memory);
    match whole.split_at_mut_checked(words(elements, size_of::<T>())) {
        Some((head, rest)) => {
            *memory = rest;
            let cast: &mut [T] = try_cast_slice_mut(head).unwrap_or_default();
            cast.get_mut(..elements).unwrap_or_default()
        }
        None => &mut [],
    }
}

impl<'w, A: Lane> Workspace<'w, A> {
    /// Carves `memory`, which holds `workspace_bytes(shape)`.
    pub(crate) fn carve(shape: &Shape, mut memory: &'w mut [u32]) -> Self {
        let sizes = Sizes::of(shape);
        let memory = &mut memory;
        Workspace {
            tokens: take(memory, sizes.cells),
            grid: take(memory, sizes.cells),
            z_h: take(memory, sizes.state),
            z_l: take(memory, sizes.state),
            scratch: Scratch {
                keys: take(memory, sizes.keys),
                values: take(memory, sizes.values),
                tile: take(memory, sizes.tile),
                acc: take(memory, sizes.acc),
                pack: take(memory, sizes.pack),
            },
        }
    }
}

/// The puzzle's tokens and the decoded grid: the part of the memory that does not depend on the lane width.
pub(crate) fn board<'w>(shape: &Shape, memory: &'w [u32]) -> (&'w [u8], &'w [u8]) {
    let cells = shape.cells as usize;
    let bytes: &[u8] = bytemuck::cast_slice(memory);
    let padded = 4 * words(cells, 1);
    (bytes.get(..cells).unwrap_or_default(), bytes.get(padded..padded + cells).unwrap_or_default())
}

/// The bytes of both states, for digests: z_H, then z_L.
pub(crate) fn state<'w>(shape: &Shape, memory: &'w [u32]) -> &'w [u8] {
    let sizes = Sizes::of(shape);
    let at = 2 * words(sizes.cells, 1);
    let bytes = 2 * words(sizes.state, shape.lanes.bytes());
    memory.get(at..at + bytes).map_or(&[], |words| bytemuck::cast_slice(words))
}

/// Zeroes everything, padding included, so that no earlier puzzle shows in a digest.
pub(crate) fn clear(memory: &mut [u32]) {
    cast_slice_mut::<u32, u8>(memory).fill(0);
}

const _: () = assert!(LaneWidth::I8.bytes() == size_of::<i8>() && LaneWidth::I16.bytes() == size_of::<i16>());

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::vec;

    fn shape(lanes: LaneWidth) -> Shape {
        Shape {
            cells: 81,
            vocab: 11,
            width: 96,
            heads: 3,
            inner: 256,
            h_layers: 2,
            l_layers: 2,
            h_cycles: 2,
            l_cycles: 2,
            segments: 16,
            members: 1,
            shared_levels: true,
            rope: false,
            learned_positions: false,
            relations: 11,
            second_head: crate::pack::SecondHead::None,
            lanes,
        }
    }

    #[test]
    fn the_size_is_exact() {
        for lanes in [LaneWidth::I8, LaneWidth::I16] {
            let shape = shape(lanes);
            let exact = workspace_bytes(&shape) / 4;
            let mut memory = vec![0u32; exact];
            match lanes {
                LaneWidth::I8 => {
                    assert_eq!(Workspace::<i8>::carve(&shape, &mut memory).scratch.acc.len(), 4 * 96)
                }
                LaneWidth::I16 => {
                    assert_eq!(Workspace::<i16>::carve(&shape, &mut memory).scratch.acc.len(), 4 * 96)
                }
            }
            let mut short = vec![0u32; exact - 1];
            match lanes {
                LaneWidth::I8 => assert!(Workspace::<i8>::carve(&shape, &mut short).scratch.pack.is_empty()),
                LaneWidth::I16 => {
                    assert!(Workspace::<i16>::carve(&shape, &mut short).scratch.pack.is_empty())
                }
            }
        }
    }
}
