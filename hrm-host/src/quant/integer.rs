//! The integer model as something that answers puzzles, on all processors.

use hrm_core::trace::Values;
use hrm_core::{Halt, Hrm, LOGIT_BITS, MemoryError, Pack, Reasoner, ample_words};
use rayon::prelude::*;

use crate::train::eval::{Answers, Moment};

/// One member of a pack.
#[derive(Clone, Copy, Debug)]
pub struct IntegerModel<'a> {
    /// The pack.
    pub pack: Pack<'a>,
    /// Which of its members.
    pub member: usize,
    /// Puzzles at once.
    pub batch: usize,
}

/// Segments that a puzzle goes through on its own before all puzzles are shown: processors wait for each
/// other once in that many, not after each, and what is kept to be shown stays small.
const STRETCH: usize = 16;

/// One puzzle's place in a batch: the model in its memory, and where it stood after
/// each segment of a stretch.
struct Row<'p, 'w> {
    model: Hrm<'p, 'w>,
    stood: Vec<Stood>,
}

/// Where a puzzle stood after a segment.
struct Stood {
    grid: Vec<u8>,
    halt: Halt,
    z_h: Vec<f32>,
}

impl Answers for IntegerModel<'_> {
    type Error = MemoryError;

    fn batch(&self) -> usize {
        self.batch
    }

    fn answer(
        &mut self,
        puzzles: &[u8],
        segments: usize,
        seen: &mut dyn FnMut(Moment<'_>),
    ) -> Result<(), MemoryError> {
        let shape = self.pack.shape();
        let step = self.pack.member(self.member).params.state_step as f32 / 65536.0;
        let words = ample_words(shape);
        let puzzles: Vec<&[u8]> = puzzles.chunks_exact(usize::from(shape.cells)).collect();
        let mut memory = vec![0u32; words * puzzles.len()];
        let mut rows = Vec::with_capacity(puzzles.len());
        for (memory, puzzle) in memory.chunks_exact_mut(words).zip(puzzles) {
            let mut model = Hrm::new(self.pack, memory)?;
            model.begin(self.member, puzzle);
            rows.push(Row { model, stood: Vec::new() });
        }
        for first in (0..segments).step_by(STRETCH) {
            let stretch = STRETCH.min(segments - first);
            rows.par_iter_mut().for_each(|Row { model, stood }| {
                stood.clear();
                for _ in 0..stretch {
                    // the unit trace never cancels
                    let _ = model.segment(&mut ());
                    let z_h = match model.z_h() {
                        Values::I8(z) => z.iter().map(|z| f32::from(*z) * step).collect(),
                        Values::I16(z) => z.iter().map(|z| f32::from(*z) * step).collect(),
                        Values::I32(z) => z.iter().map(|z| *z as f32 * step).collect(),
                    };
                    stood.push(Stood { grid: model.grid().to_vec(), halt: model.halt(), z_h });
                }
            });
            for segment in 0..stretch {
                let stood = || rows.iter().filter_map(|row| row.stood.get(segment));
                let grids: Vec<u8> = stood().flat_map(|stood| &stood.grid).copied().collect();
                let halts: Vec<bool> = stood().map(|stood| stood.halt.wants_to_stop()).collect();
                let logit = |q: i32| q as f32 / (1 << LOGIT_BITS) as f32;
                let q_halts: Vec<f32> = stood().map(|stood| logit(stood.halt.q_halt)).collect();
                let z_h: Vec<f32> = stood().flat_map(|stood| &stood.z_h).copied().collect();
                seen(Moment { grids: &grids, halts: &halts, q_halts: &q_halts, z_h: &z_h, margins: &[] });
            }
        }
        Ok(())
    }
}
