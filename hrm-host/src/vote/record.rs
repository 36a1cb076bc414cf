//! What came of each puzzle, in a file: a vote that was stopped goes on from it, and
//! parts of one come together.
//!
//! The first line says what was asked ([`Heading`]), every other line what came of one puzzle (`Line`),
//! each as JSON. A line is written as soon as its puzzle is done, so a process that is killed loses
//! only puzzles that are not.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use hrm_core::solve::{Policy, Status};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Outcome;
use crate::files::{Fresh, is_of_run};

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
    /// The folder is missing.
    #[error(
        "cannot write {}: there is no folder {}; make it first (mkdir -p), or name another file",
        path.display(), folder.display()
    )]
    NoFolder {
        /// What was to be written.
        path: PathBuf,
        /// What is missing.
        folder: PathBuf,
    },
    /// Results are added to a file as they come, and read again.
    #[error("results are kept in a file, and {} is none; name one", path.display())]
    NoFile {
        /// The name.
        path: PathBuf,
    },
    /// The file is no longer where it was.
    #[error(
        "{} was replaced by another file while results were being written to it; what is known is told, and the same command with \
         another --resume file begins anew", path.display()
    )]
    Replaced {
        /// The file.
        path: PathBuf,
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

/// Files that results are kept in: all of them are read, and the first gets what it lacks.
#[derive(Debug)]
pub struct Files {
    first: File,
    fresh: Fresh,
    paths: Vec<PathBuf>,
}

impl Files {
    /// Opens the first of `paths` for writing, which makes it where it is not there.
    /// `None` where there is no path.
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
        let no_file =
            |path: &&PathBuf| path.as_os_str() == "-" || path.metadata().is_ok_and(|about| !about.is_file());
        if let Some(path) = paths.iter().find(no_file) {
            return Err(RecordError::NoFile { path: path.clone() });
        }
        // The system lets root write it all the same.
        if path.metadata().is_ok_and(|about| about.permissions().readonly()) {
            return Err(at("write", path)(io::ErrorKind::PermissionDenied.into()));
        }
        if is_of_run(path) {
            return Err(RecordError::Foreign { path: path.clone() });
        }
        let not_written = |source: io::Error| match path.parent() {
            Some(folder) if source.kind() == io::ErrorKind::NotFound => {
                RecordError::NoFolder { path: path.clone(), folder: folder.to_owned() }
            }
            _ => at("write", path)(source),
        };
        let fresh = Fresh::at(path).map_err(not_written)?;
        let first =
            OpenOptions::new().read(true).append(true).create(true).open(path).map_err(not_written)?;
        let mut read = vec![path.canonicalize().map_err(at("read", path))?];
        let mut paths = vec![path.clone()];
        for other in others {
            File::open(other).map_err(at("read", other))?;
            let actual = other.canonicalize().map_err(at("read", other))?;
            // One file has each result once, by however many names.
            if !read.contains(&actual) {
                paths.push(other.clone());
                read.push(actual);
            }
        }
        match first.try_lock() {
            Err(TryLockError::WouldBlock) => Err(RecordError::Busy { path: path.clone() }),
            // Some file systems know no locks.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Some(Files { first, fresh, paths })),
        }
    }

    /// Reads what is there of the results under `heading`, whose rows are at `places` in the puzzle
    /// file, and writes to the first what only others hold, so that it is the whole. A last line that was not
    /// written to its end is dropped; files that were joined into one may repeat the heading.
    ///
    /// # Errors
    /// Where a file holds something else, and nothing is changed then.
    pub fn read(mut self, heading: &Heading, places: &[usize]) -> Result<Record, RecordError> {
        let mut done = BTreeMap::new();
        let path = self.paths[0].clone();
        let at = |action| {
            let path = path.clone();
            move |source| RecordError::Io { action, path, source }
        };
        let mut bytes = Vec::new();
        self.first.read_to_end(&mut bytes).map_err(at("read"))?;
        let whole = take(&path, &bytes, (heading, places), &mut done)?;
        let own: BTreeSet<(u8, usize)> = done.keys().copied().collect();
        for other in &self.paths[1..] {
            let bytes = std::fs::read(other).map_err(|source| RecordError::Io {
                action: "read",
                path: other.clone(),
                source,
            })?;
            take(other, &bytes, (heading, places), &mut done)?;
        }
        if whole < bytes.len() {
            self.first.set_len(whole as u64).map_err(at("shorten"))?;
            self.first.seek(SeekFrom::End(0)).map_err(at("shorten"))?;
        }
        self.fresh.keep();
        let lacking: Vec<_> = done
            .iter()
            .filter(|(key, _)| !own.contains(key))
            .map(|(key, outcome)| (*key, *outcome))
            .collect();
        let mut record = Record { file: self.first, path, done };
        if whole == 0 {
            record.write(heading)?;
        }
        for ((hints, row), outcome) in lacking {
            record.add(hints, (row, places[row]), outcome)?;
        }
        Ok(record)
    }
}

/// Adds the results in `bytes` to `done`; how many of the bytes are whole lines.
fn take(
    path: &Path,
    bytes: &[u8],
    (heading, places): (&Heading, &[usize]),
    done: &mut BTreeMap<(u8, usize), Outcome>,
) -> Result<usize, RecordError> {
    let foreign = || RecordError::Foreign { path: path.to_owned() };
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
        // Nothing yet, or a heading that was not written to its end.
        let whole = serde_json::to_string(heading).unwrap_or_default();
        return if whole.as_bytes().starts_with(bytes) { Ok(0) } else { Err(foreign()) };
    };
    let found: Value = serde_json::from_slice(&bytes[..end]).map_err(|_| foreign())?;
    if !is_heading(&found) {
        return Err(foreign());
    }
    let same = |found: Value| {
        let other = |differences| RecordError::Other { path: path.to_owned(), differences };
        let found: Heading = serde_json::from_value(found).map_err(|error| other(vec![error.to_string()]))?;
        if found == *heading { Ok(()) } else { Err(other(found.differences(heading))) }
    };
    same(found)?;
    let mut whole = end + 1;
    for (index, text) in bytes[whole..].split_inclusive(|byte| *byte == b'\n').enumerate() {
        let last = whole + text.len() == bytes.len();
        let damaged =
            |reason: String| RecordError::Damaged { path: path.to_owned(), line: index + 2, reason };
        match serde_json::from_slice::<Value>(text) {
            Ok(value) if text.ends_with(b"\n") => {
                if is_heading(&value) {
                    same(value)?;
                } else {
                    let line: Line =
                        serde_json::from_value(value).map_err(|error| damaged(error.to_string()))?;
                    line.check(heading, places).map_err(damaged)?;
                    let Line { status, right, several, guesses, segments, .. } = line;
                    let outcome = Outcome { status, right, several, guesses, segments };
                    if done.insert((line.hints, line.row), outcome).is_some_and(|before| before != outcome) {
                        return Err(damaged(format!("row {} has another result in another place", line.row)));
                    }
                }
            }
            Ok(_) => break,
            Err(_) if last && !text.ends_with(b"\n") => break,
            Err(error) => return Err(damaged(format!("it is no result ({error})"))),
        }
        whole += text.len();
    }
    Ok(whole)
}

/// Whether a line says what was asked.
fn is_heading(line: &Value) -> bool {
    line.get("hrm_host_eval").is_some()
}

impl Line {
    /// Whether a vote under `heading`, whose rows are at `places` in the puzzle file,
    /// can have had this result.
    fn check(&self, heading: &Heading, places: &[usize]) -> Result<(), String> {
        let Self { hints, row, puzzle, guesses, segments, .. } = *self;
        let Some(&place) = places.get(row).filter(|_| heading.hints.contains(&hints)) else {
            return Err(format!("row {row} with {hints} % hints was not asked for"));
        };
        if puzzle != place {
            return Err(format!("row {row} is puzzle {place} of the puzzle file, not {puzzle}"));
        }
        let policy = &heading.policy;
        // Of a puzzle that is complete already both are 0.
        let thought = (guesses == 0) == (segments == 0) && u32::from(guesses) <= segments;
        let within = guesses <= policy.guesses && segments <= policy.budget;
        if !thought || !within || (self.several && self.right) {
            return Err(format!("row {row} cannot have this result"));
        }
        Ok(())
    }
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
        let failed = |source| RecordError::Io { action: "write", path: self.path.clone(), source };
        if !self.path.try_exists().map_err(failed)? {
            self.file = put_back(&mut self.file, &self.path).map_err(failed)?;
        } else if !leads_to(&self.path, &self.file).map_err(failed)? {
            return Err(RecordError::Replaced { path: self.path.clone() });
        }
        let text = serde_json::to_string(line).map_err(io::Error::from);
        text.and_then(|text| self.file.write_all(format!("{text}\n").as_bytes())).map_err(failed)
    }
}

/// Somebody has deleted the file at `path`; all that it held is still in `file`, and is written there anew.
fn put_back(file: &mut File, path: &Path) -> io::Result<File> {
    let mut all = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut all)?;
    let mut again = OpenOptions::new().read(true).append(true).create_new(true).open(path)?;
    // As before, where there are no locks there is none.
    let _ = again.try_lock();
    again.write_all(&all)?;
    Ok(again)
}

/// Whether `path` still leads to `file`.
#[cfg(unix)]
fn leads_to(path: &Path, file: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (named, open) = (path.metadata()?, file.metadata()?);
    Ok((named.dev(), named.ino()) == (open.dev(), open.ino()))
}

#[cfg(not(unix))]
fn leads_to(_: &Path, _: &File) -> io::Result<bool> {
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heading() -> Heading {
        let data = DataMark { puzzles: 100, crc: "abc".to_owned() };
        Heading::new(0x1234, data, (50, 1), &[40, 0], Policy::trained_for(16))
    }

    fn outcome(guesses: u16) -> Outcome {
        Outcome { status: Status::Solved, right: true, several: false, guesses, segments: 8 }
    }

    fn open(paths: &[PathBuf], heading: &Heading) -> Result<Record, RecordError> {
        let places: Vec<usize> = (0..heading.rows).map(|row| row + 14).collect();
        Files::open(paths)?.unwrap().read(heading, &places)
    }

    #[test]
    fn a_write_protected_file_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("results.jsonl");
        drop(open(std::slice::from_ref(&path), &heading()).unwrap());
        let mut mode = std::fs::metadata(&path).unwrap().permissions();
        mode.set_readonly(true);
        std::fs::set_permissions(&path, mode).unwrap();
        let error = Files::open(std::slice::from_ref(&path)).unwrap_err().to_string();
        assert!(error.contains("results.jsonl"), "{error}");
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
    fn a_file_that_nothing_is_written_into_is_not_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        let paths = [dir.path().join("results.jsonl"), dir.path().join("missing")];
        drop(Files::open(&paths[..1]).unwrap());
        assert!(!paths[0].exists());
        assert!(Files::open(&paths).is_err() && !paths[0].exists());
        std::fs::write(&paths[0], "").unwrap();
        drop(Files::open(&paths[..1]).unwrap());
        assert!(paths[0].exists(), "it was there before");
    }

    #[test]
    fn one_file_by_two_names_is_one() {
        let dir = tempfile::tempdir().unwrap();
        let name = dir.path().file_name().unwrap();
        let paths = [dir.path().join("results"), dir.path().join("..").join(name).join("results")];
        for guesses in [1, 2] {
            let mut record = open(&paths, &heading()).unwrap();
            assert_eq!(record.get(40, 0).is_some(), guesses > 1);
            record.add(40, (usize::from(guesses) - 1, 13 + usize::from(guesses)), outcome(guesses)).unwrap();
        }
    }

    #[test]
    fn results_of_something_else_are_refused_by_name_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let paths = [dir.path().join("results.jsonl")];
        open(&paths, &heading()).unwrap().add(40, (0, 14), outcome(1)).unwrap();
        let before = std::fs::read(&paths[0]).unwrap();
        let policy = Policy { guesses: 64, ..Policy::trained_for(16) };
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
        for none in [dir.path(), Path::new("-")] {
            assert!(matches!(open(&[none.to_owned()], &heading()), Err(RecordError::NoFile { .. })));
        }
        let nowhere = open(&[dir.path().join("no/x")], &heading()).unwrap_err().to_string();
        assert!(nowhere.contains("there is no folder") && nowhere.contains("mkdir"), "{nowhere}");
    }

    #[test]
    fn parts_come_together_and_contradictions_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| dir.path().join(name));
        open(std::slice::from_ref(&a), &heading()).unwrap().add(0, (0, 14), outcome(1)).unwrap();
        let mut second = open(std::slice::from_ref(&b), &heading()).unwrap();
        second.add(0, (1, 15), outcome(2)).unwrap();
        let busy = open(std::slice::from_ref(&b), &heading());
        assert!(matches!(busy, Err(RecordError::Busy { .. })));
        let both = open(&[a.clone(), b.clone()], &heading()).unwrap();
        assert_eq!([0, 1, 2].map(|row| both.get(0, row)), [Some(outcome(1)), Some(outcome(2)), None]);
        drop(both);
        second.add(0, (0, 14), outcome(3)).unwrap();
        let error = open(&[a.clone(), b], &heading()).unwrap_err().to_string();
        assert!(error.contains("line 3") && error.contains("row 0 has another result"), "{error}");
        let missing = open(&[a, dir.path().join("c")], &heading()).unwrap_err();
        assert!(missing.to_string().contains("cannot read"), "{missing}");
    }

    #[test]
    fn files_that_were_joined_into_one_are_read_like_one() {
        let dir = tempfile::tempdir().unwrap();
        let [a, b, all] = ["a", "b", "all"].map(|name| dir.path().join(name));
        open(std::slice::from_ref(&a), &heading()).unwrap().add(0, (0, 14), outcome(1)).unwrap();
        open(std::slice::from_ref(&b), &heading()).unwrap().add(0, (1, 15), outcome(2)).unwrap();
        let joined = [std::fs::read(&a).unwrap(), std::fs::read(&b).unwrap()].concat();
        std::fs::write(&all, joined).unwrap();
        let record = open(std::slice::from_ref(&all), &heading()).unwrap();
        assert_eq!([0, 1].map(|row| record.get(0, row)), [Some(outcome(1)), Some(outcome(2))]);
        drop(record);
        let other = Heading { seed: 2, ..heading() };
        std::fs::remove_file(&b).unwrap();
        open(std::slice::from_ref(&b), &other).unwrap();
        std::fs::write(&all, [std::fs::read(&a).unwrap(), std::fs::read(&b).unwrap()].concat()).unwrap();
        let error = open(&[all], &heading()).unwrap_err().to_string();
        assert!(error.contains("seed is 2, not 1"), "{error}");
    }

    #[test]
    fn a_result_that_no_vote_can_have_had_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let paths = [dir.path().join("results.jsonl")];
        open(&paths, &heading()).unwrap().add(40, (3, 17), outcome(1)).unwrap();
        let text = std::fs::read_to_string(&paths[0]).unwrap();
        for (own, other, told) in [
            ("\"row\":3", "\"row\":50", "row 50 with 40 % hints was not asked for"),
            ("\"hints\":40,\"row\"", "\"hints\":70,\"row\"", "with 70 % hints was not asked for"),
            ("\"puzzle\":17", "\"puzzle\":18", "row 3 is puzzle 17 of the puzzle file, not 18"),
            ("\"guesses\":1,", "\"guesses\":5000,", "row 3 cannot have this result"),
            ("\"guesses\":1,", "\"guesses\":0,", "row 3 cannot have this result"),
            ("\"segments\":8", "\"segments\":0", "row 3 cannot have this result"),
            ("\"several\":false", "\"several\":true", "row 3 cannot have this result"),
            ("\"segments\":8", "\"segments\":-8", "line 2"),
        ] {
            let altered = text.replacen(own, other, 1);
            assert_ne!(altered, text, "{own}");
            std::fs::write(&paths[0], altered).unwrap();
            let error = open(&paths, &heading()).unwrap_err().to_string();
            assert!(error.contains(told) && error.contains("line 2"), "{own}: {error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_deleted_meanwhile_comes_back_and_another_in_its_place_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let paths = [dir.path().join("results.jsonl")];
        let mut record = open(&paths, &heading()).unwrap();
        record.add(40, (3, 17), outcome(1)).unwrap();
        std::fs::remove_file(&paths[0]).unwrap();
        record.add(0, (3, 17), outcome(2)).unwrap();
        record.add(0, (4, 18), outcome(3)).unwrap();
        assert!(matches!(open(&paths, &heading()), Err(RecordError::Busy { .. })));
        std::fs::rename(&paths[0], dir.path().join("moved")).unwrap();
        std::fs::write(&paths[0], "mine").unwrap();
        let replaced = record.add(0, (5, 19), outcome(3)).unwrap_err();
        assert!(matches!(replaced, RecordError::Replaced { .. }), "{replaced}");
        assert_eq!(std::fs::read_to_string(&paths[0]).unwrap(), "mine");
        drop(record);
        let record = open(&[dir.path().join("moved")], &heading()).unwrap();
        let known = [(40, 3), (0, 3), (0, 4)].map(|(hints, row)| record.get(hints, row));
        assert_eq!(known, [1, 2, 3].map(|guesses| Some(outcome(guesses))));
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
