//! Deep supervision: one optimizer step per segment, on a batch whose rows come and go.

mod step;

use candle_core::Device;
use rand_core::SeedableRng;
use rand_pcg::Pcg64;

use super::batch::Batch;
use super::checkpoint::TrainState;
use super::communicator::{Alone, Communicator};
use super::error::TrainError;
use super::flat::FlatParams;
use super::loss::Losses;
use super::optim::AdamAtan2;
use super::run::RunData;
use crate::config::RunConfig;
use crate::model::{Hrm, Params};

pub use step::StepReport;

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
            fingerprint: data.fingerprint(),
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
        let found = data.fingerprint();
        if found != state.data {
            return Err(TrainError::OtherData { found, expected: state.data });
        }
        let params = state.params.to_params(&config.model, device)?;
        let batches = data.sizes().zip(state.batches);
        let batches = batches.map(|(set, batch)| Batch::resume(&config, set, &params, batch));
        let batches = batches.collect::<Result<_, TrainError>>()?;
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

    /// The same trainer with the puzzles that rank `rank` begins on at this step. Rank 0 of a new run has
    /// those of a lone trainer.
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
}
