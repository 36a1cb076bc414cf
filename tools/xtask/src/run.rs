//! Running other programs, and where things are.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    // This file's crate lies two folders below it.
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}

/// Cargo's target folder: `CARGO_TARGET_DIR`, or `target` in the root.
pub(crate) fn target() -> PathBuf {
    let set = std::env::var_os("CARGO_TARGET_DIR").filter(|path| !path.is_empty());
    root().join(set.map_or("target".into(), PathBuf::from))
}

/// `program` with `args`, in the workspace's root.
pub(crate) fn command<S: AsRef<OsStr>>(program: &str, args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(root());
    command
}

/// The cargo that runs this task, with `args`.
pub(crate) fn cargo<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    command(&std::env::var("CARGO").unwrap_or("cargo".into()), args)
}

/// Runs `command` to its end, its output on this terminal.
///
/// # Errors
/// Where it cannot start or does not succeed.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    eprintln!("$ {shown}");
    let status = command.status().with_context(|| format!("cannot run `{shown}`"))?;
    ensure!(status.success(), "`{shown}`: {status}");
    Ok(())
}

/// Commands that run beside others, one after another; what they print is kept for later.
pub(crate) struct Beside(std::thread::JoinHandle<Vec<Done>>);

/// A command that has ended: itself, as it is written in a shell, how, and after how many seconds.
struct Done {
    shown: String,
    output: std::io::Result<Output>,
    seconds: f64,
}

/// Starts the first of `commands` beside what follows. After one that fails comes no other.
pub(crate) fn beside(commands: Vec<Command>) -> Beside {
    for command in &commands {
        eprintln!("$ {} &", shown(command));
    }
    Beside(std::thread::spawn(move || {
        let mut done = Vec::new();
        for mut command in commands {
            let begun = Instant::now();
            let output = command.stdin(Stdio::null()).output();
            let passed = output.as_ref().is_ok_and(|output| output.status.success());
            let seconds = begun.elapsed().as_secs_f64();
            done.push(Done { shown: shown(&command), output, seconds });
            if !passed {
                break;
            }
        }
        done
    }))
}

impl Beside {
    /// Waits for their end, and prints what they have said.
    ///
    /// # Errors
    /// Where one could not start or did not succeed.
    pub(crate) fn ended(self) -> Result<()> {
        for Done { shown, output, seconds } in
            self.0.join().ok().context("a thread of this task has panicked")?
        {
            let output = output.with_context(|| format!("cannot run `{shown}`"))?;
            eprintln!("$ {shown}: {} after {seconds:.0} s", output.status);
            let (out, err) =
                (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            eprint!("{out}{err}");
            ensure!(output.status.success(), "`{shown}`: {}", output.status);
        }
        Ok(())
    }
}

/// Whether `command` starts and succeeds; its output is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .stdin(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

/// What `command` prints, where it succeeds.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

/// `command` as it is written in a shell.
pub(crate) fn shown(command: &Command) -> String {
    let name =
        Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let args = command.get_args().map(|arg| arg.to_string_lossy().into_owned());
    std::iter::once(name).chain(args).collect::<Vec<_>>().join(" ")
}

/// The bytes of a released pack.
///
/// # Errors
/// Where there is none of that name.
pub(crate) fn released(name: &str) -> Result<Vec<u8>> {
    let path = root().join("models").join(name).with_extension("hrm");
    fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
}
