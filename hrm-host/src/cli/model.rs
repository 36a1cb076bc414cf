//! A model named on a command line: a checkpoint, a run, or a pack.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use candle_core::Device;
use hrm_core::Pack;
use hrm_core::pack::SecondHead;
use hrm_host::config::RunConfig;
use hrm_host::files::{ends_in, is_folder, name_of};
use hrm_host::kind::{Kind, Wanted, kind_of_file};
use hrm_host::model::{Hrm, ModelConfig, Params, adapt};
use hrm_host::quant::{AlignedPack, resized, restore};
use hrm_host::task::{Game, find};
use hrm_host::train::checkpoint::{RunDir, TrainedModel, load_model};
use hrm_host::train::eval::FloatModel;
use hrm_host::train::{TrainError, load_parameters};

use super::compute::DeviceChoice;
use super::values::{Tasks, at_least_1, from_0, threads};

/// Which model, and how it computes.
#[derive(Debug, clap::Args)]
pub(super) struct ModelArgs {
    /// Checkpoint file, run directory (its newest checkpoint), or pack
    #[arg(value_name = "CHECKPOINT|PACK")]
    model: PathBuf,
    /// Use the model on another size of its task, for example maze15x15: where its weights
    /// do not depend on the size
    #[arg(long, value_name = "TASK", value_parser = Tasks, hide_possible_values = true)]
    task: Option<Game>,
    /// Member of a pack; the last by default
    #[arg(long, value_name = "N", value_parser = from_0::<usize>)]
    member: Option<usize>,
    /// Puzzles answered at once
    #[arg(long, default_value_t = 64, value_parser = at_least_1::<usize>)]
    pub(super) batch: usize,
    /// Use the weights as trained, not their moving average
    #[arg(long)]
    raw: bool,
    /// Where to compute (packs: always the CPU)
    #[arg(long, value_enum, default_value_t = DeviceChoice::Cpu)]
    device: DeviceChoice,
    /// Threads; all processors by default
    #[arg(long, value_name = "N", value_parser = threads)]
    threads: Option<usize>,
}

/// A model that was found.
pub(super) enum Model {
    /// A float model of a checkpoint, and of which run.
    Float(Box<FloatModel>, Box<Run>),
    /// A member of a pack.
    Pack { file: AlignedPack, member: usize },
}

/// How a checkpoint came to be.
pub(super) struct Run {
    pub(super) config: RunConfig,
    pub(super) steps: u64,
    pub(super) samples: u64,
}

impl Model {
    /// The name of its task, and how many segments it was trained to take.
    pub(super) fn trained(&self) -> Result<(String, usize)> {
        match self {
            Model::Float(model, _) => {
                let config = model.hrm.config();
                Ok((config.task.name().to_owned(), config.segments))
            }
            Model::Pack { file, .. } => {
                let pack = file.open()?;
                Ok((pack.header()?.task.to_owned(), usize::from(pack.shape().segments)))
            }
        }
    }
}

impl ModelArgs {
    /// The model at `path` as it is, on the processor, with the threads that there are.
    pub(super) fn plain(path: &Path) -> Self {
        let (task, member, raw, threads) = (None, None, false, None);
        Self { model: path.to_owned(), task, member, batch: 64, raw, device: DeviceChoice::Cpu, threads }
    }

    /// What tells it from other models: the name of its file or run, and its member or weights where
    /// another than usual is asked.
    pub(super) fn named(&self) -> String {
        let member = self.member.map_or(String::new(), |member| format!(", member {member}"));
        format!("{}{member}{}", name_of(&self.model), if self.raw { ", weights as trained" } else { "" })
    }

    /// As it was named.
    pub(super) fn path(&self) -> &Path {
        &self.model
    }

    /// Opens it and says what it is.
    pub(super) fn open(&self) -> Result<(Model, String)> {
        let (mut models, about) = self.newest(1)?;
        Ok((models.pop().context("there is no model")?, about))
    }

    /// The `most` newest checkpoints of a run, or members of a pack, oldest first; of a checkpoint, or a
    /// member that is named, that one alone. Says what the newest is.
    pub(super) fn newest(&self, most: usize) -> Result<(Vec<Model>, String)> {
        hrm_host::threads::use_threads(self.threads)?;
        if is_pack(&self.model)? {
            return self.members(most);
        }
        let mut paths = newest_of(&self.model, most)?;
        let newest = paths.pop().context("there is no model")?;
        let (last, run, about) = self.float(&newest, |config| self.device.open(config))?;
        let mut models = Vec::new();
        for path in &paths {
            let (model, run, _) = self.float(path, |_| Ok(last.hrm.device().clone()))?;
            models.push(Model::Float(Box::new(model), Box::new(run)));
        }
        models.push(Model::Float(Box::new(last), Box::new(run)));
        Ok((models, about))
    }

    /// As [`Self::newest`], of a pack.
    fn members(&self, most: usize) -> Result<(Vec<Model>, String)> {
        let file = pack_for(&self.model, self.task)?;
        let pack = file.open()?;
        let (shape, crc) = (*pack.shape(), pack.crc());
        let members = usize::from(shape.members);
        let member = self.member.unwrap_or(members - 1);
        ensure!(member < members, "--member {member}: the pack has members 0 to {}", members - 1);
        let name = self.model.display();
        let size = self.size();
        let about = format!("{name}{size}, {:?} lanes, member {member}, CRC-32 {crc:08x}", shape.lanes);
        let first = if self.member.is_some() { member } else { (member + 1).saturating_sub(most) };
        let models = (first..=member).map(|member| Model::Pack { file: file.clone(), member });
        Ok((models.collect(), about))
    }

    /// The float model of the checkpoint at `path`, on what `device` opens for it, and what it is.
    fn float(
        &self,
        path: &Path,
        device: impl FnOnce(&ModelConfig) -> Result<Device>,
    ) -> Result<(FloatModel, Run, String)> {
        let TrainedModel { config, params, step: steps, samples, .. } = load_model(path, !self.raw)?;
        let (hash, config) = (config.hash(), self.for_task(config)?);
        let tensors = params.tensors().into_iter().collect();
        let params = Params::from_tensors(&config.model, &tensors, &device(&config.model)?)?;
        let weights =
            if self.raw || config.train.ema == 0.0 { "weights as trained" } else { "averaged weights" };
        let (name, size) = (path.display(), self.size());
        let about = format!("{name}{size}, float, {weights}, configuration {hash}");
        let hrm = Hrm::new(&config.model, &params)?;
        Ok((FloatModel { hrm, batch: self.batch }, Run { config, steps, samples }, about))
    }

    /// `config` for the size that was asked for.
    fn for_task(&self, mut config: RunConfig) -> Result<RunConfig> {
        if let Some(task) = self.task {
            let model = config.model.for_task(task);
            config.model = model.with_context(|| format!("--task {task}: {}", self.model.display()))?;
        }
        Ok(config)
    }

    /// The size that was asked for, behind a model's name.
    fn size(&self) -> String {
        self.task.map(|task| format!(" for {task}")).unwrap_or_default()
    }

    /// The float model whose integers member `member` of `pack` has, which [`Self::open`] gave.
    pub(super) fn restored(&self, pack: &Pack<'_>, member: usize) -> Result<FloatModel> {
        let config = recorded(pack, &self.model)?;
        let params = restore(pack, member, &config.model)?;
        Ok(FloatModel { hrm: Hrm::new(&config.model, &params)?, batch: self.batch })
    }
}

/// The pack at `path`, of the size `task` where that is asked for.
pub(super) fn pack_for(path: &Path, task: Option<Game>) -> Result<AlignedPack> {
    let pack = AlignedPack::read(path)?;
    let Some(task) = task else { return Ok(pack) };
    resized(&pack, task).with_context(|| format!("--task {task}: {}", path.display()))
}

/// The configuration that the model at `path`, a pack or a checkpoint, was trained with.
pub(super) fn configuration_of(path: &Path) -> Result<RunConfig> {
    if !is_pack(path)? {
        return Ok(load_parameters(&newest(path)?, true)?.0);
    }
    recorded(&AlignedPack::read(path)?.open()?, path)
}

/// The configuration that `pack`, which lies at `path`, says it was trained with.
fn recorded(pack: &Pack<'_>, path: &Path) -> Result<RunConfig> {
    let header = pack.header()?;
    let advice = "does not say how it was trained (`hrm-host train` takes --config instead)";
    let mut config: RunConfig = serde_json::from_str(header.provenance.config)
        .with_context(|| format!("{} {advice}", path.display()))?;
    // A pack may be for another size than the one that it was trained with.
    config.model.task = find(header.task)?;
    Ok(config)
}

/// The weights at `path` for a run of `config`: the averaged ones of a checkpoint, the last member of a pack,
/// with what [`adapt`] adds where the run's model has more to learn.
pub(super) fn weights_of(path: &Path, config: &RunConfig) -> Result<Params> {
    let (own, params) = if is_pack(path)? {
        // a pack that does not say how it was trained is taken for what the run wants
        let positions = configuration_of(path).map_or(config.model.positions, |own| own.model.positions);
        let file = AlignedPack::read(path)?;
        let pack = file.open()?;
        let second = pack.shape().second_head;
        let own = ModelConfig {
            task: find(pack.header()?.task)?,
            positions,
            continue_head: second == SecondHead::Continue,
            doubt_head: second == SecondHead::Doubt,
            ..config.model.clone()
        };
        let params = restore(&pack, usize::from(pack.shape().members) - 1, &own)
            .with_context(|| format!("cannot start from {}", path.display()))?;
        (own, params)
    } else {
        let (own, params) = load_parameters(&newest(path)?, true)?;
        (own.model, params)
    };
    adapt(&params, &own, &config.model, config.train.seed).with_context(|| {
        let (path, advice) =
            (path.display(), "start from a model of the same [model], or leave train.from out");
        format!("cannot start from {path}, a model of another shape: {own:?}; {advice}")
    })
}

/// The file of the model at `path`: a pack or checkpoint as it is, a run directory's
/// newest intact checkpoint.
pub(super) fn file_of(path: &Path) -> Result<PathBuf> {
    if is_pack(path)? { Ok(path.to_owned()) } else { newest(path) }
}

/// A checkpoint file as it is; of a run directory, its newest intact checkpoint.
pub(super) fn newest(path: &Path) -> Result<PathBuf> {
    newest_of(path, 1)?.pop().context("there is no checkpoint")
}

/// A checkpoint file as it is; of a run directory, its `most` newest intact checkpoints, oldest first, or
/// fewer. Says which newer ones are damaged.
pub(super) fn newest_of(path: &Path, most: usize) -> Result<Vec<PathBuf>> {
    if !is_run(path)? {
        return Ok(vec![path.to_owned()]);
    }
    match RunDir::open(path).newest_models(most) {
        Ok((found, refused)) => {
            for error in refused {
                eprintln!("note: passed over: {error}");
            }
            Ok(found)
        }
        Err(TrainError::NothingToResume(_)) => bail!(
            "{} is a folder without checkpoints (step-*.safetensors); name a run that has one, a checkpoint file or a pack{}",
            path.display(),
            pack_in(path).map_or_else(String::new, |pack| format!(", for example {}", pack.display()))
        ),
        Err(error) => Err(error.into()),
    }
}

/// The first pack in a folder, by name.
fn pack_in(folder: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    files.filter(|path| ends_in(path, "hrm")).min()
}

/// Whether a folder is at `path`, as a run is, and no file.
pub(super) fn is_run(path: &Path) -> Result<bool> {
    is_folder(path).with_context(|| format!("cannot read {}", path.display()))
}

/// What kind of file is at `path`.
pub(super) fn kind_at(path: &Path) -> Result<Kind> {
    kind_of_file(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Whether the file at `path` is a pack, not a run or a checkpoint.
pub(super) fn is_pack(path: &Path) -> Result<bool> {
    if is_run(path)? {
        return Ok(false);
    }
    match kind_at(path)? {
        Kind::Pack => Ok(true),
        // What a damaged file was, its reader tells.
        Kind::Safetensors | Kind::Binary => Ok(false),
        kind => {
            let advice = kind.advice(Wanted::Model);
            bail!("{} is {kind}, neither a pack nor a checkpoint; {advice}", path.display())
        }
    }
}
