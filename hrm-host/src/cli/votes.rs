//! `hrm-host eval --vote`: every puzzle by perturbation voting, kept and resumed where that is asked for.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;

use anyhow::{Result, ensure};
use hrm_core::Pack;
use hrm_core::solve::{Policy, Rule, Status};
use hrm_core::task::Task;
use hrm_host::data::PuzzleSet;
use hrm_host::data::hints::with_hints;
use hrm_host::train::eval::wilson;
use hrm_host::vote::record::{Files, Heading, Record, RecordError};
use hrm_host::vote::{Outcome, Verdict, solve_rows, verdict};
use serde::Serialize;

use super::eval::Args;
use super::exit::Exit;
use super::policy::told;
use super::progress::Progress;
use super::shard::Shard;
use super::values::count;
use super::{Drawn, doubling, draw, interrupt};

/// So many puzzles with several solutions are named; there may be thousands.
const NAMED: usize = 10;

/// One share of hints.
#[derive(Serialize)]
struct Level {
    hints: u8,
    verdict: Verdict,
    /// Puzzles whose valid grid is not the set's answer, because they have several solutions.
    puzzles_with_several_solutions: Vec<Several>,
}

/// A puzzle with several solutions.
#[derive(Serialize)]
struct Several {
    /// Its place in the puzzle file, from 1.
    puzzle: usize,
    question: String,
}

/// Solves every puzzle by voting at every hint level and prints the table.
pub(super) fn votes(args: &Args, pack: Pack<'_>, about: &str, files: Option<Files>) -> Result<Exit> {
    let policy = args.policy.policy(pack.shape().segments)?;
    let drawn = draw(&args.file, pack.header()?.task, args.rows, args.seed)?;
    let rows = drawn.set.len();
    let heading = || Heading::new(pack.crc(), drawn.mark.clone(), (rows, args.seed), &args.hints, policy);
    let record = files.map(|files| files.read(&heading(), &drawn.places)).transpose()?;
    let own: Vec<usize> = args.shard.unwrap_or(Shard::WHOLE).rows(rows).collect();
    let stop = interrupt::watch();
    ensure!(!own.is_empty(), "--shard: that part has none of the {rows} puzzles drawn; nothing is measured");
    let known = |row, hints| record.as_ref().is_some_and(|record| record.get(hints, row).is_some());
    let todo = args.hints.iter().map(|&hints| own.iter().filter(|&&row| !known(row, hints)).count()).sum();
    let progress = args.progress.start(todo);
    let mut work = Work { pack, policy, drawn: &drawn, own: &own, record, failed: None, stop, progress };
    if !args.json {
        println!("{about}");
        println!(
            "{} of {}, seed {}; {}",
            count(rows, "puzzle"),
            args.file.data.display(),
            args.seed,
            told(&policy)
        );
        println!(
            "hints %   solved %   95 % interval    wrong called solved   several solutions   guesses   segments   solved % within 1, 2, 4, 8 ... guesses"
        );
    }
    let mut levels = Vec::new();
    let mut missing = 0;
    for &hints in &args.hints {
        let eased = with_hints(&drawn.set, hints, args.seed);
        let known = work.level(hints, &eased)?;
        missing += own.iter().filter(|row| !known.contains_key(row)).count();
        if !known.is_empty() {
            let level = Level::of(hints, &known, (&eased, &drawn.places));
            if !args.json {
                work.progress.aside(|| print!("{}", level.text(rows, policy.rule == Rule::Unchecked)));
            }
            levels.push(level);
        }
    }
    if args.json {
        let report = serde_json::json!({
            "model": about, "data": args.file.data, "seed": args.seed, "policy": policy, "rows": rows,
            "complete": levels.iter().all(|level| level.verdict.rows == rows) && missing == 0, "levels": levels,
        });
        println!("{}", serde_json::to_string_pretty(&report)?);
    }
    let kept = work.record.is_some();
    drop(work.progress);
    let wrong: usize = levels.iter().map(|level| level.verdict.wrongly_solved).sum();
    match work.failed {
        Some(error) => Err(error.into()),
        None if missing > 0 => {
            let advice =
                if kept { "the same command goes on" } else { "--resume FILE would have kept what is done" };
            eprintln!(
                "interrupted: {missing} of {} puzzles are left; {advice}",
                own.len() * args.hints.len()
            );
            Ok(Exit::Interrupted)
        }
        None if wrong > 0 => {
            eprintln!(
                "error: {wrong} puzzles are called solved with a grid that does not answer them, of which there can be none; please \
                 report it"
            );
            Ok(Exit::Error)
        }
        None => Ok(Exit::Success),
    }
}

/// What is to be done, and what came of it.
struct Work<'a> {
    pack: Pack<'a>,
    policy: Policy,
    drawn: &'a Drawn,
    /// The rows of this shard.
    own: &'a [usize],
    record: Option<Record>,
    /// Why results can no longer be kept.
    failed: Option<RecordError>,
    stop: &'a AtomicBool,
    progress: Progress,
}

impl Work<'_> {
    /// All that is known of the rows of `eased`, after those of this shard that were not known were solved:
    /// fewer where that was stopped.
    fn level(&mut self, hints: u8, eased: &PuzzleSet) -> Result<BTreeMap<usize, Outcome>> {
        let earlier = |row| Some((row, self.record.as_ref()?.get(hints, row)?));
        let mut known: BTreeMap<usize, Outcome> = (0..eased.len()).filter_map(earlier).collect();
        let todo = self.own.iter().copied().filter(|row| self.failed.is_none() && !known.contains_key(row));
        let todo: Vec<usize> = todo.collect();
        let solves = |outcome: &Outcome| outcome.status == Status::Solved;
        let mut solved = known.values().filter(|outcome| solves(outcome)).count();
        let span = (known.len(), known.len() + todo.len());
        self.progress.stage(format!("{hints} % hints"), span);
        let (record, failed, stop, places, progress) =
            (&mut self.record, &mut self.failed, self.stop, &self.drawn.places, &mut self.progress);
        solve_rows(self.pack, eased, &todo, self.policy, stop, |row, outcome| {
            if let Some(Err(error)) =
                record.as_mut().map(|record| record.add(hints, (row, places[row]), outcome))
            {
                *failed = Some(error);
                // Without a place to keep them, results would be lost: what is known
                // is told, and that is all.
                return ControlFlow::Break(());
            }
            known.insert(row, outcome);
            solved += usize::from(solves(&outcome));
            progress.show(known.len(), Some(solved));
            ControlFlow::Continue(())
        })?;
        Ok(known)
    }
}

impl Level {
    fn of(hints: u8, known: &BTreeMap<usize, Outcome>, (eased, places): (&PuzzleSet, &[usize])) -> Self {
        let outcomes: Vec<Outcome> = known.values().copied().collect();
        let several = known.iter().filter(|(_, outcome)| outcome.several).map(|(&row, _)| Several {
            puzzle: places[row],
            question: eased.task().text(eased.question(row)).to_string(),
        });
        Level { hints, verdict: verdict(&outcomes), puzzles_with_several_solutions: several.collect() }
    }

    /// The table's row, with what is to be said about it, of `rows` puzzles in all;
    /// `unchecked` as the rule wants it.
    fn text(&self, rows: usize, unchecked: bool) -> String {
        let v = &self.verdict;
        let percent = |count: usize| 100.0 * count as f64 / v.rows.max(1) as f64;
        // The last place is one by which every puzzle is solved that ever is.
        let mut by_guess = v.by_guess.clone();
        by_guess.resize(by_guess.len().next_power_of_two(), v.solved);
        let mut text = format!(
            "{:>7}   {:>8.1}   {:>5.1} to {:>5.1}   {:>19}   {:>17}   {:>7.2}   {:>8.1}   {}\n",
            self.hints,
            percent(v.solved),
            100.0 * v.interval[0],
            100.0 * v.interval[1],
            v.wrongly_solved,
            v.several_solutions,
            v.mean_guesses,
            v.mean_segments,
            doubling(&by_guess, |solved| format!("{:.1}", percent(*solved))),
        );
        if v.voted > 0 || unchecked {
            let [from, to] = wilson(v.voted_right, v.rows).map(|share| 100.0 * share);
            text += &format!(
                "          not checked: {} of {} puzzles got a grid by vote, {} ({from:.1} to {to:.1} %) of them the right one\n",
                v.voted, v.rows, v.voted_right
            );
        }
        if v.rows < rows {
            text += &format!("          of {} of the {rows} puzzles\n", v.rows);
        }
        for Several { puzzle, question } in self.puzzles_with_several_solutions.iter().take(NAMED) {
            text += &format!("          puzzle {puzzle} has several solutions: {question}\n");
        }
        if self.puzzles_with_several_solutions.len() > NAMED {
            text += &format!(
                "          and {} more of them (all with --json)\n",
                self.puzzles_with_several_solutions.len() - NAMED
            );
        }
        text
    }
}
