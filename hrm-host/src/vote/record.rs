//! What came of each puzzle, in a file: a vote that was stopped goes on from it, and parts of one come together.
//!
//! The first line says what was asked ([`Heading`]), every other line what came of one puzzle (`Line`), each as JSON. A
//! line is written as soon as its puzzle is done, so a process that is killed loses only puzzles that are not.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use hrm_core::solve::{Policy, Status};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Outcome;

/// Version of the file's format.
const FORMAT: u32 = 1;

/// What was asked. Results belong together where all of it is equal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heading {
    /// Version of the format.
    hrm_host_eval: u32,
    /// CRC-32 of the pack.
    pub pack_crc: String,
    /// The puzzles that rows are drawn from.
    pub data: DataMark,
    /// Puzzles drawn.
    pub rows: usize,
    /// Seed of the draw and of the hints.
    pub seed: u64,
    /// Per cent of the blanks filled in, each level apart.
    pub hints: Vec<u8>,
    /// How puzzles are solved.
    pub policy: Policy,
}

/// What tells one puzzle file from another, whatever its name and form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataMark {
    /// Puzzles in it.
    pub puzzles: usize,
    /// [`PuzzleSet::fingerprint`](crate::data::PuzzleSet::fingerprint) of them.
    pub crc: String,
}

impl Heading {
    /// The heading of results in this version's format.
    pub fn new(
        pack_crc: u32,
        data: DataMark,
        (rows, seed): (usize, u64),
        hints: &[u8],
        policy: Policy,
    ) -> Self {
        let pack_crc = format!("{pack_crc:08x}");
        Heading { hrm_host_eval: FORMAT, pack_crc, data, rows, seed, hints: hints.to_vec(), policy }
    }

    /// What differs from `other`, each by its name: own value first.
    fn differences(&self, other: &Heading) -> Vec<String> {
        let (own, other) = (flat(self), flat(other));
        let differing = own.iter().filter(|(key, value)| other.get(*key) != Some(value));
        let shown = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
        differing.map(|(key, value)| format!("{key} is {value}, not {}", shown(other.get(key)))).collect()
    }
}

/// The values of a heading by their dotted names.
fn flat(heading: &Heading) -> BTreeMap<String, Value> {
    fn collect(prefix: &str, value: Value, into: &mut BTreeMap<String, Value>) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    let name = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
                    collect(&name, value, into);
                }
            }
            value => {
                into.insert(prefix.to_owned(), value);
            }
        }
    }
    let mut values = BTreeMap::new();
    collect("", serde_json::to_value(heading).unwrap_or_default(), &mut values);
    values
}

/// What came of one puzzle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Line {
    hints: u8,
    /// Its place in the draw, from 0.
    row: usize,
    /// Its place in the puzzle file, from 1.
    puzzle: usize,
    status: Status,
    guesses: u16,
    segments: u32,
    right: bool,
    several: bool,
}

/// Why results cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// What the system says.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// Of which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// No file of results.
    #[error("{} holds no results of `hrm-host eval --resume`, and is left as it is; name another file", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Results of something else.
    #[error(
        "{} holds results of something else: {}; repeat that command, or name another file",
        path.display(), differences.join(", ")
    )]
    Other {
        /// The file.
        path: PathBuf,
        /// What differs, by name.
        differences: Vec<String>,
    },
    /// A line before the last that cannot be read.
    #[error("{}, line {line}: {reason}; take that line out, or name another file", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Its line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Another process writes into it.
    #[error("another process is writing into {}; give each its own file and name all of them in the end", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
}

/// Files that results are kept in: the first is written on, all of them are read.
#[derive(Debug)]
pub struct Files {
    first: File,
    paths: Vec<PathBuf>,
}

impl Files {
    /// Opens the first of `paths` for writing, which makes it where it is not there. `None` where there is no path.
    ///
    /// # Errors
    /// Where it cannot be written, or another process does, or another of the files is not there.
    pub fn open(paths: &[PathBuf]) -> Result<Option<Files>, RecordError> {
        let Some((path, others)) = paths.split_first() else { return Ok(None) };
        let at = |action, path: &Path| {
            let path = path.to_owned();
            move |source| RecordError::Io { action, path, source }
        };
        // Asked beforehand: opening a FIFO would wait for its reader.
        if path.metadata().is_ok_and(|about| !about.is_file()) {
            return Err(RecordError::Foreign { path: path.clone() });
        }
        for other in others {
            File::open(other).map_err(at("read", other))?;
        }
        let opened = OpenOptions::new().read(true).append(true).create(true).open(path);
        let first = opened.map_err(at("write", path))?;
        match first.try_lock() {
            Err(TryLockError::WouldBlock) => Err(RecordError::Busy { path: path.clone() }),
            // Some file systems know no locks.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Some(Files { first, paths: paths.to_owned() })),
        }
    }

    /// Reads what is there of the results under `heading`. A last line that was not written to its end is dropped.
    ///
    /// # Errors
    /// Where a file holds something else, and nothing is changed then.
    pub fn read(mut self, heading: &Heading) -> Result<Record, RecordError> {
        let mut done = BTreeMap::new();
        let path = self.paths[0].clone();
        let at = |action| {
            let path = path.clone();
            move |source| RecordError::Io { action, path, source }
        };
        let mut bytes = Vec::new();
        self.first.read_to_end(&mut bytes).map_err(at("read"))?;
        let whole = take(&path, &bytes, heading, &mut done)?;
        for other in &self.paths[1..] {
            let bytes = std::fs::read(other).map_err(|source| RecordError::Io {
                action: "read",
                path: other.clone(),
                source,
            })?;
            take(other, &bytes, heading, &mut done)?;
        }
        if whole < bytes.len() {
            self.first.set_len(whole as u64).map_err(at("shorten"))?;
            self.first.seek(SeekFrom::End(0)).map_err(at("shorten"))?;
        }
        let mut record = Record { file: self.first, path, done };
        if whole == 0 {
            record.write(heading)?;
        }
        Ok(record)
    }
}

/// Adds the results in `bytes` to `done`; how many of the bytes are whole lines.
fn take(
    path: &Path,
    bytes: &[u8],
    heading: &Heading,
    done: &mut BTreeMap<(u8, usize), Outcome>,
) -> Result<usize, RecordError> {
    let foreign = || RecordError::Foreign { path: path.to_owned() };
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
        // Nothing yet, or a heading that was not written to its end.
        let first = serde_json::to_vec(heading).unwrap_or_default();
        return if first.starts_with(bytes) { Ok(0) } else { Err(foreign()) };
    };
    let found: Value = serde_json::from_slice(&bytes[..end]).map_err(|_| foreign())?;
    if found.get("hrm_host_eval").is_none() {
        return Err(foreign());
    }
    let other = |differences| RecordError::Other { path: path.to_owned(), differences };
    let found: Heading = serde_json::from_value(found).map_err(|error| other(vec![error.to_string()]))?;
    if found != *heading {
        return Err(other(found.differences(heading)));
    }
    let mut whole = end + 1;
    for (index, text) in bytes[whole..].split_inclusive(|byte| *byte == b'\n').enumerate() {
        let last = whole + text.len() == bytes.len();
        let damaged =
            |reason: String| RecordError::Damaged { path: path.to_owned(), line: index + 2, reason };
        let line: Line = match serde_json::from_slice(text) {
            Ok(line) if text.ends_with(b"\n") => line,
            Ok(_) => break,
            Err(_) if last => break,
            Err(error) => return Err(damaged(error.to_string())),
        };
        if line.row >= heading.rows || !heading.hints.contains(&line.hints) {
            return Err(damaged(format!("row {} with {} % hints was not asked for", line.row, line.hints)));
        }
        let Line { status, right, several, guesses, segments, .. } = line;
        let outcome = Outcome { status, right, several, guesses, segments };
        if done.insert((line.hints, line.row), outcome).is_some_and(|before| before != outcome) {
            return Err(damaged(format!("row {} has another result in another place", line.row)));
        }
        whole += text.len();
    }
    Ok(whole)
}

/// Results as they come and as they stand in the file.
#[derive(Debug)]
pub struct Record {
    file: File,
    path: PathBuf,
    done: BTreeMap<(u8, usize), Outcome>,
}

impl Record {
    /// What is known of `row` with `hints` per cent of hints.
    pub fn get(&self, hints: u8, row: usize) -> Option<Outcome> {
        self.done.get(&(hints, row)).copied()
    }

    /// Writes the outcome of `row`, which is number `puzzle` of the puzzle file.
    ///
    /// # Errors
    /// Where it cannot be written; what was written before stays.
    pub fn add(
        &mut self,
        hints: u8,
        (row, puzzle): (usize, usize),
        outcome: Outcome,
    ) -> Result<(), RecordError> {
        let Outcome { status, right, several, guesses, segments } = outcome;
        self.write(&Line { hints, row, puzzle, status, guesses, segments, right, several })
    }

    /// Appends a line in one piece.
    fn write(&mut self, line: &impl Serialize) -> Result<(), RecordError> {
        let text = serde_json::to_string(line).map_err(io::Error::from);
        text.and_then(|text| self.file.write_all(format!("{text}\n").as_bytes()))
            .map_err(|source| RecordError::Io { action: "write", path: self.path.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heading() -> Heading {
        let data = DataMark { puzzles: 100, crc: "abc".to_owned() };
        Heading::new(0x1234, data, (50, 1), &[40, 0], Policy::default())
    }

    fn outcome(guesses: u16) -> Outcome {
        Outcome { status: Status::Solved, right: true, several: false, guesses, segments: 8 }
    }

    fn open(paths: &[PathBuf], heading: &Heading) -> Result<Record, RecordError> {
        Files::open(paths)?.unwrap().read(heading)
    }

    #[test]
    fn results_outlive_their_process_and_a_torn_line_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let paths = [dir.path().join("results.jsonl")];
        let mut record = open(&paths, &heading()).unwrap();
        record.add(40, (3, 17), outcome(1)).unwrap();
        record.add(0, (3, 17), outcome(2)).unwrap();
        drop(record);
        let whole = std::fs::read(&paths[0]).unwrap();
        let text = String::from_utf8(whole.clone()).unwrap();
        for torn in 0..whole.len() {
            std::fs::write(&paths[0], &whole[..torn]).unwrap();
            let mut record = open(&paths, &heading()).unwrap();
            let lines = text[..torn].matches('\n').count();
            let known = [record.get(40, 3), record.get(0, 3)];
            assert_eq!(known, [(lines > 1).then(|| outcome(1)), None], "{torn} bytes");
            if lines < 2 {
                record.add(40, (3, 17), outcome(1)).unwrap();
            }
            record.add(0, (3, 17), outcome(2)).unwrap();
            drop(record);
            assert_eq!(std::fs::read(&paths[0]).unwrap(), whole, "as if nothing had happened");
        }
    }

    #[test]
    fn results_of_something_else_are_refused_by_name_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let paths = [dir.path().join("results.jsonl")];
        open(&paths, &heading()).unwrap().add(40, (0, 5), outcome(1)).unwrap();
        let before = std::fs::read(&paths[0]).unwrap();
        let policy = Policy { guesses: 64, ..Policy::default() };
        let other = Heading { policy, seed: 2, ..heading() };
        let error = open(&paths, &other).unwrap_err().to_string();
        assert!(
            error.contains("policy.guesses is 4096, not 64") && error.contains("seed is 1, not 2"),
            "{error}"
        );
        assert_eq!(std::fs::read(&paths[0]).unwrap(), before);

        for text in ["question,answer\n1,2\n", "{\"a\":1}\n", "a letter"] {
            std::fs::write(&paths[0], text).unwrap();
            let error = open(&paths, &heading()).unwrap_err();
            assert!(matches!(error, RecordError::Foreign { .. }), "{error}");
            assert_eq!(std::fs::read_to_string(&paths[0]).unwrap(), text);
        }
        assert!(matches!(open(&[dir.path().to_owned()], &heading()), Err(RecordError::Foreign { .. })));
    }

    #[test]
    fn parts_come_together_and_contradictions_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| dir.path().join(name));
        open(std::slice::from_ref(&a), &heading()).unwrap().add(0, (0, 5), outcome(1)).unwrap();
        let mut second = open(std::slice::from_ref(&b), &heading()).unwrap();
        second.add(0, (1, 6), outcome(2)).unwrap();
        let busy = open(std::slice::from_ref(&b), &heading());
        assert!(matches!(busy, Err(RecordError::Busy { .. })));
        let both = open(&[a.clone(), b.clone()], &heading()).unwrap();
        assert_eq!([0, 1, 2].map(|row| both.get(0, row)), [Some(outcome(1)), Some(outcome(2)), None]);
        drop(both);
        second.add(0, (0, 5), outcome(3)).unwrap();
        let error = open(&[a.clone(), b], &heading()).unwrap_err().to_string();
        assert!(error.contains("line 3") && error.contains("row 0 has another result"), "{error}");
        let missing = open(&[a, dir.path().join("c")], &heading()).unwrap_err();
        assert!(missing.to_string().contains("cannot read"), "{missing}");
    }

    #[test]
    fn a_damaged_line_in_the_middle_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let paths = [dir.path().join("results.jsonl")];
        let mut record = open(&paths, &heading()).unwrap();
        record.add(40, (3, 17), outcome(1)).unwrap();
        record.add(0, (3, 17), outcome(2)).unwrap();
        drop(record);
        let text = std::fs::read_to_string(&paths[0]).unwrap().replacen("\"row\":3", "\"row\":", 1);
        std::fs::write(&paths[0], &text).unwrap();
        assert!(matches!(open(&paths, &heading()), Err(RecordError::Damaged { line: 2, .. })));
        assert_eq!(std::fs::read_to_string(&paths[0]).unwrap(), text);
    }
}
