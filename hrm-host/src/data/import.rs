//! Reading puzzle files: CSV, plain or gzip, every row checked.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use csv::ByteRecord;
use flate2::read::MultiGzDecoder;
use hrm_core::task::{
    Refusal, Task,
    sudoku::{BLANK, Sudoku, SudokuKind, TextError},
};
use rayon::prelude::*;

use super::{Puzzle, PuzzleSet, exact::Exact};

/// Why a puzzle file is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file cannot be opened.
    #[error("cannot open {path}: {source}; check the path")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be read to its end.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The gzip stream is damaged.
    #[error(
        "{path} is gzip but damaged or cut off ({source}; {lines} whole lines could be read); download or copy it again"
    )]
    Gzip {
        /// The file.
        path: PathBuf,
        /// Lines that were read before the damage.
        lines: usize,
        /// What the decoder said.
        source: io::Error,
    },
    /// There is not even a header.
    #[error(
        "{path} is empty; the first line must name the columns, for example `source,question,answer,rating`"
    )]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// There is a header and nothing else.
    #[error("{path} has a header and no puzzles")]
    NoRows {
        /// The file.
        path: PathBuf,
    },
    /// A needed column is missing.
    #[error(
        "{path}, line 1: there is no column `{column}`, only {found}; the first line must name `question` and `answer` (`source` and `rating` are optional)"
    )]
    Column {
        /// The file.
        path: PathBuf,
        /// The column that is missing.
        column: &'static str,
        /// The columns there are.
        found: String,
    },
    /// A row has another number of fields than the header.
    #[error("{path}, line {line}: {found} fields where the header names {expected}; add or remove commas")]
    Fields {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: u64,
        /// Fields in the header.
        expected: u64,
        /// Fields in the row.
        found: u64,
    },
    /// A field is wrong.
    #[error("{path}, line {line}, column `{column}`: {problem}")]
    Field {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: u64,
        /// Name of the column.
        column: &'static str,
        /// What is wrong with it.
        problem: Problem,
    },
}

/// A place in a grid, shown as row and column counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row {row}, column {column} (character {character})")]
pub struct Place {
    /// Row, from 1.
    pub row: usize,
    /// Column, from 1.
    pub column: usize,
    /// Position in the text, from 1.
    pub character: usize,
}

impl Place {
    /// The place of `cell` (from 0).
    pub fn new(task: Sudoku, cell: usize) -> Self {
        Place { row: cell / task.side() + 1, column: cell % task.side() + 1, character: cell + 1 }
    }
}

/// What is wrong with a field.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Wrong length or a strange character.
    #[error("{0}; write one character for each cell, row by row")]
    Text(TextError),
    /// Not UTF-8.
    #[error(
        "the field is not text (byte {0} is not UTF-8); was the file damaged or is it in another encoding?"
    )]
    Encoding(usize),
    /// A length that no known size has.
    #[error("{0} characters; a Sudoku has 16 (4x4), 36 (6x6) or 81 (9x9)")]
    Size(usize),
    /// Two givens forbid each other.
    #[error("the givens at {first} and {second} contradict each other (both are {digit}); no answer exists")]
    Contradiction {
        /// The earlier cell.
        first: Place,
        /// The later cell.
        second: Place,
        /// The digit at both.
        digit: u8,
    },
    /// The answer has a blank.
    #[error("the answer is blank at {0}; an answer must be complete")]
    Incomplete(Place),
    /// The answer changes a given.
    #[error("the answer has {found} at {place} where the question gives {given}")]
    Given {
        /// The cell.
        place: Place,
        /// The question's digit.
        given: u8,
        /// The answer's digit.
        found: u8,
    },
    /// The answer breaks the rules.
    #[error("the answer is no valid grid: {digit} stands at both {first} and {second}")]
    Invalid {
        /// The earlier cell.
        first: Place,
        /// The later cell.
        second: Place,
        /// The digit at both.
        digit: u8,
    },
    /// The rating is no number.
    #[error("{0:?} is not a rating; write a whole number from 0 to 4294967295, or nothing")]
    Rating(String),
    /// Not a proper puzzle.
    #[error("the puzzle has more than one solution:\n  {first}\n  {second}\nadd givens or remove the row")]
    Ambiguous {
        /// One solution.
        first: String,
        /// Another.
        second: String,
    },
}

/// Reads and checks the puzzle file `path`: gzip is recognised by its content, columns by their names in any order.
/// `task` fixes the size, otherwise the first puzzle does.
pub fn load(path: &Path, task: Option<Sudoku>) -> Result<PuzzleSet, ImportError> {
    load_rows(path, task).map(|rows| rows.set)
}

/// As [`load`], and proves with the exact solver that every puzzle has one solution.
pub fn load_unique(path: &Path, task: Option<Sudoku>) -> Result<PuzzleSet, ImportError> {
    let Rows { set, lines, .. } = load_rows(path, task)?;
    check_unique(&set).map_err(|(row, problem)| ImportError::Field {
        path: path.into(),
        line: lines[row],
        column: "question",
        problem,
    })?;
    Ok(set)
}

fn load_rows(path: &Path, task: Option<Sudoku>) -> Result<Rows, ImportError> {
    let bytes = read(path)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let mut reader = csv::ReaderBuilder::new().from_reader(bytes);
    let at_csv = |error: csv::Error| csv_error(path, error);
    let columns = Columns::find(reader.byte_headers().map_err(at_csv)?, path)?;

    let mut rows: Option<Rows> = None;
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(at_csv)? {
        let line = record.position().map_or(0, csv::Position::line);
        let result = match &mut rows {
            Some(rows) => rows.push(&record, &columns),
            None => Rows::start(task, &record, &columns)
                .and_then(|started| rows.insert(started).push(&record, &columns)),
        };
        result.map_err(|(column, problem)| ImportError::Field {
            path: path.into(),
            line,
            column,
            problem,
        })?;
    }
    rows.ok_or_else(|| ImportError::NoRows { path: path.into() })
}

/// Proves with the exact solver that every puzzle of `set` has one solution; on failure says which row (from 0) has two.
pub fn check_unique(set: &PuzzleSet) -> Result<(), (usize, Problem)> {
    let exact = Exact::new(set.task());
    let ambiguous = (0..set.len()).into_par_iter().find_map_first(|row| {
        let solutions = exact.search(set.question(row), 2).solutions;
        let text = |grid: &Vec<u8>| set.task().text(grid).to_string();
        match solutions.as_slice() {
            [first, second, ..] => {
                Some((row, Problem::Ambiguous { first: text(first), second: text(second) }))
            }
            _ => None,
        }
    });
    ambiguous.map_or(Ok(()), Err)
}

fn read(path: &Path) -> Result<Vec<u8>, ImportError> {
    let mut file = fs::File::open(path).map_err(|source| ImportError::Open { path: path.into(), source })?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|source| ImportError::Read { path: path.into(), source })?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut text = Vec::new();
        if let Err(source) = MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut text) {
            let lines = text.iter().filter(|&&byte| byte == b'\n').count();
            return Err(ImportError::Gzip { path: path.into(), lines, source });
        }
        bytes = text;
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ImportError::Empty { path: path.into() });
    }
    Ok(bytes)
}

fn csv_error(path: &Path, error: csv::Error) -> ImportError {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => ImportError::Fields {
            path: path.into(),
            line: pos.as_ref().map_or(0, csv::Position::line),
            expected: *expected_len,
            found: *len,
        },
        _ => ImportError::Read { path: path.into(), source: io::Error::other(error) },
    }
}

/// Where each column stands.
struct Columns {
    question: usize,
    answer: usize,
    source: Option<usize>,
    rating: Option<usize>,
}

impl Columns {
    fn find(header: &ByteRecord, path: &Path) -> Result<Self, ImportError> {
        let place = |name: &str| header.iter().position(|field| field.trim_ascii() == name.as_bytes());
        let needed = |column| {
            place(column).ok_or_else(|| {
                let names = header.iter().take(8).map(|field| format!("`{}`", field.escape_ascii()));
                let found = names.collect::<Vec<_>>().join(", ");
                ImportError::Column { path: path.into(), column, found }
            })
        };
        Ok(Columns {
            question: needed("question")?,
            answer: needed("answer")?,
            source: place("source"),
            rating: place("rating"),
        })
    }
}

type FieldResult<T> = Result<T, (&'static str, Problem)>;

/// The rows read so far, with room for the next one.
struct Rows {
    set: PuzzleSet,
    /// Line of each row, from 1.
    lines: Vec<u64>,
    question: Vec<u8>,
    answer: Vec<u8>,
}

impl Rows {
    /// Decides the size: the task asked for, or the size nearest to the first question's length.
    fn start(task: Option<Sudoku>, first: &ByteRecord, columns: &Columns) -> FieldResult<Self> {
        let length = text(first, columns.question, "question")?.chars().count();
        let nearest = || {
            let sizes = SudokuKind::ALL.map(Sudoku::new);
            sizes.into_iter().find(|size| size.cells().abs_diff(length) <= size.side() / 2)
        };
        let task = task.or_else(nearest).ok_or(("question", Problem::Size(length)))?;
        let blank = vec![0; task.cells()];
        Ok(Rows { set: PuzzleSet::new(task), lines: Vec::new(), question: blank.clone(), answer: blank })
    }

    fn push(&mut self, record: &ByteRecord, columns: &Columns) -> FieldResult<()> {
        let task = self.set.task();
        let question = text(record, columns.question, "question")?;
        task.parse(question, &mut self.question).map_err(|error| ("question", Problem::Text(error)))?;
        let answer = text(record, columns.answer, "answer")?;
        task.parse(answer, &mut self.answer).map_err(|error| ("answer", Problem::Text(error)))?;
        let source = match columns.source {
            Some(column) => text(record, column, "source")?,
            None => "",
        };
        let rating = match columns.rating {
            Some(column) => match text(record, column, "rating")?.trim() {
                "" => None,
                number => Some(number.parse().map_err(|_| ("rating", Problem::Rating(number.to_owned())))?),
            },
            None => None,
        };
        if task.refuse(&self.question).is_some() || !task.accepts(&self.question, &self.answer) {
            return Err(self.diagnose());
        }
        self.set.push(Puzzle { question: &self.question, answer: &self.answer, source, rating });
        self.lines.push(record.position().map_or(0, csv::Position::line));
        Ok(())
    }

    /// What exactly is wrong with a row that is known to be wrong.
    fn diagnose(&self) -> (&'static str, Problem) {
        let task = self.set.task();
        let digit = |grid: &[u8], cell: usize| task.digit(grid[cell]).unwrap_or(0);
        let place = |cell: usize| Place::new(task, cell);
        if let Some(Refusal::Contradiction { first, second }) = task.refuse(&self.question) {
            let (first, second) = (usize::from(first), usize::from(second));
            let digit = digit(&self.question, first);
            return (
                "question",
                Problem::Contradiction { first: place(first), second: place(second), digit },
            );
        }
        if let Some(cell) = self.answer.iter().position(|&token| token == BLANK) {
            return ("answer", Problem::Incomplete(place(cell)));
        }
        let changed = |(given, found): (&u8, &u8)| *given != BLANK && given != found;
        if let Some(cell) = self.question.iter().zip(&self.answer).position(changed) {
            let (given, found) = (digit(&self.question, cell), digit(&self.answer, cell));
            return ("answer", Problem::Given { place: place(cell), given, found });
        }
        let (first, second) = match task.refuse(&self.answer) {
            Some(Refusal::Contradiction { first, second }) => (usize::from(first), usize::from(second)),
            _ => (0, 0),
        };
        let digit = digit(&self.answer, first);
        ("answer", Problem::Invalid { first: place(first), second: place(second), digit })
    }
}

fn text<'a>(record: &'a ByteRecord, column: usize, name: &'static str) -> FieldResult<&'a str> {
    let bytes = record.get(column).unwrap_or_default();
    std::str::from_utf8(bytes).map_err(|error| (name, Problem::Encoding(error.valid_up_to() + 1)))
}
