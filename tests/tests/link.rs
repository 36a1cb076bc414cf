//! The firmware's application and the host's link against each other, with bad input of every kind.

use std::{io::Write, os::unix::net::UnixStream, thread::JoinHandle, time::Duration};

use hrm_core::{
    Op,
    task::Refusal,
    wire::{Ask, Fault, FrameError, MAX_FRAME, Memory, PROTOCOL, Request, Response, SelfTestState},
};
use hrm_emulator::{
    Difference, Link, LinkError,
    compare::{compare, digests},
};
use hrm_firmware::{About, Event, Exit};
use hrm_tests::{
    loopback::{self, SocketBoard},
    standin::{Any, CELLS, SHAPE, Slip, StandIn},
};

const TOKENS: [u8; CELLS] = [1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0];
const ASK: Ask<'static> = Ask { member: 1, tokens: &TOKENS };
const ABOUT: About<'static> = About {
    pack_crc: 0x1234_5678,
    shape: SHAPE,
    memory: Memory { pack_region: 1, pack: 2, workspace_region: 3, workspace: 4, stack: 5, stack_used: 0 },
    self_test: None,
};

type Device = JoinHandle<(Exit, SocketBoard)>;

fn device(slip: Option<Slip>) -> (Link<UnixStream>, Device) {
    let mut model = StandIn::new(7);
    model.slip = slip;
    loopback::spawn(model, Any, ABOUT, true)
}

fn end(mut link: Link<UnixStream>, device: Device) -> Vec<Event> {
    link.shutdown().unwrap();
    let (exit, board) = device.join().unwrap();
    assert_eq!(exit, Exit::Shutdown);
    board.events
}

#[test]
fn hello_describes_the_device() {
    let (mut link, device) = device(None);
    let hello = link.hello().unwrap();
    assert_eq!((hello.board.as_str(), hello.task.as_str()), ("loopback", "any"));
    assert_eq!((hello.pack_crc, hello.memory), (ABOUT.pack_crc, ABOUT.memory));
    assert_eq!((hello.shape, hello.self_test), (SHAPE, SelfTestState::Absent));
    assert!(hello.micros.is_some());
    let events = end(link, device);
    assert!(matches!(events[0], Event::Ready { pack_crc: 0x1234_5678, members: 2, .. }), "{events:?}");
    assert_eq!(events.last(), Some(&Event::Leaving));
}

#[test]
fn equal_models_have_equal_digests() {
    let (mut link, device) = device(None);
    let mut host = StandIn::new(7);
    let expected = digests(&mut host, ASK, 5);
    assert_eq!(expected.len(), 5);
    assert_ne!(expected[0].ops, expected[1].ops);
    assert_eq!(compare(&mut host, &mut link, ASK, &expected).unwrap(), None);
    end(link, device);
}

#[test]
fn every_single_slip_is_found_where_it_happened() {
    let mut host = StandIn::new(7);
    let expected = digests(&mut host, ASK, 3);
    for op in Op::ALL {
        let elements = if op >= Op::Logits { 16 } else { 96 };
        for (segment, index) in [(0, 0), (1, elements / 2 + 3), (2, elements - 1)] {
            let (mut link, device) = device(Some(Slip { segment, op, index }));
            let found = compare(&mut host, &mut link, ASK, &expected).unwrap().expect("a difference");
            let Difference::Element { segment: s, op: o, index: i, host: Some(a), device: Some(b), groups } =
                &found
            else {
                panic!("{found}");
            };
            assert_eq!((u32::from(*s), *o, *i), (segment, op, index), "{found}");
            assert_eq!((*a as i16).wrapping_add(1), *b as i16, "{found}");
            assert!(groups.contains(&op));
            end(link, device);
        }
    }
}

#[test]
fn a_difference_reads_well() {
    let found = Difference::Element {
        segment: 3,
        op: Op::AttentionNorm,
        index: 1234,
        host: Some(17),
        device: None,
        groups: vec![Op::AttentionNorm, Op::Gate],
    };
    assert_eq!(
        found.to_string(),
        "segment 3, operation attention-norm, index 1234: host 17, device nothing (groups that differ in this segment: \
         attention-norm, gate)"
    );
}

#[test]
fn requests_that_make_no_sense_are_refused_with_the_reason() {
    let (mut link, device) = device(None);
    let refused = |result: Result<_, LinkError>| match result {
        Err(LinkError::Refused(fault)) => fault,
        other => panic!("{other:?}"),
    };
    let short = Ask { member: 0, tokens: &TOKENS[..7] };
    let fault = refused(link.digest(short, 1, |_| {}));
    assert_eq!(fault, Fault::Puzzle(Refusal::Length { expected: 16, got: 7 }));
    let mut wrong = TOKENS;
    wrong[5] = 200;
    let fault = refused(link.digest(Ask { member: 0, tokens: &wrong }, 1, |_| {}));
    assert_eq!(fault, Fault::Puzzle(Refusal::Token { cell: 5, token: 200 }));
    let fault = refused(link.digest(Ask { member: 2, ..ASK }, 1, |_| {}));
    assert_eq!(fault, Fault::Member { members: 2 });
    let id = link.send(&Request::Digest { ask: ASK, segments: 0 }).unwrap();
    assert_eq!(refused(link.answer(id, |r| Err::<Vec<_>, _>(r))), Fault::Range);
    let id = link.send(&Request::Chunks { ask: ASK, segment: 0, from: 0, chunk: 0 }).unwrap();
    assert_eq!(refused(link.answer(id, |r| Err::<Vec<_>, _>(r))), Fault::Range);
    let id = link.send(&Request::Probe { ask: ASK, segment: 0, op: Op::Key, from: 0, len: 255 }).unwrap();
    assert_eq!(refused(link.answer(id, |r| Err::<Vec<_>, _>(r))), Fault::Range);
    assert!(link.hello().is_ok(), "ready for more");
    end(link, device);
}

#[test]
fn elements_beyond_the_end_do_not_exist() {
    let (mut link, device) = device(None);
    assert_eq!(link.probe(ASK, 0, Op::Halt, 10, 60).unwrap().0.len(), 6);
    assert_eq!(link.probe(ASK, 0, Op::Halt, u32::MAX, 60).unwrap(), (vec![], 16));
    assert_eq!(link.chunks(ASK, 0, u32::MAX, u32::MAX).unwrap(), (vec![], 9 * 96 + 32));
    end(link, device);
}

#[test]
fn garbage_is_answered_and_survived() {
    let (mut link, device) = device(None);
    link.write(&[9; 3 * MAX_FRAME]).unwrap();
    link.write(&[0]).unwrap();
    let fault = link.answer(0, |r| Err::<(), _>(r));
    assert!(matches!(fault, Err(LinkError::Refused(Fault::Frame(FrameError::Oversized)))), "{fault:?}");
    link.write(&[2, 1, 0]).unwrap();
    let fault = link.answer(0, |r| Err::<(), _>(r));
    assert!(matches!(fault, Err(LinkError::Refused(Fault::Frame(FrameError::Framing)))), "{fault:?}");
    link.write(&[7, 1, 2, 3, 4, 5, 6, 0]).unwrap();
    let fault = link.answer(0, |r| Err::<(), _>(r));
    assert!(matches!(fault, Err(LinkError::Refused(Fault::Frame(FrameError::Checksum)))), "{fault:?}");
    // A frame cut off in the middle: the host's next hello begins with a zero and is understood.
    link.write(&[200, 1, 2, 3]).unwrap();
    assert!(link.hello().is_ok());
    let events = end(link, device);
    assert_eq!(events.iter().filter(|e| matches!(e, Event::Noise(_))).count(), 4);
}

#[test]
fn another_version_is_told_apart_from_garbage() {
    let (mut link, device) = device(None);
    let mut buffer = [0; MAX_FRAME];
    // (version, id, Hello) as a later version would send it: the envelope's layout is fixed for ever.
    let envelope = [PROTOCOL + 1, 5, 0];
    let crc = hrm_core::digest::CRC.checksum(&envelope).to_le_bytes();
    let mut body = envelope.to_vec();
    body.extend(crc);
    let used = cobs::encode(&body, &mut buffer);
    link.write(&buffer[..used]).unwrap();
    link.write(&[0]).unwrap();
    let fault = link.answer(5, |r| Err::<(), _>(r));
    assert!(matches!(fault, Err(LinkError::Version { device: PROTOCOL })), "{fault:?}");
    end(link, device);
}

#[test]
fn a_busy_device_says_so_and_can_be_cancelled() {
    let (mut link, device) = device(None);
    let long = link.send(&Request::Digest { ask: ASK, segments: u16::MAX }).unwrap();
    let second = link.send(&Request::Digest { ask: ASK, segments: 1 }).unwrap();
    let fault = link.answer(second, |r| Err::<(), _>(r));
    assert!(matches!(fault, Err(LinkError::Refused(Fault::Busy))), "{fault:?}");
    assert!(link.hello().is_ok(), "it answers while it thinks");
    link.cancel().unwrap();
    assert_eq!(link.digest(ASK, 2, |_| {}).unwrap().len(), 2);
    let events = end(link, device);
    assert!(!events.iter().any(|e| matches!(e, Event::Done { id, .. } if *id == long)));
}

#[test]
fn a_silent_line_times_out_and_a_closed_one_is_noticed() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    let mut link = Link::new(ours);
    link.set_timeout(Duration::from_millis(50));
    assert!(matches!(link.hello(), Err(LinkError::Timeout(_))));
    // Noise alone is no answer either.
    theirs.write_all(&[1, 2, 3]).unwrap();
    assert!(matches!(link.cancel(), Err(LinkError::Timeout(_))));
    drop(theirs);
    assert!(matches!(link.hello(), Err(LinkError::Closed)));
}

#[test]
fn an_answer_of_the_wrong_kind_is_named() {
    let (mut link, device) = device(None);
    let id = link.send(&Request::Hello).unwrap();
    let wrong = link.answer(id, |response| match response {
        Response::Goodbye => Ok(()),
        other => Err(other),
    });
    assert!(matches!(&wrong, Err(LinkError::Answer(what)) if what.contains("loopback")), "{wrong:?}");
    end(link, device);
}
