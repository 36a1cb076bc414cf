//! The energy of the answers around the place where a thought ended, and where one more segment would lead from there.
//!
//! With `u`, `v` the first two principal components of the slow state after each segment and `z_h` the last of them, the
//! landscape at `(a, b)` is the energy of the grid that the model reads out of `z_h + a u + b v`. Arrows take that state
//! and the last fast state through one segment. Grids read out of states that no thought ever had are extrapolations: the
//! picture shows valleys, not proofs.

use candle_core::{DType, Result, Tensor};
use hrm_core::task::Task;
use serde::Serialize;

use super::path::Path;
use super::plane::Plane;
use crate::model::{Carry, Gradient, Hrm};
use crate::task::Game;
use crate::train::loss::argmax;

/// Places along each side of the landscape; odd, so that one is where the thought ended.
pub const SIDE: usize = 41;
/// Arrows along each side.
pub const ARROWS: usize = 11;
/// How far the landscape reaches, in units of the path's own reach along that axis.
const REACH: f64 = 1.2;
/// The least it reaches along an axis, as a share of the longer one.
const LEAST: f64 = 0.1;

/// The surroundings of one thought's end, in the plane in which it moved most.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Landscape {
    /// How the thought went.
    pub path: Path,
    /// The landscape covers `-extent ..= extent` along each axis, in units of the state.
    pub extent: [f64; 2],
    /// Share of the path's variance along each axis.
    pub explained: [f64; 2],
    /// Energy at each of `SIDE * SIDE` places, the second coordinate's smallest row first.
    pub energy: Vec<u32>,
    /// Where the state was after each segment; the last is the origin.
    pub trace: Vec<[f64; 2]>,
    /// Places, and where one segment leads from there.
    pub arrows: Vec<[[f64; 2]; 2]>,
}

impl Landscape {
    /// Lets `hrm` think `segments` segments about `puzzle` and looks around.
    ///
    /// # Errors
    /// Where the model fails.
    pub fn of(hrm: &Hrm, task: &Game, (puzzle, answer): (&[u8], &[u8]), segments: usize) -> Result<Self> {
        let tokens = Tensor::from_slice(puzzle, (1, puzzle.len()), hrm.device())?.to_dtype(DType::U32)?;
        let mut carry = hrm.initial_carry(1)?;
        let mut path = Path::default();
        let mut states: Vec<Vec<f64>> = Vec::new();
        for _ in 0..segments {
            let output = hrm.segment(&carry, &tokens, Gradient::None)?;
            path.stand(task, &grids(&output.logits)?[0], (puzzle, answer));
            carry = output.carry;
            states.push(carry.z_h.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?);
        }
        path.rest(&states);
        let plane = Plane::through(&states);
        let end = states.last().cloned().unwrap_or_default();
        let origin = plane.project(&end);
        let place = |state: &[f64]| {
            let at = plane.project(state);
            [at[0] - origin[0], at[1] - origin[1]]
        };
        let trace: Vec<[f64; 2]> = states.iter().map(|state| place(state)).collect();
        let extent = extent(&trace, end.iter().map(|x| x * x).sum::<f64>().sqrt());
        let around = Around { hrm, tokens: &tokens, carry: &carry, end: &end, plane: &plane };

        let mut energy = Vec::with_capacity(SIDE * SIDE);
        for row in places(extent, SIDE).chunks_exact(SIDE) {
            let scores = hrm.read_out(&around.states(row)?)?;
            energy.extend(grids(&scores)?.iter().map(|grid| task.energy(puzzle, grid)));
        }
        let mut arrows = Vec::with_capacity(ARROWS * ARROWS);
        for row in places(extent, ARROWS).chunks_exact(ARROWS) {
            let ends = around.one_segment_on(row)?;
            arrows.extend(row.iter().zip(&ends).map(|(from, to)| [*from, place(to)]));
        }
        Ok(Self { path, extent, explained: plane.explained, energy, trace, arrows })
    }

    /// Where each number of `energy` belongs.
    pub fn places(&self) -> impl Iterator<Item = [f64; 2]> + use<> {
        places(self.extent, SIDE).into_iter()
    }
}

/// The end of a thought, and the plane to look around in.
struct Around<'a> {
    hrm: &'a Hrm,
    tokens: &'a Tensor,
    carry: &'a Carry,
    end: &'a [f64],
    plane: &'a Plane,
}

impl Around<'_> {
    /// The states at `places`, `[places, sequence, width]`.
    fn states(&self, places: &[[f64; 2]]) -> Result<Tensor> {
        let [u, v] = &self.plane.axes;
        let state = |&[a, b]: &[f64; 2]| {
            let moved = self.end.iter().zip(u.iter().zip(v)).map(move |(z, (u, v))| z + a * u + b * v);
            moved.map(|z| z as f32).collect::<Vec<_>>()
        };
        let (_, sequence, width) = self.carry.z_h.dims3()?;
        let states: Vec<f32> = places.iter().flat_map(state).collect();
        Tensor::from_vec(states, (places.len(), sequence, width), self.hrm.device())
    }

    /// The slow states one segment after those at `places`.
    fn one_segment_on(&self, places: &[[f64; 2]]) -> Result<Vec<Vec<f64>>> {
        let z_h = self.states(places)?;
        let z_l = self.carry.z_l.broadcast_as(z_h.shape())?.contiguous()?;
        let tokens = self.tokens.broadcast_as((places.len(), self.tokens.dim(1)?))?.contiguous()?;
        let output = self.hrm.segment(&Carry { z_h, z_l }, &tokens, Gradient::None)?;
        output.carry.z_h.to_dtype(DType::F64)?.flatten_from(1)?.to_vec2()
    }
}

/// How far the landscape reaches along each axis; a tenth of the state's norm `size` where the path stays in one place.
fn extent(trace: &[[f64; 2]], size: f64) -> [f64; 2] {
    let reach = [0, 1].map(|axis| REACH * trace.iter().map(|at| at[axis].abs()).fold(0.0, f64::max));
    let longer = reach[0].max(reach[1]);
    if longer > 1e-6 * size { reach.map(|reach| reach.max(LEAST * longer)) } else { [LEAST * size; 2] }
}

/// `side * side` evenly spaced places, the second coordinate's smallest row first.
fn places(extent: [f64; 2], side: usize) -> Vec<[f64; 2]> {
    let at = |i: usize, extent: f64| extent * (2.0 * i as f64 / (side - 1) as f64 - 1.0);
    (0..side * side).map(|i| [at(i % side, extent[0]), at(i / side, extent[1])]).collect()
}

/// The best token of every cell, for each of a batch.
fn grids(scores: &Tensor) -> Result<Vec<Vec<u8>>> {
    let scores = scores.to_vec3::<f32>()?;
    Ok(scores.iter().map(|cells| cells.iter().map(|cell| argmax(cell) as u8).collect()).collect())
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use hrm_core::task::sudoku::{Sudoku, SudokuKind};

    use super::super::path::follow;
    use super::super::path::tests::ANSWER;
    use super::*;
    use crate::data::{Puzzle, PuzzleSet};
    use crate::model::{ModelConfig, Params, Positions};
    use crate::train::eval::FloatModel;

    fn model() -> Hrm {
        let config = ModelConfig {
            task: crate::task::find("sudoku4").unwrap(),
            width: 16,
            heads: 2,
            inner: 16,
            h_layers: 1,
            l_layers: 1,
            h_cycles: 2,
            l_cycles: 2,
            shared_levels: false,
            positions: Positions::LearnedRelation,
            continue_head: false,
            doubt_head: false,
            prefix: true,
            segments: 4,
        };
        Hrm::new(&config, &Params::init(&config, 3, &Device::Cpu).unwrap()).unwrap()
    }

    #[test]
    fn the_middle_of_a_landscape_is_where_the_thought_ended() {
        let (hrm, task) = (model(), Game::from(Sudoku::new(SudokuKind::Four)));
        let mut question = ANSWER;
        question[3..12].fill(1);
        let found = Landscape::of(&hrm, &task, (&question, &ANSWER), 6).unwrap();
        let mut set = PuzzleSet::new(task);
        set.push(Puzzle { question: &question, answer: &ANSWER, source: "test", rating: None });
        let walked = &follow(&mut FloatModel { hrm, batch: 1 }, &set, 6, &mut |_| ()).unwrap()[0];
        assert_eq!((&found.path.wrong, &found.path.energy), (&walked.wrong, &walked.energy));
        assert!(found.path.moved.iter().zip(&walked.moved).all(|(a, b)| (a - b).abs() < 1e-6));

        assert_eq!(found.trace.len(), 6);
        assert_eq!(found.trace[5], [0.0; 2]);
        assert_eq!(found.energy[SIDE * SIDE / 2], walked.energy[5]);
        assert!(found.trace.iter().all(|at| at[0].abs() < found.extent[0] && at[1].abs() < found.extent[1]));
        assert!(found.explained[0] >= found.explained[1] && found.explained[0] + found.explained[1] < 1.0001);
        assert_eq!(found.arrows.len(), ARROWS * ARROWS);
        let [from, to] = found.arrows[ARROWS * ARROWS / 2];
        assert_eq!(from, [0.0; 2]);
        assert!(to != from, "an untrained model of six segments still moves");
    }

    #[test]
    fn a_path_that_stays_has_surroundings_too() {
        assert_eq!(extent(&[[0.0; 2]; 3], 5.0), [0.5; 2]);
        assert_eq!(extent(&[[20.0, 0.0], [0.0, 0.0]], 5.0), [24.0, LEAST * 24.0]);
        let corners = places([2.0, 1.0], 3);
        assert_eq!((corners[0], corners[4], corners[8]), ([-2.0, -1.0], [0.0, 0.0], [2.0, 1.0]));
        assert_eq!(corners[2], [2.0, -1.0]);
    }
}
