//! One step: a segment for every row, its losses, their gradient, and an update against it.

use candle_core::Tensor;
use hrm_core::pack::SecondHead;

use super::Trainer;
use crate::config::{GradientKind, MatrixRule, PrefixRule};
use crate::model::{Carry, Gradient, Output};
use crate::train::batch::Batch;
use crate::train::error::TrainError;
use crate::train::latent::{at_rest, disturb};
use crate::train::loss::{Answered, Second, argmax, continue_target};
use crate::train::muon;
use crate::train::optim::{clip, learning_rate, norm, sign_step, update_average};
use crate::train::rows::{HaltRule, Rows, wants_to_stop};
use crate::train::suppose::{Beliefs, Supposed, suppose_on};

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

/// What a segment made of every row.
struct Thought {
    output: Output,
    /// Token logits, (rows, cells, vocab).
    logits: Vec<f32>,
    /// Halting logits, (rows, heads).
    q: Vec<f32>,
    /// What the continue head should say, where there is one, (rows).
    go_on: Option<Vec<f32>>,
}

impl Thought {
    /// One segment on the puzzles of `batch`, and where a continue head wants to know what it
    /// would show, the next one.
    fn of(batch: &Batch<'_>, kind: GradientKind) -> Result<Self, TrainError> {
        let (hrm, model) = (&batch.hrm, batch.hrm.config());
        let tokens = batch.tokens(hrm.device())?;
        let gradient = match kind {
            GradientKind::OneStep => Gradient::OneStep,
            GradientKind::Full => Gradient::Full,
        };
        let output = hrm.segment(&batch.carry, &tokens, gradient)?;
        let (logits, q) = (output.logits.flatten_all()?.to_vec1()?, output.q.flatten_all()?.to_vec1()?);
        let mut go_on = None;
        if model.continue_head {
            let next = hrm.segment(&output.carry, &tokens, Gradient::None)?.q.to_vec2::<f32>()?;
            let is_last = |row: usize| batch.rows.segments[row] + 1 >= model.segments as u32;
            let target = |(row, q): (usize, &Vec<f32>)| continue_target([q[0], q[1]], is_last(row));
            go_on = Some(next.iter().enumerate().map(target).collect());
        }
        Ok(Self { output, logits, q, go_on })
    }
}

impl Trainer<'_> {
    /// One segment for every row, and one update of the parameters.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] where the loss or the gradient is not finite, and what a
    /// [`Communicator`](crate::train::communicator::Communicator) says. The trainer is then
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
        let train = &config.train;
        batch.refill(&config, (self.step, &mut self.rng))?;
        if train.latent_noise > 0.0 {
            batch.carry = disturb(&batch.carry, train.latent_noise, &mut self.rng)?;
        }
        let thought = Thought::of(batch, train.gradient)?;
        self.judge(batch, &thought);
        let (mut grads, gradient_norm) = self.gradients(batch, &thought.output)?;
        clip(&mut grads, gradient_norm, train.clip);
        let lr = learning_rate(train, self.step);
        self.update(&grads, lr)?;
        update_average(&mut self.average, &self.flat.values, train.ema, self.optimizer.t);
        self.flat.write(&self.params)?;
        self.advance(batch, &thought)?;
        self.step += 1;
        self.samples += (batch.rows.len() * self.peers.ranks()) as u64;
        let report = self.report(&batch.rows, (gradient_norm, lr));
        if train.suppose > 0.0 {
            self.suppose(batch, &thought)?;
        }
        Ok(report)
    }

    /// Compares what was thought with the answers.
    fn judge(&mut self, batch: &Batch<'_>, thought: &Thought) {
        let model = batch.hrm.config();
        let answered = Answered {
            logits: &thought.logits,
            q: &thought.q,
            labels: &batch.rows.labels,
            supposed: &batch.rows.supposed,
            second: match (&thought.go_on, model.doubt_head) {
                (Some(values), _) => Second::Continue(values),
                (None, true) => Second::Doubt,
                (None, false) => Second::None,
            },
            cells: model.cells(),
            vocab: model.vocab(),
        };
        self.losses.compute(self.config.train.loss, &answered);
    }

    /// The gradient of the losses, as all ranks have it together, and its norm.
    fn gradients(&mut self, batch: &Batch<'_>, output: &Output) -> Result<(Vec<f32>, f64), TrainError> {
        // The gradient of the loss at the logits is known; the graph takes it from there.
        let pull = |of: &Tensor, slope: &[f32]| {
            of.mul(&Tensor::from_slice(slope, of.dims(), batch.hrm.device())?)?.sum_all()
        };
        let surrogate = (pull(&output.logits, &self.losses.d_logits)? + pull(&output.q, &self.losses.d_q)?)?;
        let mut grads = self.flat.gradients(&self.params, &surrogate.backward()?)?;
        // The loss travels with the gradient: either every rank goes on, or none does.
        grads.push(self.losses.total as f32);
        self.peers.mean(&mut grads)?;
        let loss = grads.pop();
        let norm = norm(&grads);
        if !norm.is_finite() || loss.is_none_or(|loss| !loss.is_finite()) {
            let what = self.first_not_finite(&batch.carry, &grads)?;
            return Err(TrainError::Diverged { step: self.step, what });
        }
        Ok((grads, norm))
    }

    /// Carries the states on, and tells which rows are done.
    fn advance(&mut self, batch: &mut Batch<'_>, thought: &Thought) -> Result<(), TrainError> {
        let (train, model) = (&self.config.train, batch.hrm.config());
        let carry = &thought.output.carry;
        let resting = if train.rest > 0.0 {
            at_rest(&batch.carry.z_h, &carry.z_h, train.rest)?
        } else {
            vec![false; batch.rows.len()]
        };
        let rule = HaltRule {
            max: model.segments as u32,
            max_supposed: train.suppose_segments,
            exploration: train.exploration,
            once: train.explore_once,
        };
        let q: Vec<&[f32]> = thought.q.chunks_exact(model.q_outputs()).collect();
        let wants = |row: usize| resting[row] || wants_to_stop(q[row], model.second_head());
        let solved = |row: usize| self.losses.right[row] as usize == model.cells();
        batch.rows.advance(wants, solved, rule, &mut self.rng);
        batch.carry = carry.clone();
        Ok(())
    }

    /// Lets rows that are done without an answer suppose cells of theirs and go on.
    fn suppose(&mut self, batch: &mut Batch<'_>, thought: &Thought) -> Result<(), TrainError> {
        let model = batch.hrm.config();
        let grids: Vec<u8> = thought.logits.chunks_exact(model.vocab()).map(|x| argmax(x) as u8).collect();
        let doubted: Option<Vec<bool>> = (model.second_head() == SecondHead::Doubt)
            .then(|| thought.q.chunks_exact(model.q_outputs()).map(|q| q[1] > 0.0).collect());
        let beliefs = Beliefs { grids: &grids, doubted: doubted.as_deref() };
        let anew = suppose_on(&mut batch.rows, beliefs, &self.config.train, &model.task, &mut self.rng);
        batch.begin_anew(&anew, &self.config, &mut self.rng)
    }

    /// Where a loss or a gradient that is not finite comes from: the first tensor on the way
    /// that is not finite either.
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
