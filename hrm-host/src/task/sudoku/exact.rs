//! An exact Sudoku solver: proves that an answer is the only one, rates puzzles, and completes random grids.
//!
//! Backtracking over candidate bit masks: naked and hidden singles are propagated to a fixed point, then the
//! cell with the fewest candidates is tried.

use std::{ops::ControlFlow, sync::OnceLock};

use hrm_core::task::{
    Task, draw,
    sudoku::{FIRST_DIGIT, MAX_SIDE, MAX_SUDOKU_CELLS, Sudoku, SudokuKind},
};
use rand_core::Rng;

use super::{exchange, problem::solved_turned};
use crate::task::{self, Found};

/// A solver for one size of Sudoku. Copying it copies a reference.
#[derive(Clone, Copy, Debug)]
pub struct Exact {
    tables: &'static Tables,
}

/// The units and peers of each cell of one size.
#[derive(Debug)]
struct Tables {
    task: Sudoku,
    /// Rows, columns and boxes, as cells; entries past the side are unused.
    units: Vec<[u8; MAX_SIDE]>,
    peers: Vec<Vec<u8>>,
}

impl Tables {
    fn new(kind: SudokuKind) -> Self {
        let task = Sudoku::new(kind);
        let mut units = vec![[0; MAX_SIDE]; 3 * kind.side()];
        let mut filled = vec![0; units.len()];
        for cell in 0..task.cells() {
            let (row, column, square) = kind.units(cell);
            for unit in [row, kind.side() + column, 2 * kind.side() + square] {
                units[unit][filled[unit]] = cell as u8;
                filled[unit] += 1;
            }
        }
        let peer = |i: usize, j: usize| i != j && task.relation(i, j) != 0;
        let peers = (0..task.cells())
            .map(|i| (0..task.cells()).filter(|&j| peer(i, j)).map(|j| j as u8).collect())
            .collect();
        Tables { task, units, peers }
    }

    fn of(kind: SudokuKind) -> &'static Tables {
        static TABLES: [OnceLock<Tables>; 3] = [const { OnceLock::new() }; 3];
        TABLES[kind as usize].get_or_init(|| Tables::new(kind))
    }
}

/// Candidates of every cell (bit `d - 1` for the digit `d`).
#[derive(Clone, Copy)]
struct State {
    candidates: [u16; MAX_SUDOKU_CELLS],
    /// Cells whose digit has been taken from their peers.
    placed: u128,
}

impl State {
    fn empty(tables: &Tables) -> Self {
        State { candidates: [(1 << tables.task.side()) - 1; MAX_SUDOKU_CELLS], placed: 0 }
    }

    /// Decides `cell`, and every cell that is left with one candidate by it. `false` on a contradiction.
    fn place(&mut self, tables: &Tables, cell: usize, digit: u16) -> bool {
        if self.candidates[cell] & digit == 0 {
            return false;
        }
        self.candidates[cell] = digit;
        let mut queue = [0u8; MAX_SUDOKU_CELLS + 1];
        queue[0] = cell as u8;
        let mut queued = 1;
        while queued > 0 {
            queued -= 1;
            let cell = usize::from(queue[queued]);
            if self.placed >> cell & 1 == 1 {
                continue;
            }
            self.placed |= 1 << cell;
            let digit = self.candidates[cell];
            for &peer in &tables.peers[cell] {
                let candidates = &mut self.candidates[usize::from(peer)];
                if *candidates & digit != 0 {
                    *candidates &= !digit;
                    if *candidates == 0 {
                        return false;
                    }
                    if candidates.is_power_of_two() {
                        queue[queued] = peer;
                        queued += 1;
                    }
                }
            }
        }
        true
    }

    /// Places digits that fit one cell of a unit only, until there are none. `false` on a contradiction.
    fn place_hidden_singles(&mut self, tables: &Tables) -> bool {
        let side = tables.task.side();
        let all = (1u16 << side) - 1;
        loop {
            let before = self.placed;
            for unit in &tables.units {
                let (mut once, mut twice) = (0, 0);
                for &cell in &unit[..side] {
                    let candidates = self.candidates[usize::from(cell)];
                    twice |= once & candidates;
                    once |= candidates;
                }
                if once != all {
                    return false;
                }
                let single = once & !twice;
                for &cell in &unit[..side] {
                    let cell = usize::from(cell);
                    let here = self.candidates[cell] & single;
                    if here == 0 || self.placed >> cell & 1 == 1 {
                        continue;
                    }
                    if !here.is_power_of_two() || !self.place(tables, cell, here) {
                        return false;
                    }
                }
            }
            if self.placed == before {
                return true;
            }
        }
    }

    /// The undecided cell with the fewest candidates, `None` where all are decided.
    fn narrowest(&self, tables: &Tables) -> Option<usize> {
        let mut best = (u32::MAX, None);
        for (cell, candidates) in self.candidates[..tables.task.cells()].iter().enumerate() {
            let count = candidates.count_ones();
            if self.placed >> cell & 1 == 0 && count < best.0 {
                best = (count, Some(cell));
                if count <= 2 {
                    break;
                }
            }
        }
        best.1
    }

    fn tokens(&self, tables: &Tables) -> Vec<u8> {
        let token = |&digit: &u16| digit.trailing_zeros() as u8 + FIRST_DIGIT;
        self.candidates[..tables.task.cells()].iter().map(token).collect()
    }
}

/// Guesses made and allowed.
struct Guesses {
    made: u64,
    most: u64,
}

impl Guesses {
    fn any() -> Self {
        Guesses { made: 0, most: u64::MAX }
    }
}

impl Exact {
    /// The solver of this size.
    pub fn new(task: Sudoku) -> Self {
        Exact { tables: Tables::of(task.kind()) }
    }

    /// Searches `puzzle` (tokens; anything but a digit is a blank) until `limit` solutions are found or there
    /// are no more. Contradictory givens have no solution.
    pub fn search(&self, puzzle: &[u8], limit: usize) -> Found {
        self.search_within(puzzle, limit, u64::MAX)
    }

    /// As [`Self::search`], but gives up after `most` guesses: then there may be more
    /// solutions than those found.
    pub fn search_within(&self, puzzle: &[u8], limit: usize, most: u64) -> Found {
        let mut found = Found { solutions: Vec::new(), guesses: 0 };
        if limit == 0 {
            return found;
        }
        if let Some(state) = self.start(puzzle) {
            let mut keep = |state: &State| {
                found.solutions.push(state.tokens(self.tables));
                if found.solutions.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            };
            let mut guesses = Guesses { made: 0, most };
            let _ = self.descend(state, &mut lowest, &mut guesses, &mut keep);
            found.guesses = guesses.made;
        }
        found
    }

    /// Counts the solutions of `puzzle`, up to `limit`.
    pub fn count(&self, puzzle: &[u8], limit: u64) -> u64 {
        let mut count = 0;
        if let Some(state) = self.start(puzzle).filter(|_| limit > 0) {
            let mut keep = |_: &State| {
                count += 1;
                if count < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            };
            let _ = self.descend(state, &mut lowest, &mut Guesses::any(), &mut keep);
        }
        count
    }

    /// Whether `puzzle` has a solution in which `cell` does not hold the token `token`.
    pub fn solvable_without(&self, puzzle: &[u8], cell: usize, token: u8) -> bool {
        let Some(mut state) = self.start(puzzle) else { return false };
        if let Some(digit) = self.tables.task.digit(token) {
            let left = state.candidates[cell] & !(1 << (digit - 1));
            state.candidates[cell] = left;
            if left == 0 || (left.is_power_of_two() && !state.place(self.tables, cell, left)) {
                return false;
            }
        }
        self.descend(state, &mut lowest, &mut Guesses::any(), &mut |_| ControlFlow::Break(())).is_break()
    }

    /// A random completion of `puzzle`: values are tried in random order. Not uniform over the completions.
    pub fn complete<R: Rng>(&self, puzzle: &[u8], rng: &mut R) -> Option<Vec<u8>> {
        let mut grid = None;
        let mut any = |candidates: u16| {
            let mut left = candidates;
            for _ in 0..draw::below(rng, candidates.count_ones()) {
                left &= left - 1;
            }
            lowest(left)
        };
        let mut keep = |state: &State| {
            grid = Some(state.tokens(self.tables));
            ControlFlow::Break(())
        };
        let _ = self.descend(self.start(puzzle)?, &mut any, &mut Guesses::any(), &mut keep);
        grid
    }

    fn start(&self, puzzle: &[u8]) -> Option<State> {
        let mut state = State::empty(self.tables);
        for (cell, &token) in puzzle.iter().enumerate().take(self.tables.task.cells()) {
            if let Some(digit) = self.tables.task.digit(token)
                && !state.place(self.tables, cell, 1 << (digit - 1))
            {
                return None;
            }
        }
        Some(state)
    }

    /// Visits every solution below `state`; `pick` chooses which of the candidates is tried next.
    fn descend(
        &self,
        mut state: State,
        pick: &mut impl FnMut(u16) -> u16,
        guesses: &mut Guesses,
        visit: &mut impl FnMut(&State) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if !state.place_hidden_singles(self.tables) {
            return ControlFlow::Continue(());
        }
        let Some(cell) = state.narrowest(self.tables) else { return visit(&state) };
        let mut left = state.candidates[cell];
        while left != 0 {
            let digit = pick(left);
            left &= !digit;
            if guesses.made == guesses.most {
                return ControlFlow::Break(());
            }
            guesses.made += 1;
            let mut next = state;
            if next.place(self.tables, cell, digit) {
                self.descend(next, pick, guesses, visit)?;
            }
        }
        ControlFlow::Continue(())
    }
}

impl task::Exact for Exact {
    fn search_within(&self, question: &[u8], limit: usize, most: u64) -> Found {
        self.search_within(question, limit, most)
    }

    fn exchange(&self, question: &[u8], answer: &[u8]) -> Option<Vec<u8>> {
        exchange::exchange(self.tables.task, question, answer)
    }

    fn misunderstood(&self, question: &[u8]) -> Option<&'static str> {
        solved_turned(self.tables.task, question).then_some(
            "with boxes of 2 rows x 3 columns this puzzle has no solution; with boxes of 3 rows x 2 columns it has: \
             exchange its rows and columns",
        )
    }
}

fn lowest(candidates: u16) -> u16 {
    candidates & candidates.wrapping_neg()
}

#[cfg(test)]
mod tests {
    use hrm_core::task::sudoku::BLANK;
    use rand_pcg::Pcg32;

    use super::*;

    fn exact(kind: SudokuKind) -> Exact {
        Exact::new(Sudoku::new(kind))
    }

    #[test]
    fn counts_all_4x4_grids() {
        assert_eq!(exact(SudokuKind::Four).count(&[BLANK; 16], u64::MAX), 288);
    }

    /// 28,200,960 grids of 6x6 in all (OEIS A107739 for 2x3 boxes); with the first row fixed, 6! times fewer.
    #[test]
    fn counts_all_6x6_grids_with_a_fixed_row() {
        let mut puzzle = [BLANK; 36];
        for (digit, cell) in puzzle[..6].iter_mut().enumerate() {
            *cell = FIRST_DIGIT + digit as u8;
        }
        assert_eq!(exact(SudokuKind::Six).count(&puzzle, u64::MAX), 28_200_960 / 720);
    }

    #[test]
    fn solves_hard_puzzles_and_finds_no_second_solution() {
        let task = Sudoku::new(SudokuKind::Nine);
        for (text, guessed) in [
            ("4.....8.5.3..........7......2.....6.....8.4......1.......6.3.7.5..2.....1.4......", true),
            // Hard for counting upwards, easy for singles.
            ("..............3.85..1.2.......5.7.....4...1...9.......5......73..2.1........4...9", false),
            ("8..........36......7..9.2...5...7.......457.....1...3...1....68..85...1..9....4..", true),
        ] {
            let mut puzzle = [0; 81];
            task.parse(text, &mut puzzle).expect("a puzzle");
            let found = exact(SudokuKind::Nine).search(&puzzle, 2);
            assert_eq!(found.solutions.len(), 1);
            assert!(task.accepts(&puzzle, &found.solutions[0]));
            assert_eq!(found.guesses > 0, guessed);
        }
    }

    #[test]
    fn two_solutions_are_both_found() {
        // Two rows of a solved 4x4 grid blanked: they can be exchanged.
        let task = Sudoku::new(SudokuKind::Four);
        let mut puzzle = [0; 16];
        task.parse("........21434321", &mut puzzle).expect("a puzzle");
        let found = exact(SudokuKind::Four).search(&puzzle, 5);
        assert!(found.solutions.len() >= 2);
        assert!(found.solutions.iter().all(|grid| task.accepts(&puzzle, grid)));
        assert_ne!(found.solutions[0], found.solutions[1]);
    }

    #[test]
    fn contradictions_have_no_solution() {
        let task = Sudoku::new(SudokuKind::Four);
        // Two equal givens in a row, a cell with no digit left, two equal givens in a column.
        for text in ["1..1............", "123....4........", "1..........41..."] {
            let mut puzzle = [0; 16];
            task.parse(text, &mut puzzle).expect("a puzzle");
            let brute = exact(SudokuKind::Four).search(&[BLANK; 16], 1000).solutions;
            assert!(!brute.iter().any(|grid| task.accepts(&puzzle, grid)), "{text}");
            assert_eq!(exact(SudokuKind::Four).search(&puzzle, 10).solutions.len(), 0, "{text}");
        }
        assert!(exact(SudokuKind::Four).search(&[BLANK; 16], 0).solutions.is_empty());
    }

    /// Against brute force over all 288 grids of 4x4.
    #[test]
    fn counts_equal_brute_force() {
        let task = Sudoku::new(SudokuKind::Four);
        let solver = exact(SudokuKind::Four);
        let all = solver.search(&[BLANK; 16], 1000).solutions;
        let mut rng = Pcg32::new(5, 5);
        for _ in 0..500 {
            let clues = draw::below(&mut rng, 9);
            let mut puzzle = [BLANK; 16];
            for _ in 0..clues {
                puzzle[draw::below(&mut rng, 16) as usize] = FIRST_DIGIT + draw::below(&mut rng, 4) as u8;
            }
            let expected = all.iter().filter(|grid| task.accepts(&puzzle, grid)).count();
            assert_eq!(solver.count(&puzzle, u64::MAX), expected as u64);
            for cell in 0..16 {
                let other = all.iter().any(|grid| task.accepts(&puzzle, grid) && grid[cell] != FIRST_DIGIT);
                assert_eq!(solver.solvable_without(&puzzle, cell, FIRST_DIGIT), other);
            }
        }
    }

    #[test]
    fn random_completions_are_valid_and_differ() {
        for kind in SudokuKind::ALL {
            let task = Sudoku::new(kind);
            let blank = vec![BLANK; task.cells()];
            let mut rng = Pcg32::new(1, 2);
            let a = exact(kind).complete(&blank, &mut rng).expect("a grid");
            let b = exact(kind).complete(&blank, &mut rng).expect("a grid");
            assert!(task.accepts(&blank, &a) && task.accepts(&blank, &b));
            assert_ne!(a, b);
        }
    }
}
