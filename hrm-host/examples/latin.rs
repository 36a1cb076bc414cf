//! A task of one's own, in one file: Latin squares of letters, 4x4 and 5x5. Each letter stands once
//! in every row and column.
//!
//! This is the whole program `hrm-host` with one more task, and `docs/ADDING_A_TASK.md` goes through
//! it. The firmware for the tests includes the same file for its rules; what only a workstation needs
//! is in `host`, at the end.

#![cfg_attr(target_os = "none", allow(dead_code))]

use hrm_core::task::{Refusal, Rng, Task, draw::shuffle};

// [rules]
/// The longest side.
const MOST: usize = 5;
/// An empty cell. Token 0 is padding, and letters follow.
const BLANK: u8 = 1;
const FIRST: u8 = 2;

/// Latin squares with this many letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Latin {
    side: usize,
}

/// Rows, columns and letters, each in another order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moved {
    rows: [u8; MOST],
    columns: [u8; MOST],
    letters: [u8; MOST],
}

impl Latin {
    /// Which letter `token` is, from 0.
    fn letter(&self, token: u8) -> Option<usize> {
        token.checked_sub(FIRST).map(usize::from).filter(|letter| *letter < self.side)
    }

    /// The first two cells that hold the same letter in a row or column.
    fn clash(&self, grid: &[u8]) -> Option<(usize, usize)> {
        let pairs = |first| (first + 1..grid.len()).map(move |second| (first, second));
        let clashes = |&(first, second): &(usize, usize)| {
            grid[first] == grid[second]
                && self.letter(grid[first]).is_some()
                && self.relation(first, second) != 0
        };
        (0..grid.len()).flat_map(pairs).find(clashes)
    }
}

impl Task for Latin {
    type Symmetry = Moved;
    type Grid = [u8; MOST * MOST];

    fn named(name: &str) -> Option<Self> {
        match name {
            "latin4" => Some(Latin { side: 4 }),
            "latin5" => Some(Latin { side: 5 }),
            _ => None,
        }
    }

    fn name(&self) -> &str {
        if self.side == 4 { "latin4" } else { "latin5" }
    }

    fn dims(&self) -> (usize, usize) {
        (self.side, self.side)
    }

    fn grid(&self) -> Self::Grid {
        [0; MOST * MOST]
    }

    fn vocab(&self) -> usize {
        self.side + usize::from(FIRST)
    }

    fn blank(&self) -> u8 {
        BLANK
    }

    fn symbol(&self, token: u8) -> Option<char> {
        match self.letter(token) {
            Some(letter) => Some(char::from(b'A' + letter as u8)),
            None => (token == BLANK).then_some('.'),
        }
    }
    // [relations]

    /// What one cell is to another: 0 nothing, 1 in the same row, 2 in the same column, 3 the cell itself.
    fn relations(&self) -> usize {
        4
    }

    fn relation(&self, i: usize, j: usize) -> u8 {
        u8::from(i / self.side == j / self.side) + 2 * u8::from(i % self.side == j % self.side)
    }
    // [checker]

    fn refuse(&self, puzzle: &[u8]) -> Option<Refusal> {
        if puzzle.len() != self.cells() {
            return Some(Refusal::Length { expected: self.cells() as u16, got: puzzle.len() as u16 });
        }
        let stray = |&token: &u8| token != BLANK && self.letter(token).is_none();
        if let Some(cell) = puzzle.iter().position(stray) {
            return Some(Refusal::Token { cell: cell as u16, token: puzzle[cell] });
        }
        let (first, second) = self.clash(puzzle)?;
        Some(Refusal::Contradiction { first: first as u16, second: second as u16 })
    }

    fn violations(&self, puzzle: &[u8], grid: &[u8]) -> Option<u32> {
        let open = grid.iter().filter(|&&token| self.letter(token).is_none()).count();
        let changed = puzzle.iter().zip(grid).filter(|(given, token)| **given != BLANK && given != token);
        let clashes = self.clash(grid).is_some();
        let lacking = grid.len().abs_diff(self.cells()) + puzzle.len().abs_diff(self.cells());
        Some((open + changed.count() + usize::from(clashes) + lacking) as u32)
    }
    // [symmetries]

    fn identity(&self) -> Moved {
        let same = core::array::from_fn(|place| place as u8);
        Moved { rows: same, columns: same, letters: same }
    }

    /// The `k`-th renaming of the letters.
    fn perturbation(&self, k: usize) -> Moved {
        let mut moved = self.identity();
        moved.letters[..self.side].rotate_left(k % self.side);
        moved
    }

    fn perturbations(&self) -> usize {
        self.side
    }

    fn draw<R: Rng>(&self, rng: &mut R) -> Moved {
        let mut moved = self.identity();
        for order in [&mut moved.rows, &mut moved.columns, &mut moved.letters] {
            shuffle(rng, &mut order[..self.side]);
        }
        moved
    }

    fn apply(&self, moved: &Moved, grid: &[u8], out: &mut [u8]) {
        for (cell, image) in out.iter_mut().enumerate().take(self.cells()) {
            let (row, column) = (moved.rows[cell / self.side], moved.columns[cell % self.side]);
            let token = grid[usize::from(row) * self.side + usize::from(column)];
            *image = self.letter(token).map_or(token, |letter| moved.letters[letter] + FIRST);
        }
    }

    fn undo(&self, moved: &Moved, grid: &[u8], out: &mut [u8]) {
        let mut letters = [0; MOST];
        for (letter, image) in moved.letters.iter().enumerate() {
            letters[usize::from(*image)] = letter as u8;
        }
        for (cell, &token) in grid.iter().enumerate().take(self.cells()) {
            let (row, column) = (moved.rows[cell / self.side], moved.columns[cell % self.side]);
            out[usize::from(row) * self.side + usize::from(column)] =
                self.letter(token).map_or(token, |letter| letters[letter] + FIRST);
        }
    }
}
// [host]

#[cfg(not(target_os = "none"))]
mod host {
    use hrm_core::task::draw::below;
    use hrm_host::task::{Domain, Exact, Found, Generator};
    use rand_pcg::Pcg64;

    use super::*;

    impl Domain for Latin {
        fn sizes() -> Vec<Self> {
            vec![Latin { side: 4 }, Latin { side: 5 }]
        }

        fn generator(&self) -> Option<&dyn Generator> {
            Some(self)
        }

        fn exact(&self) -> Option<Box<dyn Exact>> {
            Some(Box::new(*self))
        }
    }
    // [generator]

    impl Generator for Latin {
        /// A square in which row `r` is the alphabet from letter `r` on, disguised; letters go while the
        /// answer stays the only one.
        fn attempt(&self, _: Option<usize>, rng: &mut Pcg64) -> Option<(Vec<u8>, Vec<u8>, Option<u64>)> {
            let side = self.side;
            let square: Vec<u8> =
                (0..side * side).map(|cell| ((cell / side + cell % side) % side) as u8 + FIRST).collect();
            let mut answer = square.clone();
            self.apply(&self.draw(rng), &square, &mut answer);
            let mut question = answer.clone();
            for _ in 0..side * side {
                let cell = below(rng, question.len() as u32) as usize;
                question[cell] = BLANK;
                if self.search_within(&question, 2, u64::MAX).solutions.len() > 1 {
                    question[cell] = answer[cell];
                }
            }
            Some((question, answer, None))
        }
    }
    // [exact]

    impl Exact for Latin {
        /// Tries every letter in the first empty cell, and so on.
        fn search_within(&self, question: &[u8], limit: usize, most: u64) -> Found {
            let mut found = Found { solutions: Vec::new(), guesses: 0 };
            let mut left = vec![question.to_vec()];
            while let Some(grid) = left.pop() {
                if self.clash(&grid).is_some() {
                    continue;
                }
                let Some(cell) = grid.iter().position(|&token| token == BLANK) else {
                    found.solutions.push(grid);
                    if found.solutions.len() >= limit {
                        break;
                    }
                    continue;
                };
                for letter in 0..self.side as u8 {
                    if found.guesses >= most {
                        return found;
                    }
                    found.guesses += 1;
                    let mut next = grid.clone();
                    next[cell] = letter + FIRST;
                    left.push(next);
                }
            }
            found
        }
    }
}
// [program]

#[cfg(not(target_os = "none"))]
pub(crate) fn main() -> std::process::ExitCode {
    hrm_host::task::register::<Latin>();
    hrm_host::run()
}
