//! `cargo xtask fuzz`: libFuzzer looks for bytes that break what `fuzz/` promises.

mod coverage;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use base64::{Engine, prelude::BASE64_STANDARD as STANDARD};

use crate::run::{cargo, root, run, shown, target};

/// Let libFuzzer look for inputs that break a promise of `fuzz/`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which targets, by the names of the files in fuzz/corpus; all by default
    targets: Vec<String>,
    /// Minutes for each target
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// Put a small selection of all inputs found so far, with the same coverage, in the place of fuzz/corpus
    #[arg(long)]
    keep: bool,
    /// Look for nothing: tell which share of the lines that a target is about all inputs so far reach
    #[arg(long, conflicts_with_all = ["keep", "minutes"])]
    coverage: bool,
}

/// Targets that read what hrm-host reads, which brings candle into the build.
const OF_HOST: [&str; 4] = ["puzzles", "config", "checkpoint", "original"];
/// The processor's triple: with it the flags below are not those of build scripts.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";
/// Coverage for libFuzzer on any toolchain, and the checks of a debug build.
const FLAGS: [&str; 8] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cdebug-assertions",
    "-Coverflow-checks",
    "-Ccodegen-units=1",
];
/// The same program with counters that LLVM's tools read.
const COUNTED: [&str; 1] = ["-Cinstrument-coverage"];
/// How libFuzzer ends where somebody stops it.
const STOPPED: i32 = 72;
/// Bytes of an input, at most.
const LONGEST: u32 = 2048;
/// The same of one that is kept.
const LONGEST_KEPT: u32 = 512;

/// Runs the task.
pub(crate) fn task(args: &Args) -> Result<()> {
    let corpus = root().join("fuzz/corpus");
    let names = names(&corpus)?;
    let chosen = if args.targets.is_empty() { &names } else { &args.targets };
    for name in chosen {
        ensure!(names.contains(name), "there is no target {name}; there are {}", names.join(", "));
    }
    for name in chosen {
        let of_host = OF_HOST.contains(&name.as_str());
        let (kept, work) = (corpus.join(name).with_extension("txt"), target().join("fuzz").join(name));
        unpack(&kept, &work)?;
        if args.coverage {
            coverage::tell(&build(of_host, &COUNTED)?, name, &work)?;
            continue;
        }
        let program = build(of_host, &[])?;
        look(&program, name, &work, args.minutes)?;
        if args.keep {
            keep(&program, name, &work, &kept)?;
        }
    }
    Ok(())
}

fn names(corpus: &Path) -> Result<Vec<String>> {
    let files = fs::read_dir(corpus).with_context(|| format!("cannot list {}", corpus.display()))?;
    let names =
        files.flatten().filter_map(|file| Some(file.path().file_stem()?.to_string_lossy().into_owned()));
    let mut names: Vec<String> = names.collect();
    names.sort();
    Ok(names)
}

/// Writes the inputs in `kept`, one a line in base64, to the folder `work`, beside those that
/// earlier runs have found.
fn unpack(kept: &Path, work: &Path) -> Result<()> {
    let written = || format!("cannot write into {}", work.display());
    fs::create_dir_all(work).with_context(written)?;
    let text = fs::read_to_string(kept).with_context(|| format!("cannot read {}", kept.display()))?;
    for (number, line) in (1..).zip(text.lines()) {
        let input = STANDARD.decode(line).with_context(|| format!("{}, line {number}", kept.display()))?;
        fs::write(work.join(format!("kept-{number}")), input).with_context(written)?;
    }
    Ok(())
}

/// Builds the program that has the targets, with these flags beside its own.
fn build(of_host: bool, more: &[&str]) -> Result<PathBuf> {
    let folder = target().join(if more.is_empty() { "fuzz-build" } else { "fuzz-build-counted" });
    let mut build =
        cargo(["build", "--release", "--package", "hrm-fuzz", "--bin", "hrm-fuzz", "--target", TRIPLE]);
    build.args(["--no-default-features", "--features", if of_host { "libfuzzer,host" } else { "libfuzzer" }]);
    build.arg("--target-dir").arg(&folder);
    let flags = [&FLAGS[..], more].concat().join("\u{1f}");
    run(build.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", flags))?;
    Ok(folder.join(TRIPLE).join("release/hrm-fuzz"))
}

fn fuzzer(program: &Path, name: &str) -> Command {
    let mut fuzzer = Command::new(program);
    fuzzer.env("HRM_FUZZ", name);
    fuzzer
}

/// Looks for inputs, from those in `work`, to which new ones go. One that breaks a promise is told, and
/// kept beside that folder.
fn look(program: &Path, name: &str, work: &Path, minutes: f64) -> Result<()> {
    let broken = work.with_extension("broken");
    let mut fuzzer = fuzzer(program, name);
    fuzzer.arg(work);
    fuzzer.arg(format!("-max_total_time={}", (minutes * 60.0).ceil()));
    fuzzer.arg(format!("-max_len={LONGEST}")).arg(format!("-artifact_prefix={}-", broken.display()));
    fuzzer.args(["-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1"]);
    eprintln!("$ {}", shown(&fuzzer));
    let status = fuzzer.status().with_context(|| format!("cannot run {}", program.display()))?;
    ensure!(
        status.code() != Some(STOPPED),
        "target {name}: stopped; nothing was broken until then, and {} has what it found",
        work.display()
    );
    ensure!(
        status.success(),
        "target {name}: {status}; what broke it is {}-*; with its mending goes the line `base64 -w 0 FILE` into fuzz/corpus/{name}.txt",
        broken.display()
    );
    Ok(())
}

/// Replaces the corpus of a target by as few inputs as cover what all of them do.
fn keep(program: &Path, name: &str, work: &Path, kept: &Path) -> Result<()> {
    let fewer = work.with_extension("fewer");
    let _ = fs::remove_dir_all(&fewer);
    fs::create_dir_all(&fewer).with_context(|| format!("cannot create {}", fewer.display()))?;
    let mut merge = fuzzer(program, name);
    merge.arg("-set_cover_merge=1").arg(format!("-max_len={LONGEST_KEPT}")).arg(&fewer).arg(work);
    run(&mut merge)?;
    let files = fs::read_dir(&fewer)?.map(|file| fs::read(file?.path()));
    let mut inputs = files.collect::<std::io::Result<Vec<_>>>()?;
    inputs.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    let lines = inputs.iter().filter(|input| !input.is_empty()).map(|input| STANDARD.encode(input) + "\n");
    fs::write(kept, lines.collect::<String>()).with_context(|| format!("cannot write {}", kept.display()))
}
