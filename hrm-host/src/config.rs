//! One run, described in one TOML file: the model, its data, its training.
//!
//! A key that does not exist is refused with the nearest one that does, in a file and in
//! `--set key=value` alike.

mod error;
mod keys;
mod ranges;

use std::io;
use std::path::{Path, PathBuf};

use candle_core::DType;
use serde::{Deserialize, Serialize};
use toml::Table;

pub use self::error::ConfigError;
use self::keys::{Given, flatten, to_table};
use crate::data::import::Columns;
use crate::files::read;
use crate::kind::{Kind, kind_of};
use crate::model::{ModelConfig, OtherSize};
use crate::task::Game;

/// Everything that decides a training run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// The network: shape, cycles, positions.
    pub model: ModelConfig,
    /// Where puzzles come from and how they are varied.
    #[serde(default)]
    pub data: DataConfig,
    /// Optimizer, losses, schedule, and what is kept.
    #[serde(default)]
    pub train: TrainConfig,
}

/// Where puzzles come from and how they are varied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// CSV of training puzzles, plain or gzip, relative to the current directory; empty:
    /// generate puzzles instead.
    pub train: PathBuf,
    /// Which columns of those files hold what, where their names are unusual: `question=NAME,answer=NAME`.
    pub columns: String,
    /// How many puzzles are generated where `train` is empty, and of each size in `also`.
    pub generate: usize,
    /// Other sizes of the model's task that it learns beside its own, on generated
    /// puzzles: a step on each in turn.
    pub also: Vec<Game>,
    /// Rows kept for validation: split off the training puzzles, or drawn from `validation_from`.
    pub validation: usize,
    /// CSV that the validation rows are drawn from instead, so that every training row is trained on; rows
    /// that share something with a training row are left out. Empty: the training puzzles are split.
    pub validation_from: PathBuf,
    /// Seeds the split and the generator.
    pub seed: u64,
    /// Probability that a drawn puzzle is eased: some of its blanks are filled from the answer.
    pub eased: f64,
    /// Share of the blanks an eased puzzle has filled at most: n ~ U{1..eased_most * blanks}, at
    /// least one blank staying. 1 is the papers'; less keeps the draws where a model that solves the
    /// easier ones still learns.
    pub eased_most: f64,
    /// That probability at the first step, where `eased_steps` is not 0.
    pub eased_from: f64,
    /// That share at the first step, where `eased_steps` is not 0.
    pub eased_most_from: f64,
    /// Steps over which both go linearly from `eased_from` and `eased_most_from` to `eased` and `eased_most`:
    /// a curriculum that ends where the model still learns. 0 has them at their last values throughout.
    pub eased_steps: u64,
    /// Whether every draw goes through a random symmetry of the task.
    pub symmetries: bool,
    /// How many symmetries each puzzle has, itself aside, fixed by `data.seed` as if they had been written to
    /// a file beforehand (1000 in the paper); 0 draws a new one every time.
    pub augmentations: u64,
}

impl DataConfig {
    /// `columns`, understood.
    ///
    /// # Errors
    /// What they must be.
    pub fn columns_parsed(&self) -> Result<Columns, String> {
        match self.columns.as_str() {
            "" => Ok(Columns::default()),
            named => named.parse().map_err(|reason| format!("must name columns: {reason}")),
        }
    }
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            train: PathBuf::new(),
            columns: String::new(),
            generate: 2000,
            also: Vec::new(),
            validation: 500,
            validation_from: PathBuf::new(),
            seed: 1,
            eased: 0.5,
            eased_most: 1.0,
            eased_from: 1.0,
            eased_most_from: 1.0,
            eased_steps: 0,
            symmetries: true,
            augmentations: 0,
        }
    }
}

/// How probabilities are made of the language-model head's logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LossKind {
    /// `exp(x) / sum exp(x)`.
    Softmax,
    /// `s(x) / sum s(x)` with `s(x) = x + 1` for `x >= 0`, else `1 / (1 - x)`.
    Stablemax,
}

/// Which level calls of a segment carry gradients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GradientKind {
    /// The last call of L and the last call of H, as in the paper.
    OneStep,
    /// Every call of the segment.
    Full,
}

/// In which floating-point type a training step computes. Weights, their moments and averages, the carry and
/// the losses are f32 in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits.
    F32,
    /// 32 bits, but a GPU may round the factors of its products to 10 bits.
    Tf32,
    /// On a GPU, weights and activations of the forward and backward pass with 8 bits, norms and
    /// softmax with 32; on a CPU only the factors of matrix products with 8 bits, where the processor
    /// multiplies such numbers.
    Bf16,
}

impl Precision {
    /// The type of the values within a segment.
    pub fn dtype(self) -> DType {
        match self {
            Precision::F32 | Precision::Tf32 => DType::F32,
            Precision::Bf16 => DType::BF16,
        }
    }
}

/// How the prefix embedding (the original's puzzle embedding) is updated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PrefixRule {
    /// As every other parameter.
    AdamAtan2,
    /// By the gradient's sign, with the same rate and decoupled decay: the original's.
    Sign,
}

/// How the matrices of the blocks are updated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatrixRule {
    /// As every other parameter.
    AdamAtan2,
    /// By their momentum made orthogonal, with the same rate and decoupled decay.
    Muon,
}

/// Optimizer, losses, schedule, and what is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// Pack, checkpoint or run directory whose (averaged) weights a new run starts from;
    /// random ones where it is empty.
    pub from: PathBuf,
    /// Seeds the initial parameters and every draw.
    pub seed: u64,
    /// Rows trained at once.
    pub batch: usize,
    /// Learning rate after warm-up.
    pub lr: f64,
    /// Steps over which the rate rises linearly from 0.
    pub warmup_steps: u64,
    /// Total optimizer steps; 0 goes on until stopped.
    pub steps: u64,
    /// The last steps of `steps`, over which the rate falls as a cosine.
    pub decay_steps: u64,
    /// Fraction of `lr` that is left after the decay.
    pub decay_to: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Decoupled weight decay: `p *= 1 - lr * weight_decay`.
    pub weight_decay: f64,
    /// How `embed.prefix` is updated.
    pub prefix: PrefixRule,
    /// How the blocks' matrices are updated.
    pub matrices: MatrixRule,
    /// Decay of the weights' moving average, which evaluation and export use; 0 keeps none.
    pub ema: f64,
    /// Largest norm of the gradient, beyond which it is scaled down; 0 never clips.
    pub clip: f64,
    /// Normalisation behind the cross entropy.
    pub loss: LossKind,
    /// Which level calls carry gradients.
    pub gradient: GradientKind,
    /// In which floating-point type a step computes.
    pub precision: Precision,
    /// Probability that halting waits for at least U{2..segments} segments.
    pub exploration: f64,
    /// Whether that is drawn once per puzzle, so that solved grids are also trained to stay solved for long;
    /// false draws at every segment, as the original code does.
    pub explore_once: bool,
    /// Whether the first puzzles start with unequal segment counts, so that rows are
    /// not refilled all at once.
    pub stagger: bool,
    /// Probability that a new puzzle starts from random states instead of the fixed `init.h` and `init.l`.
    pub random_start: f64,
    /// Standard deviation of the noise added to both carried states before every segment; 0 adds none.
    pub latent_noise: f64,
    /// Probability that a row which stopped without solving its puzzle draws the same puzzle
    /// again (in another variation).
    pub replay: f64,
    /// A row whose slow state moved by less than this share of its size in a segment is done, solved or not,
    /// once it has its explored segments; 0 lets every row think on.
    pub rest: f64,
    /// Probability that a row which stopped without solving its puzzle supposes cells of its answer and
    /// thinks on, instead of drawing another one.
    pub suppose: f64,
    /// Most cells supposed at once: U{1..suppose_most}.
    pub suppose_most: u16,
    /// Probability that it thinks on from its carried states instead of the initial ones.
    pub suppose_warm: f64,
    /// Segments at most after something was supposed.
    pub suppose_segments: u32,
    /// Steps between two lines of metrics.
    pub log_steps: u64,
    /// Steps between two evaluations on the validation rows; 0 evaluates only at the end.
    pub eval_steps: u64,
    /// Validation rows used by an evaluation (each at every hint level).
    pub eval_rows: usize,
    /// Segments per evaluated puzzle; 0 takes the model's.
    pub eval_segments: usize,
    /// Minutes between two checkpoints.
    pub checkpoint_minutes: f64,
    /// Checkpoints kept; older ones are deleted.
    pub keep: usize,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            from: PathBuf::new(),
            seed: 1,
            batch: 64,
            lr: 1e-3,
            warmup_steps: 100,
            steps: 0,
            decay_steps: 0,
            decay_to: 0.01,
            beta1: 0.9,
            beta2: 0.95,
            weight_decay: 0.1,
            prefix: PrefixRule::AdamAtan2,
            matrices: MatrixRule::AdamAtan2,
            ema: 0.999,
            clip: 0.0,
            loss: LossKind::Softmax,
            gradient: GradientKind::OneStep,
            precision: Precision::F32,
            exploration: 0.1,
            explore_once: true,
            stagger: true,
            random_start: 0.0,
            latent_noise: 0.0,
            replay: 0.0,
            rest: 0.0,
            suppose: 0.0,
            suppose_most: 3,
            suppose_warm: 0.5,
            suppose_segments: 6,
            log_steps: 20,
            eval_steps: 1000,
            eval_rows: 64,
            eval_segments: 0,
            checkpoint_minutes: 5.0,
            keep: 3,
        }
    }
}

impl RunConfig {
    /// Reads `path`, then applies the `key=value` overrides in order.
    pub fn load(path: &Path, overrides: &[String]) -> Result<Self, ConfigError> {
        let unread = |source| ConfigError::Read { path: path.to_owned(), source };
        let bytes = read(path).map_err(unread)?;
        match kind_of(&bytes) {
            Kind::Text | Kind::Configuration => {}
            kind => return Err(ConfigError::Kind { path: path.to_owned(), kind }),
        }
        let text = String::from_utf8(bytes).map_err(|error| unread(io::Error::other(error)))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        Self::parse(text, &path.display().to_string(), overrides)
    }

    /// As [`Self::load`], of a text; `origin` names it in errors.
    pub fn parse(text: &str, origin: &str, overrides: &[String]) -> Result<Self, ConfigError> {
        Self::changed(Given::read(text, origin)?, overrides)
    }

    /// As [`Self::parse`], of the JSON in a checkpoint, which anybody may have written. What `trained` has had
    /// to be a configuration of training; imported weights may be of a model that no run here trains.
    pub fn of_checkpoint(text: &str, trained: bool) -> Result<Self, ConfigError> {
        let origin = "`config`";
        let syntax = |message| ConfigError::Syntax { origin: origin.to_owned(), message };
        let config: Self = serde_json::from_str(text).map_err(|e| syntax(e.to_string()))?;
        // Some numbers of JSON have no place in a file of ours.
        Table::try_from(&config).map_err(|e| syntax(e.to_string()))?;
        match trained {
            true => config.check().map_err(|wrong| wrong.given_in(origin))?,
            false => config.model.names_a_model().map_err(|e| syntax(e.to_string()))?,
        }
        Ok(config)
    }

    /// This configuration with the `key=value` overrides applied in order.
    pub fn with(&self, overrides: &[String]) -> Result<Self, ConfigError> {
        Self::changed(Given::of(self, "the run's configuration"), overrides)
    }

    fn changed(mut given: Given, overrides: &[String]) -> Result<Self, ConfigError> {
        let before = given.clone();
        for assignment in overrides {
            given.set(assignment)?;
        }
        given.into_config().map_err(|error| match error {
            // A value of the file that was right there is wrong beside what `--set` has changed.
            ConfigError::Value { origin, key, got, must }
                if !overrides.is_empty() && !origin.starts_with("--set ") && before.into_config().is_ok() =>
            {
                let origin = format!("--set {}, with {origin}", overrides.join(" --set "));
                ConfigError::Value { origin, key, got, must }
            }
            error => error,
        })
    }

    /// The model at every size that it is trained on: its own, then those of `data.also`.
    ///
    /// # Errors
    /// Where no weight fits two of them.
    pub fn sizes(&self) -> Result<Vec<ModelConfig>, OtherSize> {
        let others = self.data.also.iter().map(|&size| self.model.for_task(size));
        [Ok(self.model.clone())].into_iter().chain(others).collect()
    }

    /// This configuration with files by their names alone, for what is given away: where they lie on this
    /// machine is nobody's business.
    #[must_use]
    pub fn without_folders(&self) -> Self {
        let mut told = self.clone();
        for path in told.paths_mut() {
            if let Some(name) = path.file_name() {
                *path = name.into();
            }
        }
        told
    }

    /// Every key that names a file or folder.
    fn paths_mut(&mut self) -> [&mut PathBuf; 3] {
        [&mut self.data.train, &mut self.data.validation_from, &mut self.train.from]
    }

    /// The configuration as TOML.
    pub fn to_toml(&self) -> String {
        to_table(self).to_string()
    }

    /// CRC-64 of every key and value, as 16 hexadecimal digits: equal for equal configurations.
    pub fn hash(&self) -> String {
        let crc = crc::Crc::<u64>::new(&crc::CRC_64_XZ);
        format!("{:016x}", crc.checksum(self.to_toml().as_bytes()))
    }

    /// Every key, with its section.
    pub fn keys(&self) -> Vec<String> {
        flatten(&to_table(self)).into_iter().map(|(key, _)| key).collect()
    }

    /// The keys below `prefix` (for example `model.`) whose values differ between the two.
    pub fn differing_keys(&self, other: &Self, prefix: &str) -> Vec<String> {
        let (a, b) = (flatten(&to_table(self)), flatten(&to_table(other)));
        a.iter()
            .filter(|(key, value)| key.starts_with(prefix) && !b.iter().any(|(k, v)| k == key && v == value))
            .map(|(key, _)| key.clone())
            .collect()
    }
}
