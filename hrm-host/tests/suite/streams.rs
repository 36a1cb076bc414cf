//! Standard output and standard error whose other end has gone, or is full; signals;
//! terminals that can do little.
#![cfg(target_os = "linux")]

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use hrm_host::train::checkpoint::RunDir;

use crate::common::{CONFIG, PACK, command, said, send, words};

const PUZZLES: &str = "1.....2..3.....4\n1234341221434321\n";
const ROWS: &str = "source,question,answer,rating\na,1.....2..3.....4,1243342143122134,0\n";

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("tiny.toml"), CONFIG).unwrap();
    fs::write(dir.path().join("rows.csv"), ROWS).unwrap();
    fs::write(dir.path().join("puzzles.txt"), PUZZLES).unwrap();
    dir
}

/// Every command that prints what it was asked for, but those that need a board.
const ASKED: [&[&str]; 16] = [
    &["inspect", PACK],
    &["inspect", PACK, "--json"],
    &["solve", PACK, "1.....2..3.....4"],
    &["solve", PACK, "--file", "puzzles.txt"],
    &["solve", PACK, "--file", "puzzles.txt", "--json"],
    &["eval", PACK, "--data", "rows.csv", "--rows", "1", "--hints", "0"],
    &["eval", PACK, "--data", "rows.csv", "--rows", "1", "--hints", "0", "--vote", "--json"],
    &["analyze", PACK, "--data", "rows.csv", "--rows", "1", "--segments", "2"],
    &["data", "stats", "rows.csv"],
    &["data", "stats", "rows.csv", "--json"],
    &["data", "import", "rows.csv", "--out", "-"],
    &["device", "list"],
    &["demo", "--out", "demo"],
    &["--help"],
    &["train", "--help"],
    &["--version"],
];

fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

/// The end of a pipe that nobody reads.
fn unread() -> std::io::PipeWriter {
    std::io::pipe().unwrap().1
}

#[test]
fn a_standard_output_that_is_closed_ends_every_command_as_a_reader_that_leaves() {
    let dir = folder();
    for args in ASKED {
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec \"$0\" \"$@\" >&-", env!("CARGO_BIN_EXE_hrm-host")]).args(args);
        let (code, _, err) = said(shell.current_dir(dir.path()).output().unwrap());
        assert!(code == 141 && !err.contains("panicked"), "{args:?}: {code} {err}");
    }
    // Who prints no result goes on.
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$0\" data import rows.csv --out o.csv >&-", env!("CARGO_BIN_EXE_hrm-host")]);
    assert_eq!(said(shell.current_dir(dir.path()).output().unwrap()).0, 0);
}

#[test]
fn a_reader_that_leaves_ends_every_command_quietly() {
    let dir = folder();
    for args in ASKED {
        let (code, _, err) = said(command(dir.path(), args).stdout(unread()).output().unwrap());
        assert_eq!((code, err.as_str()), (141, ""), "{args:?}");
    }
    let both = command(dir.path(), &["solve", PACK, "1.....2..3.....4", "--watch"])
        .stdout(unread())
        .stderr(unread())
        .status();
    assert_eq!(both.unwrap().code(), Some(141));
}

#[test]
fn a_full_standard_output_is_an_error_with_a_message() {
    let dir = folder();
    for args in ASKED {
        let (code, _, err) = said(command(dir.path(), args).stdout(full()).output().unwrap());
        assert!(
            code == 1 && err.contains("No space left") && err.contains("standard output"),
            "{args:?}: {err}"
        );
        assert!(err.starts_with("error: ") && !err.contains("panicked"), "{args:?}: {err}");
    }
}

#[test]
fn a_log_that_cannot_be_written_changes_nothing() {
    let dir = folder();
    let at = dir.path();
    let logs: [fn() -> Stdio; 2] = [|| full().into(), || unread().into()];
    for (index, log) in logs.into_iter().enumerate() {
        let run = format!("run-{index}");
        for (args, code) in [
            (&["train", "--config", "tiny.toml", "--out", &run][..], 0),
            (&["train", "--resume", "--out", &run, "--finish-in", "3"], 0),
            (&["data", "import", "rows.csv", "--out", "copy.csv", "--force"], 0),
            (&["data", "generate", "--task", "sudoku4", "--count", "3", "--out", "made.csv"], 0),
            (&["solve", PACK, "--file", "puzzles.txt"], 0),
            (&["solve", PACK, "1.....2..3.....4", "--watch"], 0),
            (&["solve", PACK, "11.............."], 3),
            (&["inspect", "missing.hrm"], 1),
            (&["no-such-command"], 2),
        ] {
            let output = command(at, args).stderr(log()).output().unwrap();
            assert_eq!(output.status.code(), Some(code), "{args:?}");
        }
        assert!(at.join(run).join("step-00000015.safetensors").exists());
        // Nobody listens on either side.
        let other = format!("other-{index}");
        let train = ["train", "--config", "tiny.toml", "--out", &other];
        assert!(command(at, &train).stdout(log()).stderr(log()).status().unwrap().success());
    }
}

#[test]
fn files_are_written_before_anything_is_said_of_them() {
    let dir = folder();
    let at = dir.path();
    let train = ["train", "--config", "tiny.toml", "--out", "run"];
    assert!(command(at, &train).stderr(Stdio::null()).status().unwrap().success());
    let analyze =
        ["analyze", PACK, "--data", "rows.csv", "--rows", "1", "--segments", "2", "--out", "pictures"];
    for (args, files) in [
        (&analyze[..], &["pictures/paths.svg", "pictures/landscapes.csv"][..]),
        (&[&analyze[..], &["--json"]].concat(), &["pictures/paths.csv", "pictures/landscapes.svg"]),
        (&["curves", "run", "--out", "curves.svg"], &["curves.svg", "curves.csv"]),
        (&["export", "run", "--out", "run.hrm"], &["run.hrm", "run.md"]),
    ] {
        for (out, ends) in [(Stdio::from(unread()), 141), (full().into(), 1)] {
            files.iter().for_each(|name| drop(fs::remove_file(at.join(name))));
            let (code, _, err) = said(command(at, args).stdout(out).output().unwrap());
            assert!(files.iter().all(|name| at.join(name).exists()), "{args:?}: {err}");
            assert!(code == ends && err.contains("wrote "), "{args:?}: {err}");
            assert!(!err.contains("start again"), "{args:?}: {err}");
            assert_eq!(err.contains("the files are written"), ends == 1, "{args:?}: {err}");
        }
    }
}

/// A run without end that saves after every step.
fn endless(folder: &Path) -> Command {
    let more = ["--set", "train.steps=1000000", "--set", "train.checkpoint_minutes=1e-9"];
    command(
        folder,
        &[&["train", "--config", "tiny.toml", "--out", "run", "--threads", "1"], &more[..]].concat(),
    )
}

/// Waits until the run has a checkpoint of a step after `step`, and gives its step.
fn wait_for(child: &mut Child, folder: &Path, step: u64) -> u64 {
    loop {
        assert!(child.try_wait().unwrap().is_none(), "the run has ended after step {step}");
        let newest = RunDir::open(&folder.join("run")).newest().map_or(0, |(_, state, _)| state.step);
        if newest > step {
            return newest;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_hangup_that_is_ignored_from_the_start_stays_ignored() {
    let dir = folder();
    let program = endless(dir.path());
    // As nohup does.
    let mut nohup = Command::new("sh");
    nohup.args(["-c", "trap '' HUP; exec \"$0\" \"$@\""]).arg(program.get_program()).args(program.get_args());
    let mut child = nohup.current_dir(dir.path()).stderr(Stdio::piped()).spawn().unwrap();
    let step = wait_for(&mut child, dir.path(), 3);
    send("-HUP", &child);
    wait_for(&mut child, dir.path(), step + 20);
    send("-TERM", &child);
    let (code, _, err) = said(child.wait_with_output().unwrap());
    assert!(code == 130 && err.contains("interrupted after"), "{err}");
}

#[test]
fn a_request_to_stop_that_comes_as_two_signals_saves_like_one() {
    let dir = folder();
    let mut child = endless(dir.path()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for(&mut child, dir.path(), 3);
    let both = format!("kill -HUP {0}; kill -CONT {0}; kill -TERM {0}", child.id());
    assert!(Command::new("sh").args(["-c", &both]).status().unwrap().success());
    let (code, _, err) = said(child.wait_with_output().unwrap());
    assert!(code == 130 && err.contains("interrupted after"), "{err}");
}

/// A terminal: the side that a person sits at, and the program's.
fn terminal() -> (File, OwnedFd) {
    let mut name = [0; 64];
    // SAFETY: the descriptor is new and owned by nobody else, and `name` is as long as is said.
    let (ours, name) = unsafe {
        let ours = libc::posix_openpt(libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC);
        assert!(ours >= 0 && libc::grantpt(ours) == 0 && libc::unlockpt(ours) == 0);
        assert_eq!(libc::ptsname_r(ours, name.as_mut_ptr(), name.len()), 0);
        (File::from_raw_fd(ours), std::ffi::CStr::from_ptr(name.as_ptr()).to_str().unwrap().to_owned())
    };
    use std::os::unix::fs::OpenOptionsExt;
    let mut open = OpenOptions::new();
    let theirs = open.read(true).write(true).custom_flags(libc::O_NOCTTY).open(name).unwrap();
    (ours, theirs.into())
}

/// What a person sees of `args` where the environment has `variables`.
fn seen(folder: &Path, args: &[&str], variables: &[(&str, &str)]) -> String {
    let (mut ours, theirs) = terminal();
    let mut program = command(folder, args);
    program.env_remove("NO_COLOR").envs(variables.iter().copied());
    program.stdin(Stdio::null()).stdout(theirs.try_clone().unwrap()).stderr(theirs);
    let mut child = program.spawn().unwrap();
    drop(program);
    let mut text = Vec::new();
    // Linux reports the end of a terminal as an error.
    let _ = ours.read_to_end(&mut text);
    assert_ne!(child.wait().unwrap().code(), Some(101));
    String::from_utf8(text).unwrap()
}

#[test]
fn dumb_terminals_and_no_color_are_honoured() {
    let dir = folder();
    // No answer exists, so that there is more than one segment to see.
    let watch = ["solve", PACK, "123....4........", "--guesses", "2", "--watch"];
    let generate = ["data", "generate", "--task", "sudoku9", "--count", "300", "--out", "made.csv"];
    let colours = |text: &str| {
        text.split("\x1b[")
            .skip(1)
            .any(|after| after.trim_start_matches(|c: char| "0123456789;".contains(c)).starts_with('m'))
    };
    let shown = seen(dir.path(), &watch, &[("TERM", "xterm")]);
    assert!(colours(&shown) && shown.contains("\x1b[J"), "{shown}");
    let shown = seen(dir.path(), &watch, &[("TERM", "xterm"), ("NO_COLOR", "1")]);
    assert!(!colours(&shown) && shown.contains("\x1b[J"), "{shown}");
    for term in ["dumb", ""] {
        let run = format!("run-on-{term}");
        let train = ["train", "--config", "tiny.toml", "--out", &run];
        for args in [&watch[..], &generate, &train, &["--help"], &["train", "--no-such-option"]] {
            let shown = seen(dir.path(), args, &[("TERM", term)]);
            assert!(!shown.is_empty() && !shown.contains('\x1b'), "{args:?}: {shown:?}");
            assert!(!shown.replace("\r\n", "").contains('\r'), "{args:?}: {shown:?}");
        }
    }
    for args in [&["--help"][..], &["train", "--no-such-option"]] {
        assert!(colours(&seen(dir.path(), args, &[("TERM", "xterm")])), "{args:?}");
        assert!(!colours(&seen(dir.path(), args, &[("TERM", "xterm"), ("NO_COLOR", "1")])), "{args:?}");
    }
    let train = ["train", "--config", "tiny.toml", "--out", "able"];
    let shown = seen(dir.path(), &train, &[("TERM", "xterm")]);
    assert!(shown.contains('\x1b'), "{shown:?}");
}

#[test]
fn a_terminal_that_is_closed_is_no_end() {
    let dir = folder();
    let (ours, theirs) = terminal();
    let mut command = endless(dir.path());
    command.env("TERM", "xterm").stderr(theirs);
    let mut child = command.spawn().unwrap();
    let step = wait_for(&mut child, dir.path(), 3);
    drop(ours);
    wait_for(&mut child, dir.path(), step + 20);
    send("-HUP", &child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn measuring_on_a_terminal_that_is_closed_ends_with_a_code_and_without_a_panic() {
    let dir = folder();
    let generate = ["data", "generate", "--task", "sudoku4", "--count", "400", "--out", "many.csv"];
    assert!(command(dir.path(), &generate).stderr(Stdio::null()).status().unwrap().success());
    let eval = ["eval", PACK, "--data", "many.csv", "--rows", "400", "--hints", "0"];
    let vote = [&eval[..], &["--vote"]].concat();
    let solve = ["solve", PACK, "--file", "many.csv"];
    for args in [&eval[..], &vote, &solve] {
        for hangs_up in [false, true] {
            let (mut ours, theirs) = terminal();
            let mut command = command(dir.path(), args);
            command.env("TERM", "xterm").stdout(theirs.try_clone().unwrap()).stderr(theirs);
            let mut child = command.spawn().unwrap();
            drop(command);
            // Until something is seen.
            assert!(ours.read(&mut [0; 16]).unwrap() > 0);
            if hangs_up {
                send("-HUP", &child);
            }
            drop(ours);
            let code = child.wait().unwrap().code();
            assert_eq!(code, Some(if hangs_up { 130 } else { 1 }), "{args:?}");
        }
    }
}

#[test]
fn a_hyphen_is_standard_input_wherever_one_file_is_read() {
    let dir = folder();
    let at = dir.path();
    let train = ["train", "--config", "tiny.toml", "--out", "run"];
    assert!(command(at, &train).stderr(Stdio::null()).status().unwrap().success());
    let checkpoint = "run/step-00000012.safetensors";
    for (file, args) in [
        (PACK, &["inspect", "-"][..]),
        (PACK, &["solve", "-", "1.....2..3.....4"]),
        (PACK, &["eval", "-", "--data", "rows.csv", "--rows", "1", "--hints", "0", "--vote"]),
        (
            PACK,
            &["analyze", "-", "--data", "rows.csv", "--rows", "1", "--segments", "2", "--out", "pictures"],
        ),
        (
            PACK,
            &words(
                "train --from - --set data.train=rows.csv --set data.validation=0 --max-steps 1 --out from",
            ),
        ),
        (checkpoint, &["eval", "-", "--data", "rows.csv", "--rows", "1", "--hints", "0"]),
        (checkpoint, &["export", "-", "--out", "from-checkpoint.hrm"]),
        ("tiny.toml", &["train", "--config", "-", "--max-steps", "1", "--out", "other"]),
        ("rows.csv", &["data", "stats", "-"]),
        ("rows.csv", &["eval", PACK, "--data", "-", "--rows", "1", "--hints", "0"]),
        ("puzzles.txt", &["solve", PACK, "--file", "-"]),
    ] {
        let input = File::open(at.join(file)).unwrap();
        let (code, _, err) = said(command(at, args).stdin(input).output().unwrap());
        assert_eq!(code, 0, "{args:?} < {file}: {err}");
    }
}
