//! Slices by rows, without a panic: `chunks_exact` asserts that a length is not zero, which follows from a
//! checked pack but is nothing the compiler can know. Here rows of zero elements are no rows.

/// Rows of a slice.
pub(crate) trait Rows<T> {
    /// Rows of `n`; a rest is left out.
    fn rows<'a>(&'a self, n: usize) -> impl Iterator<Item = &'a [T]>
    where
        T: 'a;
    /// Rows of `n`, mutable; a rest is left out.
    fn rows_mut<'a>(&'a mut self, n: usize) -> impl Iterator<Item = &'a mut [T]>
    where
        T: 'a;
    /// Rows of `n`, the last maybe shorter.
    fn tiles<'a>(&'a self, n: usize) -> impl Iterator<Item = &'a [T]>
    where
        T: 'a;
    /// Rows of `n`, mutable, the last maybe shorter.
    fn tiles_mut<'a>(&'a mut self, n: usize) -> impl Iterator<Item = &'a mut [T]>
    where
        T: 'a;
}

impl<T> Rows<T> for [T] {
    #[inline(always)]
    fn rows<'a>(&'a self, n: usize) -> impl Iterator<Item = &'a [T]>
    where
        T: 'a,
    {
        let mut rest = self;
        core::iter::from_fn(move || {
            let (row, behind) = rest.split_at_checked(n)?;
            rest = behind;
            Some(row).filter(|row| !row.is_empty())
        })
    }

    #[inline(always)]
    fn rows_mut<'a>(&'a mut self, n: usize) -> impl Iterator<Item = &'a mut [T]>
    where
        T: 'a,
    {
        let mut rest = self;
        core::iter::from_fn(move || {
            let (row, behind) = core::mem::take(&mut rest).split_at_mut_checked(n)?;
            rest = behind;
            Some(row).filter(|row| !row.is_empty())
        })
    }

    #[inline(always)]
    fn tiles<'a>(&'a self, n: usize) -> impl Iterator<Item = &'a [T]>
    where
        T: 'a,
    {
        let mut rest = self;
        core::iter::from_fn(move || {
            let (tile, behind) = rest.split_at_checked(n.min(rest.len()))?;
            rest = behind;
            Some(tile).filter(|tile| !tile.is_empty())
        })
    }

    #[inline(always)]
    fn tiles_mut<'a>(&'a mut self, n: usize) -> impl Iterator<Item = &'a mut [T]>
    where
        T: 'a,
    {
        let mut rest = self;
        core::iter::from_fn(move || {
            let whole = core::mem::take(&mut rest);
            let (tile, behind) = whole.split_at_mut_checked(n.min(whole.len()))?;
            rest = behind;
            Some(tile).filter(|tile| !tile.is_empty())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::vec::Vec;

    #[test]
    fn rows_are_chunks() {
        let mut numbers: Vec<u8> = (0..11).collect();
        for n in 1..13 {
            assert!(numbers.rows(n).eq(numbers.chunks_exact(n)));
            assert!(numbers.tiles(n).eq(numbers.chunks(n)));
            let mut copy = numbers.clone();
            assert!(numbers.rows_mut(n).eq(copy.chunks_exact_mut(n)));
            assert!(numbers.tiles_mut(n).eq(copy.chunks_mut(n)));
        }
        assert_eq!(numbers.rows(0).count() + numbers.tiles(0).count(), 0);
        assert_eq!(numbers.rows_mut(0).count() + numbers.tiles_mut(0).count(), 0);
    }
}
