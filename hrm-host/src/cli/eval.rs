//! `hrm-host eval`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail, ensure};
use hrm_core::task::draw::shuffle;
use hrm_core::task::sudoku::Sudoku;
use hrm_host::data::import;
use hrm_host::model::Hrm;
use hrm_host::train::eval::{FloatModel, Level, evaluate};
use hrm_host::train::load_parameters;
use hrm_host::train::checkpoint::RunDir;
use rand_core::SeedableRng;
use rand_pcg::Pcg64;

/// Measure a checkpoint's exact accuracy on puzzles drawn at random, with growing numbers of hints.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Checkpoint file, or a run directory (its newest checkpoint)
    checkpoint: PathBuf,
    /// CSV of puzzles, plain or gzip
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Puzzles drawn
    #[arg(long, default_value_t = 200)]
    rows: usize,
    /// Seeds the draw of puzzles and hints
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Per cent of the blanks filled in as hints, one table row each
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values_t = [90, 70, 40, 0])]
    hints: Vec<u8>,
    /// Segments per puzzle; as many as trained by default
    #[arg(long)]
    segments: Option<usize>,
    /// Puzzles answered at once
    #[arg(long, default_value_t = 64)]
    batch: usize,
    /// Use the weights as trained, not their moving average
    #[arg(long)]
    raw: bool,
    /// Threads; all processors by default
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub(super) fn run(args: Args) -> Result<ExitCode> {
    super::use_threads(args.threads)?;
    ensure!(args.rows > 0, "--rows 0: give at least 1");
    ensure!(args.batch > 0, "--batch 0: give at least 1");
    ensure!(args.segments != Some(0), "--segments 0: give at least 1");
    if let Some(bad) = args.hints.iter().find(|h| **h > 100) {
        bail!("--hints {bad}: per cent, 0 to 100");
    }
    let path = if args.checkpoint.is_dir() {
        RunDir::open(&args.checkpoint).newest()?.0
    } else {
        args.checkpoint.clone()
    };
    let (config, params) = load_parameters(&path, !args.raw)?;
    let Some(task) = Sudoku::from_name(config.model.task.as_str()) else {
        bail!("{}: unknown task {}", path.display(), config.model.task);
    };
    let all = import::load(&args.data, Some(task))?;
    ensure!(!all.is_empty(), "{} has no puzzles", args.data.display());
    let mut rows: Vec<usize> = (0..all.len()).collect();
    shuffle(&mut Pcg64::seed_from_u64(args.seed), &mut rows);
    rows.truncate(args.rows);
    let set = all.subset(&rows);
    let segments = args.segments.unwrap_or(config.model.segments);
    let mut model = FloatModel { hrm: Hrm::new(&config.model, &params)?, batch: args.batch };
    let mut levels = Vec::new();
    if !args.json {
        println!("{}: {} of {} puzzles, seed {}, {segments} segments", path.display(), set.len(), all.len(), args.seed);
        println!("hints %   exact %   95 % interval     at halt %   mean halt   cells %   exact % after 1, 2, 4, 8 ... segments");
    }
    for hints in args.hints {
        let level = evaluate(&mut model, &set, hints, segments, args.seed)?;
        if !args.json {
            println!("{}", table_row(&level));
        }
        levels.push(level);
    }
    if args.json {
        let report = serde_json::json!({
            "checkpoint": path,
            "data": args.data,
            "seed": args.seed,
            "segments": segments,
            "averaged": !args.raw,
            "config_hash": config.hash(),
            "levels": levels,
        });
        println!("{}", serde_json::to_string_pretty(&report)?);
    }
    Ok(ExitCode::SUCCESS)
}

fn table_row(level: &Level) -> String {
    let doubling = std::iter::successors(Some(1usize), |n| Some(n * 2));
    let curve: Vec<String> = doubling
        .map_while(|n| level.by_segment.get(n - 1))
        .map(|share| format!("{:.1}", 100.0 * share))
        .collect();
    format!(
        "{:>7}   {:>7.1}   {:>5.1} to {:>5.1}   {:>11.1}   {:>9.1}   {:>7.2}   {}",
        level.hints,
        100.0 * level.exact,
        100.0 * level.interval[0],
        100.0 * level.interval[1],
        100.0 * level.exact_at_halt,
        level.mean_halt,
        100.0 * level.cells,
        curve.join(" "),
    )
}
