//! Every answer that a board may be asked for, as this machine gives it.

use hrm_core::{
    Hrm, Pack, Reasoner,
    pack::AlignedBytes,
    solve::{Policy, Solver},
    task::{Task, sudoku::Sudoku},
    wire::{Ask, Segment},
    workspace_words,
};
use hrm_emulator::{Solved, compare::digests};

use crate::{
    puzzles,
    synthetic::{self, ModelKind, with_self_test},
};

/// A pack for Sudokus, and what its model makes of some puzzles.
pub struct Known {
    /// The pack.
    pub pack: Vec<u8>,
    /// Its task.
    pub task: Sudoku,
    /// Its CRC-32, as told in `Hello`.
    pub crc: u32,
    /// Puzzles of its self-test; 0 where it has none.
    pub self_test: u8,
    /// The puzzles.
    pub puzzles: Vec<Puzzle>,
}

/// A puzzle and its answers.
pub struct Puzzle {
    /// Its tokens.
    pub tokens: Vec<u8>,
    /// The digests of two segments.
    pub digests: Vec<Segment>,
    /// A policy, and the answer under it.
    pub policy: Policy,
    /// That answer.
    pub solved: Solved,
}

impl Known {
    /// A model with random weights, whose segments take no time, so that what surrounds
    /// them is all that is tried.
    pub fn tiny() -> Self {
        let kind = ModelKind { width: 16, heads: 1, inner: 16, layers: 1, ..synthetic::SMALL };
        let pack = synthetic::pack(kind, 3);
        let tested = puzzles::drawn(&Sudoku::named(kind.task).expect("a Sudoku"), 2, 1);
        Self::of(&with_self_test(&pack, &tested, 1), 40, 9).expect("a pack for a Sudoku")
    }

    /// What the model in `pack` makes of `count` drawn puzzles.
    ///
    /// # Errors
    /// Where `pack` is none, or not one for a Sudoku.
    pub fn of(pack: &[u8], count: usize, seed: u64) -> Result<Self, String> {
        let aligned = AlignedBytes::copy_of(pack);
        let open = Pack::open(aligned.bytes()).map_err(|error| error.to_string())?;
        let name = open.header().map_err(|error| error.to_string())?.task;
        let task = Sudoku::named(name).ok_or_else(|| format!("it is for {name}, not for a Sudoku"))?;
        let self_test = open.self_test().map_or(0, |test| test.digests.len() as u8);
        let mut memory = vec![0; workspace_words(open.shape())];
        let mut model = Hrm::new(open, &mut memory).map_err(|error| error.to_string())?;
        let puzzles = puzzles::drawn(&task, count, seed)
            .into_iter()
            .enumerate()
            .map(|(number, tokens)| {
                let policy = policy(number);
                let digests = digests(&mut model, Ask { member: 0, tokens: &tokens }, 2);
                let solved = solved_by(&mut model, task, &tokens, policy);
                Puzzle { tokens, digests, policy, solved }
            })
            .collect();
        Ok(Self { pack: pack.into(), task, crc: open.crc(), self_test, puzzles })
    }
}

/// Policies of every kind, none of which takes many segments.
fn policy(number: usize) -> Policy {
    match number % 3 {
        0 => Policy { guesses: 3, seed: number as u64, ..Policy::trained_for(16) },
        1 => Policy { guesses: 2, first_segments: 2, segments: 2, ..Policy::papers() },
        _ => Policy { guesses: 1, first_segments: 1, ..Policy::papers() },
    }
}

/// What this machine's solver says, owned as a device's answer is.
///
/// # Panics
/// Where `pack` cannot be opened.
pub fn solved_here(pack: &[u8], task: Sudoku, puzzle: &[u8], policy: Policy) -> Solved {
    let aligned = AlignedBytes::copy_of(pack);
    let open = Pack::open(aligned.bytes()).expect("a sound pack");
    let mut memory = vec![0; workspace_words(open.shape())];
    let mut model = Hrm::new(open, &mut memory).expect("memory for it");
    solved_by(&mut model, task, puzzle, policy)
}

fn solved_by(model: &mut impl Reasoner, task: Sudoku, puzzle: &[u8], policy: Policy) -> Solved {
    Solved::of(&Solver::new(task, puzzle, policy).run(model, &mut ()), None, false)
}
