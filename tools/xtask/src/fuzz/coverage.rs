//! `cargo xtask fuzz --coverage`: which share of the lines that a target is about its inputs reach.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::run::{command, output, root, run, target};

/// What each target is about: files and folders of the workspace.
const ABOUT: [(&str, &[&str]); 10] = [
    ("app", &["hrm-firmware/src/app.rs", "hrm-firmware/src/job.rs"]),
    ("checkpoint", &["hrm-host/src/train/archive.rs", "hrm-host/src/train/checkpoint.rs"]),
    ("config", &["hrm-host/src/config.rs", "hrm-host/src/config"]),
    ("frames", &["hrm-core/src/wire.rs"]),
    ("kernels", &["hrm-core/src/kernels"]),
    ("messages", &["hrm-core/src/wire.rs"]),
    ("original", &["hrm-host/src/original"]),
    ("pack", &["hrm-core/src/pack"]),
    ("puzzles", &["hrm-host/src/data/read", "hrm-host/src/task/sudoku/read"]),
    ("solver", &["hrm-core/src/solve"]),
];

/// What `llvm-cov export` says, as far as it is asked.
#[derive(Deserialize)]
struct Exported {
    data: Vec<Program>,
}

#[derive(Deserialize)]
struct Program {
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    filename: PathBuf,
    summary: Summary,
}

#[derive(Deserialize)]
struct Summary {
    lines: Lines,
}

#[derive(Clone, Copy, Deserialize)]
struct Lines {
    count: u64,
    covered: u64,
}

/// Gives every input in the folder `work` to the target `name` of `program`, which was built with counters,
/// and tells what they reach. The lines themselves go to a file.
pub(super) fn tell(program: &Path, name: &str, work: &Path) -> Result<()> {
    let about = ABOUT.iter().find(|(of, _)| *of == name).map(|(_, about)| *about);
    let about = about.with_context(|| format!("coverage.rs does not say what target {name} is about"))?;
    let folder = target().join("fuzz-coverage");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let (raw, merged) =
        (folder.join(name).with_extension("profraw"), folder.join(name).with_extension("profdata"));
    let mut replay = super::fuzzer(program, name);
    run(replay.arg("-runs=0").arg(work).env("LLVM_PROFILE_FILE", &raw))?;
    run(tool("llvm-profdata")?.args(["merge", "-sparse", "-o"]).arg(&merged).arg(&raw))?;
    let cov = |verb: &str| -> Result<Command> {
        let mut cov = tool("llvm-cov")?;
        cov.arg(verb).arg(program).arg("-instr-profile").arg(&merged);
        Ok(cov)
    };
    let told = output(cov("export")?.arg("-summary-only")).context("llvm-cov cannot read the counters")?;
    let exported: Exported = serde_json::from_str(&told).context("llvm-cov says something new")?;
    let files: Vec<File> = exported.data.into_iter().flat_map(|program| program.files).collect();
    let wanted = |file: &&File| about.iter().any(|about| file.filename.starts_with(root().join(about)));
    let lines: Vec<(PathBuf, Lines)> =
        files.iter().filter(wanted).map(|file| (file.filename.clone(), file.summary.lines)).collect();
    ensure!(!lines.is_empty(), "nothing of {} is in the program of target {name}", about.join(", "));
    let (count, covered) = lines.iter().fold((0, 0), |sum, (_, of)| (sum.0 + of.count, sum.1 + of.covered));
    let shown = output(cov("show")?.args(lines.iter().map(|(file, _)| file)));
    let shown = shown.context("llvm-cov cannot show the lines")?;
    let place = folder.join(name).with_extension("txt");
    fs::write(&place, shown).with_context(|| format!("cannot write {}", place.display()))?;
    println!(
        "{name}: {covered} of {count} lines ({:.0} %) of {}; a 0 beside a line in {} says that no input reaches it",
        100.0 * covered as f64 / count as f64,
        about.join(", "),
        place.display()
    );
    Ok(())
}

/// A program of the compiler's component `llvm-tools`.
fn tool(name: &str) -> Result<Command> {
    let sysroot = output(&mut command("rustc", ["--print", "sysroot"])).context("rustc does not run")?;
    let path = Path::new(sysroot.trim()).join("lib/rustlib").join(super::TRIPLE).join("bin").join(name);
    ensure!(path.is_file(), "there is no {name}: `rustup component add llvm-tools` brings it");
    Ok(Command::new(path))
}
