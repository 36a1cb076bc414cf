//! A whole run: steps, metrics, evaluations and checkpoints until something says stop.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use candle_core::Device;

use super::archive::{Archive, ArchiveError};
use super::checkpoint::{Lock, RunDir, TrainState};
use super::communicator::{Alone, Communicator, agree};
use super::error::TrainError;
use super::eval::{FloatModel, evaluate};
use super::metrics::{Evaluation, Line, MetricsFile, Progress, Window};
use super::patience::patiently;
use super::trainer::Trainer;
use crate::config::RunConfig;
use crate::data::PuzzleSet;
use crate::data::import::Notes;
use crate::files::{CONFIG, METRICS, checkpoint_name, rank_folder, replace_file};
use crate::model::Params;

/// Per cent of the blanks given as hints at the four levels of every evaluation.
pub const HINT_LEVELS: [u8; 4] = [90, 70, 40, 0];

/// The puzzles of a run.
#[derive(Clone, Debug)]
pub struct RunData {
    /// Rows to train on.
    pub train: PuzzleSet,
    /// Rows of other sizes to train on, in the order of `data.also`.
    pub also: Vec<PuzzleSet>,
    /// Rows held out; may be empty, then nothing is evaluated.
    pub validation: PuzzleSet,
    /// What is told of the lines of its files.
    pub notes: Vec<(PathBuf, Notes)>,
}

impl RunData {
    /// The rows to train on, those of the model's size first.
    pub fn sizes(&self) -> impl Iterator<Item = &PuzzleSet> {
        [&self.train].into_iter().chain(&self.also)
    }

    /// CRC-64 of every puzzle and answer to train on, in order.
    pub fn fingerprint(&self) -> String {
        let crc = crc::Crc::<u64>::new(&crc::CRC_64_XZ);
        let mut digest = crc.digest();
        for set in self.sizes() {
            for row in 0..set.len() {
                digest.update(set.question(row));
                digest.update(set.answer(row));
            }
        }
        format!("{:016x}", digest.finalize())
    }
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
    /// How long the last save waits for room on a full disk.
    pub patience: Duration,
    /// Set from anywhere (a signal handler) to stop after the current step, or to
    /// wait for no disk any longer.
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
            patience: Duration::ZERO,
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
/// With [`RunOptions::resume`], `config` is what the run goes on with: it may differ from the checkpoint's in
/// everything but the model, the data split and the batch.
///
/// # Errors
/// See [`TrainError`]. Whatever fails, the checkpoints written before are intact.
pub fn run(
    config: &RunConfig,
    data: &RunData,
    options: &RunOptions,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Summary, TrainError> {
    run_among(config, data, options, Box::new(Alone), on_event)
}

/// As [`run`], one of several trainers of one model, each with `train.batch` rows of its own.
///
/// Rank 0 keeps the run in [`RunOptions::out`] as a lone trainer does, measures and evaluates. Every other
/// rank keeps its own checkpoints in a folder inside of it, `rank-1` and so on, since it has other puzzles on
/// its mind. All must see the same folder.
///
/// # Errors
/// See [`TrainError`]. A rank that cannot go on ends; [`TrainError::Lost`] is what the others may say then,
/// with a checkpoint saved.
pub fn run_among(
    config: &RunConfig,
    data: &RunData,
    options: &RunOptions,
    peers: Box<dyn Communicator>,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Summary, TrainError> {
    Run::begin(config, data, options, peers, on_event)?.go()
}

/// What a rank tells the others between two steps.
mod wish {
    /// It was asked to stop.
    pub(super) const STOP: u64 = 1;
    /// Its time is up.
    pub(super) const LIMIT: u64 = 1 << 1;
    /// A checkpoint is due.
    pub(super) const SAVE: u64 = 1 << 2;
}

/// A run opened or made by one rank.
struct Opened<'d> {
    dir: Option<RunDir>,
    lock: Option<Lock>,
    trainer: Trainer<'d>,
}

struct Run<'a> {
    trainer: Trainer<'a>,
    data: &'a RunData,
    options: &'a RunOptions,
    on_event: &'a mut dyn FnMut(Event<'_>),
    dir: Option<RunDir>,
    _lock: Option<Lock>,
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
        mut peers: Box<dyn Communicator>,
        on_event: &'a mut dyn FnMut(Event<'_>),
    ) -> Result<Self, TrainError> {
        let rank = peers.rank();
        // Everybody has looked at the folder as it was before rank 0 changes it; the others'
        // folders are inside of it.
        peers.any(0)?;
        let (mut opened, mut step) = (None::<Opened<'a>>, 0);
        for turn in [rank == 0, rank != 0] {
            let mine = turn.then(|| open(config, data, options, (rank, step), on_event)).transpose();
            let failed = peers.any(u64::from(mine.is_err()))? != 0;
            opened = opened.or(mine?);
            if failed {
                return Err(TrainError::Peers("another rank cannot begin, and has said why".to_owned()));
            }
            step = peers.any(opened.as_ref().map_or(0, |opened| opened.trainer.steps()))?;
        }
        let Some(Opened { dir, lock, trainer }) = opened else {
            return Err(TrainError::Peers("this rank had no turn to begin".to_owned()));
        };
        if peers.ranks() > 1 && !agree(&mut *peers, trainer.in_common())? {
            return Err(TrainError::Peers(format!(
                "the ranks do not hold the same configuration, puzzles and parameters at step {step}"
            )));
        }
        let trainer = trainer.joined(peers);
        let mut metrics = None;
        if let Some(dir) = dir.as_ref().filter(|_| rank == 0) {
            let io = |path: &Path, source| TrainError::Io { action: "write", path: path.to_owned(), source };
            let config_path = dir.path.join(CONFIG);
            keep(config, &config_path).map_err(|e| io(&config_path, e))?;
            let metrics_path = dir.path.join(METRICS);
            let mut file = MetricsFile::open(&metrics_path).map_err(|e| io(&metrics_path, e))?;
            let line = Line::Start {
                step: trainer.steps(),
                config_hash: &config.hash(),
                rows: data.sizes().map(PuzzleSet::len).sum(),
                parameters: trainer.parameters(),
            };
            file.write(&line).map_err(|e| io(&metrics_path, e))?;
            metrics = Some(file);
        }
        on_event(Event::Started {
            step: trainer.steps(),
            rows: data.sizes().map(PuzzleSet::len).sum(),
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
            let mine = self.wishes(every, longest);
            // All ranks stop, and save, after the same step.
            let wishes = self.saving(|trainer| trainer.peers().any(mine))?;
            if wishes & wish::SAVE != 0 {
                // The disk may be free again at the next attempt.
                if let Err(error) = self.save() {
                    self.warn(format!("{error}; training goes on, the next attempt follows"));
                }
            }
            if wishes & wish::STOP != 0 {
                break Stop::Interrupted;
            }
            if config.train.steps > 0 && step >= config.train.steps {
                break Stop::Finished;
            }
            if wishes & wish::LIMIT != 0 || self.options.max_steps.is_some_and(|limit| step - first >= limit)
            {
                break Stop::Limit;
            }

            let start = Instant::now();
            let report = self.saving(Trainer::step)?;
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
        };
        let evaluated = self.evaluation.as_ref().map(|e| e.step);
        if stop != Stop::Interrupted {
            // A checkpoint first: an evaluation takes a while.
            self.save_at_last()?;
            if evaluated != Some(self.trainer.steps()) {
                self.evaluate()?;
            }
        }
        self.save_at_last()?;
        self.trainer.peers().part();
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

    /// What this rank wants to be done before the next step.
    fn wishes(&self, save_every: Duration, longest_step: Duration) -> u64 {
        let out_of_time =
            self.options.max_time.is_some_and(|limit| self.began.elapsed() + longest_step > limit);
        [
            (self.options.stop.load(Ordering::Relaxed), wish::STOP),
            (out_of_time, wish::LIMIT),
            (self.saved.0.elapsed() >= save_every, wish::SAVE),
        ]
        .into_iter()
        .fold(0, |wishes, (wanted, bit)| if wanted { wishes | bit } else { wishes })
    }

    /// Does what needs the other ranks. Where they do not come any more, what has
    /// been trained is saved first.
    fn saving<T>(
        &mut self,
        act: impl FnOnce(&mut Trainer<'a>) -> Result<T, TrainError>,
    ) -> Result<T, TrainError> {
        let result = act(&mut self.trainer);
        if matches!(result, Err(TrainError::Lost { .. })) {
            self.save_at_last()?;
        }
        result
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
        let mut progress = window.take(self.trainer.steps(), self.trainer.samples(), minutes, seconds);
        // The rest is of this rank's rows, a sample of all.
        progress.rate *= self.trainer.ranks() as f64;
        *began = now;
        self.write(&Line::Train(&progress));
        (self.on_event)(Event::Progress(&progress));
    }

    fn evaluate(&mut self) -> Result<(), TrainError> {
        let config = self.trainer.config().clone();
        let rows = self.data.validation.len().min(config.train.eval_rows);
        if rows == 0 || self.trainer.rank() != 0 {
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

    /// Saves what no later save would: a full disk is waited for, and what is lost is told.
    fn save_at_last(&mut self) -> Result<(), TrainError> {
        let RunOptions { patience, stop, .. } = self.options;
        let tell = |run: &mut Self, error: &TrainError, left: Duration| {
            run.warn(format!(
                "{error}; free some space: what was trained is in memory, and the next attempts follow for {} s (Ctrl-C ends the wait)",
                left.as_secs().max(1)
            ));
        };
        patiently(self, *patience, stop, Self::save, is_full, tell).map_err(|error| match error {
            TrainError::Archive(error @ ArchiveError::Write { .. }) => {
                TrainError::Unsaved { error, step: self.trainer.steps(), last: self.saved.1 }
            }
            other => other,
        })
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

/// Whether a save may succeed as soon as somebody makes room.
fn is_full(error: &TrainError) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(
        error,
        TrainError::Archive(ArchiveError::Write { source, .. }) if [StorageFull, QuotaExceeded].contains(&source.kind())
    )
}

/// Opens the run, or makes it, as rank `rank`. The run goes on at `step` where `rank` is
/// not 0, which decides that.
fn open<'d>(
    config: &RunConfig,
    data: &'d RunData,
    options: &RunOptions,
    (rank, step): (usize, u64),
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Opened<'d>, TrainError> {
    let Some(out) = &options.out else {
        return Ok(Opened { dir: None, lock: None, trainer: fresh(config, data, options, rank)? });
    };
    let place = rank_folder(out, rank);
    if !options.resume {
        let trainer = fresh(config, data, options, rank)?;
        let dir = RunDir::create(&place)?;
        return Ok(Opened { lock: Some(dir.lock()?), dir: Some(dir), trainer });
    }
    let dir = RunDir::open(&place);
    if rank == 0 {
        if dir.listed()?.is_empty() {
            return Err(TrainError::NothingToResume(place));
        }
        let lock = dir.lock()?;
        let (checkpoint, state, refused) = dir.newest()?;
        for error in refused {
            on_event(Event::Warning(format!("{error}; going on from {}", checkpoint.display())));
        }
        let fixed = fixed_keys_that_differ(&state.config, config);
        if !fixed.is_empty() {
            return Err(TrainError::Changed(fixed));
        }
        let state = TrainState { config: config.clone(), ..state };
        let trainer = Trainer::resume(state, data, &options.device)?;
        return Ok(Opened { dir: Some(dir), lock: Some(lock), trainer });
    }
    std::fs::create_dir_all(&place).map_err(|source| TrainError::Io {
        action: "create the folder of a rank",
        path: place.clone(),
        source,
    })?;
    let lock = dir.lock()?;
    let read = |path: &Path| Archive::read(path).and_then(|archive| TrainState::from_archive(&archive));
    let resume = |state: TrainState| {
        Trainer::resume(TrainState { config: config.clone(), ..state }, data, &options.device)
    };
    let name = checkpoint_name(step);
    let trainer = match read(&place.join(&name)) {
        Ok(state) => resume(state)?,
        // Of rank 0 it takes all but the puzzles that it was working on.
        Err(error) => {
            on_event(Event::Warning(format!("rank {rank} goes on at step {step} with new puzzles: {error}")));
            resume(read(&out.join(&name))?)?.with_rows_anew(rank)?
        }
    };
    Ok(Opened { dir: Some(dir), lock: Some(lock), trainer })
}

/// A trainer at step 0.
fn fresh<'d>(
    config: &RunConfig,
    data: &'d RunData,
    options: &RunOptions,
    rank: usize,
) -> Result<Trainer<'d>, TrainError> {
    let trainer = match &options.start {
        Some(params) => Trainer::from_params(config, data, params, &options.device),
        None => Trainer::new(config, data, &options.device),
    }?;
    if rank == 0 { Ok(trainer) } else { trainer.with_rows_anew(rank) }
}

/// Keeps `config` at `path`. A file that says the same stays as somebody has written it.
fn keep(config: &RunConfig, path: &Path) -> std::io::Result<()> {
    // A disk that fails does not say that there is none.
    if path.try_exists()? && RunConfig::load(path, &[]).is_ok_and(|kept| kept == *config) {
        return Ok(());
    }
    replace_file(path, |file| file.write_all(config.to_toml().as_bytes()))
}

/// Keys in which a run's configuration and a `wanted` one differ and must not: they decide what a
/// checkpoint's numbers mean, or how the run began.
pub fn fixed_keys_that_differ(of_run: &RunConfig, wanted: &RunConfig) -> Vec<String> {
    let mut keys = of_run.differing_keys(wanted, "model.");
    for key in ["data.validation", "data.seed", "data.also", "train.batch", "train.seed", "train.from"] {
        keys.extend(of_run.differing_keys(wanted, key).into_iter().filter(|differing| differing == key));
    }
    keys
}
