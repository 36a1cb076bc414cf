//! What a page says to a board, and what it makes of the answers.

use hrm_core::Shape;
use hrm_core::digest::RunDigest;
use hrm_core::lane::LaneWidth;
use hrm_core::pack::SecondHead;
use hrm_core::solve::{Answer, GuessEnd, Policy, Progress, Status, Stop};
use hrm_core::task::Refusal;
use hrm_core::wire::{
    self, Ask, Decoder, Fault, Hello, MAX_FRAME, Memory, NoModel, PROTOCOL, Request, Response, Segment,
    SelfTestState, Solve,
};
use hrm_web_engine::line::Line;
use hrm_web_engine::session::Wish;
use proptest::prelude::*;
use serde_json::{Value, json};

const SHAPE: Shape = Shape {
    cells: 16,
    vocab: 6,
    width: 32,
    heads: 1,
    inner: 32,
    h_layers: 1,
    l_layers: 1,
    h_cycles: 2,
    l_cycles: 2,
    segments: 8,
    members: 2,
    shared_levels: true,
    rope: false,
    learned_positions: false,
    relations: 0,
    second_head: SecondHead::None,
    lanes: LaneWidth::I8,
};

const HELLO: Hello<'static> = Hello {
    firmware: "1.2.3",
    board: "a \"board\"",
    task: "sudoku4",
    pack_crc: 0xbeef,
    shape: SHAPE,
    memory: Memory {
        pack_region: 0,
        pack: 0,
        workspace_region: 0,
        workspace: 0,
        tokens_per_pass: 4,
        stack: 0,
        stack_used: 0,
    },
    self_test: SelfTestState::Passed { puzzles: 4 },
    micros: None,
    last_end: None,
};

/// What `line` makes of answers, sent as one.
fn heard(line: &mut Line, answers: &[(u16, Response<'_>)]) -> Vec<Value> {
    let mut bytes = Vec::new();
    for (id, answer) in answers {
        bytes.extend(wire::encode(*id, answer, &mut [0; MAX_FRAME]).unwrap());
    }
    serde_json::from_str(&line.hear(&bytes)).unwrap()
}

/// A line to a board that has said who it is.
fn met() -> Line {
    let mut line = Line::new();
    heard(&mut line, &[(1, Response::Hello(HELLO))]);
    line
}

/// Hands the request in a frame to `look`.
fn asked(frame: &[u8], look: impl FnOnce(u16, Request<'_>)) {
    let mut decoder = Decoder::new();
    let (last, before) = frame.split_last().unwrap();
    assert!(before.iter().all(|byte| decoder.push(*byte).is_none()));
    let (id, request) = wire::open(decoder.push(*last).unwrap().unwrap()).unwrap();
    look(id, request);
}

#[test]
fn requests_are_those_that_the_host_program_makes() {
    let line = met();
    asked(&line.hello(7).unwrap(), |id, request| assert_eq!((id, request), (7, Request::Hello)));
    asked(&line.cancel(8).unwrap(), |id, request| assert_eq!((id, request), (8, Request::Cancel)));
    let wish = Wish { guesses: 9, suppose: 2, seed: 5 };
    let tokens = [&[2, 1, 1, 5][..], &[1; 12]].concat();
    asked(&line.solve(9, "1..4............", wish).unwrap(), |id, request| {
        let policy = Policy { guesses: 9, suppose: 2, seed: 5, ..Policy::trained_for(8) };
        let solve = Solve { policy, time_ms: 0, progress: true, tokens: &tokens };
        assert_eq!((id, request), (9, Request::Solve(solve)));
    });
    asked(&line.digest(10, "1..4............", 3).unwrap(), |id, request| {
        let ask = Ask { member: 0, tokens: &tokens };
        assert_eq!((id, request), (10, Request::Digest { ask, segments: 3 }));
    });
    let told = line.solve(1, "11..............", Wish::default()).unwrap_err();
    assert!(told.contains("row 1, column 1 and row 1, column 2"), "{told}");
    assert!(Line::new().solve(1, "1...............", Wish::default()).is_err(), "whose puzzle would it be?");
}

#[test]
fn answers_become_json() {
    let mut line = Line::new();
    let told = heard(&mut line, &[(1, Response::Hello(HELLO))]);
    assert_eq!(
        told,
        [json!({ "id": 1, "is": "hello", "board": "a \"board\"", "firmware": "1.2.3", "protocol": PROTOCOL,
                 "task": "sudoku4", "crc": "0000beef", "known": true, "self_test": "passed" })]
    );
    let (grid, full) = ([[2, 3, 4, 5].as_slice(), &[1; 12]].concat(), [2; 16]);
    let progress = Progress {
        guess: 2,
        member: 0,
        segment: 3,
        segments: 20,
        halted: true,
        confidence: -5,
        violations: Some(4),
        ended: Some(GuessEnd::Settled { period: 2 }),
    };
    let answer = Answer {
        status: Status::Solved,
        stop: Stop::Accepted,
        guesses: 3,
        segments: 21,
        last_guess: Some(GuessEnd::Accepted),
        found: None,
        votes: 0,
        grid: &full,
    };
    let told = heard(
        &mut line,
        &[
            (2, Response::Progress { progress, grid: &grid }),
            (2, Response::Answer { answer, micros: Some(1500), out_of_time: false }),
            (3, Response::Cancelled),
        ],
    );
    assert_eq!(
        told,
        [
            // the third guess is the first member's second one
            json!({ "id": 2, "is": "progress", "guess": 3, "segment": 3, "mostSegments": 3, "segments": 20,
                    "confidence": -5, "qHalt": -5, "violations": 4, "ended": 3, "grid": "1234............" }),
            json!({ "id": 2, "is": "answer", "status": "solved", "why": "", "cancelled": false, "guess": 3,
                    "segments": 21, "ended": 1, "micros": 1500, "grid": "1111111111111111" }),
            json!({ "id": 3, "is": "cancelled" }),
        ]
    );
    let refused = Answer {
        status: Status::Refused(Refusal::Contradiction { first: 0, second: 5 }),
        last_guess: None,
        grid: &[],
        ..answer
    };
    let told =
        heard(&mut line, &[(4, Response::Answer { answer: refused, micros: None, out_of_time: false })]);
    assert_eq!((&told[0]["grid"], &told[0]["micros"]), (&json!(""), &json!(null)));
    assert!(told[0]["why"].as_str().unwrap().contains("row 2, column 2"), "{told:?}");
}

#[test]
fn digests_of_segments_add_up_to_that_of_the_run() {
    let mut line = met();
    let segment = |index| Segment { segment: index, ops: [7; 11], state: 9 + u32::from(index), grid: 1 };
    for _ in 0..2 {
        let mut run = RunDigest::default();
        for index in 0..3 {
            run.add(&segment(index));
            let told = heard(&mut line, &[(5, Response::Segment(segment(index)))]);
            let expected = format!("{:08x}", run.finish());
            assert_eq!(told, [json!({ "id": 5, "is": "segment", "segment": index + 1, "digest": expected })]);
        }
    }
}

#[test]
fn what_a_board_refuses_and_what_is_no_answer_are_told() {
    let mut line = met();
    for (fault, part) in [
        (Fault::NoModel(NoModel::Pack), "hrm-host device flash-pack"),
        (Fault::NoModel(NoModel::Memory), "smaller"),
        (Fault::NoModel(NoModel::Task), "HRM_FIRMWARE_FEATURES"),
        (Fault::SelfTest, "program and pack again"),
        (Fault::Busy, "wait"),
        (Fault::Puzzle(Refusal::Impossible), "no answer"),
        (Fault::NoClock, "firmware"),
    ] {
        let told = heard(&mut line, &[(3, Response::Error(fault))]);
        assert_eq!((&told[0]["id"], &told[0]["is"]), (&json!(3), &json!("refused")));
        assert!(told[0]["why"].as_str().unwrap().contains(part), "{told:?}");
    }
    let version = [json!({ "id": 0, "is": "version", "device": 9, "page": PROTOCOL })];
    assert_eq!(heard(&mut line, &[(3, Response::Error(Fault::Version { device: 9 }))]), version);
    // the same from a board that answers in its own version: a cancelled, id 1
    assert_eq!(serde_json::from_str::<Value>(&line.hear(&of_version_9())).unwrap(), json!(version));
    let garbled = json!([{ "id": 0, "is": "garbled" }]);
    for noise in [&b"MicroPython\0"[..], &[3, 1, 2, 0], &[1; 2000], &[0]] {
        let told = serde_json::from_str::<Value>(&line.hear(noise)).unwrap();
        assert_eq!(told, if noise.len() == 2000 { json!([]) } else { garbled.clone() });
    }
}

/// A frame without a zero in it but the last: COBS puts one byte before it.
fn of_version_9() -> Vec<u8> {
    let envelope = [9, 1, 4];
    let crc = hrm_core::digest::CRC.checksum(&envelope).to_le_bytes();
    assert!(!crc.contains(&0));
    [&[8], &envelope[..], &crc, &[0]].concat()
}

proptest! {
    #[test]
    fn whatever_is_sent_becomes_json(bytes: Vec<u8>, message: Vec<u8>, task in ".{0,9}", cells: u16, grid: Vec<u8>) {
        let mut line = Line::new();
        let shape = Shape { cells, segments: 0, members: 0, ..SHAPE };
        let hello = Hello { task: &task, board: &task, shape, ..HELLO };
        let progress = Response::Progress { progress: Progress::default(), grid: &grid };
        let told = heard(&mut line, &[(1, Response::Hello(hello)), (2, progress)]);
        prop_assert_eq!(told.len(), 2);
        prop_assert_eq!(&told[0]["board"], &json!(task));
        for bytes in [bytes, [&[0][..], &message, &[0]].concat()] {
            prop_assert!(serde_json::from_str::<Vec<Value>>(&line.hear(&bytes)).is_ok());
        }
    }
}
