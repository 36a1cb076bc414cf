//! Several processes train one model, started by mpirun as a user starts them.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::common::{CONFIG, hear_requests, ok, words};
use hrm_host::config::RunConfig;
use hrm_host::train::checkpoint::{RunDir, TrainState};
use hrm_host::train::communicator::InProcess;
use hrm_host::train::source::prepare;
use hrm_host::train::{RunOptions, run_among};

/// Two ranks, wherever these tests run: as root, on fewer processors than ranks, and so slowly
/// that a save takes seconds.
fn mpirun(folder: &Path, train: &[&str]) -> Command {
    std::fs::write(folder.join("tiny.toml"), CONFIG).unwrap();
    let mut command = Command::new("mpirun");
    command
        .env("OMPI_ALLOW_RUN_AS_ROOT", "1")
        .env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
        .args(["--oversubscribe", "--mca", "odls_base_sigkill_timeout", "5", "-n", "2"])
        .arg(env!("CARGO_BIN_EXE_hrm-host"))
        .args(["train", "--threads", "1"])
        .args(train)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    hear_requests(&mut command);
    command
}

/// Runs it to its end: the exit code, and what was said.
fn finished(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().expect("mpirun is installed (cargo xtask setup)");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// What rank `rank` has kept, without the wall clock.
fn state(run: &Path, rank: usize) -> TrainState {
    let folder = if rank == 0 { run.to_owned() } else { run.join(format!("rank-{rank}")) };
    let (_, state, refused) = RunDir::open(&folder).newest().unwrap();
    assert!(refused.is_empty(), "{refused:?}");
    TrainState { seconds: 0.0, ..state }
}

/// The same two ranks on threads of this process.
fn in_process(folder: &Path, out: &Path, steps: u64) {
    std::fs::write(folder.join("tiny.toml"), CONFIG).unwrap();
    let config = RunConfig::load(&folder.join("tiny.toml"), &[format!("train.steps={steps}")]).unwrap();
    let data = prepare(&config).unwrap();
    std::thread::scope(|scope| {
        for peer in InProcess::group(2) {
            let (config, data) = (&config, &data);
            scope.spawn(move || {
                let options = RunOptions { out: Some(out.to_owned()), ..RunOptions::default() };
                run_among(config, data, &options, Box::new(peer), &mut |_| {}).unwrap()
            });
        }
    });
}

#[test]
fn two_processes_train_what_two_trainers_of_one_process_train() {
    let dir = tempfile::tempdir().unwrap();
    let (processes, threads) = (dir.path().join("processes"), dir.path().join("threads"));
    let train = ["--config", "tiny.toml", "--set", "train.steps=20", "--out", "processes"];
    let (code, said) = finished(&mut mpirun(dir.path(), &train));
    assert_eq!(code, Some(0), "{said}");
    in_process(dir.path(), &threads, 20);
    for rank in [0, 1] {
        assert!(state(&processes, rank) == state(&threads, rank), "rank {rank} differs");
    }
    let (first, second) = (state(&processes, 0), state(&processes, 1));
    assert!(first.params == second.params && first.batches != second.batches);
    assert_eq!(first.samples, 20 * 2 * 4);
    // One of them speaks, and says what a step is.
    assert!(said.contains("2 ranks, started by Open MPI's mpirun: a step takes 8 rows, 4"), "{said}");
    assert_eq!(said.matches("finished after 20 steps, 160 sample-segments").count(), 1, "{said}");
    assert!(!processes.join("rank-1/metrics.jsonl").exists() && processes.join("metrics.jsonl").exists());
}

#[test]
fn ranks_that_were_interrupted_end_like_ranks_that_were_not() {
    let dir = tempfile::tempdir().unwrap();
    let whole = ["--config", "tiny.toml", "--set", "train.steps=19", "--out", "whole"];
    assert_eq!(finished(&mut mpirun(dir.path(), &whole)).0, Some(0));
    let parts = ["--config", "tiny.toml", "--set", "train.steps=19", "--max-steps", "7", "--out", "parts"];
    assert_eq!(finished(&mut mpirun(dir.path(), &parts)).0, Some(0));
    let (code, said) = finished(&mut mpirun(dir.path(), &["--resume", "--out", "parts"]));
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("warning"), "{said}");
    for rank in [0, 1] {
        let (whole, parts) = (state(&dir.path().join("whole"), rank), state(&dir.path().join("parts"), rank));
        assert!(whole.step == 19 && whole == parts, "rank {rank} differs");
    }
}

#[test]
fn a_run_goes_on_with_more_ranks_and_with_fewer() {
    let dir = tempfile::tempdir().unwrap();
    crate::common::trained(dir.path(), "run", &[]);
    let run = dir.path().join("run");
    let (code, said) = finished(&mut mpirun(dir.path(), &["--resume", "--finish-in", "5", "--out", "run"]));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("warning: rank 1 goes on at step 12 with new puzzles"), "{said}");
    let (first, second) = (state(&run, 0), state(&run, 1));
    assert!(first.step == 17 && first.params == second.params && first.batches != second.batches);
    // Without the other, whose folder stays, and with it again, whose puzzles are of an earlier step.
    let resumed = ["train", "--threads", "1", "--resume", "--finish-in", "2", "--out", "run"];
    ok(dir.path(), &resumed);
    let (code, said) = finished(&mut mpirun(dir.path(), &["--resume", "--finish-in", "1", "--out", "run"]));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("warning: rank 1 goes on at step 19 with new puzzles"), "{said}");
    assert_eq!(state(&run, 1).step, 20);
}

#[test]
fn a_rank_that_cannot_begin_ends_all_with_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    // In the way of rank 1 alone.
    std::fs::create_dir(dir.path().join("run")).unwrap();
    std::fs::write(dir.path().join("run/lock"), "").unwrap();
    std::fs::create_dir(dir.path().join("run/rank-1")).unwrap();
    std::fs::write(dir.path().join("run/rank-1/notes.txt"), "mine").unwrap();
    let (code, said) = finished(&mut mpirun(dir.path(), &["--config", "tiny.toml", "--out", "run"]));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("not empty"), "{said}");
    assert_eq!(std::fs::read(dir.path().join("run/rank-1/notes.txt")).unwrap(), b"mine");
}

/// Waits until rank 0 has saved step `past`.
fn wait_for(child: &mut Child, run: &Path, past: u64) {
    let newest = || {
        let newest = RunDir::open(run).checkpoints().pop()?;
        newest.file_stem()?.to_str()?.strip_prefix("step-")?.parse::<u64>().ok()
    };
    while newest().is_none_or(|step| step < past) {
        assert_eq!(child.try_wait().unwrap(), None, "the run ended by itself");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A run of two ranks without an end, which saves all the time.
fn endless(folder: &Path) -> Child {
    // Of few words: mpirun reads nothing while it waits for ranks that it has told to stop, and what they say
    // must fit the pipe between them.
    let train = words(
        "--config tiny.toml --out run --set train.steps=0 --set train.checkpoint_minutes=1e-3 \
         --set train.log_steps=100000 --set train.eval_steps=100000",
    );
    mpirun(folder, &train).spawn().unwrap()
}

#[test]
fn a_rank_that_dies_ends_all_and_nothing_saved_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let mut child = endless(dir.path());
    wait_for(&mut child, &run, 3);
    // Rank 1 is the process that holds the lock of its folder.
    let lock = std::fs::canonicalize(run.join("rank-1/lock")).unwrap();
    let holder = std::fs::read_dir("/proc").unwrap().flatten().find_map(|process| {
        let pid: i32 = process.file_name().to_str()?.parse().ok()?;
        let holds = std::fs::read_dir(process.path().join("fd")).ok()?.flatten();
        holds.into_iter().any(|fd| std::fs::read_link(fd.path()).is_ok_and(|to| to == lock)).then_some(pid)
    });
    let killed = Command::new("kill").args(["-KILL", &holder.unwrap().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("rank 0 was asked to stop while it waited"), "{said}");
    let saved = state(&run, 0);
    assert!(saved.step >= 3);
    // What the survivor has saved goes on.
    let (code, said) = finished(&mut mpirun(dir.path(), &["--resume", "--finish-in", "2", "--out", "run"]));
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(state(&run, 1).step, saved.step + 2);
}

#[test]
fn all_ranks_stop_and_save_after_the_same_step() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let mut child = endless(dir.path());
    wait_for(&mut child, &run, 3);
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("interrupted after"), "{said}");
    let (first, second) = (state(&run, 0), state(&run, 1));
    assert!(first.step == second.step && first.params == second.params);
}

#[test]
fn ranks_that_mpi_does_not_see_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("tiny.toml"), CONFIG).unwrap();
    let train = ["train", "--threads", "1", "--config", "tiny.toml", "--out", "run"];
    let mut command = crate::common::command(dir.path(), &train);
    let output = command.env("RANK", "0").env("WORLD_SIZE", "2").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("torchrun has started 2 ranks") && said.contains("rank 0 of 1"), "{said}");
    assert!(!dir.path().join("run").exists());
}
