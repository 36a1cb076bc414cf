//! A recurrence without a model behind it, for suites about links, frames and faults.

use hrm_core::{
    Cancelled, Halt, Op, Reasoner, Shape, Trace, Values,
    digest::CRC,
    lane::LaneWidth,
    task::{Refusal, Task},
};
use rand_core::Rng;

/// Cells of the stand-in's puzzles.
pub const CELLS: usize = 16;

/// Where a segment goes wrong, on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slip {
    /// In which segment.
    pub segment: u32,
    /// In which operation.
    pub op: Op,
    /// At which of its elements in that segment.
    pub index: u32,
}

/// Mixes 16-bit states by an integer recurrence in which every value depends on all earlier ones.
#[derive(Clone)]
pub struct StandIn {
    seed: u32,
    state: [i16; CELLS],
    grid: [u8; CELLS],
    segment: u32,
    /// A corrupted kernel.
    pub slip: Option<Slip>,
}

impl StandIn {
    /// A recurrence that depends on `seed`.
    pub fn new(seed: u8) -> Self {
        Self { seed: seed.into(), state: [0; CELLS], grid: [0; CELLS], segment: 0, slip: None }
    }
}

impl Reasoner for StandIn {
    fn members(&self) -> usize {
        2
    }

    fn cells(&self) -> usize {
        CELLS
    }

    fn begin(&mut self, member: usize, tokens: &[u8]) {
        self.segment = 0;
        for (i, (state, grid)) in self.state.iter_mut().zip(&mut self.grid).enumerate() {
            *grid = tokens.get(i).copied().unwrap_or(0);
            *state = i16::from(*grid) * 77 + member as i16;
        }
    }

    fn segment<T: Trace>(&mut self, trace: &mut T) -> Result<(), Cancelled> {
        trace.begin_segment();
        let mut seen = [0_u32; Op::ALL.len()];
        for round in 0..6_u32 {
            for op in Op::ALL {
                if op >= Op::Logits && round < 5 {
                    continue;
                }
                let mut carry = self.seed.wrapping_add(round);
                for value in &mut self.state {
                    carry = carry.wrapping_mul(1_664_525).wrapping_add(1_013_904_223) ^ (*value as u32);
                    *value = (carry >> 16) as i16;
                    let index = &mut seen[op as usize];
                    if self.slip == Some(Slip { segment: self.segment, op, index: *index }) {
                        *value = value.wrapping_add(1);
                    }
                    *index += 1;
                }
                match op {
                    Op::Logits | Op::Halt => trace.op(op, Values::I32(&self.state.map(i32::from))),
                    Op::Weights => self.state.chunks(5).for_each(|part| trace.op(op, Values::I16(part))),
                    _ => trace.op(op, Values::I16(&self.state)),
                }
            }
            if !trace.proceed() {
                return Err(Cancelled);
            }
        }
        for (grid, state) in self.grid.iter_mut().zip(self.state) {
            *grid = (state & 3) as u8;
        }
        self.segment += 1;
        Ok(())
    }

    fn grid(&self) -> &[u8] {
        &self.grid
    }

    fn halt(&self) -> Halt {
        Halt { q_halt: self.state[0].into(), ..Halt::default() }
    }

    fn state_digest(&self) -> u32 {
        let mut digest = CRC.digest();
        self.state.iter().for_each(|v| digest.update(&v.to_le_bytes()));
        digest.finalize()
    }
}

/// A shape with the stand-in's outer sizes.
pub const SHAPE: Shape = Shape {
    cells: CELLS as u16,
    vocab: 8,
    width: 16,
    heads: 1,
    inner: 16,
    h_layers: 1,
    l_layers: 1,
    h_cycles: 2,
    l_cycles: 2,
    segments: 4,
    members: 2,
    shared_levels: false,
    rope: false,
    learned_positions: false,
    relations: 0,
    second_head: hrm_core::pack::SecondHead::None,
    lanes: LaneWidth::I16,
};

/// A task that takes any [`CELLS`] tokens below 8 and believes any answer.
#[derive(Clone, Copy)]
pub struct Any;

impl Task for Any {
    type Symmetry = ();
    type Grid = [u8; CELLS];

    fn named(_: &str) -> Option<Self> {
        None
    }
    fn name(&self) -> &str {
        "any"
    }
    fn dims(&self) -> (usize, usize) {
        (1, CELLS)
    }
    fn grid(&self) -> Self::Grid {
        [0; CELLS]
    }
    fn vocab(&self) -> usize {
        8
    }
    fn relations(&self) -> usize {
        1
    }
    fn relation(&self, _: usize, _: usize) -> u8 {
        0
    }
    fn refuse(&self, puzzle: &[u8]) -> Option<Refusal> {
        if puzzle.len() != CELLS {
            return Some(Refusal::Length { expected: CELLS as u16, got: puzzle.len() as u16 });
        }
        let cell = puzzle.iter().position(|&token| token >= 8)?;
        Some(Refusal::Token { cell: cell as u16, token: puzzle[cell] })
    }
    fn accepts(&self, _: &[u8], _: &[u8]) -> bool {
        true
    }
    fn blank(&self) -> u8 {
        1
    }
    fn symbol(&self, _: u8) -> Option<char> {
        None
    }
    fn violations(&self, _: &[u8], _: &[u8]) -> Option<u32> {
        None
    }
    fn identity(&self) {}
    fn perturbation(&self, _: usize) {}
    fn perturbations(&self) -> usize {
        1
    }
    fn draw<R: Rng>(&self, _: &mut R) {}
    fn apply(&self, (): &(), grid: &[u8], out: &mut [u8]) {
        out.copy_from_slice(grid);
    }
    fn undo(&self, (): &(), grid: &[u8], out: &mut [u8]) {
        out.copy_from_slice(grid);
    }
}
