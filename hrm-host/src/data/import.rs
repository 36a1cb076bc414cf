//! Puzzle files become puzzle sets, every row checked.

use std::fmt;
use std::path::{Path, PathBuf};

use hrm_core::task::{Task, TextError};

use super::problem::Problem;
pub use super::read::Columns;
use super::read::{Document, Fault, Item, Need, ReadError, Row, means_nothing};
use super::{Puzzle, PuzzleSet};
use crate::files::shown;
use crate::shell::{argument, quoted};
use crate::task::{Game, Looks, usual};

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
    #[error(
        "{path} has no puzzles: line {line} is {beginning:?}, and no later line is a puzzle, a row of a drawn grid or a row \
         below a header that names a column `question`. A puzzle is a line such as `1.....2..3.....4`, one character for each \
         cell and `.` for a blank; docs/PUZZLE_FILES.md shows what else is read"
    )]
    NoRows {
        /// The file.
        path: PathBuf,
        /// Its first line that is not blank, from 1.
        line: u64,
        /// That line.
        beginning: String,
    },
    /// All puzzles have another size than the one that is wanted.
    #[error(
        "{path} has {found} puzzles, and {wanted} is wanted; name a file of {wanted} puzzles, or a model (a configuration, a --task) \
         for {found}"
    )]
    OtherSize {
        /// The file.
        path: PathBuf,
        /// The task of its puzzles.
        found: &'static str,
        /// The task that was asked for.
        wanted: &'static str,
    },
    /// The size of the puzzles is not known.
    #[error("{path}: {looks}")]
    Unsized {
        /// The file.
        path: PathBuf,
        /// What its puzzles look like, and what to do.
        looks: String,
    },
    /// No row has an answer.
    #[error(
        "{path} has questions and no answers; `hrm-host data import {}{} --solve --out NEW.csv` computes them",
        argument(.path),
        if .columns.is_empty() { String::new() } else { format!(" --columns {}", quoted(.columns)) }
    )]
    NoAnswers {
        /// The file.
        path: PathBuf,
        /// The columns that were named, as they were.
        columns: String,
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
    pub task: Option<Game>,
    /// Which columns of a table hold what.
    pub columns: Columns,
    /// What is done about missing answers.
    pub answers: Answers,
}

/// What is done about missing answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answers {
    /// Rows without one are wrong.
    #[default]
    Given,
    /// They are computed; a puzzle that has several is wrong.
    Unique,
    /// They are computed, one of several where there are several.
    Any,
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
    /// What is told of its lines.
    pub notes: Notes,
    /// Ratings that are no numbers and were left out.
    pub unrated: Noted,
    /// Questions without a blank.
    pub complete: Noted,
}

impl Imported {
    /// Rows in which nothing was noticed.
    pub fn of(set: PuzzleSet, lines: Vec<u64>) -> Self {
        let (notes, unrated, complete) = Default::default();
        Self { set, lines, solved: 0, notes, unrated, complete }
    }
}

/// What is told of the lines of a puzzle file that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Lines of text that were passed over.
    passed: Noted,
    /// Lines without digits that were taken for the first or the last row of a grid.
    edges: Noted,
}

impl Notes {
    /// Each as a line to print; `path` is the file, named by the user so.
    pub fn told(&self, path: &Path) -> impl Iterator<Item = String> {
        let path = shown(path).display();
        let Noted { count, line, text } = &self.passed;
        let lines = if *count == 1 { "line" } else { "lines" };
        let passed = format!(
            "note: {path}: {count} {lines} without a puzzle passed over; the first is line {line}: {text:?}"
        );
        let Noted { count: edges, line, text: edge } = &self.edges;
        let more =
            if *edges > 1 { format!(" ({} more lines are read so)", edges - 1) } else { String::new() };
        let taken = format!(
            "note: {path}: line {line} is empty and is read as the {edge} row of a grid{more}; if it is none, that grid has lost a row: \
             put it back. Write blanks as `0` or `.`, and nothing is in doubt"
        );
        [(*count, passed), (*edges, taken)].into_iter().filter(|(count, _)| *count > 0).map(|(_, told)| told)
    }
}

/// What was noticed without being wrong: how often, and where first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noted {
    /// How many lines.
    pub count: usize,
    /// The first line.
    pub line: u64,
    /// Its text, or what of it was noticed.
    pub text: String,
}

impl Noted {
    fn add(&mut self, line: u64, text: &str) {
        if self.count == 0 {
            (self.line, self.text) = (line, text.to_owned());
        }
        self.count += 1;
    }
}

/// Reads and checks the puzzle file `path` (`-`: standard input). `task` fixes the size,
/// otherwise the first puzzle does.
///
/// # Errors
/// Where the file cannot be read, a row is wrong, or an answer is missing.
pub fn load(path: &Path, task: Option<Game>) -> Result<PuzzleSet, ImportError> {
    Ok(import(path, &Options { task, ..Options::default() })?.set)
}

/// As [`load`], with more to choose and to know.
///
/// # Errors
/// As [`load`].
pub fn import(path: &Path, options: &Options) -> Result<Imported, ImportError> {
    let document = Document::open(path)?;
    let mut notes = Notes::default();
    let mut bad = BadRows { path: document.path().into(), first: Vec::new(), count: 0, rows: 0 };
    let task = match declared(&document, options.task, &options.columns)? {
        Some(task) => Some(task),
        None => match document.looks(&options.columns)? {
            Looks::Like(task) => Some(task),
            Looks::Unlike => None,
            Looks::Unsized(looks) => {
                return Err(ImportError::Unsized { path: document.path().into(), looks });
            }
        },
    };
    // Where no puzzle has a known size, every row is told what is wrong with it.
    let sized = task.is_some();
    let mut rows = Rows::new(task.unwrap_or_else(usual), options.answers);
    document.visit(rows.set.task(), (&options.columns, Need::Rows), &mut |item| {
        let fault = match item {
            Item::Passed { line, text } => return notes.passed.add(line, text),
            Item::EmptyEdge { line, edge } => return notes.edges.add(line, edge),
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
    if rows.set.is_empty() {
        ensure_size(&document, rows.set.task(), &options.columns)?;
    }
    if rows.unanswered > 0 && rows.unanswered == bad.rows {
        return Err(ImportError::NoAnswers { path: bad.path, columns: options.columns.to_string() });
    }
    if bad.count > 0 {
        return Err(ImportError::Rows(bad));
    }
    if rows.set.is_empty() {
        return Err(no_rows(&document));
    }
    let Rows { set, lines, solved, unrated, complete, .. } = rows;
    Ok(Imported { set, lines, solved, notes, unrated, complete })
}

fn no_rows(document: &Document) -> ImportError {
    let (line, beginning) = document.beginning();
    ImportError::NoRows { path: document.path().into(), line, beginning }
}

/// The size that is `wanted`, or else the one that the document's rows name.
fn declared(
    document: &Document,
    wanted: Option<Game>,
    columns: &Columns,
) -> Result<Option<Game>, ImportError> {
    match (wanted, document.declared(columns)?) {
        (Some(wanted), Some(found)) if found != wanted => Err(other_size(document, found, wanted)),
        (wanted, found) => Ok(wanted.or(found)),
    }
}

/// Refuses a document of which no row is a puzzle of `wanted` as a whole, where its
/// puzzles have another size.
fn ensure_size(document: &Document, wanted: Game, columns: &Columns) -> Result<(), ImportError> {
    match document.looks(columns)? {
        Looks::Like(found) if found != wanted => Err(other_size(document, found, wanted)),
        _ => Ok(()),
    }
}

fn other_size(document: &Document, found: Game, wanted: Game) -> ImportError {
    let (found, wanted) = (found.name(), wanted.name());
    ImportError::OtherSize { path: document.path().into(), found, wanted }
}

/// A question, its line (from 1), and its tokens or why it has none.
pub type Question = (u64, Result<Vec<u8>, Problem>);

/// Reads the questions in the puzzle file `path` (`-`: standard input), and what is told of its lines; answers
/// are neither needed nor looked at.
///
/// # Errors
/// Where the file cannot be read or has no puzzles; a bad row is no error of the file.
pub fn questions(path: &Path, task: Game, columns: &Columns) -> Result<(Vec<Question>, Notes), ImportError> {
    questions_of(&Document::open(path)?, task, columns)
}

/// As [`questions`], of text that is at hand.
///
/// # Errors
/// As [`questions`].
pub fn questions_in(text: &str, task: Game) -> Result<(Vec<Question>, Notes), ImportError> {
    questions_of(&Document::of("the text".into(), text.into())?, task, &Columns::default())
}

fn questions_of(
    document: &Document,
    task: Game,
    columns: &Columns,
) -> Result<(Vec<Question>, Notes), ImportError> {
    let (mut questions, mut notes) = (Vec::new(), Notes::default());
    declared(document, Some(task), columns)?;
    document.visit(task, (columns, Need::Questions), &mut |item| match item {
        Item::Passed { line, text } => notes.passed.add(line, text),
        Item::EmptyEdge { line, edge } => notes.edges.add(line, edge),
        Item::Fault(fault) => questions.push((fault.line, Err(fault.problem.clone()))),
        Item::Row(row) => {
            let mut tokens = vec![0; task.cells()];
            let read = task.tokens(row.question, &mut tokens);
            // What the rules refuse is the solver's to tell, but for what they say less clearly.
            let is_less_clear = |problem: &Problem| {
                matches!(problem, Problem::Boxes { .. }) || task.refuse(&tokens).is_none()
            };
            let refused = || task.contradiction(&tokens).filter(is_less_clear);
            let read = read.and_then(|()| refused().map_or(Ok(()), Err));
            questions.push((row.line, read.map(|()| tokens)));
        }
    })?;
    if questions.iter().all(|(_, tokens)| tokens.is_err()) {
        ensure_size(document, task, columns)?;
    }
    if questions.is_empty() { Err(no_rows(document)) } else { Ok((questions, notes)) }
}

/// The rows read so far, with room for the next one.
struct Rows {
    set: PuzzleSet,
    lines: Vec<u64>,
    answers: Answers,
    solved: usize,
    unrated: Noted,
    complete: Noted,
    /// Rows without an answer that cannot be used for that.
    unanswered: usize,
    question: Vec<u8>,
    answer: Vec<u8>,
}

impl Rows {
    fn new(task: Game, answers: Answers) -> Self {
        let (set, blank) = (PuzzleSet::new(task), vec![0; task.cells()]);
        let (question, answer) = (blank.clone(), blank);
        let (unrated, complete) = Default::default();
        Rows {
            set,
            lines: Vec::new(),
            answers,
            solved: 0,
            unrated,
            complete,
            unanswered: 0,
            question,
            answer,
        }
    }

    fn push(&mut self, row: Row<'_>) -> Result<(), Fault> {
        let at = |column| move |problem| Fault { line: row.line, column: Some(column), problem };
        let task = self.set.task();
        task.tokens(row.question, &mut self.question).map_err(at("question"))?;
        task.contradiction(&self.question).map_or(Ok(()), Err).map_err(at("question"))?;
        match row.answer {
            Some(answer) => {
                task.tokens(answer, &mut self.answer).map_err(at("answer"))?;
                task.wrong_answer(&self.question, &self.answer).map_or(Ok(()), Err).map_err(at("answer"))?;
            }
            None if self.answers == Answers::Given => {
                self.unanswered += 1;
                return Err(at("answer")(Problem::NoAnswer));
            }
            None => {
                self.answer =
                    solution(task, &self.question, self.answers == Answers::Any).map_err(at("question"))?;
                self.solved += 1;
            }
        }
        let rating = row.rating.unwrap_or_else(|text| {
            if !means_nothing(text) {
                self.unrated.add(row.line, text);
            }
            None
        });
        if !self.question.contains(&self.set.task().blank()) {
            self.complete.add(row.line, row.question);
        }
        let (question, answer) = (&self.question, &self.answer);
        self.set.push(Puzzle { question, answer, source: row.source, rating });
        self.lines.push(row.line);
        Ok(())
    }
}

/// The only solution of `question`, or with `any` the first.
fn solution(task: Game, question: &[u8], any: bool) -> Result<Vec<u8>, Problem> {
    let exact = task.exact().ok_or_else(|| Problem::NoSolver(task.name()))?;
    let mut solutions = exact.search_within(question, 2, u64::MAX).solutions.into_iter();
    match (solutions.next(), solutions.next()) {
        (None, _) => Err(match exact.misunderstood(question) {
            Some(why) => Problem::Rule(why.to_owned()),
            None => Problem::Unsolvable,
        }),
        (Some(only), None) => Ok(only),
        (Some(first), Some(_)) if any => Ok(first),
        (Some(first), Some(second)) => {
            let text = |grid: Vec<u8>| task.text(&grid).to_string();
            Err(Problem::Ambiguous { first: text(first), second: text(second) })
        }
    }
}
