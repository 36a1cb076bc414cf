//! Two models side by side, puzzle by puzzle: the float model and its integers.

use std::ops::ControlFlow;

use serde::Serialize;

use crate::data::PuzzleSet;
use crate::train::eval::{Answers, Moment};

/// How well two models agree after a segment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Agreement {
    /// Segment, from 1.
    pub segment: usize,
    /// Puzzles asked.
    pub rows: usize,
    /// Puzzles the float model has exactly right.
    pub float_exact: usize,
    /// Puzzles the integer model has exactly right.
    pub int_exact: usize,
    /// Puzzles only the float model has right.
    pub only_float: usize,
    /// Puzzles only the integer model has right.
    pub only_int: usize,
    /// Share of cells on which both agree.
    pub same_cells: f64,
    /// Share of cells whose two best tokens are nearly tied in the float model: which is ahead
    /// is a matter of rounding.
    pub tied_cells: f64,
    /// Of the other cells, the share on which both agree.
    pub same_untied: f64,
    /// Share of puzzles on which both halting heads decide alike.
    pub same_halt: f64,
    /// Cosine of the two z_H, mean over puzzles.
    pub cosine_mean: f64,
    /// Cosine of the two z_H, the worst puzzle's.
    pub cosine_min: f64,
    /// Puzzles that both have right after the last segment: there, the two thoughts should be one.
    pub both_solve: usize,
    /// Of those, the share of cells on which both agree after this segment, the nearly tied left out.
    pub both_cells: f64,
    /// Of those, the cosine of the two z_H, mean.
    pub both_cosine: f64,
}

/// Margins up to which the two best tokens of a cell are tied: the rounding of a pack moves
/// logits by about as much.
const TIE: f32 = 0.02;

/// What one model shows after one segment.
struct Shown {
    grids: Vec<u8>,
    halts: Vec<bool>,
    z_h: Vec<f32>,
    margins: Vec<f32>,
}

impl From<Moment<'_>> for Shown {
    fn from(moment: Moment<'_>) -> Self {
        let Moment { grids, halts, z_h, margins, .. } = moment;
        Shown { grids: grids.to_vec(), halts: halts.to_vec(), z_h: z_h.to_vec(), margins: margins.to_vec() }
    }
}

/// Asks both models every puzzle of `set`; one [`Agreement`] per segment.
///
/// # Errors
/// Where either model fails.
pub fn compare<F, I, E>(
    float: &mut F,
    int: &mut I,
    set: &PuzzleSet,
    segments: usize,
) -> Result<Vec<Agreement>, E>
where
    F: Answers<Error: Into<E>>,
    I: Answers<Error: Into<E>>,
{
    compare_while(float, int, set, segments, &mut |_| ControlFlow::Continue(()))
}

/// As [`compare`]; after every batch `watch` sees how many puzzles both were asked, and where it
/// breaks off these are compared.
///
/// # Errors
/// Where either model fails.
pub fn compare_while<F, I, E>(
    float: &mut F,
    int: &mut I,
    set: &PuzzleSet,
    segments: usize,
    watch: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Result<Vec<Agreement>, E>
where
    F: Answers<Error: Into<E>>,
    I: Answers<Error: Into<E>>,
{
    let mut sums: Vec<Agreement> = (1..=segments).map(Agreement::none).collect();
    let rows: Vec<usize> = (0..set.len()).collect();
    for chunk in rows.chunks(float.batch().max(1)) {
        let puzzles: Vec<u8> = chunk.iter().flat_map(|&row| set.question(row)).copied().collect();
        let (mut left, mut right): (Vec<Shown>, Vec<Shown>) = (Vec::new(), Vec::new());
        float.answer(&puzzles, segments, &mut |moment| left.push(moment.into())).map_err(Into::into)?;
        int.answer(&puzzles, segments, &mut |moment| right.push(moment.into())).map_err(Into::into)?;
        let (Some(last_left), Some(last_right)) = (left.last(), right.last()) else { continue };
        for (i, &row) in chunk.iter().enumerate() {
            let solves = |shown: &Shown| set.is_answered(row, shown.grid(i, set.cells()));
            let both = solves(last_left) && solves(last_right);
            for ((sum, float), int) in sums.iter_mut().zip(&left).zip(&right) {
                let found = (solves(float), solves(int));
                sum.add(found, both, (float, int), (i, chunk.len()));
            }
        }
        if watch(chunk.last().map_or(0, |row| row + 1)).is_break() {
            break;
        }
    }
    for sum in &mut sums {
        let (rows, both) = (sum.rows as f64, sum.both_solve.max(1) as f64);
        let rows = rows.max(1.0);
        // Sums so far of each puzzle's share.
        sum.same_untied /= (rows - sum.tied_cells).max(f64::MIN_POSITIVE);
        sum.tied_cells /= rows;
        sum.same_cells /= rows;
        sum.same_halt /= rows;
        sum.cosine_mean /= rows;
        sum.both_cells /= both;
        sum.both_cosine /= both;
    }
    Ok(sums)
}

impl Shown {
    /// The `i`-th puzzle's grid of `cells` cells.
    fn grid(&self, i: usize, cells: usize) -> &[u8] {
        &self.grids[i * cells..(i + 1) * cells]
    }

    /// The `i`-th of `rows` puzzles' slow state.
    fn state(&self, i: usize, rows: usize) -> &[f32] {
        let size = self.z_h.len() / rows;
        &self.z_h[i * size..(i + 1) * size]
    }
}

impl Agreement {
    /// That of no puzzles.
    pub(crate) fn none(segment: usize) -> Self {
        Self {
            segment,
            rows: 0,
            float_exact: 0,
            int_exact: 0,
            only_float: 0,
            only_int: 0,
            same_cells: 0.0,
            tied_cells: 0.0,
            same_untied: 0.0,
            same_halt: 0.0,
            cosine_mean: 0.0,
            cosine_min: 1.0,
            both_solve: 0,
            both_cells: 0.0,
            both_cosine: 0.0,
        }
    }

    /// Adds the `i`-th of `rows` puzzles that both models show: which of them have it right now,
    /// and whether both solve it.
    fn add(
        &mut self,
        (float_right, int_right): (bool, bool),
        both: bool,
        (float, int): (&Shown, &Shown),
        (i, rows): (usize, usize),
    ) {
        let cells = float.grids.len() / rows;
        let pairs = float.grid(i, cells).iter().zip(int.grid(i, cells));
        let same: Vec<bool> = pairs.map(|(f, i)| f == i).collect();
        let tied = |cell: usize| float.margins.get(i * cells + cell).is_some_and(|margin| *margin <= TIE);
        let share = |count: usize| count as f64 / cells as f64;
        let tied_cells = share((0..cells).filter(|&cell| tied(cell)).count());
        let same_untied = share((0..cells).filter(|&cell| same[cell] && !tied(cell)).count());
        let same = share(same.iter().filter(|same| **same).count());
        let cosine = cosine(float.state(i, rows), int.state(i, rows));
        self.rows += 1;
        self.float_exact += usize::from(float_right);
        self.int_exact += usize::from(int_right);
        self.only_float += usize::from(float_right && !int_right);
        self.only_int += usize::from(int_right && !float_right);
        self.same_cells += same;
        self.tied_cells += tied_cells;
        self.same_untied += same_untied;
        self.same_halt += f64::from(u8::from(float.halts[i] == int.halts[i]));
        self.cosine_mean += cosine;
        self.cosine_min = self.cosine_min.min(cosine);
        if both {
            self.both_solve += 1;
            // Where all are tied, none differs.
            self.both_cells += if tied_cells < 1.0 { same_untied / (1.0 - tied_cells) } else { 1.0 };
            self.both_cosine += cosine;
        }
    }
}

/// `a·b / (|a| |b|)`; 0 where either is zero.
fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot =
        |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum() };
    let norms = (dot(a, a) * dot(b, b)).sqrt();
    if norms > 0.0 { dot(a, b) / norms } else { 0.0 }
}
