//! `hrm-host device verify`

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use hrm_core::solve::{Policy, Solver};
use hrm_core::wire::Solve;
use hrm_core::{Hrm, Op};
use hrm_emulator::compare::{compare, host_words};
use hrm_emulator::differ;
use hrm_host::quant::AlignedPack;

use super::{Line, ensure_same_pack, task_of};
use crate::cli::exit::Exit;
use crate::cli::progress::ProgressArgs;
use crate::cli::values::{at_least_1, count, from_0};
use crate::cli::{PuzzleFile, draw_rows, interrupt};

/// Prove that a board computes the same bits as this machine: every operation of every
/// segment, and whole solves.
///
/// Exit code 1 where they differ; the first difference is named by segment, operation and index. Ctrl-C tells
/// how many puzzles were equal by then.
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
    #[command(flatten)]
    line: Line,
    #[command(flatten)]
    progress: ProgressArgs,
}

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
    args.progress.note(&format!(
        "comparing {} with {}: {}, {} and a whole solve each",
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
    let policy = Policy::trained_for(segments);
    for (index, row) in set.iter().enumerate() {
        let different = differ(&mut host, (index, row.question), segments, |host, ask, expected| {
            session.call(|link| compare(host, link, ask, expected), lost)
        })?;
        if let Some(different) = different {
            drop(told);
            println!("DIFFERENT: {different}");
            return Ok(Exit::Error);
        }
        let mut solver = Solver::new(task, row.question, policy);
        let ours = solver.run(&mut host, &mut ());
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
        equal.store(index + 1, Ordering::Relaxed);
        told.borrow_mut().show(index + 1, None);
    }
    drop(told);
    println!(
        "equal on {}: {}, {}, {} operation groups each; and {}",
        hello.board,
        count(set.len(), "puzzle"),
        count(set.len() * usize::from(segments), "segment"),
        Op::ALL.len(),
        count(set.len(), "answer")
    );
    Ok(Exit::Success)
}
