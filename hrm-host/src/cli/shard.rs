//! `--shard I/N`: one part of a set that several machines solve.

use std::str::FromStr;

/// Every `of`-th row, from the `index`-th on; both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shard {
    index: usize,
    of: usize,
}

impl Shard {
    /// The whole.
    pub(super) const WHOLE: Shard = Shard { index: 1, of: 1 };

    /// Its rows of `count`.
    pub(super) fn rows(self, count: usize) -> impl Iterator<Item = usize> {
        (self.index - 1..count).step_by(self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts =
            text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((index, of)) if (1..=of).contains(&index) => Ok(Shard { index, of }),
            _ => Err("give part I of N as I/N, from 1/N to N/N".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_disjoint_and_make_up_the_whole() {
        let mut rows: Vec<usize> =
            ["1/3", "2/3", "3/3"].iter().flat_map(|part| part.parse::<Shard>().unwrap().rows(10)).collect();
        assert_eq!(rows[..4], [0, 3, 6, 9]);
        rows.sort_unstable();
        assert!(rows.into_iter().eq(Shard::WHOLE.rows(10)));
        assert_eq!("5/5".parse::<Shard>().unwrap().rows(3).count(), 0);
        for bad in ["0/3", "4/3", "1", "1/0", "a/b", "/", "-1/2"] {
            assert!(bad.parse::<Shard>().unwrap_err().contains("1/N to N/N"), "{bad}");
        }
    }
}
