//! `hrm-host report`

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::{Result, bail};
use hrm_core::solve::Status;
use hrm_core::task::Task;
use hrm_core::{Pack, workspace_bytes};
use hrm_host::analyze::study::{WALKS, guesses, landscapes};
use hrm_host::data::PuzzleSet;
use hrm_host::model::Hrm;
use hrm_host::quant::IntegerModel;
use hrm_host::quant::compare::{Agreement, compare_while};
use hrm_host::report::{Findings, Flip, Precision, REPORT, Report, Work};
use hrm_host::train::eval::FloatModel;
use hrm_host::vote::solve_rows;

use super::analyze::{Questions, walk};
use super::exit::Exit;
use super::model::{Model, ModelArgs};
use super::outputs::{Force, data_of};
use super::policy::{PolicyArgs, told};
use super::progress::{Progress, ProgressArgs};
use super::values::{Misuse, from_0};

/// Guesses after the first that are drawn in one landscape.
const GUESSES: usize = 4;
/// How often a pack's puzzles are asked beside those of its [`Study`]: voted, in float, and both models side by side.
const MORE: usize = 3;

/// Write a report of one or several models: accuracy, the paper's three questions, work, halting head, float against integers.
///
/// One HTML file with figures and the numbers behind them, which runs nothing and loads nothing. Of packs it tells what voted
/// solving takes, and how far the integers follow the float model restored from their weights.
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
    #[arg(long, value_name = "N", value_parser = from_0::<usize>)]
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
    super::use_threads(args.threads)?;
    // All are opened before the first is asked: a complaint comes at once.
    let models: Vec<ModelArgs> = args.models.iter().map(|path| ModelArgs::plain(path)).collect();
    let opened = models.iter().map(|model| Ok(model.open()?.0)).collect::<Result<Vec<Model>>>()?;
    let tasks = opened.iter().map(|model| Ok(model.trained()?.0)).collect::<Result<Vec<String>>>()?;
    if let Some(at) = tasks.iter().position(|task| *task != tasks[0]) {
        bail!(Misuse(format!(
            "{} is for {}, {} for {}: make a report of each, since they are asked the same puzzles",
            args.models[0].display(),
            tasks[0],
            args.models[at].display(),
            tasks[at]
        )));
    }
    let set = args.questions.draw(&tasks[0])?;
    let packs = opened.iter().filter(|model| matches!(model, Model::Pack { .. })).count();
    let mut progress = args.progress.start(set.len() * (WALKS * opened.len() + MORE * packs));
    let mut found = Vec::new();
    for (named, model) in models.iter().zip(opened) {
        found.push(findings(&args, named, model, &set, &mut progress)?);
    }
    let report = Report {
        data: name(&args.questions.file.data),
        rows: set.len(),
        seed: args.questions.seed,
        program: format!("hrm-host {}", env!("CARGO_PKG_VERSION")),
        commands: commands(&args, std::env::args()),
        models: found,
    };
    let html = report.html()?;
    output.write(|file| file.write_all(html.as_bytes()))?;
    drop(progress);
    eprintln!("wrote {}", output.shown());
    Ok(Exit::Success)
}

/// The last part of a path: a report tells nobody where files lay.
fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// What repeats the report (`words` of a command line), and its parts one by one; all without the folders of files.
fn commands(args: &Args, words: impl IntoIterator<Item = String>) -> Vec<String> {
    let files: Vec<&PathBuf> = args.models.iter().chain([&args.questions.file.data, &args.out]).collect();
    let bare = |word: String| {
        let (option, value) =
            word.split_once('=').map_or(("", word.as_str()), |(option, value)| (option, value));
        match files.iter().find(|file| file.as_os_str() == value) {
            Some(file) if option.is_empty() => name(file),
            Some(file) => format!("{option}={}", name(file)),
            None => word,
        }
    };
    let whole: Vec<String> = words.into_iter().skip(1).map(bare).collect();
    let drawn = format!(
        "--data {} --rows {} --seed {}",
        name(&args.questions.file.data),
        args.questions.rows,
        args.questions.seed
    );
    let each = args.models.iter().map(|model| name(model)).flat_map(|name| {
        let packed = name.ends_with(".hrm").then(|| format!("hrm-host eval {name} {drawn} --hints 0 --vote"));
        [format!("hrm-host eval {name} {drawn}"), format!("hrm-host analyze {name} {drawn}")]
            .into_iter()
            .chain(packed)
    });
    [format!("hrm-host {}", whole.join(" "))].into_iter().chain(each).collect()
}

/// Asks one model everything.
fn findings(
    args: &Args,
    named: &ModelArgs,
    model: Model,
    set: &PuzzleSet,
    progress: &mut Progress,
) -> Result<Findings> {
    let segments = model.trained()?.1;
    let name = name(named.path());
    match model {
        Model::Float(mut model) => {
            let study = args.questions.ask(&mut *model, set, segments, progress)?;
            let facts = facts_of_float(&model.hrm);
            let landscapes = landscapes(&model.hrm, set, &study.paths, args.questions.rest)?;
            let guesses = guesses(&model.hrm, set, &study.paths, GUESSES)?;
            Ok(Findings { name, facts, study, landscapes, guesses, work: None, precision: None })
        }
        Model::Pack { file, member } => {
            let pack = file.open()?;
            let mut int = IntegerModel { pack, member, batch: named.batch };
            let study = args.questions.ask(&mut int, set, segments, progress)?;
            let work = Some(votes(args, &pack, set, progress)?);
            let mut float = named.restored(member)?;
            let walked = walk(&mut float, "nothing, float", set, segments, progress)?;
            let agreement = beside(&mut float, &mut int, set, segments, progress)?;
            let text = |row| set.task().text(set.question(row)).to_string();
            let precision = Some(Precision { agreement, flips: Flip::among(&walked, &study.paths, text) });
            let landscapes = landscapes(&float.hrm, set, &walked, args.questions.rest)?;
            let guesses = guesses(&float.hrm, set, &walked, GUESSES)?;
            Ok(Findings { name, facts: facts_of_pack(&pack)?, study, landscapes, guesses, work, precision })
        }
    }
}

/// Every puzzle by voted solving.
fn votes(args: &Args, pack: &Pack<'_>, set: &PuzzleSet, progress: &mut Progress) -> Result<Work> {
    let policy = args.policy.policy(pack.shape().segments)?;
    progress.stage("voted", (0, set.len()));
    let rows: Vec<usize> = (0..set.len()).collect();
    let (mut outcomes, mut solved) = (Vec::new(), 0);
    solve_rows(*pack, set, &rows, policy, &AtomicBool::new(false), |_, outcome| {
        solved += usize::from(outcome.status == Status::Solved);
        outcomes.push(outcome);
        progress.show(outcomes.len(), Some(solved));
        ControlFlow::Continue(())
    })?;
    Ok(Work { policy: told(&policy), outcomes })
}

/// Both models side by side.
fn beside(
    float: &mut FloatModel,
    int: &mut IntegerModel<'_>,
    set: &PuzzleSet,
    segments: usize,
    progress: &mut Progress,
) -> Result<Vec<Agreement>> {
    progress.stage("float beside integers", (0, set.len()));
    compare_while::<_, _, anyhow::Error>(float, int, set, segments, &mut |done| {
        progress.show(done, None);
        ControlFlow::Continue(())
    })
}

fn facts_of_float(hrm: &Hrm) -> Vec<(&'static str, String)> {
    let config = hrm.config();
    vec![
        ("task", config.task.name().to_owned()),
        ("arithmetic", "float".to_owned()),
        ("width, heads, inner", format!("{}, {}, {}", config.width, config.heads, config.inner)),
        (
            "layers H + L, cycles H x L",
            format!("{} + {}, {} x {}", config.h_layers, config.l_layers, config.h_cycles, config.l_cycles),
        ),
        ("segments of a pass", config.segments.to_string()),
    ]
}

fn facts_of_pack(pack: &Pack<'_>) -> Result<Vec<(&'static str, String)>> {
    let (shape, header) = (pack.shape(), pack.header()?);
    let p = &header.provenance;
    Ok(vec![
        ("task", header.task.to_owned()),
        ("arithmetic", format!("int8 weights, {}-bit states", 8 * shape.lanes.bytes())),
        ("pack", format!("{} bytes, CRC-32 {:08x}, {} member(s)", pack.bytes(), pack.crc(), shape.members)),
        ("RAM", format!("{} bytes", workspace_bytes(shape))),
        ("multiply-accumulates a segment", shape.segment_macs().to_string()),
        ("segments of a pass", shape.segments.to_string()),
        ("trained", format!("{} steps, {} sample-segments, seed {}; {}", p.steps, p.samples, p.seed, p.data)),
    ])
}
