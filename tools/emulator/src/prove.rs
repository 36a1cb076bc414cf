//! The proof that a board computes what this machine computes: every operation of every segment, bit for bit.

use std::{
    path::Path,
    process::ExitStatus,
    time::{Duration, Instant},
};

use hrm_core::{
    Hrm, MemoryError, Pack,
    wire::{Ask, Segment},
};

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
    #[error(transparent)]
    Different(#[from] Different),
    /// Everything was equal, but the firmware did not leave properly.
    #[error("the firmware left with {0}")]
    Exit(ExitStatus),
}

/// Host and board part.
#[derive(Debug, thiserror::Error)]
#[error("puzzle {puzzle}, member {member}: {difference}")]
pub struct Different {
    /// Index of the puzzle.
    pub puzzle: usize,
    /// The member asked.
    pub member: u8,
    /// Where they part.
    pub difference: Difference,
}

/// Where `host` and a board part on puzzle number `puzzle`; `board` has [`compare`] ask the board.
///
/// # Errors
/// Why the board does not answer.
pub fn differ<'p, 'm, E>(
    host: &mut Hrm<'p, 'm>,
    (puzzle, tokens): (usize, &[u8]),
    segments: u16,
    board: impl FnOnce(&mut Hrm<'p, 'm>, Ask<'_>, &[Segment]) -> Result<Option<Difference>, E>,
) -> Result<Option<Different>, E> {
    // A pack has at most 255 members.
    let member = (puzzle % usize::from(host.pack().shape().members)) as u8;
    let ask = Ask { member, tokens };
    let expected = digests(host, ask, segments);
    let difference = board(host, ask, &expected)?;
    Ok(difference.map(|difference| Different { puzzle, member, difference }))
}

impl Claim<'_> {
    /// Boots `image` on `board` and compares every puzzle; `each` is told how many are done.
    ///
    /// # Errors
    /// The first difference, or whatever kept it from being looked for.
    pub fn prove(&self, board: Board, image: Image, each: &mut dyn FnMut(usize)) -> Result<Proof, Disproof> {
        let start = Instant::now();
        let (mut machine, hello) = Machine::boot(board, image, self.path)?;
        let mut memory = vec![0; host_words(self.pack.shape(), &hello)];
        let mut host = Hrm::new(self.pack, &mut memory)?;
        let expected = self.pack.crc();
        if hello.pack_crc != expected {
            return Err(Disproof::OtherPack { found: hello.pack_crc, expected });
        }
        for (puzzle, tokens) in self.puzzles.iter().enumerate() {
            let different = differ(&mut host, (puzzle, tokens), self.segments, |host, ask, expected| {
                machine.call(|link| compare(host, link, ask, expected))
            })?;
            if let Some(different) = different {
                return Err(different.into());
            }
            each(puzzle + 1);
        }
        let status = machine.shutdown()?;
        if !status.success() {
            return Err(Disproof::Exit(status));
        }
        let (puzzles, segments) = (self.puzzles.len(), self.puzzles.len() * usize::from(self.segments));
        Ok(Proof { puzzles, segments, time: start.elapsed() })
    }
}
