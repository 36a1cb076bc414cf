//! `hrm-host device bench`

use std::time::Instant;

use anyhow::{Result, ensure};
use hrm_core::solve::{Policy, Rule};
use hrm_core::task::Task;
use hrm_core::wire::Solve;

use super::{Line, task_of};
use crate::cli::exit::Exit;
use crate::cli::values::at_least_1;

/// Measure how fast a board thinks: segments of a guess on the blank grid, none of which ends early.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    line: Line,
    /// Segments of one run
    #[arg(long, default_value_t = 16, value_parser = at_least_1::<u16>)]
    segments: u16,
    /// Runs
    #[arg(long, default_value_t = 3, value_parser = at_least_1::<usize>)]
    runs: usize,
}

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> Result<Exit> {
    let mut session = args.line.open()?;
    let hello = session.hello().clone();
    let tokens = vec![task_of(&hello)?.blank(); usize::from(hello.shape.cells)];
    // No vote is ever counted in a single guess that does not halt, and nothing ends it early.
    let policy = Policy {
        rule: Rule::Majority,
        guesses: 1,
        first_segments: args.segments,
        stop_when_settled: false,
        ..Policy::papers()
    };
    let solve = Solve { policy, time_ms: 0, progress: false, tokens: &tokens };
    println!("{}, pack {:08x} ({}, width {})", hello.board, hello.pack_crc, hello.task, hello.shape.width);
    for run in 1..=args.runs {
        let start = Instant::now();
        let done = session.call(|link| link.solve(&solve, |_, _| {}), |error| eprintln!("lost: {error}"))?;
        let here = start.elapsed().as_secs_f64();
        ensure!(done.segments == u32::from(args.segments), "the board took {} segments", done.segments);
        let each = done.micros.map_or(here, |micros| micros as f64 / 1e6) / f64::from(done.segments);
        println!(
            "run {run}: {:.3} ms a segment on the board's clock ({:.2} M MAC/s), {here:.3} s in all on this side",
            1e3 * each,
            hello.shape.segment_macs() as f64 / each / 1e6
        );
    }
    Ok(Exit::Success)
}
