//! `hrm-host eval`

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use anyhow::{Result, bail};
use clap::{Arg, Args as _, Command};
use hrm_host::quant::IntegerModel;
use hrm_host::train::eval::{Answers, Level, evaluate_while};
use hrm_host::vote::record::Files;

use super::exit::Exit;
use super::model::{Model, ModelArgs};
use super::policy::PolicyArgs;
use super::progress::ProgressArgs;
use super::protocol::{Protocol, paper};
use super::shard::Shard;
use super::values::{at_least_1, count, from_0, percent};
use super::votes::votes;
use super::{PuzzleFile, doubling, draw_rows, interrupt};

/// Measure a checkpoint's exact accuracy on puzzles drawn at random, with growing numbers of hints.
///
/// Ctrl-C prints what is known so far. docs/EVALUATING.md says what the figures and
/// the file of --resume mean.
#[derive(Debug, clap::Args)]
#[command(mut_args(for_votes_only))]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) model: ModelArgs,
    #[command(flatten)]
    pub(super) file: PuzzleFile,
    /// Puzzles drawn
    #[arg(long, default_value_t = 200, value_parser = at_least_1::<usize>)]
    pub(super) rows: usize,
    /// Seeds the draw of puzzles and hints
    #[arg(long, default_value_t = 1, value_parser = from_0::<u64>)]
    pub(super) seed: u64,
    /// Per cent of the blanks filled in as hints, separated by commas, one table row
    /// each; 90,70,40,0 by default
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values_t = [90, 70, 40, 0], hide_default_value = true, value_parser = percent)]
    pub(super) hints: Vec<u8>,
    /// Solve by perturbation voting over all members instead of one plain pass (packs
    /// only): what a device does
    #[arg(long, conflicts_with = "member")]
    vote: bool,
    /// Judge as somebody else does: `paper` runs every perturbation on every checkpoint of a
    /// run, or member of a pack
    #[arg(long, value_enum, value_name = "WHOSE", conflicts_with_all = ["vote", "hints"])]
    protocol: Option<Protocol>,
    /// Checkpoints that take part, the newest of the run or the pack
    #[arg(long, value_name = "N", default_value_t = 10, requires = "protocol", value_parser = at_least_1::<usize>)]
    pub(super) checkpoints: usize,
    #[command(flatten)]
    pub(super) policy: PolicyArgs,
    /// Keep what comes of each puzzle in this file, and take what is there for done; where it is given again,
    /// what only those files hold is added to the first
    #[arg(long, value_name = "FILE", requires = "vote")]
    resume: Vec<PathBuf>,
    /// Solve only part I of N of the puzzles drawn; the parts' files come together with --resume
    #[arg(long, value_name = "I/N", requires = "resume")]
    pub(super) shard: Option<Shard>,
    #[command(flatten)]
    pub(super) progress: ProgressArgs,
    /// Print JSON instead of a table
    #[arg(long)]
    pub(super) json: bool,
}

/// All options of the policy but `--segments` say how to vote: without `--vote` they would do nothing.
fn for_votes_only(arg: Arg) -> Arg {
    let policy = PolicyArgs::augment_args(Command::new("policy"));
    let of_policy = policy.get_arguments().any(|of_policy| of_policy.get_id() == arg.get_id());
    if of_policy && arg.get_id() != "segments" { arg.requires("vote") } else { arg }
}

/// Runs the subcommand.
pub(super) fn run(args: Args) -> Result<Exit> {
    if args.protocol == Some(Protocol::Paper) {
        return paper(&args);
    }
    let files = Files::open(&args.resume)?;
    let (model, about) = args.model.open()?;
    let (task, segments) = model.trained()?;
    match model {
        Model::Pack { file, .. } if args.vote => votes(&args, file.open()?, &about, files),
        Model::Pack { file, member } => {
            let model = IntegerModel { pack: file.open()?, member, batch: args.model.batch };
            table(&args, model, &task, segments, &about)
        }
        Model::Float(..) if args.vote => {
            bail!("--vote works on packs; make one with `hrm-host export`")
        }
        Model::Float(model, _) => table(&args, *model, &task, segments, &about),
    }
}

/// Measures `model` at every hint level and prints the table.
fn table<M>(args: &Args, mut model: M, task: &str, trained_segments: usize, about: &str) -> Result<Exit>
where
    M: Answers<Error: std::error::Error + Send + Sync + 'static>,
{
    let set = draw_rows(&args.file, task, args.rows, args.seed)?;
    let segments = usize::from(args.policy.policy(trained_segments as u16)?.first_segments);
    let mut levels = Vec::new();
    if !args.json {
        println!("{about}");
        println!(
            "{} of {}, seed {}, {}",
            count(set.len(), "puzzle"),
            args.file.data.display(),
            args.seed,
            count(segments, "segment")
        );
        println!(
            "hints %   exact %   95 % interval     at halt %   mean halt   cells %   exact % after 1, 2, 4, 8 ... segments"
        );
    }
    let stop = interrupt::watch();
    let mut done = 0;
    let mut progress = args.progress.start(set.len() * args.hints.len());
    for &hints in &args.hints {
        progress.stage(format!("{hints} % hints"), (0, set.len()));
        let level = evaluate_while(&mut model, (&set, hints), segments, args.seed, &mut |outcomes| {
            progress.show(outcomes.len(), Some(outcomes.iter().filter(|o| o.exact).count()));
            if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        done += level.rows;
        if !args.json {
            progress.aside(|| println!("{}", table_row(&level)));
            if level.rows < set.len() {
                progress.aside(|| println!("          of {} of the {} puzzles", level.rows, set.len()));
            }
        }
        levels.push(level);
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    drop(progress);
    let missing = set.len() * args.hints.len() - done;
    if args.json {
        let report = serde_json::json!({
            "model": about,
            "data": args.file.data,
            "seed": args.seed,
            "segments": segments,
            "complete": missing == 0,
            "levels": levels,
        });
        println!("{}", serde_json::to_string_pretty(&report)?);
    }
    if missing == 0 {
        return Ok(Exit::Success);
    }
    eprintln!("interrupted: {missing} of {} puzzles are left", set.len() * args.hints.len());
    Ok(Exit::Interrupted)
}

fn table_row(level: &Level) -> String {
    format!(
        "{:>7}   {:>7.1}   {:>5.1} to {:>5.1}   {:>11.1}   {:>9.1}   {:>7.2}   {}",
        level.hints,
        100.0 * level.exact,
        100.0 * level.interval[0],
        100.0 * level.interval[1],
        100.0 * level.exact_at_halt,
        level.mean_halt,
        100.0 * level.cells,
        doubling(&level.by_segment, |share| format!("{:.1}", 100.0 * share)),
    )
}
