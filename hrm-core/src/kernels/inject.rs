//! A level's input: its state, the other level's and, for the L level, the embedded puzzle.

use crate::fixed::scale;
use crate::lane::Lane;

/// `z = sat(scale((z + other) * step + (e_0 + e_1) * embed_step, factor))`, in place: one position.
///
/// * `z`, `other`: (width), stored with `step`, `1..=16384`;
/// * `embeddings`: each (width), stored with `embed_step`, `1..=16384`; or empty for zeros;
/// * `factor`: `round(2^32 / the input's step)`.
#[inline(always)]
pub fn inject<A: Lane>(
    z: &mut [A],
    other: &[A],
    step: i32,
    embeddings: [&[i16]; 2],
    embed_step: i32,
    factor: i32,
) {
    on_vectors!(inject(z, other, step, embeddings, embed_step, factor));
    inject_portable(z, other, step, embeddings, embed_step, factor);
}

/// The definition of [`inject`].
#[inline(always)]
pub fn inject_portable<A: Lane>(
    z: &mut [A],
    other: &[A],
    step: i32,
    embeddings: [&[i16]; 2],
    embed_step: i32,
    factor: i32,
) {
    let state = |z: A, other: A| (z.wide() + other.wide()) * step;
    let with =
        |z: A, other: A, x: i32| A::saturate(scale(state(z, other).saturating_add(x * embed_step), factor));
    let rows = z.iter_mut().zip(other);
    match embeddings {
        [[], []] => rows.for_each(|(z, other)| *z = A::saturate(scale(state(*z, *other), factor))),
        [row, []] | [[], row] => {
            rows.zip(row).for_each(|((z, other), x)| *z = with(*z, *other, i32::from(*x)));
        }
        [first, second] => {
            for (((z, other), first), second) in rows.zip(first).zip(second) {
                *z = with(*z, *other, i32::from(*first) + i32::from(*second));
            }
        }
    }
}
