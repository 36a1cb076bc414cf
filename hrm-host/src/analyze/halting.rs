//! What the halting head is worth: is the grid right where it says stop, and does it say stop
//! where the grid is right?

use serde::Serialize;

use super::path::Path;
use crate::train::eval::wilson;

/// The halting head against the answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Halting {
    /// After each segment.
    pub by_segment: Vec<Decisions>,
    /// Puzzles that it ever stops.
    pub stopped: usize,
    /// Of these, those with the right grid after the segment that it stops first.
    pub stopped_right: usize,
    /// 95 % interval of `stopped_right` among `stopped` (Wilson's).
    pub interval: [f64; 2],
    /// Puzzles whose grid is right at the end and which it never stops.
    pub missed: usize,
}

/// What it says after one segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Decisions {
    /// It says stop, and the grid is right.
    pub stop_right: usize,
    /// It says stop, and the grid is wrong.
    pub stop_wrong: usize,
    /// It goes on, and the grid is right.
    pub on_right: usize,
    /// It goes on, and the grid is wrong.
    pub on_wrong: usize,
}

impl Decisions {
    /// The share of right grids among those that it stops; `None` where it stops none.
    pub fn right_of_stopped(&self) -> Option<f64> {
        share(self.stop_right, self.stop_right + self.stop_wrong)
    }

    /// The share that it stops among the right grids; `None` where there are none.
    pub fn stopped_of_right(&self) -> Option<f64> {
        share(self.stop_right, self.stop_right + self.on_right)
    }
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Counts what the head says along `paths`.
pub fn halting(paths: &[Path]) -> Halting {
    let segments = paths.iter().map(|path| path.halts.len()).max().unwrap_or(0);
    let mut found = Halting { by_segment: vec![Decisions::default(); segments], ..Halting::default() };
    for path in paths {
        for ((decisions, halts), wrong) in found.by_segment.iter_mut().zip(&path.halts).zip(&path.wrong) {
            *match (halts, wrong) {
                (true, 0) => &mut decisions.stop_right,
                (true, _) => &mut decisions.stop_wrong,
                (false, 0) => &mut decisions.on_right,
                (false, _) => &mut decisions.on_wrong,
            } += 1;
        }
        match path.halts.iter().position(|halts| *halts) {
            Some(first) => {
                found.stopped += 1;
                found.stopped_right += usize::from(path.wrong.get(first) == Some(&0));
            }
            None => found.missed += usize::from(path.solved()),
        }
    }
    found.interval = wilson(found.stopped_right, found.stopped);
    found
}

#[cfg(test)]
mod tests {
    use super::super::path::tests::path;
    use super::*;

    #[test]
    fn every_decision_is_counted_once_and_the_first_stop_counts() {
        let halts = |wrong: &[u32], halts: &[bool]| Path { halts: halts.to_vec(), ..path(wrong, &[]) };
        let found = halting(&[
            halts(&[3, 0], &[false, true]),
            halts(&[3, 0], &[true, true]),
            halts(&[3, 0], &[false, false]),
            halts(&[3, 3], &[false, false]),
        ]);
        let first = Decisions { stop_right: 0, stop_wrong: 1, on_right: 0, on_wrong: 3 };
        let last = Decisions { stop_right: 2, stop_wrong: 0, on_right: 1, on_wrong: 1 };
        assert_eq!(found.by_segment, [first, last]);
        assert_eq!((found.stopped, found.stopped_right, found.missed), (2, 1, 1));
        assert_eq!((first.right_of_stopped(), first.stopped_of_right()), (Some(0.0), None));
        assert_eq!((last.right_of_stopped(), last.stopped_of_right()), (Some(1.0), Some(2.0 / 3.0)));
        assert_eq!(halting(&[]).interval, [0.0, 1.0]);
    }
}
