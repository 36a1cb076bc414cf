//! Keys of a configuration: which there are, what each wants, and where a value was given.
//!
//! Every refusal names the key with its section, and the file or the `--set` that holds the value.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{ConfigError, DataConfig, RunConfig, TrainConfig};
use crate::model::ModelConfig;

/// The keys of one run as they were given, in a file and by `--set`.
#[derive(Clone)]
pub(super) struct Given {
    table: Table,
    origin: String,
    /// Keys that `--set` has changed, and how.
    set: BTreeMap<String, String>,
}

impl Given {
    /// The keys of a TOML text; `origin` names it in errors.
    pub(super) fn read(text: &str, origin: &str) -> Result<Self, ConfigError> {
        let mut table: Table = text.parse().map_err(|e: toml::de::Error| ConfigError::Syntax {
            origin: origin.to_owned(),
            message: e.to_string(),
        })?;
        check_keys(&mut table, &template(), "", origin)?;
        Ok(Self { table, origin: origin.to_owned(), set: BTreeMap::new() })
    }

    /// The keys of a configuration that is complete already.
    pub(super) fn of(config: &RunConfig, origin: &str) -> Self {
        Self { table: to_table(config), origin: origin.to_owned(), set: BTreeMap::new() }
    }

    /// Applies one `section.key=value`; the value is TOML, or a bare text where the key wants a text.
    pub(super) fn set(&mut self, assignment: &str) -> Result<(), ConfigError> {
        let origin = format!("--set {assignment}");
        let (key, text) = assignment
            .split_once('=')
            .map(|(k, v)| (k.trim(), v.trim()))
            .ok_or_else(|| ConfigError::Assignment(assignment.to_owned()))?;
        let template = template();
        let example = key.split_once('.').and_then(|(section, name)| template.get(section)?.get(name));
        let Some((example, (section, name))) = example.zip(key.split_once('.')) else {
            return Err(ConfigError::UnknownKey { origin, advice: advice(key), key: key.to_owned() });
        };
        let quoted = || Value::String(text.trim_matches('"').to_owned());
        let parsed = || format!("x = {text}").parse::<Table>().ok().and_then(|mut t| t.remove("x"));
        let value = match example {
            Value::String(_) => quoted(),
            _ => parsed().unwrap_or_else(quoted),
        };
        let mut patch = with_key(&Table::new(), section, name, value);
        check_keys(&mut patch, &template, "", &origin)?;
        if let Some(first) = self.set.get(key)
            && self.table.get(section).and_then(|values| values.get(name))
                != patch.get(section).and_then(|values| values.get(name))
        {
            let first = first.trim_start_matches("--set ").to_owned();
            return Err(ConfigError::Twice { key: key.to_owned(), first, second: assignment.to_owned() });
        }
        let Some(value) = patch.get(section).and_then(|values| values.get(name)) else { return Ok(()) };
        self.table = with_key(&self.table, section, name, value.clone());
        self.set.insert(key.to_owned(), origin);
        Ok(())
    }

    /// The configuration, checked.
    pub(super) fn into_config(self) -> Result<RunConfig, ConfigError> {
        self.check_presence()?;
        self.check_values()?;
        let config: RunConfig =
            Value::Table(self.table.clone()).try_into().map_err(|e: toml::de::Error| {
                ConfigError::Syntax { origin: self.origin.clone(), message: e.message().to_owned() }
            })?;
        config.check().map_err(|wrong| {
            let origin = self.origin_of(&wrong.key).to_owned();
            wrong.given_in(&origin)
        })?;
        Ok(config)
    }

    /// Where the value of `key` was given.
    fn origin_of(&self, key: &str) -> &str {
        self.set.get(key).unwrap_or(&self.origin)
    }

    /// Refuses a table that lacks a key without a default.
    fn check_presence(&self) -> Result<(), ConfigError> {
        let template = template();
        for (key, example) in flatten(&template) {
            let Some((section, name)) = key.split_once('.') else { continue };
            let given = self.table.get(section).is_some_and(|values| values.get(name).is_some());
            if !given && Value::Table(without_key(&template, section, name)).try_into::<RunConfig>().is_err()
            {
                let (origin, section, name) = (self.origin.clone(), section.to_owned(), name.to_owned());
                return Err(ConfigError::Missing { origin, section, name, example: example.to_string() });
            }
        }
        Ok(())
    }

    /// Refuses a value that its key cannot have, whatever the others are: each is tried on its own.
    fn check_values(&self) -> Result<(), ConfigError> {
        let template = template();
        for (key, value) in flatten(&self.table) {
            let Some((section, name)) = key.split_once('.') else { continue };
            let alone = with_key(&template, section, name, value.clone());
            if let Err(error) = Value::Table(alone).try_into::<RunConfig>() {
                return Err(ConfigError::Value {
                    origin: self.origin_of(&key).to_owned(),
                    got: value.to_string(),
                    must: wish(&value, error.message()),
                    key,
                });
            }
        }
        Ok(())
    }
}

/// What a key wants, of the reason why it does not have it.
fn wish(value: &Value, reason: &str) -> String {
    let words = reason.split_once("expected ").map(|(_, words)| words.trim_start_matches("one of "));
    match (value, words) {
        (Value::String(_), Some(words)) => format!("must be one of {}", words.replace('`', "\"")),
        (Value::Integer(..=-1), _) => "must be 0 or more".to_owned(),
        _ => format!("cannot be: {reason}"),
    }
}

pub(super) fn to_table(config: &RunConfig) -> Table {
    Table::try_from(config).expect("a configuration is a table of plain values")
}

/// Every key with a value of its type.
pub(super) fn template() -> Table {
    to_table(&RunConfig {
        model: ModelConfig::example(),
        data: DataConfig::default(),
        train: TrainConfig::default(),
    })
}

/// `table` with the value of one key.
fn with_key(table: &Table, section: &str, name: &str, value: Value) -> Table {
    let mut table = table.clone();
    let values = table.entry(section.to_owned()).or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(values) = values {
        values.insert(name.to_owned(), value);
    }
    table
}

/// `table` without one key.
fn without_key(table: &Table, section: &str, name: &str) -> Table {
    let mut table = table.clone();
    if let Some(Value::Table(values)) = table.get_mut(section) {
        values.remove(name);
    }
    table
}

/// Every key with its section, and its value.
pub(super) fn flatten(table: &Table) -> Vec<(String, Value)> {
    let mut flat = Vec::new();
    for (section, value) in table {
        match value {
            Value::Table(inner) => {
                flat.extend(inner.iter().map(|(key, v)| (format!("{section}.{key}"), v.clone())));
            }
            other => flat.push((section.clone(), other.clone())),
        }
    }
    flat
}

/// Refuses keys that `template` lacks and values of another type than its own; whole numbers become floats
/// where floats are wanted.
fn check_keys(table: &mut Table, template: &Table, prefix: &str, origin: &str) -> Result<(), ConfigError> {
    for (name, value) in table.iter_mut() {
        let key = format!("{prefix}{name}");
        let Some(example) = template.get(name) else {
            let origin = origin.to_owned();
            return Err(match value {
                Value::Table(_) if prefix.is_empty() => {
                    let nearest = nearest(name, template.keys(), edits);
                    ConfigError::UnknownSection { origin, section: name.to_owned(), nearest }
                }
                _ => ConfigError::UnknownKey { origin, advice: advice(&key), key },
            });
        };
        match (&mut *value, example) {
            (Value::Table(inner), Value::Table(inner_template)) => {
                check_keys(inner, inner_template, &format!("{key}."), origin)?;
            }
            (Value::Integer(whole), Value::Float(_)) => *value = Value::Float(*whole as f64),
            (given, example) if given.same_type(example) => {}
            (given, example) => {
                return Err(ConfigError::Type {
                    origin: origin.to_owned(),
                    key,
                    wanted: type_name(example),
                    got: format!("{given}"),
                });
            }
        }
    }
    Ok(())
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text in quotes",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a section of keys",
    }
}

/// What other trainers call a key of ours, or an option.
const ELSEWHERE: [(&[&str], &str); 21] = [
    (&["learning_rate", "base_lr", "max_lr", "lr_max"], "`train.lr`"),
    (&["batch_size", "global_batch_size", "train_batch_size", "bs"], "`train.batch`"),
    (
        &["epochs", "num_epochs", "max_epochs", "max_steps", "num_steps", "iterations"],
        "`train.steps`, in steps of a batch",
    ),
    (&["warmup", "lr_warmup_steps", "num_warmup_steps"], "`train.warmup_steps`"),
    (&["lr_min_ratio", "min_lr", "lr_min"], "`train.decay_to`"),
    (&["grad_clip", "max_grad_norm", "gradient_clip_val"], "`train.clip`"),
    (&["wd"], "`train.weight_decay`"),
    (&["betas"], "`train.beta1` and `train.beta2`"),
    (&["ema_decay", "ema_rate"], "`train.ema`"),
    (&["dtype", "amp", "fp16", "bf16", "forward_dtype"], "`train.precision`"),
    (&["eval_interval", "eval_every", "val_interval"], "`train.eval_steps`"),
    (&["log_interval", "log_every", "logging_steps"], "`train.log_steps`"),
    (&["save_steps", "save_interval", "checkpoint_every", "save_every"], "`train.checkpoint_minutes`"),
    (&["save_total_limit", "keep_checkpoints"], "`train.keep`"),
    (&["hidden_size", "d_model", "dim", "embed_dim", "n_embd", "hidden_dim"], "`model.width`"),
    (&["num_heads", "n_heads", "n_head", "num_attention_heads"], "`model.heads`"),
    (&["intermediate_size", "ffn_dim", "d_ff", "mlp_dim", "expansion"], "`model.inner`"),
    (&["num_layers", "n_layers", "depth"], "`model.h_layers` and `model.l_layers`"),
    (&["halt_max_steps", "max_segments"], "`model.segments`"),
    (&["dataset", "data_path", "train_file", "train_data", "data_dir"], "`data.train`, or --data"),
    (&["val_size", "val_split", "validation_split", "test_size"], "`data.validation`, in rows"),
];

/// Options of `hrm-host train` that other trainers have as keys.
const OPTIONS: [(&[&str], &str); 3] = [
    (&["device", "gpu", "cuda", "accelerator"], "--device"),
    (&["threads", "num_workers", "workers", "num_threads"], "--threads"),
    (&["output_dir", "out", "out_dir", "save_dir", "run_dir", "checkpoint_path"], "--out"),
];

/// What is to be said where there is no key `key`: what is called so elsewhere, else the key that is spelled
/// like it, a slip in the section alone costing one edit, else all keys that there could be.
fn advice(key: &str) -> String {
    let leaf = |key: &str| key.rsplit('.').next().unwrap_or_default().to_lowercase();
    let word = leaf(key);
    let in_table = |table: &[(&[&str], &'static str)]| {
        table.iter().find(|(names, _)| names.contains(&word.as_str())).map(|(_, ours)| *ours)
    };
    if let Some(option) = in_table(&OPTIONS) {
        return format!("it is an option of `hrm-host train`: {option}");
    }
    if let Some(ours) = in_table(&ELSEWHERE) {
        return format!("here it is {ours}");
    }
    let keys: Vec<String> = flatten(&template()).into_iter().map(|(key, _)| key).collect();
    let apart = |a: &str, b: &str| edits(a, b).min(edits(&leaf(a), &leaf(b)) + 1);
    let near = nearest(key, keys.iter(), apart);
    let slips = if word.len() < 4 { 1 } else { (word.len() / 3).max(2) };
    if edits(&word, &leaf(&near)) <= slips {
        return format!("did you mean `{near}`?");
    }
    let section = key.split('.').next().unwrap_or_default();
    let of_section = |key: &&String| key.split('.').next() == Some(section);
    let listed: Vec<&str> = keys.iter().filter(of_section).map(String::as_str).collect();
    match &listed[..] {
        [] => {
            "keys are in the sections [model], [data] and [train]; docs/TRAINING.md explains each".to_owned()
        }
        listed => format!("there are {}; docs/TRAINING.md explains each", listed.join(", ")),
    }
}

/// The candidate at the least distance.
fn nearest<'a>(
    word: &str,
    candidates: impl Iterator<Item = &'a String>,
    distance: impl Fn(&str, &str) -> usize,
) -> String {
    candidates.min_by_key(|candidate| (distance(word, candidate), *candidate)).cloned().unwrap_or_default()
}

/// Levenshtein distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: &str = "[model]\ntask = \"sudoku4\"\nwidth = 16\nheads = 2\ninner = 16\nh_layers = 1\nl_layers = 1\n\
        h_cycles = 1\nl_cycles = 1\nshared_levels = true\npositions = \"relation\"\ncontinue_head = false\nsegments = 4\n";

    fn refusal(text: &str, sets: &[&str]) -> String {
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        RunConfig::parse(text, "a.toml", &sets).expect_err("a refusal").to_string()
    }

    #[test]
    fn a_refusal_names_the_key_and_whoever_gave_the_value() {
        let of_file = |from: &str, to: &str| refusal(&MODEL.replace(from, to), &[]);
        for (said, expected) in [
            (
                of_file("\"sudoku4\"", "\"sudoku16\""),
                "a.toml: `model.task` is \"sudoku16\", but must be one of \"sudoku4\"",
            ),
            (refusal(MODEL, &["model.task=sudoku16"]), "--set model.task=sudoku16: `model.task` is"),
            (of_file("width = 16", "width = -16"), "a.toml: `model.width` is -16, but must be 0 or more"),
            (of_file("heads = 2", "heads = 3"), "a.toml: `model.heads` is 3, but must divide width = 16"),
            (refusal(MODEL, &["model.heads=3"]), "--set model.heads=3: `model.heads` is 3, but must divide"),
            (
                refusal(MODEL, &["train.lr=2"]),
                "--set train.lr=2: `train.lr` is 2, but must be above 0 and at most 1",
            ),
            (refusal(MODEL, &["train.checkpoint_minutes=1e300"]), "but must be above 0 and at most 1000000"),
            (refusal(MODEL, &["train.eval_segments=70000"]), "but must be 0 (the model's own) to 1024"),
            (
                refusal(&format!("{MODEL}[train]\nsteps = 9\ndecay_steps = 8\n"), &["train.steps=5"]),
                "--set train.steps=5, with a.toml: `train.decay_steps` is 8, but must be at most train.steps",
            ),
            (
                refusal(MODEL, &["data.also=[\"sudoku9\"]"]),
                "`data.also` is \"sudoku9\", but a model of sudoku4 has",
            ),
            (
                refusal(MODEL, &["data.also=[\"sudoku4\"]"]),
                "`data.also` is \"sudoku4\", but must name each size once",
            ),
            (refusal(MODEL, &["data.also=[\"sudoku\"]"]), "`data.also` is"),
            (refusal(MODEL, &["data.also=sudoku9"]), "`data.also` wants a list, not"),
            (
                refusal(&format!("{MODEL}[train]\nlr = 2\n"), &["train.seed=3"]),
                "a.toml: `train.lr` is 2, but must",
            ),
            (
                refusal(&format!("{MODEL}[train]\nloss = \"soft\"\n"), &[]),
                "`train.loss` is \"soft\", but must be one of",
            ),
            (refusal(&format!("{MODEL}[train]\nlr = \"fast\"\n"), &[]), "a.toml: `train.lr` wants a number"),
            (
                of_file("heads = 2\n", ""),
                "a.toml: `heads` is missing from [model]; add a line such as `heads = 3`",
            ),
            (refusal("", &[]), "is missing from [model]"),
        ] {
            assert!(said.contains(expected), "{said}\nexpected: {expected}");
        }
    }

    #[test]
    fn a_slip_in_a_name_is_answered_with_the_name_that_was_meant() {
        for (text, meant) in [
            ("[trian]\nlr = 1e-3\n", "there is no section [trian]; did you mean [train]?"),
            ("[Model]\nwidth = 3\n", "there is no section [Model]; did you mean [model]?"),
            ("[train]\nlearning_rate = 1\n", "there is no key `train.learning_rate`; here it is `train.lr`"),
            ("[train]\nepochs = 1\n", "here it is `train.steps`"),
            ("[train]\ndevice = 1\n", "an option of `hrm-host train`: --device"),
            ("[data]\nzzzzzzzz = 1\n", "there are data.also, data.augmentations, "),
            ("[train]\nlrr = 1\n", "did you mean `train.lr`?"),
            ("[data]\nlr = 1\n", "there is no key `data.lr`; did you mean `train.lr`?"),
            ("lr = 1\n", "there is no key `lr`; did you mean `train.lr`?"),
        ] {
            let said = refusal(&format!("{text}{MODEL}"), &[]);
            assert!(said.starts_with("a.toml: ") && said.contains(meant), "{said}");
        }
        for (names, ours) in ELSEWHERE {
            for ours in ours.split('`').skip(1).step_by(2) {
                assert!(flatten(&template()).iter().any(|(key, _)| key == ours), "{names:?}: {ours}");
            }
        }
        let said = refusal(MODEL, &["model.hidden_size=1"]);
        assert!(said.contains("here it is `model.width`"), "{said}");
        let said = refusal(MODEL, &["trian.lr=1"]);
        assert!(said.contains("--set trian.lr=1") && said.contains("`train.lr`"), "{said}");
    }

    #[test]
    fn a_contradiction_on_the_command_line_is_refused() {
        let said = refusal(MODEL, &["train.lr=1e-3", "train.lr=2e-3"]);
        assert!(said.contains("--set train.lr=1e-3 and --set train.lr=2e-3"), "{said}");
        let same = ["train.lr=1e-3".to_owned(), "train.lr=0.001".to_owned()];
        assert!(RunConfig::parse(MODEL, "a.toml", &same).is_ok());
    }

    #[test]
    fn no_key_keeps_a_folder_that_is_left_out() {
        let long = "/folder/of/a/file";
        let takes_paths =
            |key: &String| RunConfig::parse(MODEL, "a.toml", &[format!("{key}={long}")]).is_ok();
        let keys: Vec<String> =
            flatten(&template()).into_iter().map(|(key, _)| key).filter(takes_paths).collect();
        assert!(keys.len() >= 3, "{keys:?}");
        let sets: Vec<String> = keys.iter().map(|key| format!("{key}={long}")).collect();
        let told = RunConfig::parse(MODEL, "a.toml", &sets).unwrap().without_folders().to_toml();
        assert!(!told.contains("folder") && told.matches("\"file\"").count() == keys.len(), "{told}");
    }

    #[test]
    fn every_key_without_a_default_is_asked_for_by_name() {
        let lines: Vec<&str> = MODEL.lines().collect();
        for left_out in 1..lines.len() {
            let text: Vec<&str> =
                lines.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, l)| *l).collect();
            let name = lines[left_out].split(' ').next().unwrap_or_default();
            let said = refusal(&text.join("\n"), &[]);
            assert!(said.contains(&format!("`{name}` is missing from [model]")), "{said}");
        }
    }
}
