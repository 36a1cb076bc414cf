//! A pack with a puzzle, thought about a segment at a time.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

use hrm_core::digest::{ThoughtDigest, run_digest};
use hrm_core::solve::{Answer, GuessEnd, Policy, Solver, Status};
use hrm_core::task::{self, All, Task, Visitor};
use hrm_core::{Hrm, Pack, Reasoner, Shape, workspace_bytes, workspace_words};
use rand_pcg::Pcg32;

use crate::json::Quoted;
use crate::puzzle::tokens_of;
use crate::watched::Watched;

/// How a puzzle is to be thought about, where it is not [`Policy::for_model`]'s way.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// Most guesses.
    pub guesses: u16,
    /// Cells that a guess supposes.
    pub suppose: u16,
    /// Seeds the draws.
    pub seed: u64,
}

impl Default for Wish {
    fn default() -> Self {
        // These three are the same for every model.
        let Policy { guesses, suppose, seed, .. } = Policy::trained_for(1);
        Self { guesses, suppose, seed }
    }
}

impl Wish {
    /// The policy of a model of this shape.
    pub(crate) fn policy(self, shape: &Shape) -> Policy {
        let Self { guesses, suppose, seed } = self;
        Policy { guesses, suppose, seed, ..Policy::for_model(shape) }
    }
}

/// What a segment led to, as words that a page reads from memory.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Report {
    /// How far z_H moved, as a part of its own length.
    pub moved: f64,
    /// The guess, from 1.
    pub guess: u32,
    /// The member asked, from 1.
    pub member: u32,
    /// Segments of this guess.
    pub segment: u32,
    /// Most segments of this guess.
    pub most_segments: u32,
    /// Segments in all.
    pub segments: u32,
    /// Logit of "halt now".
    pub q_halt: i32,
    /// Rules that the grid breaks, and cells that are missing; -1 without a checker.
    pub violations: i32,
    /// How the guess ended, by its place in `ENDS`; 0 where it goes on.
    pub ended: u32,
    /// 1 once nothing more is to come.
    pub done: u32,
    /// 1 where the grid is the proven answer.
    pub solved: u32,
    /// Digest of z_H and z_L after this segment.
    pub state: u32,
    /// [`ThoughtDigest`] of all segments so far.
    pub digest: u32,
    /// Logit of "halt now" less that of "continue".
    pub confidence: i32,
}

impl Report {
    /// Before anything was asked.
    pub const EMPTY: Self = Self {
        moved: 0.0,
        guess: 0,
        member: 0,
        segment: 0,
        most_segments: 0,
        segments: 0,
        q_halt: 0,
        violations: -1,
        ended: 0,
        done: 0,
        solved: 0,
        state: 0,
        digest: 0,
        confidence: 0,
    };
}

/// What ended a guess, in the order of [`Report::ended`]: [`Session::describe`] tells them to the page.
const ENDS: [&str; 8] = [
    "it goes on",
    "accepted",
    "the halting head says stop",
    "its state repeats itself",
    "out of segments",
    "cut off",
    "its grid no longer changes",
    "what it supposes is doubted",
];

/// An opened pack of a known task. Packs and the models' memory are never given back: whoever wants another
/// pack takes a new instance of the module.
pub struct Session {
    thinker: Box<dyn Think>,
    pack: Pack<'static>,
}

/// A [`Thinker`] of any task.
trait Think {
    fn describe(&self, out: &mut String);
    fn draw(&self, text: &str, seed: u64) -> Result<String, String>;
    fn begin(&mut self, text: &str, wish: Wish) -> Result<(), String>;
    fn advance(&mut self) -> Report;
    fn grid(&self) -> String;
    fn supposed(&self) -> &[u8];
    fn self_test(&mut self, row: usize) -> Option<(u32, u32)>;
    fn run_digest(&mut self, text: &str, segments: u16) -> Result<u32, String>;
}

impl Session {
    /// Opens a pack, whose bytes begin at a multiple of 16.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open(bytes: &'static [u8]) -> Result<Self, String> {
        let pack = Pack::open(bytes).map_err(|error| error.to_string())?;
        let name = pack.header().map_err(|error| error.to_string())?.task;
        let known = task::visit::<All, _>(name, pack.shape(), Opening { pack });
        let thinker = known.map_err(|_| format!("this page does not know the task {name}"))??;
        Ok(Self { thinker, pack })
    }

    /// The pack in JSON: task, rows, columns, symbols by token, sizes, and the words for how a guess ends.
    pub fn describe(&self) -> String {
        let shape = self.pack.shape();
        let mut out = String::from("{");
        self.thinker.describe(&mut out);
        let tests = self.pack.self_test().map_or(0, |test| test.digests.len());
        let ends = ENDS.map(|end| Quoted(end).to_string()).join(",");
        let _ = write!(
            out,
            r#","crc":"{:08x}","bytes":{},"memory":{},"width":{},"lane_bits":{},"segments":{},"members":{},"ends":[{ends}],"self_tests":{tests}}}"#,
            self.pack.crc(),
            self.pack.bytes(),
            workspace_bytes(shape),
            shape.width(),
            8 * shape.lanes.bytes(),
            shape.segments,
            shape.members,
        );
        out
    }

    /// A puzzle that is as hard as `text`: its image under a symmetry drawn by `seed`.
    ///
    /// # Errors
    /// Why the text is no puzzle.
    pub fn draw(&self, text: &str, seed: u64) -> Result<String, String> {
        self.thinker.draw(text, seed)
    }

    /// Takes a puzzle, a character a cell.
    ///
    /// # Errors
    /// Why it is none.
    pub fn begin(&mut self, text: &str, wish: Wish) -> Result<(), String> {
        self.thinker.begin(text, wish)
    }

    /// Thinks one segment, or tells the end once more.
    pub fn advance(&mut self) -> Report {
        self.thinker.advance()
    }

    /// The grid after the last segment, or the answer, a character a cell.
    pub fn grid(&self) -> String {
        self.thinker.grid()
    }

    /// For each cell whether the guess in progress supposes it.
    pub fn supposed(&self) -> &[u8] {
        self.thinker.supposed()
    }

    /// Thinks about puzzle `row` of the pack's self-test: the digest that comes of it, and the one that must.
    pub fn self_test(&mut self, row: usize) -> Option<(u32, u32)> {
        self.thinker.self_test(row)
    }

    /// The [`RunDigest`](hrm_core::digest::RunDigest) of the first member's first segments on a puzzle.
    ///
    /// # Errors
    /// Why the text is no puzzle.
    pub fn run_digest(&mut self, text: &str, segments: u16) -> Result<u32, String> {
        self.thinker.run_digest(text, segments)
    }
}

/// Makes a thinker of a pack and its task.
struct Opening {
    pack: Pack<'static>,
}

impl Visitor for Opening {
    type Output = Result<Box<dyn Think>, String>;

    fn visit<T: Task>(self, task: T) -> Self::Output {
        let memory = Box::leak(alloc::vec![0u32; workspace_words(self.pack.shape())].into_boxed_slice());
        let model = Hrm::new(self.pack, memory).map_err(|error| error.to_string())?;
        Ok(Box::new(Thinker {
            pack: self.pack,
            model: Watched::new(model),
            puzzle: Vec::new(),
            supposed: alloc::vec![0; task.cells()],
            solver: None,
            digest: ThoughtDigest::default(),
            task,
        }))
    }
}

/// A model and what it is asked, as a task's own types.
struct Thinker<T: Task> {
    task: T,
    pack: Pack<'static>,
    model: Watched,
    solver: Option<Solver<T>>,
    /// The puzzle that the solver was given.
    puzzle: Vec<u8>,
    supposed: Vec<u8>,
    digest: ThoughtDigest,
}

impl<T: Task> Thinker<T> {
    /// Marks the cells in which the question of the guess in progress says more than the puzzle.
    fn mark_supposed(&mut self, solver: &Solver<T>) {
        let mut question = self.puzzle.clone();
        self.task.undo(solver.symmetry(), self.model.asked(), &mut question);
        for (mark, (asked, given)) in self.supposed.iter_mut().zip(question.iter().zip(&self.puzzle)) {
            *mark = u8::from(asked != given);
        }
    }

    fn report(&self, solver: &Solver<T>, answer: Option<&Answer<'_>>) -> Report {
        let (halt, progress) = (self.model.halt(), solver.progress().unwrap_or_default());
        Report {
            moved: self.model.moved(),
            guess: u32::from(progress.guess) + 1,
            member: u32::from(progress.member) + 1,
            segment: progress.segment.into(),
            most_segments: solver.policy().most_segments(progress.guess, self.pack.shape()).into(),
            segments: progress.segments,
            q_halt: halt.q_halt,
            violations: progress.violations.map_or(-1, |count| i32::try_from(count).unwrap_or(i32::MAX)),
            ended: progress.ended.map_or(0, place_of),
            done: answer.is_some().into(),
            solved: answer.is_some_and(|answer| answer.status == Status::Solved).into(),
            state: self.model.state_digest(),
            digest: self.digest.finish(),
            confidence: halt.confidence(),
        }
    }
}

/// The place in [`ENDS`].
pub(crate) fn place_of(end: GuessEnd) -> u32 {
    match end {
        GuessEnd::Accepted => 1,
        GuessEnd::Halted => 2,
        GuessEnd::Settled { .. } => 3,
        GuessEnd::SegmentLimit => 4,
        GuessEnd::CutOff => 5,
        GuessEnd::Unchanged => 6,
        GuessEnd::Doubted => 7,
    }
}

impl<T: Task> Think for Thinker<T> {
    fn describe(&self, out: &mut String) {
        let (rows, columns) = self.task.dims();
        let _ = write!(out, r#""task":{},"rows":{rows},"columns":{columns},"#, Quoted(self.task.name()));
        let symbols: String =
            (0..=u8::MAX).take(self.task.vocab()).filter_map(|token| self.task.symbol(token)).collect();
        let blank: String = self.task.symbol(self.task.blank()).into_iter().collect();
        let _ = write!(out, r#""symbols":{},"blank":{}"#, Quoted(&symbols), Quoted(&blank));
    }

    fn draw(&self, text: &str, seed: u64) -> Result<String, String> {
        let tokens = tokens_of(&self.task, text)?;
        let mut image = tokens.clone();
        let symmetry = self.task.draw(&mut Pcg32::new(seed, 0));
        self.task.apply(&symmetry, &tokens, &mut image);
        Ok(self.task.text(&image).to_string())
    }

    fn begin(&mut self, text: &str, wish: Wish) -> Result<(), String> {
        self.puzzle = tokens_of(&self.task, text)?;
        let policy = wish.policy(self.pack.shape());
        self.supposed.fill(0);
        self.digest = ThoughtDigest::default();
        self.solver = Some(Solver::new(self.task.clone(), &self.puzzle, policy));
        Ok(())
    }

    fn advance(&mut self) -> Report {
        let Some(mut solver) = self.solver.take() else { return Report { done: 1, ..Report::EMPTY } };
        solver.advance(&mut self.model, &mut ());
        if self.digest.after(&solver, &self.model) {
            self.mark_supposed(&solver);
        }
        let report = self.report(&solver, solver.answer().as_ref());
        self.solver = Some(solver);
        report
    }

    fn grid(&self) -> String {
        let Some(solver) = &self.solver else { return String::new() };
        let grid = solver.answer().map_or(solver.grid(), |answer| answer.grid);
        self.task.text(grid).to_string()
    }

    fn supposed(&self) -> &[u8] {
        &self.supposed
    }

    fn self_test(&mut self, row: usize) -> Option<(u32, u32)> {
        self.solver = None;
        let test = self.pack.self_test()?;
        let (tokens, expected) = test.row(row)?;
        let member = row % self.model.members();
        let digest = run_digest(&mut self.model, member, tokens, test.segments).ok()?;
        Some((digest, expected))
    }

    fn run_digest(&mut self, text: &str, segments: u16) -> Result<u32, String> {
        let tokens = tokens_of(&self.task, text)?;
        self.solver = None;
        run_digest(&mut self.model, 0, &tokens, segments).map_err(|_| "the thought was cut off".into())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use hrm_core::pack::AlignedBytes;
    use proptest::prelude::*;

    use super::*;

    const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../models/sudoku4-demo.hrm");
    const EASY: &str = "1.....2..3.....4";

    fn opened(bytes: &[u8]) -> Result<Session, String> {
        Session::open(Box::leak(Box::new(AlignedBytes::copy_of(bytes))).bytes())
    }

    fn demo() -> Session {
        opened(&fs::read(DEMO).unwrap()).unwrap()
    }

    /// Every report of a puzzle's solving.
    fn solved(session: &mut Session, puzzle: &str, wish: Wish) -> Vec<Report> {
        session.begin(puzzle, wish).unwrap();
        let mut reports = vec![session.advance()];
        while reports.last().is_some_and(|report| report.done == 0) {
            reports.push(session.advance());
        }
        reports
    }

    #[test]
    fn a_puzzle_is_solved_and_its_digest_is_what_solve_prints() {
        let mut session = demo();
        let end = *solved(&mut session, EASY, Wish::default()).last().unwrap();
        assert_eq!((session.grid().as_str(), end.solved, end.segments), ("1243342143122134", 1, 1));
        assert_eq!(format!("{:08x}", end.digest), "503fdc1e");
        assert_eq!(ENDS[end.ended as usize], "accepted");
        // The end stays the end.
        assert_eq!(session.advance(), end);
        let given = *solved(&mut session, "1243342143122134", Wish::default()).last().unwrap();
        assert_eq!((given.segments, given.solved, given.digest), (0, 1, 0));
    }

    #[test]
    fn what_a_guess_supposes_is_of_the_grid_before_and_never_a_given() {
        let (mut session, puzzle) = (demo(), "....1..2..3.4...");
        session.begin(puzzle, Wish { guesses: 20, suppose: 2, seed: 1 }).unwrap();
        let (mut guess, mut before, mut last) = (0, String::new(), String::new());
        loop {
            let report = session.advance();
            if report.guess != guess {
                (guess, before) = (report.guess, last);
            }
            last = session.grid();
            let marks = session.supposed();
            let supposed: Vec<usize> = (0..16).filter(|&cell| marks[cell] == 1).collect();
            assert!(supposed.len() <= 2 && (guess > 1 || supposed.is_empty()), "guess {guess}: {supposed:?}");
            assert!(supposed.iter().all(|&cell| puzzle.as_bytes()[cell] == b'.'), "{supposed:?}");
            assert!(guess == 1 || supposed.len() == 2 && before.len() == 16, "guess {guess}");
            assert_eq!(report.moved == 0.0, report.segment == 1, "{report:?}");
            if report.done == 1 {
                break;
            }
        }
        assert!(guess > 3, "{guess}");
    }

    #[test]
    fn what_is_wrong_is_told() {
        let mut session = demo();
        for (puzzle, part) in [
            ("12", "16 characters expected and 2 found"),
            ("11..............", "row 1, column 1 and row 1, column 2"),
            ("9...............", "'9'"),
        ] {
            let told = session.begin(puzzle, Wish::default()).unwrap_err();
            assert!(told.contains(part) && session.draw(puzzle, 1).is_err(), "{told}");
        }
        let told = opened(b"no pack").err().unwrap();
        assert!(told.contains("truncated"), "{told}");
    }

    #[test]
    fn the_self_test_gives_what_the_pack_expects() {
        let mut session = demo();
        let mut rows = 0;
        while let Some((got, expected)) = session.self_test(rows) {
            assert_eq!(got, expected);
            rows += 1;
        }
        assert!(rows > 0 && session.describe().contains(&format!("\"self_tests\":{rows}}}")));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]

        #[test]
        fn a_drawn_puzzle_is_one_with_as_many_givens(seed: u64) {
            let session = demo();
            let drawn = session.draw(EASY, seed).unwrap();
            let blanks = |text: &str| text.matches('.').count();
            prop_assert_eq!((drawn.len(), blanks(&drawn)), (16, blanks(EASY)));
            prop_assert!(session.draw(&drawn, 0).is_ok());
        }
    }
}
