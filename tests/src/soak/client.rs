//! A client that knows every answer, and how lines and hosts misbehave.

use std::{
    fmt::Debug,
    io::{Read, Write},
};

use hrm_core::{
    solve::{Policy, Rule, Status, Stop, Symmetries},
    task::{Refusal, Task},
    wire::{self, Ask, Fault, LastEnd, MAX_FRAME, Memory, Request, Response, SelfTestState, Solve},
};
use hrm_emulator::{Hello, Link, LinkError};
use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::{Found, Known, known::Puzzle};

/// Requests that a reader sends before it stalls: their answers are more than any line keeps.
const STALLED: usize = 40;

/// A client, and what it has found.
pub struct Client<'k> {
    /// What has come of it so far.
    pub found: Found,
    known: &'k Known,
    rng: Pcg64Mcg,
    next: usize,
    memory: Option<Memory>,
}

impl<'k> Client<'k> {
    /// A client that draws from `seed`.
    pub fn new(known: &'k Known, seed: u64) -> Self {
        let rng = Pcg64Mcg::seed_from_u64(seed);
        Self { found: Found::default(), known, rng, next: 0, memory: None }
    }

    /// A number below `limit`.
    pub fn draw(&mut self, limit: usize) -> usize {
        self.rng.next_u32() as usize % limit
    }

    /// The puzzle whose turn it is.
    fn puzzle(&self) -> &'k Puzzle {
        &self.known.puzzles[self.next % self.known.puzzles.len()]
    }

    /// Sends a request of any kind and reads its answer.
    ///
    /// # Errors
    /// Those of the link; [`LinkError::Answer`] where the answer is another than this machine's.
    pub fn request<T: Read + Write>(&mut self, link: &mut Link<T>) -> Result<(), LinkError> {
        self.next += 1;
        let puzzle = self.puzzle();
        let ask = Ask { member: 0, tokens: &puzzle.tokens };
        match self.draw(10) {
            0 | 1 => return self.hello(link).map(drop),
            2 | 3 => same(link.digest(ask, 2, |_| {})?, &puzzle.digests)?,
            4 | 5 => {
                let solve = Solve {
                    policy: puzzle.policy,
                    time_ms: 0,
                    progress: self.next.is_multiple_of(2),
                    tokens: &puzzle.tokens,
                };
                let got = link.solve(&solve, |_, _| {})?;
                same(got.answer(), &puzzle.solved.answer())?;
                if got.status == Status::Solved {
                    same(self.known.task.accepts(&puzzle.tokens, &got.grid), &true)?;
                    self.found.solved += 1;
                }
            }
            6 => link.cancel()?,
            7 => self.interrupted(link)?,
            8 => {
                let state = link.self_test();
                match self.known.self_test {
                    0 => return self.refused(state, Fault::NoSelfTest),
                    puzzles => same(state?, &SelfTestState::Passed { puzzles })?,
                }
            }
            _ => return self.unfit(link),
        }
        self.found.answered += 1;
        Ok(())
    }

    /// What a board says of itself, which is always the same but for its stack, its clock and how it ended.
    ///
    /// # Errors
    /// As [`Self::request`].
    pub fn hello<T: Read + Write>(&mut self, link: &mut Link<T>) -> Result<Hello, LinkError> {
        let hello = link.ready()?;
        let memory = Memory { stack_used: 0, ..hello.memory };
        let before = *self.memory.get_or_insert(memory);
        same((hello.pack_crc, memory), &(self.known.crc, before))?;
        let sound = match self.known.self_test {
            0 => SelfTestState::Absent,
            puzzles => SelfTestState::Passed { puzzles },
        };
        same(hello.self_test, &sound)?;
        self.found.answered += 1;
        self.found.stack = self.found.stack.max(hello.memory.stack_used);
        Ok(hello)
    }

    /// Finds its way into the conversation of somebody else: what was asked before is dropped. `ended` is how
    /// the board must have ended since this client heard of it last.
    ///
    /// # Errors
    /// As [`Self::request`].
    pub fn settle<T: Read + Write>(
        &mut self,
        link: &mut Link<T>,
        ended: Option<LastEnd>,
    ) -> Result<(), LinkError> {
        let hello = self.hello(link)?;
        if ended.is_some() {
            same(hello.last_end, &ended)?;
        }
        link.cancel()?;
        self.found.answered += 1;
        self.request(link)
    }

    /// Sends a damaged frame, and asks whether the board is still there.
    ///
    /// # Errors
    /// As [`Self::request`].
    pub fn noise<T: Read + Write>(&mut self, link: &mut Link<T>) -> Result<(), LinkError> {
        let mut frame = self.frame();
        self.damage(&mut frame);
        // A frame that was cut short has lost its zero.
        frame.push(0);
        link.write(&frame)?;
        // What was glued to something may have been taken on; and what fell apart is refused
        // once for each of its parts.
        for _ in frame {
            match link.cancel() {
                Err(LinkError::Refused(Fault::Frame(_))) => self.found.noticed += 1,
                other => {
                    self.found.answered += 1;
                    return other;
                }
            }
        }
        Err(LinkError::Answer("errors without end".into()))
    }

    /// Sends many requests, lets `away` pass, and reads all answers.
    ///
    /// # Errors
    /// As [`Self::request`].
    pub fn stall<T: Read + Write>(
        &mut self,
        link: &mut Link<T>,
        away: impl FnOnce(),
    ) -> Result<(), LinkError> {
        let ids = (0..STALLED).map(|_| link.send(&Request::Hello)).collect::<Result<Vec<_>, _>>()?;
        away();
        for id in ids {
            let crc = link.answer(id, |response| match response {
                Response::Hello(hello) => Ok(hello.pack_crc),
                other => Err(other),
            })?;
            same(crc, &self.known.crc)?;
            self.found.answered += 1;
        }
        Ok(())
    }

    /// Leaves something unfinished on the line: part of a frame, or all of it, of a
    /// request that may take hours.
    ///
    /// # Errors
    /// Those of the link.
    pub fn leave<T: Read + Write>(&mut self, link: &mut Link<T>) -> Result<(), LinkError> {
        let frame = self.frame();
        let sent = match self.draw(2) {
            0 => frame.len(),
            _ => self.draw(frame.len() + 1),
        };
        link.write(&frame[..sent])
    }

    /// A long solve, which is asked about, refuses another, and is dropped.
    fn interrupted<T: Read + Write>(&mut self, link: &mut Link<T>) -> Result<(), LinkError> {
        let puzzle = self.puzzle();
        let blank = vec![self.known.task.blank(); puzzle.tokens.len()];
        let long = link.send(&Request::Solve(Solve { progress: self.draw(2) == 0, ..endless(&blank) }))?;
        self.hello(link)?;
        let second = link.digest(Ask { member: 0, tokens: &puzzle.tokens }, 1, |_| {});
        self.refused(second, Fault::Busy)?;
        link.send(&Request::Cancel)?;
        let dropped = loop {
            let answer = link.answer(long, |response| match response {
                Response::Answer { answer, .. } => Ok(Some((answer.status, answer.stop))),
                Response::Progress { .. } => Ok(None),
                other => Err(other),
            })?;
            if let Some(dropped) = answer {
                break dropped;
            }
        };
        same(dropped, &(Status::Unproven, Stop::Cancelled))
    }

    /// A request that no board can serve.
    fn unfit<T: Read + Write>(&mut self, link: &mut Link<T>) -> Result<(), LinkError> {
        let puzzle = self.puzzle();
        let tokens = &puzzle.tokens[..];
        let (ask, short) = (Ask { member: 0, tokens }, &tokens[1..]);
        let lengths = Refusal::Length { expected: tokens.len() as u16, got: short.len() as u16 };
        match self.draw(4) {
            0 => {
                self.refused(link.digest(Ask { member: 255, ..ask }, 1, |_| {}), Fault::Member { members: 1 })
            }
            1 => self.refused(link.chunks(ask, 0, 0, 0), Fault::Range),
            2 => self.refused(link.digest(Ask { tokens: short, ..ask }, 1, |_| {}), Fault::Puzzle(lengths)),
            _ => {
                let solve = Solve { policy: puzzle.policy, time_ms: 0, progress: false, tokens: short };
                let got = link.solve(&solve, |_, _| {})?;
                self.found.answered += 1;
                self.found.refused += 1;
                same(got.status, &Status::Refused(lengths))
            }
        }
    }

    /// The frame of a request, which would be answered if all of it arrived.
    fn frame(&mut self) -> Vec<u8> {
        let puzzle = &self.known.puzzles[self.draw(self.known.puzzles.len())];
        let request = match self.draw(3) {
            0 => Request::Hello,
            1 => Request::Digest { ask: Ask { member: 0, tokens: &puzzle.tokens }, segments: 1 },
            _ => Request::Solve(Solve { progress: true, ..endless(&puzzle.tokens) }),
        };
        let mut buffer = [0; MAX_FRAME];
        let id = self.rng.next_u32() as u16;
        wire::encode(id, &request, &mut buffer).expect("a frame for it").to_vec()
    }

    /// Damage of every kind that a line does: bits, bytes lost, bytes added, frames cut and glued.
    fn damage(&mut self, frame: &mut Vec<u8>) {
        let at = self.draw(frame.len());
        match self.draw(5) {
            0 => frame[at] ^= 1 << self.draw(8),
            1 => {
                frame.remove(at);
            }
            2 => frame.insert(at, self.rng.next_u32() as u8),
            3 => frame.truncate(at),
            _ => frame[at..].fill_with(|| self.rng.next_u32() as u8),
        }
    }

    fn refused<A: Debug>(&mut self, got: Result<A, LinkError>, why: Fault) -> Result<(), LinkError> {
        match got {
            Err(LinkError::Refused(fault)) if fault == why => {
                self.found.answered += 1;
                self.found.refused += 1;
                Ok(())
            }
            Err(LinkError::Refused(other)) => Err(wrong(&other, &why)),
            Err(error) => Err(error),
            Ok(got) => Err(wrong(&got, &why)),
        }
    }
}

fn same<A: PartialEq + Debug>(got: A, expected: &A) -> Result<(), LinkError> {
    match got == *expected {
        true => Ok(()),
        false => Err(wrong(&got, expected)),
    }
}

fn wrong(got: &impl Debug, expected: &impl Debug) -> LinkError {
    LinkError::Answer(format!("{got:?}, and not {expected:?}"))
}

/// A solve that takes hours.
pub fn endless(tokens: &[u8]) -> Solve<'_> {
    let policy = Policy {
        rule: Rule::Majority,
        symmetries: Symmetries::FullGroup,
        guesses: u16::MAX,
        first_segments: u16::MAX,
        segments: u16::MAX,
        stop_when_settled: false,
        ..Policy::papers()
    };
    Solve { policy, time_ms: 0, progress: false, tokens }
}
