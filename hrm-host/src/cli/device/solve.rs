//! `hrm-host device solve`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use hrm_core::solve::Status;
use hrm_core::wire::Solve;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Line, task_of};
use crate::cli::policy::PolicyArgs;
use crate::cli::solve::{headline, json, parse};

/// Let a board solve puzzles.
///
/// Exit code 0 where every puzzle was solved, 2 where one is unproven, 3 where one is no puzzle.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Puzzles: a digit a cell, row by row, `.` or `0` for a blank
    #[arg(value_name = "PUZZLE", required_unless_present = "file")]
    puzzles: Vec<String>,
    /// Also the puzzles of this file, one a line
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    policy: PolicyArgs,
    /// Most milliseconds for a puzzle, on the board's clock; 0 for as long as it takes
    #[arg(long, default_value_t = 0, value_name = "MS")]
    time: u32,
    #[command(flatten)]
    line: Line,
    /// Print one JSON object a puzzle
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let mut session = args.line.open()?;
    let task = task_of(session.hello())?;
    let policy = args.policy.policy(session.hello().shape.segments)?;
    let mut texts = args.puzzles.clone();
    if let Some(path) = &args.file {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        texts.extend(
            text.lines()
                .map(str::trim)
                .filter(|line| !line.is_empty() && !line.starts_with('#'))
                .map(str::to_owned),
        );
    }
    if texts.is_empty() {
        bail!("there is no puzzle in the file");
    }
    let bar = ProgressBar::new(texts.len() as u64);
    bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} left {eta}  {msg}")?);
    let (mut solved, mut refused) = (0, 0);
    for (index, text) in texts.iter().enumerate() {
        let tokens = parse(&task, text).with_context(|| format!("puzzle {}", index + 1))?;
        // Progress of every segment also tells a board that is lost from one that thinks.
        let solve = Solve { policy, time_ms: args.time, progress: true, tokens: &tokens };
        let done = session.call(
            |link| {
                link.solve(&solve, |progress, _| {
                    bar.set_message(format!("guess {}, segment {}", progress.guess + 1, progress.segment));
                })
            },
            |error| bar.suspend(|| eprintln!("the board is lost ({error}); waiting for it")),
        )?;
        let answer = done.answer();
        solved += usize::from(answer.status == Status::Solved);
        refused += usize::from(matches!(answer.status, Status::Refused(_)));
        let line = if args.json {
            json(&task, &tokens, &answer)
        } else {
            let time = done.micros.map_or(String::new(), |micros| format!(", {:.1} ms", micros as f64 / 1e3));
            let late = if done.out_of_time { ", out of time" } else { "" };
            format!("{:>5}  {}  {}{time}{late}", index + 1, task.text(answer.grid), headline(&task, &answer))
        };
        bar.suspend(|| println!("{line}"));
        bar.inc(1);
    }
    bar.finish_and_clear();
    if texts.len() > 1 {
        eprintln!("{solved} of {} solved", texts.len());
    }
    Ok(match (refused, solved == texts.len()) {
        (1.., _) => ExitCode::from(crate::cli::solve::REFUSED),
        (0, true) => ExitCode::SUCCESS,
        (0, false) => ExitCode::from(crate::cli::solve::UNPROVEN),
    })
}
