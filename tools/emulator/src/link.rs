//! The host's end of the wire protocol: typed calls over anything that reads and writes.

use std::{
    collections::VecDeque,
    hash::{BuildHasher, Hasher, RandomState},
    io::{ErrorKind, Read, Write},
    time::{Duration, Instant},
};

use hrm_core::{
    Op, Shape,
    solve::{Answer, GuessEnd, Progress, Status, Stop},
    wire::{
        self, Ask, Decoder, EnvelopeError, Fault, FrameError, LastEnd, MAX_FRAME, MAX_PROBE, Memory, NoModel,
        PROTOCOL, Request, Response, Segment, SelfTestState, Solve,
    },
};

use crate::stranger::Stranger;

/// How often a `Hello` is repeated while the device may still be starting.
const HELLO_EVERY: Duration = Duration::from_millis(500);

/// How often a device that tests itself is asked whether it has done.
const SELF_TEST_EVERY: Duration = Duration::from_millis(50);

/// How long a self-test may take: `hrm-host export` writes two segments for each of its puzzles, of which
/// released packs have one.
const SELF_TEST: Duration = Duration::from_secs(900);

/// A line to a device.
///
/// Reads of `T` must come back now and then with [`ErrorKind::WouldBlock`] or [`ErrorKind::TimedOut`] where
/// nothing arrives (a read timeout of a tenth of a second does), or no answer can ever be late.
pub struct Link<T> {
    line: T,
    decoder: Decoder,
    arrived: VecDeque<u8>,
    /// What came since the last hello began, as far as a stranger's words are of interest.
    heard: Stranger,
    next_id: u16,
    timeout: Duration,
}

/// Why a call brought no answer.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Nothing came in time.
    #[error("no answer within {} s", .0.as_secs_f32())]
    Timeout(Duration),
    /// It answers, but only that it tests itself.
    #[error("the device still tests itself after {} s", SELF_TEST.as_secs())]
    Testing,
    /// The other end is gone.
    #[error("the device closed the line")]
    Closed,
    /// The line failed.
    #[error("the line failed: {0}")]
    Io(#[from] std::io::Error),
    /// The device refused.
    #[error("the device refused the request: {}", explain(.0))]
    Refused(Fault),
    /// Bytes came, but no answer.
    #[error("{0}")]
    Stranger(Stranger),
    /// The device speaks another version.
    #[error(
        "the device speaks protocol version {device}, this program version {PROTOCOL}: update the older one"
    )]
    Version {
        /// Its version.
        device: u8,
    },
    /// What came is a frame, but no answer to what was asked.
    #[error("the device answered something else than was asked: {0}")]
    Answer(String),
    /// A frame from the device was damaged.
    #[error("the device sent {0}")]
    Frame(FrameError),
    /// The request does not fit a frame.
    #[error(transparent)]
    TooLong(#[from] wire::TooLong),
}

/// A device's description of itself, as [`wire::Hello`] but owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Version of the firmware.
    pub firmware: String,
    /// Name of the board.
    pub board: String,
    /// Task the pack was made for.
    pub task: String,
    /// CRC-32 that the pack carries.
    pub pack_crc: u32,
    /// The model's sizes.
    pub shape: Shape,
    /// What it has and what the model takes.
    pub memory: Memory,
    /// What the self-test said.
    pub self_test: SelfTestState,
    /// Microseconds since the start; `None` without a clock.
    pub micros: Option<u64>,
    /// How the program ended before this start, where nobody asked for it.
    pub last_end: Option<LastEnd>,
}

/// The end of a solve, as [`Response::Answer`] but owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solved {
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
    /// Where the grid was found.
    pub found: Option<Progress>,
    /// Votes for the grid.
    pub votes: u16,
    /// The grid; empty where the puzzle was refused.
    pub grid: Vec<u8>,
    /// Microseconds on the device, where it has a clock.
    pub micros: Option<u64>,
    /// Whether it ended because its time was up.
    pub out_of_time: bool,
}

impl Solved {
    /// `answer`, owned.
    pub fn of(answer: &Answer<'_>, micros: Option<u64>, out_of_time: bool) -> Self {
        let Answer { status, stop, guesses, segments, last_guess, found, votes, grid } = *answer;
        let grid = grid.to_vec();
        Self { status, stop, guesses, segments, last_guess, found, votes, grid, micros, out_of_time }
    }

    /// The answer alone, to compare with what a solver on this machine says.
    pub fn answer(&self) -> Answer<'_> {
        let Self { status, stop, guesses, segments, last_guess, found, votes, .. } = *self;
        Answer { status, stop, guesses, segments, last_guess, found, votes, grid: &self.grid }
    }
}

impl<T: Read + Write> Link<T> {
    /// A link over `line`; an answer may take two minutes.
    pub fn new(line: T) -> Self {
        Self {
            line,
            decoder: Decoder::new(),
            arrived: VecDeque::new(),
            heard: Stranger::default(),
            next_id: first_id(),
            timeout: Duration::from_secs(120),
        }
    }

    /// Sets how long an answer may take.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// The line underneath.
    pub fn line(&mut self) -> &mut T {
        &mut self.line
    }

    /// Takes bytes that somebody else has read from the line.
    pub(crate) fn arrive(&mut self, bytes: &[u8]) {
        self.heard.hear(bytes);
        self.arrived.extend(bytes);
    }

    /// Asks who is there, again and again until somebody answers or time is up.
    pub fn hello(&mut self) -> Result<Hello, LinkError> {
        let end = Instant::now() + self.timeout;
        self.heard = Stranger::default();
        loop {
            // A zero ends whatever garbage the line may have carried before.
            self.write(&[0])?;
            let (id, frame) = self.send_frame(&Request::Hello)?;
            let until = end.min(Instant::now() + HELLO_EVERY);
            let answer = self.receive(id, until, |response| match response {
                Response::Hello(h) => Ok(Hello {
                    firmware: h.firmware.into(),
                    board: h.board.into(),
                    task: h.task.into(),
                    pack_crc: h.pack_crc,
                    shape: h.shape,
                    memory: h.memory,
                    self_test: h.self_test,
                    micros: h.micros,
                    last_end: h.last_end,
                }),
                other => Err(other),
            });
            self.heard.compare(&frame);
            let over = Instant::now() >= end;
            match answer {
                Err(LinkError::Timeout(_)) if over && self.heard.is_silent() => {
                    return Err(LinkError::Timeout(self.timeout));
                }
                // What is left of an interrupted conversation is no reason to give up,
                // nor is a line that echoes.
                Err(LinkError::Answer(_)) if !self.heard.is_echo() => return answer,
                Err(
                    LinkError::Timeout(_)
                    | LinkError::Answer(_)
                    | LinkError::Frame(_)
                    | LinkError::Refused(Fault::Frame(_)),
                ) => {
                    if over {
                        return Err(LinkError::Stranger(std::mem::take(&mut self.heard)));
                    }
                    // Whoever answers at once with anything is not to be flooded.
                    std::thread::sleep(SELF_TEST_EVERY);
                }
                other => return other,
            }
        }
    }

    /// As [`Self::hello`], but waits until the device has ended its self-test and takes requests: many
    /// segments, where the timeout is for one.
    pub fn ready(&mut self) -> Result<Hello, LinkError> {
        let end = Instant::now() + SELF_TEST;
        loop {
            let hello = self.hello()?;
            if hello.self_test != SelfTestState::Running {
                return Ok(hello);
            }
            if Instant::now() >= end {
                return Err(LinkError::Testing);
            }
            std::thread::sleep(SELF_TEST_EVERY);
        }
    }

    /// Lets the device solve a puzzle; `each` is told of every segment where `solve.progress` asks for that.
    pub fn solve(
        &mut self,
        solve: &Solve<'_>,
        mut each: impl FnMut(&Progress, &[u8]),
    ) -> Result<Solved, LinkError> {
        let id = self.send(&Request::Solve(*solve))?;
        loop {
            let end = self.answer(id, |response| match response {
                Response::Progress { progress, grid } => {
                    each(&progress, grid);
                    Ok(None)
                }
                Response::Answer { answer, micros, out_of_time } => {
                    Ok(Some(Solved::of(&answer, micros, out_of_time)))
                }
                other => Err(other),
            })?;
            if let Some(solved) = end {
                return Ok(solved);
            }
        }
    }

    /// Lets the device test itself.
    pub fn self_test(&mut self) -> Result<SelfTestState, LinkError> {
        let id = self.send(&Request::SelfTest)?;
        self.answer(id, |response| match response {
            Response::SelfTest(state) => Ok(state),
            other => Err(other),
        })
    }

    /// Lets member `ask.member` reason for `segments` segments and gives the digest of each; `each` is told
    /// of every one as it comes.
    pub fn digest(
        &mut self,
        ask: Ask<'_>,
        segments: u16,
        mut each: impl FnMut(&Segment),
    ) -> Result<Vec<Segment>, LinkError> {
        let id = self.send(&Request::Digest { ask, segments })?;
        let mut all = Vec::with_capacity(usize::from(segments));
        while all.len() < usize::from(segments) {
            let segment = self.answer(id, |response| match response {
                Response::Segment(segment) => Ok(segment),
                other => Err(other),
            })?;
            if usize::from(segment.segment) != all.len() {
                return Err(LinkError::Answer(format!(
                    "segment {} where {} is next: a frame was lost",
                    segment.segment,
                    all.len()
                )));
            }
            each(&segment);
            all.push(segment);
        }
        Ok(all)
    }

    /// The CRCs of chunks of a segment's timeline, and the timeline's length in elements.
    pub fn chunks(
        &mut self,
        ask: Ask<'_>,
        segment: u16,
        from: u32,
        chunk: u32,
    ) -> Result<(Vec<u32>, u32), LinkError> {
        let id = self.send(&Request::Chunks { ask, segment, from, chunk })?;
        self.answer(id, |response| match response {
            Response::Chunks { crcs, total } => Ok((crcs.to_vec(), total)),
            other => Err(other),
        })
    }

    /// Up to [`MAX_PROBE`] elements of one operation of one segment, and how many it has.
    pub fn probe(
        &mut self,
        ask: Ask<'_>,
        segment: u16,
        op: Op,
        from: u32,
        len: usize,
    ) -> Result<(Vec<i32>, u32), LinkError> {
        let len = len.min(MAX_PROBE) as u8;
        let id = self.send(&Request::Probe { ask, segment, op, from, len })?;
        self.answer(id, |response| match response {
            Response::Values { values, total } => Ok((values.to_vec(), total)),
            other => Err(other),
        })
    }

    /// Makes the device drop what it does.
    pub fn cancel(&mut self) -> Result<(), LinkError> {
        let id = self.send(&Request::Cancel)?;
        self.answer(id, |response| match response {
            Response::Cancelled => Ok(()),
            other => Err(other),
        })
    }

    /// Makes the device leave.
    pub fn shutdown(&mut self) -> Result<(), LinkError> {
        let id = self.send(&Request::Shutdown)?;
        self.answer(id, |response| match response {
            Response::Goodbye => Ok(()),
            other => Err(other),
        })
    }

    /// Sends `request` and gives the id that its answers will carry.
    pub fn send(&mut self, request: &Request<'_>) -> Result<u16, LinkError> {
        self.send_frame(request).map(|(id, _)| id)
    }

    /// As [`Self::send`], with the bytes that were sent.
    fn send_frame(&mut self, request: &Request<'_>) -> Result<(u16, Vec<u8>), LinkError> {
        let id = self.next_id;
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        let mut buffer = [0; MAX_FRAME];
        let frame = wire::encode(id, request, &mut buffer)?;
        self.line.write_all(frame).and_then(|()| self.line.flush()).map_err(gone)?;
        Ok((id, frame.to_vec()))
    }

    /// Sends raw bytes, as a broken host would.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        self.line.write_all(bytes).and_then(|()| self.line.flush()).map_err(gone)
    }

    /// Waits for the next answer to request `id` (0: to a frame that the device could not read).
    pub fn answer<A>(
        &mut self,
        id: u16,
        accept: impl FnOnce(Response<'_>) -> Result<A, Response<'_>>,
    ) -> Result<A, LinkError> {
        self.receive(id, Instant::now() + self.timeout, accept)
    }

    fn receive<A>(
        &mut self,
        id: u16,
        until: Instant,
        accept: impl FnOnce(Response<'_>) -> Result<A, Response<'_>>,
    ) -> Result<A, LinkError> {
        loop {
            while let Some(byte) = self.arrived.pop_front() {
                let Some(frame) = self.decoder.push(byte) else { continue };
                let envelope = frame.map_err(LinkError::Frame)?;
                return match wire::open::<Response<'_>>(envelope) {
                    // Late answers to earlier requests are of no interest any more.
                    Ok((of, response)) if of != id && !(of == 0 && is_error(&response)) => continue,
                    Ok((_, Response::Error(Fault::Version { device }))) => Err(LinkError::Version { device }),
                    Ok((_, Response::Error(fault))) => Err(LinkError::Refused(fault)),
                    Ok((_, response)) => accept(response).map_err(|r| LinkError::Answer(format!("{r:?}"))),
                    Err(EnvelopeError::Version(device)) => Err(LinkError::Version { device }),
                    Err(EnvelopeError::Message) => Err(LinkError::Answer("an unknown message".into())),
                };
            }
            if Instant::now() >= until {
                return Err(LinkError::Timeout(self.timeout));
            }
            let mut buffer = [0; 4096];
            match self.line.read(&mut buffer) {
                Ok(0) => return Err(LinkError::Closed),
                Ok(count) => self.arrive(&buffer[..count]),
                Err(e)
                    if matches!(
                        e.kind(),
                        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                    ) => {}
                Err(e) => return Err(gone(e)),
            }
        }
    }
}

/// An id that no other client has begun with lately: what a device still answers to one that
/// left is not for this one.
fn first_id() -> u16 {
    // The only randomness that the standard library has.
    (RandomState::new().build_hasher().finish() as u16).max(1)
}

fn is_error(response: &Response<'_>) -> bool {
    matches!(response, Response::Error(_))
}

/// A broken pipe is a device that left.
fn gone(error: std::io::Error) -> LinkError {
    match error.kind() {
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => LinkError::Closed,
        _ => LinkError::Io(error),
    }
}

/// A fault in words.
fn explain(fault: &Fault) -> String {
    match fault {
        Fault::Frame(error) => format!("it received {error}"),
        Fault::Version { device } => format!("it speaks protocol version {device}"),
        Fault::Message => "it does not know this request".into(),
        Fault::Member { members } => format!("its pack has only {members} members"),
        Fault::Puzzle(refusal) => format!("the puzzle is none of its task: {refusal}"),
        Fault::Range => "a count is zero or too large".into(),
        Fault::Busy => "it is busy with another request".into(),
        Fault::NoModel(NoModel::Pack) => "it has no sound pack in flash".into(),
        Fault::NoModel(NoModel::Memory) => {
            "its pack's model needs more memory than the board sets aside".into()
        }
        Fault::NoModel(NoModel::Task) => "its pack is for a task that its program was not built with".into(),
        Fault::SelfTest => "it failed its self-test: it does not compute what the pack says".into(),
        Fault::NoSelfTest => "its pack carries no self-test: export it again".into(),
        Fault::NoClock => "it has no clock, so it cannot keep to a time".into(),
        other => format!("{other:?}"),
    }
}
