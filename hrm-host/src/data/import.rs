//! Puzzle files become puzzle sets, every row checked.

use std::fmt;
use std::path::{Path, PathBuf};

use hrm_core::task::{
    Task,
    sudoku::{Sudoku, SudokuKind, TextError},
};

use super::exact::Exact;
use super::problem::{Problem, contradiction, wrong_answer};
pub use super::read::Columns;
use super::read::cells::parse;
use super::read::{Document, Fault, Item, ReadError, Row};
use super::{Puzzle, PuzzleSet};

/// Bad rows that are told one by one.
const SHOWN: usize = 10;

/// Why a puzzle file is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file cannot be used at all.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// No row is left.
    #[error("{path} has no puzzles; it begins with {beginning:?}")]
    NoRows {
        /// The file.
        path: PathBuf,
        /// Its first line.
        beginning: String,
    },
    /// No row has an answer.
    #[error(
        "{path} has questions and no answers; `hrm-host data import {path} --solve --out NEW.csv` computes them"
    )]
    NoAnswers {
        /// The file.
        path: PathBuf,
    },
    /// Rows are wrong.
    #[error(transparent)]
    Rows(BadRows),
}

/// The rows of a file that cannot be used: the first ones, and how many there are.
#[derive(Debug)]
pub struct BadRows {
    /// The file.
    pub path: PathBuf,
    /// The first ones, at least one.
    pub first: Vec<Fault>,
    /// All bad rows.
    pub count: usize,
    /// All rows.
    pub rows: usize,
}

impl BadRows {
    /// Of `faults`, at least one, among `rows` rows of `path`.
    pub fn of(path: &Path, faults: Vec<Fault>, rows: usize) -> Self {
        let count = faults.len();
        BadRows { path: path.into(), first: faults.into_iter().take(SHOWN).collect(), count, rows }
    }
}

impl std::error::Error for BadRows {}

impl fmt::Display for BadRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.first.iter().enumerate() {
            let separator = if index > 0 { "\n" } else { "" };
            write!(f, "{separator}{}, {fault}", self.path.display())?;
        }
        if self.count > self.first.len() {
            write!(f, "\n{} more of {} rows are wrong", self.count - self.first.len(), self.rows)?;
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(column) = self.column {
            write!(f, ", column `{column}`")?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// How a file is to be read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The size that is expected; `None`: the first puzzle decides.
    pub task: Option<Sudoku>,
    /// Which columns of a table hold what.
    pub columns: Columns,
    /// Compute the answers that are missing.
    pub solve: bool,
}

/// What was read.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The puzzles.
    pub set: PuzzleSet,
    /// Line of each row, from 1.
    pub lines: Vec<u64>,
    /// Answers that were computed.
    pub solved: usize,
    /// Lines of text that were passed over, and the first of them with its number.
    pub passed: Option<(usize, u64, String)>,
}

/// Reads and checks the puzzle file `path` (`-`: standard input). `task` fixes the size, otherwise the first puzzle does.
///
/// # Errors
/// Where the file cannot be read, a row is wrong, or an answer is missing.
pub fn load(path: &Path, task: Option<Sudoku>) -> Result<PuzzleSet, ImportError> {
    Ok(import(path, &Options { task, ..Options::default() })?.set)
}

/// As [`load`], with more to choose and to know.
///
/// # Errors
/// As [`load`].
pub fn import(path: &Path, options: &Options) -> Result<Imported, ImportError> {
    let document = Document::open(path)?;
    let mut passed: Option<(usize, u64, String)> = None;
    let mut bad = BadRows { path: document.path().into(), first: Vec::new(), count: 0, rows: 0 };
    let task = match options.task {
        Some(task) => Some(task),
        None => document.task(&options.columns)?,
    };
    // Where no puzzle has a known size, every row is told what is wrong with it.
    let sized = task.is_some();
    let mut rows = Rows::new(task.unwrap_or(Sudoku::new(SudokuKind::Nine)), options.solve);
    document.visit(rows.set.task(), &options.columns, &mut |item| {
        let fault = match item {
            Item::Passed { line, text } => {
                passed.get_or_insert_with(|| (0, line, text.to_owned())).0 += 1;
                return;
            }
            Item::Fault(fault) => Some(fault.clone()),
            Item::Row(row) => rows.push(row).err(),
        };
        bad.rows += 1;
        if let Some(mut fault) = fault {
            if let (Problem::Text(TextError::Length { got, .. }), false) = (&fault.problem, sized) {
                fault.problem = Problem::Size(usize::from(*got));
            }
            bad.count += 1;
            if bad.first.len() < SHOWN {
                bad.first.push(fault);
            }
        }
    })?;
    if rows.unanswered > 0 && rows.unanswered == bad.rows {
        return Err(ImportError::NoAnswers { path: bad.path });
    }
    if bad.count > 0 {
        return Err(ImportError::Rows(bad));
    }
    if rows.set.is_empty() {
        return Err(no_rows(&document));
    }
    Ok(Imported { set: rows.set, lines: rows.lines, solved: rows.solved, passed })
}

fn no_rows(document: &Document) -> ImportError {
    ImportError::NoRows { path: document.path().into(), beginning: document.beginning() }
}

/// A question, its line (from 1), and its tokens or why it has none.
pub type Question = (u64, Result<Vec<u8>, Problem>);

/// Reads the questions in the puzzle file `path` (`-`: standard input); answers are neither needed nor looked at.
///
/// # Errors
/// Where the file cannot be read or has no puzzles; a bad row is no error of the file.
pub fn questions(path: &Path, task: Sudoku, columns: &Columns) -> Result<Vec<Question>, ImportError> {
    questions_of(&Document::open(path)?, task, columns)
}

/// As [`questions`], of text that is at hand.
///
/// # Errors
/// As [`questions`].
pub fn questions_in(text: &str, task: Sudoku) -> Result<Vec<Question>, ImportError> {
    questions_of(&Document::of("the text".into(), text.into())?, task, &Columns::default())
}

fn questions_of(document: &Document, task: Sudoku, columns: &Columns) -> Result<Vec<Question>, ImportError> {
    let mut questions = Vec::new();
    document.visit(task, columns, &mut |item| match item {
        Item::Passed { .. } => (),
        Item::Fault(fault) => questions.push((fault.line, Err(fault.problem.clone()))),
        Item::Row(row) => {
            let mut tokens = vec![0; task.cells()];
            let read = parse(task, row.question, &mut tokens);
            // Other contradictions are the solver's to tell.
            let upright = || contradiction(task, &tokens).filter(|it| matches!(it, Problem::Boxes { .. }));
            let read = read.and_then(|()| upright().map_or(Ok(()), Err));
            questions.push((row.line, read.map(|()| tokens)));
        }
    })?;
    if questions.is_empty() { Err(no_rows(document)) } else { Ok(questions) }
}

/// The rows read so far, with room for the next one.
struct Rows {
    set: PuzzleSet,
    lines: Vec<u64>,
    solve: bool,
    solved: usize,
    /// Rows without an answer that cannot be used for that.
    unanswered: usize,
    question: Vec<u8>,
    answer: Vec<u8>,
}

impl Rows {
    fn new(task: Sudoku, solve: bool) -> Self {
        let (set, blank) = (PuzzleSet::new(task), vec![0; task.cells()]);
        let (question, answer) = (blank.clone(), blank);
        Rows { set, lines: Vec::new(), solve, solved: 0, unanswered: 0, question, answer }
    }

    fn push(&mut self, row: Row<'_>) -> Result<(), Fault> {
        let at = |column| move |problem| Fault { line: row.line, column: Some(column), problem };
        let task = self.set.task();
        parse(task, row.question, &mut self.question).map_err(at("question"))?;
        contradiction(task, &self.question).map_or(Ok(()), Err).map_err(at("question"))?;
        match row.answer {
            Some(answer) => {
                parse(task, answer, &mut self.answer).map_err(at("answer"))?;
                wrong_answer(task, &self.question, &self.answer).map_or(Ok(()), Err).map_err(at("answer"))?;
            }
            None if self.solve => {
                self.answer = solution(task, &self.question).map_err(at("question"))?;
                self.solved += 1;
            }
            None => {
                self.unanswered += 1;
                return Err(at("answer")(Problem::NoAnswer));
            }
        }
        let (question, answer) = (&self.question, &self.answer);
        self.set.push(Puzzle { question, answer, source: row.source, rating: row.rating });
        self.lines.push(row.line);
        Ok(())
    }
}

/// The only solution of `question`.
fn solution(task: Sudoku, question: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut solutions = Exact::new(task).search(question, 2).solutions.into_iter();
    match (solutions.next(), solutions.next()) {
        (None, _) => Err(Problem::Unsolvable),
        (Some(only), None) => Ok(only),
        (Some(first), Some(second)) => {
            let text = |grid: Vec<u8>| task.text(&grid).to_string();
            Err(Problem::Ambiguous { first: text(first), second: text(second) })
        }
    }
}
