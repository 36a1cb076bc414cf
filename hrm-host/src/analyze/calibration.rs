//! Whether the halting head's belief is worth what it says: of the grids that it believes right to
//! 70 %, are 70 % right?

use serde::Serialize;

use super::path::Path;

/// Beliefs are counted by tenths.
const BINS: usize = 10;

/// The grids that are believed right to about the same degree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Bin {
    /// Their number: one for each puzzle and segment.
    pub grids: usize,
    /// Those that are right.
    pub right: usize,
    /// The sum of the beliefs.
    pub believed: f64,
}

impl Bin {
    /// The mean belief, and the share that is right; `None` without grids.
    pub fn shares(&self) -> Option<[f64; 2]> {
        let grids = self.grids as f64;
        (self.grids > 0).then(|| [self.believed / grids, self.right as f64 / grids])
    }
}

/// Belief against frequency, after every segment of every puzzle.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Calibration {
    /// By tenths of belief, from the lowest up.
    pub bins: [Bin; BINS],
}

impl Calibration {
    /// Counts what was believed along `paths`.
    pub fn of(paths: &[Path]) -> Self {
        let mut bins = [Bin::default(); BINS];
        for (&belief, &wrong) in paths.iter().flat_map(|path| path.beliefs.iter().zip(&path.wrong)) {
            let bin = &mut bins[((belief * BINS as f64) as usize).min(BINS - 1)];
            bin.grids += 1;
            bin.right += usize::from(wrong == 0);
            bin.believed += belief;
        }
        Self { bins }
    }

    /// All grids.
    pub fn grids(&self) -> usize {
        self.bins.iter().map(|bin| bin.grids).sum()
    }

    /// How far belief and frequency are apart, as a mean over all grids (the expected calibration
    /// error); `None` without grids.
    pub fn error(&self) -> Option<f64> {
        let apart = |bin: &Bin| (bin.believed - bin.right as f64).abs();
        let grids = self.grids();
        (grids > 0).then(|| self.bins.iter().map(apart).sum::<f64>() / grids as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::super::path::tests::path;
    use super::*;

    #[test]
    fn beliefs_are_counted_by_tenths_and_compared_with_what_is_right() {
        let believing =
            |wrong: &[u32], beliefs: &[f64]| Path { beliefs: beliefs.to_vec(), ..path(wrong, &[]) };
        let found = Calibration::of(&[believing(&[3, 0], &[0.05, 1.0]), believing(&[3, 3], &[0.09, 0.95])]);
        assert_eq!(found.bins[0].shares(), Some([0.07, 0.0]));
        assert_eq!(found.bins[1].shares(), None);
        assert_eq!((found.bins[9].grids, found.bins[9].right), (2, 1));
        assert_eq!(found.grids(), 4);
        // 0.14 believed of none right, 1.95 of one
        assert!((found.error().unwrap() - (0.14 + 0.95) / 4.0).abs() < 1e-12);
        assert_eq!(Calibration::of(&[path(&[3], &[])]).error(), None, "a model that shows no belief");
    }
}
