//! A run that is stopped and resumed equals one that was never stopped, bit for bit.

use std::path::Path;

use candle_core::Device;
use hrm_host::config::{PrefixRule, RunConfig};
use hrm_host::files::checkpoint_name;
use hrm_host::train::archive::Archive;
use hrm_host::train::checkpoint::{BatchState, RunDir, TrainState};
use hrm_host::train::communicator::{Communicator, InProcess};
use hrm_host::train::rows::{Rows, UNKNOWN};
use hrm_host::train::source::prepare;
use hrm_host::train::trainer::Trainer;
use hrm_host::train::{Event, RunData, RunOptions, Stop, Summary, TrainError, run};

/// Small enough for a second, and with every piece of state in use: learned positions,
/// both heads, halting, easing.
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

/// Every switch that is off by default, with a value that makes it matter.
const SWITCHES: [&[&str]; 10] = [
    &["train.random_start=0.5"],
    &["train.latent_noise=0.2"],
    &["train.replay=0.9"],
    &["train.rest=0.9"],
    &["data.eased_from=1.0", "data.eased_steps=40", "data.eased=0.0", "data.eased_most=0.5"],
    &["data.augmentations=3"],
    &["train.prefix=sign"],
    &["train.matrices=muon"],
    &["train.explore_once=false"],
    &["train.suppose=0.9"],
];

/// A model that learns three sizes.
const SIZES: [&str; 4] = [
    "model.task=maze6x6",
    "model.positions=relation",
    "model.continue_head=false",
    "data.also=[\"maze4x5\", \"maze5x4\"]",
];

#[test]
fn interrupted_equals_uninterrupted() {
    let all_switches = SWITCHES.concat();
    for overrides in [
        &[][..],
        &["model.continue_head=false", "train.gradient=full", "train.loss=stablemax"],
        &[
            "model.continue_head=false",
            "model.doubt_head=true",
            "train.suppose=0.9",
            "train.suppose_segments=2",
        ],
        &all_switches,
        &[&SIZES[..], SWITCHES[0]].concat(),
    ] {
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
        for (a, b) in a.batches.iter().zip(&b.batches) {
            assert_eq!(bits(&a.z_h), bits(&b.z_h));
        }
        assert!(a == b, "optimizer, average, rows, counters and generator are equal too");
    }
}

/// Parameters and rows after a few steps.
fn after(config: &RunConfig, steps: u64) -> TrainState {
    let data = prepare(config).unwrap();
    let mut trainer = Trainer::new(config, &data, &Device::Cpu).unwrap();
    for _ in 0..steps {
        trainer.step().unwrap();
    }
    trainer.state().unwrap()
}

#[test]
fn every_switch_changes_what_is_trained() {
    let plain = after(&config(&[]), 12);
    for switch in SWITCHES {
        let switched = after(&config(switch), 12);
        assert!(switched.params.values.iter().all(|p| p.is_finite()), "{switch:?}");
        assert!(switched.params.values != plain.params.values, "{switch:?} does nothing");
    }
}

#[test]
fn the_prefix_is_moved_by_sign_where_asked_and_nothing_else_is() {
    let one_step = |rule: &str| after(&config(&[rule, "train.lr=0.01", "train.warmup_steps=0"]), 1);
    let (atan2, sign) = (one_step("train.prefix=adam-atan2"), one_step("train.prefix=sign"));
    assert_eq!(
        (atan2.config.train.prefix, sign.config.train.prefix),
        (PrefixRule::AdamAtan2, PrefixRule::Sign)
    );
    let prefix = sign.params.range("embed.prefix");
    assert_eq!(prefix.len(), 16);
    // From zero: minus the rate times the sign. Adam-atan2's first step is smaller, in the same direction.
    for (s, a) in sign.params.values[prefix.clone()].iter().zip(&atan2.params.values[prefix.clone()]) {
        assert!(s.abs() == 0.01 && a.abs() > 0.0 && a.abs() < 0.02 && s.signum() == a.signum(), "{s} {a}");
    }
    let others = |state: &TrainState| {
        let mut values = state.params.values.clone();
        values.drain(prefix.clone());
        values
    };
    assert!(others(&sign) == others(&atan2));
}

#[test]
fn a_puzzle_that_was_not_solved_comes_again() {
    // An untrained model solves nothing, so with certain replay every row keeps its training row for ever.
    let config = config(&["train.replay=1.0", "data.eased=0.0"]);
    let data = prepare(&config).unwrap();
    let mut trainer = Trainer::new(&config, &data, &Device::Cpu).unwrap();
    let first: Rows = trainer.state().unwrap().batches.swap_remove(0).rows;
    assert!(!first.source.contains(&UNKNOWN));
    let mut solved = 0;
    for _ in 0..12 {
        solved += trainer.step().unwrap().exact;
    }
    let last = trainer.state().unwrap().batches.swap_remove(0).rows;
    assert_eq!(solved, 0, "the premise of this test");
    assert_eq!(last.source, first.source);
    assert_ne!(last.puzzles, first.puzzles, "in another variation");
    let without = after(&self::config(&["data.eased=0.0"]), 12).batches[0].rows.clone();
    assert_ne!(without.source, first.source);
}

#[test]
fn sizes_take_turns_and_share_the_parameters() {
    let config = config(&SIZES);
    let data = prepare(&config).unwrap();
    assert_eq!(
        data.sizes().map(|set| (set.len(), set.cells())).collect::<Vec<_>>(),
        [(40, 36), (40, 20), (40, 20)]
    );
    let mut trainer = Trainer::new(&config, &data, &Device::Cpu).unwrap();
    let mut before = trainer.state().unwrap();
    for turn in [0, 1, 2, 0, 1] {
        let cells = trainer.step().unwrap().cells;
        let after = trainer.state().unwrap();
        assert_eq!(cells, 6 * if turn == 0 { 36 } else { 20 });
        assert!(after.params != before.params);
        let changed: Vec<bool> = after.batches.iter().zip(&before.batches).map(|(a, b)| a != b).collect();
        assert_eq!(changed, [turn == 0, turn == 1, turn == 2]);
        before = after;
    }
    // It is another run than that of one size, and its data are known apart.
    let alone = after(&self::config(&SIZES[..3]), 5);
    assert!(alone.params != before.params && alone.data != before.data);
}

#[test]
fn a_damaged_later_checkpoint_costs_no_intact_one() {
    for keep in [1, 2] {
        let config = config(&[&format!("train.keep={keep}")]);
        let data = prepare(&config).unwrap();
        let dir = tempfile::tempdir().unwrap();
        train(&config, &data, dir.path(), 2, false).unwrap();
        let (whole, torn) = (dir.path().join(checkpoint_name(2)), dir.path().join(checkpoint_name(9)));
        std::fs::write(&torn, &std::fs::read(&whole).unwrap()[..4000]).unwrap();
        // One step at a time, past the torn one: what was just saved is always there to go on from.
        for step in 3..=10 {
            assert_eq!(train(&config, &data, dir.path(), 1, true).unwrap().step, step);
            let run = RunDir::open(dir.path());
            assert_eq!(run.newest().unwrap().1.step, step, "keep = {keep}");
            let up_to = run.checkpoints().iter().filter(|path| **path != torn || step >= 9).count();
            assert_eq!(up_to, keep.min(step as usize), "keep = {keep}, step {step}");
        }
        assert!(!torn.exists() || Archive::read(&torn).is_ok(), "its place was taken by a whole one");
    }
}

#[test]
fn what_no_run_writes_is_refused_with_the_entry_s_name() {
    let config = config(&[]);
    let data = prepare(&config).unwrap();
    let dir = tempfile::tempdir().unwrap();
    train(&config, &data, dir.path(), 1, false).unwrap();
    let written = Archive::read(&dir.path().join(checkpoint_name(1))).unwrap();
    let changed = |text: &str, from: &str, to: &str| {
        let before = written.text(text).unwrap();
        assert!(before.contains(from), "{before}");
        let mut archive = written.clone();
        archive.put_text(text, before.replace(from, to));
        archive
    };
    let with = |name: &str, text: &str| {
        let mut archive = written.clone();
        archive.put_text(name, text);
        archive
    };
    let (batch, cells) = (config.train.batch, config.model.cells());
    let of_tokens = |name: &str| {
        let mut archive = written.clone();
        archive.put_u8(name, &[batch, cells], &vec![config.model.vocab() as u8; batch * cells]);
        archive
    };
    let not_finite = |name: &str, value: f32| {
        let mut archive = written.clone();
        let shape = archive.tensors().find(|(known, _)| *known == name).unwrap().1.to_vec();
        let mut values = archive.f32(name, shape.iter().product()).unwrap();
        values[1] = value;
        archive.put_f32(name, &shape, &values);
        archive
    };
    for (archive, told) in [
        (not_finite("ema.lm_head", f32::NAN), "`ema.lm_head`"),
        (not_finite("param.lm_head", f32::INFINITY), "`param.lm_head`"),
        (not_finite("adam_v.lm_head", f32::NAN), "`adam_v.lm_head`"),
        (not_finite("carry.z_l", f32::NEG_INFINITY), "`carry.z_l`"),
        (with("step", "18446744073709551615"), "`step`"),
        (with("updates", "-1"), "`updates`"),
        (with("seconds", "NaN"), "`seconds`"),
        (with("seconds", "-1"), "`seconds`"),
        (of_tokens("rows.labels"), "`rows.labels`"),
        (of_tokens("rows.puzzles"), "`rows.puzzles`"),
        (changed("config", "\"batch\":6", "\"batch\":0"), "`train.batch`"),
        (changed("config", "\"heads\":2", "\"heads\":0"), "`model.heads`"),
        (changed("config", "\"width\":16", "\"width\":4611686018427387904"), "`model.width`"),
        (changed("config", "\"generate\":", "\"generate\":1844674407370955161"), "`config`"),
    ] {
        let error = TrainState::from_archive(&archive).unwrap_err().to_string();
        assert!(error.contains(told), "{told}: {error}");
    }
}

/// Written by the program as it was before `replay`, noise, random starts and the newer keys of `[data]`
/// existed: at the parent of the commit that added the file, `hrm-host train --max-steps 3` with the
/// configuration that the file's `config` entry holds.
#[test]
fn an_older_checkpoint_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/before-replay.safetensors");
    let archive = Archive::read(&old).unwrap();
    assert!(!archive.text("config").unwrap().contains("latent_noise") && !archive.contains("rows.source"));
    std::fs::copy(&old, dir.path().join("step-00000003.safetensors")).unwrap();
    let before = state(dir.path());
    let (t, d) = (&before.config.train, &before.config.data);
    assert_eq!((t.random_start, t.latent_noise, t.replay, t.prefix), (0.0, 0.0, 0.0, PrefixRule::AdamAtan2));
    assert_eq!((d.augmentations, d.eased_steps, d.validation_from.as_os_str().len()), (0, 0, 0));
    assert_eq!(
        (before.batches[0].rows.source.as_slice(), before.batches[0].rows.unsolved.as_slice()),
        (&[UNKNOWN; 2][..], &[0; 2][..])
    );

    let data = prepare(&before.config).unwrap();
    let summary = train(&before.config, &data, dir.path(), 9, true).unwrap();
    assert_eq!(summary.step, 12);
    // And with the new switches on from here: rows whose origin was not kept are not
    // replayed, later ones are.
    let switched =
        before.config.with(&["train.replay=1.0".to_owned(), "train.latent_noise=0.1".to_owned()]).unwrap();
    train(&switched, &data, dir.path(), 12, true).unwrap();
    assert!(!state(dir.path()).batches[0].rows.source.contains(&UNKNOWN));
}

/// The rows `rows` of a state, as the state of a trainer with that batch.
fn part(state: &TrainState, rows: std::ops::Range<usize>) -> TrainState {
    let batch = &state.batches[0];
    let r = &batch.rows;
    let of = |values: &[f32]| {
        let row = values.len() / r.len();
        values[rows.start * row..rows.end * row].to_vec()
    };
    let (z_h, z_l) = (of(&batch.z_h), of(&batch.z_l));
    let mut part = state.clone();
    part.config.train.batch = rows.len();
    let cells = r.cells * rows.start..r.cells * rows.end;
    let rows = Rows {
        cells: r.cells,
        puzzles: r.puzzles[cells.clone()].to_vec(),
        labels: r.labels[cells].to_vec(),
        segments: r.segments[rows.clone()].to_vec(),
        at_least: r.at_least[rows.clone()].to_vec(),
        done: r.done[rows.clone()].to_vec(),
        eased: r.eased[rows.clone()].to_vec(),
        source: r.source[rows.clone()].to_vec(),
        unsolved: r.unsolved[rows.clone()].to_vec(),
        supposed: r.supposed[rows].to_vec(),
    };
    part.batches = vec![BatchState { z_h, z_l, rows }];
    part
}

#[test]
fn two_trainers_with_half_the_rows_make_the_step_of_one_with_all() {
    // Long puzzles, so that no row is refilled between the steps that are compared.
    let config =
        config(&["model.segments=64", "train.stagger=false", "train.exploration=0.0", "train.batch=8"]);
    let data = prepare(&config).unwrap();
    let mut whole = Trainer::new(&config, &data, &Device::Cpu).unwrap();
    let start = whole.state().unwrap();
    let steps = 3;
    let norms: Vec<f64> = (0..steps).map(|_| whole.step().unwrap().gradient_norm).collect();
    let halves: Vec<(TrainState, Vec<f64>)> = std::thread::scope(|scope| {
        let ranks = InProcess::group(2).into_iter().zip([0..4, 4..8]).map(|(peer, rows)| {
            let (half, data) = (part(&start, rows), &data);
            scope.spawn(move || {
                let mut trainer = Trainer::resume(half, data, &Device::Cpu).unwrap().joined(Box::new(peer));
                let norms = (0..steps).map(|_| trainer.step().unwrap().gradient_norm).collect();
                (trainer.state().unwrap(), norms)
            })
        });
        let ranks: Vec<_> = ranks.collect();
        ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
    });
    assert!(halves[0].0.params == halves[1].0.params, "every rank has the same bits");
    assert!(halves[0].0.batches != halves[1].0.batches);
    let whole = whole.state().unwrap();
    for (half, whole) in halves[0].1.iter().zip(&norms) {
        assert!((half / whole - 1.0).abs() < 1e-4, "{half} {whole}");
    }
    // Sums in another order: equal up to rounding, which is far below what three steps moved.
    let furthest = |a: &TrainState, b: &TrainState| {
        a.params.values.iter().zip(&b.params.values).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    let moved = furthest(&whole, &start);
    assert!(moved > 1e-4 && furthest(&whole, &halves[0].0) < 0.02 * moved, "{moved}");
}

#[test]
fn ranks_have_the_same_parameters_and_other_puzzles() {
    let config = config(&[]);
    let data = prepare(&config).unwrap();
    let alone = Trainer::new(&config, &data, &Device::Cpu).unwrap().state().unwrap();
    let ranks = InProcess::group(2).into_iter().map(|peer| {
        let trainer = Trainer::new(&config, &data, &Device::Cpu).unwrap();
        trainer.with_rows_anew(peer.rank()).unwrap().joined(Box::new(peer)).state().unwrap()
    });
    let ranks: Vec<TrainState> = ranks.collect();
    assert!(ranks[0] == alone, "rank 0 is what a lone trainer is");
    assert!(ranks[1].params == alone.params && ranks[1].batches[0].rows != alone.batches[0].rows);
}

#[test]
fn divergence_is_stopped_where_it_is_and_named() {
    let config = config(&[]);
    let data = prepare(&config).unwrap();
    let mut state = after(&config, 3);
    let at = state.params.range("lm_head").start + 2;
    state.params.values[at] = f32::NAN;
    let mut trainer = Trainer::resume(state.clone(), &data, &Device::Cpu).unwrap();
    let message = trainer.step().unwrap_err().to_string();
    assert!(message.contains("step 3") && message.contains("parameter lm_head"), "{message}");
    assert!(message.contains("--resume --set train.lr="), "{message}");
    assert_eq!(trainer.steps(), 3, "nothing was updated");

    let mut state = after(&config, 3);
    state.batches[0].z_l[5] = f32::INFINITY;
    let before = state.params.clone();
    let mut trainer = Trainer::resume(state, &data, &Device::Cpu).unwrap();
    let message = trainer.step().unwrap_err().to_string();
    assert!(message.contains("the carried state z_l"), "{message}");
    assert!(trainer.state().unwrap().params == before);
}

#[test]
fn validation_rows_from_another_file_share_nothing_with_the_training_rows() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(&["data.validation=0", "data.generate=60"]);
    let all = prepare(&config).unwrap().train;
    let (train_file, other_file) = (dir.path().join("train.csv"), dir.path().join("others.csv"));
    hrm_host::data::export::save(&all.subset(&(0..20).collect::<Vec<_>>()), &train_file).unwrap();
    hrm_host::data::export::save(&all, &other_file).unwrap();
    let key = |name: &str, path: &Path| format!("data.{name}={}", path.display());
    let overrides =
        [key("train", &train_file), key("validation_from", &other_file), "data.validation=15".to_owned()];
    let apart = config.with(&overrides).unwrap();
    let data = prepare(&apart).unwrap();
    assert_eq!((data.train.len(), data.validation.len()), (20, 15));
    for puzzle in data.validation.iter() {
        assert!(data.train.iter().all(|other| other.question != puzzle.question));
    }
    let greedy = apart.with(&["data.validation=59".to_owned()]).unwrap();
    let message = prepare(&greedy).unwrap_err().to_string();
    assert!(message.contains("share nothing") && message.contains("others.csv"), "{message}");
}

#[test]
fn what_ended_before_its_first_checkpoint_may_begin_again() {
    let config = config(&[]);
    let data = prepare(&config).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for left in ["config.toml", "metrics.jsonl", "lock", "step-00000001.safetensors.partial"] {
        std::fs::write(dir.path().join(left), "").unwrap();
    }
    train(&config, &data, dir.path(), 1, false).unwrap();
    assert!(!dir.path().join("step-00000001.safetensors.partial").exists(), "it is in nobody's way");
    // A configuration alone was left by its author.
    for name in ["notes.txt", "config.toml", "lock"] {
        let foreign = tempfile::tempdir().unwrap();
        std::fs::write(foreign.path().join(name), "mine").unwrap();
        assert!(matches!(train(&config, &data, foreign.path(), 1, false), Err(TrainError::NotEmpty(_))));
        assert_eq!(std::fs::read(foreign.path().join(name)).unwrap(), b"mine");
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

    let other =
        config(&["model.width=32", "train.batch=8", "train.seed=9", "train.from=a.hrm", "train.lr=0.002"]);
    match train(&other, &data, &out, 1, true) {
        Err(TrainError::Changed(keys)) => {
            assert_eq!(keys, ["model.width", "train.batch", "train.seed", "train.from"])
        }
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
