//! `hrm-host device solve`

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, ensure};
use hrm_core::solve::{Answer, Status};
use hrm_core::{task::Task, wire::Solve};

use super::{Line, task_of};
use crate::cli::exit::Exit;
use crate::cli::interrupt;
use crate::cli::policy::PolicyArgs;
use crate::cli::progress::ProgressArgs;
use crate::cli::puzzles::{PuzzleArgs, Score};
use crate::cli::solve::{headline, json};
use crate::cli::values::{count, from_0};

/// Let a board solve puzzles.
///
/// Exit code 0 where every puzzle was solved, 4 where one is unproven, 3 where one is no puzzle. Ctrl-C tells
/// how many were solved by then.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    puzzles: PuzzleArgs,
    #[command(flatten)]
    policy: PolicyArgs,
    /// Most milliseconds for a puzzle, on the board's clock; 0 for as long as it takes
    #[arg(long, default_value_t = 0, value_name = "MS", value_parser = from_0::<u32>)]
    time: u32,
    #[command(flatten)]
    line: Line,
    #[command(flatten)]
    progress: ProgressArgs,
    /// Print one JSON object a puzzle
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> Result<Exit> {
    let mut session = args.line.open()?;
    let task = task_of(session.hello())?;
    let policy = args.policy.policy(session.hello().shape.segments)?;
    let puzzles = args.puzzles.read(&task)?;
    let told = RefCell::new(args.progress.start_only("solving", puzzles.len()));
    let aside = |line: &str| told.borrow().aside(|| println!("{line}"));
    let mut score = Score::default();
    let by_then = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let (known, all) = (Arc::clone(&by_then), puzzles.len());
    interrupt::tell(move || {
        let [asked, solved] = known.each_ref().map(|count| count.load(Ordering::Relaxed));
        format!("solved {solved} of the {asked} that have an answer, of {} in all", count(all, "puzzle"))
    });
    let done_with = |score: &Score| {
        let [asked, solved] = &*by_then;
        solved.store(score.solved(), Ordering::Relaxed);
        asked.store(score.asked(), Ordering::Relaxed);
        told.borrow_mut().show(score.asked(), Some(score.solved()));
    };
    for (index, asked) in puzzles.iter().enumerate() {
        let tokens = match &asked.tokens {
            Ok(tokens) => tokens,
            Err(problem) => {
                score.add_none();
                aside(&asked.refusal(problem, args.json, Some(index)));
                done_with(&score);
                continue;
            }
        };
        // Progress of every segment also tells a board that is lost from one that thinks.
        let solve = Solve { policy, time_ms: args.time, progress: true, tokens };
        let done = session.call(
            |link| {
                link.solve(&solve, |progress, _| {
                    let how_far = || format!("guess {}, segment {}", progress.guess + 1, progress.segment);
                    told.borrow_mut().within(how_far);
                })
            },
            |error| told.borrow().aside(|| eprintln!("the board is lost ({error}); waiting for it")),
        )?;
        let answer = done.answer();
        holds(&task, tokens, &answer)?;
        score.add(answer.status);
        let line = if args.json {
            json(&task, tokens, &answer, None)
        } else {
            let time = done.micros.map_or(String::new(), |micros| format!(", {:.1} ms", micros as f64 / 1e3));
            let late = if done.out_of_time { ", out of time" } else { "" };
            format!("{:>5}  {}  {}{time}{late}", index + 1, task.text(answer.grid), headline(&task, &answer))
        };
        aside(&line);
        done_with(&score);
    }
    drop(told);
    Ok(score.finish())
}

/// An error where the board calls a grid solved that does not answer `puzzle`, which no sound board does.
fn holds(task: &impl Task, puzzle: &[u8], answer: &Answer<'_>) -> Result<()> {
    let wrong =
        answer.status == Status::Solved && task.violations(puzzle, answer.grid).is_some_and(|n| n > 0);
    ensure!(
        !wrong,
        "the board calls this solved, and it does not answer the puzzle: {}\n\
         its program, or what is on the line between, is not to be trusted; \
         `hrm-host device verify` tells more",
        task.text(answer.grid)
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hrm_core::solve::Stop;
    use hrm_core::task::sudoku::Sudoku;

    #[test]
    fn what_a_board_calls_solved_is_checked_here() {
        let task = Sudoku::named("sudoku4").unwrap();
        let tokens = |text: &str| text.bytes().map(|c| c - b'0' + 1).collect::<Vec<u8>>();
        let puzzle = tokens("1000020000300004");
        let said = |status, grid: &[u8]| {
            let answer = Answer {
                status,
                stop: Stop::Accepted,
                guesses: 1,
                segments: 2,
                last_guess: None,
                found: None,
                votes: 0,
                grid,
            };
            holds(&task, &puzzle, &answer)
        };
        let right = tokens("1342421324313124");
        assert!(said(Status::Solved, &right).is_ok());
        let other = tokens("2341412314323214");
        assert!(said(Status::Solved, &other).is_err(), "a valid grid with other givens");
        let mut wrong = right;
        wrong.swap(1, 2);
        let error = said(Status::Solved, &wrong).unwrap_err().to_string();
        assert!(error.contains("does not answer the puzzle: 1432"), "{error}");
        assert!(said(Status::Unproven, &wrong).is_ok(), "an unproven grid may be anything");
    }
}
