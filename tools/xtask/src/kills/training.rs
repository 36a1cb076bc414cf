//! Training, killed at random moments again and again until it ends.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::Bench;
use super::cases::{CONFIG, CONFIG_FILE, RESUME, TRAIN, TRAINED, program};
use super::files::{Content, Files, empty, files, step_of};

/// What it is called beside the cases.
pub(super) const NAME: &str = "train-random";
/// Steps of a run. A checkpoint is written after each.
const STEPS: &str = "train.steps=40";

/// Kills runs `times` times in all; how often a promise was broken, which is told.
pub(super) fn killed(bench: &Bench, times: u64, seed: u64) -> Result<usize> {
    let folder = bench.folder.join("random");
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let begun = begin(bench, &folder, &["--set", "train.keep=1000"])?;
    let whole = files(&folder)?;
    let (mut kills, mut ends, mut sittings, mut broken) = (0, 0, 0, 0);
    while kills < times {
        empty(&folder)?;
        std::fs::write(folder.join(CONFIG_FILE), CONFIG)?;
        let mut resumed = false;
        while kills < times {
            let args = if resumed { RESUME.to_vec() } else { [TRAIN, &["--set", STEPS]].concat() };
            let mut command = program(bench, &args);
            // Sometimes before anything is there, sometimes after the end.
            let moment = begun.mul_f64(rng.next_u64() as f64 / u64::MAX as f64);
            sittings += 1;
            let ended = killed_after(command.current_dir(&folder), moment)?;
            kills += u64::from(!ended);
            let left = files(&folder)?;
            resumed = left.keys().any(|name| step_of(name).is_some());
            if let Err(reason) = intact(&folder, &left, &whole, ended) {
                eprintln!("\n{NAME}: kill {kills}, seed {seed}: {reason:#}");
                broken += 1;
                break;
            }
            if ended {
                ends += 1;
                break;
            }
        }
    }
    println!("{NAME:<24} {sittings:>6} {kills:>8} {:>8} {:>8}", 0, broken);
    println!(
        "{kills} kills of training; {ends} of the runs came to their end, each with the bits of one that nothing happened to"
    );
    Ok(broken)
}

/// Trains undisturbed, and tells how long that took.
fn begin(bench: &Bench, folder: &Path, more: &[&str]) -> Result<Duration> {
    empty(folder)?;
    std::fs::write(folder.join(CONFIG_FILE), CONFIG)?;
    let begun = Instant::now();
    let mut command = program(bench, &[TRAIN, &["--set", STEPS], more].concat());
    let output = command.current_dir(folder).output().context("cannot run hrm-host")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(begun.elapsed())
}

/// Runs `command` and kills it after `moment`; whether it had ended well by then.
fn killed_after(command: &mut Command, moment: Duration) -> Result<bool> {
    let mut child =
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().context("cannot run hrm-host")?;
    std::thread::sleep(moment);
    child.kill()?;
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let failed = output.status.code().is_some_and(|code| code != 0)
        || said.contains("panicked")
        || said.contains("warning");
    ensure!(!failed, "{}: {said}", output.status);
    Ok(output.status.success())
}

/// Whether everything that is there is as in the run that nothing happened to, to its
/// end where it has `ended`.
fn intact(folder: &Path, left: &Files, whole: &Files, ended: bool) -> Result<()> {
    for (name, content) in left {
        match content {
            Content::Broken(reason) => anyhow::bail!("{name}: {reason}"),
            Content::Checkpoint(..) => ensure!(whole.get(name) == Some(content), "{name} has other bits"),
            Content::Bytes(bytes) if *name == format!("{TRAINED}/latest") => {
                let named = String::from_utf8_lossy(bytes);
                ensure!(
                    folder.join(TRAINED).join(named.trim_end()).exists(),
                    "latest names {named}, which is not there"
                );
            }
            _ => {}
        }
    }
    let last = whole.keys().rfind(|name| step_of(name).is_some());
    ensure!(
        !ended || last.is_some_and(|last| left.contains_key(last)),
        "it ended without its last checkpoint"
    );
    Ok(())
}
