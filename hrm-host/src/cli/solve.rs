//! `hrm-host solve`

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{stderr, stdout};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};
use hrm_core::digest::ThoughtDigest;
use hrm_core::solve::{Answer, GuessEnd, Policy, Progress, Solver, Status, Step, Stop};
use hrm_core::task::Task;
use hrm_core::{Hrm, Pack, Shape, ample_words};
use hrm_host::data::several::{Solutions, solutions};
use hrm_host::queue::work_off;
use hrm_host::task::{self, Exact, Game, View};

use super::exit::Exit;
use super::interrupt;
use super::model::pack_for;
use super::policy::PolicyArgs;
use super::progress::ProgressArgs;
use super::puzzles::{Asked, PuzzleArgs, Score, is_cells};
use super::terminal;
use super::values::{LOGIT, Misuse, Tasks, count, threads};

/// Solve puzzles with a pack, exactly as a microcontroller does.
///
/// A puzzle is one text: a character a cell, row by row (Sudoku: a digit, `.` or `0` for a blank);
/// docs/PUZZLE_FILES.md lists what else is read. A grid is called solved only where it keeps the givens and
/// breaks no rule; otherwise the best grid that a guess ended on is shown and called unproven.
///
/// Exit code 0 where every puzzle was solved, 4 where one is unproven, 3 where one is no puzzle.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Pack
    pack: PathBuf,
    /// Use the model on another size of its task, for example maze15x15: where its weights
    /// do not depend on the size
    #[arg(long, value_name = "TASK", value_parser = Tasks, hide_possible_values = true)]
    task: Option<Game>,
    #[command(flatten)]
    puzzles: PuzzleArgs,
    #[command(flatten)]
    policy: PolicyArgs,
    /// Show the grid after every segment
    #[arg(long)]
    watch: bool,
    /// Threads, each with a puzzle of its own; all processors by default
    #[arg(long, value_name = "N", conflicts_with = "watch", value_parser = threads)]
    threads: Option<usize>,
    #[command(flatten)]
    progress: ProgressArgs,
    /// Print one JSON object a puzzle
    #[arg(long, conflicts_with = "watch")]
    json: bool,
}

/// Runs the subcommand.
pub(super) fn run(args: Args) -> Result<Exit> {
    hrm_host::threads::use_threads(args.threads)?;
    if is_cells(&args.pack.to_string_lossy()) && !args.pack.exists() {
        bail!(Misuse(format!(
            "{} is a puzzle, and stands where the pack belongs: hrm-host solve PACK PUZZLE",
            args.pack.display()
        )));
    }
    let file = pack_for(&args.pack, args.task)?;
    let pack = file.open()?;
    let task =
        task::find(pack.header()?.task).with_context(|| format!("{} cannot be used", args.pack.display()))?;
    let policy = args.policy.policy(pack.shape().segments)?;
    let puzzles = args.puzzles.read(&task)?;
    let solving = Solving { task, pack, policy, puzzles: &puzzles, json: args.json };
    if args.watch { solving.one_by_one() } else { solving.on_all_threads(args.progress) }
}

/// The puzzles of a command line, and how they are to be solved.
struct Solving<'a> {
    task: Game,
    pack: Pack<'a>,
    policy: Policy,
    puzzles: &'a [Asked],
    json: bool,
}

impl Solving<'_> {
    /// Solves the puzzles in turn while they are watched.
    fn one_by_one(&self) -> Result<Exit> {
        let mut memory = self.memory();
        let mut model = Hrm::new(self.pack, &mut memory)?;
        let mut score = Score::default();
        for (index, asked) in self.puzzles.iter().enumerate() {
            let Ok(puzzle) = &asked.tokens else {
                score.add_none();
                println!("{}", self.refusal(index));
                continue;
            };
            let mut solver = Solver::new(self.task, puzzle, self.policy);
            let (answer, digest) = watch(&self.task, puzzle, &mut solver, &mut model, &self.policy)?;
            score.add(answer.status);
            println!("{}", self.text(index, puzzle, &answer, digest));
        }
        Ok(score.finish())
    }

    /// Solves the puzzles on all threads and shows the answers in the puzzles' order.
    fn on_all_threads(&self, progress: ProgressArgs) -> Result<Exit> {
        Hrm::new(self.pack, &mut self.memory())?;
        let stop = interrupt::watch();
        let all: Vec<usize> = (0..self.puzzles.len()).collect();
        let mut progress = (all.len() > 1).then(|| progress.start_only("solve", all.len()));
        let (mut score, mut waiting, mut next) = (Score::default(), BTreeMap::new(), 0);
        let solve = |memory: &mut Vec<u32>, index: usize, ended: &AtomicBool| {
            self.solve(memory, index, || ![stop, ended].iter().any(|flag| flag.load(Ordering::Relaxed)))
        };
        work_off(
            &all,
            || self.memory(),
            solve,
            |index, (text, status): (String, Option<Status>)| {
                match status {
                    Some(status) => score.add(status),
                    None => score.add_none(),
                }
                waiting.insert(index, text);
                while let Some(text) = waiting.remove(&next) {
                    let write = || println!("{text}");
                    progress.as_ref().map_or_else(write, |progress| progress.aside(write));
                    next += 1;
                }
                if let Some(progress) = &mut progress {
                    progress.show(score.asked(), Some(score.solved()));
                }
                ControlFlow::Continue(())
            },
        );
        drop(progress);
        if score.asked() == all.len() {
            return Ok(score.finish());
        }
        // What was solved out of turn is shown as well, by its number.
        waiting.values().for_each(|text| println!("{text}"));
        eprintln!("interrupted: {} of {} puzzles are left", all.len() - score.asked(), all.len());
        Ok(Exit::Interrupted)
    }

    /// Memory for a model.
    fn memory(&self) -> Vec<u32> {
        vec![0; ample_words(self.pack.shape())]
    }

    /// Solves puzzle `index`, if it is one, while `go_on` says so; nothing where it was not done by then.
    fn solve(
        &self,
        memory: &mut [u32],
        index: usize,
        go_on: impl Fn() -> bool,
    ) -> Option<(String, Option<Status>)> {
        let Ok(puzzle) = &self.puzzles[index].tokens else {
            return go_on().then(|| (self.refusal(index), None));
        };
        let mut model = Hrm::new(self.pack, memory).ok()?;
        let mut solver = Solver::new(self.task, puzzle, self.policy);
        let mut digest = ThoughtDigest::default();
        while go_on() {
            let done = matches!(solver.advance(&mut model, &mut ()), Step::Done(_));
            digest.after(&solver, &model);
            if let Some(answer) = solver.answer().filter(|_| done) {
                return Some((self.text(index, puzzle, &answer, digest.finish()), Some(answer.status)));
            }
        }
        None
    }

    /// What is printed of puzzle `index`, which is none.
    fn refusal(&self, index: usize) -> String {
        let asked = &self.puzzles[index];
        let several = (self.puzzles.len() > 1).then_some(index);
        asked
            .tokens
            .as_ref()
            .err()
            .map_or_else(String::new, |problem| asked.refusal(problem, self.json, several))
    }

    /// What is printed of an answer.
    fn text(&self, index: usize, puzzle: &[u8], answer: &Answer<'_>, digest: u32) -> String {
        let task = &self.task;
        match (self.json, self.puzzles.len()) {
            (true, _) => json(task, puzzle, answer, Some(digest)),
            (false, 1) => page(task, puzzle, answer),
            (false, _) => line(task, index, answer),
        }
    }
}

/// Solves and shows the grid after every segment: drawn in place on a terminal, a line a segment elsewhere.
fn watch<'s>(
    task: &Game,
    puzzle: &[u8],
    solver: &'s mut Solver<Game>,
    model: &mut Hrm<'_, '_>,
    policy: &Policy,
) -> Result<(Answer<'s>, u32)> {
    let mut digest = ThoughtDigest::default();
    let (redraws, colour) = (terminal::redraws(&stderr()), terminal::colours(&stderr()));
    let mut before = puzzle.to_vec();
    let mut drawn = 0;
    loop {
        let done = matches!(solver.advance(model, &mut ()), Step::Done(_));
        digest.after(solver, model);
        if let Some(progress) = solver.progress() {
            let grid = solver.grid();
            let state = describe(&progress, policy, model.pack().shape());
            let mut text = String::new();
            if redraws {
                if drawn > 0 {
                    let _ = write!(text, "\x1b[{drawn}A\x1b[J");
                }
                let view = View { puzzle, grid, before: &before, colour };
                let _ = writeln!(text, "{state}\n{}", task.picture(&view));
                drawn = text.matches('\n').count();
            } else {
                let _ = writeln!(text, "{}  {state}", task.text(grid));
            }
            eprint!("{text}");
            before.copy_from_slice(grid);
        }
        if done {
            break;
        }
    }
    Ok((solver.answer().context("solving has ended without an answer")?, digest.finish()))
}

fn describe(progress: &Progress, policy: &Policy, shape: &Shape) -> String {
    let mut text = format!(
        "guess {} of at most {}, segment {:>2} of {}, ",
        progress.guess + 1,
        policy.guesses,
        progress.segment,
        policy.most_segments(progress.guess, shape),
    );
    if policy.budget < u32::MAX {
        let _ = write!(text, "{} of --budget {}, ", progress.segments, policy.budget);
    }
    let _ = write!(text, "q_halt {:+.1}", f64::from(progress.confidence) / LOGIT);
    if let Some(violations) = progress.violations {
        let _ = write!(text, ", {:>13}", count(violations as usize, "violation"));
    }
    if let Some(ended) = progress.ended {
        let _ = write!(text, ", {}", ended_how(ended));
    }
    text
}

fn ended_how(ended: GuessEnd) -> String {
    match ended {
        GuessEnd::Accepted => "accepted".into(),
        GuessEnd::Halted => "halted".into(),
        GuessEnd::Settled { period: 1 } => "settled on a fixed point".into(),
        GuessEnd::Settled { period } => format!("settled in a cycle of {period} segments"),
        GuessEnd::SegmentLimit => "out of segments".into(),
        GuessEnd::CutOff => "cut off: the budget is spent".into(),
        GuessEnd::Unchanged => "the grid no longer changes".into(),
        GuessEnd::Doubted => "what it supposes is doubted".into(),
    }
}

/// The whole answer to a single puzzle.
fn page(task: &Game, puzzle: &[u8], answer: &Answer<'_>) -> String {
    let head = headline(task, answer);
    if answer.grid.is_empty() {
        return head;
    }
    let view = View { puzzle, grid: answer.grid, before: puzzle, colour: terminal::colours(&stdout()) };
    let mut text = format!("{head}\n\n{}", task.picture(&view));
    let _ = write!(text, "\n{}", task.text(answer.grid));
    if answer.status == Status::Unproven
        && let Some(exact) = task.exact()
    {
        let _ = write!(text, "\nan exact search says: {}", truth(exact.as_ref(), puzzle, answer));
    }
    text
}

fn line(task: &Game, index: usize, answer: &Answer<'_>) -> String {
    format!("{:>5}  {}  {}", index + 1, task.text(answer.grid), headline(task, answer))
}

pub(super) fn headline(task: &Game, answer: &Answer<'_>) -> String {
    let guesses = if answer.guesses == 1 { "guess" } else { "guesses" };
    let segments = if answer.segments == 1 { "segment" } else { "segments" };
    let work = format!("{} {guesses}, {} {segments}", answer.guesses, answer.segments);
    match (answer.status, answer.stop) {
        (Status::Solved, Stop::Given) => "solved already: complete and valid as given".into(),
        (Status::Solved, _) => format!("solved after {work}"),
        (Status::Voted, _) => format!("voted, {} votes after {work}", answer.votes),
        (Status::Unproven, _) if answer.found.is_some_and(|found| found.violations.is_none()) => {
            format!("no vote after {work}: no guess halted")
        }
        (Status::Unproven, _) => format!(
            "unproven after {work}; the best grid that a guess ended on has {}",
            count(answer.found.and_then(|found| found.violations).unwrap_or_default() as usize, "violation")
        ),
        (Status::Refused(refusal), _) => format!("refused: {}", task.told(refusal)),
    }
}

/// What an exact search says of a puzzle that the model left unproven.
fn truth(exact: &dyn Exact, puzzle: &[u8], answer: &Answer<'_>) -> String {
    match (solutions(exact, puzzle, u64::MAX), answer.stop) {
        (Some(Solutions::None), _) => exact.misunderstood(puzzle).unwrap_or("this puzzle has no solution").into(),
        (Some(Solutions::Several), _) => "this puzzle has several solutions".into(),
        (_, Stop::SegmentBudget) => format!(
            "this puzzle has one solution, which the model did not find within {}; give it a larger --budget",
            count(answer.segments as usize, "segment")
        ),
        _ => {
            "this puzzle has one solution, which the model did not find; try more --guesses or another --policy-seed"
                .into()
        }
    }
}

/// An answer as JSON. `digest` is that of all segments, where this machine has thought them.
pub(super) fn json(task: &Game, puzzle: &[u8], answer: &Answer<'_>, digest: Option<u32>) -> String {
    let status = match answer.status {
        Status::Solved => "solved",
        Status::Voted => "voted",
        Status::Unproven => "unproven",
        Status::Refused(_) => "refused",
    };
    let refusal = match answer.status {
        Status::Refused(refusal) => Some(task.told(refusal)),
        _ => None,
    };
    serde_json::json!({
        "puzzle": task.text(puzzle).to_string(),
        "status": status,
        "grid": (!answer.grid.is_empty()).then(|| task.text(answer.grid).to_string()),
        "refusal": refusal,
        "stop": answer.stop,
        "guesses": answer.guesses,
        "segments": answer.segments,
        "votes": answer.votes,
        "found": answer.found,
        "digest": digest.map(|digest| format!("{digest:08x}")),
    })
    .to_string()
}
