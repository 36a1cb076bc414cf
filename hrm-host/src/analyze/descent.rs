//! Second question: does the error of a puzzle fall step by step, or all at once?
//!
//! The mean over puzzles falls smoothly in any case. If single puzzles stay flat and then drop
//! within one segment ("grokking along segments"), the model did not come nearer before: it found
//! the answer when it met it.

use serde::Serialize;

use super::median;
use super::path::Path;

/// How the wrong cells of the puzzles that are solved late went away: `e(s)` of them after segment `s`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Descent {
    /// Puzzles that were right after the first segment and stayed so: nothing fell that could be seen.
    pub at_once: usize,
    /// Puzzles that were right at the end, and for good only after a later segment than the first.
    pub later: usize,
    /// `max_s (e(s - 1) - e(s)) / max_s e(s)` of each such puzzle, their median: the share of its highest
    /// count that one segment took away. `None` without such puzzles.
    pub largest_fall: Option<f64>,
    /// `max_s e(s)` of each such puzzle, their median: of few wrong cells any that goes is a large share.
    pub most_wrong: Option<f64>,
    /// The largest fall of the mean curve of these puzzles: what averaging makes of it.
    pub largest_fall_of_mean: Option<f64>,
    /// Mean of `e(s)` over all puzzles, whatever became of them, after each segment.
    pub mean: Vec<f64>,
}

/// Summarises how `paths` came down.
pub fn descent(paths: &[Path]) -> Descent {
    let solved = || paths.iter().filter(|path| path.solved());
    let later: Vec<Vec<f64>> =
        solved().filter(|path| path.solved_from() != Some(1)).map(Path::errors).collect();
    let every: Vec<Vec<f64>> = paths.iter().map(Path::errors).collect();
    Descent {
        at_once: solved().count() - later.len(),
        later: later.len(),
        largest_fall: median(later.iter().map(|curve| largest_fall(curve)).collect()),
        most_wrong: median(later.iter().map(|curve| highest(curve)).collect()),
        largest_fall_of_mean: (!later.is_empty()).then(|| largest_fall(&mean(&later))),
        mean: mean(&every),
    }
}

/// The largest fall from one segment to the next, as a share of the highest value; 0 of
/// a curve that never falls.
fn largest_fall(curve: &[f64]) -> f64 {
    let fall = curve.windows(2).map(|pair| pair[0] - pair[1]).fold(0.0, f64::max);
    if fall > 0.0 { fall / highest(curve) } else { 0.0 }
}

fn highest(curve: &[f64]) -> f64 {
    curve.iter().copied().fold(0.0, f64::max)
}

/// The mean of curves of equal length.
fn mean(curves: &[Vec<f64>]) -> Vec<f64> {
    let length = curves.first().map_or(0, Vec::len);
    (0..length).map(|s| curves.iter().map(|curve| curve[s]).sum::<f64>() / curves.len() as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::super::path::tests::path;
    use super::*;

    #[test]
    fn sudden_falls_make_a_smooth_mean() {
        let sudden = |at: usize| path(&(1..=8).map(|s| if s < at { 10 } else { 0 }).collect::<Vec<_>>(), &[]);
        let paths: Vec<Path> = (1..=8).map(sudden).collect();
        let found = descent(&paths);
        assert_eq!((found.at_once, found.later), (1, 7));
        assert_eq!((found.largest_fall, found.most_wrong), (Some(1.0), Some(10.0)));
        assert!((found.largest_fall_of_mean.unwrap() - 1.0 / 7.0).abs() < 1e-12);
        assert_eq!((found.mean[0], found.mean[7]), (8.75, 0.0));
    }

    #[test]
    fn a_gradual_descent_is_told_from_a_sudden_one() {
        let gradual = path(&[8, 6, 4, 2, 0], &[]);
        assert_eq!(descent(std::slice::from_ref(&gradual)).largest_fall, Some(0.25));
        let sudden = path(&[8, 8, 0, 0, 0], &[]);
        assert_eq!(descent(&[sudden, gradual]).largest_fall, Some(0.625), "between both");
        let unsolved = path(&[8, 0, 5], &[]);
        let none = descent(&[unsolved]);
        assert_eq!(
            (none.at_once, none.later, none.largest_fall, none.largest_fall_of_mean),
            (0, 0, None, None)
        );
        assert_eq!(descent(&[]).mean, [0.0; 0]);
    }
}
