//! The state machine.

use rand_pcg::Pcg32;

use super::{
    Answer, GuessEnd, Policy, Progress, Rule, Status, Step, Stop, Symmetries,
    settled::Recent,
    supposition::suppose,
    tally::{Candidate, Tally},
};
use crate::{
    reasoner::Reasoner,
    task::{Refusal, Task},
    trace::Trace,
};

/// Stream of the generator that draws symmetries and supposed cells.
const STREAM: u64 = 0x5e_ed;

/// Solving one puzzle: small (1.5 KB for Sudoku, most of it the tally of votes), inspectable,
/// advanced one segment at a time.
///
/// The model is lent to every call of [`Self::advance`] and must not be used for anything else
/// until solving has ended.
#[derive(Clone, Debug)]
pub struct Solver<T: Task> {
    task: T,
    policy: Policy,
    rng: Pcg32,
    puzzle: T::Grid,
    /// The grid after the last segment, mapped back.
    grid: T::Grid,
    symmetry: T::Symmetry,
    recent: Recent,
    /// Segments of the guess in progress over which the grid has stayed the same.
    unchanged: u16,
    /// The guess in progress or just ended; `None` before the first.
    progress: Option<Progress>,
    guesses: u16,
    segments: u32,
    best: Option<Candidate<T::Grid>>,
    tally: Tally<T::Grid>,
    ended: Option<End>,
}

/// The verdict.
#[derive(Clone, Copy, Debug)]
struct End {
    status: Status,
    stop: Stop,
}

impl<T: Task> Solver<T> {
    /// Prepares to solve `puzzle` (`task.cells()` tokens). A puzzle that is none, or that is
    /// complete already, ends with the first call of [`Self::advance`], as does a policy that
    /// leaves no room for a guess.
    pub fn new(task: T, puzzle: &[u8], policy: Policy) -> Self {
        let refusal = task.refuse(puzzle);
        Self::unless(refusal, task, puzzle, policy)
    }

    /// [`Self::new`] for a puzzle with hints: tokens of its answer in cells that were blank, which the answer
    /// must keep. That matters where a puzzle may not hold such tokens, as the way of a maze.
    pub fn with_hints(task: T, puzzle: &[u8], policy: Policy) -> Self {
        let refusal = task.refuse_supposed(puzzle);
        Self::unless(refusal, task, puzzle, policy)
    }

    fn unless(refusal: Option<Refusal>, task: T, puzzle: &[u8], policy: Policy) -> Self {
        let mut own = task.grid();
        for (cell, token) in own.as_mut().iter_mut().zip(puzzle) {
            *cell = *token;
        }
        let ended = if let Some(refusal) = refusal {
            Some(End { status: Status::Refused(refusal), stop: Stop::Refused })
        } else if policy.rule != Rule::Unchecked && task.accepts(puzzle, puzzle) {
            Some(End { status: Status::Solved, stop: Stop::Given })
        } else {
            None
        };
        Solver {
            symmetry: task.identity(),
            grid: own.clone(),
            puzzle: own,
            policy,
            rng: Pcg32::new(policy.seed, STREAM),
            recent: Recent::default(),
            unchanged: 0,
            progress: None,
            guesses: 0,
            segments: 0,
            best: None,
            tally: Tally::new(),
            ended,
            task,
        }
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The grid after the last segment in the puzzle's own orientation; the puzzle before the first.
    pub fn grid(&self) -> &[u8] {
        self.cells(&self.grid)
    }

    /// The symmetry whose image of the puzzle the guess in progress, or the last one, is about.
    pub fn symmetry(&self) -> &T::Symmetry {
        &self.symmetry
    }

    /// How far the guess in progress, or the last one, is; `None` before the first.
    pub fn progress(&self) -> Option<Progress> {
        self.progress
    }

    /// Thinks one segment, or ends. After the end it only repeats the answer.
    ///
    /// `reasoner` must be the same model in every call. Where it was made for another number of
    /// cells the puzzle is refused.
    pub fn advance<R: Reasoner, Tr: Trace>(&mut self, reasoner: &mut R, trace: &mut Tr) -> Step<'_> {
        if self.ended.is_none() {
            self.think(reasoner, trace);
        }
        match (self.ended, self.progress) {
            (None, Some(progress)) => Step::Running(progress),
            (None, None) => Step::Running(Progress::default()),
            (Some(end), _) => Step::Done(self.answer_of(end)),
        }
    }

    /// Thinks to the end.
    pub fn run<R: Reasoner, Tr: Trace>(&mut self, reasoner: &mut R, trace: &mut Tr) -> Answer<'_> {
        loop {
            if let Some(end) = self.ended {
                return self.answer_of(end);
            }
            self.think(reasoner, trace);
        }
    }

    /// Gives up between two segments, for example because time is up; the best candidate is the answer.
    /// Does nothing after the end.
    pub fn cancel(&mut self) {
        if self.ended.is_none() {
            self.cut_off(Stop::Cancelled);
        }
    }

    /// The answer, once solving has ended.
    pub fn answer(&self) -> Option<Answer<'_>> {
        self.ended.map(|end| self.answer_of(end))
    }

    fn cells<'a>(&self, grid: &'a T::Grid) -> &'a [u8] {
        grid.as_ref().get(..self.task.cells()).unwrap_or_default()
    }

    fn think<R: Reasoner, Tr: Trace>(&mut self, reasoner: &mut R, trace: &mut Tr) {
        let (expected, got) = (reasoner.cells(), self.task.cells());
        if expected != got {
            let clamp = |cells: usize| u16::try_from(cells).unwrap_or(u16::MAX);
            let refusal = Refusal::Length { expected: clamp(expected), got: clamp(got) };
            self.ended = Some(End { status: Status::Refused(refusal), stop: Stop::Refused });
            return;
        }
        let members = u16::try_from(reasoner.members()).unwrap_or(u16::MAX).max(1);
        let most_guesses = self.most_guesses(members);
        let mut progress = match self.progress {
            Some(progress) if progress.ended.is_none() => progress,
            _ if self.guesses >= most_guesses => return self.finish(Stop::GuessesUsed),
            _ if self.policy.segments_of(self.guesses / members, false) == 0
                || self.segments >= self.policy.budget =>
            {
                return self.finish(Stop::SegmentBudget);
            }
            _ => self.begin(reasoner, members),
        };
        if reasoner.segment(trace).is_err() {
            return self.cut_off(Stop::Cancelled);
        }
        let before = self.grid.clone();
        self.task.undo(&self.symmetry, reasoner.grid(), self.grid.as_mut());
        let same = progress.segment > 0 && self.cells(&before) == self.cells(&self.grid);
        self.unchanged = if same { self.unchanged.saturating_add(1) } else { 0 };
        self.segments = self.segments.saturating_add(1);
        let (halt, digest) = (reasoner.halt(), reasoner.state_digest());
        let (puzzle, grid) = (self.cells(&self.puzzle), self.cells(&self.grid));
        let accepted = self.policy.rule == Rule::Checked && self.task.accepts(puzzle, grid);
        progress.violations = match self.policy.rule {
            Rule::Unchecked => None,
            Rule::Checked | Rule::Majority => self.task.violations(puzzle, grid),
        };
        progress.segment += 1;
        progress.segments = self.segments;
        progress.halted = halt.wants_to_stop();
        progress.confidence = halt.confidence();
        let round = progress.guess / members;
        let doubt = halt.q_doubt.filter(|_| round > 0 && self.policy.supposes());
        let most_segments = self.policy.segments_of(round, doubt.is_some());
        let settled = self.recent.push(digest).filter(|_| self.policy.stop_when_settled);
        progress.ended = if accepted {
            Some(GuessEnd::Accepted)
        } else if progress.halted && self.policy.stop_on_halt {
            Some(GuessEnd::Halted)
        } else if let Some(period) = settled {
            Some(GuessEnd::Settled { period })
        } else if self.policy.patience > 0 && self.unchanged >= self.policy.patience {
            Some(GuessEnd::Unchanged)
        } else if doubt.is_some_and(|doubt| doubt > self.policy.max_doubt) {
            Some(GuessEnd::Doubted)
        } else if progress.segment >= most_segments {
            Some(GuessEnd::SegmentLimit)
        } else {
            None
        };
        self.progress = Some(progress);
        self.conclude(progress, most_guesses);
    }

    /// The guesses that are different: relabels repeat after members x perturbations
    /// where nothing is supposed.
    fn most_guesses(&self, members: u16) -> u16 {
        let different = match self.policy.symmetries {
            Symmetries::Relabel if !self.policy.supposes() => {
                usize::from(members).saturating_mul(self.task.perturbations())
            }
            Symmetries::Relabel | Symmetries::FullGroup => usize::MAX,
        };
        self.policy.guesses.min(u16::try_from(different).unwrap_or(u16::MAX))
    }

    fn begin<R: Reasoner>(&mut self, reasoner: &mut R, members: u16) -> Progress {
        let (round, member) = (self.guesses / members, self.guesses % members);
        self.symmetry = match self.policy.symmetries {
            Symmetries::Relabel => self.task.perturbation(usize::from(round)),
            Symmetries::FullGroup if round == 0 => self.task.identity(),
            Symmetries::FullGroup => self.task.draw(&mut self.rng),
        };
        let mut question = self.puzzle.clone();
        if round > 0 && self.policy.supposes() {
            let cells = self.task.cells();
            let question = question.as_mut().get_mut(..cells).unwrap_or_default();
            suppose(&self.task, question, self.grid.as_ref(), self.policy.suppose, &mut self.rng);
        }
        let mut image = self.task.grid();
        self.task.apply(&self.symmetry, self.cells(&question), image.as_mut());
        reasoner.begin(usize::from(member), self.cells(&image));
        self.recent.clear();
        let progress =
            Progress { guess: self.guesses, member, segments: self.segments, ..Progress::default() };
        self.guesses += 1;
        self.progress = Some(progress);
        progress
    }

    /// What follows from a segment.
    fn conclude(&mut self, progress: Progress, most_guesses: u16) {
        if progress.ended.is_none() {
            if self.segments >= self.policy.budget {
                self.cut_off(Stop::SegmentBudget);
            }
            return;
        }
        let candidate = Candidate { grid: self.grid.clone(), found: progress };
        if self.policy.rule != Rule::Checked && progress.halted {
            self.tally.vote(&candidate);
        }
        self.consider(candidate);
        let remaining = most_guesses.saturating_sub(self.guesses);
        if progress.ended == Some(GuessEnd::Accepted) {
            self.finish(Stop::Accepted);
        } else if remaining == 0 {
            self.finish(Stop::GuessesUsed);
        } else if self.tally.decided(u32::from(remaining)) {
            self.finish(Stop::Decided);
        } else if self.segments >= self.policy.budget {
            self.finish(Stop::SegmentBudget);
        }
    }

    /// Ends in the middle of a guess, whose grid so far is a candidate but no vote.
    fn cut_off(&mut self, stop: Stop) {
        if let Some(mut progress) = self.progress
            && progress.ended.is_none()
        {
            progress.ended = Some(GuessEnd::CutOff);
            self.progress = Some(progress);
            if progress.segment > 0 {
                self.consider(Candidate { grid: self.grid.clone(), found: progress });
            }
        }
        self.finish(stop);
    }

    fn consider(&mut self, candidate: Candidate<T::Grid>) {
        if self.best.as_ref().is_none_or(|best| candidate.beats(best)) {
            self.best = Some(candidate);
        }
    }

    /// The grid to hand back: the votes' leader, or the best candidate where nobody voted.
    fn chosen(&self) -> (Option<&Candidate<T::Grid>>, u16) {
        match self.tally.leader() {
            Some(leader) => (Some(&leader.candidate), leader.votes),
            None => (self.best.as_ref(), 0),
        }
    }

    fn finish(&mut self, stop: Stop) {
        let (chosen, votes) = self.chosen();
        let accepts =
            |chosen: &Candidate<_>| self.task.accepts(self.cells(&self.puzzle), self.cells(&chosen.grid));
        let accepted = self.policy.rule != Rule::Unchecked && chosen.is_some_and(accepts);
        let unchecked = chosen.is_some_and(|chosen| chosen.found.violations.is_none());
        let status = if accepted {
            Status::Solved
        } else if votes > 0 && unchecked && matches!(stop, Stop::GuessesUsed | Stop::Decided) {
            Status::Voted
        } else {
            Status::Unproven
        };
        self.ended = Some(End { status, stop });
    }

    fn answer_of(&self, end: End) -> Answer<'_> {
        let (chosen, votes) = self.chosen();
        let grid = match (end.stop, chosen) {
            (Stop::Refused, _) => &[],
            (_, Some(chosen)) => self.cells(&chosen.grid),
            (_, None) => self.cells(&self.puzzle),
        };
        Answer {
            status: end.status,
            stop: end.stop,
            guesses: self.guesses,
            segments: self.segments,
            last_guess: self.progress.and_then(|progress| progress.ended),
            found: chosen.map(|chosen| chosen.found),
            votes,
            grid,
        }
    }
}
