//! Deep supervision: one optimizer step per segment, on a batch whose rows come and go.

use candle_core::{Device, Tensor};
use hrm_core::pack::SecondHead;
use rand_core::SeedableRng;
use rand_pcg::Pcg64;

use super::batch::{Batch, fingerprint};
use super::checkpoint::TrainState;
use super::communicator::{Alone, Communicator};
use super::error::TrainError;
use super::flat::FlatParams;
use super::latent::{at_rest, disturb};
use super::loss::{Answered, Losses, Second, argmax, continue_target};
use super::muon;
use super::optim::{AdamAtan2, clip, learning_rate, norm, sign_step, update_average};
use super::rows::{HaltRule, Rows, wants_to_stop};
use super::run::RunData;
use super::suppose::{Beliefs, Supposed, suppose_on};
use crate::config::{GradientKind, MatrixRule, PrefixRule, RunConfig};
use crate::model::{Carry, Gradient, Hrm, Params};

/// What one optimizer step did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepReport {
    /// The minimised number.
    pub loss: f64,
    /// Mean cross entropy per cell.
    pub cross_entropy: f64,
    /// Mean binary cross entropy of the halting logit.
    pub halt_loss: f64,
    /// Norm of the gradient before clipping.
    pub gradient_norm: f64,
    /// Learning rate used.
    pub lr: f64,
    /// Rows of the batch.
    pub rows: u64,
    /// Cells of the batch.
    pub cells: u64,
    /// Cells answered right.
    pub right_cells: u64,
    /// Rows answered right.
    pub exact: u64,
    /// Rows whose puzzle was not eased.
    pub hard: u64,
    /// Of those, rows answered right.
    pub hard_exact: u64,
    /// Rows that stopped after this segment.
    pub stopped: u64,
    /// Segments those rows took, together.
    pub stopped_segments: u64,
    /// Rows in whose puzzle something is supposed.
    pub supposed: u64,
    /// Of those, rows with a wrong cell.
    pub supposed_wrongly: u64,
    /// Binary cross entropy of the doubt logit, summed over the rows in whose puzzle something is supposed.
    pub doubt: f64,
}

/// A training run between two steps.
pub struct Trainer<'d> {
    config: RunConfig,
    data: &'d RunData,
    params: Params,
    /// One of the model's size, and one of every other size; they take turns.
    batches: Vec<Batch<'d>>,
    flat: FlatParams,
    average: Vec<f32>,
    optimizer: AdamAtan2,
    rng: Pcg64,
    losses: Losses,
    peers: Box<dyn Communicator>,
    fingerprint: String,
    step: u64,
    samples: u64,
    seconds: f64,
}

impl<'d> Trainer<'d> {
    /// A fresh run of `config` on the training puzzles in `data`.
    ///
    /// # Errors
    /// Where the model cannot be built or `data` holds puzzles of another task, or none.
    pub fn new(config: &RunConfig, data: &'d RunData, device: &Device) -> Result<Self, TrainError> {
        let params = Params::init(&config.model, config.train.seed, device)?;
        Self::begin(config, data, params)
    }

    /// As [`Self::new`], with `params` (copied to `device`) where a new run would draw its parameters.
    ///
    /// # Errors
    /// As [`Self::new`], and where `params` are those of another model.
    pub fn from_params(
        config: &RunConfig,
        data: &'d RunData,
        params: &Params,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let params = Params::from_tensors(&config.model, &params.tensors().into_iter().collect(), device)?;
        Self::begin(config, data, params)
    }

    fn begin(config: &RunConfig, data: &'d RunData, params: Params) -> Result<Self, TrainError> {
        let flat = FlatParams::read(&params)?;
        let mut rng = Pcg64::seed_from_u64(config.train.seed);
        let batches = data
            .sizes()
            .map(|set| Batch::begin(config, set, &params, (0, &mut rng)))
            .collect::<Result<_, TrainError>>()?;
        Ok(Self {
            average: flat.values.clone(),
            optimizer: AdamAtan2::new(flat.values.len(), &config.train),
            batches,
            config: config.clone(),
            data,
            params,
            flat,
            rng,
            losses: Losses::default(),
            peers: Box::new(Alone),
            fingerprint: fingerprint(data.sizes()),
            step: 0,
            samples: 0,
            seconds: 0.0,
        })
    }

    /// Goes on exactly where `state` was taken.
    ///
    /// # Errors
    /// As [`Self::new`], and where the state does not fit its own configuration.
    pub fn resume(state: TrainState, data: &'d RunData, device: &Device) -> Result<Self, TrainError> {
        let config = state.config;
        let params = state.params.to_params(&config.model, device)?;
        let found = fingerprint(data.sizes());
        let batches = data.sizes().zip(state.batches);
        let batches = batches.map(|(set, batch)| Batch::resume(&config, set, &params, batch));
        let batches = batches.collect::<Result<_, TrainError>>()?;
        if found != state.data {
            return Err(TrainError::OtherData { found, expected: state.data });
        }
        let optimizer = AdamAtan2 {
            beta1: config.train.beta1,
            beta2: config.train.beta2,
            weight_decay: config.train.weight_decay,
            ..state.optimizer
        };
        Ok(Self {
            data,
            params,
            batches,
            flat: state.params,
            average: state.average,
            optimizer,
            rng: state.rng,
            losses: Losses::default(),
            peers: Box::new(Alone),
            fingerprint: found,
            step: state.step,
            samples: state.samples,
            seconds: state.seconds,
            config,
        })
    }

    /// The same trainer as one of several, with the parameters and puzzles that it has.
    pub fn joined(self, peers: Box<dyn Communicator>) -> Self {
        Self { peers, ..self }
    }

    /// The same trainer with the puzzles that rank `rank` begins on at this step. Rank 0 of a new run has those of a lone trainer.
    ///
    /// # Errors
    /// Where the device has no room.
    pub fn with_rows_anew(self, rank: usize) -> Result<Self, TrainError> {
        let seed = self.config.train.seed;
        let mut rng = match (rank, self.step) {
            (0, 0) => Pcg64::seed_from_u64(seed),
            (_, step) => Pcg64::new(u128::from(seed), u128::from(step) << 64 | rank as u128),
        };
        let begin = |set| Batch::begin(&self.config, set, &self.params, (self.step, &mut rng));
        let batches = self.data.sizes().map(begin).collect::<Result<_, TrainError>>()?;
        Ok(Self { batches, rng, ..self })
    }

    /// The other ranks.
    pub fn peers(&mut self) -> &mut dyn Communicator {
        &mut *self.peers
    }

    /// This trainer's number, from 0.
    pub fn rank(&self) -> usize {
        self.peers.rank()
    }

    /// How many trainers there are.
    pub fn ranks(&self) -> usize {
        self.peers.ranks()
    }

    /// A digest of what all ranks must have in common: configuration, puzzles, step and parameters.
    pub fn in_common(&self) -> u64 {
        let crc = crc::Crc::<u64>::new(&crc::CRC_64_XZ);
        let mut digest = crc.digest();
        digest.update(self.config.hash().as_bytes());
        digest.update(self.fingerprint.as_bytes());
        digest.update(&self.step.to_le_bytes());
        for value in self.flat.values.iter().chain(&self.average) {
            digest.update(&value.to_bits().to_le_bytes());
        }
        digest.finalize()
    }

    /// Everything that [`Self::resume`] needs.
    ///
    /// # Errors
    /// Where the carry cannot be read back from the device.
    pub fn state(&self) -> Result<TrainState, TrainError> {
        Ok(TrainState {
            config: self.config.clone(),
            params: self.flat.clone(),
            average: self.average.clone(),
            optimizer: self.optimizer.clone(),
            batches: self.batches.iter().map(Batch::state).collect::<Result<_, _>>()?,
            rng: self.rng.clone(),
            step: self.step,
            samples: self.samples,
            seconds: self.seconds,
            data: self.fingerprint.clone(),
        })
    }

    /// Optimizer steps made.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// Sample-segments trained on, by all ranks.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Seconds spent in this run, earlier sittings included.
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Counts time spent outside [`Self::step`] (or within, by the caller's clock).
    pub fn add_seconds(&mut self, seconds: f64) {
        self.seconds += seconds;
    }

    /// Number of trained parameters.
    pub fn parameters(&self) -> usize {
        self.flat.values.len()
    }

    /// The run's configuration.
    pub fn config(&self) -> &RunConfig {
        &self.config
    }

    /// A model with the averaged weights, for evaluation.
    ///
    /// # Errors
    /// Where the device has no room.
    pub fn averaged_model(&self) -> Result<Hrm, TrainError> {
        let average = FlatParams { values: self.average.clone(), ..self.flat.clone() };
        let params = average.to_params(&self.config.model, self.params.device())?;
        Ok(Hrm::new(&self.config.model, &params)?)
    }

    /// One segment for every row, and one update of the parameters.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] where the loss or the gradient is not finite, and what a [`Communicator`] says. The trainer is then
    /// as it was before the step.
    pub fn step(&mut self) -> Result<StepReport, TrainError> {
        let turn = (self.step % self.batches.len() as u64) as usize;
        let mut batch = self.batches.remove(turn);
        let before = (batch.rows.clone(), batch.carry.clone(), self.rng.clone());
        let result = self.try_step(&mut batch);
        if result.is_err() {
            (batch.rows, batch.carry, self.rng) = before;
        }
        self.batches.insert(turn, batch);
        result
    }

    fn try_step(&mut self, batch: &mut Batch<'_>) -> Result<StepReport, TrainError> {
        let config = self.config.clone();
        let (model, train) = (batch.hrm.config().clone(), &config.train);
        let device = self.params.device().clone();
        batch.refill(&config, (self.step, &mut self.rng))?;
        if train.latent_noise > 0.0 {
            batch.carry = disturb(&batch.carry, train.latent_noise, &mut self.rng)?;
        }
        let tokens = batch.tokens(&device)?;
        let gradient = match train.gradient {
            GradientKind::OneStep => Gradient::OneStep,
            GradientKind::Full => Gradient::Full,
        };
        let output = batch.hrm.segment(&batch.carry, &tokens, gradient)?;
        let logits: Vec<f32> = output.logits.flatten_all()?.to_vec1()?;
        let q: Vec<f32> = output.q.flatten_all()?.to_vec1()?;
        let continue_targets = if model.continue_head {
            let next = batch.hrm.segment(&output.carry, &tokens, Gradient::None)?.q.to_vec2::<f32>()?;
            let is_last = |row: usize| batch.rows.segments[row] + 1 >= model.segments as u32;
            Some(
                next.iter().enumerate().map(|(row, q)| continue_target([q[0], q[1]], is_last(row))).collect(),
            )
        } else {
            None::<Vec<f32>>
        };
        let answered = Answered {
            logits: &logits,
            q: &q,
            labels: &batch.rows.labels,
            supposed: &batch.rows.supposed,
            second: match (&continue_targets, model.doubt_head) {
                (Some(values), _) => Second::Continue(values),
                (None, true) => Second::Doubt,
                (None, false) => Second::None,
            },
            cells: model.cells(),
            vocab: model.vocab(),
        };
        self.losses.compute(train.loss, &answered);

        // The gradient of the loss at the logits is known; the graph takes it from there.
        let pull =
            |of: &Tensor, slope: &[f32]| of.mul(&Tensor::from_slice(slope, of.dims(), &device)?)?.sum_all();
        let surrogate = (pull(&output.logits, &self.losses.d_logits)? + pull(&output.q, &self.losses.d_q)?)?;
        let mut grads = self.flat.gradients(&self.params, &surrogate.backward()?)?;
        // The loss travels with the gradient: either every rank goes on, or none does.
        grads.push(self.losses.total as f32);
        self.peers.mean(&mut grads)?;
        if grads.pop().is_none_or(|loss| !loss.is_finite()) {
            return Err(TrainError::Diverged {
                step: self.step,
                what: self.first_not_finite(&batch.carry, &grads)?,
            });
        }
        let gradient_norm = norm(&grads);
        if !gradient_norm.is_finite() {
            return Err(TrainError::Diverged {
                step: self.step,
                what: self.first_not_finite(&batch.carry, &grads)?,
            });
        }
        clip(&mut grads, gradient_norm, train.clip);
        let lr = learning_rate(train, self.step);
        self.update(&grads, lr)?;
        update_average(&mut self.average, &self.flat.values, train.ema, self.optimizer.t);
        self.flat.write(&self.params)?;
        let resting = if train.rest > 0.0 {
            at_rest(&batch.carry.z_h, &output.carry.z_h, train.rest)?
        } else {
            vec![false; batch.rows.len()]
        };
        batch.carry = output.carry;

        let heads = model.q_outputs();
        let rule = HaltRule {
            max: model.segments as u32,
            max_supposed: train.suppose_segments,
            exploration: train.exploration,
            once: train.explore_once,
        };
        let second = model.second_head();
        let of_row = |row: usize| &q[row * heads..][..heads];
        let wants = |row: usize| resting[row] || wants_to_stop(of_row(row), second);
        let solved = |row: usize| self.losses.right[row] as usize == model.cells();
        batch.rows.advance(wants, solved, rule, &mut self.rng);
        self.step += 1;
        self.samples += (batch.rows.len() * self.peers.ranks()) as u64;
        let report = self.report(&batch.rows, (gradient_norm, lr));
        if train.suppose > 0.0 {
            let grids: Vec<u8> = logits.chunks_exact(model.vocab()).map(|x| argmax(x) as u8).collect();
            let doubted: Option<Vec<bool>> = (second == SecondHead::Doubt)
                .then(|| (0..batch.rows.len()).map(|row| of_row(row)[1] > 0.0).collect());
            let beliefs = Beliefs { grids: &grids, doubted: doubted.as_deref() };
            let anew = suppose_on(&mut batch.rows, beliefs, train, &model.task, &mut self.rng);
            batch.begin_anew(&anew, &config, &mut self.rng)?;
        }
        Ok(report)
    }

    /// Where a loss or a gradient that is not finite comes from: the first tensor on the way that is not finite either.
    fn first_not_finite(&self, carry: &Carry, grads: &[f32]) -> Result<String, TrainError> {
        if let Some(name) = self.flat.first_not_finite(&self.flat.values) {
            return Ok(format!("parameter {name}"));
        }
        for (name, z) in [("z_h", &carry.z_h), ("z_l", &carry.z_l)] {
            if z.flatten_all()?.to_vec1::<f32>()?.iter().any(|x| !x.is_finite()) {
                return Ok(format!("the carried state {name}"));
            }
        }
        Ok(match self.flat.first_not_finite(grads) {
            Some(name) => format!("the gradient of {name} (loss {})", self.losses.total),
            None => format!("the loss ({})", self.losses.total),
        })
    }

    /// One update of the parameters against `grads`.
    fn update(&mut self, grads: &[f32], lr: f64) -> Result<(), TrainError> {
        let train = &self.config.train;
        let by_sign = (train.prefix == PrefixRule::Sign).then(|| self.flat.range("embed.prefix"));
        let matrices = match train.matrices {
            MatrixRule::Muon => muon::matrices(&self.flat.layout),
            MatrixRule::AdamAtan2 => Vec::new(),
        };
        // Adam keeps the moments of all parameters, and leaves in place those that have a rule of their own.
        let own = by_sign.iter().cloned().chain(matrices.iter().map(|matrix| matrix.range()));
        let before: Vec<_> = own.map(|range| (range.clone(), self.flat.values[range].to_vec())).collect();
        self.optimizer.step(&mut self.flat.values, grads, lr);
        for (range, values) in before {
            self.flat.values[range].copy_from_slice(&values);
        }
        if let Some(range) = by_sign {
            sign_step(&mut self.flat.values[range.clone()], &grads[range], lr, train.weight_decay);
        }
        for matrix in matrices {
            let range = matrix.range();
            let (p, m) = (&mut self.flat.values[range.clone()], &self.optimizer.m[range.clone()]);
            muon::step(matrix, (p, m, &grads[range]), (lr, train.weight_decay, train.beta1))?;
        }
        Ok(())
    }

    fn report(&self, rows: &Rows, (gradient_norm, lr): (f64, f64)) -> StepReport {
        let mut report = StepReport {
            loss: self.losses.total,
            cross_entropy: self.losses.tokens,
            halt_loss: self.losses.halt,
            doubt: if self.config.model.doubt_head { self.losses.second * rows.len() as f64 } else { 0.0 },
            gradient_norm,
            lr,
            rows: rows.len() as u64,
            cells: rows.labels.len() as u64,
            ..StepReport::default()
        };
        for (row, &right) in self.losses.right.iter().enumerate() {
            let exact = u64::from(right as usize == rows.cells);
            report.right_cells += u64::from(right);
            report.exact += exact;
            if rows.eased[row] == 0 {
                report.hard += 1;
                report.hard_exact += exact;
            }
            if rows.supposed[row] != Supposed::Nothing {
                report.supposed += 1;
                report.supposed_wrongly += u64::from(rows.supposed[row] == Supposed::Wrong);
            }
            if rows.done[row] != 0 {
                report.stopped += 1;
                report.stopped_segments += u64::from(rows.segments[row]);
            }
        }
        report
    }
}
