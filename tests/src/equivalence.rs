//! One pack and its puzzles on this machine and on emulated boards: every digest equal, or
//! the first difference named.

use std::thread;

use hrm_core::Pack;
use hrm_core::pack::AlignedBytes;
use hrm_emulator::{Board, Claim, Image, Proof, board::one_per_processor};

use crate::pack_file::PackFile;

/// A pack, and what to reason about with its members.
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

/// Runs `case` on `boards` at the same time, with the images built for them. A tenth of the puzzles goes to a
/// slow board, and to one whose processor another has.
///
/// # Errors
/// The first difference or failure of any board, in words.
pub fn run(case: &Case, boards: &[Board]) -> Result<Vec<(Board, Proof)>, String> {
    thread::scope(|scope| {
        let running: Vec<_> = boards
            .iter()
            .map(|&board| scope.spawn(move || on_board(case, board).map(|proof| (board, proof))))
            .collect();
        running.into_iter().map(|board| board.join().expect("no panic in a comparison")).collect()
    })
}

fn on_board(case: &Case, board: Board) -> Result<Proof, String> {
    let failed = |what: &dyn std::fmt::Display| format!("{} on {}: {what}", case.name, board.name);
    let aligned = AlignedBytes::copy_of(&case.pack);
    let pack = Pack::open(aligned.bytes()).map_err(|e| failed(&e))?;
    let file = PackFile::new(&case.pack);
    let image = Image::built(board.name).map_err(|e| failed(&e))?;
    let all = one_per_processor().any(|first| first == board) && !board.slow;
    let count = if all { case.puzzles.len() } else { case.puzzles.len().div_ceil(10) };
    let puzzles = &case.puzzles[..count];
    let claim = Claim { pack, path: &file.path, puzzles, segments: case.segments };
    claim.prove(board, image, &mut |_| {}).map_err(|e| failed(&e))
}
