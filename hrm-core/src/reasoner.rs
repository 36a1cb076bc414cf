//! What a solver needs of a model: begin a puzzle, think one segment, look at the answer so far.

use crate::trace::Trace;

/// Fraction bits of logits: 4,096 is 1.0.
pub const LOGIT_BITS: u32 = 12;

/// The halting head's logits after a segment, in units of `2^-`[`LOGIT_BITS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Halt {
    /// Logit of "halt now": the model believes its answer is right.
    pub q_halt: i32,
    /// Logit of "continue", for models trained with that head; 0 where there is none, so that
    /// `q_halt > q_continue` is the halting rule of all kinds.
    pub q_continue: i32,
    /// Logit of "a cell that was filled in is wrong", for models trained with that head.
    pub q_doubt: Option<i32>,
}

impl Halt {
    /// The ACT halting rule: `q_halt > q_continue`.
    pub fn wants_to_stop(self) -> bool {
        self.q_halt > self.q_continue
    }

    /// How sure the model is that it may stop: `q_halt - q_continue`, in the same unit, saturating.
    pub fn confidence(self) -> i32 {
        self.q_halt.saturating_sub(self.q_continue)
    }
}

/// [`Trace::proceed`] answered `false`: the segment was left half-done and the state is spoiled until the
/// next [`Reasoner::begin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Cancelled;

/// A recurrent model that refines an answer segment by segment: the integer [`Hrm`](crate::Hrm), the host's
/// float model, or a test's stand-in.
pub trait Reasoner {
    /// Members (checkpoints of one shape) that can each be asked; at least 1.
    fn members(&self) -> usize;

    /// Number of cells of a puzzle, the length of `tokens` and of [`Self::grid`].
    fn cells(&self) -> usize;

    /// Starts afresh on `tokens` (`cells()` of them, each below the vocabulary) with member `member`
    /// (below `members()`). Check the puzzle first with [`Task::refuse`](crate::task::Task::refuse).
    ///
    /// [`Hrm`](crate::Hrm) never panics: of members that are not there it takes the last, a token beyond the
    /// vocabulary is embedded as zeros, tokens that are missing count as 0, and what is too much is left out.
    fn begin(&mut self, member: usize, tokens: &[u8]);

    /// Thinks for one segment.
    ///
    /// # Errors
    /// [`Cancelled`] where [`Trace::proceed`] answered `false`.
    fn segment<T: Trace>(&mut self, trace: &mut T) -> Result<(), Cancelled>;

    /// The answer decoded after the last segment (the puzzle itself before the first).
    fn grid(&self) -> &[u8];

    /// The halting head after the last segment.
    fn halt(&self) -> Halt;

    /// A digest of the whole carried state (z_H, z_L). In integer arithmetic a repeated state repeats for
    /// ever, so an equal digest proves (up to a 2^-32 collision) that the recurrence has settled.
    fn state_digest(&self) -> u32;
}
