//! Puzzles named on a command line, and what came of them: for solving here and on a board alike.

use std::io::stdin;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use hrm_core::solve::{Answer, Status};
use hrm_core::task::Task;
use hrm_core::task::sudoku::Sudoku;
use hrm_host::data::import;

use super::exit::Exit;

/// Which puzzles.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct PuzzleArgs {
    /// Puzzles: a digit a cell, row by row, `.` or `0` for a blank
    #[arg(value_name = "PUZZLE", required_unless_present = "file")]
    puzzles: Vec<String>,
    /// Also the puzzles of this file: one a line, or a CSV with a column `question` (plain or gzip); `-` reads standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl PuzzleArgs {
    /// All of them in tokens, at least one.
    pub(super) fn read(&self, task: &Sudoku) -> Result<Vec<Vec<u8>>> {
        let mut puzzles = Vec::new();
        for (index, text) in self.puzzles.iter().enumerate() {
            puzzles.push(parse(task, text).with_context(|| format!("puzzle {}", index + 1))?);
        }
        if let Some(path) = &self.file {
            puzzles.extend(of_file(path, task)?);
        }
        ensure!(!puzzles.is_empty(), "there is no puzzle in the file");
        Ok(puzzles)
    }
}

fn of_file(path: &Path, task: &Sudoku) -> Result<Vec<Vec<u8>>> {
    let shown = path.display();
    if path.to_string_lossy().trim_end_matches(".gz").ends_with(".csv") {
        let set = import::load(path, Some(*task))?;
        return Ok(set.iter().map(|row| row.question.to_vec()).collect());
    }
    let text = if path == Path::new("-") {
        std::io::read_to_string(stdin()).context("cannot read standard input")?
    } else {
        std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?
    };
    let lines = text.lines().map(str::trim).enumerate();
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| parse(task, line).with_context(|| format!("{shown}, line {}", number + 1)))
        .collect()
}

fn parse(task: &Sudoku, text: &str) -> Result<Vec<u8>> {
    let mut tokens = vec![0; task.cells()];
    if let Err(error) = task.parse(text, &mut tokens) {
        bail!(
            "{error}; the pack is for {}, whose puzzles are texts of {} characters",
            task.name(),
            task.cells()
        );
    }
    Ok(tokens)
}

/// How many puzzles were solved, and whether one was none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Score {
    asked: usize,
    solved: usize,
    refused: usize,
}

impl Score {
    pub(super) fn add(&mut self, answer: &Answer<'_>) {
        self.asked += 1;
        self.solved += usize::from(answer.status == Status::Solved);
        self.refused += usize::from(matches!(answer.status, Status::Refused(_)));
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
