//! Perturbation-voted solving: guess on symmetric copies of a puzzle until a rule
//! that needs no label accepts.
//!
//! A *guess* is one run of one member on one image of the puzzle under a symmetry, with a few cells supposed
//! where the policy says so; its grid is mapped back. The [`Solver`] is a state machine: [`Solver::advance`]
//! thinks one segment, so that the caller can answer its link, watch the clock, show the grid, or stop
//! between any two. A wrong grid is never called solved: [`Status::Solved`] is given by
//! [`Task::accepts`](crate::task::Task::accepts) alone.

mod settled;
mod solver;
mod supposition;
mod tally;

use serde::{Deserialize, Serialize};
pub use solver::Solver;
pub use supposition::suppose;

use crate::{
    pack::{SecondHead, Shape},
    reasoner::LOGIT_BITS,
    task::Refusal,
};

/// When a grid becomes the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Rule {
    /// The first grid, at whatever segment, that keeps the givens and breaks no rule. Nothing is ever
    /// accepted of a task without a checker.
    Checked,
    /// The grid that most guesses end on while their halting head says stop; ties by the sum of their halt
    /// confidences, then first seen. For tasks without a checker; where there is one, it judges that grid.
    ///
    /// Votes are counted for 8 grids at a time. Where guesses end on more, some votes for rare grids are lost: a
    /// grid with more than half of all votes still wins, and one with more than an eighth is never out of
    /// the count.
    Majority,
    /// As [`Self::Majority`], and the checker is not asked: what the answers of a task are worth that has
    /// none, measured with one that has.
    Unchecked,
}

/// The images of a puzzle that are guessed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Symmetries {
    /// The papers' perturbations in order ([`Task::perturbation`](crate::task::Task::perturbation)): at most
    /// members x perturbations guesses.
    Relabel,
    /// The puzzle itself once for each member, then a seeded draw from the full symmetry
    /// group for every later guess.
    FullGroup,
}

/// How a puzzle is to be solved, and when to give up.
///
/// Guess `g` asks member `g mod members`; the symmetry changes after every member had its turn (relabels), or
/// with every guess (full group).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Policy {
    /// When a grid becomes the answer.
    pub rule: Rule,
    /// The images guessed on.
    pub symmetries: Symmetries,
    /// Most guesses.
    pub guesses: u16,
    /// Most segments of each member's first guess, which supposes nothing: as many as the
    /// model was trained to take, [`Shape::segments`].
    pub first_segments: u16,
    /// Most segments of every later guess. Short ones pay: a guess that will be right mostly shows it within
    /// three segments, and a wrong one is dropped the sooner.
    pub segments: u16,
    /// Most segments in all.
    pub budget: u32,
    /// Whether a guess ends where the halting head says stop.
    pub stop_on_halt: bool,
    /// Whether a guess ends where its state repeats one of its last eight: in integer
    /// arithmetic nothing new can follow.
    pub stop_when_settled: bool,
    /// A guess ends when its grid has stayed the same for this many segments; 0 waits for the last
    /// segment. A thought that does not change its answer seldom finds a better one, and the time is
    /// better spent on another guess.
    pub patience: u16,
    /// Blank cells that a guess fills in with what the guess before it ended on, drawn anew for every
    /// guess; 0 supposes nothing. A thought at rest has deduced what it can. A few of its cells taken for
    /// granted let the next one go on from there, and as the checker asks the puzzle itself, a wrong
    /// supposition costs a guess and never a wrong answer. Each member's first guess supposes nothing,
    /// nor do guesses that vote.
    pub suppose: u16,
    /// A guess that supposes ends after a segment whose [`q_doubt`](crate::Halt::q_doubt) is above this, in
    /// units of `2^-`[`LOGIT_BITS`], where the model has a doubt head: it holds a supposed cell to be wrong.
    pub max_doubt: i32,
    /// Most segments of a guess that supposes and is not doubted, where the model has a doubt head and this
    /// is more than [`Self::segments`].
    pub undoubted_segments: u16,
    /// Seeds the draws from the full group and of the cells supposed.
    pub seed: u64,
}

impl Policy {
    /// What is recommended for a model of this shape and a task with a checker: a first guess as long as the
    /// model was trained to take, then many short ones, each on another image of the puzzle and with three
    /// cells supposed. It does the least work for an answer (`docs/RESULTS.md`).
    pub const fn for_model(shape: &Shape) -> Self {
        Policy::trained_for(shape.segments)
    }

    /// [`Self::for_model`] where no pack is there yet: of a model trained to take `segments`.
    pub const fn trained_for(segments: u16) -> Self {
        Policy {
            symmetries: Symmetries::FullGroup,
            guesses: 4096,
            first_segments: segments,
            segments: 3,
            patience: 1,
            suppose: 3,
            max_doubt: 1 << LOGIT_BITS,
            undoubted_segments: 5,
            ..Policy::papers()
        }
    }

    /// Nine checked relabels of up to 16 segments: the perturbations of the papers, judged by a checker.
    pub const fn papers() -> Self {
        Policy {
            rule: Rule::Checked,
            symmetries: Symmetries::Relabel,
            guesses: 9,
            first_segments: 16,
            segments: 16,
            budget: u32::MAX,
            stop_on_halt: false,
            stop_when_settled: true,
            patience: 0,
            suppose: 0,
            max_doubt: i32::MAX,
            undoubted_segments: 0,
            seed: 0,
        }
    }

    /// Whether guesses after the first suppose cells.
    pub fn supposes(&self) -> bool {
        self.suppose > 0 && self.rule == Rule::Checked
    }

    /// Most segments of guess `guess`, from 0, of a model of this shape.
    pub fn most_segments(&self, guess: u16, shape: &Shape) -> u16 {
        let round = guess / u16::from(shape.members).max(1);
        self.segments_of(round, shape.second_head == SecondHead::Doubt)
    }

    /// Most segments of the guesses of round `round`, 0 being each member's first; `doubts` where
    /// the model has a doubt head.
    fn segments_of(&self, round: u16, doubts: bool) -> u16 {
        match round {
            0 => self.first_segments,
            _ if doubts && self.supposes() => self.segments.max(self.undoubted_segments),
            _ => self.segments,
        }
    }
}

/// What an answer is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Status {
    /// The task's checker accepts the grid.
    Solved,
    /// No checker was asked, all guesses were made (or no other could win), and most halted
    /// guesses agree on the grid.
    Voted,
    /// The best candidate of a search that ended without proof.
    Unproven,
    /// This is no puzzle.
    Refused(Refusal),
}

/// Why solving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Stop {
    /// The puzzle was complete and valid as given.
    Given,
    /// The puzzle was refused.
    Refused,
    /// The checker accepted a grid.
    Accepted,
    /// No other grid can get as many votes any more.
    Decided,
    /// Every guess was made; [`Answer::last_guess`] says how the last one ended.
    GuessesUsed,
    /// The segment budget is used up.
    SegmentBudget,
    /// The caller or the trace stopped it.
    Cancelled,
}

/// Why a guess ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum GuessEnd {
    /// Its grid was accepted.
    Accepted,
    /// The halting head said stop.
    Halted,
    /// The state repeated itself after `period` segments; 1 is a fixed point.
    Settled {
        /// Length of the cycle, 1 to 8.
        period: u8,
    },
    /// It took all the segments it was allowed.
    SegmentLimit,
    /// Solving ended in the middle of it.
    CutOff,
    /// Its grid stayed the same for [`Policy::patience`] segments.
    Unchanged,
    /// The doubt head holds a supposed cell to be wrong ([`Policy::max_doubt`]).
    Doubted,
}

/// How far solving is, after a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Progress {
    /// The guess, from 0.
    pub guess: u16,
    /// The member asked.
    pub member: u16,
    /// Segments of this guess.
    pub segment: u16,
    /// Segments in all.
    pub segments: u32,
    /// Whether the halting head says stop.
    pub halted: bool,
    /// `q_halt - q_continue`, in the units of [`Halt`](crate::Halt).
    pub confidence: i32,
    /// [`Task::violations`](crate::task::Task::violations) of the grid, `None` where no checker is asked.
    pub violations: Option<u32>,
    /// Why the guess ended, where it did.
    pub ended: Option<GuessEnd>,
}

/// The end of solving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Answer<'a> {
    /// What the grid is worth.
    pub status: Status,
    /// Why solving ended.
    pub stop: Stop,
    /// Guesses begun.
    pub guesses: u16,
    /// Segments taken.
    pub segments: u32,
    /// How the last guess ended, where there was one.
    pub last_guess: Option<GuessEnd>,
    /// Where the grid was found; `None` where no guess was made.
    pub found: Option<Progress>,
    /// Votes for the grid (none with [`Rule::Checked`]): all, where guesses ended on at most 8 grids, and
    /// else those since it was last counted anew.
    pub votes: u16,
    /// The grid in the puzzle's own orientation; the puzzle where no guess was made,
    /// empty where it was refused.
    #[serde(borrow)]
    pub grid: &'a [u8],
}

/// What one call of [`Solver::advance`] led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Step<'a> {
    /// A segment was taken, and more are to come.
    Running(Progress),
    /// Solving has ended.
    Done(Answer<'a>),
}

#[cfg(test)]
mod tests;
