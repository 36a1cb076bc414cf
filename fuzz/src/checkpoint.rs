//! Checkpoints of training: one that a run has written with any of its entries changed.

use std::{path::Path, sync::LazyLock};

use arbitrary::{Result, Unstructured};
use hrm_host::{
    config::RunConfig,
    train::{
        RunData,
        archive::Archive,
        checkpoint::{TrainState, TrainedModel},
        source::prepare,
        trainer::Trainer,
    },
};
use serde_json::{Value, json};

/// A run whose step takes a millisecond.
const CONFIG: &str = r#"
[model]
task = "sudoku4"
width = 16
heads = 2
inner = 16
h_layers = 1
l_layers = 1
h_cycles = 1
l_cycles = 1
shared_levels = false
positions = "relation"
continue_head = false
doubt_head = true
segments = 3

[data]
generate = 8
validation = 0

[train]
batch = 2
replay = 0.5
suppose = 0.5
"#;

/// The run's puzzles, and what it has saved after a step.
static RUN: LazyLock<(RunData, Archive)> = LazyLock::new(|| {
    let config = RunConfig::parse(CONFIG, "fuzz", &[]).expect("a configuration");
    let data = prepare(&config).expect("puzzles");
    let mut trainer = Trainer::new(&config, &data, &candle_core::Device::Cpu).expect("a trainer");
    trainer.step().expect("a step");
    let archive = trainer.state().expect("a state").to_archive();
    (data, archive)
});

/// Reads a checkpoint: one that is accepted trains on for a step, or is a model.
pub(crate) fn go_on(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let (data, written) = &*RUN;
    let mut archive = written.clone();
    for _ in 0..input.int_in_range(1..=3).unwrap_or(1) {
        let _ = change(&mut archive, &mut input);
    }
    let Ok(mut file) = archive.to_bytes() else { return };
    let path = Path::new("fuzz");
    let archive = Archive::of_bytes(path, &file).expect("what was written is read");
    if input.ratio(1, 8).unwrap_or(false) {
        damage(&mut file, &mut input);
        // Some bytes of a header say the same in other words.
        assert!(Archive::of_bytes(path, &file).map_or(true, |read| read == archive), "damage is not seen");
        return;
    }
    let _ = TrainedModel::from_archive(&archive, true);
    let Ok(state) = TrainState::from_archive(&archive) else { return };
    if let Ok(mut trainer) = Trainer::resume(state, data, &candle_core::Device::Cpu) {
        let _ = trainer.step();
    }
}

/// Flips a few bytes of a file.
fn damage(file: &mut [u8], input: &mut Unstructured<'_>) {
    for _ in 0..input.int_in_range(1..=4).unwrap_or(1) {
        let place = input.int_in_range(0..=file.len() - 1).unwrap_or(0);
        file[place] ^= input.int_in_range(1..=255).unwrap_or(1);
    }
}

/// Changes one text, one value of the configuration, or one tensor.
fn change(archive: &mut Archive, input: &mut Unstructured<'_>) -> Result<()> {
    match input.int_in_range(0..=3)? {
        0 => {
            let name = *input
                .choose(&["format", "step", "samples", "updates", "seconds", "data", "rng", "config"])?;
            archive.put_text(name, input.arbitrary::<String>()?);
        }
        1 => {
            let name = *input.choose(&["step", "samples", "updates", "seconds"])?;
            archive.put_text(name, number(input)?.to_string());
        }
        2 => {
            let text = archive.text("config").unwrap_or_default().to_owned();
            let Ok(mut config) = serde_json::from_str::<Value>(&text) else { return Ok(()) };
            if let Some(key) = key(&mut config, input)? {
                *key = value(input)?;
            }
            archive.put_text("config", config.to_string());
        }
        _ => tensor(archive, input)?,
    }
    Ok(())
}

/// A key of the configuration.
fn key<'c>(config: &'c mut Value, input: &mut Unstructured<'_>) -> Result<Option<&'c mut Value>> {
    let section = *input.choose(&["model", "data", "train"])?;
    let Some(Value::Object(section)) = config.get_mut(section) else { return Ok(None) };
    let at = input.choose_index(section.len().max(1))?;
    Ok(section.values_mut().nth(at))
}

fn value(input: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match input.int_in_range(0..=5)? {
        0 => json!(input.int_in_range(0..=64)?),
        1 => json!(input.arbitrary::<bool>()?),
        2 => json!(input.arbitrary::<f64>()?),
        3 => json!(*input.choose(&[
            "rope",
            "learned",
            "maze4x4",
            "sudoku9",
            "muon",
            "sign",
            "full",
            "one-step",
            "bf16",
            "stablemax"
        ])?),
        4 => json!(["sudoku6"]),
        _ => json!(input.arbitrary::<u64>()?),
    })
}

/// Numbers as they end a range, and any.
fn number(input: &mut Unstructured<'_>) -> Result<u64> {
    let any = input.arbitrary()?;
    Ok(*input.choose(&[0, 1, 2, u64::from(u32::MAX), u64::MAX, i64::MAX as u64, any])?)
}

/// Puts other values, another type or another shape in the place of a tensor.
fn tensor(archive: &mut Archive, input: &mut Unstructured<'_>) -> Result<()> {
    let names: Vec<(String, Vec<usize>)> =
        archive.tensors().map(|(name, shape)| (name.to_owned(), shape.to_vec())).collect();
    let (name, mut shape) = input.choose(&names)?.clone();
    if input.ratio(1, 16)? {
        shape = vec![input.int_in_range(0..=100)?];
    }
    let count: usize = shape.iter().product();
    let bytes: [u8; 4] = input.arbitrary()?;
    // A few of the values are other ones: the rest of a tensor says nothing new.
    let places: Vec<usize> =
        (0..2).map(|_| input.int_in_range(0..=count.max(1) - 1)).collect::<Result<_>>()?;
    if let Ok(old) = archive.u8(&name, count) {
        archive.put_u8(&name, &shape, &changed(old, &places, bytes[0]));
    } else if let Ok(old) = archive.u32(&name, count) {
        archive.put_u32(&name, &shape, &changed(old, &places, u32::from_le_bytes(bytes)));
    } else if let Ok(old) = archive.f32(&name, count) {
        archive.put_f32(&name, &shape, &changed(old, &places, f32::from_le_bytes(bytes)));
    } else {
        match input.int_in_range(0..=2)? {
            0 => archive.put_u8(&name, &shape, &vec![bytes[0]; count]),
            1 => archive.put_u32(&name, &shape, &vec![u32::from_le_bytes(bytes); count]),
            _ => archive.put_f32(&name, &shape, &vec![f32::from_le_bytes(bytes); count]),
        }
    }
    Ok(())
}

fn changed<T: Copy>(mut values: Vec<T>, places: &[usize], to: T) -> Vec<T> {
    for &place in places {
        if let Some(value) = values.get_mut(place) {
            *value = to;
        }
    }
    values
}
