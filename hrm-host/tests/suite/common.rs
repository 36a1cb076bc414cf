//! Running the program as a user does.

use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::process::Child;
use std::process::{Command, Output};

/// The smallest released pack.
pub(crate) const PACK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/sudoku4-demo.hrm");

/// The project's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A model so small that it trains in a moment.
pub(crate) const CONFIG: &str = r#"
    [model]
    task = "sudoku4"
    width = 16
    heads = 2
    inner = 16
    h_layers = 1
    l_layers = 1
    h_cycles = 1
    l_cycles = 1
    shared_levels = true
    positions = "relation"
    continue_head = false
    segments = 4

    [data]
    generate = 20
    validation = 8

    [train]
    batch = 4
    steps = 12
    log_steps = 4
    eval_steps = 6
    eval_rows = 8
"#;

/// The program in `folder`.
pub(crate) fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hrm-host"));
    command.args(args).current_dir(folder);
    hear_requests(&mut command);
    command
}

/// Has `command` hear requests to stop, even where these tests run under nohup or in
/// the background of a shell.
#[cfg(unix)]
pub(crate) fn hear_requests(command: &mut Command) {
    // SAFETY: signal() may be called between fork and exec.
    unsafe {
        std::os::unix::process::CommandExt::pre_exec(command, || {
            for request in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
                libc::signal(request, libc::SIG_DFL);
            }
            Ok(())
        });
    }
}

#[cfg(not(unix))]
pub(crate) fn hear_requests(_: &mut Command) {}

/// Puzzles of 4x4, generated as `name` in `folder`.
pub(crate) fn generated(folder: &Path, name: &str, count: &str, seed: &str) {
    let made = ["data", "generate", "--task", "sudoku4", "--count", count, "--seed", seed, "--out", name];
    ok(folder, &made);
}

/// A run called `run` in `folder`, trained as [`CONFIG`] says with `more`.
pub(crate) fn trained(folder: &Path, run: &str, more: &[&str]) {
    std::fs::write(folder.join("tiny.toml"), CONFIG).unwrap();
    let train = ["train", "--config", "tiny.toml", "--threads", "1", "--out", run];
    ok(folder, &[&train[..], more].concat());
}

/// All files in `folder` and in the folders there, with their content.
pub(crate) fn everything(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(everything(&path));
        } else if path.is_file() {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

/// That `args` are refused with `reason`, and that nothing in `folder` has changed.
pub(crate) fn refused(folder: &Path, args: &[&str], reason: &str) {
    ends_with(1, folder, args, reason);
}

/// As [`refused`], for what the command line alone shows to be wrong.
pub(crate) fn misused(folder: &Path, args: &[&str], reason: &str) {
    ends_with(2, folder, args, reason);
}

fn ends_with(expected: i32, folder: &Path, args: &[&str], reason: &str) {
    let before = everything(folder);
    let (code, out, err) = hrm(folder, args);
    assert!(code == expected && err.contains(reason), "{args:?}: {code} {err}");
    assert!(out.is_empty(), "{args:?}: {out}");
    assert!(everything(folder) == before, "{args:?} changed a file: {err}");
}

/// Runs the program in `folder`; exit code, standard output, standard error.
pub(crate) fn hrm(folder: impl AsRef<Path>, args: &[&str]) -> (i32, String, String) {
    said(command(folder.as_ref(), args).output().unwrap())
}

/// The same where it must succeed; standard output, standard error.
pub(crate) fn ok(folder: impl AsRef<Path>, args: &[&str]) -> (String, String) {
    let (code, out, err) = hrm(folder, args);
    assert_eq!(code, 0, "{args:?}: {out}{err}");
    (out, err)
}

/// The words of a command's line.
pub(crate) fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

/// Sends `child` a signal.
#[cfg(unix)]
pub(crate) fn send(signal: &str, child: &Child) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// Exit code, standard output, standard error.
pub(crate) fn said(output: Output) -> (i32, String, String) {
    let Output { status, stdout, stderr } = output;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}
