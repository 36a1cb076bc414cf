//! The page's end of a line to a board: requests as frames, what the board sends as JSON.
//!
//! Frames and messages are those of [`hrm_core::wire`]. A page finds the answers to a request by its
//! id, and knows them by `is`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Display, Formatter, Write};

use hrm_core::Shape;
use hrm_core::digest::RunDigest;
use hrm_core::pack::SecondHead;
use hrm_core::solve::{Answer, Progress, Status, Stop};
use hrm_core::task::{self, All, Task, Visitor};
use hrm_core::wire::{
    self, Ask, Decoder, EnvelopeError, Fault, Hello, MAX_FRAME, NoModel, PROTOCOL, Request, Response,
    Segment, SelfTestState, Solve,
};

use crate::json::Quoted;
use crate::puzzle::{explain, tokens_of};
use crate::session::{Wish, place_of};

/// One line. Whoever plugs in anew takes a new one.
pub struct Line {
    decoder: Decoder,
    model: Option<Model>,
    digest: Option<RunDigest>,
}

impl Default for Line {
    fn default() -> Self {
        Self::new()
    }
}

impl Line {
    /// A line on which nothing was said yet.
    pub const fn new() -> Self {
        Self { decoder: Decoder::new(), model: None, digest: None }
    }

    /// Asks who is there, behind a zero that ends whatever the line carried before.
    ///
    /// # Errors
    /// None: it fits a frame.
    pub fn hello(&self, id: u16) -> Result<Vec<u8>, String> {
        Ok([&[0], &*frame(id, &Request::Hello)?].concat())
    }

    /// Has the board drop what it does.
    ///
    /// # Errors
    /// None: it fits a frame.
    pub fn cancel(&self, id: u16) -> Result<Vec<u8>, String> {
        frame(id, &Request::Cancel)
    }

    /// Has the board solve a puzzle, and tell of every segment.
    ///
    /// # Errors
    /// Why the text is no puzzle of the board's pack.
    pub fn solve(&self, id: u16, text: &str, wish: Wish) -> Result<Vec<u8>, String> {
        let (model, tokens) = self.puzzle(text)?;
        let policy = wish.policy(&model.shape);
        frame(id, &Request::Solve(Solve { policy, time_ms: 0, progress: true, tokens: &tokens }))
    }

    /// Has the board's first member think about a puzzle, and tell the digest of each segment.
    ///
    /// # Errors
    /// Why the text is no puzzle of the board's pack.
    pub fn digest(&self, id: u16, text: &str, segments: u16) -> Result<Vec<u8>, String> {
        let (_, tokens) = self.puzzle(text)?;
        frame(id, &Request::Digest { ask: Ask { member: 0, tokens: &tokens }, segments })
    }

    fn puzzle(&self, text: &str) -> Result<(&Model, Vec<u8>), String> {
        let model = self.model.as_ref().ok_or("no board has said who it is")?;
        let tokens =
            model.visit(Reading(text)).ok_or_else(|| format!("this page does not know {}", model.task))?;
        Ok((model, tokens?))
    }

    /// Takes bytes of the line: all that they complete, as an array.
    pub fn hear(&mut self, bytes: &[u8]) -> String {
        let Self { decoder, model, digest } = self;
        let mut told = String::from("[");
        for frame in
            bytes.iter().filter_map(|byte| decoder.push(*byte).map(|frame| said(frame.ok(), model, digest)))
        {
            let comma = if told.len() > 1 { "," } else { "" };
            let _ = write!(told, "{comma}{frame}");
        }
        told.push(']');
        told
    }
}

fn frame(id: u16, request: &Request<'_>) -> Result<Vec<u8>, String> {
    let mut buffer = [0; MAX_FRAME];
    wire::encode(id, request, &mut buffer).map(<[u8]>::to_vec).map_err(|error| error.to_string())
}

/// A frame of a board in JSON; none is one that was damaged on the way.
fn said(envelope: Option<&[u8]>, model: &mut Option<Model>, digest: &mut Option<RunDigest>) -> String {
    const GARBLED: &str = r#"{"id":0,"is":"garbled"}"#;
    let (id, response) = match envelope.map(wire::open::<Response<'_>>) {
        Some(Ok(message)) => message,
        Some(Err(EnvelopeError::Version(device))) => return version(device),
        None | Some(Err(EnvelopeError::Message)) => return GARBLED.into(),
    };
    let body = match response {
        Response::Hello(hello) => {
            let model = model.insert(Model { task: hello.task.into(), shape: hello.shape });
            said_hello(&hello, model)
        }
        Response::Progress { progress, grid } => said_progress(&progress, grid, model.as_ref()),
        Response::Answer { answer, micros, .. } => said_answer(&answer, micros, model.as_ref()),
        Response::Segment(segment) => said_segment(&segment, digest),
        Response::Cancelled => r#""is":"cancelled""#.into(),
        Response::Error(Fault::Version { device }) => return version(device),
        Response::Error(Fault::Frame(_)) => return GARBLED.into(),
        Response::Error(fault) => format!(r#""is":"refused","why":{}"#, Quoted(&advice(fault))),
        Response::Chunks { .. } | Response::Values { .. } | Response::Goodbye | Response::SelfTest(_) => {
            r#""is":"other""#.into()
        }
    };
    format!(r#"{{"id":{id},{body}}}"#)
}

/// Whatever it was the answer to: nothing else that this board says is understood.
fn version(device: u8) -> String {
    format!(r#"{{"id":0,"is":"version","device":{device},"page":{PROTOCOL}}}"#)
}

fn said_hello(hello: &Hello<'_>, model: &Model) -> String {
    let self_test = match hello.self_test {
        SelfTestState::Absent => "absent",
        SelfTestState::Running => "running",
        SelfTestState::Passed { .. } => "passed",
        SelfTestState::Failed { .. } => "failed",
    };
    format!(
        r#""is":"hello","board":{},"firmware":{},"protocol":{PROTOCOL},"task":{},"crc":"{:08x}","known":{},"self_test":"{self_test}""#,
        Quoted(hello.board),
        Quoted(hello.firmware),
        Quoted(hello.task),
        hello.pack_crc,
        model.visit(Known).is_some(),
    )
}

fn said_progress(progress: &Progress, grid: &[u8], model: Option<&Model>) -> String {
    let shape = model.map(|model| &model.shape);
    let most_segments = |shape: &Shape| Wish::default().policy(shape).most_segments(progress.guess, shape);
    // a model without that head has q_continue 0
    let q_halt = shape.filter(|shape| shape.second_head != SecondHead::Continue).map(|_| progress.confidence);
    format!(
        r#""is":"progress","guess":{},"segment":{},"mostSegments":{},"segments":{},"confidence":{},"qHalt":{},"violations":{},"ended":{},"grid":{}"#,
        u32::from(progress.guess) + 1,
        progress.segment,
        shape.map_or(1, most_segments),
        progress.segments,
        progress.confidence,
        Number(q_halt),
        progress.violations.map_or(-1, i64::from),
        progress.ended.map_or(0, place_of),
        Quoted(&text_of(grid, model)),
    )
}

fn said_answer(answer: &Answer<'_>, micros: Option<u64>, model: Option<&Model>) -> String {
    let (status, why) = match answer.status {
        Status::Solved => ("solved", None),
        Status::Voted => ("voted", None),
        Status::Unproven => ("unproven", None),
        Status::Refused(refusal) => ("refused", model.and_then(|model| model.visit(Explaining(refusal)))),
    };
    format!(
        r#""is":"answer","status":"{status}","why":{},"cancelled":{},"guess":{},"segments":{},"ended":{},"micros":{},"grid":{}"#,
        Quoted(&why.unwrap_or_default()),
        answer.stop == Stop::Cancelled,
        answer.guesses,
        answer.segments,
        answer.last_guess.map_or(0, place_of),
        Number(micros),
        Quoted(&text_of(answer.grid, model)),
    )
}

fn said_segment(segment: &Segment, digest: &mut Option<RunDigest>) -> String {
    if segment.segment == 0 {
        *digest = None;
    }
    let digest = digest.get_or_insert_default();
    digest.add(segment);
    format!(r#""is":"segment","segment":{},"digest":"{:08x}""#, segment.segment + 1, digest.finish())
}

/// A number, or `null`.
struct Number<N>(Option<N>);

impl<N: Display> Display for Number<N> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(number) => number.fmt(f),
            None => f.write_str("null"),
        }
    }
}

/// Why a board does not do what it was asked, and what to do about it.
fn advice(fault: Fault) -> String {
    match fault {
        Fault::NoModel(NoModel::Pack) => {
            "it has no sound pack in its flash. Flash one with hrm-host device flash-pack".into()
        }
        Fault::NoModel(NoModel::Memory) => {
            "the model of its pack needs more memory than it sets aside. Flash a smaller one".into()
        }
        Fault::NoModel(NoModel::Task) => {
            "its program was built without the task of its pack. Build it with that task \
             (HRM_FIRMWARE_FEATURES), or flash a pack of another"
                .into()
        }
        Fault::SelfTest => {
            "it failed its self-test, so its answers would be worth nothing. Flash program and pack again"
                .into()
        }
        Fault::Busy => "it is busy with another request. Cancel that, or wait".into(),
        Fault::Puzzle(refusal) => format!("to it this is no puzzle: {refusal}"),
        _ => "it does not serve this request. Flash the firmware that this page came with".into(),
    }
}

/// What a board thinks with, as it said.
struct Model {
    task: String,
    shape: Shape,
}

impl Model {
    /// Hands its task to `visitor`, where this page knows it.
    fn visit<V: Visitor>(&self, visitor: V) -> Option<V::Output> {
        task::visit::<All, _>(&self.task, &self.shape, visitor).ok()
    }
}

/// A grid as text; empty where it is none of the board's task.
fn text_of(grid: &[u8], model: Option<&Model>) -> String {
    model.and_then(|model| model.visit(Showing(grid))).unwrap_or_default()
}

struct Known;

impl Visitor for Known {
    type Output = ();

    fn visit<T: Task>(self, _: T) {}
}

struct Reading<'a>(&'a str);

impl Visitor for Reading<'_> {
    type Output = Result<Vec<u8>, String>;

    fn visit<T: Task>(self, task: T) -> Self::Output {
        tokens_of(&task, self.0)
    }
}

struct Showing<'a>(&'a [u8]);

impl Visitor for Showing<'_> {
    type Output = String;

    fn visit<T: Task>(self, task: T) -> String {
        if self.0.len() == task.cells() { task.text(self.0).to_string() } else { String::new() }
    }
}

struct Explaining(task::Refusal);

impl Visitor for Explaining {
    type Output = String;

    fn visit<T: Task>(self, task: T) -> String {
        explain(&task, self.0)
    }
}
