//! The firmware's application on a line that carries anything.

use std::{cell::RefCell, collections::VecDeque, rc::Rc, sync::LazyLock};

use arbitrary::{Result, Unstructured};
use hrm_core::{
    Op,
    digest::run_digest,
    pack::SelfTest,
    wire::{Ask, Decoder, MAX_FRAME, Memory, Request, Response, Solve, encode, open},
};
use hrm_firmware::{About, App, Board, Event};
use hrm_tests::standin::{Any, CELLS, SHAPE, StandIn};

use crate::solver::policy;

/// The id under which the application is asked who it is.
const LAST: u16 = 0xfeed;

/// A line, of which the test holds the other end.
#[derive(Clone, Default)]
struct Line(Rc<RefCell<Ends>>);

#[derive(Default)]
struct Ends {
    arriving: VecDeque<u8>,
    sent: Vec<u8>,
    clock: u64,
}

impl Board for Line {
    fn name(&self) -> &'static str {
        "fuzz"
    }
    fn receive(&mut self) -> Option<u8> {
        self.0.borrow_mut().arriving.pop_front()
    }
    fn wait(&mut self) {}
    fn send(&mut self, bytes: &[u8]) {
        self.0.borrow_mut().sent.extend(bytes);
    }
    fn micros(&mut self) -> Option<u64> {
        let clock = &mut self.0.borrow_mut().clock;
        *clock += 1000;
        Some(*clock)
    }
    fn feed(&mut self) {}
    fn stack_used(&self) -> u32 {
        0
    }
    fn log(&mut self, _: Event) {}
}

impl Line {
    fn push(&self, bytes: &[u8]) {
        self.0.borrow_mut().arriving.extend(bytes);
    }

    fn ask(&self, id: u16, request: &Request<'_>) {
        let mut frame = [0; MAX_FRAME];
        if let Ok(frame) = encode(id, request, &mut frame) {
            self.push(frame);
        }
    }
}

/// The puzzle of the self-test, and what thinking about it for a segment must give.
const TESTED: [u8; CELLS] = [1; CELLS];
static RIGHT: LazyLock<u32> =
    LazyLock::new(|| run_digest(&mut StandIn::new(7), 0, &TESTED, 1).expect("nobody cancels"));

/// Sends requests of every kind and noise, as `bytes` say. Whatever is answered is a sound frame, and at last
/// the application says who it is.
pub(crate) fn serve(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let line = Line::default();
    // The self-test that a pack has: none, one that passes, one that fails.
    let self_test = match input.int_in_range(0..=2).unwrap_or(0) {
        0 => None,
        way => Some(SelfTest {
            segments: 1,
            puzzles: &TESTED,
            digests: [*RIGHT ^ u32::from(way == 2)].into_iter().collect(),
        }),
    };
    let about = About { pack_crc: 1, shape: SHAPE, memory: Memory::default(), self_test, last_end: None };
    let mut app = App::new(line.clone(), StandIn::new(7), Any, about);
    while !input.is_empty() {
        if sent(&line, &mut input).is_err() {
            break;
        }
        for _ in 0..input.int_in_range(0..=8).unwrap_or(0) {
            if app.step().is_some() {
                sound(&line);
                return;
            }
        }
    }
    line.push(&[0]);
    line.ask(LAST - 1, &Request::Cancel);
    line.ask(LAST, &Request::Hello);
    // The self-test at power-on is not given up, and comes first.
    for _ in 0..4 {
        if app.step().is_some() {
            return;
        }
    }
    assert_eq!(sound(&line), Some((LAST, true)));
}

/// Puts a request or noise on the line.
fn sent(line: &Line, input: &mut Unstructured<'_>) -> Result<()> {
    if input.ratio(1, 8)? {
        let length = usize::from(input.arbitrary::<u8>()?).min(input.len());
        line.push(input.bytes(length)?);
        return Ok(());
    }
    let mut tokens = [0; CELLS + 1];
    tokens.iter_mut().try_for_each(|token| input.int_in_range(0..=8).map(|drawn| *token = drawn))?;
    let length = if input.ratio(1, 16)? { input.int_in_range(0..=CELLS + 1)? } else { CELLS };
    let ask = Ask { member: input.int_in_range(0..=2)?, tokens: &tokens[..length] };
    let request = match input.int_in_range(0..=9)? {
        0 => Request::Hello,
        1 => Request::Digest { ask, segments: input.int_in_range(0..=4)? },
        2 => Request::Chunks {
            ask,
            segment: input.int_in_range(0..=3)?,
            from: input.int_in_range(0..=2000)?,
            chunk: input.int_in_range(0..=100)?,
        },
        3 => Request::Probe {
            ask,
            segment: input.int_in_range(0..=3)?,
            op: *input.choose(&Op::ALL)?,
            from: input.int_in_range(0..=200)?,
            len: input.arbitrary()?,
        },
        4 => Request::Cancel,
        5 => Request::SelfTest,
        6 if input.ratio(1, 8)? => Request::Shutdown,
        _ => Request::Solve(Solve {
            policy: policy(input)?,
            time_ms: *input.choose(&[0, 1, 5, u32::MAX])?,
            progress: input.arbitrary()?,
            tokens: ask.tokens,
        }),
    };
    line.ask(input.arbitrary()?, &request);
    Ok(())
}

/// Reads all that the application has sent, and tells the last answer's id, and whether it is who it is.
fn sound(line: &Line) -> Option<(u16, bool)> {
    let mut decoder = Decoder::new();
    let mut last = None;
    for byte in std::mem::take(&mut line.0.borrow_mut().sent) {
        if let Some(envelope) = decoder.push(byte) {
            let envelope = envelope.expect("what is sent is sound");
            let (id, response) = open::<Response<'_>>(envelope).expect("an answer");
            last = Some((id, matches!(response, Response::Hello(_))));
        }
    }
    last
}
