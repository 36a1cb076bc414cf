//! A request that takes segments, and what each segment leads to.

use hrm_core::{
    Op, Reasoner, Trace, Values,
    digest::{ChunkTrace, CrcTrace, ProbeTrace, RunDigest, outcome},
    pack::SelfTest,
    solve::{Solver, Step},
    task::Task,
    wire::{Response, SelfTestState},
};

use crate::{app::Line, surroundings::Board};

/// A request in progress.
pub(crate) struct Job<T: Task> {
    /// The request's id.
    pub(crate) id: u16,
    /// Segments done.
    pub(crate) done: u32,
    /// When it began, where the board has a clock.
    pub(crate) began: Option<u64>,
    /// What is to be done.
    pub(crate) work: Work<T>,
}

/// What a job is.
#[expect(clippy::large_enum_variant, reason = "there is one job at a time, and no heap to put a solver on")]
pub(crate) enum Work<T: Task> {
    Digest {
        segments: u16,
    },
    Chunks {
        segment: u16,
        from: u32,
        chunk: u32,
    },
    Probe {
        segment: u16,
        op: Op,
        from: u32,
        len: u8,
    },
    /// `limit` is in microseconds from the job's beginning, the time that the answer tells.
    Solve {
        solver: Solver<T>,
        limit: Option<u64>,
        progress: bool,
    },
    SelfTest {
        row: u8,
        digest: RunDigest,
        asked: bool,
    },
}

/// What a segment led to.
pub(crate) enum Outcome {
    More,
    Done,
    Tested(SelfTestState),
}

impl<T: Task> Job<T> {
    /// Thinks one segment, and answers with what that gives.
    pub(crate) fn advance<B: Board, R: Reasoner>(
        &mut self,
        line: &mut Line<B>,
        model: &mut R,
        test: Option<&SelfTest<'_>>,
    ) -> Outcome {
        let (id, done) = (self.id, self.done);
        let outcome = match &mut self.work {
            Work::Digest { segments } => {
                let segment = digest(line, model, done as u16);
                line.answer(id, &Response::Segment(segment));
                done_if(done + 1 == u32::from(*segments))
            }
            Work::Chunks { segment, .. } | Work::Probe { segment, .. } if done < u32::from(*segment) => {
                think(line, model, &mut ());
                Outcome::More
            }
            Work::Chunks { from, chunk, .. } => {
                let mut trace = ChunkTrace::new(*from, *chunk);
                think(line, model, &mut trace);
                let (crcs, total) = trace.finish();
                line.answer(id, &Response::Chunks { crcs, total });
                Outcome::Done
            }
            Work::Probe { op, from, len, .. } => {
                let mut values = heapless::Vec::new();
                // `len` was checked against the capacity.
                let _ = values.resize(usize::from(*len), 0);
                let mut trace = ProbeTrace::new(*op, *from, &mut values);
                think(line, model, &mut trace);
                let (total, captured) = (trace.total(), trace.captured());
                values.truncate(captured);
                line.answer(id, &Response::Values { values, total });
                Outcome::Done
            }
            Work::Solve { solver, limit, progress } => {
                let taken = {
                    let mut trace = Fed { board: &mut line.board, trace: &mut () };
                    match solver.advance(model, &mut trace) {
                        Step::Running(taken) => Some(taken),
                        Step::Done(_) => None,
                    }
                };
                let late = limit.is_some_and(|limit| {
                    elapsed(&mut line.board, self.began).is_some_and(|taken| taken >= limit)
                });
                match taken {
                    Some(taken) if *progress => {
                        line.answer(id, &Response::Progress { progress: taken, grid: solver.grid() });
                    }
                    _ => {}
                }
                if taken.is_some() && late {
                    solver.cancel();
                }
                match solver.answer() {
                    Some(answer) => {
                        let micros = elapsed(&mut line.board, self.began);
                        let out_of_time = taken.is_some() && late;
                        line.answer(id, &Response::Answer { answer, micros, out_of_time });
                        // Not every call of `advance` takes a segment: a refused puzzle takes none.
                        self.done = answer.segments;
                        return Outcome::Done;
                    }
                    None => Outcome::More,
                }
            }
            Work::SelfTest { row, digest: run, asked } => {
                // Only packs with a self-test get here.
                let Some(test) = test else { return Outcome::Done };
                let state = test_segment(line, model, test, row, run, done);
                match state {
                    Some(state) => {
                        if *asked {
                            line.answer(id, &Response::SelfTest(state));
                        }
                        Outcome::Tested(state)
                    }
                    None => Outcome::More,
                }
            }
        };
        self.done += 1;
        outcome
    }

    /// Ends between two segments: a solve is answered with what it has found.
    pub(crate) fn give_up<B: Board>(&mut self, line: &mut Line<B>) {
        if let Work::Solve { solver, .. } = &mut self.work {
            solver.cancel();
            if let Some(answer) = solver.answer() {
                let micros = elapsed(&mut line.board, self.began);
                line.answer(self.id, &Response::Answer { answer, micros, out_of_time: false });
            }
        }
    }
}

/// One segment of the self-test; its verdict after the last, or after the first puzzle that went wrong.
fn test_segment<B: Board, R: Reasoner>(
    line: &mut Line<B>,
    model: &mut R,
    test: &SelfTest<'_>,
    row: &mut u8,
    run: &mut RunDigest,
    done: u32,
) -> Option<SelfTestState> {
    let (tokens, expected) = test.row(usize::from(*row))?;
    let segment = (done % u32::from(test.segments)) as u16;
    if segment == 0 {
        *run = RunDigest::default();
        model.begin(usize::from(*row) % model.members().max(1), tokens);
    }
    run.add(&digest(line, model, segment));
    if segment + 1 < test.segments {
        return None;
    }
    let got = run.finish();
    if got != expected {
        return Some(SelfTestState::Failed { puzzle: *row, expected, got });
    }
    *row += 1;
    let puzzles = test.digests.len() as u8;
    (*row == puzzles).then_some(SelfTestState::Passed { puzzles })
}

fn digest<B: Board, R: Reasoner>(line: &mut Line<B>, model: &mut R, segment: u16) -> hrm_core::wire::Segment {
    let mut trace = CrcTrace::default();
    think(line, model, &mut trace);
    outcome(model, segment, trace.crcs())
}

fn done_if(done: bool) -> Outcome {
    if done { Outcome::Done } else { Outcome::More }
}

fn elapsed<B: Board>(board: &mut B, began: Option<u64>) -> Option<u64> {
    board.micros().zip(began).map(|(now, began)| now.saturating_sub(began))
}

/// One segment under the eyes of `trace`: behind a pointer, so that the model is
/// compiled once for all of them.
fn think<B: Board, R: Reasoner>(line: &mut Line<B>, model: &mut R, trace: &mut dyn Trace) {
    // None of the traces above ever stops a segment.
    let _ = model.segment(&mut Fed { board: &mut line.board, trace });
}

/// A trace that feeds the watchdog after every block: a model that hangs inside one is
/// noticed, a slow one is not.
struct Fed<'a, B, W: ?Sized> {
    board: &'a mut B,
    trace: &'a mut W,
}

impl<B: Board, W: Trace + ?Sized> Trace for Fed<'_, B, W> {
    fn begin_segment(&mut self) {
        self.trace.begin_segment();
    }

    fn op(&mut self, op: Op, values: Values<'_>) {
        self.trace.op(op, values);
    }

    fn proceed(&mut self) -> bool {
        self.board.feed();
        self.trace.proceed()
    }
}
