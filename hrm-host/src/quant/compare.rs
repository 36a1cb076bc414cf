//! Two models side by side, puzzle by puzzle: the float model and its integers.

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
    /// Share of puzzles on which both halting heads decide alike.
    pub same_halt: f64,
    /// Cosine of the two z_H, mean over puzzles.
    pub cosine_mean: f64,
    /// Cosine of the two z_H, the worst puzzle's.
    pub cosine_min: f64,
}

/// What one model shows after one segment.
struct Shown {
    grids: Vec<u8>,
    halts: Vec<bool>,
    z_h: Vec<f32>,
}

impl From<Moment<'_>> for Shown {
    fn from(moment: Moment<'_>) -> Self {
        Shown { grids: moment.grids.to_vec(), halts: moment.halts.to_vec(), z_h: moment.z_h.to_vec() }
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
    let mut sums: Vec<Agreement> = (1..=segments).map(Agreement::none).collect();
    let rows: Vec<usize> = (0..set.len()).collect();
    for chunk in rows.chunks(float.batch().max(1)) {
        let puzzles: Vec<u8> = chunk.iter().flat_map(|&row| set.question(row)).copied().collect();
        let (mut left, mut right): (Vec<Shown>, Vec<Shown>) = (Vec::new(), Vec::new());
        float.answer(&puzzles, segments, &mut |moment| left.push(moment.into())).map_err(Into::into)?;
        int.answer(&puzzles, segments, &mut |moment| right.push(moment.into())).map_err(Into::into)?;
        for ((sum, float), int) in sums.iter_mut().zip(&left).zip(&right) {
            for (i, &row) in chunk.iter().enumerate() {
                sum.add(set.answer(row), (float, int), i, chunk.len());
            }
        }
    }
    for sum in &mut sums {
        let rows = sum.rows.max(1) as f64;
        sum.same_cells /= rows;
        sum.same_halt /= rows;
        sum.cosine_mean /= rows;
    }
    Ok(sums)
}

impl Agreement {
    fn none(segment: usize) -> Self {
        Self {
            segment,
            rows: 0,
            float_exact: 0,
            int_exact: 0,
            only_float: 0,
            only_int: 0,
            same_cells: 0.0,
            same_halt: 0.0,
            cosine_mean: 0.0,
            cosine_min: 1.0,
        }
    }

    /// Adds the `i`-th of `rows` puzzles that both models show.
    fn add(&mut self, answer: &[u8], (float, int): (&Shown, &Shown), i: usize, rows: usize) {
        let cells = answer.len();
        let grid = |shown: &Shown| shown.grids[i * cells..(i + 1) * cells].to_vec();
        let state = |shown: &Shown| {
            let size = shown.z_h.len() / rows;
            shown.z_h[i * size..(i + 1) * size].to_vec()
        };
        let (float_grid, int_grid) = (grid(float), grid(int));
        let (float_right, int_right) = (float_grid == answer, int_grid == answer);
        self.rows += 1;
        self.float_exact += usize::from(float_right);
        self.int_exact += usize::from(int_right);
        self.only_float += usize::from(float_right && !int_right);
        self.only_int += usize::from(int_right && !float_right);
        let same = float_grid.iter().zip(&int_grid).filter(|(f, i)| f == i).count();
        self.same_cells += same as f64 / cells as f64;
        self.same_halt += f64::from(u8::from(float.halts[i] == int.halts[i]));
        let cosine = cosine(&state(float), &state(int));
        self.cosine_mean += cosine;
        self.cosine_min = self.cosine_min.min(cosine);
    }
}

/// `a·b / (|a| |b|)`; 0 where either is zero.
fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot =
        |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum() };
    let norms = (dot(a, a) * dot(b, b)).sqrt();
    if norms > 0.0 { dot(a, b) / norms } else { 0.0 }
}
