//! Every fault at every call of a command, and whether what it leaves is as promised.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Output;

use anyhow::{Context, Result, ensure};

use super::Bench;
use super::calls::{Call, Fault, calls, with_fault};
use super::cases::{Case, Effect, TRAINED, program};
use super::files::{Content, Files, copy, empty, files, is_partial, step_of};
use crate::run::shown;

/// Tries every fault at every `every`-th call, and tells what breaks a promise; how many do.
pub(super) fn judge(bench: &Bench, case: &Case, every: usize) -> Result<usize> {
    let trial = Trial::new(bench, case)?;
    let (mut broken, mut killed, mut failing) = (0, 0, 0);
    let calls = trial.calls()?;
    for call in calls.iter().step_by(every) {
        for &fault in call.faults() {
            copy(&trial.before, &trial.place)?;
            let command = program(bench, case.command);
            // A call that depends on the time may be missing now and then.
            let Some(output) = with_fault(&command, &trial.place, &trial.log, (call, fault))? else {
                continue;
            };
            *(if fault == Fault::Kill { &mut killed } else { &mut failing }) += 1;
            let left = files(&trial.place)?;
            let told = trial.left(call, fault, &output, &left).and_then(|()| trial.repeated(call, &left));
            if let Err(reason) = told {
                let said = String::from_utf8_lossy(&output.stderr);
                let (name, status, call) = (case.name, output.status, &call.shown);
                eprintln!("\n{name}: {fault:?} at {call}\n    {reason:#}\n    {status}: {said}");
                broken += 1;
            }
        }
    }
    ensure!(killed > 0 && failing > 0, "{}: no fault has come", case.name);
    println!("{:<24} {:>6} {killed:>8} {failing:>8} {broken:>8}", case.name, calls.len());
    Ok(broken)
}

/// A command, and what it does undisturbed.
struct Trial<'a> {
    bench: &'a Bench,
    case: &'a Case,
    /// A folder as the command finds it, the one in which it runs, and a file for strace.
    before: PathBuf,
    place: PathBuf,
    log: PathBuf,
    old: Files,
    new: Files,
    /// The checkpoints of an undisturbed run, of every step.
    steps: Files,
}

impl<'a> Trial<'a> {
    fn new(bench: &'a Bench, case: &'a Case) -> Result<Self> {
        let at = |name: &str| bench.folder.join(name);
        let (before, place, log) = (at("before"), at("place"), at("log"));
        empty(&before)?;
        case.prepare(bench, &before)?;
        let mut trial = Self {
            bench,
            case,
            old: files(&before)?,
            before,
            place,
            log,
            new: Files::new(),
            steps: Files::new(),
        };
        if case.effect == Effect::Trains {
            copy(&trial.before, &trial.place)?;
            ensure!(trial.run(&[case.command, &["--set", "train.keep=1000"]].concat())?.status.success());
            trial.steps = files(&trial.place)?;
        }
        for _ in 0..2 {
            copy(&trial.before, &trial.place)?;
            let output = trial.run(case.command)?;
            let expected = i32::from(case.effect == Effect::Refuses);
            let said = String::from_utf8_lossy(&output.stderr);
            ensure!(output.status.code() == Some(expected), "{}: {}: {said}", case.name, output.status);
            let again = std::mem::replace(&mut trial.new, files(&trial.place)?);
            ensure!(again.is_empty() || again == trial.new, "{} writes something else each time", case.name);
        }
        ensure!(
            (trial.old != trial.new) == (case.effect != Effect::Refuses),
            "{} shall change something",
            case.name
        );
        Ok(trial)
    }

    fn run(&self, args: &[&str]) -> Result<Output> {
        program(self.bench, args).current_dir(&self.place).output().context("cannot run hrm-host")
    }

    fn calls(&self) -> Result<Vec<Call>> {
        copy(&self.before, &self.place)?;
        calls(&program(self.bench, self.case.command), &self.place, &self.log)
    }

    /// Whether what is `left` after a fault, and what was said, is as promised.
    fn left(&self, call: &Call, fault: Fault, output: &Output, left: &Files) -> Result<()> {
        for (name, content) in left {
            if let Content::Broken(reason) = content {
                anyhow::bail!("{name}: {reason}");
            }
            let known = [&self.old, &self.new, &self.steps].iter().any(|files| files.contains_key(name));
            ensure!(known || is_partial(name), "{name} is left");
        }
        let partial = left.keys().find(|name| is_partial(name));
        let effect = self.case.effect;
        let names =
            self.old.keys().chain(self.new.keys()).chain(left.keys()).filter(|name| !is_partial(name));
        for name in names {
            self.file(name, left.get(name)).with_context(|| format!("{name} is neither old nor new"))?;
        }
        if fault == Fault::Kill {
            ensure!(output.status.signal() == Some(9), "{}", output.status);
            return Ok(());
        }
        // What cannot be deleted stays.
        ensure!(partial.is_none() || call.shown.starts_with("unlink"), "{partial:?} is left");
        let whole = |files: &Files| files.iter().all(|(name, content)| left.get(name) == Some(content));
        let said = String::from_utf8_lossy(&output.stderr);
        match output.status.code() {
            Some(0) if effect == Effect::Trains => {
                let last = self.new.keys().rfind(|name| step_of(name).is_some());
                ensure!(last.is_some_and(|last| left.contains_key(last)), "there is no last checkpoint");
            }
            Some(0) => {
                ensure!(
                    effect != Effect::Refuses && whole(&self.new),
                    "it ended well, and something is missing"
                )
            }
            Some(1) => {
                let unheard = call.shown.starts_with("write(2<");
                let reasons = ["No space left on device", "Input/output error"];
                let told = said.contains("error: ") && reasons.iter().any(|reason| said.contains(reason));
                ensure!(told || unheard || effect == Effect::Refuses, "the reason is not told");
                let all = effect == Effect::Adds
                    || effect == Effect::Trains
                    || whole(&self.old)
                    || whole(&self.new);
                ensure!(all, "some files are new and some are not");
                let claimed =
                    said.contains("no file was changed") || said.contains("nothing that was there before");
                ensure!(!claimed || effect == Effect::Trains || whole(&self.old), "a file was changed");
            }
            _ => anyhow::bail!("it ended with {}", output.status),
        }
        Ok(())
    }

    /// Whether a file may have this content; nothing where it is not there.
    fn file(&self, name: &str, content: Option<&Content>) -> Result<()> {
        let either = [&self.old, &self.new].iter().any(|files| files.get(name) == content);
        let fits_effect = match (self.case.effect, content) {
            (Effect::Trains, None) => step_of(name).is_some(),
            (Effect::Trains, Some(Content::Checkpoint(..))) => self.steps.get(name) == content,
            (Effect::Trains, Some(Content::Bytes(bytes))) if name == format!("{TRAINED}/latest") => {
                let named = format!("{TRAINED}/{}", String::from_utf8_lossy(bytes).trim_end());
                self.steps.contains_key(&named) && self.place.join(named).exists()
            }
            (Effect::Adds, Some(Content::Bytes(bytes))) => {
                matches!(self.new.get(name), Some(Content::Bytes(new)) if new.starts_with(bytes))
            }
            _ => false,
        };
        ensure!(either || fits_effect);
        Ok(())
    }

    /// Whether the command, given again, comes to the same end as if nothing had happened.
    fn repeated(&self, call: &Call, left: &Files) -> Result<()> {
        if call.shown.starts_with("fsetxattr") {
            // Without the note by which it is known again a file is somebody's own, and is not replaced.
            return Ok(());
        }
        let begun = left.keys().any(|name| step_of(name).is_some());
        let again = self.case.resumed.filter(|_| begun).unwrap_or(self.case.command);
        let output = self.run(again)?;
        let (said, command) = (String::from_utf8_lossy(&output.stderr), shown(&program(self.bench, again)));
        let expected = i32::from(self.case.effect == Effect::Refuses);
        ensure!(output.status.code() == Some(expected), "then `{command}`: {}: {said}", output.status);
        let now = files(&self.place)?;
        for (name, content) in &self.new {
            let older =
                self.case.effect == Effect::Trains && step_of(name).is_some() && self.is_not_last(name);
            ensure!(
                older || now.get(name) == Some(content),
                "then `{command}`: {name} is not what it would have been"
            );
        }
        let left = now.keys().find(|name| name.starts_with(TRAINED) && is_partial(name));
        ensure!(left.is_none(), "then `{command}`: {left:?} is still there");
        Ok(())
    }

    /// Whether a checkpoint has a newer one in the end.
    fn is_not_last(&self, name: &str) -> bool {
        self.new.keys().any(|other| step_of(other) > step_of(name))
    }
}
