//! The float model and the integer model side by side, puzzle by puzzle.

use candle_core::{D, Device, Tensor};
use hrm_core::trace::Values;
use hrm_core::{Halt, Hrm as IntegerHrm, Pack, Reasoner, workspace_bytes};
use rayon::prelude::*;
use serde::Serialize;

use super::QuantError;
use crate::model::Hrm;

/// Puzzles run together by the float model.
const BATCH: usize = 32;

/// What one model makes of one puzzle after one segment.
#[derive(Clone, Debug)]
pub struct Moment {
    /// Decoded tokens.
    pub grid: Vec<u8>,
    /// Whether the halting head wants to stop.
    pub halts: bool,
    /// z_H, (sequence, width), in real units; empty where not asked for.
    pub z_h: Vec<f32>,
}

/// How well the two agree after a segment.
#[derive(Clone, Debug, Serialize)]
pub struct Agreement {
    /// Segment, from 1.
    pub segment: usize,
    /// Puzzles the float model has exactly right.
    pub float_exact: usize,
    /// Puzzles the integer model has exactly right.
    pub int_exact: usize,
    /// Puzzles only the float model has right.
    pub only_float: usize,
    /// Puzzles only the integer model has right.
    pub only_int: usize,
    /// Cells on which both agree, as a fraction.
    pub same_cells: f64,
    /// Puzzles on which both halting heads decide alike, as a fraction.
    pub same_halt: f64,
    /// Cosine of the two z_H, mean over puzzles.
    pub cosine_mean: f64,
    /// Cosine of the two z_H, the worst puzzle's.
    pub cosine_min: f64,
}

/// Runs the float model; result `[puzzle][segment]`.
///
/// # Errors
/// The float model's own.
pub fn run_float(
    model: &Hrm,
    puzzles: &[Vec<u8>],
    segments: usize,
    states: bool,
) -> Result<Vec<Vec<Moment>>, QuantError> {
    let mut all = Vec::with_capacity(puzzles.len());
    for batch in puzzles.chunks(BATCH) {
        let tokens: Vec<u32> = batch.iter().flatten().map(|t| u32::from(*t)).collect();
        let tokens = Tensor::from_vec(tokens, (batch.len(), model.config().cells()), &Device::Cpu)?;
        let mut carry = model.initial_carry(batch.len())?;
        let mut rows: Vec<Vec<Moment>> = vec![Vec::with_capacity(segments); batch.len()];
        for _ in 0..segments {
            let out = model.segment(&carry, &tokens, crate::model::Gradient::None)?;
            let grids: Vec<Vec<u32>> = out.logits.argmax(D::Minus1)?.to_vec2()?;
            let q: Vec<Vec<f32>> = out.q.to_vec2()?;
            let z_h: Vec<Vec<f32>> = if states {
                out.carry.z_h.flatten_from(1)?.to_vec2()?
            } else {
                vec![Vec::new(); batch.len()]
            };
            for (((row, grid), q), z_h) in rows.iter_mut().zip(grids).zip(q).zip(z_h) {
                row.push(Moment {
                    grid: grid.iter().map(|t| *t as u8).collect(),
                    halts: q[0] > q.get(1).copied().unwrap_or(0.0),
                    z_h,
                });
            }
            carry = out.carry;
        }
        all.extend(rows);
    }
    Ok(all)
}

/// Runs the integer model on all processors; result `[puzzle][segment]`.
///
/// # Errors
/// A member that the pack does not have.
pub fn run_integer(
    pack: &Pack<'_>,
    member: usize,
    puzzles: &[Vec<u8>],
    segments: usize,
    states: bool,
) -> Result<Vec<Vec<Moment>>, QuantError> {
    let step = pack.member(member).params.state_step as f32 / 65536.0;
    let words = workspace_bytes(pack.shape()) / 4;
    let runs = puzzles.par_iter().map_init(
        || vec![0u32; words],
        |memory, puzzle| {
            let mut model = IntegerHrm::new(*pack, memory)?;
            model.begin(member, puzzle);
            let mut row = Vec::with_capacity(segments);
            for _ in 0..segments {
                let finished = model.segment(&mut ());
                debug_assert!(finished.is_ok(), "the unit trace never cancels");
                let halt: Halt = model.halt();
                let z_h = match (states, model.z_h()) {
                    (false, _) => Vec::new(),
                    (true, Values::I8(z)) => z.iter().map(|z| f32::from(*z) * step).collect(),
                    (true, Values::I16(z)) => z.iter().map(|z| f32::from(*z) * step).collect(),
                    (true, Values::I32(z)) => z.iter().map(|z| *z as f32 * step).collect(),
                };
                row.push(Moment { grid: model.grid().to_vec(), halts: halt.wants_to_stop(), z_h });
            }
            Ok(row)
        },
    );
    runs.collect()
}

/// Compares two runs over the same puzzles; `answers` are the right grids.
pub fn agreement(float: &[Vec<Moment>], int: &[Vec<Moment>], answers: &[Vec<u8>]) -> Vec<Agreement> {
    let segments = float.first().map_or(0, Vec::len);
    let puzzles = answers.len().max(1) as f64;
    (0..segments)
        .map(|s| {
            let mut a = Agreement {
                segment: s + 1,
                float_exact: 0,
                int_exact: 0,
                only_float: 0,
                only_int: 0,
                same_cells: 0.0,
                same_halt: 0.0,
                cosine_mean: 0.0,
                cosine_min: 1.0,
            };
            for ((float, int), answer) in float.iter().zip(int).zip(answers) {
                let (float, int) = (&float[s], &int[s]);
                let (float_right, int_right) = (float.grid == *answer, int.grid == *answer);
                a.float_exact += usize::from(float_right);
                a.int_exact += usize::from(int_right);
                a.only_float += usize::from(float_right && !int_right);
                a.only_int += usize::from(int_right && !float_right);
                let same = float.grid.iter().zip(&int.grid).filter(|(f, i)| f == i).count();
                a.same_cells += same as f64 / answer.len() as f64 / puzzles;
                a.same_halt += f64::from(u8::from(float.halts == int.halts)) / puzzles;
                let cosine = cosine(&float.z_h, &int.z_h);
                a.cosine_mean += cosine / puzzles;
                a.cosine_min = a.cosine_min.min(cosine);
            }
            a
        })
        .collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot =
        |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum() };
    let norms = (dot(a, a) * dot(b, b)).sqrt();
    if norms > 0.0 { dot(a, b) / norms } else { 0.0 }
}
