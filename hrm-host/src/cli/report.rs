//! `hrm-host report`

mod commands;
mod facts;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result, bail};
use hrm_core::Pack;
use hrm_core::solve::Status;
use hrm_host::analyze::path;
use hrm_host::analyze::study::{WALKS, guesses, landscapes};
use hrm_host::config::RunConfig;
use hrm_host::data::PuzzleSet;
use hrm_host::files::{crc32, name_of, shown};
use hrm_host::quant::IntegerModel;
use hrm_host::quant::compare::compare_while;
use hrm_host::report::{Data, Findings, Flip, Float, Precision, REPORT, Report, Work};
use hrm_host::task::find;
use hrm_host::train::eval::FloatModel;
use hrm_host::vote::solve_rows;

use super::analyze::{Questions, walk};
use super::draw;
use super::exit::Exit;
use super::model::{Model, ModelArgs, file_of};
use super::outputs::{Force, data_of};
use super::policy::{PolicyArgs, told};
use super::progress::{Progress, ProgressArgs};
use super::values::{Misuse, threads};

/// Guesses after the first that are drawn in one landscape.
const GUESSES: usize = 4;
/// How often a pack's puzzles are asked beside those of its [`Study`]: voted, in float, and
/// both models side by side.
const MORE: usize = 3;

/// Why there is no float model beside a pack.
const UNRECORDED: &str = "This pack does not say how it was trained, so no float model can be restored from its integers: landscapes, \
                          several guesses and the comparison with floats are left out.";

/// Write a report of one or several models: accuracy, the paper's three questions, work, halting
/// head, float against integers.
///
/// One HTML file with figures and the numbers behind them, which runs nothing and loads nothing. Of
/// packs it tells what voted solving takes, and how far the integers follow the float model
/// restored from their weights.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Checkpoint files, run directories or packs, all of one task
    #[arg(required = true, value_name = "CHECKPOINT|PACK")]
    models: Vec<PathBuf>,
    #[command(flatten)]
    questions: Questions,
    #[command(flatten)]
    policy: PolicyArgs,
    /// The report (HTML); `-` writes standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Threads; all processors by default
    #[arg(long, value_name = "N", value_parser = threads)]
    threads: Option<usize>,
    #[command(flatten)]
    force: Force,
    #[command(flatten)]
    progress: ProgressArgs,
}

/// Runs the subcommand.
pub(super) fn run(args: Args) -> Result<Exit> {
    let of_runs: Vec<PathBuf> = args.models.iter().flat_map(|model| data_of(model)).collect();
    let read = args.models.iter().chain([&args.questions.file.data]).chain(&of_runs);
    let output = args.force.plan(read).output(&args.out, REPORT)?;
    hrm_host::threads::use_threads(args.threads)?;
    // All are opened before the first is asked: a complaint comes at once.
    let files = args.models.iter().map(|model| file_of(model)).collect::<Result<Vec<PathBuf>>>()?;
    refuse_twice(&args.models, &files)?;
    let models: Vec<ModelArgs> = files.iter().map(|file| ModelArgs::plain(file)).collect();
    let opened = models.iter().map(|model| Ok(model.open()?.0)).collect::<Result<Vec<Model>>>()?;
    let task = only_task(&args.models, &opened)?;
    let questions = &args.questions;
    let drawn = draw(&questions.file, &task, questions.rows, questions.seed)?;
    let data = &questions.file.data;
    let crc = crc32(data).with_context(|| format!("cannot read {}", shown(data).display()))?;
    let packs: Vec<bool> = opened.iter().map(|model| matches!(model, Model::Pack { .. })).collect();
    let commands = commands::commands(std::env::args_os(), &packs)?;
    let more = MORE * packs.iter().filter(|pack| **pack).count();
    let mut progress = args.progress.start(drawn.set.len() * (WALKS * opened.len() + more));
    let mut found = Vec::new();
    for ((named, model), name) in models.iter().zip(opened).zip(labels(&args.models)) {
        found.push(findings(&args, (named, name), model, &drawn.set, &mut progress)?);
    }
    let report = Report {
        data: Data { name: name_of(shown(data)), rows: drawn.mark.puzzles, crc },
        rows: drawn.set.len(),
        wanted: questions.rows,
        seed: questions.seed,
        broken: find(&task)?.broken(),
        program: format!("hrm-host {}", env!("CARGO_PKG_VERSION")),
        commands,
        models: found,
    };
    let html = report.html()?;
    output.write(|file| file.write_all(html.as_bytes()))?;
    drop(progress);
    eprintln!("wrote {}", output.shown());
    Ok(Exit::Success)
}

/// What each model is called: its name, with a number where an earlier one has it.
fn labels(models: &[PathBuf]) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for name in models.iter().map(|model| name_of(model)) {
        let numbered = (2..).map(|n| format!("{name} ({n})"));
        let label = [name.clone()].into_iter().chain(numbered).find(|label| !labels.contains(label));
        labels.extend(label);
    }
    labels
}

/// Refuses to compare a model with itself.
fn refuse_twice(models: &[PathBuf], files: &[PathBuf]) -> Result<()> {
    let real: Vec<PathBuf> = files.iter().map(|file| file.canonicalize().unwrap_or(file.clone())).collect();
    for (second, file) in real.iter().enumerate() {
        if let Some(first) = real[..second].iter().position(|other| other == file) {
            bail!(Misuse(format!(
                "{} and {} are one file, {}: name each model once",
                models[first].display(),
                models[second].display(),
                files[second].display()
            )));
        }
    }
    Ok(())
}

/// The name of the one task that all models are for.
fn only_task(models: &[PathBuf], opened: &[Model]) -> Result<String> {
    let tasks = opened.iter().map(|model| Ok(model.trained()?.0)).collect::<Result<Vec<String>>>()?;
    if let Some(at) = tasks.iter().position(|task| *task != tasks[0]) {
        bail!(Misuse(format!(
            "{} is for {}, {} for {}: make a report of each, since they are asked the same puzzles",
            models[0].display(),
            tasks[0],
            models[at].display(),
            tasks[at]
        )));
    }
    tasks.into_iter().next().context("there is no model")
}

/// Asks one model everything.
fn findings(
    args: &Args,
    (named, name): (&ModelArgs, String),
    model: Model,
    set: &PuzzleSet,
    progress: &mut Progress,
) -> Result<Findings> {
    let segments = model.trained()?.1;
    match model {
        Model::Float(mut model, run) => {
            let study = args.questions.ask(&mut *model, set, segments, progress)?;
            let facts = facts::of_checkpoint(named.path(), &run)?;
            let landscapes = landscapes(&model.hrm, set, &study.paths, args.questions.rest)?;
            let guesses = guesses(&model.hrm, set, &study.paths, GUESSES)?;
            Ok(Findings { name, facts, study, landscapes, guesses, work: None, float: Float::Own })
        }
        Model::Pack { file, member } => {
            let pack = file.open()?;
            let mut int = IntegerModel { pack, member, batch: named.batch };
            let study = args.questions.ask(&mut int, set, segments, progress)?;
            let work = Some(votes(args, &pack, set, progress)?);
            let facts = facts::of_pack(&pack)?;
            if serde_json::from_str::<RunConfig>(pack.header()?.provenance.config).is_err() {
                let (landscapes, guesses, float) = (Vec::new(), None, Float::Missing(UNRECORDED.to_owned()));
                return Ok(Findings { name, facts, study, landscapes, guesses, work, float });
            }
            let mut float = named.restored(&pack, member)?;
            let walked = walk(&mut float, "nothing, float", set, segments, progress)?;
            let precision =
                beside((&mut float, &walked), (&mut int, &study.paths), set, &study.puzzles, progress)?;
            let landscapes = landscapes(&float.hrm, set, &walked, args.questions.rest)?;
            let guesses = guesses(&float.hrm, set, &walked, GUESSES)?;
            Ok(Findings { name, facts, study, landscapes, guesses, work, float: Float::Restored(precision) })
        }
    }
}

/// Every puzzle by voted solving.
fn votes(args: &Args, pack: &Pack<'_>, set: &PuzzleSet, progress: &mut Progress) -> Result<Work> {
    let policy = args.policy.policy(pack.shape().segments)?;
    progress.stage("voted", (0, set.len()));
    let rows: Vec<usize> = (0..set.len()).collect();
    let (mut outcomes, mut solved) = (Vec::new(), 0);
    solve_rows(*pack, set, &rows, policy, &AtomicBool::new(false), |row, outcome| {
        solved += usize::from(outcome.status == Status::Solved);
        outcomes.push((row, outcome));
        progress.show(outcomes.len(), Some(solved));
        ControlFlow::Continue(())
    })?;
    // They come as threads are done with them.
    outcomes.sort_unstable_by_key(|(row, _)| *row);
    let outcomes = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
    Ok(Work { rule: policy.rule, policy: told(&policy), outcomes })
}

/// Both models side by side, each with its ways through the puzzles.
fn beside(
    (float, of_float): (&mut FloatModel, &[path::Path]),
    (int, of_int): (&mut IntegerModel<'_>, &[path::Path]),
    set: &PuzzleSet,
    puzzles: &[String],
    progress: &mut Progress,
) -> Result<Precision> {
    progress.stage("float beside integers", (0, set.len()));
    let segments = usize::from(int.pack.shape().segments);
    let agreement = compare_while::<_, _, anyhow::Error>(float, int, set, segments, &mut |done| {
        progress.show(done, None);
        ControlFlow::Continue(())
    })?;
    Ok(Precision { agreement, flips: Flip::among(of_float, of_int, |row| puzzles[row].clone()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_models_have_one_name() {
        let paths = ["a/x.hrm", "b/x.hrm", "x.hrm (2)", "c/x.hrm", "run/"].map(PathBuf::from);
        assert_eq!(labels(&paths), ["x.hrm", "x.hrm (2)", "x.hrm (2) (2)", "x.hrm (3)", "run"]);
    }
}
