//! Whether a pack was made of a checkpoint: what it says of itself, and its integers beside those
//! that the weights become.

use std::collections::BTreeMap;
use std::path::Path;

use hrm_core::pack::{Matrix, Pack, Provenance};
use serde::Serialize;
use serde_json::Value;

use super::QuantError;
use super::linear::Linear;
use super::member::{Weights, alternating, quantize, stored_levels};
use super::restore::columns;
use crate::config::RunConfig;
use crate::model::{ModelConfig, Params};
use crate::train::checkpoint::TrainedModel;

/// How many of a pack's int8 weights are those of a checkpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SameWeights {
    /// Equal ones.
    pub same: usize,
    /// Of how many.
    pub of: usize,
}

impl SameWeights {
    /// The share of equal ones.
    pub fn share(self) -> f64 {
        self.same as f64 / self.of.max(1) as f64
    }

    fn count(&mut self, matrix: Matrix<'_>, weights: &Linear) {
        for (column, row) in columns(matrix).zip(quantize(weights).0) {
            self.of += row.len();
            self.same += column.zip(row).filter(|(own, expected)| own == expected).count();
        }
    }
}

/// Quantizes the weights of `params` again and compares them with those of member `member` of `pack`,
/// whose shape `config` is.
///
/// Of every matrix whose integers follow from its weights alone: heads, queries, keys, values, gates and ups.
/// The integers of the other two, out and down, follow from calibration as well.
///
/// # Errors
/// Weights that are not finite.
pub fn same_weights(
    pack: &Pack<'_>,
    member: usize,
    config: &ModelConfig,
    params: &Params,
) -> Result<SameWeights, QuantError> {
    let weights = Weights::read(params)?;
    let numbers = pack.member(member);
    let mut found = SameWeights::default();
    found.count(numbers.logits, weights.get("lm_head"));
    found.count(numbers.halt, weights.get("q_head.weight"));
    let levels = stored_levels(config);
    let names = levels.iter().flat_map(|(_, name, layers)| (0..*layers).map(move |l| format!("{name}.{l}")));
    for (stored, name) in names.enumerate() {
        let layer = pack.layer(member, stored);
        let qkv = weights.get(&format!("{name}.qkv"));
        let part = |which: usize| qkv.rows(which * config.width, (which + 1) * config.width);
        found.count(layer.query, &part(0));
        found.count(layer.key, &part(1));
        found.count(layer.value, &part(2));
        found.count(layer.gate_up, &alternating(weights.get(&format!("{name}.gate_up"))));
    }
    Ok(found)
}

/// What a pack says of its making that is not so of `trained`, each by its name.
///
/// Files are compared by their names, since packs leave out folders. The training file and the segments
/// of a pass are not compared, which `export --data` and `--segments` name anew, nor are keys that the
/// pack's program did not know.
pub fn differences(pack: &Provenance<'_>, trained: &TrainedModel) -> Vec<String> {
    let counters = [("steps", pack.steps, trained.step), ("samples", pack.samples, trained.samples)];
    let counters = counters.into_iter().filter(|(_, own, other)| own != other);
    let mut found: Vec<String> = counters.map(|(name, own, other)| told(name, own, other)).collect();
    found.extend(other_run(pack, &trained.config));
    found
}

/// Of [`differences`], those of the run: where there are none, the pack is of any
/// checkpoint of a run of `config`.
pub fn other_run(pack: &Provenance<'_>, config: &RunConfig) -> Vec<String> {
    let seeds = (pack.seed, config.train.seed);
    let mut found: Vec<String> =
        (seeds.0 != seeds.1).then(|| told("seed", seeds.0, seeds.1)).into_iter().collect();
    let own = serde_json::from_str(pack.config).map(flat).unwrap_or_default();
    let other = flat(config_value(config));
    for (key, other) in &other {
        match own.get(key) {
            Some(own) if !alike(own, other) && !ELSEWHERE.contains(&key.as_str()) => {
                found.push(told(key, own, other));
            }
            _ => {}
        }
    }
    found
}

/// Keys that are compared under another name, or that an export may change.
const ELSEWHERE: [&str; 3] = ["train.seed", "data.train", "model.segments"];

fn told(name: &str, own: impl std::fmt::Display, other: impl std::fmt::Display) -> String {
    format!("{name}: {own} in the pack, {other} in the checkpoint")
}

fn config_value(config: &RunConfig) -> Value {
    serde_json::to_value(config).unwrap_or_default()
}

/// The values of a configuration by their dotted keys.
fn flat(config: Value) -> BTreeMap<String, Value> {
    let sections = match config {
        Value::Object(sections) => sections,
        _ => return BTreeMap::new(),
    };
    let fields = |(section, keys): (String, Value)| match keys {
        Value::Object(keys) => {
            keys.into_iter().map(|(key, value)| (format!("{section}.{key}"), value)).collect()
        }
        value => vec![(section, value)],
    };
    sections.into_iter().flat_map(fields).collect()
}

/// Whether two values are equal, paths by the names of their files.
fn alike(own: &Value, other: &Value) -> bool {
    let name = |text: &str| Path::new(text).file_name().map(|name| name.to_owned());
    match (own, other) {
        (Value::String(own), Value::String(other)) => own == other || name(own) == name(other),
        _ => own == other,
    }
}
