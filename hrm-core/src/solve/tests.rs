extern crate std;

use std::{boxed::Box, vec, vec::Vec};

use proptest::prelude::*;
use rand_core::Rng;

use super::*;
use crate::{
    reasoner::{Cancelled, Halt, Reasoner},
    task::{
        Task,
        maze::{Maze, WAY},
        sudoku::{BLANK, Sudoku, SudokuKind},
    },
    trace::Trace,
};

/// What a scripted model says after a segment.
#[derive(Clone, Debug)]
struct Says {
    grid: Vec<u8>,
    halt: i32,
    digest: u32,
}

/// Member, tokens it was given, segment from 1.
type Script<'a> = Box<dyn FnMut(usize, &[u8], usize) -> Says + 'a>;

struct Scripted<'a> {
    members: usize,
    cells: usize,
    script: Script<'a>,
    member: usize,
    tokens: Vec<u8>,
    segment: usize,
    said: Says,
    /// What its doubt head says after each segment, if it has one.
    doubts: Option<[i32; 9]>,
}

impl<'a> Scripted<'a> {
    fn new(members: usize, script: impl FnMut(usize, &[u8], usize) -> Says + 'a) -> Self {
        let said = Says { grid: vec![], halt: 0, digest: 0 };
        let script = Box::new(script);
        Scripted { members, cells: 16, script, member: 0, tokens: vec![], segment: 0, said, doubts: None }
    }
}

impl Reasoner for Scripted<'_> {
    fn members(&self) -> usize {
        self.members
    }
    fn cells(&self) -> usize {
        self.cells
    }
    fn begin(&mut self, member: usize, tokens: &[u8]) {
        (self.member, self.tokens, self.segment) = (member, tokens.to_vec(), 0);
    }
    fn segment<T: Trace>(&mut self, trace: &mut T) -> Result<(), Cancelled> {
        if !trace.proceed() {
            return Err(Cancelled);
        }
        self.segment += 1;
        self.said = (self.script)(self.member, &self.tokens, self.segment);
        Ok(())
    }
    fn grid(&self) -> &[u8] {
        &self.said.grid
    }
    fn halt(&self) -> Halt {
        let q_doubt = self.doubts.map(|doubts| doubts[self.segment - 1]);
        Halt { q_halt: self.said.halt, q_doubt, ..Halt::default() }
    }
    fn state_digest(&self) -> u32 {
        self.said.digest
    }
}

/// A trace that lets `0` more segments through.
struct Fuse(usize);

impl Trace for Fuse {
    fn proceed(&mut self) -> bool {
        self.0 = self.0.wrapping_sub(1);
        self.0 != usize::MAX
    }
}

const TASK: Sudoku = Sudoku::new(SudokuKind::Four);

fn tokens(text: &str) -> Vec<u8> {
    let mut grid = vec![0; 16];
    TASK.parse(text, &mut grid).expect("a grid");
    grid
}

fn puzzle() -> Vec<u8> {
    tokens("1....42..13....2")
}

fn solution() -> Vec<u8> {
    tokens("1243342121344312")
}

/// The same task, but nobody can check an answer.
#[derive(Clone, Copy, Debug)]
struct Unchecked;

impl Task for Unchecked {
    type Symmetry = <Sudoku as Task>::Symmetry;
    type Grid = <Sudoku as Task>::Grid;
    fn named(_: &str) -> Option<Self> {
        None
    }
    fn name(&self) -> &str {
        "unchecked"
    }
    fn dims(&self) -> (usize, usize) {
        TASK.dims()
    }
    fn grid(&self) -> Self::Grid {
        TASK.grid()
    }
    fn vocab(&self) -> usize {
        TASK.vocab()
    }
    fn relations(&self) -> usize {
        TASK.relations()
    }
    fn relation(&self, i: usize, j: usize) -> u8 {
        TASK.relation(i, j)
    }
    fn refuse(&self, puzzle: &[u8]) -> Option<Refusal> {
        TASK.refuse(puzzle)
    }
    fn blank(&self) -> u8 {
        TASK.blank()
    }
    fn symbol(&self, token: u8) -> Option<char> {
        TASK.symbol(token)
    }
    fn violations(&self, _: &[u8], _: &[u8]) -> Option<u32> {
        None
    }
    fn identity(&self) -> Self::Symmetry {
        TASK.identity()
    }
    fn perturbation(&self, k: usize) -> Self::Symmetry {
        TASK.perturbation(k)
    }
    fn perturbations(&self) -> usize {
        TASK.perturbations()
    }
    fn draw<R: Rng>(&self, rng: &mut R) -> Self::Symmetry {
        TASK.draw(rng)
    }
    fn apply(&self, symmetry: &Self::Symmetry, grid: &[u8], out: &mut [u8]) {
        TASK.apply(symmetry, grid, out);
    }
    fn undo(&self, symmetry: &Self::Symmetry, grid: &[u8], out: &mut [u8]) {
        TASK.undo(symmetry, grid, out);
    }
}

/// Answers the image of [`puzzle`] it is shown with the image of `answer`, found by trying
/// all symmetries of digits.
fn image_of(answer: &[u8], shown: &[u8]) -> Vec<u8> {
    for k in 0..4 {
        let symmetry = TASK.perturbation(k);
        let mut image = vec![0; 16];
        TASK.apply(&symmetry, &puzzle(), &mut image);
        if image == shown {
            TASK.apply(&symmetry, answer, &mut image);
            return image;
        }
    }
    panic!("not an image of the puzzle: {shown:?}");
}

fn wrong() -> Vec<u8> {
    let mut grid = solution();
    grid.swap(1, 2);
    grid
}

#[test]
fn the_test_puzzle_is_one() {
    assert_eq!(TASK.refuse(&puzzle()), None);
    assert!(TASK.accepts(&puzzle(), &solution()));
    assert!(!TASK.accepts(&puzzle(), &wrong()));
}

#[test]
fn the_third_relabel_succeeds() {
    let mut model = Scripted::new(1, |_, shown, segment| {
        let right = shown == image_of(&puzzle(), shown) && {
            let mut third = vec![0; 16];
            TASK.apply(&TASK.perturbation(2), &puzzle(), &mut third);
            shown == third && segment == 3
        };
        let answer = if right { solution() } else { wrong() };
        Says { grid: image_of(&answer, shown), halt: -1, digest: segment as u32 }
    });
    let policy = Policy { first_segments: 5, segments: 5, ..Policy::papers() };
    let mut solver = Solver::new(TASK, &puzzle(), policy);
    let answer = solver.run(&mut model, &mut ());
    assert_eq!((answer.status, answer.stop), (Status::Solved, Stop::Accepted));
    assert_eq!(answer.grid, solution());
    assert_eq!((answer.guesses, answer.segments), (3, 5 + 5 + 3));
    assert_eq!(answer.last_guess, Some(GuessEnd::Accepted));
    assert_eq!(
        answer.found.map(|found| (found.guess, found.segment, found.violations)),
        Some((2, 3, Some(0)))
    );
}

#[test]
fn first_guesses_are_patient_and_later_ones_short() {
    let mut model = Scripted::new(2, |_, shown, segment| Says {
        grid: image_of(&wrong(), shown),
        halt: 0,
        digest: segment as u32,
    });
    let policy = Policy { guesses: 5, first_segments: 4, segments: 1, ..Policy::papers() };
    let mut solver = Solver::new(TASK, &puzzle(), policy);
    let mut lengths = vec![];
    while let Step::Running(progress) = solver.advance(&mut model, &mut ()) {
        if progress.ended.is_some() {
            lengths.push(progress.segment);
        }
    }
    // Both members' first guesses; the fifth guess ended the solving.
    assert_eq!(lengths, [4, 4, 1, 1]);
    assert_eq!(solver.answer().map(|answer| answer.segments), Some(11));
    // A policy that leaves no room for the next guess ends before it.
    for (first_segments, segments, taken) in [(0, 1, 0), (4, 0, 8)] {
        let policy = Policy { first_segments, segments, ..policy };
        let answer = Solver::new(TASK, &puzzle(), policy).run(&mut model, &mut ()).segments;
        assert_eq!(answer, taken);
    }
}

#[test]
fn a_segment_at_a_time() {
    let mut model = Scripted::new(2, |member, shown, segment| {
        let answer = if member == 1 && segment == 2 { solution() } else { wrong() };
        Says { grid: image_of(&answer, shown), halt: 5, digest: segment as u32 }
    });
    let policy = Policy { first_segments: 2, segments: 2, ..Policy::papers() };
    let mut solver = Solver::new(TASK, &puzzle(), policy);
    assert_eq!(solver.grid(), puzzle());
    assert_eq!(solver.progress(), None);
    let mut seen = vec![];
    let answer = loop {
        assert_eq!(solver.answer(), None);
        match solver.advance(&mut model, &mut ()) {
            Step::Running(progress) => {
                seen.push((progress.guess, progress.member, progress.segment, progress.ended))
            }
            Step::Done(answer) => break answer,
        }
    };
    assert_eq!(seen, [(0, 0, 1, None), (0, 0, 2, Some(GuessEnd::SegmentLimit)), (1, 1, 1, None)]);
    assert_eq!((answer.status, answer.segments), (Status::Solved, 4));
    let expected = solver.answer().map(|answer| answer.grid.to_vec());
    assert_eq!(expected, Some(solution()));
    // Calling on changes nothing.
    assert!(matches!(solver.advance(&mut model, &mut ()), Step::Done(Answer { segments: 4, .. })));
    solver.cancel();
    assert_eq!(solver.answer().map(|answer| answer.stop), Some(Stop::Accepted));
}

#[test]
fn relabels_are_not_repeated() {
    let mut shown_to: Vec<(usize, Vec<u8>)> = vec![];
    let mut model = Scripted::new(2, |member, shown, segment| {
        shown_to.push((member, shown.to_vec()));
        Says { grid: image_of(&wrong(), shown), halt: -1, digest: segment as u32 }
    });
    let policy = Policy { guesses: 1000, first_segments: 1, segments: 1, ..Policy::papers() };
    let mut solver = Solver::new(TASK, &puzzle(), policy);
    let answer = solver.run(&mut model, &mut ());
    assert_eq!((answer.status, answer.stop, answer.guesses), (Status::Unproven, Stop::GuessesUsed, 8));
    assert_eq!(answer.grid, wrong());
    drop(model);
    let guesses = shown_to.len();
    shown_to.sort();
    shown_to.dedup();
    assert_eq!((guesses, shown_to.len()), (8, 8));
}

#[test]
fn the_full_group_is_drawn_by_the_seed() {
    let images = |seed| {
        let mut shown_to: Vec<Vec<u8>> = vec![];
        let mut model = Scripted::new(1, |_, shown, segment| {
            assert_eq!(TASK.refuse(shown), None);
            shown_to.push(shown.to_vec());
            Says { grid: shown.to_vec(), halt: -1, digest: segment as u32 }
        });
        let policy = Policy {
            guesses: 40,
            first_segments: 1,
            segments: 1,
            symmetries: Symmetries::FullGroup,
            seed,
            ..Policy::papers()
        };
        let mut solver = Solver::new(TASK, &puzzle(), policy);
        let answer = solver.run(&mut model, &mut ());
        // The model returns what it is shown: mapped back it is the puzzle.
        assert_eq!((answer.guesses, answer.grid), (40, puzzle().as_slice()));
        assert_eq!(answer.status, Status::Unproven);
        drop(model);
        shown_to
    };
    let first = images(1);
    assert_eq!(first[0], puzzle());
    assert_eq!(first, images(1));
    assert_ne!(first, images(2));
    let mut different = first.clone();
    different.sort();
    different.dedup();
    assert!(different.len() > 30, "{} different images", different.len());
}

#[test]
fn settled_states_and_cycles_end_a_guess() {
    for period in [1u32, 2, 5, 8] {
        let mut model = Scripted::new(1, |_, shown, segment| {
            let digest = if segment < 4 { segment as u32 } else { 100 + segment as u32 % period };
            Says { grid: image_of(&wrong(), shown), halt: 1, digest }
        });
        let policy = Policy { guesses: 1, first_segments: 50, segments: 50, ..Policy::papers() };
        let mut solver = Solver::new(TASK, &puzzle(), policy);
        let answer = solver.run(&mut model, &mut ());
        assert_eq!(answer.last_guess, Some(GuessEnd::Settled { period: period as u8 }));
        assert_eq!((answer.segments, answer.stop), (4 + period, Stop::GuessesUsed));

        let policy = Policy { stop_when_settled: false, ..policy };
        let mut solver = Solver::new(TASK, &puzzle(), policy);
        let answer = solver.run(&mut model, &mut ());
        assert_eq!((answer.segments, answer.last_guess), (50, Some(GuessEnd::SegmentLimit)));
    }
}

#[test]
fn a_settled_state_is_not_carried_into_the_next_guess() {
    let mut model =
        Scripted::new(1, |_, shown, _| Says { grid: image_of(&wrong(), shown), halt: 1, digest: 7 });
    let mut solver = Solver::new(TASK, &puzzle(), Policy { guesses: 3, ..Policy::papers() });
    assert_eq!(solver.run(&mut model, &mut ()).segments, 6);
}

#[test]
fn an_unchanged_grid_ends_a_guess_when_patience_is_over() {
    // The grid changes with segments 1 to 4 and 9, the state with every segment; a wrong
    // digit takes another's place.
    let grid = |segment: usize| {
        let mut grid = wrong();
        grid[15] = 2 + (segment.min(4) + usize::from(segment >= 9)) as u8 % 2;
        grid
    };
    for (patience, segments, end) in [
        (0, 12, GuessEnd::SegmentLimit),
        (1, 5, GuessEnd::Unchanged),
        (4, 8, GuessEnd::Unchanged),
        (5, 12, GuessEnd::SegmentLimit),
    ] {
        let mut model = Scripted::new(1, |_, shown, segment| Says {
            grid: image_of(&grid(segment), shown),
            halt: 1,
            digest: segment as u32,
        });
        let policy = Policy { guesses: 2, first_segments: 12, segments: 12, patience, ..Policy::papers() };
        let mut solver = Solver::new(TASK, &puzzle(), policy);
        let answer = solver.run(&mut model, &mut ());
        assert_eq!(answer.last_guess, Some(end), "patience {patience}");
        // The second guess begins anew: that it starts with the grid the first one ended
        // with counts for nothing.
        assert_eq!(answer.segments, 2 * segments, "patience {patience}");
        assert_eq!(answer.status, Status::Unproven);
    }
}

#[test]
fn the_grid_that_the_guess_before_ended_on_is_no_rest() {
    let mut model = Scripted::new(1, |_, shown, segment| Says {
        grid: image_of(&wrong(), shown),
        halt: 1,
        digest: segment as u32,
    });
    let policy = Policy { guesses: 2, patience: 1, ..Policy::papers() };
    let mut solver = Solver::new(TASK, &puzzle(), policy);
    assert_eq!(solver.run(&mut model, &mut ()).segments, 4, "two segments a guess");
}

#[test]
fn relabels_that_suppose_are_not_repeated_ones() {
    // A model that says what it is shown: wherever it supposes, a cell of nothing but blanks.
    let mut model =
        Scripted::new(1, |_, shown, segment| Says { grid: shown.to_vec(), halt: 1, digest: segment as u32 });
    for (suppose, guesses) in [(0, 4), (1, 6)] {
        let policy = Policy { guesses: 6, first_segments: 1, segments: 1, suppose, ..Policy::papers() };
        let mut solver = Solver::new(TASK, &puzzle(), policy);
        assert_eq!(solver.run(&mut model, &mut ()).guesses, guesses);
    }
}

#[test]
fn no_member_supposes_anything_in_its_first_guess() {
    let mut questions: Vec<Vec<u8>> = vec![];
    let mut model = Scripted::new(3, |_, shown, segment| {
        questions.push(shown.to_vec());
        Says { grid: image_of(&wrong(), &puzzle()), halt: 1, digest: segment as u32 }
    });
    let policy = Policy { guesses: 3, first_segments: 1, suppose: 3, ..Policy::papers() };
    Solver::new(TASK, &puzzle(), policy).run(&mut model, &mut ());
    drop(model);
    assert_eq!(questions, vec![puzzle(); 3]);
}

#[test]
fn a_guess_goes_on_while_it_is_not_doubted() {
    let trusted = [7; 9];
    let (from_start, from_third) = ([8; 9], [7, 7, 8, 8, 8, 8, 8, 8, 8]);
    for (doubts, suppose, segments, end) in [
        (None, 1, 2, GuessEnd::SegmentLimit),
        (Some(trusted), 1, 5, GuessEnd::SegmentLimit),
        (Some(from_start), 1, 1, GuessEnd::Doubted),
        (Some(from_third), 1, 3, GuessEnd::Doubted),
        (Some(from_start), 0, 2, GuessEnd::SegmentLimit),
    ] {
        let mut model = Scripted::new(1, |_, _, segment| Says {
            grid: image_of(&wrong(), &puzzle()),
            halt: 1,
            digest: segment as u32,
        });
        model.doubts = doubts;
        let (max_doubt, undoubted_segments, symmetries) = (7, 5, Symmetries::FullGroup);
        let policy =
            Policy { guesses: 2, first_segments: 4, segments: 2, suppose, max_doubt, ..Policy::papers() };
        let policy = Policy { undoubted_segments, symmetries, ..policy };
        let mut solver = Solver::new(TASK, &puzzle(), policy);
        let answer = solver.run(&mut model, &mut ());
        // The first guess supposes nothing, and is not doubted.
        assert_eq!((answer.segments, answer.last_guess), (4 + segments, Some(end)), "{doubts:?} {suppose}");
    }
}

#[test]
fn a_guess_that_was_cut_off_before_its_first_segment_leaves_the_one_before() {
    let mut model = Scripted::new(1, |_, shown, segment| Says {
        grid: image_of(&wrong(), shown),
        halt: 1,
        digest: segment as u32,
    });
    let policy = Policy { first_segments: 2, ..Policy::papers() };
    let mut solver = Solver::new(TASK, &puzzle(), policy);
    let answer = solver.run(&mut model, &mut Fuse(2));
    assert_eq!((answer.stop, answer.guesses, answer.segments), (Stop::Cancelled, 2, 2));
    assert_eq!(answer.found.map(|found| (found.guess, found.segment)), Some((0, 2)));
    let progress = solver.progress().expect("it had begun");
    assert_eq!((progress.guess, progress.segment, progress.segments), (1, 0, 2));
    assert_eq!(progress.ended, Some(GuessEnd::CutOff));
}

#[test]
fn what_a_guess_supposes_is_what_the_one_before_ended_on() {
    let turned = |k, grid: &[u8]| {
        let mut image = vec![0; 16];
        TASK.apply(&TASK.perturbation(k), grid, &mut image);
        image
    };
    // The first guess is wrong in two cells, the second ends on a grid that breaks no rule
    // but is another puzzle's.
    let says = [wrong(), turned(1, &solution()), solution()];
    for (rule, supposed) in [(Rule::Checked, 2), (Rule::Majority, 0)] {
        let mut questions: Vec<Vec<u8>> = vec![];
        let mut model = Scripted::new(1, |_, shown, segment| {
            let guess = questions.len();
            let mut question = vec![0; 16];
            TASK.undo(&TASK.perturbation(guess), shown, &mut question);
            questions.push(question);
            Says { grid: turned(guess, &says[guess]), halt: -1, digest: segment as u32 }
        });
        let policy =
            Policy { rule, guesses: 3, first_segments: 1, segments: 1, suppose: 2, ..Policy::papers() };
        let mut solver = Solver::new(TASK, &puzzle(), policy);
        let answer = solver.run(&mut model, &mut ());
        assert_eq!((answer.status, answer.guesses), (Status::Solved, 3));
        assert_eq!(answer.grid, solution());
        drop(model);
        assert_eq!(questions[0], puzzle());
        for (question, before) in questions[1..].iter().zip(&says) {
            let filled: Vec<usize> = (0..16).filter(|&cell| question[cell] != puzzle()[cell]).collect();
            assert_eq!(filled.len(), supposed, "{rule:?}");
            assert!(filled.iter().all(|&cell| question[cell] == before[cell]));
        }
    }
}

#[test]
fn halting_ends_a_guess_only_where_asked() {
    for (stop_on_halt, segments, end) in [(true, 3, GuessEnd::Halted), (false, 6, GuessEnd::SegmentLimit)] {
        let mut model = Scripted::new(1, |_, shown, segment| Says {
            grid: image_of(&wrong(), shown),
            halt: segment as i32 - 2,
            digest: segment as u32,
        });
        let policy = Policy { guesses: 1, first_segments: 6, segments: 6, stop_on_halt, ..Policy::papers() };
        let mut solver = Solver::new(TASK, &puzzle(), policy);
        let answer = solver.run(&mut model, &mut ());
        assert_eq!((answer.segments, answer.last_guess), (segments, Some(end)));
    }
}

#[test]
fn budgets_of_zero_are_unproven() {
    let policy = Policy::papers();
    let cases = [
        (Policy { guesses: 0, ..policy }, Stop::GuessesUsed),
        (Policy { first_segments: 0, segments: 0, ..policy }, Stop::SegmentBudget),
        (Policy { budget: 0, ..policy }, Stop::SegmentBudget),
    ];
    for (policy, stop) in cases {
        let mut model = Scripted::new(1, |_, _, _| unreachable!("no segment may be taken"));
        let mut solver = Solver::new(TASK, &puzzle(), policy);
        let answer = solver.run(&mut model, &mut ());
        assert_eq!((answer.status, answer.stop, answer.segments), (Status::Unproven, stop, 0));
        assert_eq!((answer.grid, answer.found, answer.guesses), (puzzle().as_slice(), None, 0));
    }
}

#[test]
fn the_segment_budget_ends_in_the_middle_of_a_guess() {
    let mut model = Scripted::new(1, |_, shown, segment| Says {
        grid: image_of(&wrong(), shown),
        halt: 3,
        digest: segment as u32,
    });
    let policy = Policy { first_segments: 4, segments: 4, budget: 6, ..Policy::papers() };
    let mut solver = Solver::new(TASK, &puzzle(), policy);
    let answer = solver.run(&mut model, &mut ());
    assert_eq!((answer.status, answer.stop), (Status::Unproven, Stop::SegmentBudget));
    assert_eq!((answer.segments, answer.guesses, answer.last_guess), (6, 2, Some(GuessEnd::CutOff)));
    assert_eq!(answer.grid, wrong());
}

#[test]
fn given_refused_and_misfitting_puzzles() {
    let nobody = || Scripted::new(1, |_, _, _| unreachable!("no segment may be taken"));
    let mut solver = Solver::new(TASK, &solution(), Policy { guesses: 0, ..Policy::papers() });
    let answer = solver.run(&mut nobody(), &mut ());
    assert_eq!((answer.status, answer.stop, answer.segments), (Status::Solved, Stop::Given, 0));
    assert_eq!(answer.grid, solution());

    let mut contradictory = puzzle();
    contradictory[1] = contradictory[0];
    for bad in [contradictory.as_slice(), &[], &[BLANK; 17], &[9; 16], &[0; 16]] {
        let mut solver = Solver::new(TASK, bad, Policy::papers());
        let answer = solver.run(&mut nobody(), &mut ());
        assert_eq!(Some(answer.status), TASK.refuse(bad).map(Status::Refused));
        assert_eq!((answer.stop, answer.grid), (Stop::Refused, &[] as &[u8]));
    }

    let mut solver = Solver::new(Sudoku::new(SudokuKind::Six), &[BLANK; 36], Policy::papers());
    let answer = solver.run(&mut nobody(), &mut ());
    assert_eq!(answer.status, Status::Refused(Refusal::Length { expected: 16, got: 36 }));
}

#[test]
fn a_part_of_the_answer_may_be_given_as_a_hint_and_be_supposed_but_not_asked() {
    let task = Maze::named("maze2x3").expect("a maze");
    let read = |text: &str| {
        let mut grid = vec![0; 6];
        task.parse(text, &mut grid).expect("a grid");
        grid
    };
    let (puzzle, hinted, both_ways, answer) =
        (read("S....G"), read("So...G"), read("SooooG"), read("Soo..G"));
    let policy = Policy { guesses: 2, ..Policy::trained_for(1) };
    let mut shown_to: Vec<Vec<u8>> = vec![];
    let mut model = Scripted::new(1, |_, shown, _| {
        shown_to.push(shown.to_vec());
        Says { grid: both_ways.clone(), halt: 1, digest: 0 }
    });
    model.cells = 6;
    let refused = Solver::new(task, &hinted, policy).run(&mut model, &mut ()).status;
    assert_eq!(refused, Status::Refused(Refusal::Token { cell: 1, token: WAY }));
    let unproven = Solver::new(task, &puzzle, policy).run(&mut model, &mut ()).status;
    assert_eq!(unproven, Status::Unproven);
    drop(model);
    assert_eq!(shown_to[0], puzzle);
    assert!(shown_to[1].contains(&WAY), "the second guess supposes some of the way: {shown_to:?}");

    for (says, status) in [(&answer, Status::Solved), (&read("S..ooG"), Status::Unproven)] {
        let mut model =
            Scripted::new(1, |_, _, segment| Says { grid: says.clone(), halt: 1, digest: segment as u32 });
        model.cells = 6;
        let mut solver = Solver::with_hints(task, &hinted, Policy { guesses: 1, ..policy });
        assert_eq!(solver.run(&mut model, &mut ()).status, status, "a hint is kept");
    }
    let mut solver = Solver::with_hints(task, &[9; 6], policy);
    let refused = solver.run(&mut Scripted::new(1, |_, _, _| unreachable!()), &mut ()).status;
    assert_eq!(refused, Status::Refused(Refusal::Token { cell: 0, token: 9 }));
}

#[test]
fn cancelling_keeps_the_last_whole_segment() {
    let script = |_: usize, shown: &[u8], segment: usize| Says {
        grid: image_of(&wrong(), shown),
        halt: 3,
        digest: segment as u32,
    };
    for through in [0, 2] {
        let mut solver = Solver::new(TASK, &puzzle(), Policy::papers());
        let answer = solver.run(&mut Scripted::new(1, script), &mut Fuse(through));
        assert_eq!((answer.status, answer.stop), (Status::Unproven, Stop::Cancelled));
        assert_eq!((answer.segments as usize, answer.last_guess), (through, Some(GuessEnd::CutOff)));
        assert_eq!(answer.grid, if through == 0 { puzzle() } else { wrong() });
    }
    let mut solver = Solver::new(TASK, &puzzle(), Policy::papers());
    solver.advance(&mut Scripted::new(1, script), &mut ());
    solver.cancel();
    assert_eq!(solver.answer().map(|answer| (answer.stop, answer.segments)), Some((Stop::Cancelled, 1)));
    let mut solver = Solver::new(TASK, &puzzle(), Policy::papers());
    solver.cancel();
    assert_eq!(solver.answer().map(|answer| (answer.status, answer.found)), Some((Status::Unproven, None)));
}

#[test]
fn the_best_candidate_breaks_fewest_rules_then_halted_then_confident() {
    type Guesses = Vec<(Vec<u8>, i32)>;
    let worse = vec![BLANK; 16];
    let (wrong_a, wrong_b) = (wrong(), {
        let mut grid = solution();
        grid.swap(13, 14);
        grid
    });
    assert_eq!(TASK.violations(&puzzle(), &wrong_a), TASK.violations(&puzzle(), &wrong_b));
    let cases: [(Guesses, usize); 4] = [
        (vec![(worse.clone(), 90), (wrong_a.clone(), -9)], 1),
        (vec![(wrong_a.clone(), -1), (wrong_b.clone(), 1)], 1),
        (vec![(wrong_a.clone(), 5), (wrong_b.clone(), 4)], 0),
        (vec![(wrong_a.clone(), 5), (wrong_b.clone(), 5)], 0),
    ];
    for (guesses, best) in cases {
        let mut said = guesses.iter();
        let mut model = Scripted::new(1, |_, shown, _| {
            let (grid, halt) = said.next().expect("one segment for each guess");
            Says { grid: image_of(grid, shown), halt: *halt, digest: 0 }
        });
        let policy =
            Policy { guesses: guesses.len() as u16, first_segments: 1, segments: 1, ..Policy::papers() };
        let mut solver = Solver::new(TASK, &puzzle(), policy);
        assert_eq!(solver.run(&mut model, &mut ()).grid, guesses[best].0);
    }
}

/// One segment for each guess: the answer and its halt logit.
fn majority<T: Task>(task: T, guesses: &[(Vec<u8>, i32)], allowed: u16) -> (Status, Stop, u16, u16, Vec<u8>) {
    by_vote(Rule::Majority, task, guesses, allowed)
}

fn by_vote<T: Task>(
    rule: Rule,
    task: T,
    guesses: &[(Vec<u8>, i32)],
    allowed: u16,
) -> (Status, Stop, u16, u16, Vec<u8>) {
    let mut said = guesses.iter();
    let mut model = Scripted::new(guesses.len().max(1), |_, _, _| {
        let (grid, halt) = said.next().expect("one segment for each guess");
        Says { grid: grid.clone(), halt: *halt, digest: 0 }
    });
    let policy = Policy { rule, guesses: allowed, first_segments: 1, segments: 1, ..Policy::papers() };
    let mut solver = Solver::new(task, &puzzle(), policy);
    let answer = solver.run(&mut model, &mut ());
    (answer.status, answer.stop, answer.guesses, answer.votes, answer.grid.to_vec())
}

#[test]
fn the_majority_of_halted_guesses_wins() {
    let (a, b) = (solution(), wrong());
    // Two confident guesses that did not halt count nothing.
    let guesses = [(b.clone(), -1), (a.clone(), 1), (b.clone(), -9), (b.clone(), 9), (a.clone(), 1)];
    assert_eq!(majority(Unchecked, &guesses, 5), (Status::Voted, Stop::GuessesUsed, 5, 2, a.clone()));
    assert_eq!(majority(TASK, &guesses, 5), (Status::Solved, Stop::GuessesUsed, 5, 2, a.clone()));
    // The same votes for the wrong grid: voted without a checker, unproven with one, never solved.
    let guesses = [(b.clone(), 1), (a.clone(), 9), (b.clone(), 1)];
    assert_eq!(majority(Unchecked, &guesses, 3), (Status::Voted, Stop::GuessesUsed, 3, 2, b.clone()));
    assert_eq!(majority(TASK, &guesses, 3), (Status::Unproven, Stop::GuessesUsed, 3, 2, b.clone()));
    // Ties by summed confidence, then first seen.
    let tie = [(a.clone(), 3), (b.clone(), 4)];
    assert_eq!(majority(Unchecked, &tie, 2).4, b);
    let tie = [(b.clone(), 4), (a.clone(), 4)];
    assert_eq!(majority(Unchecked, &tie, 2).4, b);
    // Nobody halted: nothing is voted.
    let none = [(a.clone(), -3), (b.clone(), -2)];
    assert_eq!(majority(Unchecked, &none, 2), (Status::Unproven, Stop::GuessesUsed, 2, 0, b.clone()));
}

#[test]
fn a_majority_that_cannot_be_overtaken_ends_the_vote() {
    let (a, b) = (solution(), wrong());
    let guesses = [(a.clone(), 1), (b.clone(), 1), (a.clone(), 1), (a.clone(), 1), (b.clone(), 1)];
    assert_eq!(majority(Unchecked, &guesses, 5), (Status::Voted, Stop::Decided, 4, 3, a.clone()));
    // One that can be drawn level with does not.
    let guesses = [(a.clone(), 1), (b.clone(), 2), (a.clone(), 1), (b.clone(), 2)];
    assert_eq!(majority(Unchecked, &guesses, 4), (Status::Voted, Stop::GuessesUsed, 4, 2, b));
}

#[test]
fn with_the_checker_switched_off_a_task_is_one_that_has_none() {
    let (a, b) = (solution(), wrong());
    for guesses in [
        vec![(b.clone(), 1), (a.clone(), 9), (b.clone(), 1)],
        vec![(a.clone(), 1), (b.clone(), -1), (a.clone(), 1)],
        vec![(a.clone(), -3), (b.clone(), -2), (a.clone(), -1)],
    ] {
        let off = by_vote(Rule::Unchecked, TASK, &guesses, 3);
        assert_eq!(off, majority(Unchecked, &guesses, 3));
        assert_ne!(off.0, Status::Solved);
    }
    // Not even a puzzle that is complete is called solved without a thought.
    let policy = Policy { rule: Rule::Unchecked, guesses: 1, ..Policy::papers() };
    let mut model = Scripted::new(1, |_, shown, _| Says { grid: shown.to_vec(), halt: 1, digest: 0 });
    let mut solver = Solver::new(TASK, &solution(), policy);
    let answer = solver.run(&mut model, &mut ());
    assert_eq!((answer.status, answer.votes, answer.grid), (Status::Voted, 1, &solution()[..]));
    assert_eq!(answer.found.and_then(|found| found.violations), None);
}

#[test]
fn more_different_grids_than_the_tally_holds() {
    let other = |n: u8| {
        let mut grid = wrong();
        grid[0] = n;
        grid
    };
    // Twelve grids once each, then one of the dropped ones three times more.
    let mut guesses: Vec<_> = (100..112).map(|n| (other(n), i32::from(n))).collect();
    guesses.extend([(other(101), 1000), (other(101), 1), (other(101), 1)]);
    let (status, _, _, votes, grid) = majority(Unchecked, &guesses, 15);
    assert_eq!((status, grid), (Status::Voted, other(101)));
    assert_eq!(votes, 3);
    // A ninth that is no more confident than the weakest takes nobody's place.
    let mut guesses: Vec<_> = (100..109).map(|n| (other(n), 5)).collect();
    guesses.push((other(107), 5));
    let (_, _, _, votes, grid) = majority(Unchecked, &guesses, 10);
    assert_eq!((votes, grid), (2, other(107)));
}

#[test]
fn the_solver_is_small() {
    assert!(size_of::<Solver<Sudoku>>() <= 1536, "{} bytes", size_of::<Solver<Sudoku>>());
}

#[test]
fn the_recommended_policy_is_the_model_s_in_its_first_guess_alone() {
    let pack = include_bytes!("../../../models/sudoku4-demo.hrm");
    let shape = Shape { segments: 5, members: 2, ..Shape::stated_by(pack).expect("a pack") };
    let policy = Policy::for_model(&shape);
    assert_eq!(policy, Policy::trained_for(5));
    assert_eq!(Policy { first_segments: 16, ..policy }, Policy::trained_for(16));
    let most = |guess| policy.most_segments(guess, &shape);
    assert_eq!([most(0), most(1), most(2)], [5, 5, 3], "each of two members begins with five");
}

#[test]
fn answers_and_policies_travel() {
    let mut buffer = [0; 128];
    let policy = Policy { symmetries: Symmetries::FullGroup, seed: u64::MAX, ..Policy::papers() };
    let bytes = postcard::to_slice(&policy, &mut buffer).expect("room");
    assert_eq!(postcard::from_bytes(bytes), Ok(policy));
    let mut solver = Solver::new(TASK, &solution(), policy);
    let answer = solver.run(&mut Scripted::new(1, |_, _, _| unreachable!()), &mut ());
    let bytes = postcard::to_slice(&answer, &mut buffer).expect("room");
    assert_eq!(postcard::from_bytes(bytes), Ok(answer));
}

proptest! {
    /// Whatever a model says: never a wrong grid called solved, budgets kept, always an end.
    #[test]
    fn never_a_wrong_grid_called_solved(
        said in prop::collection::vec((0usize..5, any::<i32>(), 0u32..20, 0usize..16, 0u8..8), 1..60),
        members in 0usize..4,
        guesses in 0u16..8,
        segments in 0u16..6,
        budget in 0u32..40,
        flags: (bool, bool, bool, bool),
        seed: u64,
    ) {
        let mut next = said.iter().cycle();
        let mut model = Scripted::new(members, |_, shown, _| {
            let (kind, halt, digest, cell, token) = next.next().expect("endless");
            let mut grid = match kind {
                0 => vec![],
                1 => shown.to_vec(),
                2 => vec![*token; 20],
                // A full valid grid, perhaps of another puzzle, perhaps of this one.
                _ => {
                    let mut grid = vec![0; 16];
                    TASK.apply(&TASK.perturbation(usize::from(*token)), &solution(), &mut grid);
                    grid
                }
            };
            if *kind == 4 {
                grid[*cell] = *token;
            }
            Says { grid, halt: *halt, digest: *digest }
        });
        let (majority, full, stop_on_halt, stop_when_settled) = flags;
        let (patience, suppose, first_segments) = (segments / 3, guesses / 2, 5 - segments);
        let (max_doubt, undoubted_segments) = (i32::from(segments), 5);
        model.doubts = seed.is_multiple_of(2).then_some([4, 3, 2, 1, 2, 3, 4, 5, 0]);
        let policy = Policy {
            rule: if majority { Rule::Majority } else { Rule::Checked },
            symmetries: if full { Symmetries::FullGroup } else { Symmetries::Relabel },
            guesses, first_segments, segments, budget, stop_on_halt, stop_when_settled, patience, suppose,
            max_doubt, undoubted_segments, seed,
        };
        let mut solver = Solver::new(TASK, &puzzle(), policy);
        let mut steps = 0u32;
        let answer = loop {
            match solver.advance(&mut model, &mut ()) {
                Step::Running(progress) => prop_assert_eq!(progress.segments, steps + 1),
                Step::Done(answer) => break answer,
            }
            steps += 1;
            prop_assert!(steps <= 40 * 8);
        };
        prop_assert_eq!(answer.status == Status::Solved, TASK.accepts(&puzzle(), answer.grid));
        prop_assert!(answer.segments <= budget && answer.guesses <= guesses);
        prop_assert!(answer.segments <= u32::from(guesses) * u32::from(segments.max(first_segments).max(5)));
        prop_assert!(!matches!(answer.status, Status::Voted | Status::Refused(_)));
        prop_assert_eq!(answer.stop == Stop::Accepted, !majority && answer.status == Status::Solved);
    }
}
