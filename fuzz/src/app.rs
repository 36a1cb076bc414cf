//! The firmware's application on a line that carries anything.

use std::{cell::RefCell, collections::VecDeque, rc::Rc};

use arbitrary::Unstructured;
use hrm_core::wire::{Decoder, MAX_FRAME, Memory, PROTOCOL, Request, Response, encode, open};
use hrm_firmware::{About, App, Board, Event};
use hrm_tests::standin::{Any, SHAPE, StandIn};

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

/// Sends requests and noise, as `bytes` say. Whatever is answered is a sound frame, and at last the
/// application says who it is.
pub(crate) fn serve(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let line = Line::default();
    let about =
        About { pack_crc: 1, shape: SHAPE, memory: Memory::default(), self_test: None, last_end: None };
    let mut app = App::new(line.clone(), StandIn::new(7), Any, about);
    while !input.is_empty() {
        let length = usize::from(input.arbitrary::<u8>().unwrap_or(0)).min(input.len());
        let Ok(part) = input.bytes(length) else { break };
        match open::<Request<'_>>(&[&[PROTOCOL], part].concat()) {
            // One that makes it leave comes to its end.
            Ok((_, Request::Shutdown)) => {}
            Ok((id, request)) => line.ask(id, &request),
            Err(_) => line.push(part),
        }
        for _ in 0..input.int_in_range(0..=8).unwrap_or(0) {
            if app.step().is_some() {
                return;
            }
        }
    }
    line.push(&[0]);
    line.ask(LAST - 1, &Request::Cancel);
    line.ask(LAST, &Request::Hello);
    if app.step().is_some() {
        return;
    }
    let mut decoder = Decoder::new();
    let mut last = None;
    for byte in std::mem::take(&mut line.0.borrow_mut().sent) {
        if let Some(envelope) = decoder.push(byte) {
            let envelope = envelope.expect("what is sent is sound");
            let (id, response) = open::<Response<'_>>(envelope).expect("an answer");
            last = Some((id, matches!(response, Response::Hello(_))));
        }
    }
    assert_eq!(last, Some((LAST, true)));
}
