//! Memory: every buffer's size follows from the shape; one caller-owned slice is carved into all of them.

use bytemuck::{cast_slice_mut, try_cast_slice_mut};

use crate::kernels::{copy, copy_matrix, ordered_columns, pack_words};
use crate::lane::{Lane, LaneWidth};
use crate::pack::{Matrix, Shape, TILE, round_up};

/// Sizes of the buffers, in elements.
struct Sizes {
    /// One state: (sequence, width) lanes.
    state: usize,
    /// Keys: (heads, key_columns / 2, head_dim, 2) bytes.
    keys: usize,
    /// Values: (heads, head_dim / 2, value_rows, 2) bytes.
    values: usize,
    /// Lanes of the tokens of a pass: attention outputs of all of them, and queries and weights of [`TILE`];
    /// later the gated products of all.
    tile: usize,
    /// Accumulators of [`TILE`] tokens.
    acc: usize,
    /// Bytes of weights that are copied; none where a pass serves no more than [`TILE`] tokens,
    /// which reads them in place.
    weights: usize,
    /// Their factors.
    factors: usize,
    /// Words for the matrix product's packed activations.
    pack: usize,
    /// Tokens and grid.
    cells: usize,
}

impl Sizes {
    /// Where a pass over the weights serves `tokens`.
    const fn of(shape: &Shape, tokens: usize) -> Sizes {
        let (width, sequence) = (shape.width(), shape.sequence());
        let attention = tokens * width + TILE * (width + shape.value_rows());
        let gated = tokens * shape.inner();
        let copied = tokens > TILE;
        Sizes {
            state: sequence * width,
            keys: width * shape.key_columns(),
            values: width * shape.value_rows(),
            tile: if attention > gated { attention } else { gated },
            acc: TILE * acc_columns(shape),
            weights: if copied { copied_weights(shape) } else { 0 },
            factors: if copied { acc_columns(shape) } else { 0 },
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

/// Bytes of the largest matrix, or part of one, that is multiplied at a time.
const fn copied_weights(shape: &Shape) -> usize {
    let (part, down) = (shape.width() * acc_columns(shape), shape.inner() * shape.width());
    if part > down { part } else { down }
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

/// Exact size in bytes of the memory [`Hrm::new`](crate::Hrm::new) needs for `shape` at least (a
/// multiple of 4; `u32` words).
pub const fn workspace_bytes(shape: &Shape) -> usize {
    workspace_bytes_for(shape, TILE)
}

/// Exact size in bytes of the memory in which a pass over the weights serves `tokens` of a puzzle, a multiple
/// of [`TILE`]. With more memory than [`workspace_bytes`] a model reads its weights less often, which counts
/// where they lie in slow flash; its bits are the same.
pub const fn workspace_bytes_for(shape: &Shape, tokens: usize) -> usize {
    let sizes = Sizes::of(shape, tokens);
    let lane = shape.lanes.bytes();
    4 * (2 * words(sizes.state, lane)
        + words(sizes.keys, 1)
        + words(sizes.values, 1)
        + words(sizes.tile, lane)
        + sizes.acc
        + sizes.pack
        + words(sizes.weights, 1)
        + sizes.factors
        + 2 * words(sizes.cells, 1))
}

/// The most tokens that a pass over the weights can serve in `bytes` of memory: all of the puzzle's at most,
/// 0 where it is less than [`workspace_bytes`].
pub const fn tokens_per_pass(shape: &Shape, bytes: usize) -> usize {
    let mut tokens = round_up(shape.sequence(), TILE);
    while tokens > 0 && workspace_bytes_for(shape, tokens) > bytes {
        tokens -= TILE;
    }
    tokens
}

/// Words of memory for a machine with plenty of it and caches: passes over the weights serve up to 84 tokens,
/// whose activations and one matrix stay close to the processor, and there is room for keys and values in the
/// order that its products read.
pub const fn ample_words(shape: &Shape) -> usize {
    let all = round_up(shape.sequence(), TILE);
    workspace_bytes_for(shape, if all < AMPLE { all } else { AMPLE }) / 4 + ordered_words(shape)
}

/// Words for keys and values in the processor's order, beyond what [`workspace_bytes_for`] says; 0 where it
/// reads them as they are.
pub(crate) const fn ordered_words(shape: &Shape) -> usize {
    words(ordered_keys(shape), 1) + words(ordered_values(shape), 1)
}

/// Bytes of all heads' keys in whole groups of columns.
const fn ordered_keys(shape: &Shape) -> usize {
    shape.width() * ordered_columns(shape.key_columns())
}

/// The same of values.
const fn ordered_values(shape: &Shape) -> usize {
    shape.heads as usize * shape.value_rows() * ordered_columns(shape.head_dim())
}

/// Tokens of a pass in [`ample_words`]: a 9x9 Sudoku's.
const AMPLE: usize = 84;

/// [`workspace_bytes`] in words: the length of the slice that [`Hrm::new`](crate::Hrm::new) wants. A
/// `const fn`, so that a `static` can have that length, see [`Shape::stated_by`].
pub const fn workspace_words(shape: &Shape) -> usize {
    workspace_bytes(shape) / 4
}

/// Bytes of both carried states alone.
pub const fn state_bytes(shape: &Shape) -> usize {
    2 * Sizes::of(shape, TILE).state * shape.lanes.bytes()
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
    /// Lanes of the tokens of a pass.
    pub tile: &'w mut [A],
    /// Accumulators, (TILE, acc_columns)
    pub acc: &'w mut [i32],
    /// For [`matmul`](crate::kernels::matmul()).
    pub pack: &'w mut [u32],
    /// Keys in the processor's order; empty where there is no room, or no such order.
    pub ordered_keys: &'w mut [i8],
    /// The same of values.
    pub ordered_values: &'w mut [i8],
    /// Where weights are copied to.
    pub copy: Copied<'w>,
    /// Tokens that a pass over the weights serves.
    pub tokens: usize,
}

/// Room for weights and their factors, empty where they are read in place.
pub(crate) struct Copied<'w> {
    pub weights: &'w mut [i8],
    pub factors: &'w mut [i32],
}

impl Copied<'_> {
    /// `matrix` for a pass over several tiles of tokens: a copy of it, so that it is read from flash once
    /// (and, where that helps, put in order once), or itself where there is no room for one.
    pub(crate) fn of<'a>(&'a mut self, matrix: Matrix<'a>, lanes: LaneWidth) -> Matrix<'a> {
        let (weights, factors) = (matrix.weights.len(), matrix.factors.len());
        match (self.weights.get_mut(..weights), self.factors.get_mut(..factors)) {
            (Some(own_weights), Some(own_factors)) => {
                let order = copy_matrix(matrix.weights, matrix.depth, lanes, own_weights);
                copy(matrix.factors, own_factors);
                Matrix { weights: own_weights, factors: own_factors, depth: matrix.depth, order }
            }
            _ => matrix,
        }
    }
}

/// Takes the first `elements` of type `T` off `memory`; empty where it is too small, which
/// `Hrm::new` has excluded.
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
    /// Carves `memory`, which holds `workspace_bytes_for(shape, tokens)`, and maybe [`ordered_words`] more.
    pub(crate) fn carve(shape: &Shape, tokens: usize, mut memory: &'w mut [u32]) -> Self {
        let sizes = Sizes::of(shape, tokens);
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
                copy: Copied { weights: take(memory, sizes.weights), factors: take(memory, sizes.factors) },
                ordered_keys: take(memory, ordered_keys(shape)),
                ordered_values: take(memory, ordered_values(shape)),
                tokens: tokens.max(TILE),
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
    let sizes = Sizes::of(shape, TILE);
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

    fn room<A: Lane>(shape: &Shape, tokens: usize, words: usize) -> (usize, usize, usize) {
        let mut memory = vec![0u32; words];
        let scratch = Workspace::<A>::carve(shape, tokens, &mut memory).scratch;
        (scratch.acc.len(), scratch.pack.len(), scratch.copy.factors.len())
    }

    #[test]
    fn the_size_is_exact() {
        for lanes in [LaneWidth::I8, LaneWidth::I16] {
            let shape = shape(lanes);
            for tokens in [TILE, 20, 84] {
                let exact = workspace_bytes_for(&shape, tokens) / 4;
                let room = match lanes {
                    LaneWidth::I8 => room::<i8>,
                    LaneWidth::I16 => room::<i16>,
                };
                let copied = if tokens > TILE { 96 } else { 0 };
                assert_eq!(room(&shape, tokens, exact), (4 * 96, 4 * 256 / 2, copied));
                let (_, pack, factors) = room(&shape, tokens, exact - 1);
                assert_eq!(pack.min(if tokens > TILE { factors } else { pack }), 0);
            }
        }
    }

    #[test]
    fn more_memory_serves_more_tokens_up_to_all() {
        let shape = shape(LaneWidth::I16);
        assert_eq!(tokens_per_pass(&shape, workspace_bytes(&shape) - 1), 0);
        assert_eq!(tokens_per_pass(&shape, workspace_bytes(&shape)), TILE);
        assert_eq!(tokens_per_pass(&shape, workspace_bytes_for(&shape, 20)), 20);
        assert_eq!(tokens_per_pass(&shape, workspace_bytes_for(&shape, 20) - 1), 16);
        assert_eq!(tokens_per_pass(&shape, 1 << 30), 84);
    }
}
