//! Exact accuracy with a growing number of hints, for any model that answers puzzles.

use std::ops::ControlFlow;

use candle_core::{DType, Tensor};
use serde::{Deserialize, Serialize};

use super::error::TrainError;
use super::loss::argmax;
use super::rows::wants_to_stop;
use crate::data::PuzzleSet;
use crate::data::hints::with_hints;
use crate::model::{Gradient, Hrm};

/// Where a batch of puzzles stands after a segment.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// Decoded grids, (rows, cells) tokens.
    pub grids: &'a [u8],
    /// Which rows would halt.
    pub halts: &'a [bool],
    /// `q_halt` of each row: the logit that its grid is right; empty where a model has none to show.
    pub q_halts: &'a [f32],
    /// The slow state in real units, (rows, sequence, width); empty where a model has none to show.
    pub z_h: &'a [f32],
    /// By how much each cell's best token is ahead of the next, in parts of how far the puzzle's logits
    /// spread; empty where a model has no logits to show.
    pub margins: &'a [f32],
}

/// Anything that answers puzzles segment by segment.
pub trait Answers {
    /// Why it cannot.
    type Error;

    /// Rows it likes to be given at once.
    fn batch(&self) -> usize;

    /// Thinks `segments` segments about `puzzles` ((rows, cells) tokens) and shows `seen` where it
    /// stands after every segment.
    ///
    /// # Errors
    /// Where the model fails.
    fn answer(
        &mut self,
        puzzles: &[u8],
        segments: usize,
        seen: &mut dyn FnMut(Moment<'_>),
    ) -> Result<(), Self::Error>;
}

/// The float model.
pub struct FloatModel {
    /// The model.
    pub hrm: Hrm,
    /// Rows at once.
    pub batch: usize,
}

impl Answers for FloatModel {
    type Error = TrainError;

    fn batch(&self) -> usize {
        self.batch
    }

    fn answer(
        &mut self,
        puzzles: &[u8],
        segments: usize,
        seen: &mut dyn FnMut(Moment<'_>),
    ) -> Result<(), TrainError> {
        let config = self.hrm.config();
        let (cells, vocab, second) = (config.cells(), config.vocab(), config.second_head());
        let rows = puzzles.len() / cells;
        let tokens = Tensor::from_slice(puzzles, (rows, cells), self.hrm.device())?.to_dtype(DType::U32)?;
        let mut carry = self.hrm.initial_carry(rows)?;
        for _ in 0..segments {
            let output = self.hrm.segment(&carry, &tokens, Gradient::None)?;
            let logits: Vec<f32> = output.logits.flatten_all()?.to_vec1()?;
            let grids: Vec<u8> = logits.chunks_exact(vocab).map(|x| argmax(x) as u8).collect();
            let q = output.q.to_vec2::<f32>()?;
            let halts: Vec<bool> = q.iter().map(|q| wants_to_stop(q, second)).collect();
            let z_h: Vec<f32> = output.carry.z_h.flatten_all()?.to_vec1()?;
            let margins: Vec<f32> =
                logits.chunks_exact(cells * vocab).flat_map(|row| margins(row, vocab)).collect();
            let q_halts: Vec<f32> = q.iter().filter_map(|q| q.first()).copied().collect();
            seen(Moment { grids: &grids, halts: &halts, q_halts: &q_halts, z_h: &z_h, margins: &margins });
            carry = output.carry;
        }
        Ok(())
    }
}

/// The margins of a puzzle's cells, from their logits, (cells, `vocab`); see [`Moment::margins`].
fn margins(logits: &[f32], vocab: usize) -> Vec<f32> {
    let spread = |cell: &[f32]| {
        let mean = cell.iter().sum::<f32>() / vocab as f32;
        cell.iter().map(|logit| (logit - mean) * (logit - mean)).sum::<f32>()
    };
    let spread = (logits.chunks_exact(vocab).map(spread).sum::<f32>() / logits.len() as f32).sqrt();
    let margin = |cell: &[f32]| {
        let ahead = |(best, next): (f32, f32), &logit: &f32| (best.max(logit), next.max(best.min(logit)));
        let (best, next) = cell.iter().fold((f32::NEG_INFINITY, f32::NEG_INFINITY), ahead);
        (best - next) / spread.max(f32::MIN_POSITIVE)
    };
    logits.chunks_exact(vocab).map(margin).collect()
}

/// What came of one puzzle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Right after the last segment.
    pub exact: bool,
    /// Right after the segment at which the model would have halted (the last one where it would not).
    pub exact_at_halt: bool,
    /// That segment, counted from 1.
    pub halted: u32,
    /// Cells right after the last segment.
    pub right_cells: u32,
}

/// Exact accuracy at one share of hints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// Per cent of the blanks that were filled in.
    pub hints: u8,
    /// Puzzles asked.
    pub rows: usize,
    /// Share answered right after the last segment.
    pub exact: f64,
    /// 95 % interval of `exact` (Wilson's).
    pub interval: [f64; 2],
    /// Share right where the model would have halted.
    pub exact_at_halt: f64,
    /// Mean segment at which it would have halted.
    pub mean_halt: f64,
    /// Share of right cells after the last segment.
    pub cells: f64,
    /// Share right after each segment.
    pub by_segment: Vec<f64>,
    /// Each puzzle's outcome, in the order of the set, for paired comparisons.
    #[serde(skip)]
    pub outcomes: Vec<Outcome>,
}

/// Asks `model` every puzzle of `set` with `hints` per cent of its blanks filled (chosen by `seed`).
///
/// # Errors
/// Where the model fails.
pub fn evaluate<A: Answers>(
    model: &mut A,
    set: &PuzzleSet,
    hints: u8,
    segments: usize,
    seed: u64,
) -> Result<Level, A::Error> {
    evaluate_while(model, (set, hints), segments, seed, &mut |_| ControlFlow::Continue(()))
}

/// As [`evaluate`]; after every batch `watch` sees all outcomes so far, and where it breaks off
/// they are what is measured.
///
/// # Errors
/// Where the model fails.
pub fn evaluate_while<A: Answers>(
    model: &mut A,
    (set, hints): (&PuzzleSet, u8),
    segments: usize,
    seed: u64,
    watch: &mut dyn FnMut(&[Outcome]) -> ControlFlow<()>,
) -> Result<Level, A::Error> {
    let cells = set.cells();
    let eased = with_hints(set, hints, seed);
    let mut outcomes = Vec::with_capacity(set.len());
    let mut solved = vec![0usize; segments];
    let rows: Vec<usize> = (0..set.len()).collect();
    for chunk in rows.chunks(model.batch().max(1)) {
        let puzzles: Vec<u8> = chunk.iter().flat_map(|&row| eased.question(row)).copied().collect();
        let mut batch =
            vec![Outcome { exact: false, exact_at_halt: false, halted: 0, right_cells: 0 }; chunk.len()];
        let mut segment = 0;
        model.answer(&puzzles, segments, &mut |Moment { grids, halts, .. }| {
            segment += 1;
            for (i, grid) in grids.chunks_exact(cells).enumerate() {
                let (outcome, row) = (&mut batch[i], chunk[i]);
                outcome.exact = eased.is_answered(row, grid);
                let equal = || grid.iter().zip(set.answer(row)).filter(|(a, b)| a == b).count();
                outcome.right_cells = if outcome.exact { cells } else { equal() } as u32;
                solved[segment - 1] += usize::from(outcome.exact);
                if outcome.halted == 0 && (halts[i] || segment == segments) {
                    outcome.halted = segment as u32;
                    outcome.exact_at_halt = outcome.exact;
                }
            }
        })?;
        outcomes.extend(batch);
        if watch(&outcomes).is_break() {
            break;
        }
    }
    Ok(summarize(hints, cells, solved, outcomes))
}

fn summarize(hints: u8, cells: usize, solved: Vec<usize>, outcomes: Vec<Outcome>) -> Level {
    let rows = outcomes.len();
    let share = |count: usize| count as f64 / rows.max(1) as f64;
    let exact = outcomes.iter().filter(|o| o.exact).count();
    Level {
        hints,
        rows,
        exact: share(exact),
        interval: wilson(exact, rows),
        exact_at_halt: share(outcomes.iter().filter(|o| o.exact_at_halt).count()),
        mean_halt: share(outcomes.iter().map(|o| o.halted as usize).sum()),
        cells: share(outcomes.iter().map(|o| o.right_cells as usize).sum()) / cells as f64,
        by_segment: solved.into_iter().map(share).collect(),
        outcomes,
    }
}

/// Wilson's 95 % interval of a share of `hits` among `rows`; (0, 1) where there are no rows.
pub fn wilson(hits: usize, rows: usize) -> [f64; 2] {
    if rows == 0 {
        return [0.0, 1.0];
    }
    const Z: f64 = 1.959_963_984_540_054;
    let (n, p) = (rows as f64, hits as f64 / rows as f64);
    let scale = 1.0 / (1.0 + Z * Z / n);
    let centre = (p + Z * Z / (2.0 * n)) * scale;
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt() * scale;
    // At the ends the formula gives 0 and 1, which rounding must not miss.
    let low = if hits == 0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if hits == rows { 1.0 } else { (centre + half).min(1.0) };
    [low, high]
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use hrm_core::task::sudoku::{BLANK, Sudoku, SudokuKind};

    use super::*;
    use crate::data::Puzzle;

    const ANSWER: [u8; 16] = [2, 3, 5, 4, 4, 5, 3, 2, 5, 4, 2, 3, 3, 2, 4, 5];

    /// Fills one more blank with the right digit in every segment, and halts when none is left.
    struct OnePerSegment;

    impl Answers for OnePerSegment {
        type Error = Infallible;

        fn batch(&self) -> usize {
            2
        }

        fn answer(
            &mut self,
            puzzles: &[u8],
            segments: usize,
            seen: &mut dyn FnMut(Moment<'_>),
        ) -> Result<(), Infallible> {
            let mut grids = puzzles.to_vec();
            for _ in 0..segments {
                for grid in grids.chunks_exact_mut(16) {
                    if let Some(blank) = grid.iter().position(|&t| t == BLANK) {
                        grid[blank] = ANSWER[blank];
                    }
                }
                let halts: Vec<bool> = grids.chunks_exact(16).map(|g| !g.contains(&BLANK)).collect();
                seen(Moment { grids: &grids, halts: &halts, q_halts: &[], z_h: &[], margins: &[] });
            }
            Ok(())
        }
    }

    #[test]
    fn accuracy_counts_whole_grids() {
        let mut set = PuzzleSet::new(Sudoku::new(SudokuKind::Four));
        for blanks in [1, 2, 3, 8] {
            let mut question = ANSWER;
            question[..blanks].fill(BLANK);
            set.push(Puzzle { question: &question, answer: &ANSWER, source: "test", rating: None });
        }
        let level = evaluate(&mut OnePerSegment, &set, 0, 4, 1).unwrap();
        assert_eq!(level.by_segment, [0.25, 0.5, 0.75, 0.75]);
        assert_eq!((level.rows, level.exact, level.exact_at_halt), (4, 0.75, 0.75));
        assert_eq!(level.mean_halt, (1.0 + 2.0 + 3.0 + 4.0) / 4.0);
        assert_eq!(level.cells, (16.0 * 3.0 + 12.0) / 64.0);
        assert_eq!(level.outcomes.iter().map(|o| o.exact).collect::<Vec<_>>(), [true, true, true, false]);
        // Half of the blanks given: 4 of 8 remain, which 4 segments fill.
        assert_eq!(evaluate(&mut OnePerSegment, &set, 50, 4, 1).unwrap().exact, 1.0);
    }

    #[test]
    fn any_valid_grid_is_an_answer_and_what_is_watched_can_be_ended() {
        // Two rows of a solved grid may be exchanged; the set's answer is the one that
        // the model does not give.
        let mut question = ANSWER;
        question[..8].fill(BLANK);
        let other = [&ANSWER[4..8], &ANSWER[..4], &ANSWER[8..]].concat();
        let mut set = PuzzleSet::new(Sudoku::new(SudokuKind::Four));
        for _ in 0..6 {
            set.push(Puzzle { question: &question, answer: &other, source: "test", rating: None });
        }
        let mut seen = 0;
        let level = evaluate_while(&mut OnePerSegment, (&set, 0), 8, 1, &mut |outcomes| {
            seen = outcomes.len();
            if seen < 4 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        let level = level.unwrap();
        assert_eq!((seen, level.rows, level.exact, level.cells), (4, 4, 1.0, 1.0));
    }

    #[test]
    fn the_interval_is_wilsons() {
        // 8 of 10: 0.490 to 0.943, a textbook example.
        let [low, high] = wilson(8, 10);
        assert!((low - 0.4902).abs() < 1e-4 && (high - 0.9433).abs() < 1e-4, "{low} {high}");
        assert_eq!(wilson(0, 0), [0.0, 1.0]);
        assert!(wilson(10, 10)[1] == 1.0 && wilson(10, 10)[0] > 0.7);
        assert!(wilson(0, 10)[0] == 0.0 && wilson(0, 10)[1] < 0.3);
    }
}
