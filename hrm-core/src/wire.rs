//! What host and device say to each other: versioned postcard messages, each with a CRC-32, COBS framed.
//!
//! A frame on the line is `COBS(envelope ‖ CRC-32 of it, little-endian) ‖ 0x00`, the envelope being
//! `version: u8`, `id: u16` and the message in [postcard](https://postcard.jamesmunns.com/wire-format)'s
//! encoding. A zero byte ends every frame and occurs nowhere else, so a receiver that joins late, loses bytes
//! or meets garbage is in step again after the next zero. An answer carries the id of its request.

use heapless::Vec;
use postcard::ser_flavors::{Cobs, Slice, crc::CrcModifier};
use serde::{Deserialize, Serialize};

use crate::{
    digest::{CRC, MAX_CHUNKS, OPS},
    pack::Shape,
    solve::{Answer, Policy, Progress},
    task::{MAX_CELLS, Refusal},
    trace::Op,
};

/// Version of the messages below; every change to one of them raises it.
pub const PROTOCOL: u8 = 6;

/// Most bytes of an envelope with its CRC.
pub const MAX_ENVELOPE: usize = MAX_CELLS + 124;

/// Most bytes of a frame on the line: COBS adds one byte in 254, one more, and the closing zero.
pub const MAX_FRAME: usize = MAX_ENVELOPE + MAX_ENVELOPE / 254 + 2;

/// Most elements one [`Request::Probe`] returns.
pub const MAX_PROBE: usize = 64;

const CRC_BYTES: usize = 4;

/// A puzzle and the member that is to reason about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask<'a> {
    /// Which checkpoint of the pack.
    pub member: u8,
    /// The puzzle, one token per cell.
    pub tokens: &'a [u8],
}

/// What a host asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request<'a> {
    /// Who are you? Answered by [`Response::Hello`].
    Hello,
    /// Reason for `segments` segments; answered by one [`Response::Segment`] after each.
    Digest {
        /// What to reason about.
        #[serde(borrow)]
        ask: Ask<'a>,
        /// How many segments, at least 1.
        segments: u16,
    },
    /// CRCs of up to [`MAX_CHUNKS`] chunks of segment `segment`'s timeline; answered by [`Response::Chunks`].
    Chunks {
        /// What to reason about.
        #[serde(borrow)]
        ask: Ask<'a>,
        /// Which segment, from 0.
        segment: u16,
        /// First element of the timeline.
        from: u32,
        /// Elements per chunk.
        chunk: u32,
    },
    /// Raw elements of one operation of one segment; answered by [`Response::Values`].
    Probe {
        /// What to reason about.
        #[serde(borrow)]
        ask: Ask<'a>,
        /// Which segment, from 0.
        segment: u16,
        /// Which operation.
        op: Op,
        /// First element.
        from: u32,
        /// How many, at most [`MAX_PROBE`].
        len: u8,
    },
    /// Drop what you are doing (a solve is answered with what it has found by then), but for the self-test at
    /// power-on; answered by [`Response::Cancelled`] under this request's id.
    Cancel,
    /// Leave (an emulator ends, a board restarts); answered by [`Response::Goodbye`].
    Shutdown,
    /// Solve a puzzle; answered by one [`Response::Answer`], after a [`Response::Progress`] per
    /// segment where that is wanted.
    Solve(#[serde(borrow)] Solve<'a>),
    /// Run the pack's self-test again; answered by [`Response::SelfTest`].
    SelfTest,
}

/// A puzzle to solve, and how long to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Solve<'a> {
    /// How to guess, and how often.
    pub policy: Policy,
    /// Most milliseconds, looked at between two segments; 0 for as long as it takes.
    pub time_ms: u32,
    /// Whether to tell of every segment.
    pub progress: bool,
    /// The puzzle, one token per cell.
    pub tokens: &'a [u8],
}

/// What a device answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Response<'a> {
    /// Who this is.
    #[serde(borrow)]
    Hello(Hello<'a>),
    /// One segment is done.
    Segment(Segment),
    /// Chunks of a timeline.
    Chunks {
        /// CRC of each chunk, the last one possibly of fewer elements.
        crcs: Vec<u32, MAX_CHUNKS>,
        /// Elements in the whole segment.
        total: u32,
    },
    /// Elements of one operation.
    Values {
        /// The elements that exist of those asked for.
        values: Vec<i32, MAX_PROBE>,
        /// Elements of that operation in the whole segment.
        total: u32,
    },
    /// The work was dropped, or there was none.
    Cancelled,
    /// The device leaves.
    Goodbye,
    /// The request was not served; the device is ready for another.
    Error(Fault),
    /// A solve took one more segment.
    Progress {
        /// How far it is.
        progress: Progress,
        /// The grid by now, in the puzzle's own orientation.
        grid: &'a [u8],
    },
    /// A solve has ended.
    Answer {
        /// How.
        answer: Answer<'a>,
        /// Microseconds since it began; `None` without a clock.
        micros: Option<u64>,
        /// Whether it ended because its time was up.
        out_of_time: bool,
    },
    /// The self-test has ended.
    SelfTest(SelfTestState),
}

/// What the self-test says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SelfTestState {
    /// The pack has none.
    Absent,
    /// The one at power-on has not ended yet.
    Running,
    /// Every digest was as the pack says.
    Passed {
        /// How many puzzles there are.
        puzzles: u8,
    },
    /// The device does not compute what it should; it solves nothing until it does.
    Failed {
        /// The first puzzle with another digest, from 0.
        puzzle: u8,
        /// The pack's digest of it.
        expected: u32,
        /// The device's.
        got: u32,
    },
}

/// A device's description of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello<'a> {
    /// Version of the firmware.
    pub firmware: &'a str,
    /// Name of the board.
    pub board: &'a str,
    /// Task the pack was made for.
    pub task: &'a str,
    /// CRC-32 that the pack carries.
    pub pack_crc: u32,
    /// The model's sizes.
    pub shape: Shape,
    /// What it has and what the model takes.
    pub memory: Memory,
    /// What the self-test said.
    pub self_test: SelfTestState,
    /// Microseconds since the start; `None` without a clock. The timers of some boards, the nRF52840's among
    /// them, rest while the processor sleeps: there it is the time that the board has worked.
    pub micros: Option<u64>,
    /// How the program ended before this start, where nobody asked for it; `None` after power-on, too.
    pub last_end: Option<LastEnd>,
}

/// How the program ended without being asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum LastEnd {
    /// A reset that the program did not bring about: by the watchdog, which saw no progress, the
    /// reset button or a debugger.
    Reset,
    /// A panic; its message was in the log.
    Panic,
    /// The stack grew beyond its memory.
    StackOverflow,
    /// A processor exception.
    Exception {
        /// Address of the instruction.
        pc: u32,
        /// Where it would have returned to.
        called_from: u32,
    },
    /// An exception while the pack was checked: flash whose write was cut short may fault when it is read.
    PackUnreadable,
}

/// Memory of a device, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Memory {
    /// Flash set aside for a pack.
    pub pack_region: u32,
    /// Of which the pack takes.
    pub pack: u32,
    /// Static memory set aside for the model.
    pub workspace_region: u32,
    /// Of which the pack's shape takes at least.
    pub workspace: u32,
    /// Tokens that a pass over the weights serves: with more than the least memory it
    /// is more than four of them.
    pub tokens_per_pass: u16,
    /// Stack.
    pub stack: u32,
    /// The most of it that was ever in use.
    pub stack_used: u32,
}

/// The digest of one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Which segment, from 0.
    pub segment: u16,
    /// CRC-32 of each operation group, in the order of [`Op::ALL`].
    pub ops: [u32; OPS],
    /// Digest of the carried state.
    pub state: u32,
    /// CRC-32 of the decoded grid, one byte per cell.
    pub grid: u32,
}

/// Why a request was not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Fault {
    /// The frame was damaged or too long; the id is 0, it could not be read.
    Frame(FrameError),
    /// The device speaks version `device`.
    Version {
        /// The device's [`PROTOCOL`].
        device: u8,
    },
    /// The frame is sound, but it is no request of this version.
    Message,
    /// The pack has only `members` members.
    Member {
        /// How many there are.
        members: u8,
    },
    /// The puzzle is none of this task.
    Puzzle(Refusal),
    /// A count of 0, or of more than a frame holds.
    Range,
    /// Another request is being served; cancel it or wait.
    Busy,
    /// The device has no model to think with.
    NoModel(NoModel),
    /// The device failed its self-test, so its answers would be worth nothing.
    SelfTest,
    /// The pack has no self-test.
    NoSelfTest,
    /// A limit of time, and no clock.
    NoClock,
}

/// Why a device has no model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum NoModel {
    /// There is no pack in flash, or not a sound one.
    Pack,
    /// Its model takes more memory than the device sets aside.
    Memory,
    /// It is for a task that the firmware does not know.
    Task,
}

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum FrameError {
    /// Longer than the receiver's buffer.
    Oversized,
    /// Not COBS, or too short to hold an envelope.
    Framing,
    /// The CRC is wrong: bytes were changed on the way.
    Checksum,
}

impl core::fmt::Display for FrameError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            FrameError::Oversized => "a frame longer than the receiver's buffer",
            FrameError::Framing => "bytes that are no frame",
            FrameError::Checksum => "a frame whose checksum is wrong",
        })
    }
}

impl core::error::Error for FrameError {}

/// A message that does not fit its buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct TooLong;

impl core::fmt::Display for TooLong {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "the message does not fit a frame of {MAX_FRAME} bytes")
    }
}

impl core::error::Error for TooLong {}

/// Why a sound frame's envelope was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum EnvelopeError {
    /// It is of version `0`, not [`PROTOCOL`].
    Version(u8),
    /// It holds no such message, or more than one.
    Message,
}

/// Writes `message` as one frame, closing zero included, to the front of `buffer`
/// ([`MAX_FRAME`] bytes always do).
///
/// # Errors
/// [`TooLong`] where it does not fit.
pub fn encode<'b, M: Serialize>(id: u16, message: &M, buffer: &'b mut [u8]) -> Result<&'b [u8], TooLong> {
    let framed = Cobs::try_new(Slice::new(buffer)).map_err(|_| TooLong)?;
    let checked = CrcModifier::new(framed, CRC.digest());
    postcard::serialize_with_flavor(&(PROTOCOL, id, message), checked)
        .map(|frame| &*frame)
        .map_err(|_| TooLong)
}

/// Reads the envelope of a frame that [`Decoder::push`] let pass: its id and its message.
///
/// # Errors
/// [`EnvelopeError::Version`] for another version's, [`EnvelopeError::Message`] where it holds no
/// `M` or anything behind it.
pub fn open<'a, M: Deserialize<'a>>(envelope: &'a [u8]) -> Result<(u16, M), EnvelopeError> {
    match envelope {
        [PROTOCOL, rest @ ..] => match postcard::take_from_bytes::<(u16, M)>(rest) {
            Ok((message, [])) => Ok(message),
            _ => Err(EnvelopeError::Message),
        },
        [other, ..] => Err(EnvelopeError::Version(*other)),
        [] => Err(EnvelopeError::Message),
    }
}

/// The id of an envelope whose message was not understood, 0 where even that is unreadable.
pub fn id_of(envelope: &[u8]) -> u16 {
    envelope.get(1..).and_then(|rest| postcard::take_from_bytes(rest).ok()).map_or(0, |(id, _)| id)
}

/// Cuts a stream of bytes into frames, and passes on those that are sound.
pub struct Decoder {
    buffer: [u8; MAX_FRAME],
    used: usize,
    oversized: bool,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// An empty decoder, in step with a line on which nothing has been sent.
    pub const fn new() -> Self {
        Self { buffer: [0; MAX_FRAME], used: 0, oversized: false }
    }

    /// Takes the next byte of the line. `Some` when it completes a frame: the envelope for [`open`], or what
    /// is wrong with it. Zeros between frames are ignored.
    pub fn push(&mut self, byte: u8) -> Option<Result<&[u8], FrameError>> {
        if byte != 0 {
            match self.buffer.get_mut(self.used) {
                Some(place) => {
                    *place = byte;
                    self.used += 1;
                }
                None => self.oversized = true,
            }
            return None;
        }
        let used = core::mem::take(&mut self.used);
        match core::mem::take(&mut self.oversized) {
            true => Some(Err(FrameError::Oversized)),
            false if used == 0 => None,
            false => Some(Self::check(self.buffer.get_mut(..used).unwrap_or_default())),
        }
    }

    fn check(frame: &mut [u8]) -> Result<&[u8], FrameError> {
        let used = cobs::decode_in_place(frame).map_err(|_| FrameError::Framing)?;
        let (envelope, crc) =
            frame.get(..used).and_then(<[u8]>::split_last_chunk::<CRC_BYTES>).ok_or(FrameError::Framing)?;
        match CRC.checksum(envelope) == u32::from_le_bytes(*crc) {
            true => Ok(envelope),
            false => Err(FrameError::Checksum),
        }
    }
}
