//! Work that takes long: how far it is, how it is stopped, how it goes on, and how several machines share it.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Stdio};

use crate::common::{CONFIG, PACK, command, hrm, ok, words};
use serde_json::Value;

/// A vote whose puzzles all take some time, since no guess ends it.
const VOTE: [&str; 20] = [
    "eval",
    PACK,
    "--data",
    "rows.csv",
    "--rows",
    "40",
    "--hints",
    "40,0",
    "--vote",
    "--rule",
    "majority",
    "--symmetries",
    "full",
    "--guesses",
    "60",
    "--patience",
    "1",
    "--suppose",
    "3",
    "--json",
];

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let made = ["data", "generate", "--task", "sudoku4", "--count", "60", "--seed", "9", "--out", "rows.csv"];
    ok(dir.path(), &made);
    dir
}

fn vote(folder: &Path, more: &[&str]) -> Value {
    serde_json::from_str(&ok(folder, &[&VOTE[..], more].concat()).0).unwrap()
}

/// Starts a vote that keeps its results in `kept` and waits until three puzzles are done.
fn begun(folder: &Path, more: &[&str]) -> Child {
    let args = [&VOTE[..], &["--resume", "kept", "--progress", "0", "--threads", "1"], more].concat();
    let mut child = command(folder, &args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.as_mut().unwrap()).lines();
    lines.find(|line| line.as_ref().unwrap().contains(": 3 of 40 puzzles")).unwrap().unwrap();
    child
}

fn signal(child: &Child, name: &str) {
    let sent = std::process::Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Results in the file `kept`, its heading aside.
fn kept(folder: &Path) -> usize {
    fs::read_to_string(folder.join("kept")).unwrap().lines().count() - 1
}

#[test]
fn an_interrupted_vote_tells_what_it_knows_and_goes_on_to_the_same_end() {
    let dir = folder();
    let whole = vote(dir.path(), &[]);
    let mut child = begun(dir.path(), &[]);
    signal(&child, "-INT");
    let (mut out, mut said) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{out}{said}");
    assert!(said.contains("interrupted: ") && said.contains("the same command goes on"), "{said}");
    let report: Value = serde_json::from_str(&out).unwrap();
    let known = kept(dir.path());
    assert!((3..80).contains(&known), "{known}");
    assert_eq!(
        (&report["complete"], &report["levels"][0]["verdict"]["rows"]),
        (&false.into(), &known.into())
    );

    // It goes on where it was, at another number of threads.
    let (out, said) = ok(dir.path(), &[&VOTE[..], &["--resume", "kept", "--progress", "0"]].concat());
    assert_eq!(said.lines().count(), 80 - known, "what is known is not done again: {said}");
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap(), whole);
    assert_eq!(kept(dir.path()), 80);
}

#[test]
fn a_killed_vote_loses_only_what_it_was_thinking_about() {
    let dir = folder();
    let mut child = begun(dir.path(), &[]);
    signal(&child, "-KILL");
    child.wait().unwrap();
    let path = dir.path().join("kept");
    let text = fs::read_to_string(&path).unwrap();
    // As if it had been killed within a line.
    fs::write(&path, &text[..text.len() - 9]).unwrap();
    let known = kept(dir.path());
    assert_eq!(vote(dir.path(), &["--resume", "kept"]), vote(dir.path(), &[]));
    let after = fs::read_to_string(&path).unwrap();
    assert_eq!(after.lines().count(), 81);
    let same = after.lines().zip(text.lines()).take_while(|(a, b)| a == b).count();
    assert!(same >= known, "what was whole stays as it was");
}

#[test]
fn parts_of_a_vote_come_together() {
    let dir = folder();
    for (part, file) in [("1/3", "a"), ("2/3", "b"), ("3/3", "c")] {
        let report = vote(dir.path(), &["--shard", part, "--resume", file]);
        assert_eq!(
            (&report["complete"], &report["levels"][1]["verdict"]["rows"]),
            (&false.into(), &if part == "1/3" { 14 } else { 13 }.into())
        );
    }
    let (out, said) = ok(
        dir.path(),
        &[&VOTE[..], &["--resume", "a", "--resume", "b", "--resume", "c", "--progress", "0"]].concat(),
    );
    assert_eq!(said, "", "nothing is left to do");
    let whole = vote(dir.path(), &[]);
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap(), whole);
    // the first, or a new one, is the whole then, and the others are as they were
    vote(dir.path(), &["--resume", "new", "--resume", "b", "--resume", "a"]);
    for file in ["a", "new"] {
        assert_eq!(fs::read_to_string(dir.path().join(file)).unwrap().lines().count(), 81, "{file}");
        let (out, said) = ok(dir.path(), &[&VOTE[..], &["--resume", file, "--progress", "0"]].concat());
        assert_eq!((serde_json::from_str::<Value>(&out).unwrap(), said), (whole.clone(), String::new()));
    }
    assert_eq!(fs::read_to_string(dir.path().join("b")).unwrap().lines().count(), 27);
    let (code, _, said) = hrm(dir.path(), &[&VOTE[..], &["--shard", "4/3", "--resume", "a"]].concat());
    assert!(code == 2 && said.contains("1/N to N/N"), "{said}");
}

#[test]
fn results_of_another_question_are_refused_by_name_before_any_work() {
    let dir = folder();
    let folder = dir.path();
    vote(folder, &["--resume", "kept"]);
    let before = fs::read(folder.join("kept")).unwrap();
    let more = ["--budget", "900", "--seed", "2", "--resume", "kept"];
    let (code, out, said) = hrm(folder, &[&VOTE[..], &more].concat());
    assert!(code == 1 && out.is_empty(), "{out}");
    assert!(
        said.contains("policy.budget is 4294967295, not 900") && said.contains("seed is 1, not 2"),
        "{said}"
    );
    ok(
        folder,
        &["data", "generate", "--task", "sudoku4", "--count", "60", "--seed", "8", "--out", "rows.csv"],
    );
    let (code, _, said) = hrm(folder, &[&VOTE[..], &["--resume", "kept"]].concat());
    assert!(code == 1 && said.contains("data.crc is"), "{said}");
    assert_eq!(fs::read(folder.join("kept")).unwrap(), before);

    for (file, told) in [("rows.csv", "holds no results"), ("nowhere/kept", "cannot write nowhere/kept")] {
        let before = fs::read(folder.join("rows.csv")).unwrap();
        let (code, _, said) = hrm(folder, &[&VOTE[..], &["--resume", file]].concat());
        assert!(code == 1 && said.contains(told), "{said}");
        assert_eq!(fs::read(folder.join("rows.csv")).unwrap(), before);
    }
    let (code, _, said) = hrm(folder, &["eval", PACK, "--data", "rows.csv", "--resume", "kept"]);
    assert!(code == 2 && said.contains("--vote"), "{said}");
}

#[test]
fn long_commands_tell_how_far_they_are_and_are_quiet_where_asked() {
    let dir = folder();
    let folder = dir.path();
    fs::write(folder.join("tiny.toml"), CONFIG).unwrap();
    ok(folder, &["train", "--config", "tiny.toml", "--out", "run"]);
    ok(folder, &["export", "run", "--out", "run.hrm"]);
    let many: String = fs::read_to_string(folder.join("rows.csv"))
        .unwrap()
        .lines()
        .skip(1)
        .map(|row| format!("{}\n", row.split(',').nth(1).unwrap()))
        .collect();
    fs::write(folder.join("many.txt"), many).unwrap();
    let eval = ["eval", PACK, "--data", "rows.csv", "--rows", "20"];
    for args in [
        &eval[..],
        &[&eval[..], &["--vote"]].concat(),
        // More than it asks at once: only then is there a line with puzzles left.
        &["verify", "run.hrm", "--checkpoint", "run", "--data", "rows.csv", "--rows", "60"],
        &["analyze", PACK, "--data", "rows.csv", "--rows", "20"],
        &["solve", PACK, "--file", "many.txt"],
    ] {
        for json in [&[][..], &["--json"]] {
            let told = hrm(folder, &[args, json, &["--progress", "0"]].concat());
            let all = if matches!(args[0], "solve" | "verify") { 60 } else { 20 };
            assert!(
                told.2.contains(&format!("{all} of {all} puzzles, ")) && told.2.contains(" left"),
                "{args:?}: {}",
                told.2
            );
            let quiet = hrm(folder, &[args, json, &["--quiet", "--threads", "1"]].concat());
            assert!(!quiet.2.contains("puzzles, "), "{}", quiet.2);
            assert_eq!((told.0, told.1), (quiet.0, quiet.1), "the same at any number of threads, in order");
        }
    }
}

#[test]
fn an_interrupted_evaluation_of_one_pass_tells_what_it_knows() {
    let dir = folder();
    // So many segments that it takes long.
    let eval = ["eval", PACK, "--data", "rows.csv", "--rows", "60", "--batch", "1", "--hints", "0"];
    let args = [&eval[..], &["--segments", "300", "--progress", "0", "--json"]].concat();
    let mut child = command(dir.path(), &args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.as_mut().unwrap()).lines();
    lines.find(|line| line.as_ref().unwrap().contains(": 2 of 60 puzzles")).unwrap().unwrap();
    signal(&child, "-INT");
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let report: Value = serde_json::from_str(&out).unwrap();
    let rows = report["levels"][0]["rows"].as_u64().unwrap();
    assert!((2..60).contains(&rows) && report["complete"] == false, "{out}");
}

#[test]
fn making_puzzles_and_packs_tells_how_far_it_is() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("tiny.toml"), crate::common::CONFIG).unwrap();
    let made = "data generate --task sudoku4 --count 50 --out x.csv --progress 0";
    for (command, told) in [
        (made, "generate: 50 of 50 puzzles"),
        ("train --config tiny.toml --out run", "finished"),
        ("export run --out x.hrm --progress 0", "measure, 0 % hints: 8 of 8 puzzles"),
    ] {
        let (code, _, said) = hrm(dir.path(), &words(command));
        assert!(code == 0 && said.contains(told), "{command}: {said}");
    }
    let (_, _, said) = hrm(dir.path(), &["export", "run", "--out", "x.hrm", "--quiet"]);
    assert!(!said.contains("calibrating") && !said.contains(" of 8 puzzles"), "{said}");
}
