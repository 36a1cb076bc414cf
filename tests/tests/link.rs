//! The firmware's application and the host's link against each other, with bad input of every kind.

use std::{
    collections::{HashSet, VecDeque},
    io::Write,
    os::unix::net::UnixStream,
    thread::JoinHandle,
    time::Duration,
};

use hrm_core::{
    Hrm, Op, Pack,
    digest::run_digest,
    pack::SelfTest,
    solve::{Policy, Solver, Step, Symmetries},
    task::{Refusal, Task, sudoku::Sudoku},
    wire::{
        self, Ask, Decoder, Fault, FrameError, LastEnd, MAX_FRAME, Memory, NoModel, PROTOCOL, Request,
        Response, SelfTestState, Solve,
    },
    workspace_words,
};
use hrm_emulator::{
    Difference, Link, LinkError, advice,
    compare::{compare, digests},
};
use hrm_firmware::{About, App, Board, Event, Exit, RECEIVE_BYTES, refuse_all};
use hrm_tests::{
    loopback::{self, SocketBoard},
    puzzles,
    standin::{Any, CELLS, SHAPE, Slip, StandIn},
};

const TOKENS: [u8; CELLS] = [1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0];
const ASK: Ask<'static> = Ask { member: 1, tokens: &TOKENS };
const ABOUT: About<'static> = About {
    pack_crc: 0x1234_5678,
    shape: SHAPE,
    memory: Memory {
        pack_region: 1,
        pack: 2,
        workspace_region: 3,
        workspace: 4,
        tokens_per_pass: 4,
        stack: 5,
        stack_used: 0,
    },
    self_test: None,
    last_end: Some(LastEnd::StackOverflow),
};

type Device = JoinHandle<(Exit, SocketBoard)>;

fn device(slip: Option<Slip>) -> (Link<UnixStream>, Device) {
    let mut model = StandIn::new(7);
    model.slip = slip;
    loopback::spawn(model, Any, ABOUT, true)
}

#[test]
fn no_client_begins_with_the_id_of_another() {
    // A device may still answer one that left: eight clients would all have to draw the same of 65,535 ids.
    let first = |_| Link::new(UnixStream::pair().unwrap().0).send(&Request::Hello).unwrap_or_default();
    let ids: HashSet<u16> = (0..8).map(first).collect();
    assert!(ids.len() > 1 && !ids.contains(&0), "{ids:?}");
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
    assert_eq!(hello.last_end, ABOUT.last_end);
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

/// A line on which there is always another byte: `first`, then `again` without end.
struct Flood<'a> {
    first: VecDeque<u8>,
    again: std::iter::Cycle<std::iter::Copied<std::slice::Iter<'a, u8>>>,
    taken: usize,
    fed: usize,
    waited: usize,
    sent: Vec<u8>,
}

impl<'a> Flood<'a> {
    fn new(first: impl IntoIterator<Item = u8>, again: &'a [u8]) -> Self {
        let first = first.into_iter().collect();
        Flood { first, again: again.iter().copied().cycle(), taken: 0, fed: 0, waited: 0, sent: vec![] }
    }

    /// How many answers to `id` were sent.
    fn answers(&self, id: u16) -> usize {
        let mut decoder = Decoder::new();
        let mut ids = Vec::new();
        for &byte in &self.sent {
            if let Some(envelope) = decoder.push(byte) {
                ids.push(wire::open::<Response<'_>>(envelope.unwrap()).unwrap().0);
            }
        }
        ids.into_iter().filter(|&answered| answered == id).count()
    }
}

impl Board for Flood<'_> {
    fn name(&self) -> &'static str {
        "flood"
    }
    fn receive(&mut self) -> Option<u8> {
        self.taken += 1;
        self.first.pop_front().or_else(|| self.again.next())
    }
    fn wait(&mut self) {
        self.waited += 1;
    }
    fn send(&mut self, bytes: &[u8]) {
        self.sent.extend(bytes);
    }
    fn micros(&mut self) -> Option<u64> {
        None
    }
    fn feed(&mut self) {
        self.fed += 1;
    }
    fn stack_used(&self) -> u32 {
        0
    }
    fn log(&mut self, _: Event) {}
}

fn frame(id: u16, request: &Request<'_>) -> Vec<u8> {
    wire::encode(id, request, &mut [0; MAX_FRAME]).unwrap().to_vec()
}

#[test]
fn a_line_that_never_ends_stops_neither_the_work_nor_the_watchdog() {
    let digest = frame(7, &Request::Digest { ask: ASK, segments: 5 });
    let hello = frame(8, &Request::Hello);
    for again in [&[1][..], &[0], &[1, 0], &hello] {
        let mut board = Flood::new(digest.clone(), again);
        {
            let mut app = App::new(&mut board, StandIn::new(7), Any, ABOUT);
            for _ in 0..7 {
                assert_eq!(app.step(), None);
            }
        }
        assert_eq!(board.answers(7), 5, "{again:?}");
        assert!(board.taken <= 7 * RECEIVE_BYTES && board.fed >= 7, "{} {}", board.taken, board.fed);
        assert_eq!(board.waited, 0, "there was always something to take");
    }
}

#[test]
fn nor_does_it_reset_a_board_without_a_model() {
    let noise = std::iter::repeat_n(1, 20 * RECEIVE_BYTES);
    let shutdown = frame(9, &Request::Shutdown);
    let mut board = Flood::new(noise.chain([0]).chain(shutdown), &[1]);
    assert_eq!(refuse_all(&mut board, NoModel::Pack), NoModel::Pack.into());
    assert!(board.fed >= 20 && board.waited == 0, "{} {}", board.fed, board.waited);
    assert_eq!(board.answers(9), 1);
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

/// The released 4x4 model on a loopback board, and another for this side.
fn solving(
    clock: bool,
    self_test: Option<SelfTest<'static>>,
) -> (Link<UnixStream>, Device, Hrm<'static, 'static>) {
    let bytes = hrm_core::include_pack!("../../models/sudoku4-demo.hrm");
    let pack = Pack::open(bytes).unwrap();
    let model = || {
        let memory = vec![0; workspace_words(pack.shape())].leak();
        Hrm::new(pack, memory).unwrap()
    };
    let task = Sudoku::named("sudoku4").unwrap();
    let about = About { shape: *pack.shape(), self_test, ..ABOUT };
    let (link, device) = loopback::spawn(model(), task, about, clock);
    (link, device, model())
}

fn solve(tokens: &[u8]) -> Solve<'_> {
    Solve { policy: Policy::papers(), time_ms: 0, progress: true, tokens }
}

#[test]
fn a_solve_over_the_line_is_the_solve_of_this_machine() {
    let (mut link, device, mut host) = solving(true, None);
    let task = Sudoku::named("sudoku4").unwrap();
    for (index, puzzle) in puzzles::drawn(&task, 30, 4).iter().enumerate() {
        let symmetries = if index % 2 == 0 { Symmetries::Relabel } else { Symmetries::FullGroup };
        let suppose = index as u16 % 3;
        let policy = Policy { symmetries, suppose, seed: index as u64, ..Policy::papers() };
        let mut seen = Vec::new();
        let got = link
            .solve(&Solve { policy, ..solve(puzzle) }, |progress, grid| seen.push((*progress, grid.to_vec())))
            .unwrap();
        let mut solver = Solver::new(task, puzzle, policy);
        let mut ours = Vec::new();
        while let Step::Running(progress) = solver.advance(&mut host, &mut ()) {
            ours.push((progress, solver.grid().to_vec()));
        }
        assert_eq!(seen, ours, "puzzle {index}");
        assert_eq!(Some(got.answer()), solver.answer(), "puzzle {index}");
        assert!(got.micros.is_some() && !got.out_of_time);
    }
    end(link, device);
}

#[test]
fn the_watchdog_is_fed_by_every_block_and_while_idle() {
    let (mut link, device, _) = solving(true, None);
    let tokens = [1; 16];
    link.digest(Ask { member: 0, tokens: &tokens }, 3, |_| {}).unwrap();
    link.shutdown().unwrap();
    let (_, board) = device.join().unwrap();
    let shape = *Pack::open(hrm_core::include_pack!("../../models/sudoku4-demo.hrm")).unwrap().shape();
    let calls = usize::from(shape.h_cycles) * (usize::from(shape.l_cycles) + 1);
    assert!(board.fed > 3 * calls, "{} times in 3 segments of {calls} level calls", board.fed);
}

#[test]
fn a_board_without_a_clock_says_so() {
    let (mut link, device, _) = solving(false, None);
    let tokens = [1; 16];
    let limited = link.solve(&Solve { time_ms: 5, ..solve(&tokens) }, |_, _| {});
    assert!(matches!(limited, Err(LinkError::Refused(Fault::NoClock))), "{limited:?}");
    assert_eq!(link.solve(&solve(&tokens), |_, _| {}).unwrap().micros, None);
    assert_eq!(link.hello().unwrap().micros, None);
    end(link, device);
}

#[test]
fn a_self_test_is_run_at_the_start_and_its_verdict_counts() {
    let (link, device, mut host) = solving(true, None);
    end(link, device);
    let puzzle: &'static [u8] = vec![1; 16].leak();
    let digest = run_digest(&mut host, 0, puzzle, 2).unwrap();
    for (expected, sound) in [(digest, true), (digest ^ 1, false)] {
        let test = SelfTest { segments: 2, puzzles: puzzle, digests: [expected].into_iter().collect() };
        let (mut link, device, _) = solving(true, Some(test));
        let state = link.ready().unwrap().self_test;
        let answer = link.solve(&solve(puzzle), |_, _| {});
        if sound {
            assert_eq!(state, SelfTestState::Passed { puzzles: 1 });
            assert!(answer.is_ok(), "{answer:?}");
        } else {
            assert_eq!(state, SelfTestState::Failed { puzzle: 0, expected, got: digest });
            assert!(matches!(answer, Err(LinkError::Refused(Fault::SelfTest))), "{answer:?}");
        }
        assert_eq!(link.self_test().unwrap(), state);
        end(link, device);
    }
}

#[test]
fn a_board_without_a_model_says_why_to_everything_and_leaves_with_the_reason() {
    let (mut link, board) = loopback::pair(true);
    let device = std::thread::spawn(move || refuse_all(board, NoModel::Memory));
    let tokens = [1; 16];
    for refused in [link.hello().err(), link.solve(&solve(&tokens), |_, _| {}).err(), link.self_test().err()]
    {
        assert!(matches!(refused, Some(LinkError::Refused(Fault::NoModel(NoModel::Memory)))), "{refused:?}");
    }
    link.write(&[7, 1, 2, 3, 4, 5, 6, 0]).unwrap();
    let fault = link.answer(0, |r| Err::<(), _>(r));
    assert!(matches!(fault, Err(LinkError::Refused(Fault::Frame(FrameError::Checksum)))), "{fault:?}");
    link.shutdown().unwrap();
    assert_eq!(device.join().unwrap(), Exit::Memory);
}

#[test]
fn a_wrong_baud_rate_is_suspected_where_only_garbage_comes() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    let mut link = Link::new(ours);
    link.set_timeout(Duration::from_millis(300));
    theirs.write_all(&[0x9A, 0x33, 0, 0x80, 0xF3, 0x11, 0x71, 0x12, 0x13, 0]).unwrap();
    let error = link.hello().unwrap_err();
    assert!(
        matches!(error, LinkError::Stranger(_)) && advice::real(&error).unwrap().contains("baud"),
        "{error}"
    );
}

/// What is said, on a serial line, of somebody who answers whatever comes with `reply`.
fn verdict_on(reply: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> String {
    let (near, mut far) = UnixStream::pair().unwrap();
    near.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    let other = std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = std::io::Read::read(&mut far, &mut buffer) {
            if far.write_all(&reply(&buffer[..count])).is_err() {
                break;
            }
        }
    });
    let mut link = Link::new(near);
    link.set_timeout(Duration::from_millis(1200));
    let error = link.hello().unwrap_err();
    drop(link);
    other.join().unwrap();
    format!("{error}; {}", advice::real(&error).unwrap_or_default())
}

#[test]
fn other_firmware_is_told_by_what_it_says() {
    let said = verdict_on(|_| b"\r\nSyntaxError: invalid syntax\r\n>>> ".to_vec());
    assert!(
        said.contains("SyntaxError") && said.contains("Python prompt") && said.contains("flash"),
        "{said}"
    );
    let said = verdict_on(<[u8]>::to_vec);
    assert!(said.contains("the line echoes"), "{said}");
    let said = verdict_on(|_| Vec::new());
    assert!(said.contains("no answer within"), "{said}");
}
