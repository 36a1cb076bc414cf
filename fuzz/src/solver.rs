//! The solver with any policy, any puzzle and a model that says anything.

use arbitrary::{Result, Unstructured};
use hrm_core::{
    Cancelled, Halt, Reasoner, Trace,
    solve::{Policy, Rule, Solver, Status, Step, Symmetries},
    task::{
        Task,
        sudoku::{Sudoku, SudokuKind},
    },
};

const CELLS: usize = 16;
const TASK: Sudoku = Sudoku::new(SudokuKind::Four);
/// Guesses and segments of a guess, at most: the end must be in sight.
const MOST: u16 = 12;

/// A model whose answers are the input's. Now and then they are right, or nearly, so that grids are accepted,
/// and suppositions and votes begin.
struct Oracle<'i, 'b> {
    input: &'i mut Unstructured<'b>,
    members: usize,
    asked: Vec<u8>,
    grid: [u8; CELLS],
    halt: Halt,
    digest: u32,
}

impl Reasoner for Oracle<'_, '_> {
    fn members(&self) -> usize {
        self.members
    }
    fn cells(&self) -> usize {
        CELLS
    }
    fn begin(&mut self, member: usize, tokens: &[u8]) {
        assert!(member < self.members && tokens.len() == CELLS);
        assert!(tokens.iter().all(|&token| usize::from(token) < TASK.vocab()));
        self.asked = tokens.to_vec();
    }
    fn segment<T: Trace>(&mut self, trace: &mut T) -> Result<(), Cancelled> {
        if !trace.proceed() {
            return Err(Cancelled);
        }
        match self.input.int_in_range(0..=3).unwrap_or(3) {
            way @ 0..=1 => {
                self.grid = answer(&self.asked);
                if way == 1 {
                    let cell = self.input.int_in_range(0..=CELLS - 1).unwrap_or(0);
                    self.grid[cell] = self.input.int_in_range(0..=TASK.vocab() as u8 - 1).unwrap_or(0);
                }
            }
            _ => {
                let raw: [u8; CELLS] = self.input.arbitrary().unwrap_or_default();
                for ((cell, raw), &asked) in self.grid.iter_mut().zip(raw).zip(&self.asked) {
                    *cell = if raw & 0x80 == 0 { asked } else { raw % TASK.vocab() as u8 };
                }
            }
        }
        self.halt.q_halt = self.input.arbitrary().unwrap_or(0);
        self.halt.q_doubt = self.input.arbitrary().unwrap_or(None);
        self.digest = self.input.arbitrary().unwrap_or(0);
        Ok(())
    }
    fn grid(&self) -> &[u8] {
        &self.grid
    }
    fn halt(&self) -> Halt {
        self.halt
    }
    fn state_digest(&self) -> u32 {
        self.digest
    }
}

/// Lets the solver come to its end, which must be within its policy; a grid that it calls solved must be one.
pub(crate) fn solve(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let Ok((policy, puzzle)) = question(&mut input) else { return };
    let refused = TASK.refuse(&puzzle).is_some();
    let members = input.int_in_range(1..=3).unwrap_or(1);
    let mut oracle = Oracle {
        input: &mut input,
        members,
        asked: vec![],
        grid: [0; CELLS],
        halt: Halt::default(),
        digest: 0,
    };
    let mut solver = Solver::new(TASK, &puzzle, policy);
    let most = u64::from(MOST) * u64::from(MOST) + 1;
    for _ in 0..=most {
        if oracle.input.ratio(1, 32).unwrap_or(false) {
            solver.cancel();
        }
        if let Step::Done(answer) = solver.advance(&mut oracle, &mut ()) {
            assert!(u64::from(answer.segments) <= most && answer.guesses <= policy.guesses.max(1));
            assert_eq!(matches!(answer.status, Status::Refused(_)), refused);
            if answer.status == Status::Solved {
                assert!(is_solution(&puzzle, answer.grid), "{policy:?} {puzzle:?} {:?}", answer.grid);
            }
            return;
        }
    }
    panic!("it goes on beyond its policy: {policy:?}");
}

fn question(input: &mut Unstructured<'_>) -> Result<(Policy, [u8; CELLS])> {
    let policy = policy(input)?;
    // Some of an answer; and rarely anything, most of which is refused.
    let mut puzzle = answer(&[TASK.blank(); CELLS]);
    let hidden: u16 = input.arbitrary()?;
    for (cell, token) in puzzle.iter_mut().enumerate() {
        if hidden >> cell & 1 == 1 {
            *token = TASK.blank();
        }
        if input.ratio(1, 32)? {
            *token = input.int_in_range(0..=TASK.vocab() as u8)?;
        }
    }
    Ok((policy, puzzle))
}

/// Any policy whose end is in sight.
pub(crate) fn policy(input: &mut Unstructured<'_>) -> Result<Policy> {
    Ok(Policy {
        rule: *input.choose(&[Rule::Checked, Rule::Majority, Rule::Unchecked])?,
        symmetries: *input.choose(&[Symmetries::Relabel, Symmetries::FullGroup])?,
        guesses: input.int_in_range(0..=MOST)?,
        first_segments: input.int_in_range(0..=MOST)?,
        segments: input.int_in_range(0..=MOST)?,
        budget: if input.arbitrary()? { u32::MAX } else { input.arbitrary()? },
        stop_on_halt: input.arbitrary()?,
        stop_when_settled: input.arbitrary()?,
        patience: input.arbitrary()?,
        suppose: input.arbitrary()?,
        max_doubt: input.arbitrary()?,
        undoubted_segments: input.int_in_range(0..=MOST)?,
        seed: input.arbitrary()?,
    })
}

/// The first answer of a puzzle, found by trying; what is asked where there is none.
fn answer(asked: &[u8]) -> [u8; CELLS] {
    let mut grid = [TASK.blank(); CELLS];
    grid.iter_mut().zip(asked).for_each(|(cell, &token)| *cell = token);
    let given = grid;
    if fill(&mut grid, 0) { grid } else { given }
}

fn fill(grid: &mut [u8; CELLS], from: usize) -> bool {
    let Some(cell) = (from..CELLS).find(|&cell| grid[cell] == TASK.blank()) else { return true };
    let sees = |other: usize| {
        let (row, column) = (cell / 4, cell % 4);
        let (other_row, other_column) = (other / 4, other % 4);
        row == other_row
            || column == other_column
            || (row / 2, column / 2) == (other_row / 2, other_column / 2)
    };
    for digit in TASK.blank() + 1..TASK.vocab() as u8 {
        if (0..CELLS).all(|other| grid[other] != digit || !sees(other)) {
            grid[cell] = digit;
            if fill(grid, cell + 1) {
                return true;
            }
            grid[cell] = TASK.blank();
        }
    }
    false
}

/// The rules of a 4x4, written anew: each row, column and box has four different digits, and the givens stay.
fn is_solution(puzzle: &[u8; CELLS], grid: &[u8]) -> bool {
    let whole = |cells: [usize; 4]| {
        let seen = cells.iter().fold(0_u32, |seen, &cell| seen | 1 << grid[cell]);
        seen.count_ones() == 4 && seen & 0b11 == 0
    };
    (0..4).all(|n| {
        let (row, corner) = (4 * n, n / 2 * 8 + n % 2 * 2);
        whole([row, row + 1, row + 2, row + 3])
            && whole([n, n + 4, n + 8, n + 12])
            && whole([corner, corner + 1, corner + 4, corner + 5])
    }) && puzzle.iter().zip(grid).all(|(&given, &found)| given == TASK.blank() || given == found)
}
