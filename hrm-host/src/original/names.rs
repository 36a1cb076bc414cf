//! Which tensor of the original is which parameter here: the same list for the way in and the way out.

use std::collections::{BTreeMap, HashMap};

use candle_core::{Device, Tensor};

use super::ImportError;
use super::tensors::Tensors;
use crate::model::{ModelConfig, Params};

/// Before every name in a checkpoint of the original.
const WRAPPERS: &str = "model.inner.";

/// Name in a checkpoint without wrappers, name here, shape there.
struct Pair {
    original: String,
    own: String,
    shape: Vec<usize>,
}

/// Every tensor of a model of `config` whose puzzle embeddings have `puzzle` values.
fn pairs(config: &ModelConfig, puzzle: usize) -> Vec<Pair> {
    let (width, inner, vocab) = (config.width, config.inner, config.vocab());
    let mut pairs = Vec::new();
    let mut add = |original: &str, own: &str, shape: &[usize]| {
        pairs.push(Pair { original: original.to_owned(), own: own.to_owned(), shape: shape.to_vec() });
    };
    add("embed_tokens.embedding_weight", "embed.tokens", &[vocab, width]);
    if config.prefix {
        add("puzzle_emb.weights", "embed.prefix", &[1, puzzle]);
    }
    if config.positions.learned() {
        add("embed_pos.embedding_weight", "embed.positions", &[config.sequence(), width]);
    }
    add("H_init", "init.h", &[width]);
    add("L_init", "init.l", &[width]);
    for (original, own, layers) in
        [("H_level", "level_h", config.h_layers), ("L_level", "level_l", config.l_layers)]
    {
        let own = if config.shared_levels { "level" } else { own };
        for layer in 0..layers {
            let mut part = |part: &str, short: &str, shape: &[usize]| {
                add(
                    &format!("{original}.layers.{layer}.{part}.weight"),
                    &format!("{own}.{layer}.{short}"),
                    shape,
                );
            };
            part("self_attn.qkv_proj", "qkv", &[3 * width, width]);
            part("self_attn.o_proj", "out", &[width, width]);
            part("mlp.gate_up_proj", "gate_up", &[2 * inner, width]);
            part("mlp.down_proj", "down", &[width, inner]);
        }
    }
    add("lm_head.weight", "lm_head", &[vocab, width]);
    add("q_head.weight", "q_head.weight", &[2, width]);
    add("q_head.bias", "q_head.bias", &[2]);
    pairs
}

/// The parameters of a model of `config` out of `tensors`, each of which must belong to it.
///
/// # Errors
/// All tensors that are missing, unknown or misshapen, by name.
pub(super) fn parameters(
    config: &ModelConfig,
    tensors: &Tensors,
    puzzle: usize,
) -> Result<Params, ImportError> {
    let pairs = pairs(config, puzzle);
    let mut wrong = Vec::new();
    let mut own = HashMap::new();
    for Pair { original, own: name, shape } in &pairs {
        match tensors.by_name.get(original) {
            None => wrong.push(format!("{original} is missing")),
            Some(tensor) if tensor.dims() != shape => {
                wrong.push(format!("{original} has shape {:?}, not {shape:?}", tensor.dims()));
            }
            Some(tensor) => drop(own.insert(name.clone(), tensor.clone())),
        }
    }
    let unknown = tensors.by_name.keys().filter(|name| pairs.iter().all(|pair| pair.original != **name));
    wrong.extend(unknown.map(|name| format!("{name} is no tensor of such a model")));
    if !wrong.is_empty() {
        return Err(ImportError::Tensors { complaints: wrong });
    }
    check_values(&own)?;
    if let Some(prefix) = own.get_mut("embed.prefix") {
        *prefix = prefix.pad_with_zeros(1, 0, config.width - puzzle)?;
    }
    Ok(Params::from_tensors(config, &own, &Device::Cpu)?)
}

/// Refuses numbers that no model has: what is not finite, and matrices of zeros, which a file
/// saved without its data holds.
fn check_values(tensors: &HashMap<String, Tensor>) -> Result<(), ImportError> {
    let mut wrong = Vec::new();
    for (name, tensor) in tensors {
        let sum = tensor.abs()?.sum_all()?.to_scalar::<f32>()?;
        if !sum.is_finite() {
            wrong.push(format!("{name} has values that are not finite"));
        } else if sum == 0.0 && name.starts_with("level") {
            wrong.push(format!("{name} is 0 throughout (saved under torch.serialization.skip_data?)"));
        }
    }
    wrong.sort();
    if wrong.is_empty() { Ok(()) } else { Err(ImportError::Tensors { complaints: wrong }) }
}

/// The tensors of `params` under the original's names. Levels that share their weights have them twice
/// there; a halting head without a second output gets one that is always 0, with which the original halts
/// where this program does.
///
/// # Errors
/// Where the parameters are not `config`'s.
pub(super) fn originals(
    config: &ModelConfig,
    params: &Params,
) -> Result<BTreeMap<String, Tensor>, ImportError> {
    let mut tensors = BTreeMap::new();
    for Pair { original, own, shape } in pairs(config, config.width) {
        let tensor = params.get(&own)?;
        let tensor = match (own.as_str(), tensor.dims()) {
            ("q_head.weight" | "q_head.bias", [1, ..]) => Tensor::cat(&[tensor, &tensor.zeros_like()?], 0)?,
            _ => tensor.detach(),
        };
        tensors.insert(format!("{WRAPPERS}{original}"), tensor.reshape(shape)?);
    }
    Ok(tensors)
}
