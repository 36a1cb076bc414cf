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
        let _ = write!(text, "\nan exact search says: {}", truth(task, exact.as_ref(), puzzle, answer));
    }
    text
}

fn line(task: &Game, index: usize, answer: &Answer<'_>) -> String {
    format!("{:>5}  {}  {}", index + 1, task.text(answer.grid), headline(task, answer))
}

pub(super) fn headline(task: &Game, answer: &Answer<'_>) -> String {
    let guesses = plural(answer.guesses.into(), "guess", "guesses");
    let work = format!("{guesses}, {}", plural(answer.segments, "segment", "segments"));
    match (answer.status, answer.stop) {
        (Status::Solved, Stop::Given) => "solved already: complete and valid as given".into(),
        (Status::Solved, _) => format!("solved after {work}"),
        (Status::Voted, _) => format!("voted, {} after {work}", votes(answer)),
        (Status::Unproven, _) => format!("unproven after {work}{}", unproven(answer)),
        (Status::Refused(refusal), _) => format!("refused: {}", task.told(refusal)),
    }
}

/// What there is to say of a grid that nothing proves.
fn unproven(answer: &Answer<'_>) -> String {
    let Some(found) = answer.found else { return ": no guess came to a grid".into() };
    match (found.violations.map(|n| count(n as usize, "violation")), answer.votes) {
        (Some(violations), 0) => format!("; the best grid that a guess ended on has {violations}"),
        (Some(violations), _) => {
            format!("; the grid that most guesses ended on ({}) has {violations}", votes(answer))
        }
        // From here on no checker was asked.
        (None, 1..) => format!(": {} for the grid, and guesses were left", votes(answer)),
        (None, 0) if !found.halted => ": no guess halted, so none has voted".into(),
        (None, 0) if found.ended == Some(GuessEnd::CutOff) => {
            ": none has voted, and the best guess was cut off".into()
        }
        // A guess that halts votes, unless it waits for a checker.
        (None, 0) => ": this task has no checker, and guesses vote by --rule majority alone".into(),
    }
}

fn votes(answer: &Answer<'_>) -> String {
    plural(answer.votes.into(), "vote", "votes")
}

fn plural(number: u32, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}

/// What an exact search says of a puzzle that the model left unproven.
fn truth(task: &Game, exact: &dyn Exact, puzzle: &[u8], answer: &Answer<'_>) -> String {
    // Where nobody asked the checker, the grid may be an answer all the same.
    let is_right = task.accepts(puzzle, answer.grid);
    match (solutions(exact, puzzle, u64::MAX), answer.stop) {
        (Some(Solutions::None), _) => exact.misunderstood(puzzle).unwrap_or("this puzzle has no solution").into(),
        (Some(Solutions::Several), _) if is_right => {
            "this puzzle has several solutions, and the grid is one of them".into()
        }
        (Some(Solutions::Several), _) => "this puzzle has several solutions".into(),
        _ if is_right => "the grid is this puzzle's one solution".into(),
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use hrm_core::solve::Rule;
    use hrm_host::quant::AlignedPack;

    use super::*;

    fn tokens(text: &str) -> Vec<u8> {
        text.bytes().map(|c| if c == b'.' { 1 } else { c - b'0' + 1 }).collect()
    }

    /// Whether `page`, `line` and `json` tell the same of an answer, and nothing that is not so.
    fn agree(task: &Game, puzzle: &[u8], answer: &Answer<'_>) -> String {
        let (head, whole) = (headline(task, answer), page(task, puzzle, answer));
        let json: serde_json::Value = serde_json::from_str(&json(task, puzzle, answer, None)).unwrap();
        let text = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
        assert!(whole.starts_with(&head) && line(task, 0, answer).ends_with(&head), "{whole}");
        assert!(head.starts_with(&text("status")), "{head}\n{json}");
        assert!(json["grid"].is_null() || whole.contains(&text("grid")), "{whole}\n{json}");
        if text("status") == "refused" {
            assert!(head.contains(&text("refusal")), "{head}\n{json}");
            return head;
        }
        if answer.stop != Stop::Given {
            let number = |key: &str| json[key].as_u64().unwrap();
            let work = [("guess", number("guesses")), ("segment", number("segments"))];
            assert!(work.iter().all(|(of, n)| head.contains(&format!("{n} {of}"))), "{head}\n{json}");
        }
        if text("status") == "solved" {
            return head;
        }
        let votes = json["votes"].as_u64().unwrap();
        assert_eq!(votes > 0, head.contains(&format!("{votes} vote")), "{head}\n{json}");
        let violations = json["found"]["violations"].as_u64();
        assert_eq!(
            violations.is_some(),
            head.contains(&format!(" has {} violation", violations.unwrap_or_default())),
            "{head}\n{json}"
        );
        if head.contains("no guess halted") {
            assert!(votes == 0 && json["found"]["halted"] == false, "{head}\n{json}");
        }
        let right = task.accepts(puzzle, answer.grid);
        let told = whole.split_once("an exact search says: ").map(|(_, told)| told);
        assert_eq!(told.is_some(), text("status") == "unproven", "{whole}");
        if let Some(told) = told {
            let found = told.contains("the grid is");
            assert_eq!(found, right, "{whole}");
            assert!(!(right && told.contains("did not find")), "{whole}");
        }
        head
    }

    #[test]
    fn text_and_json_agree_at_every_end_of_a_solve_by_every_rule() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let bytes = AlignedPack::read(&root.join("models/sudoku4-demo.hrm")).unwrap();
        let pack = bytes.open().unwrap();
        let task = Game::named("sudoku4").unwrap();
        let mut memory = vec![0; ample_words(pack.shape())];
        let mut model = Hrm::new(pack, &mut memory).unwrap();
        let puzzles = [
            "1.....2..3.....4",
            ".....1..1.43.31.", // two answers
            "123....4........", // none
            "................",
            "1234341221434321",
            "11..............",
        ];
        let mut ends = BTreeSet::new();
        for rule in [Rule::Checked, Rule::Majority, Rule::Unchecked] {
            for halts in [false, true] {
                let usual = match rule {
                    Rule::Checked => Policy { guesses: 12, ..Policy::for_model(pack.shape()) },
                    _ => Policy::papers(),
                };
                let usual = Policy { rule, stop_on_halt: halts, first_segments: 4, ..usual };
                for puzzle in puzzles {
                    let puzzle = tokens(puzzle);
                    let mut check = |policy: Policy, cancel: Option<usize>| {
                        let mut solver = Solver::new(task, &puzzle, policy);
                        match cancel {
                            Some(after) => {
                                for _ in 0..after {
                                    let _ = solver.advance(&mut model, &mut ());
                                }
                                solver.cancel();
                            }
                            None => drop(solver.run(&mut model, &mut ())),
                        }
                        let answer = solver.answer().unwrap();
                        let head = agree(&task, &puzzle, &answer);
                        let words: String = head.chars().filter(|c| !c.is_ascii_digit()).collect();
                        ends.insert(words.replace("guesses", "guess").replace("segments", "segment"));
                    };
                    check(usual, None);
                    (1..40).for_each(|budget| check(Policy { budget, ..usual }, None));
                    (1..4).for_each(|guesses| check(Policy { guesses, ..usual }, None));
                    (0..12).for_each(|after| check(usual, Some(after)));
                }
            }
        }
        let met = |text: &str| assert!(ends.iter().any(|end| end.contains(text)), "{text}: {ends:#?}");
        for text in [
            "solved after",
            "solved already",
            "refused",
            "voted, ",
            "best grid that a guess ended on has",
            "that most guess ended on ( vote",
            "vote for the grid, and guess",
            "no guess halted",
            "no guess came to a grid",
        ] {
            met(text);
        }
    }

    /// Of a task that has no checker, by whatever rule.
    #[test]
    fn a_grid_that_nobody_judges_is_told_as_what_it_is() {
        let task = Game::named("sudoku4").unwrap();
        let puzzle = tokens("1.....2..3.....4");
        let end = |halted, ended, votes| {
            let found = Progress { halted, ended: Some(ended), ..Progress::default() };
            let answer = Answer {
                status: Status::Unproven,
                stop: Stop::GuessesUsed,
                guesses: 3,
                segments: 9,
                last_guess: Some(ended),
                found: Some(found),
                votes,
                grid: &puzzle,
            };
            agree(&task, &puzzle, &answer)
        };
        let work = "unproven after 3 guesses, 9 segments: ";
        assert_eq!(end(false, GuessEnd::Unchanged, 0), format!("{work}no guess halted, so none has voted"));
        assert!(
            end(true, GuessEnd::Unchanged, 0).contains("no checker, and guesses vote by --rule majority")
        );
        assert!(end(true, GuessEnd::CutOff, 0).ends_with("none has voted, and the best guess was cut off"));
        assert!(end(true, GuessEnd::Halted, 2).ends_with(": 2 votes for the grid, and guesses were left"));
        assert!(end(true, GuessEnd::Halted, 1).ends_with(": 1 vote for the grid, and guesses were left"));
    }
}
