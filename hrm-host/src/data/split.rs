//! A validation set that shares nothing with the training set, not even up to symmetry.

use std::collections::HashMap;

use hrm_core::task::draw;
use rand_pcg::Pcg64;
use rayon::prelude::*;

use super::PuzzleSet;
use crate::task::{Canonical, Form, Game};

/// What no row of one part may share with a row of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Apart {
    /// Solution grids, up to all symmetries.
    Solutions,
    /// Puzzles (givens and solution), up to all symmetries.
    Puzzles,
    /// Identical questions only.
    Questions,
}

impl Apart {
    /// Why not every row can be split off.
    pub fn reason(self) -> String {
        let shared = match self {
            Apart::Solutions => "a solution up to symmetry",
            Apart::Puzzles => "a puzzle up to symmetry",
            Apart::Questions => "a question",
        };
        format!("rows that share {shared} stay together and one is left to train on")
    }
}

/// Why a split is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot split {wanted} rows off {rows}: {}, and so only {possible} fit; ask for fewer, add puzzles or choose another \
     rule with --apart",
    .apart.reason()
)]
pub struct SplitError {
    /// Rows asked for.
    pub wanted: usize,
    /// Rows there are.
    pub rows: usize,
    /// Rows that this draw could split off.
    pub possible: usize,
    /// What keeps rows together.
    pub apart: Apart,
}

/// Both parts of a split: row numbers, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Rows to train on.
    pub train: Vec<usize>,
    /// Rows to validate on.
    pub validation: Vec<usize>,
}

/// Canonical forms; a task without such forms is compared as it stands.
pub(super) struct Forms(Option<Box<dyn Canonical>>);

impl Forms {
    pub(super) fn of(task: Game) -> Self {
        Self(task.canonical())
    }

    pub(super) fn form(&self, question: &[u8], answer: &[u8]) -> Form {
        match &self.0 {
            Some(canonical) => canonical.form(question, answer),
            None => Form { answer: answer.to_vec(), question: question.to_vec() },
        }
    }
}

/// What makes rows the same, as a rule sees it.
pub struct Keys {
    apart: Apart,
    forms: Forms,
}

impl Keys {
    /// The keys of `task`'s puzzles under the rule `apart`.
    pub fn new(apart: Apart, task: Game) -> Self {
        Self { apart, forms: Forms::of(task) }
    }

    /// The keys of the rows `rows` of `set`: rows with equal keys share what the rule keeps apart.
    pub fn of(&self, set: &PuzzleSet, rows: &[usize]) -> Vec<Vec<u8>> {
        rows.par_iter().map(|&row| self.key(set.question(row), set.answer(row))).collect()
    }

    /// The keys of all rows of `set`, in their order.
    pub fn of_all(&self, set: &PuzzleSet) -> Vec<Vec<u8>> {
        self.of(set, &(0..set.len()).collect::<Vec<_>>())
    }

    /// The key of one puzzle.
    pub fn key(&self, question: &[u8], answer: &[u8]) -> Vec<u8> {
        match self.apart {
            Apart::Questions => question.to_vec(),
            Apart::Solutions => self.forms.form(question, answer).answer,
            Apart::Puzzles => {
                let form = self.forms.form(question, answer);
                [form.answer, form.question].concat()
            }
        }
    }
}

/// Draws exactly `validation` rows that share nothing (as `apart` says, by exact canonical forms) with the
/// other rows. At least one row is left to train on.
pub fn split(set: &PuzzleSet, validation: usize, apart: Apart, seed: u64) -> Result<Split, SplitError> {
    let keys = Keys::new(apart, set.task()).of_all(set);
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut group_of: HashMap<&[u8], usize> = HashMap::new();
    for (row, key) in keys.iter().enumerate() {
        let group = *group_of.entry(key).or_insert(groups.len());
        match groups.get_mut(group) {
            Some(rows) => rows.push(row),
            None => groups.push(vec![row]),
        }
    }
    draw::shuffle(&mut Pcg64::new(u128::from(seed), 0), &mut groups);

    let mut chosen: Vec<usize> = Vec::new();
    let mut train: Vec<usize> = Vec::new();
    let room = validation.min(set.len().saturating_sub(1));
    for rows in groups {
        let part = if chosen.len() + rows.len() <= room { &mut chosen } else { &mut train };
        part.extend(rows);
    }
    if chosen.len() < validation {
        return Err(SplitError { wanted: validation, rows: set.len(), possible: chosen.len(), apart });
    }
    chosen.sort_unstable();
    train.sort_unstable();
    Ok(Split { train, validation: chosen })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use hrm_core::task::{
        Task,
        sudoku::{Sudoku, SudokuKind},
    };

    use super::*;
    use crate::data::{
        Puzzle,
        generate::{Recipe, generate},
    };

    /// 60 puzzles, each with two disguised copies.
    fn set() -> PuzzleSet {
        let task = Sudoku::new(SudokuKind::Nine);
        let base = generate(&Recipe { task: task.into(), count: 60, seed: 1, givens: Some(40) }, |_| {})
            .expect("puzzles");
        let mut rng = Pcg64::new(1, 1);
        let mut set = PuzzleSet::new(task);
        for puzzle in base.iter() {
            set.push(puzzle);
            for _ in 0..2 {
                let symmetry = task.draw(&mut rng);
                let (mut question, mut answer) = ([0; 81], [0; 81]);
                task.apply(&symmetry, puzzle.question, &mut question);
                task.apply(&symmetry, puzzle.answer, &mut answer);
                set.push(Puzzle { question: &question, answer: &answer, ..puzzle });
            }
        }
        set
    }

    #[test]
    fn parts_share_no_solution_up_to_symmetry() {
        let set = set();
        let parts = split(&set, 30, Apart::Solutions, 5).expect("a split");
        assert_eq!((parts.validation.len(), parts.train.len()), (30, 150));
        let groups = |rows: &[usize]| rows.iter().map(|row| row / 3).collect::<HashSet<_>>();
        assert!(groups(&parts.train).is_disjoint(&groups(&parts.validation)));
        assert_eq!(split(&set, 30, Apart::Solutions, 5), Ok(parts.clone()));
        assert_ne!(split(&set, 30, Apart::Solutions, 6), Ok(parts));
        assert_eq!(split(&set, 0, Apart::Solutions, 5).expect("a split").train.len(), 180);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let set = set();
        let apart = Apart::Puzzles;
        let refused = |wanted, possible| Err(SplitError { wanted, rows: 180, possible, apart });
        assert_eq!(split(&set, 31, apart, 5), refused(31, 30));
        assert_eq!(split(&set, 180, apart, 5), refused(180, 177));
        assert_eq!(split(&set, 1000, apart, 5), refused(1000, 177));
        assert_eq!(split(&set, 179, Apart::Questions, 5).expect("a split").train.len(), 1);
        assert!(split(&PuzzleSet::new(set.task()), 1, apart, 5).is_err());
        // 4x4 has two solution grids up to symmetry: a split takes all puzzles of one of them or none.
        let task = Sudoku::new(SudokuKind::Four);
        let small = generate(&Recipe { task: task.into(), count: 50, seed: 1, givens: None }, |_| {})
            .expect("puzzles");
        assert!(split(&small, 1, Apart::Solutions, 1).is_err());
        assert_eq!(split(&small, 20, Game::from(task).apart(), 1).expect("a split").validation.len(), 20);
    }
}
