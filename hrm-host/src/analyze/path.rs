//! A model's way through one puzzle, segment by segment.

use hrm_core::task::Task;
use serde::Serialize;

use crate::data::PuzzleSet;
use crate::task::Game;
use crate::train::eval::{Answers, Moment};
use crate::train::loss::sigmoid;

/// Segments at the end of a path over which it is judged to move or to rest.
const LAST: usize = 4;

/// Where a model stood after each segment of its thought about one puzzle.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Path {
    /// Cells that differ from the answer, after each segment; 0 for another valid grid, as puzzles
    /// with several solutions have.
    pub wrong: Vec<u32>,
    /// The rules that the grid breaks after each segment: the papers' energy E, which needs no answer.
    pub energy: Vec<u32>,
    /// Whether the halting head says stop after each segment.
    pub halts: Vec<bool>,
    /// The probability by that head that the grid is right after each segment, `sigmoid(q_halt)`;
    /// empty where a model shows none.
    pub beliefs: Vec<f64>,
    /// `|z_h - z_h'| / |z_h|` from each segment's end `z_h'` to the next one's `z_h`; one fewer
    /// than there are segments.
    pub moved: Vec<f64>,
}

impl Path {
    /// [`Self::wrong`] as a curve.
    pub fn errors(&self) -> Vec<f64> {
        self.wrong.iter().copied().map(f64::from).collect()
    }

    /// Whether the grid is right after the last segment.
    pub fn solved(&self) -> bool {
        self.wrong.last() == Some(&0)
    }

    /// Whether it was right after any segment.
    pub fn ever_solved(&self) -> bool {
        self.wrong.contains(&0)
    }

    /// The first segment (from 1) after which the grid is right and stays so; `None`
    /// where it is wrong at the end.
    pub fn solved_from(&self) -> Option<usize> {
        let wrong_until = self.wrong.iter().rposition(|&wrong| wrong != 0).map_or(0, |last| last + 1);
        (wrong_until < self.wrong.len()).then_some(wrong_until + 1)
    }

    /// Mean of the last four moves (of all, where there are fewer): 0 at a fixed point. It needs no answer.
    pub fn restlessness(&self) -> f64 {
        let last = &self.moved[self.moved.len().saturating_sub(LAST)..];
        last.iter().sum::<f64>() / last.len().max(1) as f64
    }
}

/// Lets `model` think `segments` segments about every puzzle of `set`; `watch` sees all ways
/// so far after every batch.
///
/// # Errors
/// Where the model fails.
pub fn follow<A: Answers>(
    model: &mut A,
    set: &PuzzleSet,
    segments: usize,
    watch: &mut dyn FnMut(&[Path]),
) -> Result<Vec<Path>, A::Error> {
    let (task, cells) = (set.task(), set.cells());
    let mut paths = Vec::with_capacity(set.len());
    let rows: Vec<usize> = (0..set.len()).collect();
    for chunk in rows.chunks(model.batch().max(1)) {
        let puzzles: Vec<u8> = chunk.iter().flat_map(|&row| set.question(row)).copied().collect();
        let mut walked = vec![Path::default(); chunk.len()];
        let mut before: Vec<f32> = Vec::new();
        model.answer(&puzzles, segments, &mut |Moment { grids, halts, q_halts, z_h, .. }| {
            let size = z_h.len() / chunk.len();
            for (i, (path, grid)) in walked.iter_mut().zip(grids.chunks_exact(cells)).enumerate() {
                path.stand(&task, grid, (set.question(chunk[i]), set.answer(chunk[i])));
                path.halts.push(halts[i]);
                path.beliefs.extend(q_halts.get(i).map(|&q| f64::from(sigmoid(q))));
                let state = i * size..(i + 1) * size;
                if let Some(before) = before.get(state.clone()) {
                    path.moved.push(distance(&z_h[state], before));
                }
            }
            before.clear();
            before.extend(z_h);
        })?;
        paths.extend(walked);
        watch(&paths);
    }
    Ok(paths)
}

impl Path {
    pub(super) fn stand(&mut self, task: &Game, grid: &[u8], (question, answer): (&[u8], &[u8])) {
        let apart = || grid.iter().zip(answer).filter(|(a, b)| a != b).count() as u32;
        self.wrong.push(if task.accepts(question, grid) { 0 } else { apart() });
        self.energy.push(task.energy(question, grid));
    }

    pub(super) fn rest(&mut self, states: &[Vec<f64>]) {
        self.moved = states.windows(2).map(|pair| distance(&pair[1], &pair[0])).collect();
    }
}

/// `|a - b| / |a|`; 0 where both are 0.
fn distance<T: Copy + Into<f64>>(a: &[T], b: &[T]) -> f64 {
    let square = |x: f64| x * x;
    let apart: f64 = a.iter().zip(b).map(|(&a, &b)| square(a.into() - b.into())).sum();
    let size: f64 = a.iter().map(|&a| square(a.into())).sum();
    if apart > 0.0 { (apart / size).sqrt() } else { 0.0 }
}

#[cfg(test)]
pub(super) mod tests {
    use std::convert::Infallible;

    use hrm_core::task::sudoku::{Sudoku, SudokuKind};

    use super::*;
    use crate::data::Puzzle;

    pub(in crate::analyze) const ANSWER: [u8; 16] = [2, 3, 5, 4, 4, 5, 3, 2, 5, 4, 2, 3, 3, 2, 4, 5];

    /// A path that had `wrong` cells wrong and moved by `moved`.
    pub(in crate::analyze) fn path(wrong: &[u32], moved: &[f64]) -> Path {
        Path { wrong: wrong.to_vec(), moved: moved.to_vec(), ..Path::default() }
    }

    /// Answers the first puzzle from the second segment on and never the second; its state is
    /// (segment, 0) for the first.
    struct Script;

    impl Answers for Script {
        type Error = Infallible;

        fn batch(&self) -> usize {
            2
        }

        fn answer(
            &mut self,
            _: &[u8],
            segments: usize,
            seen: &mut dyn FnMut(Moment<'_>),
        ) -> Result<(), Infallible> {
            for segment in 1..=segments {
                let first = if segment > 1 { ANSWER } else { [2; 16] };
                let z_h = [segment as f32, 0.0, 0.0, 3.0];
                seen(Moment {
                    grids: &[first, [2; 16]].concat(),
                    halts: &[segment > 1, false],
                    q_halts: &[0.0, -100.0],
                    z_h: &z_h,
                    margins: &[],
                });
            }
            Ok(())
        }
    }

    #[test]
    fn a_path_tells_errors_energy_and_moves() {
        let mut set = PuzzleSet::new(Sudoku::new(SudokuKind::Four));
        for _ in 0..2 {
            set.push(Puzzle { question: &ANSWER, answer: &ANSWER, source: "test", rating: None });
        }
        let paths = follow(&mut Script, &set, 4, &mut |_| ()).unwrap();
        // A grid of ones: three repeats in each of twelve units.
        assert_eq!(
            paths[0],
            Path {
                wrong: vec![12, 0, 0, 0],
                energy: vec![36, 0, 0, 0],
                halts: vec![false, true, true, true],
                beliefs: vec![0.5; 4],
                moved: vec![0.5, 1.0 / 3.0, 0.25],
            }
        );
        assert_eq!(paths[1].wrong, [12; 4]);
        assert!(paths[1].beliefs.iter().all(|&belief| belief < 1e-9) && paths[1].beliefs.len() == 4);
        assert_eq!(paths[1].moved, [0.0; 3], "it rests");
        assert_eq!((paths[0].solved_from(), paths[1].solved_from()), (Some(2), None));
        assert_eq!(paths[1].restlessness(), 0.0);
    }

    #[test]
    fn another_valid_grid_is_not_wrong() {
        // The first two rows may be exchanged; the set's answer has them the other way round.
        let mut question = ANSWER;
        question[..8].fill(hrm_core::task::sudoku::BLANK);
        let other = [&ANSWER[4..8], &ANSWER[..4], &ANSWER[8..]].concat();
        let mut set = PuzzleSet::new(Sudoku::new(SudokuKind::Four));
        for _ in 0..2 {
            set.push(Puzzle { question: &question, answer: &other, source: "test", rating: None });
        }
        let paths = follow(&mut Script, &set, 3, &mut |_| ()).unwrap();
        assert_eq!((paths[0].solved_from(), paths[1].solved_from()), (Some(2), None));
    }

    #[test]
    fn what_was_found_may_be_lost_again() {
        let lost = path(&[3, 0, 1], &[]);
        assert!(lost.ever_solved() && !lost.solved());
        assert_eq!(lost.solved_from(), None);
        assert_eq!(path(&[0, 0], &[]).solved_from(), Some(1));
        assert_eq!(path(&[0, 4, 0], &[]).solved_from(), Some(3));
        assert_eq!(path(&[1], &[9.0, 1.0, 2.0, 3.0, 4.0]).restlessness(), 2.5);
        assert_eq!(path(&[1], &[]).restlessness(), 0.0);
    }
}
