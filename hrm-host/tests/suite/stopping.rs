//! Being asked to stop: commands that keep nothing leave nothing, and requests that are ignored stay so.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::common::{CONFIG, PACK, command, generated, hear_requests, refused, said, send, words};

/// Waits until `there` says so, while `child` runs.
fn wait(child: &mut Child, there: impl Fn() -> bool) {
    while !there() {
        assert!(child.try_wait().unwrap().is_none(), "the command has ended");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether `child` has a handler for SIGTERM by now; before, the system ends it.
fn hears(child: &Child) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let caught =
        status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0").trim().to_owned();
    u64::from_str_radix(&caught, 16).unwrap_or(0) >> (libc::SIGTERM - 1) & 1 == 1
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[cfg(target_os = "linux")]
#[test]
fn commands_that_keep_nothing_end_with_a_word_and_the_code_of_an_interruption() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    generated(at, "rows.csv", "60", "1");
    let before = names(at);
    let generate = ["data", "generate", "--task", "sudoku9", "--count", "1000000000", "--out", "made.csv"];
    let analyze = ["analyze", PACK, "--data", "rows.csv", "--segments", "60000", "--out", "."];
    for args in
        [&generate[..], &analyze, &["data", "stats", "-"], &["data", "import", "-", "--out", "new.csv"]]
    {
        for signal in ["-INT", "-TERM", "-HUP"] {
            let mut program = command(at, args);
            program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = program.spawn().unwrap();
            wait(&mut child, || true);
            while !hears(&child) {
                std::thread::sleep(Duration::from_millis(5));
            }
            send(signal, &child);
            // Standard input stays open meanwhile.
            let input = child.stdin.take();
            let (code, out, err) = said(child.wait_with_output().unwrap());
            drop(input);
            assert_eq!((code, out.as_str()), (130, ""), "{args:?} {signal}: {err}");
            assert!(err.contains("interrupted; no file was changed"), "{args:?} {signal}: {err}");
            assert_eq!(names(at), before, "{args:?} {signal}");
        }
    }
}

#[test]
fn a_half_written_file_is_not_left_behind() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    generated(at, "rows.csv", "60", "1");
    assert!(Command::new("mkfifo").arg(at.join("fifo")).status().unwrap().success());
    let before = names(at);
    // Nobody reads the FIFO, so the other half waits beside its place.
    let split = words("data split rows.csv --validation 5 --out-train fifo --out-validation v.csv");
    let mut child = command(at, &split).stderr(Stdio::piped()).spawn().unwrap();
    let half = || {
        let half = |name: &String| name.starts_with("v.csv.") && name.ends_with(".partial");
        names(at)
            .into_iter()
            .any(|name| half(&name) && fs::metadata(at.join(name)).is_ok_and(|about| about.len() > 0))
    };
    wait(&mut child, half);
    send("-TERM", &child);
    let (code, _, err) = said(child.wait_with_output().unwrap());
    assert!(code == 130 && err.contains("no file was changed"), "{err}");
    assert_eq!(names(at), before);
}

#[test]
fn a_request_that_was_ignored_from_the_start_stays_ignored() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("tiny.toml"), CONFIG).unwrap();
    for (ignored, heard) in [("INT", "-TERM"), ("HUP", "-INT"), ("TERM", "-HUP")] {
        let train = ["train", "--config", "tiny.toml", "--threads", "1", "--out", ignored];
        let train = [&train[..], &["--set", "train.steps=1000000", "--set", "train.checkpoint_minutes=1e-9"]]
            .concat();
        let program = command(dir.path(), &train);
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("trap '' {ignored}; exec \"$0\" \"$@\"")]);
        hear_requests(&mut shell);
        shell.arg(program.get_program()).args(program.get_args()).current_dir(dir.path());
        let mut child = shell.stderr(Stdio::piped()).spawn().unwrap();
        let latest = || fs::read_to_string(dir.path().join(ignored).join("latest")).unwrap_or_default();
        wait(&mut child, || !latest().is_empty());
        send(&format!("-{ignored}"), &child);
        let then = latest();
        wait(&mut child, || latest() > then);
        send(heard, &child);
        let (code, _, err) = said(child.wait_with_output().unwrap());
        assert!(code == 130 && err.contains("interrupted after"), "{ignored}: {err}");
    }
}

#[test]
fn a_demo_that_was_interrupted_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let written = || fs::metadata(at.join("d/run/metrics.jsonl")).map_or(0, |file| file.len());
    for told in ["train --config", "train --resume"] {
        let before = written();
        let mut demo = command(at, &["demo", "--out", "d"]);
        let mut child = demo.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A run that begins, or goes on, writes a line there.
        wait(&mut child, || written() > before);
        send("-INT", &child);
        let (code, out, err) = said(child.wait_with_output().unwrap());
        assert!(code == 130 && out.contains(told), "{out}{err}");
    }
    for other in [["--seed", "7"], ["--steps", "30"]] {
        let demo = [&["demo", "--out", "d"][..], &other].concat();
        refused(at, &demo, "is of a demo with another train.");
    }
    fs::write(at.join("d/config.toml"), "mine").unwrap();
    let (code, _, err) = said(command(at, &["demo", "--out", "d"]).output().unwrap());
    assert!(code == 1 && err.contains("--force"), "{err}");
    // What it was to replace, it replaces.
    fs::remove_dir_all(at.join("d/run")).unwrap();
    fs::write(at.join("d/sudoku4.hrm"), "mine").unwrap();
    let mut demo = command(at, &["demo", "--out", "d", "--force", "--steps", "2"]);
    let mut child = demo.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let is_replaced = |name: &str| fs::read(at.join(name)).is_ok_and(|bytes| bytes != b"mine");
    wait(&mut child, || is_replaced("d/config.toml") && is_replaced("d/sudoku4.hrm"));
    child.kill().unwrap();
    child.wait().unwrap();
}
