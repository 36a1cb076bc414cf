//! The energy of the answers around the place where a thought ended, and where one more
//! segment would lead from there.
//!
//! With `u`, `v` the first two principal components of the slow state after each segment and `z_h` the last
//! of them, the landscape at `(a, b)` is the energy of the grid that the model reads out of
//! `z_h + a u + b v`. Arrows take that state and the last fast state through one segment. Grids read out of
//! states that no thought ever had are extrapolations: the picture shows valleys, not proofs.

use candle_core::{DType, Result, Tensor};
use hrm_core::solve::{Policy, suppose};
use hrm_core::task::Task;
use rand_pcg::Pcg32;
use serde::Serialize;

use super::path::Path;
use super::plane::Plane;
use crate::model::{Carry, Gradient, Hrm};
use crate::task::Game;
use crate::train::loss::argmax;
use crate::train::rows::wants_to_stop;

/// Places along each side of the landscape; odd, so that one is where the thought ended.
pub const SIDE: usize = 41;
/// Arrows along each side.
pub const ARROWS: usize = 11;
/// How far the landscape reaches, in units of the path's own reach along that axis.
const REACH: f64 = 1.2;
/// The least it reaches along an axis, as a share of the longer one.
const LEAST: f64 = 0.1;

/// One thought in a landscape.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Thought {
    /// How it went.
    pub path: Path,
    /// Where the state was after each segment, seen from the end of the first thought.
    pub trace: Vec<[f64; 2]>,
}

/// The surroundings of a thought's end, in the plane in which it, and others about the
/// same puzzle, moved most.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Landscape {
    /// The thought that ends in the middle.
    pub first: Thought,
    /// Others about the same puzzle.
    pub others: Vec<Thought>,
    /// The landscape covers `-extent ..= extent` along each axis, in units of the state.
    pub extent: [f64; 2],
    /// Share of the states' variance along each axis.
    pub explained: [f64; 2],
    /// Energy at each of `SIDE * SIDE` places, the second coordinate's smallest row first.
    pub energy: Vec<u32>,
    /// Places, and where one segment leads from there.
    pub arrows: Vec<[[f64; 2]; 2]>,
}

impl Landscape {
    /// Lets `hrm` think `segments` segments about `puzzle` and looks around.
    ///
    /// # Errors
    /// Where the model fails.
    pub fn of(hrm: &Hrm, task: &Game, puzzle: (&[u8], &[u8]), segments: usize) -> Result<Self> {
        Self::of_guesses(hrm, task, puzzle, 0, segments)
    }

    /// The same with `more` guesses in the picture, each with cells supposed that the one before it ended on,
    /// as a solver makes them; all of the puzzle itself, since states of its images are in no common plane.
    ///
    /// # Errors
    /// Where the model fails.
    pub fn of_guesses(
        hrm: &Hrm,
        task: &Game,
        (puzzle, answer): (&[u8], &[u8]),
        more: usize,
        segments: usize,
    ) -> Result<Self> {
        let policy = Policy::trained_for(segments as u16);
        let mut rng = Pcg32::new(policy.seed, 0);
        let first = Walk::of(hrm, task, (puzzle, puzzle, answer), segments)?;
        let mut others: Vec<Walk> = Vec::new();
        for _ in 0..more {
            let mut question = puzzle.to_vec();
            suppose(task, &mut question, &others.last().unwrap_or(&first).grid, policy.suppose, &mut rng);
            others.push(Walk::of(hrm, task, (&question, puzzle, answer), segments)?);
        }
        let states: Vec<Vec<f64>> =
            [&first].into_iter().chain(&others).flat_map(|walk| walk.states.iter().cloned()).collect();
        let plane = Plane::through(&states);
        let end = first.states.last().cloned().unwrap_or_default();
        let origin = plane.project(&end);
        let place = |state: &[f64]| {
            let at = plane.project(state);
            [at[0] - origin[0], at[1] - origin[1]]
        };
        let thought = |walk: &Walk| Thought {
            path: walk.path.clone(),
            trace: walk.states.iter().map(|state| place(state)).collect(),
        };
        let every: Vec<[f64; 2]> = states.iter().map(|state| place(state)).collect();
        let extent = extent(&every, end.iter().map(|x| x * x).sum::<f64>().sqrt());
        let Walk { tokens, carry, .. } = &first;
        let around = Around { hrm, tokens, carry, end: &end, plane: &plane };

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
        let (first, others) = (thought(&first), others.iter().map(thought).collect());
        Ok(Self { first, others, extent, explained: plane.explained, energy, arrows })
    }

    /// All thoughts, the one that ends in the middle first.
    pub fn thoughts(&self) -> impl Iterator<Item = &Thought> {
        [&self.first].into_iter().chain(&self.others)
    }

    /// Where each number of `energy` belongs.
    pub fn places(&self) -> impl Iterator<Item = [f64; 2]> + use<> {
        places(self.extent, SIDE).into_iter()
    }
}

/// A thought as the model had it.
struct Walk {
    tokens: Tensor,
    /// After the last segment.
    carry: Carry,
    grid: Vec<u8>,
    path: Path,
    states: Vec<Vec<f64>>,
}

impl Walk {
    /// About `question`, judged as an answer of `puzzle`.
    fn of(
        hrm: &Hrm,
        task: &Game,
        (question, puzzle, answer): (&[u8], &[u8], &[u8]),
        segments: usize,
    ) -> Result<Self> {
        let second = hrm.config().second_head();
        let tokens = Tensor::from_slice(question, (1, question.len()), hrm.device())?.to_dtype(DType::U32)?;
        let mut carry = hrm.initial_carry(1)?;
        let (mut path, mut states, mut grid) = (Path::default(), Vec::new(), Vec::new());
        for _ in 0..segments {
            let output = hrm.segment(&carry, &tokens, Gradient::None)?;
            grid = grids(&output.logits)?.swap_remove(0);
            path.stand(task, &grid, (puzzle, answer));
            path.halts.push(wants_to_stop(&output.q.to_vec2::<f32>()?[0], second));
            carry = output.carry;
            states.push(carry.z_h.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?);
        }
        path.rest(&states);
        Ok(Self { tokens, carry, grid, path, states })
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

/// How far the landscape reaches along each axis; a tenth of the state's norm `size` where the
/// path stays in one place.
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
            shared_levels: false,
            positions: Positions::LearnedRelation,
            segments: 4,
            ..ModelConfig::example()
        };
        Hrm::new(&config, &Params::lively(&config, DType::F32, 3, &Device::Cpu).unwrap()).unwrap()
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
        let Thought { path, trace } = &found.first;
        assert!(found.others.is_empty());
        assert_eq!((&path.wrong, &path.energy, &path.halts), (&walked.wrong, &walked.energy, &walked.halts));
        assert!(path.moved.iter().zip(&walked.moved).all(|(a, b)| (a - b).abs() < 1e-6));

        assert_eq!((trace.len(), trace[5]), (6, [0.0; 2]));
        assert_eq!(found.energy[SIDE * SIDE / 2], walked.energy[5]);
        assert!(trace.iter().all(|at| at[0].abs() < found.extent[0] && at[1].abs() < found.extent[1]));
        assert!(found.explained[0] >= found.explained[1] && found.explained[0] + found.explained[1] < 1.0001);
        assert_eq!(found.arrows.len(), ARROWS * ARROWS);
        let [from, to] = found.arrows[ARROWS * ARROWS / 2];
        assert_eq!(from, [0.0; 2]);
        assert!(to != from, "an untrained model of six segments still moves");
    }

    #[test]
    fn several_guesses_are_in_one_picture_and_the_first_ends_in_its_middle() {
        let (hrm, task) = (model(), Game::from(Sudoku::new(SudokuKind::Four)));
        let mut question = ANSWER;
        question[3..12].fill(1);
        let found = Landscape::of_guesses(&hrm, &task, (&question, &ANSWER), 3, 5).unwrap();
        assert_eq!(found.thoughts().count(), 4);
        assert_eq!(found.first.trace[4], [0.0; 2]);
        let ends: Vec<[f64; 2]> = found.thoughts().map(|thought| thought.trace[4]).collect();
        assert!(ends[1..].iter().any(|end| *end != [0.0; 2]), "suppositions lead elsewhere: {ends:?}");
        let reached = |at: &[f64; 2]| at[0].abs() <= found.extent[0] && at[1].abs() <= found.extent[1];
        assert!(found.thoughts().flat_map(|thought| &thought.trace).all(reached));
        let alone = Landscape::of(&hrm, &task, (&question, &ANSWER), 5).unwrap();
        assert_eq!(alone.first.path, found.first.path);
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
