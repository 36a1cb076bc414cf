//! A run that is stopped and resumed equals one that was never stopped, bit for bit.

use std::path::Path;

use hrm_host::config::RunConfig;
use hrm_host::train::archive::Archive;
use hrm_host::train::checkpoint::{RunDir, TrainState};
use hrm_host::train::source::prepare;
use hrm_host::train::{Event, RunData, RunOptions, Stop, Summary, TrainError, run};

/// Small enough for a second, and with every piece of state in use: learned positions, both heads, halting, easing.
const CONFIG: &str = r#"
    [model]
    task = "sudoku4"
    width = 16
    heads = 2
    inner = 16
    h_layers = 1
    l_layers = 1
    h_cycles = 2
    l_cycles = 1
    shared_levels = false
    positions = "learned+relation"
    continue_head = true
    segments = 4

    [data]
    generate = 40
    validation = 8

    [train]
    batch = 6
    warmup_steps = 5
    log_steps = 4
    eval_steps = 0
    eval_rows = 4
    keep = 2
"#;

fn config(overrides: &[&str]) -> RunConfig {
    let overrides: Vec<String> = overrides.iter().map(|s| (*s).to_owned()).collect();
    RunConfig::parse(CONFIG, "the test", &overrides).unwrap()
}

fn train(
    config: &RunConfig,
    data: &RunData,
    out: &Path,
    steps: u64,
    resume: bool,
) -> Result<Summary, TrainError> {
    let options =
        RunOptions { out: Some(out.to_owned()), resume, max_steps: Some(steps), ..RunOptions::default() };
    run(config, data, &options, &mut |_: Event<'_>| {})
}

/// The state at the newest checkpoint, without the wall clock.
fn state(out: &Path) -> TrainState {
    let (_, state, refused) = RunDir::open(out).newest().unwrap();
    assert!(refused.is_empty());
    TrainState { seconds: 0.0, ..state }
}

#[test]
fn interrupted_equals_uninterrupted() {
    for overrides in [&[][..], &["model.continue_head=false", "train.gradient=full", "train.loss=stablemax"]]
    {
        let config = config(overrides);
        let data = prepare(&config).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (whole, parts) = (dir.path().join("whole"), dir.path().join("parts"));
        train(&config, &data, &whole, 23, false).unwrap();
        for (i, steps) in [7, 1, 10, 5].into_iter().enumerate() {
            // Each sitting begins from the file alone.
            let summary = train(&config, &data, &parts, steps, i > 0).unwrap();
            assert_eq!(summary.stop, Stop::Limit);
        }
        let (a, b) = (state(&whole), state(&parts));
        assert_eq!((a.step, a.samples), (23, 23 * 6));
        let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&a.params.values), bits(&b.params.values));
        assert_eq!(bits(&a.z_h), bits(&b.z_h));
        assert!(a == b, "optimizer, average, rows, counters and generator are equal too");
    }
}

#[test]
fn a_killed_run_goes_on_from_its_last_checkpoint_and_ends_the_same() {
    let config = config(&[]);
    let data = prepare(&config).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (whole, killed) = (dir.path().join("whole"), dir.path().join("killed"));
    train(&config, &data, &whole, 12, false).unwrap();
    train(&config, &data, &killed, 5, false).unwrap();
    train(&config, &data, &killed, 3, true).unwrap();
    // The machine died while the next checkpoint was being written, and the one before it was damaged.
    let newest = killed.join("step-00000008.safetensors");
    let bytes = std::fs::read(&newest).unwrap();
    std::fs::write(&newest, &bytes[..bytes.len() / 2]).unwrap();
    std::fs::write(killed.join("step-00000009.safetensors.partial"), &bytes[..100]).unwrap();
    let mut warnings = Vec::new();
    let options =
        RunOptions { out: Some(killed.clone()), resume: true, max_steps: Some(7), ..RunOptions::default() };
    run(&config, &data, &options, &mut |event| {
        if let Event::Warning(text) = event {
            warnings.push(text);
        }
    })
    .unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("step-00000008") && warnings[0].contains("damaged"), "{warnings:?}");
    assert!(state(&whole) == state(&killed));
}

#[test]
fn what_a_run_may_not_do() {
    let original = config(&[]);
    let data = prepare(&original).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    assert!(matches!(train(&original, &data, &out, 1, true), Err(TrainError::NothingToResume(_))));
    train(&original, &data, &out, 2, false).unwrap();
    assert!(matches!(train(&original, &data, &out, 1, false), Err(TrainError::NotEmpty(_))));

    let other = config(&["model.width=32", "train.batch=8", "train.lr=0.002"]);
    match train(&other, &data, &out, 1, true) {
        Err(TrainError::Changed(keys)) => assert_eq!(keys, ["model.width", "train.batch"]),
        other => panic!("{other:?}"),
    }
    let mut fewer = data.clone();
    fewer.train = data.train.subset(&[0, 1, 2]);
    assert!(matches!(train(&original, &fewer, &out, 1, true), Err(TrainError::OtherData { .. })));

    let lock = RunDir::open(&out).lock().unwrap();
    assert!(matches!(train(&original, &data, &out, 1, true), Err(TrainError::Locked(_))));
    drop(lock);
    // Everything else may change.
    let slower = config(&["train.lr=0.0001", "train.steps=4", "train.decay_steps=2", "train.eval_rows=2"]);
    let summary = train(&slower, &data, &out, 10, true).unwrap();
    assert_eq!((summary.stop, summary.step), (Stop::Finished, 4));
    assert_eq!(state(&out).config, slower);
}

#[test]
fn the_last_few_checkpoints_are_kept_and_named() {
    let config = config(&[]);
    let data = prepare(&config).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    for i in 0..4 {
        train(&config, &data, &out, 1, i > 0).unwrap();
    }
    let names: Vec<_> =
        RunDir::open(&out).checkpoints().iter().map(|p| p.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["step-00000003.safetensors", "step-00000004.safetensors"]);
    assert_eq!(std::fs::read_to_string(out.join("latest")).unwrap(), "step-00000004.safetensors\n");
    let archive = Archive::read(&out.join("step-00000004.safetensors")).unwrap();
    assert_eq!(archive.text("step").unwrap(), "4");
    let tensors: Vec<&str> = archive.tensors().map(|(name, _)| name).collect();
    for name in
        ["param.embed.tokens", "ema.level_h.0.qkv", "adam_m.lm_head", "adam_v.lm_head", "param.init.h"]
    {
        assert!(tensors.contains(&name), "{name} is missing: {tensors:?}");
    }
    let (read, params) =
        hrm_host::train::load_parameters(&out.join("step-00000004.safetensors"), true).unwrap();
    assert_eq!(read, config);
    let average = state(&out).average;
    let stored: Vec<f32> =
        params.vars().flat_map(|(_, v)| v.flatten_all().unwrap().to_vec1::<f32>().unwrap()).collect();
    assert_eq!(stored, average);
}
