//! What every processor's matrix product begins with.

use crate::lane::{Lane, LaneWidth};
use crate::pack::TILE;

/// Hands the tokens of [`matmul`](crate::kernels::matmul()) to `multiply` in tiles: inputs of 16
/// bits, how many tokens they are of, and where their products belong. `false` (and nothing done)
/// where a length does not fit. `packed`: the same `x` was widened by the call before, which saves
/// widening it where it is one pack.
///
/// What `multiply` is given are that many rows of `depth`, a multiple of 4 above 0; `panel` is an even number
/// of columns, above 0, times `depth`, and there is room for as many rows of so many columns.
#[inline(always)]
pub(in crate::kernels) fn product<A: Lane>(
    (x, packed): (&[A], bool),
    depth: usize,
    panel: &[i8],
    acc: &mut [i32],
    pack: &mut [u32],
    mut multiply: impl FnMut(&[i16], usize, &mut [i32]),
) -> bool {
    let Some(columns) = columns(x, depth, panel, acc) else { return false };
    let wide: &mut [i16] = bytemuck::cast_slice_mut(pack);
    if A::WIDTH == LaneWidth::I8 && wide.len() < TILE * depth {
        return false;
    }
    let packed = packed && x.len() <= TILE * depth;
    for (x, acc) in x.chunks(TILE * depth).zip(acc.chunks_mut(TILE * columns)) {
        let inputs = match bytemuck::try_cast_slice::<A, i16>(x) {
            Ok(inputs) if A::WIDTH == LaneWidth::I16 => inputs,
            _ => {
                if !packed {
                    wide.iter_mut().zip(x).for_each(|(wide, x)| *wide = x.wide() as i16);
                }
                wide.get(..x.len()).unwrap_or_default()
            }
        };
        multiply(inputs, inputs.len() / depth, acc);
    }
    true
}

/// The columns of a product whose lengths fit: `depth` a multiple of 4 above 0, `panel` an even number of
/// columns above 0, whole rows of `x`, and room for as many rows of so many columns.
#[inline(always)]
pub(in crate::kernels) fn columns<A: Lane>(
    x: &[A],
    depth: usize,
    panel: &[i8],
    acc: &[i32],
) -> Option<usize> {
    if depth == 0 || !depth.is_multiple_of(4) {
        return None;
    }
    let (columns, tokens) = (panel.len() / depth, x.len() / depth);
    let whole = panel.len() == columns * depth && x.len() == tokens * depth;
    (columns > 0 && columns % 2 == 0 && whole && acc.len() >= tokens * columns).then_some(columns)
}
