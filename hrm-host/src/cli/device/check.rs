//! `hrm-host device check`: what docs/FIRST_BOARD.md asks of a board, as far as a program can ask it.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use hrm_core::solve::{Policy, Status, Stop};
use hrm_core::task::Task;
use hrm_core::wire::{Request, Response, SelfTestState, Solve};
use hrm_core::{Hrm, Op, Pack};
use hrm_emulator::board::Hardware;
use hrm_emulator::compare::{compare, host_words};
use hrm_emulator::device::{Port, Session};
use hrm_emulator::{Hello, Link, LinkError, differ};
use hrm_host::quant::AlignedPack;
use hrm_host::task::Game;

use super::{Line, ensure_same_pack, info, task_of};
use crate::cli::exit::Exit;

/// Check a board that is new.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The pack that was flashed
    pack: PathBuf,
    #[command(flatten)]
    line: Line,
    /// Also ask for the board to be unplugged and plugged in again
    #[arg(long)]
    replug: bool,
}

/// Segments that are compared.
const SEGMENTS: u16 = 2;

/// What came of one step: what was seen, or what is wrong.
type Step = Result<String, String>;

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> Result<Exit> {
    let file = AlignedPack::read(&args.pack)?;
    let pack = file.open()?;
    let mut session = args.line.open()?;
    let hello = session.hello().clone();
    ensure_same_pack(&hello, (&pack, &args.pack))?;
    let question = question(task_of(&hello)?, &pack)?;
    println!(
        "board       {}, firmware {}, pack {:08x} ({})",
        hello.board, hello.firmware, hello.pack_crc, hello.task
    );

    let mut failed = 0;
    let mut told = |name: &str, step: Result<Step, String>| {
        let (verdict, what) = match step {
            Ok(Ok(what)) => ("ok", what),
            Ok(Err(what)) | Err(what) => ("FAILED", what),
        };
        failed += usize::from(verdict != "ok");
        println!("{name:<11} {verdict:<6} {what}");
    };
    told("last end", Ok(Ok(info::ending(hello.last_end))));
    told(
        "self-test",
        asked(&mut session, |link| link.self_test()).map(|state| self_test(state, &hello.board)),
    );
    let mut memory = vec![0; host_words(pack.shape(), &hello)];
    let mut host = Hrm::new(pack, &mut memory)?;
    let compared = differ(&mut host, (0, &question), SEGMENTS, |host, ask, expected| {
        asked(&mut session, |link| compare(host, link, ask, expected))
    });
    told(
        "same bits",
        compared.map(|different| match different {
            None => Ok(format!("{SEGMENTS} segments, {} operations each", Op::ALL.len())),
            Some(different) => Err(different.difference.to_string()),
        }),
    );
    told("solve", solve(&mut session, &question).map(Ok));
    told("speed", speed(&mut session, &hello, pack.bytes() as u64, &question).map(Ok));
    told("cancel", cancel(&mut session, &question));
    if args.replug {
        println!("            unplug the board, wait three seconds, and plug it in again");
        told("replug", replug(&mut session));
    }
    told("stack", asked(&mut session, |link| link.hello()).map(stack));
    println!(
        "\n{}",
        if failed == 0 { "everything that a program can ask of it is in order" } else { "NOT in order" }
    );
    Ok(if failed == 0 { Exit::Success } else { Exit::Error })
}

/// The grid without givens, where that is a puzzle: no guess need solve it. Else the first
/// of the pack's self-test that is one: others may have hints.
fn question(task: Game, pack: &Pack<'_>) -> Result<Vec<u8>> {
    let blank = vec![task.blank(); task.cells()];
    if task.refuse(&blank).is_none() {
        return Ok(blank);
    }
    let test = pack.self_test();
    let mut tested = test.iter().flat_map(|test| (0..test.digests.len()).filter_map(|row| test.row(row)));
    let (puzzle, _) = tested.find(|(puzzle, _)| task.refuse(puzzle).is_none()).context(
        "the pack has no self-test, and its task no puzzle that is known to everybody; export it anew",
    )?;
    Ok(puzzle.to_vec())
}

/// What the board answers, or how it failed to, in words.
fn asked<A>(
    session: &mut Session,
    talk: impl FnMut(&mut Link<Port>) -> Result<A, LinkError>,
) -> Result<A, String> {
    session
        .call(talk, |error| eprintln!("the board is lost ({error}); waiting for it"))
        .map_err(|error| error.to_string())
}

fn self_test(state: SelfTestState, board: &str) -> Step {
    match state {
        SelfTestState::Passed { .. } | SelfTestState::Absent => Ok(info::in_words(state, board)),
        SelfTestState::Running | SelfTestState::Failed { .. } => Err(info::in_words(state, board)),
    }
}

/// One guess on the question: whatever comes of it, the board must say so.
fn solve(session: &mut Session, question: &[u8]) -> Result<String, String> {
    let policy = Policy { guesses: 1, ..Policy::papers() };
    let solve = Solve { policy, time_ms: 0, progress: true, tokens: question };
    let mut grids = 0;
    let done = asked(session, |link| link.solve(&solve, |_, _| grids += 1))?;
    let how = match done.status {
        Status::Solved => "solved",
        Status::Voted | Status::Unproven => "unproven",
        Status::Refused(refusal) => return Err(format!("the board refuses the question: {refusal}")),
    };
    Ok(format!("{how} after {} segments, {grids} of them watched", done.segments))
}

/// Seconds a segment, beside the estimate.
fn speed(session: &mut Session, hello: &Hello, pack_bytes: u64, question: &[u8]) -> Result<String, String> {
    let policy = Policy { guesses: 1, first_segments: 4, stop_when_settled: false, ..Policy::papers() };
    let solve = Solve { policy, time_ms: 0, progress: false, tokens: question };
    let start = Instant::now();
    let done = asked(session, |link| link.solve(&solve, |_, _| {}))?;
    let seconds = done.micros.map_or(start.elapsed().as_secs_f64(), |micros| micros as f64 / 1e6);
    let each = seconds / f64::from(done.segments.max(1));
    let estimate =
        Hardware::find(&hello.board).map(|board| board.seconds_a_segment(pack_bytes, &hello.shape));
    Ok(match estimate {
        Some(estimate) => {
            format!("{each:.3} s a segment, {:.2} times the estimate of {estimate:.3} s", each / estimate)
        }
        None => format!("{each:.3} s a segment; an emulated board, whose time says nothing"),
    })
}

/// A long search must end at once where it is told to.
fn cancel(session: &mut Session, question: &[u8]) -> Result<Step, String> {
    let policy = Policy { guesses: u16::MAX, ..Policy::for_model(&session.hello().shape) };
    let impossible = Solve { policy, time_ms: 0, progress: false, tokens: question };
    let start = Instant::now();
    let stop = asked(session, |link| {
        let id = link.send(&Request::Solve(impossible))?;
        link.send(&Request::Cancel)?;
        link.answer(id, |response| match response {
            Response::Answer { answer, .. } => Ok(answer.stop),
            other => Err(other),
        })
    })?;
    let after = start.elapsed().as_secs_f64();
    Ok(match stop {
        // A board that is quick, or a puzzle that it likes, may be done before.
        Stop::Cancelled | Stop::Accepted => Ok(format!("{stop:?} after {after:.2} s")),
        other => Err(format!("it ended with {other:?}")),
    })
}

/// The line must be lost, and the board must come back as it was.
fn replug(session: &mut Session) -> Result<Step, String> {
    let mut lost = false;
    let end = Instant::now() + std::time::Duration::from_secs(60);
    while !lost && Instant::now() < end {
        session.call(|link| link.hello(), |_| lost = true).map_err(|error| error.to_string())?;
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
    Ok(if lost {
        Ok("it was lost and came back".into())
    } else {
        Err("it was never lost within a minute".into())
    })
}

fn stack(hello: Hello) -> Step {
    let (used, all) = (hello.memory.stack_used, hello.memory.stack);
    let what = format!("{used} of {all} bytes at most so far");
    if used < all { Ok(what) } else { Err(what) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_released_pack_has_a_question_that_its_task_takes() {
        let models = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../models");
        let files = fs::read_dir(models).unwrap().map(|file| file.unwrap().path());
        let packs: Vec<PathBuf> =
            files.filter(|path| path.extension().is_some_and(|it| it == "hrm")).collect();
        assert!(packs.len() > 4);
        for path in packs {
            let file = AlignedPack::read(&path).unwrap();
            let pack = file.open().unwrap();
            let task = Game::named(pack.header().unwrap().task).unwrap();
            let asked = question(task, &pack).unwrap();
            assert_eq!(task.refuse(&asked), None, "{}", path.display());
        }
    }
}
