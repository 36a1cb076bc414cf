//! What a device can check itself against: puzzles, and what thinking about them must give.

use heapless::Vec;
use serde::{Deserialize, Serialize};

/// Most puzzles of a self-test.
pub const MAX_SELF_TESTS: usize = 16;

/// Most segments for each of them. A device is busy with them at power-on, and nothing but a restart ends them.
pub const MAX_SELF_TEST_SEGMENTS: u16 = 16;

/// An optional end of the header: puzzles with the digests that every sound machine computes for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfTest<'a> {
    /// Segments for each puzzle, 1 to [`MAX_SELF_TEST_SEGMENTS`].
    pub segments: u16,
    /// The puzzles, one after the other, one token per cell. Puzzle `i` is for member `i mod members`.
    pub puzzles: &'a [u8],
    /// [`run_digest`](crate::digest::run_digest) of each.
    pub digests: Vec<u32, MAX_SELF_TESTS>,
}

impl<'a> SelfTest<'a> {
    /// Puzzle `row` and its digest.
    pub fn row(&self, row: usize) -> Option<(&'a [u8], u32)> {
        let cells = self.puzzles.len().checked_div(self.digests.len())?;
        let tokens = self.puzzles.get(row * cells..(row + 1) * cells)?;
        Some((tokens, *self.digests.get(row)?))
    }

    /// Whether it can be run by a model with these sizes.
    pub(super) fn fits(&self, cells: u16, vocab: u16) -> bool {
        (1..=MAX_SELF_TEST_SEGMENTS).contains(&self.segments)
            && !self.digests.is_empty()
            && self.puzzles.len() == self.digests.len() * usize::from(cells)
            && self.puzzles.iter().all(|&token| u16::from(token) < vocab)
    }
}
