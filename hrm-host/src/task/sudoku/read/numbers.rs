//! Lines of digits alone, as they stand above grids. One or two number a grid or say its size; more are no
//! titles but what is left of rows whose blanks were lost.

/// Such lines since the last puzzle.
#[derive(Default)]
pub(super) struct Numbers {
    /// How many follow each other, with nothing but blank lines between them.
    run: usize,
    first: u64,
    several: bool,
    /// The last of all.
    last: Option<u32>,
}

impl Numbers {
    /// How many follow each other with the one in `line`, and the line of the first of them. From the third
    /// on they are no titles.
    pub(super) fn add(&mut self, line: u64, text: &str) -> (usize, u64) {
        self.last = number(text).or(self.last);
        self.run += 1;
        self.several |= self.run > 1;
        if self.run == 1 {
            self.first = line;
        }
        (self.run, self.first)
    }

    /// Whether `text` counts on from the last one, or begins to where it `may`.
    pub(super) fn counts(&self, text: &str, may: bool) -> bool {
        number(text).is_some_and(|number| self.last.map_or(may && number < 2, |last| number == last + 1))
    }

    /// Another line stands below them.
    pub(super) fn interrupt(&mut self) {
        self.run = 0;
    }

    /// Whether they may be what is left of a puzzle, so that a complete grid below is its answer.
    pub(super) fn may_be_puzzle(&self) -> bool {
        self.several
    }
}

fn number(text: &str) -> Option<u32> {
    text.trim_end_matches(['.', ':', ')']).parse().ok()
}
