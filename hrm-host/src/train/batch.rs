//! The rows that are trained on together, puzzles of one size, and the states that
//! the model carries for them.

use candle_core::{DType, Device, Tensor};
use hrm_core::task::draw::below;
use rand_pcg::Pcg64;

use super::draw::{Variation, chance, vary};
use super::error::TrainError;
use super::latent::start_anywhere;
use super::rows::{Drawn, Rows, UNKNOWN};
use crate::config::RunConfig;
use crate::data::PuzzleSet;
use crate::model::{Carry, Hrm, Params};

/// What a batch works on, as a checkpoint keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchState {
    /// The carried slow state, (batch, sequence, width).
    pub z_h: Vec<f32>,
    /// The carried fast state, (batch, sequence, width).
    pub z_l: Vec<f32>,
    /// What each row works on.
    pub rows: Rows,
}

/// A batch between two steps.
pub(super) struct Batch<'d> {
    data: &'d PuzzleSet,
    /// The model at this size.
    pub(super) hrm: Hrm,
    pub(super) rows: Rows,
    pub(super) carry: Carry,
}

impl<'d> Batch<'d> {
    /// `data`'s puzzles for a model with `params`: its rows are drawn with `rng`.
    pub(super) fn begin(
        config: &RunConfig,
        data: &'d PuzzleSet,
        params: &Params,
        (step, rng): (u64, &mut Pcg64),
    ) -> Result<Self, TrainError> {
        let hrm = model_for(config, data, params)?;
        let rows = Rows::new(config.train.batch, hrm.config().cells());
        let carry = hrm.initial_carry(config.train.batch)?;
        let mut batch = Self { data, hrm, rows, carry };
        let fresh = batch.draw(config, step, rng);
        if config.train.stagger {
            batch.rows.stagger(config.model.segments as u32);
        }
        if config.train.random_start > 0.0 {
            batch.carry = start_anywhere(&batch.carry, &fresh, config.train.random_start, rng)?;
        }
        Ok(batch)
    }

    /// Goes on where `state` was taken.
    pub(super) fn resume(
        config: &RunConfig,
        data: &'d PuzzleSet,
        params: &Params,
        mut state: BatchState,
    ) -> Result<Self, TrainError> {
        // What names no row of these puzzles cannot be drawn again.
        let strange = state.rows.source.iter_mut().filter(|source| **source as usize >= data.len());
        strange.for_each(|source| *source = UNKNOWN);
        let hrm = model_for(config, data, params)?;
        let shape = (config.train.batch, hrm.config().sequence(), config.model.width);
        let device = params.device();
        let carry = Carry {
            z_h: Tensor::from_vec(state.z_h, shape, device)?,
            z_l: Tensor::from_vec(state.z_l, shape, device)?,
        };
        Ok(Self { data, hrm, rows: state.rows, carry })
    }

    /// What [`Self::resume`] needs.
    pub(super) fn state(&self) -> Result<BatchState, TrainError> {
        Ok(BatchState {
            z_h: self.carry.z_h.flatten_all()?.to_vec1()?,
            z_l: self.carry.z_l.flatten_all()?.to_vec1()?,
            rows: self.rows.clone(),
        })
    }

    /// The puzzles as a tensor of tokens, (batch, cells).
    pub(super) fn tokens(&self, device: &Device) -> Result<Tensor, TrainError> {
        let shape = (self.rows.len(), self.rows.cells);
        Ok(Tensor::from_slice(&self.rows.puzzles, shape, device)?.to_dtype(DType::U32)?)
    }

    /// New puzzles for the rows that are done, which begin at the states where puzzles begin.
    pub(super) fn refill(
        &mut self,
        config: &RunConfig,
        (step, rng): (u64, &mut Pcg64),
    ) -> Result<(), TrainError> {
        if !self.rows.done.contains(&1) {
            return Ok(());
        }
        let fresh = self.draw(config, step, rng);
        self.begin_anew(&fresh, config, rng)
    }

    /// Puts the carried states of the rows marked in `anew` to where a puzzle starts.
    pub(super) fn begin_anew(
        &mut self,
        anew: &[bool],
        config: &RunConfig,
        rng: &mut Pcg64,
    ) -> Result<(), TrainError> {
        if !anew.contains(&true) {
            return Ok(());
        }
        let reset: Vec<u8> = anew.iter().map(|&anew| u8::from(anew)).collect();
        self.carry = self.hrm.refill(&self.carry, &Tensor::new(reset, self.hrm.device())?)?;
        let share = config.train.random_start;
        if share > 0.0 {
            self.carry = start_anywhere(&self.carry, anew, share, rng)?;
        }
        Ok(())
    }

    /// Draws a varied training puzzle for every row that is done: with probability `train.replay`
    /// the one it failed to solve.
    fn draw(&mut self, config: &RunConfig, step: u64, rng: &mut Pcg64) -> Vec<bool> {
        let variation = Variation::at(&config.data, step);
        let (data, replay) = (self.data, config.train.replay);
        self.rows.refill(|failed, puzzle, label| {
            // Nothing is drawn where nothing is replayed, so that the switch does not change runs without it.
            let again = failed.filter(|_| replay > 0.0 && chance(rng, replay));
            let source = again.unwrap_or_else(|| below(rng, data.len() as u32));
            let row = (data.question(source as usize), data.answer(source as usize));
            Drawn { source, eased: vary(&data.task(), (source, row), variation, rng, puzzle, label) }
        })
    }
}

/// `config`'s model at the size of `data`, where it has that size and there is something to draw.
fn model_for(config: &RunConfig, data: &PuzzleSet, params: &Params) -> Result<Hrm, TrainError> {
    if data.is_empty() {
        return Err(TrainError::Data("there is no puzzle to train on".to_owned()));
    }
    let (task, found) = (config.model.task, data.task());
    if found != task && !config.data.also.contains(&found) {
        return Err(TrainError::Data(format!(
            "the puzzles are {found} with {} cells, but model.task = \"{task}\" has {}",
            data.cells(),
            config.model.cells()
        )));
    }
    let model = config.model.for_task(found).map_err(|error| TrainError::Data(error.to_string()))?;
    Ok(Hrm::new(&model, params)?.in_type(config.train.precision.dtype()))
}
