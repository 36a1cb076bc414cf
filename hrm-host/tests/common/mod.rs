//! Running the program as a user does.
#![allow(dead_code, reason = "every test file uses some of it")]

use std::path::Path;
use std::process::{Command, Output};

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
    command
}

/// Runs the program in `folder`; exit code, standard output, standard error.
pub(crate) fn hrm(folder: &Path, args: &[&str]) -> (i32, String, String) {
    said(command(folder, args).output().unwrap())
}

/// Exit code, standard output, standard error.
pub(crate) fn said(output: Output) -> (i32, String, String) {
    let Output { status, stdout, stderr } = output;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}
