//! The program is killed, interrupted and starved of disk space; what it had is never lost, and in the end it
//! has the same bits as a run that nothing happened to.
#![cfg(unix)]

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use hrm_host::train::checkpoint::{RunDir, TrainState};

/// What differs from the usual small run: it saves after every step, so that a kill often falls into a save.
const CHANGES: [&str; 8] = [
    "data.generate=40",
    "train.warmup_steps=5",
    "train.replay=0.5",
    "train.latent_noise=0.1",
    "train.eval_steps=0",
    "train.eval_rows=2",
    "train.checkpoint_minutes=1e-9",
    "train.keep=3",
];

fn command(dir: &Path, out: &Path, resume: bool, steps: u64) -> Command {
    let config = dir.join("config.toml");
    std::fs::write(&config, crate::common::CONFIG).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hrm-host"));
    command.args(["train", "--threads", "1", "--set", &format!("train.steps={steps}"), "--out"]).arg(out);
    if resume {
        command.arg("--resume");
    } else {
        command.arg("--config").arg(&config);
        command.args(CHANGES.iter().flat_map(|change| ["--set", change]));
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    crate::common::hear_requests(&mut command);
    command
}

fn finish(command: &mut Command) {
    let Output { status, stderr, .. } = command.output().unwrap();
    assert!(status.success(), "{status}: {}", String::from_utf8_lossy(&stderr));
}

fn state(out: &Path) -> TrainState {
    let (_, state, refused) = RunDir::open(out).newest().unwrap();
    assert!(refused.is_empty(), "{refused:?}");
    TrainState { seconds: 0.0, ..state }
}

fn has_checkpoint(out: &Path) -> bool {
    !RunDir::open(out).checkpoints().is_empty()
}

/// Waits until the run has saved at least `checkpoints` times.
fn wait_for(child: &mut Child, out: &Path, past_step: u64) {
    while !has_checkpoint(out) || state_step(out).is_none_or(|step| step < past_step) {
        assert_eq!(child.try_wait().unwrap(), None, "the run ended by itself");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The step in the name of the newest checkpoint.
fn state_step(out: &Path) -> Option<u64> {
    let newest = RunDir::open(out).checkpoints().pop()?;
    newest.file_stem()?.to_str()?.strip_prefix("step-")?.parse().ok()
}

#[test]
fn killed_at_arbitrary_moments_it_ends_like_an_undisturbed_run() {
    const STEPS: u64 = 150;
    let dir = tempfile::tempdir().unwrap();
    let (whole, killed) = (dir.path().join("whole"), dir.path().join("killed"));
    finish(&mut command(dir.path(), &whole, false, STEPS));

    // From "not even begun" to "in the middle of it"; whichever of these finds the run
    // finished only tests less.
    for millis in [1, 15, 40, 60, 75, 90, 120, 33, 101] {
        let mut child = command(dir.path(), &killed, has_checkpoint(&killed), STEPS).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(millis));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    // One that surely has steps behind and before it, wherever the others fell.
    let longer = STEPS + 5_000;
    let mut child = command(dir.path(), &killed, has_checkpoint(&killed), longer).spawn().unwrap();
    let begun = state_step(&killed).unwrap_or(0);
    if begun + 3 < STEPS {
        wait_for(&mut child, &killed, begun + 3);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(state_step(&killed).is_some_and(|step| step > 0 && step < longer));

    let last = state_step(&killed).unwrap_or(0).max(STEPS);
    if last > STEPS {
        // The last kill came late: compare at a later step.
        finish(&mut command(dir.path(), &whole, true, last + 5));
        finish(&mut command(dir.path(), &killed, true, last + 5));
    } else {
        finish(&mut command(dir.path(), &killed, true, STEPS));
    }
    assert!(
        state(&whole) == state(&killed),
        "weights, moments, carry, rows, generator and counters are equal"
    );
}

#[test]
fn a_polite_signal_saves_the_current_step() {
    for signal in ["-TERM", "-INT", "-HUP"] {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("run");
        let mut child = command(dir.path(), &out, false, 1_000_000).spawn().unwrap();
        wait_for(&mut child, &out, 3);
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(130), "{said}");
        let saved = state(&out);
        assert!(saved.step >= 3);
        assert!(said.contains(&format!("interrupted after {} steps", saved.step)), "{said}");
        assert!(said.contains("--resume"), "{said}");
        // And goes on to the same end as a run without the interruption.
        let whole = dir.path().join("whole");
        let end = saved.step + 4;
        finish(&mut command(dir.path(), &out, true, end));
        finish(&mut command(dir.path(), &whole, false, end));
        assert!(TrainState { config: state(&whole).config, ..state(&out) } == state(&whole));
    }
}

#[test]
fn a_full_disk_costs_nothing_that_was_saved() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    finish(&mut command(dir.path(), &out, false, 6));
    let before = state(&out);
    let names = |out: &Path| {
        let mut names: Vec<_> =
            std::fs::read_dir(out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let files = names(&out);

    // No file may grow beyond 16 KiB: enough for metrics, not for a checkpoint.
    let train = command(dir.path(), &out, true, 12);
    let mut limited = Command::new("bash");
    limited.args(["-c", "ulimit -f 16; exec \"$0\" \"$@\""]).arg(train.get_program()).args(train.get_args());
    let output = limited.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(said.contains("warning: cannot write") && said.contains("training goes on"), "{said}");
    assert!(said.contains("nothing that was there before has been touched"), "{said}");
    assert!(state(&out) == before);
    assert_eq!(names(&out), files, "no litter either");

    // With room again, it ends as a run that never lacked any.
    let whole = dir.path().join("whole");
    finish(&mut command(dir.path(), &out, true, 12));
    finish(&mut command(dir.path(), &whole, false, 12));
    assert!(state(&whole) == state(&out));
}
