//! All three questions, asked of one model about one set of puzzles.

use hrm_core::task::Task;
use serde::Serialize;

use super::calibration::Calibration;
use super::descent::{Descent, descent};
use super::halting::{Halting, halting};
use super::landscape::Landscape;
use super::modes::{Mode, Share, modes};
use super::path::{Path, follow};
use super::trivial::{Keeping, Left, keeping};
use crate::data::PuzzleSet;
use crate::data::hints::with_hints;
use crate::model::Hrm;
use crate::train::eval::Answers;

/// Shares of the blanks, in per cent, that are given away before the puzzles are asked as they are.
const EASED: [u8; 3] = [90, 70, 40];

/// How often a [`Study`] walks through all puzzles.
pub const WALKS: usize = EASED.len() + 3;

/// What came of the questions.
#[derive(Clone, Debug, Serialize)]
pub struct Study {
    /// Whether answers are kept, by what was given, from nearly everything to nothing.
    pub keeping: Vec<(String, Keeping)>,
    /// How the wrong cells went away, nothing given.
    pub descent: Descent,
    /// A state is at rest where its last moves are below this share of its size.
    pub rest: f64,
    /// Where thoughts ended, nothing given.
    pub modes: Vec<Share>,
    /// What the halting head is worth, nothing given.
    #[serde(skip)]
    pub halting: Halting,
    /// Whether its belief is worth what it says, nothing given.
    #[serde(skip)]
    pub calibration: Calibration,
    /// The puzzles as they are.
    #[serde(skip)]
    pub puzzles: Vec<String>,
    /// The ways through them.
    #[serde(skip)]
    pub paths: Vec<Path>,
}

impl Study {
    /// Lets `model` think `segments` segments about every puzzle of `set`, with ever less given; `watch` is
    /// told what is given, and the ways so far.
    ///
    /// # Errors
    /// Where the model fails.
    pub fn of<A: Answers>(
        model: &mut A,
        set: &PuzzleSet,
        (segments, seed, rest): (usize, u64, f64),
        watch: &mut dyn FnMut(&str, &[Path]),
    ) -> Result<Self, A::Error> {
        let mut kept = Vec::new();
        for (name, eased) in ladder(set, seed) {
            let walked = follow(model, &eased, segments, &mut |walked| watch(&name, walked))?;
            kept.push((name, keeping(&walked)));
        }
        let paths = follow(model, set, segments, &mut |walked| watch(NOTHING, walked))?;
        kept.push((NOTHING.to_owned(), keeping(&paths)));
        let (descent, modes, halting) = (descent(&paths), modes(&paths, rest), halting(&paths));
        let calibration = Calibration::of(&paths);
        let puzzles = (0..set.len()).map(|row| set.task().text(set.question(row)).to_string()).collect();
        Ok(Self { keeping: kept, descent, rest, modes, halting, calibration, puzzles, paths })
    }

    /// The ways with how each ended.
    pub fn with_modes(&self) -> Vec<(Mode, Path)> {
        self.paths.iter().map(|path| (Mode::of(path, self.rest), path.clone())).collect()
    }
}

/// What is given where a puzzle is asked as it is.
const NOTHING: &str = "nothing";

/// The puzzles with ever less given away: all but one cell, all but one row, and three shares of the blanks.
fn ladder(set: &PuzzleSet, seed: u64) -> Vec<(String, PuzzleSet)> {
    let trivial = [("all but a cell", Left::Cell), ("all but a row", Left::Row)];
    let trivial = trivial.map(|(name, left)| (name.to_owned(), left.of(set, seed)));
    let hints = EASED.map(|hints| (format!("{hints} % of the blanks"), with_hints(set, hints, seed)));
    trivial.into_iter().chain(hints).collect()
}

/// The landscape of the first puzzle of each mode that occurs among the ways that `hrm` went through `set`.
///
/// # Errors
/// Where the model fails.
pub fn landscapes(
    hrm: &Hrm,
    set: &PuzzleSet,
    walked: &[Path],
    rest: f64,
) -> candle_core::Result<Vec<(Mode, Landscape)>> {
    let mut found = Vec::new();
    for mode in Mode::ALL {
        let is_one = |path: &Path| Mode::of(path, rest) == mode;
        found.extend(landscape_of_first(hrm, set, walked, is_one, 0)?.map(|landscape| (mode, landscape)));
    }
    Ok(found)
}

/// The landscape of the first puzzle that `hrm` left unsolved on its ways through `set`, with `more` guesses
/// after the first; `None` where it solved all.
///
/// # Errors
/// Where the model fails.
pub fn guesses(
    hrm: &Hrm,
    set: &PuzzleSet,
    walked: &[Path],
    more: usize,
) -> candle_core::Result<Option<Landscape>> {
    landscape_of_first(hrm, set, walked, |path| !path.solved(), more)
}

fn landscape_of_first(
    hrm: &Hrm,
    set: &PuzzleSet,
    walked: &[Path],
    wanted: impl Fn(&Path) -> bool,
    more: usize,
) -> candle_core::Result<Option<Landscape>> {
    let Some(row) = walked.iter().position(wanted) else { return Ok(None) };
    let (puzzle, segments) = ((set.question(row), set.answer(row)), walked[row].wrong.len());
    Landscape::of_guesses(hrm, &set.task(), puzzle, more, segments).map(Some)
}
