//! The application: takes requests from the link, lets the model think one segment at a time, answers.
//!
//! Between two segments the link is served, so that a `Hello` or a `Cancel` never waits longer than one segment.

use hrm_core::{
    Reasoner, Trace,
    digest::{CRC, ChunkTrace, CrcTrace, ProbeTrace},
    task::Task,
    trace::Op,
    wire::{
        self, Ask, Decoder, EnvelopeError, Fault, FrameError, Hello, MAX_FRAME, MAX_PROBE, Memory, PROTOCOL,
        Request, Response, Segment,
    },
};

use crate::{
    VERSION,
    exit::Exit,
    link::{Event, Link},
};

/// What `Hello` tells beyond what the model knows of itself.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// CRC-32 that the pack carries.
    pub pack_crc: u32,
    /// Memory set aside and used.
    pub memory: Memory,
}

/// The application on one link, with one model.
pub struct App<L, R, T> {
    decoder: Decoder,
    service: Service<L, R, T>,
}

/// Everything but the decoder, whose buffer a request borrows while it is looked at.
struct Service<L, R, T> {
    link: L,
    model: R,
    task: T,
    about: About,
    job: Option<Job>,
    frame: [u8; MAX_FRAME],
}

/// A request that takes segments.
#[derive(Clone, Copy)]
struct Job {
    id: u16,
    /// Segments done.
    done: u16,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Digest { segments: u16 },
    Chunks { segment: u16, from: u32, chunk: u32 },
    Probe { segment: u16, op: Op, from: u32, len: u8 },
}

impl<L: Link, R: Reasoner, T: Task> App<L, R, T> {
    /// An idle application; logs that it is ready.
    pub fn new(mut link: L, model: R, task: T, about: About) -> Self {
        let members = members(&model);
        link.log(Event::Ready { pack_crc: about.pack_crc, members, memory: about.memory });
        Self {
            decoder: Decoder::new(),
            service: Service { link, model, task, about, job: None, frame: [0; MAX_FRAME] },
        }
    }

    /// Serves until a host asks to leave.
    pub fn run(mut self) -> (Exit, L) {
        loop {
            if let Some(exit) = self.step() {
                return (exit, self.service.link);
            }
        }
    }

    /// Takes what has arrived, then thinks one segment; sleeps where there is neither.
    pub fn step(&mut self) -> Option<Exit> {
        while let Some(byte) = self.service.link.receive() {
            let exit = match self.decoder.push(byte) {
                Some(Ok(envelope)) => self.service.open(envelope),
                Some(Err(error)) => self.service.noise(error),
                None => None,
            };
            if exit.is_some() {
                return exit;
            }
        }
        match self.service.job.take() {
            Some(job) => self.service.job = self.service.advance(job),
            None => self.service.link.wait(),
        }
        None
    }
}

impl<L: Link, R: Reasoner, T: Task> Service<L, R, T> {
    fn noise(&mut self, error: FrameError) -> Option<Exit> {
        self.link.log(Event::Noise(error));
        self.answer(0, &Response::Error(Fault::Frame(error)));
        None
    }

    fn open(&mut self, envelope: &[u8]) -> Option<Exit> {
        match wire::open::<Request<'_>>(envelope) {
            Ok((id, Request::Shutdown)) => {
                self.answer(id, &Response::Goodbye);
                self.link.log(Event::Leaving);
                return Some(Exit::Shutdown);
            }
            Ok((id, request)) => match self.take(id, request) {
                Ok(()) => {}
                Err(fault) => self.refuse(id, fault),
            },
            Err(EnvelopeError::Version(_)) => {
                self.refuse(wire::id_of(envelope), Fault::Version { device: PROTOCOL });
            }
            Err(EnvelopeError::Message) => self.refuse(wire::id_of(envelope), Fault::Message),
        }
        None
    }

    fn take(&mut self, id: u16, request: Request<'_>) -> Result<(), Fault> {
        match request {
            Request::Hello => {
                let hello = Hello {
                    firmware: VERSION,
                    board: self.link.board(),
                    task: self.task.name(),
                    pack_crc: self.about.pack_crc,
                    members: members(&self.model),
                    cells: self.model.cells() as u16,
                    segments: self.model.trained_segments() as u16,
                    memory: self.about.memory,
                };
                self.answer(id, &Response::Hello(hello));
                Ok(())
            }
            Request::Cancel => {
                self.job = None;
                self.answer(id, &Response::Cancelled);
                Ok(())
            }
            Request::Digest { segments: 0, .. } => Err(Fault::Range),
            Request::Digest { ask, segments } => self.begin(id, ask, Kind::Digest { segments }),
            Request::Chunks { chunk: 0, .. } => Err(Fault::Range),
            Request::Chunks { ask, segment, from, chunk } => {
                self.begin(id, ask, Kind::Chunks { segment, from, chunk })
            }
            Request::Probe { len, .. } if usize::from(len) > MAX_PROBE => Err(Fault::Range),
            Request::Probe { ask, segment, op, from, len } => {
                self.begin(id, ask, Kind::Probe { segment, op, from, len })
            }
            Request::Shutdown => Ok(()), // `open` has dealt with it
        }
    }

    fn begin(&mut self, id: u16, ask: Ask<'_>, kind: Kind) -> Result<(), Fault> {
        if self.job.is_some() {
            return Err(Fault::Busy);
        }
        let members = members(&self.model);
        if ask.member >= members {
            return Err(Fault::Member { members });
        }
        if let Some(refusal) = self.task.refuse(ask.tokens) {
            return Err(Fault::Puzzle(refusal));
        }
        self.model.begin(usize::from(ask.member), ask.tokens);
        self.link.log(Event::Accepted { id });
        self.job = Some(Job { id, done: 0, kind });
        Ok(())
    }

    /// Thinks one segment of `job`; answers with what that gives; `None` when it was the last.
    fn advance(&mut self, job: Job) -> Option<Job> {
        let Job { id, done, kind } = job;
        let last = match kind {
            Kind::Digest { segments } => {
                let mut trace = CrcTrace::default();
                self.think(&mut trace);
                let segment = Segment {
                    segment: done,
                    ops: trace.crcs(),
                    state: self.model.state_digest(),
                    grid: CRC.checksum(self.model.grid()),
                };
                self.answer(id, &Response::Segment(segment));
                done + 1 == segments
            }
            Kind::Chunks { segment, .. } | Kind::Probe { segment, .. } if done < segment => {
                self.think(&mut ());
                false
            }
            Kind::Chunks { from, chunk, .. } => {
                let mut trace = ChunkTrace::new(from, chunk);
                self.think(&mut trace);
                let (crcs, total) = trace.finish();
                self.answer(id, &Response::Chunks { crcs, total });
                true
            }
            Kind::Probe { op, from, len, .. } => {
                let mut values = heapless::Vec::new();
                // `len` was checked against the capacity.
                let _ = values.resize(usize::from(len), 0);
                let mut trace = ProbeTrace::new(op, from, &mut values);
                self.think(&mut trace);
                let (total, captured) = (trace.total(), trace.captured());
                values.truncate(captured);
                self.answer(id, &Response::Values { values, total });
                true
            }
        };
        match last {
            true => {
                self.link.log(Event::Done { id, segments: done + 1 });
                None
            }
            false => Some(Job { id, done: done + 1, kind }),
        }
    }

    fn think<W: Trace>(&mut self, trace: &mut W) {
        // None of the traces above ever stops a segment.
        let _ = self.model.segment(trace);
    }

    fn refuse(&mut self, id: u16, fault: Fault) {
        self.link.log(Event::Refused { id, fault });
        self.answer(id, &Response::Error(fault));
    }

    fn answer(&mut self, id: u16, response: &Response<'_>) {
        // Every response fits: the suite in `hrm-core/tests/wire.rs` encodes the largest ones.
        if let Ok(frame) = wire::encode(id, response, &mut self.frame) {
            self.link.send(frame);
        }
    }
}

/// Members as the wire tells them.
fn members<R: Reasoner>(model: &R) -> u8 {
    u8::try_from(model.members()).unwrap_or(u8::MAX)
}
