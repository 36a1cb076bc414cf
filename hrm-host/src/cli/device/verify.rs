//! `hrm-host device verify`

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use hrm_core::solve::{Policy, Solver, Stop};
use hrm_core::wire::Solve;
use hrm_core::{Hrm, Op};
use hrm_emulator::compare::{compare, host_words};
use hrm_emulator::differ;
use hrm_host::quant::AlignedPack;

use super::{Line, ensure_same_pack, task_of};
use crate::cli::exit::Exit;
use crate::cli::progress::{ProgressArgs, span};
use crate::cli::values::{at_least_1, count, from_0};
use crate::cli::{PuzzleFile, draw_rows, interrupt};

/// Prove that a board computes the same bits as this machine: every operation of every
/// segment, and then a solve of each puzzle, with all that voting takes.
///
/// Exit code 1 where they differ; the first difference is named by segment, operation and index. Ctrl-C tells
/// how many puzzles were equal by then. How long it will take is told after the first comparison.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The pack that the board has
    pack: PathBuf,
    #[command(flatten)]
    file: PuzzleFile,
    /// Puzzles drawn
    #[arg(long, default_value_t = 20, value_parser = at_least_1::<usize>)]
    rows: usize,
    /// Seeds the draw
    #[arg(long, default_value_t = 1, value_parser = from_0::<u64>)]
    seed: u64,
    /// Segments per puzzle; as many as trained by default
    #[arg(long, value_parser = at_least_1::<u16>)]
    segments: Option<u16>,
    /// Most segments of a solve, which ends there on both sides; 0 compares no solves
    #[arg(long, default_value_t = BUDGET, value_name = "SEGMENTS", value_parser = from_0::<u32>)]
    budget: u32,
    #[command(flatten)]
    line: Line,
    #[command(flatten)]
    progress: ProgressArgs,
}

/// Segments of a solve by default: the first guess, and so many short ones with cells supposed and images
/// drawn that all of voting is compared. A hard puzzle takes hundreds, at seconds each on a slow board.
const BUDGET: u32 = 64;

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> Result<Exit> {
    let file = AlignedPack::read(&args.pack)?;
    let pack = file.open()?;
    let mut session = args.line.open()?;
    let hello = session.hello().clone();
    ensure_same_pack(&hello, (&pack, &args.pack))?;
    let task = task_of(&hello)?;
    let segments = args.segments.unwrap_or(pack.shape().segments);
    let set = draw_rows(&args.file, task.name(), args.rows, args.seed)?;
    let mut memory = vec![0; host_words(pack.shape(), &hello)];
    let mut host = Hrm::new(pack, &mut memory)?;
    let solves = match args.budget {
        0 => String::new(),
        budget => format!(" and a solve of at most {} each", count(budget as usize, "segment")),
    };
    args.progress.note(&format!(
        "comparing {} with {}: {}, {}{solves}",
        args.pack.display(),
        hello.board,
        count(set.len(), "puzzle"),
        count(segments.into(), "segment")
    ));
    let equal = Arc::new(AtomicUsize::new(0));
    let (by_then, all) = (Arc::clone(&equal), set.len());
    interrupt::tell(move || format!("equal on {} of {all} puzzles", by_then.load(Ordering::Relaxed)));
    let told = RefCell::new(args.progress.start_only("equal so far", set.len()));
    let lost = |error: &hrm_emulator::LinkError| {
        told.borrow().aside(|| eprintln!("the board is lost ({error}); waiting for it"));
    };
    let policy = Policy { budget: args.budget, ..Policy::trained_for(segments) };
    let mut cut_off = 0;
    for (index, row) in set.iter().enumerate() {
        let began = Instant::now();
        let different = differ(&mut host, (index, row.question), segments, |host, ask, expected| {
            session.call(|link| compare(host, link, ask, expected), lost)
        })?;
        if let Some(different) = different {
            drop(told);
            println!("DIFFERENT: {different}");
            return Ok(Exit::Error);
        }
        if index == 0 {
            let [least, most] = times(began.elapsed(), set.len(), segments, args.budget).map(span);
            told.borrow().aside(|| args.progress.note(&format!("this takes {least} to {most} in all")));
        }
        if args.budget > 0 {
            let mut solver = Solver::new(task, row.question, policy);
            let ours = solver.run(&mut host, &mut ());
            cut_off += usize::from(ours.stop == Stop::SegmentBudget);
            let solve = Solve { policy, time_ms: 0, progress: true, tokens: row.question };
            let theirs = session.call(
                |link| {
                    link.solve(&solve, |progress, _| {
                        told.borrow_mut().within(|| format!("solving, segment {}", progress.segments));
                    })
                },
                lost,
            )?;
            if theirs.answer() != ours {
                drop(told);
                println!("DIFFERENT: puzzle {index} solved: here {ours:?}, there {:?}", theirs.answer());
                return Ok(Exit::Error);
            }
        }
        equal.store(index + 1, Ordering::Relaxed);
        told.borrow_mut().show(index + 1, None);
    }
    drop(told);
    let answers = match (args.budget, cut_off) {
        (0, _) => String::new(),
        (_, 0) => format!("; and {}", count(set.len(), "answer")),
        (_, cut_off) => {
            format!("; and {}, {cut_off} of them where --budget ended the solve", count(set.len(), "answer"))
        }
    };
    println!(
        "equal on {}: {}, {}, {} operation groups each{answers}",
        hello.board,
        count(set.len(), "puzzle"),
        count(set.len() * usize::from(segments), "segment"),
        Op::ALL.len(),
    );
    Ok(Exit::Success)
}

/// The least and the most seconds that `puzzles` take in all, of which the first had its `segments` compared
/// in `first`: every puzzle may be solved at once, or may spend the whole `budget`.
fn times(first: Duration, puzzles: usize, segments: u16, budget: u32) -> [f64; 2] {
    let compared = first.as_secs_f64() * puzzles as f64;
    let segment = compared / f64::from(segments.max(1));
    [compared + if budget > 0 { segment } else { 0.0 }, compared + segment * f64::from(budget)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_is_told_has_a_bound() {
        // 16 segments of 2.1 s each, as an nRF52840 takes for a 9x9 model.
        let of = |budget| times(Duration::from_secs_f64(33.6), 20, 16, budget).map(f64::round);
        assert_eq!(of(BUDGET), [714.0, 3360.0]);
        assert_eq!(of(0), [672.0, 672.0]);
        assert_eq!(of(u32::MAX)[1], (672.0 + 42.0 * f64::from(u32::MAX)).round());
    }
}
