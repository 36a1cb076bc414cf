//! What `all_config.yaml` and the shapes of its tensors say of a model of the original.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::ImportError;
use super::tensors::Tensors;
use crate::config::{DataConfig, LossKind, PrefixRule, RunConfig, TrainConfig};
use crate::model::{ModelConfig, Positions};
use crate::task::{Game, all};

/// The class of the model, behind its module's name.
pub(super) const CLASS: &str = "HierarchicalReasoningModel_ACTV1";
/// The SwiGLU's width is a multiple of this.
pub(super) const INNER_STEP: usize = 256;

/// `all_config.yaml`: the keys that this program uses.
#[derive(Debug, Deserialize)]
pub(super) struct AllConfig {
    arch: Arch,
    #[serde(default)]
    data_path: Option<String>,
    #[serde(flatten)]
    training: BTreeMap<String, Value>,
}

/// Its `arch`: the model.
#[derive(Debug, Deserialize)]
#[allow(non_snake_case)]
struct Arch {
    #[serde(rename = "name")]
    _name: String,
    H_cycles: usize,
    L_cycles: usize,
    H_layers: usize,
    L_layers: usize,
    hidden_size: usize,
    num_heads: usize,
    expansion: f64,
    pos_encodings: String,
    puzzle_emb_ndim: usize,
    halt_max_steps: usize,
    #[serde(default)]
    halt_exploration_prob: Option<f64>,
    #[serde(default)]
    rms_norm_eps: Option<f64>,
    #[serde(default)]
    rope_theta: Option<f64>,
    #[serde(default)]
    loss: BTreeMap<String, Value>,
    /// In what type the original computed; here it is f32.
    #[serde(default, rename = "forward_dtype")]
    _forward_dtype: Option<String>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

impl AllConfig {
    /// Reads the YAML text.
    pub(super) fn parse(text: &str) -> Result<Self, ImportError> {
        let value: Value =
            serde_saphyr::from_str(text).map_err(|error| ImportError::Yaml(error.to_string()))?;
        let name = value.get("arch").and_then(|arch| arch.get("name")).and_then(Value::as_str);
        match name {
            Some(name) if !name.ends_with(CLASS) => {
                return Err(ImportError::OtherModel { name: name.to_owned() });
            }
            None if value.get("arch").is_none() => {
                return Err(ImportError::Yaml("it has no section `arch`".to_owned()));
            }
            _ => (),
        }
        serde_json::from_value(value).map_err(|error| ImportError::Yaml(error.to_string()))
    }

    /// Values per puzzle embedding.
    pub(super) fn puzzle(&self) -> usize {
        self.arch.puzzle_emb_ndim
    }

    /// Keys of `arch` that this program knows nothing of.
    pub(super) fn unknown(&self) -> Vec<String> {
        self.arch.others.keys().map(|key| format!("arch.{key}")).collect()
    }

    /// The run that made `tensors`: sizes are the tensors', and where the text says
    /// them, too, both must agree.
    pub(super) fn run(&self, tensors: &Tensors, task: Option<Game>) -> Result<RunConfig, ImportError> {
        let arch = &self.arch;
        let sizes = Sizes::of(tensors)?;
        let refused = |key: &str, value: &dyn std::fmt::Display, why: &str| {
            Err(ImportError::Refused {
                key: format!("arch.{key}"),
                value: value.to_string(),
                why: why.to_owned(),
            })
        };
        let positions = match arch.pos_encodings.as_str() {
            "rope" => Positions::Rope,
            "learned" => Positions::Learned,
            other => return refused("pos_encodings", &other, "there are rope and learned"),
        };
        let close = |value: Option<f64>, own: f64| value.is_none_or(|value| (value / own - 1.0).abs() < 1e-6);
        if !close(arch.rms_norm_eps, 1e-5) {
            return refused(
                "rms_norm_eps",
                &arch.rms_norm_eps.unwrap_or_default(),
                "this program computes with 1e-5",
            );
        }
        if positions.rope() && !close(arch.rope_theta, 10_000.0) {
            return refused(
                "rope_theta",
                &arch.rope_theta.unwrap_or_default(),
                "this program computes with 10000",
            );
        }
        if arch.puzzle_emb_ndim > arch.hidden_size {
            let why = "puzzle embeddings of several positions are not computed here; at most hidden_size";
            return refused("puzzle_emb_ndim", &arch.puzzle_emb_ndim, why);
        }
        if sizes.puzzles > 1 {
            return Err(ImportError::Puzzles(sizes.puzzles));
        }
        let told = [
            ("hidden_size", arch.hidden_size, sizes.width),
            ("H_layers", arch.H_layers, sizes.h_layers),
            ("L_layers", arch.L_layers, sizes.l_layers),
        ];
        for (key, told, has) in told {
            if told != has {
                return refused(key, &told, &format!("the tensors are of a model with {has}"));
            }
        }
        let inner = (arch.expansion * arch.hidden_size as f64 * 2.0 / 3.0).round();
        let inner = (inner.clamp(1.0, 1e9) as usize).next_multiple_of(INNER_STEP);
        if sizes.inner != 0 && inner != sizes.inner {
            let why =
                format!("that makes {inner} values within the SwiGLU, and the tensors have {}", sizes.inner);
            return refused("expansion", &arch.expansion, &why);
        }
        let prefix = arch.puzzle_emb_ndim > 0;
        let cells =
            sizes.positions.filter(|_| positions.learned()).map(|n| n.saturating_sub(usize::from(prefix)));
        let model = ModelConfig {
            task: self.task(sizes.vocab, cells, task)?,
            width: sizes.width,
            heads: arch.num_heads,
            inner,
            h_layers: arch.H_layers,
            l_layers: arch.L_layers,
            h_cycles: arch.H_cycles,
            l_cycles: arch.L_cycles,
            shared_levels: false,
            positions,
            continue_head: true,
            doubt_head: false,
            prefix,
            segments: arch.halt_max_steps,
        };
        model.names_a_model()?;
        Ok(RunConfig { model, data: DataConfig { eased: 0.0, ..DataConfig::default() }, train: self.train() })
    }

    /// The task whose tokens and cells the tensors have, unless the data's name says that it is another one.
    fn task(&self, vocab: usize, cells: Option<usize>, wanted: Option<Game>) -> Result<Game, ImportError> {
        let fits = |task: &Game| task.vocab() == vocab && cells.is_none_or(|cells| cells == task.cells());
        let refused = |why: String| ImportError::Task { vocab, cells, why };
        if let Some(wanted) = wanted {
            return Some(wanted).filter(fits).ok_or_else(|| {
                refused(format!(
                    "{wanted} has a vocabulary of {} and {} cells",
                    wanted.vocab(),
                    wanted.cells()
                ))
            });
        }
        let data = self.data_path.as_deref().unwrap_or_default();
        let data = data.to_lowercase();
        if data.contains("arc") {
            return Err(refused(format!(
                "data_path {data:?} speaks of arc, a task that this program does not have; name another one with --task if that \
                 is wrong"
            )));
        }
        // Tasks may have equal vocabularies: what the data is called decides between them.
        let kind = |task: &Game| task.name().trim_end_matches(|c: char| c.is_ascii_digit() || c == 'x');
        let spoken_of: Vec<Game> = all().into_iter().filter(|task| data.contains(kind(task))).collect();
        let known = if spoken_of.is_empty() { all() } else { spoken_of.clone() };
        known.iter().find(|task| fits(task)).copied().ok_or_else(|| {
            let sizes = known.iter().map(|task| format!("{task} ({} and {})", task.vocab(), task.cells()));
            let sizes = sizes.collect::<Vec<_>>().join(", ");
            refused(match spoken_of.first() {
                Some(task) => format!(
                    "data_path {data:?} speaks of {}: {sizes}; name another task with --task if that is wrong",
                    kind(task)
                ),
                None => format!("this program has {sizes}"),
            })
        })
    }

    /// How it was trained, as far as that has a key here.
    fn train(&self) -> TrainConfig {
        let number = |key: &str| self.training.get(key).and_then(Value::as_f64);
        // As large as a number in a configuration here may be.
        let count = |key: &str| u64::try_from(self.training.get(key)?.as_i64()?).ok();
        let own = TrainConfig::default();
        let stablemax = self
            .arch
            .loss
            .get("loss_type")
            .and_then(Value::as_str)
            .is_some_and(|loss| loss.contains("stablemax"));
        TrainConfig {
            seed: count("seed").unwrap_or(own.seed),
            batch: count("global_batch_size")
                .and_then(|n| usize::try_from(n).ok())
                .filter(|n| *n > 0)
                .unwrap_or(own.batch),
            lr: number("lr").unwrap_or(own.lr),
            warmup_steps: count("lr_warmup_steps").unwrap_or(own.warmup_steps),
            decay_to: number("lr_min_ratio").unwrap_or(own.decay_to),
            beta1: number("beta1").unwrap_or(own.beta1),
            beta2: number("beta2").unwrap_or(own.beta2),
            weight_decay: number("weight_decay").unwrap_or(own.weight_decay),
            exploration: self.arch.halt_exploration_prob.unwrap_or(own.exploration),
            loss: if stablemax { LossKind::Stablemax } else { LossKind::Softmax },
            prefix: PrefixRule::Sign,
            explore_once: false,
            stagger: false,
            ema: 0.0,
            ..own
        }
    }
}

/// What the tensors' names and shapes say.
struct Sizes {
    vocab: usize,
    width: usize,
    inner: usize,
    h_layers: usize,
    l_layers: usize,
    /// Learned positions.
    positions: Option<usize>,
    /// Puzzle embeddings.
    puzzles: usize,
}

impl Sizes {
    fn of(tensors: &Tensors) -> Result<Self, ImportError> {
        let tensors = &tensors.by_name;
        let layers = |level: &str| {
            let start = format!("{level}.layers.");
            let layer = |name: &String| name.strip_prefix(&start)?.split('.').next()?.parse::<usize>().ok();
            tensors.keys().filter_map(layer).max().map_or(0, |last| last.saturating_add(1))
        };
        let (h_layers, l_layers) = (layers("H_level"), layers("L_level"));
        let pair = |name: &str| match tensors.get(name)?.dims() {
            [rows, columns] => Some((*rows, *columns)),
            _ => None,
        };
        let tokens = pair("embed_tokens.embedding_weight");
        match (tokens, h_layers, l_layers) {
            (Some((vocab, width)), 1.., 1..) => Ok(Self {
                vocab,
                width,
                // Whoever lacks it is told by name later.
                inner: pair("H_level.layers.0.mlp.down_proj.weight").map_or(0, |(_, inner)| inner),
                h_layers,
                l_layers,
                positions: pair("embed_pos.embedding_weight").map(|(positions, _)| positions),
                puzzles: pair("puzzle_emb.weights").map_or(0, |(puzzles, _)| puzzles),
            }),
            (Some(_), 0, 1..) => Err(ImportError::NoHrm("it has one level only, L, as a TRM".into())),
            _ => {
                let names: Vec<&str> = tensors.keys().map(String::as_str).take(3).collect();
                Err(ImportError::NoHrm(format!(
                    "it lacks embed_tokens.embedding_weight or the levels H_level and L_level; its {} tensors begin with {}",
                    tensors.len(),
                    names.join(", ")
                )))
            }
        }
    }
}
