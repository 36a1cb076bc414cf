//! Puzzle sets: read, made, measured, split and eased.

pub mod export;
pub mod generate;
pub mod hints;
pub mod import;
pub mod near;
pub mod problem;
pub mod rating;
pub mod read;
pub mod several;
pub mod split;
pub mod stats;

use std::collections::HashMap;

use hrm_core::task::Task;
use rating::Rating;

use crate::task::Game;

/// Puzzles of one task with their answers, as tokens, in one block each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PuzzleSet {
    task: Game,
    questions: Vec<u8>, // (len, cells)
    answers: Vec<u8>,   // (len, cells)
    ratings: Vec<Option<Rating>>,
    /// Index into `names` of each row.
    sources: Vec<u32>,
    names: Vec<String>,
    name_index: HashMap<String, u32>,
}

/// One row of a [`PuzzleSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Puzzle<'a> {
    /// Tokens of the puzzle, `cells` of them.
    pub question: &'a [u8],
    /// Tokens of the answer.
    pub answer: &'a [u8],
    /// Where the row comes from; may be empty.
    pub source: &'a str,
    /// Its difficulty, where known, on its source's scale.
    pub rating: Option<Rating>,
}

impl PuzzleSet {
    /// An empty set.
    pub fn new(task: impl Into<Game>) -> Self {
        PuzzleSet {
            task: task.into(),
            questions: Vec::new(),
            answers: Vec::new(),
            ratings: Vec::new(),
            sources: Vec::new(),
            names: Vec::new(),
            name_index: HashMap::new(),
        }
    }

    /// The task all rows belong to.
    pub fn task(&self) -> Game {
        self.task
    }

    /// Cells of a puzzle.
    pub fn cells(&self) -> usize {
        self.task.cells()
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.ratings.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.ratings.is_empty()
    }

    /// The question of row `row`.
    ///
    /// # Panics
    /// Where `row >= len()`, like a slice.
    pub fn question(&self, row: usize) -> &[u8] {
        &self.questions[row * self.cells()..][..self.cells()]
    }

    /// The answer of row `row`; panics as [`Self::question`].
    pub fn answer(&self, row: usize) -> &[u8] {
        &self.answers[row * self.cells()..][..self.cells()]
    }

    /// Everything about row `row`; panics as [`Self::question`].
    pub fn get(&self, row: usize) -> Puzzle<'_> {
        Puzzle {
            question: self.question(row),
            answer: self.answer(row),
            source: &self.names[self.sources[row] as usize],
            rating: self.ratings[row],
        }
    }

    /// Every row, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Puzzle<'_>> {
        (0..self.len()).map(|row| self.get(row))
    }

    /// Appends a row.
    ///
    /// # Panics
    /// Where the question or the answer has another length than `cells()`.
    pub fn push(&mut self, puzzle: Puzzle<'_>) {
        assert_eq!(puzzle.question.len(), self.cells(), "a question of the set's task");
        assert_eq!(puzzle.answer.len(), self.cells(), "an answer of the set's task");
        self.questions.extend_from_slice(puzzle.question);
        self.answers.extend_from_slice(puzzle.answer);
        self.ratings.push(puzzle.rating);
        let name = match self.name_index.get(puzzle.source) {
            Some(&name) => name,
            None => {
                let name = self.names.len() as u32;
                self.names.push(puzzle.source.to_owned());
                self.name_index.insert(puzzle.source.to_owned(), name);
                name
            }
        };
        self.sources.push(name);
    }

    /// Whether `grid` answers row `row`: it is the answer, or another grid that keeps the givens and breaks
    /// no rule, as puzzles with several solutions have. Panics as [`Self::question`].
    pub fn is_answered(&self, row: usize, grid: &[u8]) -> bool {
        grid == self.answer(row) || self.task.accepts(self.question(row), grid)
    }

    /// A checksum of the task and of all questions and answers in their order, whatever file they come from.
    pub fn fingerprint(&self) -> u64 {
        let crc = crc::Crc::<u64>::new(&crc::CRC_64_XZ);
        let mut digest = crc.digest();
        digest.update(self.task.name().as_bytes());
        digest.update(&self.questions);
        digest.update(&self.answers);
        digest.finalize()
    }

    /// The rows `rows`, in that order; panics as [`Self::question`].
    pub fn subset(&self, rows: &[usize]) -> PuzzleSet {
        let mut set = PuzzleSet::new(self.task);
        rows.iter().for_each(|&row| set.push(self.get(row)));
        set
    }
}
