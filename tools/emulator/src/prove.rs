//! The proof that a board computes what this machine computes: every operation of every segment, bit for bit.

use std::{
    path::Path,
    process::ExitStatus,
    time::{Duration, Instant},
};

use hrm_core::{Hrm, MemoryError, Pack, wire::Ask};

use crate::{
    board::Board,
    compare::{Difference, compare, digests, host_words},
    image::Image,
    machine::{Machine, MachineError},
};

/// What host and board are both to reason about. Puzzle `i` is asked of member `i mod members`.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The pack.
    pub pack: Pack<'a>,
    /// The same pack in a file.
    pub path: &'a Path,
    /// Puzzles, as tokens.
    pub puzzles: &'a [Vec<u8>],
    /// Segments per puzzle.
    pub segments: u16,
}

/// What was found equal.
#[derive(Clone, Copy, Debug)]
pub struct Proof {
    /// Puzzles compared.
    pub puzzles: usize,
    /// Segments compared, all puzzles together.
    pub segments: usize,
    /// Wall-clock time, the machine's start included.
    pub time: Duration,
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum Disproof {
    /// The emulated machine or its firmware failed.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// This machine has too little memory for the model.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The board runs another pack.
    #[error("the board has the pack with CRC-32 {found:08x}, not {expected:08x}")]
    OtherPack {
        /// The board's.
        found: u32,
        /// The claim's.
        expected: u32,
    },
    /// Host and board differ.
    #[error("puzzle {puzzle}, member {member}: {difference}")]
    Different {
        /// Index of the puzzle.
        puzzle: usize,
        /// The member asked.
        member: u8,
        /// Where they part.
        difference: Difference,
    },
    /// Everything was equal, but the firmware did not leave properly.
    #[error("the firmware left with {0}")]
    Exit(ExitStatus),
}

impl Claim<'_> {
    /// Boots `image` on `board` and compares every puzzle; `each` is told how many are done.
    ///
    /// # Errors
    /// The first difference, or whatever kept it from being looked for.
    pub fn prove(&self, board: Board, image: Image, each: &mut dyn FnMut(usize)) -> Result<Proof, Disproof> {
        let start = Instant::now();
        let members = self.pack.shape().members;
        let (mut machine, hello) = Machine::boot(board, image, self.path)?;
        let mut memory = vec![0; host_words(self.pack.shape(), &hello)];
        let mut host = Hrm::new(self.pack, &mut memory)?;
        let expected = self.pack.crc();
        if hello.pack_crc != expected {
            return Err(Disproof::OtherPack { found: hello.pack_crc, expected });
        }
        let mut segments = 0;
        for (puzzle, tokens) in self.puzzles.iter().enumerate() {
            let member = (puzzle % usize::from(members)) as u8;
            let ask = Ask { member, tokens };
            let expected = digests(&mut host, ask, self.segments);
            if let Some(difference) = machine.call(|link| compare(&mut host, link, ask, &expected))? {
                return Err(Disproof::Different { puzzle, member, difference });
            }
            segments += expected.len();
            each(puzzle + 1);
        }
        let status = machine.shutdown()?;
        if !status.success() {
            return Err(Disproof::Exit(status));
        }
        Ok(Proof { puzzles: self.puzzles.len(), segments, time: start.elapsed() })
    }
}
