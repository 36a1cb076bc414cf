//! A whole run: steps, metrics, evaluations and checkpoints until something says stop.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use candle_core::Device;

use super::checkpoint::RunDir;
use super::error::TrainError;
use super::eval::{FloatModel, evaluate};
use super::metrics::{Evaluation, Line, MetricsFile, Progress, Window};
use super::trainer::Trainer;
use crate::config::RunConfig;
use crate::data::PuzzleSet;
use crate::data::import::Noted;
use crate::files::{CONFIG, METRICS, replace_file};
use crate::model::Params;

/// Per cent of the blanks given as hints at the four levels of every evaluation.
pub const HINT_LEVELS: [u8; 4] = [90, 70, 40, 0];

/// The puzzles of a run.
#[derive(Clone, Debug)]
pub struct RunData {
    /// Rows to train on.
    pub train: PuzzleSet,
    /// Rows held out; may be empty, then nothing is evaluated.
    pub validation: PuzzleSet,
    /// Lines of its files that were passed over.
    pub passed: Vec<(PathBuf, Noted)>,
}

/// How far a run goes and where it keeps itself.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Directory for checkpoints and metrics; without one nothing is kept.
    pub out: Option<PathBuf>,
    /// Go on with the run in `out` instead of starting one there.
    pub resume: bool,
    /// Parameters that a new run starts from instead of random ones.
    pub start: Option<Params>,
    /// Stop after this long.
    pub max_time: Option<Duration>,
    /// Stop after this many steps of this call.
    pub max_steps: Option<u64>,
    /// Set from anywhere (a signal handler) to stop after the current step.
    pub stop: Arc<AtomicBool>,
    /// Where to compute.
    pub device: Device,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            out: None,
            resume: false,
            start: None,
            max_time: None,
            max_steps: None,
            stop: Arc::default(),
            device: Device::Cpu,
        }
    }
}

/// What a run tells while it goes on.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// It begins or goes on at `step`.
    Started {
        /// Steps made before.
        step: u64,
        /// Rows to draw from.
        rows: usize,
        /// Trained parameters.
        parameters: usize,
    },
    /// One step was made.
    Step {
        /// Steps made since the run began.
        step: u64,
    },
    /// A line of metrics.
    Progress(&'a Progress),
    /// An evaluation.
    Evaluated(&'a Evaluation),
    /// A checkpoint was written.
    Saved(&'a Path),
    /// Something is wrong, but the run goes on.
    Warning(String),
}

/// Why a run stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// `train.steps` steps are made.
    Finished,
    /// `max_steps` or `max_time` is reached.
    Limit,
    /// [`RunOptions::stop`] was set.
    Interrupted,
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Why it stopped.
    pub stop: Stop,
    /// Optimizer steps since the run began.
    pub step: u64,
    /// Sample-segments since the run began.
    pub samples: u64,
    /// Minutes since the run began, earlier sittings included.
    pub minutes: f64,
    /// The last evaluation made in this call.
    pub evaluation: Option<Evaluation>,
    /// The last checkpoint written.
    pub checkpoint: Option<PathBuf>,
    /// The model with averaged weights.
    pub model: crate::model::Hrm,
}

/// Trains `config`'s model on `data` and tells `on_event` about it.
///
/// With [`RunOptions::resume`], `config` is what the run goes on with: it may differ from the checkpoint's in everything
/// but the model, the data split and the batch.
///
/// # Errors
/// See [`TrainError`]. Whatever fails, the checkpoints written before are intact.
pub fn run(
    config: &RunConfig,
    data: &RunData,
    options: &RunOptions,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Summary, TrainError> {
    Run::begin(config, data, options, on_event)?.go()
}

struct Run<'a> {
    trainer: Trainer<'a>,
    data: &'a RunData,
    options: &'a RunOptions,
    on_event: &'a mut dyn FnMut(Event<'_>),
    dir: Option<RunDir>,
    _lock: Option<std::fs::File>,
    metrics: Option<MetricsFile>,
    began: Instant,
    counted: Instant,
    saved: (Instant, u64),
    evaluation: Option<Evaluation>,
    checkpoint: Option<PathBuf>,
}

impl<'a> Run<'a> {
    fn begin(
        config: &RunConfig,
        data: &'a RunData,
        options: &'a RunOptions,
        on_event: &'a mut dyn FnMut(Event<'_>),
    ) -> Result<Self, TrainError> {
        let fresh = || match &options.start {
            Some(params) => Trainer::from_params(config, &data.train, params, &options.device),
            None => Trainer::new(config, &data.train, &options.device),
        };
        let (dir, lock, trainer) = match &options.out {
            Some(path) if options.resume => {
                let dir = RunDir::open(path);
                if dir.checkpoints().is_empty() {
                    return Err(TrainError::NothingToResume(path.clone()));
                }
                let lock = dir.lock()?;
                let (checkpoint, mut state, refused) = dir.newest()?;
                for error in refused {
                    on_event(Event::Warning(format!("{error}; going on from {}", checkpoint.display())));
                }
                let fixed = fixed_keys_that_differ(&state.config, config);
                if !fixed.is_empty() {
                    return Err(TrainError::Changed(fixed));
                }
                state.config = config.clone();
                (Some(dir), Some(lock), Trainer::resume(state, &data.train, &options.device)?)
            }
            Some(path) => {
                let trainer = fresh()?;
                let dir = RunDir::create(path)?;
                let lock = dir.lock()?;
                (Some(dir), Some(lock), trainer)
            }
            None => (None, None, fresh()?),
        };
        let mut metrics = None;
        if let Some(dir) = &dir {
            let io = |path: &Path, source| TrainError::Io { action: "write", path: path.to_owned(), source };
            let config_path = dir.path.join(CONFIG);
            keep(config, &config_path).map_err(|e| io(&config_path, e))?;
            let metrics_path = dir.path.join(METRICS);
            let mut file = MetricsFile::open(&metrics_path).map_err(|e| io(&metrics_path, e))?;
            let line = Line::Start {
                step: trainer.steps(),
                config_hash: &config.hash(),
                rows: data.train.len(),
                parameters: trainer.parameters(),
            };
            file.write(&line).map_err(|e| io(&metrics_path, e))?;
            metrics = Some(file);
        }
        on_event(Event::Started {
            step: trainer.steps(),
            rows: data.train.len(),
            parameters: trainer.parameters(),
        });
        let now = Instant::now();
        Ok(Self {
            saved: (now, trainer.steps()),
            trainer,
            data,
            options,
            on_event,
            dir,
            _lock: lock,
            metrics,
            began: now,
            counted: now,
            evaluation: None,
            checkpoint: None,
        })
    }

    fn go(mut self) -> Result<Summary, TrainError> {
        let first = self.trainer.steps();
        let config = self.trainer.config().clone();
        let every = Duration::from_secs_f64(config.train.checkpoint_minutes * 60.0);
        let (mut window, mut window_began) = (Window::default(), Instant::now());
        let mut longest = Duration::ZERO;
        let stop = loop {
            let step = self.trainer.steps();
            if self.options.stop.load(Ordering::Relaxed) {
                break Stop::Interrupted;
            }
            if config.train.steps > 0 && step >= config.train.steps {
                break Stop::Finished;
            }
            let out_of_time =
                self.options.max_time.is_some_and(|limit| self.began.elapsed() + longest > limit);
            if out_of_time || self.options.max_steps.is_some_and(|limit| step - first >= limit) {
                break Stop::Limit;
            }

            let start = Instant::now();
            let report = self.trainer.step()?;
            longest = longest.max(start.elapsed());
            window.add(&report);
            let step = step + 1;
            (self.on_event)(Event::Step { step });
            if step.is_multiple_of(config.train.log_steps) {
                self.log(&mut window, &mut window_began);
            }
            if config.train.eval_steps > 0 && step.is_multiple_of(config.train.eval_steps) {
                let paused = Instant::now();
                self.evaluate()?;
                window_began += paused.elapsed();
            }
            if self.saved.0.elapsed() >= every {
                // The disk may be free again at the next attempt.
                if let Err(error) = self.save() {
                    self.warn(format!("{error}; training goes on, the next attempt follows"));
                }
            }
        };
        let evaluated = self.evaluation.as_ref().map(|e| e.step);
        if stop != Stop::Interrupted {
            // A checkpoint first: an evaluation takes a while.
            self.save()?;
            if evaluated != Some(self.trainer.steps()) {
                self.evaluate()?;
            }
        }
        self.save()?;
        Ok(Summary {
            stop,
            step: self.trainer.steps(),
            samples: self.trainer.samples(),
            minutes: self.trainer.seconds() / 60.0,
            model: self.trainer.averaged_model()?,
            evaluation: self.evaluation,
            checkpoint: self.checkpoint,
        })
    }

    /// Adds the time since the last call to the run's own clock.
    fn count_time(&mut self) {
        let now = Instant::now();
        self.trainer.add_seconds((now - self.counted).as_secs_f64());
        self.counted = now;
    }

    fn log(&mut self, window: &mut Window, began: &mut Instant) {
        self.count_time();
        let now = Instant::now();
        let seconds = (now - *began).as_secs_f64();
        let minutes = self.trainer.seconds() / 60.0;
        let progress = window.take(self.trainer.steps(), self.trainer.samples(), minutes, seconds);
        *began = now;
        self.write(&Line::Train(&progress));
        (self.on_event)(Event::Progress(&progress));
    }

    fn evaluate(&mut self) -> Result<(), TrainError> {
        let config = self.trainer.config().clone();
        let rows = self.data.validation.len().min(config.train.eval_rows);
        if rows == 0 {
            return Ok(());
        }
        let set = self.data.validation.subset(&(0..rows).collect::<Vec<_>>());
        let segments = match config.train.eval_segments {
            0 => config.model.segments,
            segments => segments,
        };
        let mut model = FloatModel { hrm: self.trainer.averaged_model()?, batch: config.train.batch };
        let mut levels = Vec::new();
        for hints in HINT_LEVELS {
            if self.options.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            levels.push(evaluate(&mut model, &set, hints, segments, config.data.seed)?);
        }
        self.count_time();
        let evaluation = Evaluation {
            step: self.trainer.steps(),
            samples: self.trainer.samples(),
            minutes: self.trainer.seconds() / 60.0,
            segments,
            levels,
        };
        self.write(&Line::Eval(&evaluation));
        (self.on_event)(Event::Evaluated(&evaluation));
        self.evaluation = Some(evaluation);
        Ok(())
    }

    fn save(&mut self) -> Result<(), TrainError> {
        let Some(dir) = self.dir.clone() else { return Ok(()) };
        self.count_time();
        self.saved.0 = Instant::now();
        if self.checkpoint.is_some() && self.saved.1 == self.trainer.steps() {
            return Ok(());
        }
        let path = dir.save(&self.trainer.state()?, self.trainer.config().train.keep)?;
        self.saved.1 = self.trainer.steps();
        (self.on_event)(Event::Saved(&path));
        self.checkpoint = Some(path);
        Ok(())
    }

    fn write(&mut self, line: &Line<'_>) {
        if let Some(Err(error)) = self.metrics.as_mut().map(|file| file.write(line)) {
            self.warn(format!("cannot append to metrics.jsonl: {error}"));
        }
    }

    fn warn(&mut self, message: String) {
        (self.on_event)(Event::Warning(message));
    }
}

/// Keeps `config` at `path`. A file that says the same stays as somebody has written it.
fn keep(config: &RunConfig, path: &Path) -> std::io::Result<()> {
    if path.is_file() && RunConfig::load(path, &[]).is_ok_and(|kept| kept == *config) {
        return Ok(());
    }
    replace_file(path, |file| file.write_all(config.to_toml().as_bytes()))
}

/// Keys in which a run's configuration and a `wanted` one differ and must not: they decide what a checkpoint's numbers mean.
pub fn fixed_keys_that_differ(of_run: &RunConfig, wanted: &RunConfig) -> Vec<String> {
    let mut keys = of_run.differing_keys(wanted, "model.");
    for key in ["data.validation", "data.seed", "train.batch"] {
        keys.extend(of_run.differing_keys(wanted, key).into_iter().filter(|differing| differing == key));
    }
    keys
}
