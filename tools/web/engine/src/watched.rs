//! A model that is looked at while it thinks.

use alloc::vec::Vec;

use hrm_core::{Cancelled, Halt, Hrm, Reasoner, Trace, Values};

/// A model, and what it was asked and did last.
pub(crate) struct Watched {
    model: Hrm<'static, 'static>,
    /// What the guess in progress was asked: an image of the puzzle, with the cells that it supposes.
    asked: Vec<u8>,
    /// z_H before the last segment.
    before: Vec<i32>,
    /// Segments of the guess in progress.
    segments: u32,
    /// `|z_H - before| / |z_H|` of the last segment.
    moved: f64,
}

impl Watched {
    pub(crate) fn new(model: Hrm<'static, 'static>) -> Self {
        Self { model, asked: Vec::new(), before: Vec::new(), segments: 0, moved: 0.0 }
    }

    /// What the guess in progress was asked, as an image of the puzzle.
    pub(crate) fn asked(&self) -> &[u8] {
        &self.asked
    }

    /// How far z_H moved with the last segment, as a part of its own length: from one segment's end to the
    /// next one's, so 0 for a guess's first.
    pub(crate) fn moved(&self) -> f64 {
        self.moved
    }
}

/// All elements, widened.
fn numbers(values: Values<'_>) -> impl Iterator<Item = i32> {
    (0..values.len()).map_while(move |index| values.get(index))
}

impl Reasoner for Watched {
    fn members(&self) -> usize {
        self.model.members()
    }

    fn cells(&self) -> usize {
        self.model.cells()
    }

    fn begin(&mut self, member: usize, tokens: &[u8]) {
        self.model.begin(member, tokens);
        self.asked.clear();
        self.asked.extend_from_slice(tokens);
        self.segments = 0;
    }

    fn segment<T: Trace>(&mut self, trace: &mut T) -> Result<(), Cancelled> {
        self.model.segment(trace)?;
        let (mut step, mut length) = (0i64, 0i64);
        for (now, before) in numbers(self.model.z_h()).zip(&self.before) {
            let (now, before) = (i64::from(now), i64::from(*before));
            step += (now - before) * (now - before);
            length += now * now;
        }
        self.moved = if self.segments == 0 { 0.0 } else { libm::sqrt(step as f64 / length.max(1) as f64) };
        self.segments += 1;
        self.before.clear();
        self.before.extend(numbers(self.model.z_h()));
        Ok(())
    }

    fn grid(&self) -> &[u8] {
        self.model.grid()
    }

    fn halt(&self) -> Halt {
        self.model.halt()
    }

    fn state_digest(&self) -> u32 {
        self.model.state_digest()
    }
}
