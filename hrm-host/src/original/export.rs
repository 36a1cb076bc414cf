//! A model of this program as the original's files.

use std::collections::BTreeMap;

use candle_core::Tensor;

use super::architecture::{CLASS, INNER_STEP};
use super::{ImportError, names};
use crate::config::{LossKind, RunConfig};
use crate::model::{ModelConfig, Params, Positions};

/// Where the original keeps that class, and its loss.
const MODULE: &str = "hrm.hrm_act_v1";
const LOSS: &str = "losses@ACTLossHead";

/// A checkpoint of the original.
#[derive(Debug)]
pub struct Exported {
    /// Its tensors, by the original's names.
    pub tensors: BTreeMap<String, Tensor>,
    /// Its `all_config.yaml`.
    pub config: String,
}

impl Exported {
    /// The tensors as safetensors.
    ///
    /// # Errors
    /// Where a tensor cannot be read.
    pub fn safetensors(&self) -> Result<Vec<u8>, ImportError> {
        let bytes = safetensors::serialize(&self.tensors, None).map_err(candle_core::Error::wrap)?;
        Ok(bytes)
    }
}

/// The model `params` of `config` as a checkpoint that the original loads strictly and
/// that answers equally there.
///
/// # Errors
/// [`ImportError::NoOriginal`] names what the original has no place for.
pub fn export(config: &RunConfig, params: &Params) -> Result<Exported, ImportError> {
    let model = &config.model;
    let expansion = possible(model)?;
    Ok(Exported { tensors: names::originals(model, params)?, config: yaml(config, expansion) })
}

/// The factor of the SwiGLU's width, if the original can have such a model.
fn possible(model: &ModelConfig) -> Result<f64, ImportError> {
    let refused = |why: String| Err(ImportError::NoOriginal(why));
    if model.positions.relation() {
        return refused("it has no relation-biased attention (model.positions)".into());
    }
    if model.doubt_head {
        return refused("its halting head has no doubt output (model.doubt_head)".into());
    }
    if !model.inner.is_multiple_of(INNER_STEP) {
        let nearest = model.inner.next_multiple_of(INNER_STEP);
        return refused(format!(
            "its SwiGLU is a multiple of {INNER_STEP} wide, and model.inner = {}; train with {nearest}",
            model.inner
        ));
    }
    Ok(1.5 * model.inner as f64 / model.width as f64)
}

/// `all_config.yaml`, with the keys that the original wants.
fn yaml(config: &RunConfig, expansion: f64) -> String {
    let (model, train) = (&config.model, &config.train);
    let loss = match train.loss {
        LossKind::Softmax => "softmax_cross_entropy",
        LossKind::Stablemax => "stablemax_cross_entropy",
    };
    let positions = if model.positions == Positions::Rope { "rope" } else { "learned" };
    let puzzle = if model.prefix { model.width } else { 0 };
    let lines = [
        format!("arch:\n  H_cycles: {}\n  H_layers: {}", model.h_cycles, model.h_layers),
        format!("  L_cycles: {}\n  L_layers: {}", model.l_cycles, model.l_layers),
        format!("  expansion: {}", float(expansion)),
        // The original computes in bf16 unless it is told otherwise, and then answers a little differently.
        "  forward_dtype: float32".to_owned(),
        format!("  halt_exploration_prob: {}", float(train.exploration)),
        format!("  halt_max_steps: {}\n  hidden_size: {}", model.segments, model.width),
        format!("  loss:\n    loss_type: {loss}\n    name: {LOSS}\n  name: {MODULE}@{CLASS}"),
        format!("  num_heads: {}\n  pos_encodings: {positions}\n  puzzle_emb_ndim: {puzzle}", model.heads),
        format!("beta1: {}\nbeta2: {}", float(train.beta1), float(train.beta2)),
        "checkpoint_every_eval: true\ncheckpoint_path: null".to_owned(),
        format!("data_path: data/{}\nepochs: 1\neval_interval: null\neval_save_outputs: []", model.task),
        format!(
            "global_batch_size: {}\nlr: {}\nlr_min_ratio: {}",
            train.batch,
            float(train.lr),
            float(train.decay_to)
        ),
        format!("lr_warmup_steps: {}\nproject_name: null", train.warmup_steps),
        format!("puzzle_emb_lr: {}\npuzzle_emb_weight_decay: {}", float(train.lr), float(train.weight_decay)),
        format!("run_name: null\nseed: {}\nweight_decay: {}\n", train.seed, float(train.weight_decay)),
    ];
    lines.join("\n")
}

/// A number that PyYAML takes for one: with a point, without an exponent.
fn float(value: f64) -> String {
    let text = value.to_string();
    if text.contains('.') { text } else { format!("{text}.0") }
}
