//! A pack in a file, and the emulated machines that run it.

use std::{fs, path::PathBuf};

use hrm_emulator::{Board, Hello, Image, Machine};
use tempfile::TempDir;

/// A pack in a file of its own, which goes when this does.
pub struct PackFile {
    /// The file.
    pub path: PathBuf,
    _folder: TempDir,
}

impl PackFile {
    /// Writes `pack`.
    pub fn new(pack: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("model.hrm");
        fs::write(&path, pack).expect("room for a pack");
        Self { path, _folder: folder }
    }

    /// Boots `board` with the image built for it.
    pub fn boot(&self, board: Board) -> (Machine, Hello) {
        let image = Image::built(board.name).expect("an image");
        Machine::boot(board, image, &self.path).unwrap_or_else(|error| panic!("{error}"))
    }
}
