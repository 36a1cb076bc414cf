//! Puzzles named on a command line, and what came of them: for solving here and on a board alike.

use std::io::{IsTerminal, stdin};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use hrm_core::solve::Status;
use hrm_host::data::import::{Columns, ImportError, Notes, questions, questions_in};
use hrm_host::data::problem::Problem;
use hrm_host::data::several::{GUESSES_A_ROW, Solutions, solutions};
use hrm_host::files::shown;
use hrm_host::task::Game;
use rayon::prelude::*;

use super::exit::Exit;
use super::values::Misuse;

/// Which puzzles.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct PuzzleArgs {
    /// Puzzles: a character a cell, row by row (Sudoku: a digit, `.` or `0` for a blank); `-` reads standard
    /// input as --file does, as happens without any puzzle where it is no terminal
    #[arg(value_name = "PUZZLE")]
    puzzles: Vec<String>,
    /// Also the puzzles of this file, plain or gzip: one a line, a CSV with a column of questions, or drawn
    /// grids (.sdm, .sdk, .ss); `-` reads standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Which column of the CSV holds the questions, where its name is unusual: question=NAME
    #[arg(long, value_name = "WHAT=NAME,...")]
    columns: Option<Columns>,
}

/// A puzzle that was asked for.
pub(super) struct Asked {
    /// Where it was read.
    pub(super) place: String,
    /// Its tokens, or why it is no puzzle.
    pub(super) tokens: Result<Vec<u8>, Problem>,
}

impl Asked {
    /// What is told of it where it is no puzzle: one JSON object, or a line with its number among `several`.
    pub(super) fn refusal(&self, problem: &Problem, json: bool, several: Option<usize>) -> String {
        let told = format!("{}: {problem}", self.place);
        match several {
            _ if json => {
                serde_json::json!({ "puzzle": null, "status": "refused", "refusal": told }).to_string()
            }
            Some(index) => format!("{:>5}  refused: {told}", index + 1),
            None => format!("refused: {told}"),
        }
    }
}

impl PuzzleArgs {
    /// All of them, at least one. What is no puzzle does not keep the others from being solved.
    pub(super) fn read(&self, task: &Game) -> Result<Vec<Asked>> {
        let mut asked = Vec::new();
        for (index, text) in self.puzzles.iter().enumerate() {
            asked.extend(match text.as_str() {
                "-" => self.of_file(Path::new("-"), task)?,
                text => self.of_text(index, text, task)?,
            });
        }
        match &self.file {
            Some(path) => asked.extend(self.of_file(path, task)?),
            None if !self.puzzles.is_empty() => {}
            None if stdin().is_terminal() => bail!(Misuse(
                "no puzzle; give one, for example 1.....2..3.....4 for a 4x4 model, or a file with --file"
                    .into()
            )),
            None => asked.extend(self.of_file(Path::new("-"), task)?),
        }
        note_improper(&asked, task);
        Ok(asked)
    }

    /// The puzzles of a text, which may be the name of a file: no puzzle is one.
    fn of_text(&self, index: usize, text: &str, task: &Game) -> Result<Vec<Asked>> {
        let found = questions_in(text, *task);
        let is_puzzle = found.as_ref().is_ok_and(|(found, _)| found.iter().any(|(_, tokens)| tokens.is_ok()));
        if !is_puzzle && Path::new(text).is_file() {
            return self.of_file(Path::new(text), task);
        }
        let place = format!("puzzle {}", index + 1);
        let no_file = |problem| match problem {
            Problem::NoPuzzle(text)
                if text.contains(['/', '\\'])
                    || Path::new(&text).extension().is_some_and(|end| !is_cells(&end.to_string_lossy())) =>
            {
                Problem::NoFile(text)
            }
            problem => problem,
        };
        Ok(match found {
            Ok((found, notes)) => {
                tell_notes(Path::new(&place), &notes);
                let of = |(_, tokens): (u64, Result<_, _>)| tokens.map_err(no_file);
                found.into_iter().map(|row| Asked { place: place.clone(), tokens: of(row) }).collect()
            }
            Err(error) => {
                let tokens = Err(no_file(whole_problem(&error).unwrap_or(Problem::NoPuzzle(text.into()))));
                vec![Asked { place, tokens }]
            }
        })
    }

    fn of_file(&self, path: &Path, task: &Game) -> Result<Vec<Asked>> {
        let shown = shown(path).display();
        let (found, notes) = match questions(path, *task, &self.columns.clone().unwrap_or_default()) {
            Ok(found) => found,
            // Said once, and not of every row.
            Err(error) => match whole_problem(&error) {
                Some(problem) => return Ok(vec![Asked { place: shown.to_string(), tokens: Err(problem) }]),
                None => return Err(error.into()),
            },
        };
        tell_notes(path, &notes);
        let place = |(line, tokens)| Asked { place: format!("{shown}, line {line}"), tokens };
        Ok(found.into_iter().map(place).collect())
    }
}

/// Whether there is nothing in `text` but digits and points.
pub(super) fn is_cells(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// Tells of lines of `path` that were passed over or are in doubt: nothing in a puzzle file is left out or
/// supposed in silence.
pub(super) fn tell_notes(path: &Path, notes: &Notes) {
    notes.told(path).for_each(|told| eprintln!("{told}"));
}

/// Tells of puzzles that have no solution, or several: the reader takes no damaged grid for another one
/// knowingly, but a grid may have been damaged so that nothing shows it, and one that lost a cell or a line
/// seldom has one solution.
fn note_improper(asked: &[Asked], task: &Game) {
    let Some(exact) = task.exact() else { return };
    let of = |asked: &Asked| solutions(exact.as_ref(), asked.tokens.as_ref().ok()?, GUESSES_A_ROW);
    let found: Vec<Option<Solutions>> = asked.par_iter().map(of).collect();
    for (kind, what) in [(Solutions::None, "no solution"), (Solutions::Several, "several solutions")] {
        let mut of_kind = asked.iter().zip(&found).filter(|(_, found)| **found == Some(kind));
        let Some((first, _)) = of_kind.next() else { continue };
        match (asked.len(), of_kind.count() + 1) {
            (1, _) => eprintln!("note: {}: this puzzle has {what}; {DAMAGED}", first.place),
            (all, 1) => eprintln!("note: {}: 1 of {all} puzzles has {what}; {DAMAGED}", first.place),
            (all, count) => {
                eprintln!(
                    "note: {}: the first of {count} of {all} puzzles that have {what}; {DAMAGED}",
                    first.place
                );
            }
        }
    }
}

/// Why a puzzle may be improper.
const DAMAGED: &str = "if it should have one, look whether a cell or a line was lost";

/// What is wrong with all puzzles of a text alike.
fn whole_problem(error: &ImportError) -> Option<Problem> {
    match *error {
        ImportError::OtherSize { found, wanted, .. } => Some(Problem::OtherSize { found, wanted }),
        _ => None,
    }
}

/// How many puzzles were solved, and whether one was none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Score {
    asked: usize,
    solved: usize,
    refused: usize,
}

impl Score {
    pub(super) fn add(&mut self, status: Status) {
        self.asked += 1;
        self.solved += usize::from(status == Status::Solved);
        self.refused += usize::from(matches!(status, Status::Refused(_)));
    }

    /// So many were asked.
    pub(super) fn asked(&self) -> usize {
        self.asked
    }

    /// So many were solved.
    pub(super) fn solved(&self) -> usize {
        self.solved
    }

    /// What was asked for is no puzzle.
    pub(super) fn add_none(&mut self) {
        self.asked += 1;
        self.refused += 1;
    }

    /// Says how many of several puzzles were solved; the exit code.
    pub(super) fn finish(self) -> Exit {
        if self.asked > 1 {
            eprintln!("{} of {} solved", self.solved, self.asked);
        }
        match (self.refused, self.solved == self.asked) {
            (1.., _) => Exit::Refused,
            (0, true) => Exit::Success,
            (0, false) => Exit::Unproven,
        }
    }
}
