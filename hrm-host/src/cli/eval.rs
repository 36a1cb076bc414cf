//! `hrm-host eval`

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Arg, Args as _, Command};
use hrm_core::Pack;

use hrm_host::data::PuzzleSet;
use hrm_host::data::hints::with_hints;
use hrm_host::quant::IntegerModel;
use hrm_host::train::eval::{Answers, Level, evaluate};
use hrm_host::vote::{Verdict, solve_all, verdict};

use super::exit::Exit;
use super::model::{Model, ModelArgs};
use super::policy::PolicyArgs;
use super::{doubling, draw_rows};

/// Measure a checkpoint's exact accuracy on puzzles drawn at random, with growing numbers of hints.
#[derive(Debug, clap::Args)]
#[command(mut_args(for_votes_only))]
pub(super) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// CSV of puzzles, plain or gzip
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Puzzles drawn
    #[arg(long, default_value_t = 200)]
    rows: usize,
    /// Seeds the draw of puzzles and hints
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Per cent of the blanks filled in as hints, separated by commas, one table row each; 90,70,40,0 by default
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values_t = [90, 70, 40, 0], hide_default_value = true)]
    hints: Vec<u8>,
    /// Solve by perturbation voting over all members instead of one plain pass (packs only): what a device does
    #[arg(long, conflicts_with = "member")]
    vote: bool,
    #[command(flatten)]
    policy: PolicyArgs,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// All options of the policy but `--segments` say how to vote: without `--vote` they would do nothing.
fn for_votes_only(arg: Arg) -> Arg {
    let policy = PolicyArgs::augment_args(Command::new("policy"));
    let of_policy = policy.get_arguments().any(|of_policy| of_policy.get_id() == arg.get_id());
    if of_policy && arg.get_id() != "segments" { arg.requires("vote") } else { arg }
}

/// Runs the subcommand.
pub(super) fn run(args: Args) -> Result<Exit> {
    if let Some(bad) = args.hints.iter().find(|h| **h > 100) {
        bail!("--hints {bad}: per cent, 0 to 100");
    }
    match args.model.open()? {
        (Model::Pack { file, .. }, about) if args.vote => votes(&args, file.open()?, &about),
        (Model::Pack { file, member }, about) => {
            let pack = file.open()?;
            let segments = usize::from(pack.shape().segments);
            let model = IntegerModel { pack, member, batch: args.model.batch };
            table(&args, model, pack.header()?.task, segments, &about)
        }
        (Model::Float(_), _) if args.vote => {
            bail!("--vote works on packs; make one with `hrm-host export`")
        }
        (Model::Float(model), about) => {
            let config = model.hrm.config().clone();
            table(&args, *model, config.task.as_str(), config.segments, &about)
        }
    }
}

/// Measures `model` at every hint level and prints the table.
fn table<M>(args: &Args, mut model: M, task: &str, trained_segments: usize, about: &str) -> Result<Exit>
where
    M: Answers<Error: std::error::Error + Send + Sync + 'static>,
{
    let set = draw_rows(&args.data, task, args.rows, args.seed)?;
    let segments = usize::from(args.policy.policy(trained_segments as u16)?.segments);
    let mut levels = Vec::new();
    if !args.json {
        println!("{about}");
        println!("{} puzzles of {}, seed {}, {segments} segments", set.len(), args.data.display(), args.seed);
        println!(
            "hints %   exact %   95 % interval     at halt %   mean halt   cells %   exact % after 1, 2, 4, 8 ... segments"
        );
    }
    for &hints in &args.hints {
        let level = evaluate(&mut model, &set, hints, segments, args.seed)?;
        if !args.json {
            println!("{}", table_row(&level));
        }
        levels.push(level);
    }
    if args.json {
        let report = serde_json::json!({
            "model": about,
            "data": args.data,
            "seed": args.seed,
            "segments": segments,
            "levels": levels,
        });
        println!("{}", serde_json::to_string_pretty(&report)?);
    }
    Ok(Exit::Success)
}

/// Solves every puzzle by voting at every hint level and prints the table.
fn votes(args: &Args, pack: Pack<'_>, about: &str) -> Result<Exit> {
    let policy = args.policy.policy(pack.shape().segments)?;
    let set = draw_rows(&args.data, pack.header()?.task, args.rows, args.seed)?;
    if !args.json {
        println!("{about}");
        println!("{} puzzles of {}, seed {}; {policy:?}", set.len(), args.data.display(), args.seed);
        println!(
            "hints %   solved %   95 % interval    wrong called solved   guesses   segments   solved % within 1, 2, 4, 8 ... guesses"
        );
    }
    let mut levels = Vec::new();
    for &hints in &args.hints {
        let eased: PuzzleSet = with_hints(&set, hints, args.seed);
        let verdict = verdict(&solve_all(pack, &eased, policy)?);
        if !args.json {
            println!("{}", vote_row(hints, &verdict));
        }
        levels.push(serde_json::json!({ "hints": hints, "verdict": verdict }));
    }
    if args.json {
        let report = serde_json::json!({
            "model": about, "data": args.data, "seed": args.seed, "policy": policy, "levels": levels,
        });
        println!("{}", serde_json::to_string_pretty(&report)?);
    }
    Ok(Exit::Success)
}

fn vote_row(hints: u8, v: &Verdict) -> String {
    let percent = |count: usize| 100.0 * count as f64 / v.rows.max(1) as f64;
    format!(
        "{hints:>7}   {:>8.1}   {:>5.1} to {:>5.1}   {:>19}   {:>7.2}   {:>8.1}   {}",
        percent(v.solved),
        100.0 * v.interval[0],
        100.0 * v.interval[1],
        v.wrongly_solved,
        v.mean_guesses,
        v.mean_segments,
        doubling(&v.by_guess, |solved| format!("{:.1}", percent(*solved))),
    )
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
