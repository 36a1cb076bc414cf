//! One pack and its puzzles on this machine and on emulated boards: every digest equal, or the first difference named.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use hrm_core::{Hrm, Pack, wire::Ask, workspace_bytes};
use hrm_emulator::{Board, Image, Machine, compare, compare::digests};

use crate::aligned::Aligned;

/// A pack, and what to reason about with each of its members.
pub struct Case {
    /// For reports.
    pub name: String,
    /// The pack.
    pub pack: Vec<u8>,
    /// Puzzles, as tokens.
    pub puzzles: Vec<Vec<u8>>,
    /// Segments per puzzle.
    pub segments: u16,
}

/// What a board took.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// The board.
    pub board: Board,
    /// Segments compared.
    pub segments: usize,
    /// Wall-clock time, start included.
    pub time: Duration,
}

/// Runs `case` on `boards` at the same time, with the images built for them.
///
/// # Errors
/// The first difference or failure of any board, in words.
pub fn run(case: &Case, boards: &[Board]) -> Result<Vec<Outcome>, String> {
    thread::scope(|scope| {
        let running: Vec<_> =
            boards.iter().map(|&board| scope.spawn(move || on_board(case, board, board.name))).collect();
        running.into_iter().map(|board| board.join().expect("no panic in a comparison")).collect()
    })
}

/// Runs `case` on `board` with the image called `image`.
///
/// # Errors
/// The first difference or failure, in words.
pub fn on_board(case: &Case, board: Board, image: &str) -> Result<Outcome, String> {
    let start = Instant::now();
    let failed = |what: String| format!("{} on {}: {what}", case.name, board.name);
    let aligned = Aligned::new(&case.pack);
    let pack = Pack::open(aligned.bytes()).map_err(|e| failed(e.to_string()))?;
    let members = pack.shape().members;
    let mut memory = vec![0; workspace_bytes(pack.shape()).div_ceil(4)];
    let mut host = Hrm::new(pack, &mut memory).map_err(|e| failed(e.to_string()))?;

    let folder = tempfile::tempdir().map_err(|e| failed(e.to_string()))?;
    let path = folder.path().join("model.hrm");
    fs::write(&path, &case.pack).map_err(|e| failed(e.to_string()))?;
    let image = Image::built(image).map_err(|e| failed(e.to_string()))?;
    let (mut machine, hello) = Machine::boot(board, image, &path).map_err(|e| failed(e.to_string()))?;
    if hello.pack_crc != host.pack().crc() {
        return Err(failed(format!("the board has pack {:08x}", hello.pack_crc)));
    }
    let mut segments = 0;
    for (row, tokens) in case.puzzles.iter().enumerate() {
        let ask = Ask { member: row as u8 % members, tokens };
        let expected = digests(&mut host, ask, case.segments);
        let difference = machine.call(|link| compare(&mut host, link, ask, &expected));
        match difference.map_err(|e| failed(format!("puzzle {row}: {e}")))? {
            None => segments += expected.len(),
            Some(difference) => {
                return Err(failed(format!("puzzle {row}, member {}: {difference}", ask.member)));
            }
        }
    }
    let status = machine.shutdown().map_err(|e| failed(e.to_string()))?;
    match status.success() {
        true => Ok(Outcome { board, segments, time: start.elapsed() }),
        false => Err(failed(format!("left with {status}"))),
    }
}
