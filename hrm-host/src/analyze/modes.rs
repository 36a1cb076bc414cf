//! Third question: where does the model come to rest?
//!
//! If wrong grids can be fixed points too, which one a model ends in depends on where it starts, and starting
//! from several places (perturbed inputs, several checkpoints) is what helps.

use serde::Serialize;

use super::median;
use super::path::Path;

/// How a thought ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Right within the first quarter of the segments, and still at the end: trivial success.
    SolvedSoon,
    /// Right only later: non-trivial success.
    SolvedLate,
    /// Wrong, and at rest: a false fixed point (trivial failure).
    WrongAtRest,
    /// Wrong, and still moving: non-trivial failure.
    Wandering,
}

impl Mode {
    /// All of them.
    pub const ALL: [Mode; 4] = [Mode::SolvedSoon, Mode::SolvedLate, Mode::WrongAtRest, Mode::Wandering];

    /// The mode of `path`, at rest where its last moves are below `rest` (see [`Path::restlessness`]).
    pub fn of(path: &Path, rest: f64) -> Self {
        match path.solved_from() {
            Some(segment) if 4 * segment <= path.wrong.len() => Mode::SolvedSoon,
            Some(_) => Mode::SolvedLate,
            None if path.restlessness() < rest => Mode::WrongAtRest,
            None => Mode::Wandering,
        }
    }

    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Mode::SolvedSoon => "solved soon",
            Mode::SolvedLate => "solved late",
            Mode::WrongAtRest => "wrong, at rest",
            Mode::Wandering => "wandering",
        }
    }
}

/// The puzzles of one mode.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Share {
    /// The mode.
    pub mode: Mode,
    /// Puzzles that ended so.
    pub rows: usize,
    /// Median of [`Path::restlessness`]; `None` without puzzles.
    pub restlessness: Option<f64>,
    /// Mean of the wrong cells after the last segment; `None` without puzzles.
    pub wrong: Option<f64>,
    /// Rules that the grid breaks after the last segment, mean; `None` without puzzles.
    #[serde(rename = "rules_broken")]
    pub energy: Option<f64>,
}

/// The share of each mode, in the order of [`Mode::ALL`].
pub fn modes(paths: &[Path], rest: f64) -> Vec<Share> {
    let share = |mode| {
        let of: Vec<&Path> = paths.iter().filter(|path| Mode::of(path, rest) == mode).collect();
        let mean = |last: fn(&Path) -> Option<&u32>| {
            let ends = of.iter().filter_map(|path| last(path)).map(|&x| f64::from(x));
            (!of.is_empty()).then(|| ends.sum::<f64>() / of.len() as f64)
        };
        Share {
            mode,
            rows: of.len(),
            restlessness: median(of.iter().map(|path| path.restlessness()).collect()),
            wrong: mean(|path| path.wrong.last()),
            energy: mean(|path| path.energy.last()),
        }
    };
    Mode::ALL.into_iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::super::path::tests::path;
    use super::*;

    #[test]
    fn every_path_has_one_mode() {
        let paths = [
            path(&[0, 0, 0, 0], &[0.5, 0.5, 0.5]),
            path(&[7, 0, 0, 0], &[0.9, 0.5, 0.1]),
            path(&[7, 5, 5, 5], &[0.01, 0.0, 0.0]),
            path(&[7, 0, 3, 5], &[0.3, 0.3, 0.6]),
            path(&[7, 0, 3, 9], &[0.3, 0.3, 0.3]),
        ];
        let of: Vec<Mode> = paths.iter().map(|path| Mode::of(path, 0.05)).collect();
        assert_eq!(of[..3], Mode::ALL[..3]);
        assert_eq!(of[3..], [Mode::Wandering; 2]);
        let shares = modes(&paths, 0.05);
        assert_eq!(shares.iter().map(|share| share.rows).collect::<Vec<_>>(), [1, 1, 1, 2]);
        assert_eq!((shares[3].wrong, shares[3].energy), (Some(7.0), Some(0.0)));
        assert!(shares[2].restlessness.unwrap() < 0.05);
        assert_eq!(modes(&[], 0.05)[0].wrong, None);
    }
}
