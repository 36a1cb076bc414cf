//! The system calls of a command, as strace tells them, and a command of which one fails.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result};

/// By which files are changed.
const CHANGING: [&str; 24] = [
    "write",
    "pwrite64",
    "writev",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "rmdir",
    "mkdir",
    "mkdirat",
    "link",
    "linkat",
    "symlink",
    "ftruncate",
    "chmod",
    "fchmod",
    "fchmodat",
    "fchown",
    "fsetxattr",
    "flock",
    "copy_file_range",
];
/// By which they are read.
const READING: [&str; 8] =
    ["read", "pread64", "getdents64", "statx", "newfstatat", "readlink", "fgetxattr", "lseek"];
/// By which either begins.
const OPENING: &str = "openat";

/// A system call of a command.
#[derive(Clone, Debug)]
pub(super) struct Call {
    name: String,
    /// How many of that name its thread has made, from 1.
    number: usize,
    /// As strace writes it.
    pub(super) shown: String,
    pub(super) changes: bool,
}

/// What happens at a call instead of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Kill,
    Full,
    Failing,
}

impl Fault {
    fn told(self) -> &'static str {
        match self {
            Self::Kill => "signal=KILL",
            Self::Full => "error=ENOSPC",
            Self::Failing => "error=EIO",
        }
    }
}

impl Call {
    /// What can happen at it.
    pub(super) fn faults(&self) -> &'static [Fault] {
        if self.changes { &[Fault::Kill, Fault::Full, Fault::Failing] } else { &[Fault::Failing] }
    }
}

/// Runs `command` in `folder` and tells its calls that concern files there, standard
/// output or standard error.
pub(super) fn calls(command: &Command, folder: &Path, log: &Path) -> Result<Vec<Call>> {
    let set = [&CHANGING[..], &READING[..], &[OPENING]].concat().join(",");
    traced(command, folder, log, &[&format!("--trace={set}")])?;
    let text = String::from_utf8_lossy(&fs::read(log)?).into_owned();
    let mut made: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut found = Vec::new();
    for line in text.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let Some((name, arguments)) = call.trim_start().split_once('(') else { continue };
        if name.starts_with('<') || name.contains(' ') {
            continue;
        }
        let number = made.entry((thread, name)).or_default();
        *number += 1;
        if concerns(arguments, folder) {
            let changes = match name {
                OPENING => ["O_WRONLY", "O_RDWR"].iter().any(|mode| arguments.contains(mode)),
                _ => CHANGING.contains(&name),
            };
            found.push(Call { name: name.into(), number: *number, shown: call.trim_start().into(), changes });
        }
    }
    Ok(found)
}

/// Whether a call with these arguments is about a file in `folder`, or what the program says.
fn concerns(arguments: &str, folder: &Path) -> bool {
    let folder = folder.to_string_lossy();
    let path = arguments.split('"').nth(1);
    match arguments.split_once('<') {
        // A name, seen from a folder, or alone.
        Some((at, _)) if at.is_empty() || at == "AT_FDCWD" || at.starts_with('"') => named(path, &folder),
        Some((descriptor, rest)) => {
            ["1", "2"].contains(&descriptor)
                || rest.starts_with(&*folder) && !rest[folder.len()..].starts_with('-')
        }
        None => named(path, &folder),
    }
}

/// Whether a name leads into `folder`, in which the command runs.
fn named(path: Option<&str>, folder: &str) -> bool {
    path.is_some_and(|path| !path.is_empty() && (path.starts_with(folder) || !path.starts_with('/')))
}

/// Runs `command` in `folder` with `fault` at `call`. Nothing where the call did not come.
pub(super) fn with_fault(
    command: &Command,
    folder: &Path,
    log: &Path,
    (call, fault): (&Call, Fault),
) -> Result<Option<Output>> {
    let Call { name, number, .. } = call;
    let inject = format!("--inject={name}:{}:when={number}", fault.told());
    let output = traced(command, folder, log, &[&format!("--trace={name}"), &inject])?;
    let came = match fault {
        // strace ends as the command did.
        Fault::Kill => output.status.signal().is_some(),
        _ => String::from_utf8_lossy(&fs::read(log)?).contains("(INJECTED)"),
    };
    Ok(came.then_some(output))
}

fn traced(command: &Command, folder: &Path, log: &Path, how: &[&str]) -> Result<Output> {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-o"]).arg(log).args(how);
    strace.arg(command.get_program()).args(command.get_args()).current_dir(folder).stdin(Stdio::null());
    strace.output().context("cannot run strace")
}
