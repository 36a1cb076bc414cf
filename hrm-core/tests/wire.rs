//! The wire format keeps every message, and nothing that arrives can upset a receiver.

use hrm_core::{
    Op, Shape,
    lane::LaneWidth,
    solve::{Answer, GuessEnd, Policy, Progress as SolveProgress, Rule, Status, Stop, Symmetries},
    task::{MAX_CELLS, Refusal},
    wire::*,
};
use proptest::{collection::vec, prelude::*};

fn op() -> impl Strategy<Value = Op> {
    prop::sample::select(Op::ALL.to_vec())
}

fn arbitrary_request(tokens: &[u8], pick: u8, a: u16, b: u32, c: u32, op: Op) -> Request<'_> {
    let ask = Ask { member: pick, tokens };
    match pick % 8 {
        0 => Request::Hello,
        1 => Request::Digest { ask, segments: a },
        2 => Request::Chunks { ask, segment: a, from: b, chunk: c },
        3 => Request::Probe { ask, segment: a, op, from: b, len: pick },
        4 => Request::Cancel,
        5 => Request::SelfTest,
        6 => Request::Solve(Solve {
            policy: policy(a, b, c),
            time_ms: c,
            progress: a.is_multiple_of(2),
            tokens,
        }),
        _ => Request::Shutdown,
    }
}

fn policy(a: u16, b: u32, c: u32) -> Policy {
    Policy {
        rule: [Rule::Checked, Rule::Majority, Rule::Unchecked][(b % 3) as usize],
        symmetries: if c.is_multiple_of(2) { Symmetries::Relabel } else { Symmetries::FullGroup },
        guesses: a,
        first_segments: a ^ 78,
        segments: a ^ 77,
        budget: b,
        stop_on_halt: b.is_multiple_of(3),
        stop_when_settled: c.is_multiple_of(3),
        patience: a / 3,
        suppose: a / 5,
        max_doubt: (b ^ c).cast_signed(),
        undoubted_segments: a / 7,
        seed: u64::from(b) << 32 | u64::from(c),
    }
}

/// The answer with the longest encoding.
fn longest_answer(grid: &[u8]) -> Response<'_> {
    let found = SolveProgress {
        guess: u16::MAX,
        member: u16::MAX,
        segment: u16::MAX,
        segments: u32::MAX,
        halted: true,
        confidence: i32::MIN,
        violations: Some(u32::MAX),
        ended: Some(GuessEnd::Settled { period: 255 }),
    };
    let answer = Answer {
        status: Status::Refused(Refusal::Contradiction { first: u16::MAX, second: u16::MAX }),
        stop: Stop::Cancelled,
        guesses: u16::MAX,
        segments: u32::MAX,
        last_guess: found.ended,
        found: Some(found),
        votes: u16::MAX,
        grid,
    };
    Response::Answer { answer, micros: Some(u64::MAX), out_of_time: true }
}

const SHAPE: Shape = Shape {
    cells: 900,
    vocab: 256,
    width: 1024,
    heads: 8,
    inner: 4096,
    h_layers: 32,
    l_layers: 32,
    h_cycles: 64,
    l_cycles: 64,
    segments: 4096,
    members: 64,
    shared_levels: true,
    rope: true,
    learned_positions: true,
    relations: 255,
    second_head: hrm_core::pack::SecondHead::Continue,
    lanes: LaneWidth::I16,
};

fn arbitrary_response(pick: u8, a: u32, words: &[i32]) -> Response<'static> {
    let memory = Memory {
        pack_region: a,
        pack: a / 2,
        workspace_region: !a,
        workspace: 7,
        tokens_per_pass: 84,
        stack: 1 << 16,
        stack_used: 9,
    };
    match pick % 10 {
        0 => Response::Hello(Hello {
            firmware: "1.2.3",
            board: "mps2-an386",
            task: "sudoku9",
            pack_crc: a,
            shape: Shape { members: pick, ..SHAPE },
            memory,
            self_test: SelfTestState::Failed { puzzle: pick, expected: a, got: !a },
            micros: a.is_multiple_of(2).then_some(u64::from(a) << 20),
            last_end: a.is_multiple_of(3).then_some(LastEnd::Exception { pc: a, called_from: !a }),
        }),
        1 => Response::Segment(Segment { segment: pick.into(), ops: [a; 11], state: !a, grid: a ^ 1 }),
        2 => Response::Chunks { crcs: words.iter().map(|&w| w as u32).collect(), total: a },
        3 => Response::Values { values: words.iter().copied().collect(), total: a },
        4 => Response::Cancelled,
        5 => Response::Error(Fault::Puzzle(Refusal::Token { cell: 80, token: pick })),
        6 => longest_answer(b"\x01\x02\x03"),
        7 => Response::Progress {
            progress: SolveProgress { segments: a, ..SolveProgress::default() },
            grid: &[2; 81],
        },
        8 => Response::SelfTest(SelfTestState::Passed { puzzles: pick }),
        _ => Response::Error(Fault::Frame(FrameError::Checksum)),
    }
}

/// Every frame in `bytes`, as the decoder sees them.
fn frames(decoder: &mut Decoder, bytes: &[u8]) -> Vec<Result<Vec<u8>, FrameError>> {
    bytes.iter().filter_map(|&byte| decoder.push(byte).map(|frame| frame.map(<[u8]>::to_vec))).collect()
}

proptest! {
    #[test]
    fn requests_round_trip(tokens in vec(any::<u8>(), 0..=MAX_CELLS), pick: u8, id: u16, a: u16, b: u32, c: u32, op in op()) {
        let request = arbitrary_request(&tokens, pick, a, b, c, op);
        let mut buffer = [0; MAX_FRAME];
        let frame = encode(id, &request, &mut buffer).unwrap();
        prop_assert_eq!(frame.iter().position(|&b| b == 0), Some(frame.len() - 1), "a zero ends the frame only");
        let found = frames(&mut Decoder::new(), frame);
        prop_assert_eq!(found.len(), 1);
        let envelope = found[0].as_ref().unwrap();
        prop_assert_eq!(open::<Request<'_>>(envelope), Ok((id, request)));
        prop_assert_eq!(id_of(envelope), id);
    }

    #[test]
    fn responses_round_trip(pick: u8, id: u16, a: u32, words in vec(any::<i32>(), 0..=MAX_PROBE)) {
        let response = arbitrary_response(pick, a, &words);
        let mut buffer = [0; MAX_FRAME];
        let found = frames(&mut Decoder::new(), encode(id, &response, &mut buffer).unwrap());
        prop_assert_eq!(open::<Response<'_>>(found[0].as_ref().unwrap()), Ok((id, response)));
    }

    #[test]
    fn garbage_never_panics_and_the_next_frame_is_understood(garbage in vec(any::<u8>(), 0..3 * MAX_FRAME), id: u16) {
        let mut decoder = Decoder::new();
        for frame in frames(&mut decoder, &garbage).into_iter().flatten() {
            let _ = (open::<Request<'_>>(&frame), open::<Response<'_>>(&frame), id_of(&frame));
        }
        decoder.push(0);
        let mut buffer = [0; MAX_FRAME];
        let found = frames(&mut decoder, encode(id, &Request::Hello, &mut buffer).unwrap());
        prop_assert_eq!(open(found[0].as_ref().unwrap()), Ok((id, Request::Hello)));
    }

    #[test]
    fn arbitrary_envelopes_never_panic(envelope in vec(any::<u8>(), 0..MAX_ENVELOPE), version in prop::bool::ANY) {
        let mut envelope = envelope;
        if let (true, Some(first)) = (version, envelope.first_mut()) {
            *first = PROTOCOL;
        }
        let _ = (open::<Request<'_>>(&envelope), open::<Response<'_>>(&envelope), id_of(&envelope));
    }

    #[test]
    fn one_changed_byte_is_noticed(tokens in vec(any::<u8>(), 0..100), at: prop::sample::Index, flip in 1_u8..) {
        let mut buffer = [0; MAX_FRAME];
        let request = Request::Digest { ask: Ask { member: 0, tokens: &tokens }, segments: 3 };
        let mut frame = encode(9, &request, &mut buffer).unwrap().to_vec();
        let end = frame.len() - 1;
        let at = at.index(end);
        frame[at] ^= flip;
        for found in frames(&mut Decoder::new(), &frame) {
            prop_assert!(found.is_err(), "a damaged frame passed");
        }
    }
}

#[test]
fn an_oversized_frame_is_refused_once_and_the_next_passes() {
    let mut decoder = Decoder::new();
    let mut bytes = vec![1; 10 * MAX_FRAME];
    bytes.push(0);
    assert_eq!(frames(&mut decoder, &bytes), [Err(FrameError::Oversized)]);
    let mut buffer = [0; MAX_FRAME];
    let found = frames(&mut decoder, encode(1, &Request::Cancel, &mut buffer).unwrap());
    assert_eq!(open(found[0].as_ref().unwrap()), Ok((1, Request::Cancel)));
}

#[test]
fn the_largest_messages_fit_a_frame() {
    let mut buffer = [0; MAX_FRAME];
    let tokens = [255; MAX_CELLS];
    let ask = Ask { member: 255, tokens: &tokens };
    let chunks = Request::Chunks { ask, segment: u16::MAX, from: u32::MAX, chunk: u32::MAX };
    assert!(encode(u16::MAX, &chunks, &mut buffer).is_ok());
    let values = Response::Values { values: [i32::MIN; MAX_PROBE].into_iter().collect(), total: u32::MAX };
    assert!(encode(u16::MAX, &values, &mut buffer).is_ok());
    let solve = Solve {
        policy: policy(u16::MAX, u32::MAX, u32::MAX),
        time_ms: u32::MAX,
        progress: true,
        tokens: &tokens,
    };
    assert!(encode(u16::MAX, &Request::Solve(solve), &mut buffer).is_ok());
    assert!(encode(u16::MAX, &longest_answer(&tokens), &mut buffer).is_ok());
    assert_eq!(encode(0, &Request::Hello, &mut [0; 8]), Err(TooLong));
}

#[test]
fn a_frame_has_room_for_an_envelope_and_no_byte_more() {
    // A code byte before the first 254 bytes, one after each further 254, and the zero at the end.
    assert_eq!(MAX_FRAME, MAX_ENVELOPE + MAX_ENVELOPE.div_ceil(254) + 1);
    assert_eq!(MAX_ENVELOPE, 1024, "boards have buffers for it");
}

#[test]
fn what_is_wrong_with_a_frame_is_said() {
    let said = [FrameError::Oversized, FrameError::Framing, FrameError::Checksum].map(|e| e.to_string());
    for (said, word) in said.iter().zip(["longer", "no frame", "checksum"]) {
        assert!(said.contains(word), "{said}");
    }
    assert!(TooLong.to_string().contains(&MAX_FRAME.to_string()));
}

#[test]
fn a_foreign_version_is_named() {
    assert_eq!(open::<Request<'_>>(&[PROTOCOL + 1, 0, 0]), Err(EnvelopeError::Version(PROTOCOL + 1)));
    assert_eq!(open::<Request<'_>>(&[PROTOCOL, 0, 99]), Err(EnvelopeError::Message));
    assert_eq!(open::<Request<'_>>(&[]), Err(EnvelopeError::Message));
}
