//! The state of a run as one file, and the directory that keeps the last few of them.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use candle_core::Device;
use rand_pcg::Pcg64;

use super::archive::{Archive, ArchiveError};
pub use super::batch::BatchState;
use super::error::TrainError;
use super::flat::{FlatParams, Named};
use super::optim::AdamAtan2;
use super::rows::{Rows, UNKNOWN};
use super::suppose::Supposed;
use crate::config::RunConfig;
use crate::files::{
    CONFIG, LATEST, LOCK, METRICS, checkpoint_name, is_checkpoint, is_rank_folder, replace_file,
};
use crate::model::{ModelConfig, Params, shapes};

/// Everything that decides how a run goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainState {
    /// The run's configuration.
    pub config: RunConfig,
    /// The parameters.
    pub params: FlatParams,
    /// Their moving average.
    pub average: Vec<f32>,
    /// Moments and update count.
    pub optimizer: AdamAtan2,
    /// What its batches work on: that of the model's size, then those of `data.also`.
    pub batches: Vec<BatchState>,
    /// The generator of every later draw.
    pub rng: Pcg64,
    /// Optimizer steps made.
    pub step: u64,
    /// Sample-segments trained on.
    pub samples: u64,
    /// Seconds of training.
    pub seconds: f64,
    /// Fingerprint of the training rows.
    pub data: String,
}

const PARAM: &str = "param.";
const AVERAGE: &str = "ema.";
/// What `format` says in the file of a run, and in one that holds weights alone.
const RUN: &str = "hrm-train-1";
const WEIGHTS: &str = "hrm-weights-1";

impl TrainState {
    /// The state as named tensors and texts.
    pub fn to_archive(&self) -> Archive {
        let mut archive = Archive::default();
        let json = |value: Result<String, serde_json::Error>| value.expect("plain values serialise");
        archive.put_text("format", RUN);
        archive.put_text("config", json(serde_json::to_string(&self.config)));
        archive.put_text("config_hash", self.config.hash());
        archive.put_text("rng", json(serde_json::to_string(&self.rng)));
        archive.put_text("step", self.step.to_string());
        archive.put_text("samples", self.samples.to_string());
        archive.put_text("updates", self.optimizer.t.to_string());
        archive.put_text("seconds", self.seconds.to_string());
        archive.put_text("data", self.data.clone());
        let vectors = [
            (PARAM, &self.params.values),
            (AVERAGE, &self.average),
            ("adam_m.", &self.optimizer.m),
            ("adam_v.", &self.optimizer.v),
        ];
        for (prefix, values) in vectors {
            for (named, own) in self.params.split(values) {
                archive.put_f32(&format!("{prefix}{}", named.name), &named.shape, own);
            }
        }
        for (named, values) in &self.params.buffers {
            archive.put_f32(&format!("{PARAM}{}", named.name), &named.shape, values);
        }
        for (number, batch) in self.batches.iter().enumerate() {
            batch.put(&mut archive, &prefix(number), self.config.model.width);
        }
        archive
    }

    /// Reads the state back.
    ///
    /// # Errors
    /// [`ArchiveError`] where an entry is missing or has another shape.
    pub fn from_archive(archive: &Archive) -> Result<Self, ArchiveError> {
        if holds_weights_alone(archive) {
            return Err(ArchiveError::WeightsAlone { path: archive.path().to_owned() });
        }
        let config = read_config(archive)?;
        let params = read_params(archive, &config, PARAM)?;
        let vector = |prefix: &str| -> Result<Vec<f32>, ArchiveError> {
            let mut values = Vec::with_capacity(params.values.len());
            for named in &params.layout {
                values.extend(archive.f32(&format!("{prefix}{}", named.name), named.len())?);
            }
            Ok(values)
        };
        Ok(Self {
            average: vector(AVERAGE)?,
            optimizer: AdamAtan2 {
                m: vector("adam_m.")?,
                v: vector("adam_v.")?,
                t: counter(archive, "updates")?,
                ..AdamAtan2::new(0, &config.train)
            },
            batches: config
                .sizes()
                .map_err(|e| archive.refused(e.to_string()))?
                .iter()
                .enumerate()
                .map(|(number, model)| BatchState::get(archive, &prefix(number), (model, config.train.batch)))
                .collect::<Result<_, _>>()?,
            rng: archive.json("rng")?,
            step: counter(archive, "step")?,
            samples: counter(archive, "samples")?,
            seconds: seconds(archive)?,
            data: archive.text("data")?.to_owned(),
            params,
            config,
        })
    }
}

/// What the entries of a run's batch begin with.
fn prefix(number: usize) -> String {
    if number == 0 { String::new() } else { format!("also.{number}.") }
}

impl BatchState {
    fn put(&self, archive: &mut Archive, prefix: &str, width: usize) {
        let rows = &self.rows;
        let (batch, cells) = (rows.len(), rows.cells);
        let name = |name: &str| format!("{prefix}{name}");
        let carry = [batch, self.z_h.len() / (batch * width), width];
        archive.put_f32(&name("carry.z_h"), &carry, &self.z_h);
        archive.put_f32(&name("carry.z_l"), &carry, &self.z_l);
        archive.put_u8(&name("rows.puzzles"), &[batch, cells], &rows.puzzles);
        archive.put_u8(&name("rows.labels"), &[batch, cells], &rows.labels);
        archive.put_u8(&name("rows.done"), &[batch], &rows.done);
        archive.put_u8(&name("rows.eased"), &[batch], &rows.eased);
        archive.put_u32(&name("rows.segments"), &[batch], &rows.segments);
        archive.put_u32(&name("rows.at_least"), &[batch], &rows.at_least);
        archive.put_u32(&name("rows.source"), &[batch], &rows.source);
        archive.put_u8(&name("rows.unsolved"), &[batch], &rows.unsolved);
        let supposed: Vec<u8> = rows.supposed.iter().map(|&supposed| supposed as u8).collect();
        archive.put_u8(&name("rows.supposed"), &[batch], &supposed);
    }

    fn get(
        archive: &Archive,
        prefix: &str,
        (model, batch): (&ModelConfig, usize),
    ) -> Result<Self, ArchiveError> {
        let name = |name: &str| format!("{prefix}{name}");
        let (cells, carried) = (model.cells(), batch * model.sequence() * model.width);
        let tokens = |key: &str| {
            let tokens = archive.u8(&name(key), batch * cells)?;
            match tokens.iter().find(|&&token| usize::from(token) >= model.vocab()) {
                None => Ok(tokens),
                Some(token) => {
                    let (key, task, vocab) = (name(key), model.task, model.vocab());
                    Err(archive.refused(format!("`{key}` has the token {token}, and {task} has {vocab}")))
                }
            }
        };
        // Older files lack some: their rows wait for nothing, are not drawn again, and suppose nothing.
        let u32s = |key: &str, missing: u32| match archive.contains(&name(key)) {
            true => archive.u32(&name(key), batch),
            false => Ok(vec![missing; batch]),
        };
        let bytes = |key: &str| match archive.contains(&name(key)) {
            true => archive.u8(&name(key), batch),
            false => Ok(vec![0; batch]),
        };
        Ok(Self {
            z_h: archive.f32(&name("carry.z_h"), carried)?,
            z_l: archive.f32(&name("carry.z_l"), carried)?,
            rows: Rows {
                cells,
                puzzles: tokens("rows.puzzles")?,
                labels: tokens("rows.labels")?,
                done: archive.u8(&name("rows.done"), batch)?,
                eased: archive.u8(&name("rows.eased"), batch)?,
                segments: archive.u32(&name("rows.segments"), batch)?,
                at_least: u32s("rows.at_least", 0)?,
                source: u32s("rows.source", UNKNOWN)?,
                unsolved: bytes("rows.unsolved")?,
                supposed: bytes("rows.supposed")?.into_iter().map(Supposed::from_byte).collect(),
            },
        })
    }
}

/// A number that grows with a run; no run comes near its limit.
fn counter(archive: &Archive, name: &str) -> Result<u64, ArchiveError> {
    const MOST: u64 = 1 << 53;
    match archive.parsed(name)? {
        count @ ..=MOST => Ok(count),
        count => Err(archive.refused(format!("`{name}` cannot be {count}"))),
    }
}

fn seconds(archive: &Archive) -> Result<f64, ArchiveError> {
    let seconds: f64 = archive.parsed("seconds")?;
    match seconds.is_finite() && seconds >= 0.0 {
        true => Ok(seconds),
        false => Err(archive.refused(format!("`seconds` cannot be {seconds}"))),
    }
}

fn read_config(archive: &Archive) -> Result<RunConfig, ArchiveError> {
    RunConfig::of_checkpoint(archive.text("config")?, !holds_weights_alone(archive))
        .map_err(|error| archive.refused(error.to_string()))
}

/// The parameters of `config`'s model under `prefix`; buffers are always under `param.`.
fn read_params(archive: &Archive, config: &RunConfig, prefix: &str) -> Result<FlatParams, ArchiveError> {
    let mut params = FlatParams { layout: Vec::new(), values: Vec::new(), buffers: Vec::new() };
    for (name, shape, trained) in shapes(&config.model) {
        let named = Named { name, shape };
        let read = |prefix: &str| archive.f32(&format!("{prefix}{}", named.name), named.len());
        if trained {
            params.values.extend(read(prefix)?);
            params.layout.push(named);
        } else {
            let values = read(PARAM)?;
            params.buffers.push((named, values));
        }
    }
    Ok(params)
}

/// The model of a checkpoint: its run's configuration, and its parameters, averaged where `prefer_ema`.
///
/// # Errors
/// Where the file is damaged or holds another model than its configuration says.
pub fn load_parameters(path: &Path, prefer_ema: bool) -> Result<(RunConfig, Params), TrainError> {
    load_model(path, prefer_ema).map(|model| (model.config, model.params))
}

/// A model taken out of a checkpoint, and how far its training had come.
#[derive(Debug)]
pub struct TrainedModel {
    /// The run's configuration.
    pub config: RunConfig,
    /// Weights, as trained or averaged.
    pub params: Params,
    /// Optimizer steps taken.
    pub step: u64,
    /// Sample-segments seen.
    pub samples: u64,
    /// [`RunData::fingerprint`](super::RunData::fingerprint) of the rows it was trained on; `None` where
    /// the file has weights alone.
    pub data: Option<String>,
}

/// As [`load_parameters`], with the counters of the run.
///
/// # Errors
/// Where the file is damaged or holds another model than its configuration says.
pub fn load_model(path: &Path, prefer_ema: bool) -> Result<TrainedModel, TrainError> {
    let archive = Archive::read(path).map_err(|error| torn(path, error))?;
    TrainedModel::from_archive(&archive, prefer_ema)
}

/// Whether a file has no state of a run: no averages, no moments, no rows.
fn holds_weights_alone(archive: &Archive) -> bool {
    archive.text("format").is_ok_and(|format| format == WEIGHTS)
}

impl TrainedModel {
    /// The model as named tensors and texts, without the state of a run.
    ///
    /// # Errors
    /// Where the parameters' device fails.
    pub fn to_archive(&self) -> Result<Archive, TrainError> {
        let mut archive = Archive::default();
        archive.put_text("format", WEIGHTS);
        archive.put_text("config", serde_json::to_string(&self.config).expect("plain values serialise"));
        archive.put_text("config_hash", self.config.hash());
        archive.put_text("step", self.step.to_string());
        archive.put_text("samples", self.samples.to_string());
        for (name, tensor) in self.params.tensors() {
            let values = tensor.flatten_all()?.to_vec1::<f32>()?;
            archive.put_f32(&format!("{PARAM}{name}"), tensor.dims(), &values);
        }
        Ok(archive)
    }

    /// Takes the model out of a checkpoint; its averaged weights where `prefer_ema`.
    ///
    /// # Errors
    /// Where an entry is missing, or is another than its configuration says.
    pub fn from_archive(archive: &Archive, prefer_ema: bool) -> Result<Self, TrainError> {
        let config = read_config(archive)?;
        let averaged = prefer_ema && !holds_weights_alone(archive);
        let params = read_params(archive, &config, if averaged { AVERAGE } else { PARAM })?;
        let params = params.to_params(&config.model, &Device::Cpu)?;
        let (step, samples) = (counter(archive, "step")?, counter(archive, "samples")?);
        let data = match holds_weights_alone(archive) {
            true => None,
            false => Some(archive.text("data")?.to_owned()),
        };
        Ok(Self { config, params, step, samples, data })
    }
}

/// `error` of the checkpoint at `path`, with what its run has instead where it is damaged.
fn torn(path: &Path, error: ArchiveError) -> TrainError {
    use ArchiveError::{Checksum, Cut, Damaged};
    if !matches!(error, Damaged { .. } | Checksum { .. } | Cut { .. }) {
        return error.into();
    }
    let others = path.parent().map_or(Vec::new(), |run| RunDir::open(run).checkpoints());
    let advice = match others.iter().rev().find(|other| other.file_name() != path.file_name()) {
        Some(other) => format!("the same run has {}", other.display()),
        None if path.as_os_str() == "-" => "see why its writer has stopped, or name a file".into(),
        None => {
            "there is no other checkpoint beside it; copy it again from where it came, or train anew".into()
        }
    };
    TrainError::Torn { error, advice }
}

/// Whether `name` is that of a file which a killed run was writing.
fn is_unfinished(name: &str) -> bool {
    ["step-", "latest.", "config.toml.", "hrm-host."].iter().any(|start| name.starts_with(start))
        && name.ends_with(".partial")
}

/// A run's directory: `step-XXXXXXXX.safetensors`, and `latest` with the name of the newest.
#[derive(Clone, Debug)]
pub struct RunDir {
    /// Where it is.
    pub path: PathBuf,
}

/// A run's directory is this process's as long as this lives.
#[derive(Debug)]
pub struct Lock(fs::File);

impl Drop for Lock {
    /// Said, not left to the closing of the file: a process that was forked just now shares the file
    /// until it runs its program.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

impl RunDir {
    /// Creates the directory of a fresh run; refuses one that has anything in it but what a run leaves that
    /// ended before its first checkpoint.
    ///
    /// # Errors
    /// [`TrainError::NotEmpty`], or what the system says.
    pub fn create(path: &Path) -> Result<Self, TrainError> {
        let io = |action, source| TrainError::Io { action, path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(|e| io("create the run directory", e))?;
        let dir = Self { path: path.to_owned() };
        match dir.is_unused().map_err(|e| io("list the run directory", e))? {
            true => Ok(dir),
            false => Err(TrainError::NotEmpty(path.to_owned())),
        }
    }

    /// Whether a fresh run may begin here: the directory is missing, empty, or was left by a
    /// run without a checkpoint.
    ///
    /// # Errors
    /// Where the directory cannot be listed.
    pub fn is_unused(&self) -> std::io::Result<bool> {
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(error),
        };
        let names = entries.map(|entry| Ok(entry?.file_name())).collect::<std::io::Result<Vec<_>>>()?;
        // A run makes its lock before anything else: a config.toml without one is its author's.
        let lock = fs::metadata(self.path.join(LOCK)).is_ok_and(|lock| lock.is_file() && lock.len() == 0);
        let left = |name: &str| {
            let of_rank =
                is_rank_folder(name) && Self::open(&self.path.join(name)).is_unused().unwrap_or(false);
            [LOCK, CONFIG, METRICS].contains(&name) || is_unfinished(name) || of_rank
        };
        Ok(names.is_empty() || (lock && names.iter().all(|name| name.to_str().is_some_and(left))))
    }

    /// Opens the directory of an earlier run.
    pub fn open(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Sees that no process trains here.
    ///
    /// # Errors
    /// [`TrainError::Locked`] where one does.
    pub fn ensure_idle(&self) -> Result<(), TrainError> {
        let lock = fs::File::open(self.path.join(LOCK)).map(|lock| lock.try_lock_shared());
        match lock {
            Ok(Err(fs::TryLockError::WouldBlock)) => Err(TrainError::Locked(self.path.clone())),
            _ => Ok(()),
        }
    }

    /// Takes the directory for this process as long as the result lives, and deletes what a killed
    /// run has left unfinished.
    ///
    /// # Errors
    /// [`TrainError::Locked`] where another process has it.
    pub fn lock(&self) -> Result<Lock, TrainError> {
        let path = self.path.join(LOCK);
        let open = fs::OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let io = |action, source| TrainError::Io { action, path: path.clone(), source };
        let file = open.map_err(|source| io("write", source))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(TrainError::Locked(self.path.clone())),
            Err(fs::TryLockError::Error(source)) => return Err(io("lock", source)),
        }
        for entry in fs::read_dir(&self.path).map_err(|source| io("list the folder of", source))?.flatten() {
            if entry.file_name().to_str().is_some_and(is_unfinished) {
                // It is in nobody's way.
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(Lock(file))
    }

    /// Saves `state`, points `latest` at it and deletes all but `keep` of the checkpoints up to it.
    ///
    /// # Errors
    /// Where the disk refuses; every earlier checkpoint is then still there.
    pub fn save(&self, state: &TrainState, keep: usize) -> Result<PathBuf, TrainError> {
        let path = self.put(&state.to_archive(), state.step)?;
        let all = self.checkpoints();
        // Those of later steps were passed over when the run was resumed: they keep no place from others.
        let own = all.iter().position(|other| *other == path).map_or(0, |own| own + 1);
        for old in &all[..own.saturating_sub(keep.max(1))] {
            // Failing to delete an old one loses nothing.
            let _ = fs::remove_file(old);
        }
        Ok(path)
    }

    /// Writes the checkpoint of `step` and points `latest` at it.
    ///
    /// # Errors
    /// Where the disk refuses; every earlier checkpoint is then still there.
    pub fn put(&self, archive: &Archive, step: u64) -> Result<PathBuf, TrainError> {
        let name = checkpoint_name(step);
        let path = self.path.join(&name);
        archive.write(&path)?;
        let latest = self.path.join(LATEST);
        replace_file(&latest, |file| writeln!(file, "{name}"))
            .map_err(|source| ArchiveError::Write { path: latest, source })?;
        Ok(path)
    }

    /// The checkpoints, oldest first, as far as they can be listed.
    pub fn checkpoints(&self) -> Vec<PathBuf> {
        self.listed().unwrap_or_default()
    }

    /// The checkpoints, oldest first; none where there is no directory.
    ///
    /// # Errors
    /// Where it cannot be listed.
    pub fn listed(&self) -> Result<Vec<PathBuf>, TrainError> {
        let failed = |source| TrainError::Io { action: "list", path: self.path.clone(), source };
        let entries = match fs::read_dir(&self.path) {
            Err(error) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => {
                return Ok(Vec::new());
            }
            entries => entries.map_err(failed)?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            if entry.file_name().to_str().is_some_and(is_checkpoint) {
                found.push(entry.path());
            }
        }
        found.sort_by_key(|path| (path.as_os_str().len(), path.clone()));
        Ok(found)
    }

    /// The newest intact checkpoint and its path, with the reasons why newer ones were passed over. (`latest`
    /// is for people and scripts; a checkpoint written just before a crash may be newer.)
    ///
    /// # Errors
    /// [`TrainError::NothingToResume`] or [`TrainError::AllDamaged`], and [`ArchiveError::WeightsAlone`]
    /// where the newest is no run's.
    pub fn newest(&self) -> Result<(PathBuf, TrainState, Vec<ArchiveError>), TrainError> {
        let (mut found, refused) = self.intact(1, TrainState::from_archive)?;
        let (path, state) = found.swap_remove(0);
        Ok((path, state, refused))
    }

    /// The `most` newest intact checkpoints, oldest first, which may hold weights alone, with the reasons why
    /// newer ones were passed over.
    ///
    /// # Errors
    /// [`TrainError::NothingToResume`] or [`TrainError::AllDamaged`].
    pub fn newest_models(&self, most: usize) -> Result<(Vec<PathBuf>, Vec<ArchiveError>), TrainError> {
        let (mut found, refused) = self.intact(most, |archive| match holds_weights_alone(archive) {
            true => read_config(archive).map(drop),
            false => TrainState::from_archive(archive).map(drop),
        })?;
        found.reverse();
        let found = found.into_iter().map(|(path, ())| path).collect();
        Ok((found, refused))
    }

    /// The `most` newest checkpoints that `read` takes, newest first, and at least one; and why others were
    /// passed over. One that the disk does not give ends it: it may well be intact.
    fn intact<T>(
        &self,
        most: usize,
        read: impl Fn(&Archive) -> Result<T, ArchiveError>,
    ) -> Result<Intact<T>, TrainError> {
        let (mut found, mut refused) = (Vec::new(), Vec::new());
        for path in self.listed()?.into_iter().rev() {
            if found.len() == most {
                break;
            }
            match Archive::read(&path).and_then(|archive| read(&archive)) {
                Ok(intact) => found.push((path, intact)),
                // Training has deleted it meanwhile.
                Err(ArchiveError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {}
                Err(error @ ArchiveError::Read { .. }) => return Err(TrainError::Unreadable(error)),
                Err(error @ ArchiveError::WeightsAlone { .. }) => return Err(error.into()),
                Err(error) => refused.push(error),
            }
        }
        if found.is_empty() {
            let dir = self.path.clone();
            return Err(match refused.into_iter().next() {
                Some(newest) => TrainError::AllDamaged { dir, newest },
                None => TrainError::NothingToResume(dir),
            });
        }
        Ok((found, refused))
    }
}

/// Checkpoints and what was read of them, and why others were passed over.
type Intact<T> = (Vec<(PathBuf, T)>, Vec<ArchiveError>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_free_at_once_though_a_forked_process_shares_its_lock() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::open(folder.path());
        let lock = run.lock().unwrap();
        let shared = lock.0.try_clone().unwrap();
        assert!(matches!(run.lock(), Err(TrainError::Locked(_))));
        drop(lock);
        run.lock().unwrap();
        drop(shared);
    }
}
