//! A set of cells, a bit for each.

use crate::task::MAX_CELLS;

const WORDS: usize = MAX_CELLS.div_ceil(32);

#[derive(Clone, Copy, Debug)]
pub(super) struct Cells([u32; WORDS]);

impl Default for Cells {
    fn default() -> Self {
        Cells([0; WORDS])
    }
}

impl Cells {
    /// The cells of `grid` whose token is `wanted`.
    pub(super) fn holding(grid: &[u8], wanted: impl Fn(u8) -> bool) -> Self {
        let mut cells = Cells::default();
        for (cell, &token) in grid.iter().enumerate() {
            if wanted(token) {
                cells.insert(cell);
            }
        }
        cells
    }

    /// Cells beyond the largest grid are left out.
    pub(super) fn insert(&mut self, cell: usize) {
        if let Some(word) = self.0.get_mut(cell / 32) {
            *word |= 1 << (cell % 32);
        }
    }

    pub(super) fn contains(&self, cell: usize) -> bool {
        self.0.get(cell / 32).is_some_and(|word| word >> (cell % 32) & 1 == 1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// The cells in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(index, &word)| {
            let mut left = word;
            core::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros() as usize)?;
                left &= left - 1;
                Some(32 * index + bit)
            })
        })
    }
}
