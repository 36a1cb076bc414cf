//! One reader for every puzzle file: whatever people have becomes rows of texts, each
//! with its place in the file.
//!
//! `docs/PUZZLE_FILES.md` says which files. A file is a table, whose header names columns (`table`), or text
//! that the task itself reads ([`Domain::read`](crate::task::Domain::read)).

mod columns;
mod json;
mod table;
mod text;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub use columns::Columns;
use flate2::bufread::GzDecoder;
use table::Undeclared;
pub(crate) use table::{ROWS_LOOKED_AT, is_row_count, unquoted};

use super::problem::Problem;
use super::rating::Rating;
use crate::files::{self, is_stdin, shown};
use crate::kind::{BOM, GZIP, Kind, Wanted, kind_of};
use crate::task::{self, Game, Looks, UnknownTask};

/// So many times a file may be packed, one in the other.
const MOST_PACKED: usize = 3;

/// Why a puzzle file is refused as a whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}{}", if is_stdin(.path) { "" } else { "; check the path" })]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The gzip stream is damaged.
    #[error(
        "{path} is gzip but damaged or cut off ({source}; {lines} whole lines could be read); {}",
        if is_stdin(.path) { "see why its writer has stopped" } else { "download or copy it again" }
    )]
    Gzip {
        /// The file.
        path: PathBuf,
        /// Lines that were read before the damage.
        lines: usize,
        /// What the decoder said.
        source: io::Error,
    },
    /// The file is of another kind.
    #[error("{path} is {kind}, not a puzzle file; {}", .kind.advice(Wanted::Puzzles))]
    Kind {
        /// The file.
        path: PathBuf,
        /// What it is.
        kind: Kind,
    },
    /// The file is JSON, of which only arrays of cells are read.
    #[error("{path} is a JSON file, not a puzzle file; {advice}")]
    Json {
        /// The file.
        path: PathBuf,
        /// How it becomes one, with the names that it has.
        advice: String,
    },
    /// There is nothing but space.
    #[error("{path} is empty; write one puzzle a line, or a CSV with a column `question`")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A needed column is missing.
    #[error(
        "{path}, line {line}: there is no column `{column}`, only {found}; say which one it is: --columns \
         question=NAME,answer=NAME"
    )]
    Column {
        /// The file.
        path: PathBuf,
        /// Line of the header, from 1.
        line: u64,
        /// The column that is missing.
        column: String,
        /// The columns there are.
        found: String,
    },
    /// Several columns may be the one that is needed.
    #[error(
        "{path}, line {line}: {found} may each be the column `{column}`; say which one is: --columns \
         question=NAME,answer=NAME (and rename one where both have the same name)"
    )]
    Columns {
        /// The file.
        path: PathBuf,
        /// Line of the header, from 1.
        line: u64,
        /// The column that is wanted.
        column: &'static str,
        /// The columns that may be it.
        found: String,
    },
    /// The column of tasks names none that there is.
    #[error(
        "{path}, line {line}, column `task`: {unknown}; mend that column, or name another for it (--columns task=NAME), or rename it \
         where it means something else"
    )]
    Task {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is known instead.
        unknown: UnknownTask,
    },
    /// The column of tasks names several.
    #[error(
        "{path}, line {line}, column `task`: {other}, where the rows above are {first}; keep each size in a file of its own"
    )]
    Tasks {
        /// The file.
        path: PathBuf,
        /// The line of the first row of another task, from 1.
        line: u64,
        /// The first rows' task.
        first: &'static str,
        /// That row's.
        other: &'static str,
    },
}

/// A row as it stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// Its line, from 1.
    pub line: u64,
    /// The cells of the puzzle, one character each.
    pub question: &'a str,
    /// The cells of its answer.
    pub answer: Option<&'a str>,
    /// Its rating; an error is a text that is none.
    pub rating: Result<Option<Rating>, &'a str>,
    /// Where it comes from; may be empty.
    pub source: &'a str,
}

/// What is asked of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Everything about each puzzle.
    Rows,
    /// Questions alone; nothing else is looked at.
    Questions,
}

/// A row that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its line, from 1.
    pub line: u64,
    /// The column at fault, in a table.
    pub column: Option<&'static str>,
    /// What is wrong.
    pub problem: Problem,
}

impl Fault {
    /// What is wrong with a line, in no column of a table alone.
    pub fn of_line(line: u64, problem: Problem) -> Self {
        Fault { line, column: None, problem }
    }
}

/// What is told of a file, line by line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A row.
    Row(Row<'a>),
    /// A row that cannot be used.
    Fault(&'a Fault),
    /// A line with text that is passed over.
    Passed {
        /// Its number, from 1.
        line: u64,
        /// The text.
        text: &'a str,
    },
    /// A line without digits that is read as an edge of the grid that follows: it may as well be space.
    EmptyEdge {
        /// Its number, from 1.
        line: u64,
        /// Which row: `first` or `last`.
        edge: &'static str,
    },
}

/// The text of a puzzle file, unpacked.
#[derive(Debug)]
pub struct Document {
    path: PathBuf,
    text: String,
}

impl Document {
    /// Reads the file at `path`, plain or gzip; `-` is standard input.
    ///
    /// # Errors
    /// Where it cannot be read, or is no text.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let read = files::read(path);
        let path = shown(path).to_owned();
        let mut bytes = read.map_err(|source| ReadError::Read { path: path.clone(), source })?;
        // Who packs what is packed already has packed it twice.
        for _ in 0..MOST_PACKED {
            if bytes.starts_with(GZIP) {
                bytes = unpacked(&bytes, &path)?;
            }
        }
        Self::of(path, bytes)
    }

    /// The document of `bytes` that came from `path`.
    ///
    /// # Errors
    /// Where they are no text.
    pub fn of(path: PathBuf, mut bytes: Vec<u8>) -> Result<Self, ReadError> {
        if bytes.starts_with(BOM) {
            bytes.drain(..BOM.len());
        }
        if bytes.trim_ascii().is_empty() {
            return Err(ReadError::Empty { path });
        }
        match kind_of(&bytes) {
            Kind::Text | Kind::Puzzles => (),
            Kind::Json => return Err(ReadError::Json { advice: json::advice(&bytes, &path), path }),
            kind => return Err(ReadError::Kind { path, kind }),
        }
        let text = text::plain(bytes);
        // Characters that cannot be seen are none.
        if text.trim().is_empty() {
            return Err(ReadError::Empty { path });
        }
        Ok(Document { path, text })
    }

    /// Where it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The number of its first line that is not blank, and the beginning of it.
    pub fn beginning(&self) -> (u64, String) {
        let first = (1..).zip(self.text.lines().map(str::trim)).find(|(_, line)| !line.is_empty());
        first.map_or_else(Default::default, |(number, line)| (number, line.chars().take(60).collect()))
    }

    /// The size that the rows of a table name in a column for it.
    ///
    /// # Errors
    /// Where the header lacks a column, or rows name no task or several.
    pub fn declared(&self, columns: &Columns) -> Result<Option<Game>, ReadError> {
        let Some(table) = table::Table::of(self, columns)? else { return Ok(None) };
        table.declared().map_err(|why| {
            let path = self.path.clone();
            match why {
                Undeclared::Unknown { line, unknown } => ReadError::Task { path, line, unknown },
                Undeclared::Several { line, first, other } => {
                    ReadError::Tasks { path, line, first: first.name(), other: other.name() }
                }
            }
        })
    }

    /// What its puzzles look like.
    ///
    /// # Errors
    /// Where the header lacks a column.
    pub fn looks(&self, columns: &Columns) -> Result<Looks<Game>, ReadError> {
        Ok(match table::Table::of(self, columns)? {
            Some(table) => table.looks(),
            None => task::of_text(&self.text),
        })
    }

    /// Tells `visit` of everything in the document, in order, as puzzles of `task`.
    ///
    /// # Errors
    /// Where the header lacks a column.
    pub fn visit(
        &self,
        task: Game,
        (columns, need): (&Columns, Need),
        visit: &mut dyn FnMut(Item<'_>),
    ) -> Result<(), ReadError> {
        match table::Table::of(self, columns)? {
            Some(table) => table.visit(task, need, visit),
            None => task.read(&self.text, visit),
        }
        Ok(())
    }
}

/// Whether `text` stands where people have no rating, or no answer.
pub(crate) fn means_nothing(text: &str) -> bool {
    let word = text.to_ascii_lowercase();
    let words = ["n/a", "na", "nan", "null", "none", "unknown"];
    words.contains(&word.as_str()) || !word.contains(|c: char| c.is_alphanumeric())
}

/// What the gzip streams in `bytes` hold, one behind the other. Zero bytes may follow, as tapes and
/// blocks of disks have them.
fn unpacked(bytes: &[u8], path: &Path) -> Result<Vec<u8>, ReadError> {
    let (mut text, mut rest) = (Vec::new(), bytes);
    while rest.iter().any(|byte| *byte != 0) {
        let mut stream = GzDecoder::new(rest);
        if let Err(source) = stream.read_to_end(&mut text) {
            let lines = text.iter().filter(|&&byte| byte == b'\n').count();
            return Err(ReadError::Gzip { path: path.into(), lines, source });
        }
        rest = stream.into_inner();
    }
    Ok(text)
}
