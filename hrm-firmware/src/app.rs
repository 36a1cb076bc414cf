//! The application: takes requests from the line, lets the model think one segment at a time, answers.
//!
//! Between two segments the line is served, so that a `Hello` or a `Cancel` never waits
//! longer than one segment.

use hrm_core::{
    Reasoner, Shape,
    digest::RunDigest,
    pack::SelfTest,
    solve::Solver,
    task::Task,
    wire::{
        self, Decoder, EnvelopeError, Fault, FrameError, Hello, LastEnd, MAX_FRAME, MAX_PROBE, Memory,
        NoModel, PROTOCOL, Request, Response, SelfTestState, Solve,
    },
};

use crate::{
    VERSION,
    exit::Exit,
    job::{Job, Outcome, Work},
    surroundings::{Board, Event, RECEIVE_BYTES},
};

/// What the application is told about its pack.
#[derive(Clone, Debug)]
pub struct About<'a> {
    /// CRC-32 that the pack carries.
    pub pack_crc: u32,
    /// The model's sizes.
    pub shape: Shape,
    /// Memory set aside and used.
    pub memory: Memory,
    /// What the pack says the model must compute.
    pub self_test: Option<SelfTest<'a>>,
    /// How the program ended before this start, where nobody asked for it.
    pub last_end: Option<LastEnd>,
}

/// The application on one board, with one model.
pub struct App<'a, B, R, T: Task> {
    decoder: Decoder,
    service: Service<'a, B, R, T>,
}

/// Everything but the decoder, whose buffer a request borrows while it is looked at.
struct Service<'a, B, R, T: Task> {
    line: Line<B>,
    model: R,
    task: T,
    about: About<'a>,
    self_test: SelfTestState,
    job: Option<Job<T>>,
}

/// The board, with a buffer to build frames in.
pub(crate) struct Line<B> {
    pub(crate) board: B,
    frame: [u8; MAX_FRAME],
}

impl<'a, B: Board, R: Reasoner, T: Task> App<'a, B, R, T> {
    /// An application that begins with the pack's self-test, where it has one; logs that it is ready.
    pub fn new(mut board: B, model: R, task: T, about: About<'a>) -> Self {
        board.log(Event::Ready {
            pack_crc: about.pack_crc,
            members: about.shape.members,
            memory: about.memory,
        });
        let mut service = Service {
            line: Line { board, frame: [0; MAX_FRAME] },
            model,
            task,
            about,
            self_test: SelfTestState::Absent,
            job: None,
        };
        if service.about.self_test.is_some() {
            service.self_test = SelfTestState::Running;
            service.begin(0, Work::SelfTest { row: 0, digest: RunDigest::default(), asked: false });
        }
        Self { decoder: Decoder::new(), service }
    }

    /// Serves until a host asks to leave.
    pub fn run(&mut self) -> Exit {
        loop {
            if let Some(exit) = self.step() {
                return exit;
            }
        }
    }

    /// Takes what has arrived, then thinks one segment; sleeps where there is neither.
    ///
    /// A line that always has another byte keeps nobody from thinking, nor from feeding the watchdog: no more is
    /// taken at once than a board keeps.
    pub fn step(&mut self) -> Option<Exit> {
        let mut left = RECEIVE_BYTES;
        while left > 0
            && let Some(byte) = self.service.line.board.receive()
        {
            left -= 1;
            let exit = match self.decoder.push(byte) {
                Some(Ok(envelope)) => self.service.open(envelope),
                Some(Err(error)) => {
                    self.service.line.noise(error);
                    None
                }
                None => continue,
            };
            self.service.line.board.feed();
            if exit.is_some() {
                return exit;
            }
        }
        match self.service.job {
            Some(_) => self.service.advance(),
            // There may be more.
            None if left == 0 => {}
            None => self.service.line.board.wait(),
        }
        self.service.line.board.feed();
        None
    }
}

/// Serves without a model, so that a host learns what is wrong: every request is refused with `why`.
pub fn refuse_all<B: Board>(mut board: B, why: NoModel) -> Exit {
    board.log(Event::NoModel(why));
    let mut line = Line { board, frame: [0; MAX_FRAME] };
    let mut decoder = Decoder::new();
    loop {
        let mut left = RECEIVE_BYTES;
        while left > 0
            && let Some(byte) = line.board.receive()
        {
            left -= 1;
            match decoder.push(byte) {
                Some(Ok(envelope)) => match wire::open::<Request<'_>>(envelope) {
                    Ok((id, Request::Shutdown)) => {
                        line.answer(id, &Response::Goodbye);
                        line.board.log(Event::Leaving);
                        return why.into();
                    }
                    Ok((id, _)) => line.refuse(id, Fault::NoModel(why)),
                    Err(error) => line.misunderstood(envelope, error),
                },
                Some(Err(error)) => line.noise(error),
                None => continue,
            }
            line.board.feed();
        }
        if left > 0 {
            line.board.wait();
        }
        line.board.feed();
    }
}

impl<B: Board, R: Reasoner, T: Task> Service<'_, B, R, T> {
    fn open(&mut self, envelope: &[u8]) -> Option<Exit> {
        match wire::open::<Request<'_>>(envelope) {
            Ok((id, Request::Shutdown)) => {
                self.line.answer(id, &Response::Goodbye);
                self.line.board.log(Event::Leaving);
                return Some(Exit::Shutdown);
            }
            Ok((id, request)) => {
                if let Err(fault) = self.take(id, request) {
                    self.line.refuse(id, fault);
                }
            }
            Err(error) => self.line.misunderstood(envelope, error),
        }
        None
    }

    fn take(&mut self, id: u16, request: Request<'_>) -> Result<(), Fault> {
        match request {
            Request::Hello => {
                let task = self.task.clone();
                let hello = self.hello(task.name());
                self.line.answer(id, &Response::Hello(hello));
                Ok(())
            }
            Request::Cancel => {
                self.cancel();
                self.line.answer(id, &Response::Cancelled);
                Ok(())
            }
            Request::Shutdown => Ok(()), // `open` has dealt with it
            // All others take segments, and there is one model.
            _ if self.job.is_some() => Err(Fault::Busy),
            Request::SelfTest if self.about.self_test.is_none() => Err(Fault::NoSelfTest),
            Request::SelfTest => {
                self.begin(id, Work::SelfTest { row: 0, digest: RunDigest::default(), asked: true });
                Ok(())
            }
            Request::Solve(solve) => self.solve(id, &solve),
            Request::Digest { segments: 0, .. } => Err(Fault::Range),
            Request::Digest { ask, segments } => self.reason(id, ask, Work::Digest { segments }),
            Request::Chunks { chunk: 0, .. } => Err(Fault::Range),
            Request::Chunks { ask, segment, from, chunk } => {
                self.reason(id, ask, Work::Chunks { segment, from, chunk })
            }
            Request::Probe { len, .. } if usize::from(len) > MAX_PROBE => Err(Fault::Range),
            Request::Probe { ask, segment, op, from, len } => {
                self.reason(id, ask, Work::Probe { segment, op, from, len })
            }
        }
    }

    fn hello<'t>(&mut self, task: &'t str) -> Hello<'t>
    where
        B: Board,
    {
        let board = &mut self.line.board;
        Hello {
            firmware: VERSION,
            board: board.name(),
            task,
            pack_crc: self.about.pack_crc,
            shape: self.about.shape,
            memory: Memory { stack_used: board.stack_used(), ..self.about.memory },
            self_test: self.self_test,
            micros: board.micros(),
            last_end: self.about.last_end,
        }
    }

    /// A puzzle that is none is no fault here: the answer says that it was refused.
    fn solve(&mut self, id: u16, solve: &Solve<'_>) -> Result<(), Fault> {
        if matches!(self.self_test, SelfTestState::Failed { .. }) {
            return Err(Fault::SelfTest);
        }
        if solve.time_ms > 0 && self.line.board.micros().is_none() {
            return Err(Fault::NoClock);
        }
        let limit = (solve.time_ms > 0).then_some(1000 * u64::from(solve.time_ms));
        let solver = Solver::new(self.task.clone(), solve.tokens, solve.policy);
        self.begin(id, Work::Solve { solver, limit, progress: solve.progress });
        Ok(())
    }

    /// Begins work on one member's own view of a puzzle.
    fn reason(&mut self, id: u16, ask: wire::Ask<'_>, work: Work<T>) -> Result<(), Fault> {
        let members = u8::try_from(self.model.members()).unwrap_or(u8::MAX);
        if ask.member >= members {
            return Err(Fault::Member { members });
        }
        if let Some(refusal) = self.task.refuse(ask.tokens) {
            return Err(Fault::Puzzle(refusal));
        }
        self.model.begin(usize::from(ask.member), ask.tokens);
        self.begin(id, work);
        Ok(())
    }

    fn begin(&mut self, id: u16, work: Work<T>) {
        self.line.board.log(Event::Accepted { id });
        self.job = Some(Job { id, done: 0, began: self.line.board.micros(), work });
    }

    fn cancel(&mut self) {
        let Some(job) = &mut self.job else { return };
        if matches!(job.work, Work::SelfTest { asked: false, .. }) {
            return;
        }
        job.give_up(&mut self.line);
        self.job = None;
    }

    fn advance(&mut self) {
        let Some(job) = &mut self.job else { return };
        match job.advance(&mut self.line, &mut self.model, self.about.self_test.as_ref()) {
            Outcome::More => return,
            Outcome::Done => {}
            Outcome::Tested(state) => {
                self.self_test = state;
                self.line.board.log(Event::SelfTest(state));
            }
        }
        self.line.board.log(Event::Done { id: job.id, segments: job.done });
        self.job = None;
    }
}

impl<B: Board> Line<B> {
    pub(crate) fn answer(&mut self, id: u16, response: &Response<'_>) {
        // Every response fits: the suite in `hrm-core/tests/wire.rs` encodes the largest ones.
        if let Ok(frame) = wire::encode(id, response, &mut self.frame) {
            self.board.send(frame);
        }
    }

    fn refuse(&mut self, id: u16, fault: Fault) {
        self.board.log(Event::Refused { id, fault });
        self.answer(id, &Response::Error(fault));
    }

    fn noise(&mut self, error: FrameError) {
        self.board.log(Event::Noise(error));
        self.answer(0, &Response::Error(Fault::Frame(error)));
    }

    fn misunderstood(&mut self, envelope: &[u8], error: EnvelopeError) {
        let fault = match error {
            EnvelopeError::Version(_) => Fault::Version { device: PROTOCOL },
            EnvelopeError::Message => Fault::Message,
        };
        self.refuse(wire::id_of(envelope), fault);
    }
}
