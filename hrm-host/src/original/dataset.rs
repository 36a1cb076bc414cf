//! Data sets of the original: a folder with `dataset.json` and NumPy arrays for each of `train` and `test`.
//!
//! An augmented puzzle is followed by its copies, and all of them are a group. A row of a puzzle file keeps
//! that in its source: neighbouring rows of one group have the same, `group_name`.

use std::path::{Path, PathBuf};

use hrm_core::task::Task;
use serde::Deserialize;

use super::npy::{Array, Whole};
use crate::data::{Puzzle, PuzzleSet};
use crate::files;
use crate::task::{Game, all};

/// What describes a folder.
pub const ABOUT: &str = "dataset.json";
/// The names of all puzzles, one level above `train` and `test`: the blank one, which every puzzle has.
pub const IDENTIFIERS: (&str, &str) = ("identifiers.json", "[\"<blank>\"]");
/// Source of a row that is a group of its own.
const ALONE: &str = "original";

/// Why a folder is no data set that this program reads.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}; a data set has {ABOUT} and all__*.npy")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The folder has both parts.
    #[error("{path} holds {found}; name the one that is wanted, for example {path}/{first}")]
    Parts {
        /// The folder.
        path: PathBuf,
        /// All parts.
        found: String,
        /// One of them.
        first: String,
    },
    /// A file holds something else.
    #[error("{path} {why}")]
    Refused {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A row is no puzzle with its answer.
    #[error("{path}, row {row} of {rows}: {problem}")]
    Row {
        /// The folder.
        path: PathBuf,
        /// From 1.
        row: usize,
        /// How many there are.
        rows: usize,
        /// What is wrong.
        problem: String,
    },
}

/// `dataset.json`.
#[derive(Debug, Deserialize)]
struct About {
    vocab_size: usize,
    seq_len: usize,
    sets: Vec<String>,
}

/// The folder of puzzles meant by `path`: itself, or its only part.
///
/// # Errors
/// Where it has several parts.
pub fn folder_at(path: &Path) -> Result<PathBuf, DatasetError> {
    if path.join(ABOUT).exists() {
        return Ok(path.to_owned());
    }
    let parts: Vec<&str> =
        ["train", "test"].into_iter().filter(|part| path.join(part).join(ABOUT).exists()).collect();
    match parts[..] {
        [first, _, ..] => {
            let (path, found) = (path.to_owned(), parts.join(" and "));
            Err(DatasetError::Parts { path, found, first: first.to_owned() })
        }
        [only] => Ok(path.join(only)),
        [] => Ok(path.to_owned()),
    }
}

/// Reads the puzzles of a folder, every row checked.
///
/// # Errors
/// [`DatasetError`] names the file or the row, and what is wrong with it.
pub fn read(folder: &Path, wanted: Option<Game>) -> Result<PuzzleSet, DatasetError> {
    let (about, task) = about(folder, wanted)?;
    let refused = |name: &str, why: String| DatasetError::Refused { path: folder.join(name), why };
    if wanted.is_some_and(|wanted| wanted != task) {
        return Err(refused(
            ABOUT,
            format!("is of {} puzzles; leave out --task, or name another folder", task.name()),
        ));
    }
    if about.sets != ["all"] {
        return Err(refused(ABOUT, format!("has the sets {:?}, and [\"all\"] is wanted", about.sets)));
    }
    let (inputs, labels) = (array(folder, "inputs")?, array(folder, "labels")?);
    let rows = inputs.shape.first().copied().unwrap_or(0);
    for (name, array) in [("all__inputs.npy", &inputs), ("all__labels.npy", &labels)] {
        if array.shape != [rows, task.cells()] {
            let wanted = [rows, task.cells()];
            return Err(refused(name, format!("has shape {:?}, and {wanted:?} is wanted", array.shape)));
        }
    }
    let groups = groups(folder, rows)?;
    let mut set = PuzzleSet::new(task);
    for (group, span) in groups.iter().enumerate() {
        let name = if span.len() == 1 { ALONE.to_owned() } else { group_name(group) };
        for row in span.clone() {
            let at = row * task.cells()..(row + 1) * task.cells();
            let wrong = |problem| DatasetError::Row { path: folder.to_owned(), row: row + 1, rows, problem };
            let question = tokens(task, &inputs.values[at.clone()]).map_err(wrong)?;
            let answer = tokens(task, &labels.values[at]).map_err(wrong)?;
            let problem = task.contradiction(&question).or_else(|| task.wrong_answer(&question, &answer));
            if let Some(problem) = problem {
                return Err(wrong(problem.to_string()));
            }
            set.push(Puzzle { question: &question, answer: &answer, source: &name, rating: None });
        }
    }
    Ok(set)
}

/// Source of the rows of group `group`, which has several.
fn group_name(group: usize) -> String {
    format!("{ALONE} group {group}")
}

/// What a folder says of itself, and its task: the one that is wanted, or else a usual one of
/// so many tokens and cells.
fn about(folder: &Path, wanted: Option<Game>) -> Result<(About, Game), DatasetError> {
    let path = folder.join(ABOUT);
    let bytes = files::read(&path).map_err(|source| DatasetError::Read { path: path.clone(), source })?;
    let refused = |why: String| DatasetError::Refused { path: path.clone(), why };
    let about: About = serde_json::from_slice(&bytes)
        .map_err(|error| refused(format!("is none of the original's ({error})")))?;
    let fits = |task: &Game| (task.vocab(), task.cells()) == (about.vocab_size, about.seq_len);
    let task = wanted.into_iter().chain(all()).find(fits).ok_or_else(|| {
        let known = all().into_iter().map(|task| format!("{task} ({} and {})", task.vocab(), task.cells()));
        refused(format!(
            "is of a task with a vocabulary of {} and {} cells; this program has {}; other sizes are named with --task",
            about.vocab_size,
            about.seq_len,
            known.collect::<Vec<_>>().join(", ")
        ))
    })?;
    Ok((about, task))
}

fn array(folder: &Path, name: &str) -> Result<Array, DatasetError> {
    let path = folder.join(format!("all__{name}.npy"));
    let bytes = files::read(&path).map_err(|source| DatasetError::Read { path: path.clone(), source })?;
    Array::read(&bytes).map_err(|why| DatasetError::Refused { path, why })
}

/// The rows of every group, which together are all rows in their order.
fn groups(folder: &Path, rows: usize) -> Result<Vec<std::ops::Range<usize>>, DatasetError> {
    let refused = |name: &str, why: &str| {
        Err(DatasetError::Refused { path: folder.join(format!("all__{name}.npy")), why: why.to_owned() })
    };
    let puzzles = array(folder, "puzzle_indices")?;
    if puzzles.values != (0..=rows as i64).collect::<Vec<_>>() {
        return refused("puzzle_indices", "gives puzzles several examples, as ARC has; here one is wanted");
    }
    if array(folder, "puzzle_identifiers")?.values != vec![0; rows] {
        return refused(
            "puzzle_identifiers",
            "tells puzzles apart; 0 throughout is wanted, one for each row",
        );
    }
    let bounds = array(folder, "group_indices")?.values;
    let spans = bounds.windows(2).map(|pair| pair[0] as usize..pair[1] as usize).collect::<Vec<_>>();
    let ordered = bounds.first() == Some(&0) && bounds.windows(2).all(|pair| pair[0] < pair[1]);
    match ordered && bounds.last() == Some(&(rows as i64)) {
        true => Ok(spans),
        false => refused("group_indices", "does not divide the rows into groups"),
    }
}

/// A grid, whose tokens are this program's.
fn tokens(task: Game, values: &[i64]) -> Result<Vec<u8>, String> {
    let most = task.vocab() - 1;
    let token =
        |value: &i64| u8::try_from(*value).ok().filter(|token| (1..=most).contains(&usize::from(*token)));
    let wrong = |value: &i64| format!("the token {value} is none of {task}, which has 1 to {most}");
    values.iter().map(|value| token(value).ok_or_else(|| wrong(value))).collect()
}

/// The files of a folder with the puzzles of `set`, by name. Rows with the same group's source that follow
/// each other are a group, every other row is one of its own; where there are such groups the grids are of 8
/// bytes a cell as the original's, else of one.
pub fn write(set: &PuzzleSet) -> Vec<(String, Vec<u8>)> {
    let (rows, cells) = (set.len(), set.cells());
    let is_group = |source: &str| source.strip_prefix(ALONE).is_some_and(|rest| rest.starts_with(" group "));
    let mut bounds = vec![0i64];
    for row in 1..rows {
        let (before, source) = (set.get(row - 1).source, set.get(row).source);
        if before != source || !is_group(source) {
            bounds.push(row as i64);
        }
    }
    if rows > 0 {
        bounds.push(rows as i64);
    }
    let groups = bounds.len() - 1;
    let whole = if groups == rows { Whole::U8 } else { Whole::I64 };
    let grids = |of: &dyn Fn(usize) -> Vec<i64>| Array {
        shape: vec![rows, cells],
        values: (0..rows).flat_map(of).collect(),
    };
    let widened = |grid: &[u8]| grid.iter().map(|token| i64::from(*token)).collect();
    let list = |values: Vec<i64>| Array { shape: vec![values.len()], values };
    let about = format!(
        "{{\"pad_id\": 0, \"ignore_label_id\": 0, \"blank_identifier_id\": 0, \"vocab_size\": {}, \"seq_len\": {cells}, \
         \"num_puzzle_identifiers\": 1, \"total_groups\": {groups}, \"mean_puzzle_examples\": 1.0, \"sets\": [\"all\"]}}",
        set.task().vocab()
    );
    vec![
        (ABOUT.to_owned(), about.into_bytes()),
        ("all__inputs.npy".to_owned(), grids(&|row| widened(set.question(row))).write(whole)),
        ("all__labels.npy".to_owned(), grids(&|row| widened(set.answer(row))).write(whole)),
        ("all__puzzle_indices.npy".to_owned(), list((0..=rows as i64).collect()).write(Whole::I32)),
        ("all__group_indices.npy".to_owned(), list(bounds).write(Whole::I32)),
        ("all__puzzle_identifiers.npy".to_owned(), list(vec![0; rows]).write(Whole::I32)),
    ]
}

#[cfg(test)]
mod tests {
    use std::fs;

    use hrm_core::task::sudoku::{Sudoku, SudokuKind};

    use super::*;
    use crate::data::generate::{Recipe, generate};

    /// Six 4x4 puzzles; the middle four are a group of an augmented puzzle.
    fn set() -> PuzzleSet {
        let recipe = Recipe { task: Sudoku::new(SudokuKind::Four).into(), count: 6, seed: 3, givens: None };
        let made = generate(&recipe, |_| {}).unwrap();
        let mut set = PuzzleSet::new(made.task());
        for (row, puzzle) in made.iter().enumerate() {
            let source = if (1..5).contains(&row) { group_name(1) } else { ALONE.to_owned() };
            set.push(Puzzle { source: &source, rating: None, ..puzzle });
        }
        set
    }

    fn save(set: &PuzzleSet) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in write(set) {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        folder
    }

    #[test]
    fn what_is_written_is_read_with_its_groups() {
        let folder = save(&set());
        assert_eq!(read(folder.path(), None).unwrap(), set());
        let array = |name| array(folder.path(), name).unwrap();
        assert_eq!(array("group_indices").values, [0, 1, 5, 6]);
        assert_eq!(array("puzzle_indices").values, [0, 1, 2, 3, 4, 5, 6]);
        let inputs = fs::read(folder.path().join("all__inputs.npy")).unwrap();
        assert_eq!(inputs.len(), 128 + 6 * 16 * 8, "augmented sets have 8 bytes a cell");
        let alone = save(&set().subset(&[0, 5]));
        assert_eq!(fs::read(alone.path().join("all__inputs.npy")).unwrap().len(), 128 + 2 * 16);
        // One row of a group is a group that has lost its others.
        assert_eq!(read(save(&set().subset(&[2])).path(), None).unwrap().get(0).source, ALONE);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_file_or_row() {
        let spoiled = |name: &str, at: usize, value: i64| {
            let folder = save(&set());
            let path = folder.path().join(format!("all__{name}.npy"));
            let mut array = Array::read(&fs::read(&path).unwrap()).unwrap();
            array.values[at] = value;
            fs::write(&path, array.write(Whole::I64)).unwrap();
            read(folder.path(), None).unwrap_err().to_string()
        };
        for (name, at, value, why) in [
            ("inputs", 17, 9, "row 2 of 6: the token 9 is none of sudoku4"),
            ("labels", 40, 1, "row 3 of 6: the answer is blank"),
            ("puzzle_indices", 3, 5, "all__puzzle_indices.npy gives puzzles several examples"),
            ("puzzle_identifiers", 3, 5, "all__puzzle_identifiers.npy tells puzzles apart"),
            ("group_indices", 1, 9, "all__group_indices.npy does not divide"),
            ("group_indices", 3, 4, "all__group_indices.npy does not divide"),
        ] {
            let error = spoiled(name, at, value);
            assert!(error.contains(why), "{why} in {error}");
        }
        let folder = save(&set());
        let wanted = read(folder.path(), Some(Sudoku::new(SudokuKind::Nine).into())).unwrap_err().to_string();
        assert!(wanted.contains("is of sudoku4 puzzles; leave out --task"), "{wanted}");
        fs::remove_file(folder.path().join("all__labels.npy")).unwrap();
        let missing = read(folder.path(), None).unwrap_err().to_string();
        assert!(missing.contains("cannot read") && missing.contains("all__labels.npy"), "{missing}");
        let maze = "{\"vocab_size\": 6, \"seq_len\": 901, \"sets\": [\"all\"]}";
        fs::write(folder.path().join(ABOUT), maze).unwrap();
        let other = read(folder.path(), None).unwrap_err().to_string();
        assert!(other.contains("a vocabulary of 6 and 901 cells"), "{other}");
    }

    #[test]
    fn a_folder_with_both_parts_wants_one_named() {
        let folder = tempfile::tempdir().unwrap();
        for part in ["train", "test"] {
            fs::create_dir(folder.path().join(part)).unwrap();
            assert_eq!(
                folder_at(folder.path()).unwrap(),
                folder.path().join(if part == "train" { "" } else { "train" })
            );
            fs::write(folder.path().join(part).join(ABOUT), "{}").unwrap();
        }
        let error = folder_at(folder.path()).unwrap_err().to_string();
        assert!(error.contains("holds train and test; name the one that is wanted, for example "), "{error}");
        assert_eq!(folder_at(&folder.path().join("test")).unwrap(), folder.path().join("test"));
    }
}
