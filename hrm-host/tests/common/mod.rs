//! Running the program as a user does.

use std::path::Path;
use std::process::{Command, Output};

/// Runs the program in `folder`; exit code, standard output, standard error.
pub(crate) fn hrm(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_hrm-host")).args(args).current_dir(folder).output().unwrap();
    let Output { status, stdout, stderr } = output;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}
