//! The emulated boards as a product would use them: solving, self-test, load, faults, resets, a
//! TCP port, a foreign client.
//!
//! These need QEMU and the firmware images, as those in `emulated.rs` do.

use std::{
    collections::BTreeSet,
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use hrm_core::{
    Shape,
    digest::CRC,
    solve::{Policy, Rule, Status, Stop},
    task::{
        Refusal, Task,
        sudoku::{BLANK, Sudoku},
    },
    wire::{self, Ask, Fault, MAX_FRAME, Request, Response, SelfTestState, Solve},
};
use hrm_emulator::{
    Board, Image, Link, LinkError, Machine,
    board::{BOARDS, corrupted},
    bridge,
};
use hrm_firmware::Exit;
use hrm_tests::{
    pack_file::PackFile,
    puzzles,
    soak::{self, Amount, Known, endless, solved_here},
    synthetic::{self, ModelKind, with_self_test},
};

const SMALL: ModelKind = ModelKind { layers: 1, ..synthetic::SMALL };

/// The policy that docs/client.py asks for, in its own words: the one recommended for the trained model.
fn clients_policy() -> Policy {
    Policy::for_model(&Shape::stated_by(&trained()).unwrap())
}

/// Policies that a client might ask for in its place.
fn other_policies() -> [Policy; 2] {
    assert_ne!(clients_policy(), Policy::trained_for(16), "this model was not trained for so many");
    [Policy::papers(), Policy::trained_for(16)]
}

/// Puzzles that the trained model solves at the first guess, and for each of the other policies one that takes
/// it several and shows by its answer that it is not that one which was asked for.
fn easy_and_hard(task: Sudoku) -> Vec<Vec<u8>> {
    let pack = trained();
    let of = |puzzle: &Vec<u8>, policy| solved_here(&pack, task, puzzle, policy);
    let (mut easy, hard): (Vec<_>, Vec<_>) = puzzles::drawn(&task, 4000, 9)
        .into_iter()
        .partition(|puzzle| of(puzzle, clients_policy()).guesses <= 1);
    easy.truncate(2);
    let telling = |other| hard.iter().find(|puzzle| of(puzzle, other) != of(puzzle, clients_policy()));
    easy.extend(other_policies().into_iter().filter_map(telling).cloned());
    easy
}

#[test]
fn a_policy_is_told_apart_from_others_by_the_clients_puzzles() {
    let puzzles = easy_and_hard(tasks().0);
    assert_eq!(puzzles.len(), 4, "two easy ones and two hard ones");
}

/// A pack that solves puzzles.
fn trained() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/sudoku4-demo.hrm")).unwrap()
}

fn tasks() -> (Sudoku, Vec<Vec<u8>>) {
    let task = Sudoku::named("sudoku4").unwrap();
    (task, puzzles::drawn(&task, 40, 9))
}

fn solve(tokens: &[u8], policy: Policy) -> Solve<'_> {
    Solve { policy, time_ms: 0, progress: false, tokens }
}

#[test]
#[ignore = "needs the emulator and the firmware: cargo xtask test"]
fn every_board_solves_as_this_machine_does() {
    let (task, puzzles) = tasks();
    let pack = trained();
    let file = PackFile::new(&pack);
    let policies = [
        Policy::papers(),
        Policy { guesses: 20, seed: 7, ..clients_policy() },
        Policy { rule: Rule::Majority, stop_on_halt: true, guesses: 3, ..Policy::papers() },
    ];
    for board in BOARDS {
        let (mut machine, _) = file.boot(board);
        let mut seen = BTreeSet::new();
        for (index, puzzle) in puzzles.iter().take(6).enumerate() {
            let policy = policies[index % policies.len()];
            let mut progress = Vec::new();
            let request = Solve { progress: true, ..solve(puzzle, policy) };
            let got = machine
                .call(|link| link.solve(&request, |p, grid| progress.push((*p, grid.to_vec()))))
                .unwrap();
            let ours = solved_here(&pack, task, puzzle, policy);
            assert_eq!(got.answer(), ours.answer(), "{} puzzle {index}", board.name);
            assert!(got.micros.is_some());
            // A progress for every segment but the last, which the answer stands for.
            assert_eq!(progress.len() as u32 + 1, got.segments.max(1), "{} puzzle {index}", board.name);
            assert!(progress.iter().all(|(_, grid)| grid.len() == 16));
            if got.status == Status::Solved {
                assert!(task_accepts(&task, puzzle, &got.grid));
            }
            seen.insert(format!("{:?}", got.status));
        }
        assert!(seen.contains("Solved"), "{} solved nothing: {seen:?}", board.name);
        let bad = solve(&[BLANK; 3], Policy::papers());
        let refused = machine.call(|link| link.solve(&bad, |_, _| {})).unwrap();
        assert_eq!(refused.status, Status::Refused(Refusal::Length { expected: 16, got: 3 }));
        assert_eq!(machine.shutdown().unwrap().code(), Some(0));
    }
}

fn task_accepts(task: &Sudoku, puzzle: &[u8], grid: &[u8]) -> bool {
    hrm_core::task::Task::accepts(task, puzzle, grid)
}

#[test]
#[ignore = "needs the emulator and the firmware: cargo xtask test"]
fn a_solve_can_be_cancelled_limited_and_interrupted_by_questions() {
    let (_, puzzles) = tasks();
    let file = PackFile::new(&synthetic::pack(SMALL, 3));
    for board in BOARDS {
        let (mut machine, _) = file.boot(board);
        let blank = vec![BLANK; 16];
        // The device says hello, refuses a second puzzle, and drops the first, with what it has found.
        let long = machine.call(|link| link.send(&Request::Solve(endless(&blank)))).unwrap();
        machine.call(Link::hello).unwrap();
        let busy = machine.call(|link| Ok(link.solve(&solve(&puzzles[0], Policy::papers()), |_, _| {})));
        assert!(matches!(busy, Ok(Err(LinkError::Refused(Fault::Busy)))), "{busy:?}");
        machine.call(|link| link.send(&Request::Cancel)).unwrap();
        let dropped = machine
            .call(|link| {
                link.answer(long, |response| match response {
                    Response::Answer { answer, .. } => Ok((answer.status, answer.stop, answer.grid.len())),
                    other => Err(other),
                })
            })
            .unwrap();
        assert_eq!(dropped, (Status::Unproven, Stop::Cancelled, 16), "{}", board.name);
        // A limit of time.
        let late = Solve { time_ms: 200, ..endless(&blank) };
        let late = machine.call(|link| link.solve(&late, |_, _| {})).unwrap();
        assert!(late.out_of_time && late.stop == Stop::Cancelled, "{late:?}");
        assert!(late.micros.unwrap() >= 200_000, "{late:?}");
        machine.shutdown().unwrap();
    }
}

#[test]
#[ignore = "needs the emulator and the firmware: cargo xtask test"]
fn a_self_test_passes_on_sound_boards_and_fails_on_corrupted_ones() {
    let (_, puzzles) = tasks();
    let pack =
        with_self_test(&synthetic::pack(ModelKind { members: 2, layers: 2, ..SMALL }, 11), &puzzles[..4], 3);
    let file = PackFile::new(&pack);
    for board in BOARDS {
        let (mut machine, hello) = file.boot(board);
        assert_eq!(hello.self_test, SelfTestState::Passed { puzzles: 4 }, "{}", board.name);
        assert_eq!(machine.call(Link::self_test).unwrap(), SelfTestState::Passed { puzzles: 4 });
        machine.shutdown().unwrap();
    }
    for board in corrupted() {
        let image = Image::built(&format!("{}-fault-injection", board.name)).unwrap();
        let (mut machine, hello) = Machine::boot(board, image, &file.path).unwrap();
        assert!(matches!(hello.self_test, SelfTestState::Failed { .. }), "{}: {hello:?}", board.name);
        let refused = machine.call(|link| Ok(link.solve(&solve(&puzzles[0], Policy::papers()), |_, _| {})));
        assert!(matches!(refused, Ok(Err(LinkError::Refused(Fault::SelfTest)))), "{refused:?}");
        // What finds the fault still works.
        let ask = Ask { member: 0, tokens: &puzzles[0] };
        assert_eq!(machine.call(|link| link.digest(ask, 1, |_| {})).unwrap().len(), 1);
        machine.shutdown().unwrap();
    }
    let (mut machine, _) = PackFile::new(&trained_without_self_test()).boot(BOARDS[0]);
    let none = machine.call(|link| Ok(link.self_test()));
    assert!(matches!(none, Ok(Err(LinkError::Refused(Fault::NoSelfTest)))), "{none:?}");
}

fn trained_without_self_test() -> Vec<u8> {
    synthetic::pack(SMALL, 2)
}

#[test]
#[ignore = "needs the emulator and the firmware: cargo xtask test"]
fn ten_thousand_requests_leave_no_trace() {
    let amount = Amount { requests: 10_000, noise: 1_000, stalls: 20, cuts: 20, leaves: 20 };
    let found =
        soak::on_board(&Known::tiny(), BOARDS[0], amount, 1).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert!(found.answered >= 10_000 && found.refused > 1_000 && found.noticed > 500, "{found:?}");
    assert!(found.stack > 0, "{found:?}");
}

#[test]
#[ignore = "needs the emulator and the firmware: cargo xtask test"]
fn every_board_survives_noise_resets_and_clients_that_leave() {
    let known = Known::of(&trained(), 40, 9).unwrap();
    for board in BOARDS {
        let amount = Amount { requests: 40, noise: 200, stalls: 4, cuts: 8, leaves: 4 };
        let found = soak::on_board(&known, board, amount, 2)
            .unwrap_or_else(|wrong| panic!("{}: {wrong}", board.name));
        assert!(found.solved > 0 && found.noticed > 100, "{}: {found:?}", board.name);
    }
}

/// Some UARTs of QEMU hold everything up while nobody reads what they send.
#[test]
#[ignore = "needs the emulator and the firmware: cargo xtask test"]
fn a_board_that_nobody_reads_can_be_reset() {
    let file = PackFile::new(&synthetic::pack(SMALL, 3));
    let blank = vec![BLANK; 16];
    thread::scope(|scope| {
        for board in BOARDS {
            let (file, blank) = (&file, &blank);
            scope.spawn(move || {
                let (mut machine, _) = file.boot(board);
                let told = Solve { progress: true, ..endless(blank) };
                machine.call(|link| link.send(&Request::Solve(told))).unwrap();
                // More than the line holds.
                thread::sleep(Duration::from_secs(6));
                machine.reset().unwrap_or_else(|error| panic!("{error}"));
                machine.call(Link::ready).unwrap();
                machine.shutdown().unwrap();
            });
        }
    });
}

#[test]
#[ignore = "needs the emulator and the firmware: cargo xtask test"]
fn a_watchdog_ends_a_board_that_makes_no_progress() {
    // A host that asks and asks and never listens: once every buffer in between is full, the
    // board waits for it in vain.
    let file = PackFile::new(&synthetic::pack(SMALL, 3));
    // QEMU's netduinoplus2 has no watchdog.
    let watched: Vec<Board> = BOARDS.into_iter().filter(|board| board.name != "netduinoplus2").collect();
    thread::scope(|scope| {
        for &board in &watched {
            let file = &file;
            scope.spawn(move || {
                let (mut machine, _) = file.boot(board);
                let mut line = machine.line().unwrap();
                line.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
                let mut buffer = [0; MAX_FRAME];
                let hello = wire::encode(1, &Request::Hello, &mut buffer).unwrap().repeat(1_000);
                while std::io::Write::write_all(&mut line, &hello).is_ok() {}
                let status = machine.wait(Duration::from_secs(120)).unwrap();
                let log = machine.log().join("\n");
                assert_eq!(status.code(), Some(Exit::Watchdog.code().into()), "{}: {log}", board.name);
                assert!(log.contains("watchdog: no progress"), "{}: {log}", board.name);
            });
        }
    });
}

#[test]
#[ignore = "needs the emulator and the firmware: cargo xtask test"]
fn the_program_to_try_a_watchdog_with_is_ended_by_it() {
    let file = PackFile::new(&synthetic::pack(SMALL, 3));
    let image = Image::built(&format!("{}-unfed", BOARDS[0].name)).unwrap();
    let (mut machine, _) = Machine::boot(BOARDS[0], image, &file.path).unwrap();
    // It answers for a while.
    machine.call(Link::hello).unwrap();
    let status = machine.wait(Duration::from_secs(120)).unwrap();
    let log = machine.log().join("\n");
    assert_eq!(status.code(), Some(Exit::Watchdog.code().into()), "{log}");
}

#[test]
#[ignore = "needs the emulator and the firmware: cargo xtask test"]
fn another_language_and_a_second_client_are_served_over_tcp() {
    let (task, _) = tasks();
    let policy = clients_policy();
    let puzzles = easy_and_hard(task);
    let pack = trained();
    let file = PackFile::new(&pack);
    let (mut machine, _) = file.boot(BOARDS[0]);
    let uart = machine.line().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let served = scope.spawn(|| bridge::serve(&listener, &uart, &stop));
        // A client that breaks off in the middle of a frame.
        let mut rude = TcpStream::connect(address).unwrap();
        std::io::Write::write_all(&mut rude, &[9, 9, 9]).unwrap();
        drop(rude);
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/client.py");
        for puzzle in &puzzles {
            let text = task.text(puzzle).to_string();
            let output = Command::new("python3").arg(&program).arg(address.to_string()).arg(&text).output();
            let output = output.expect("python3, which the example client is written in");
            let (out, err) =
                (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert!(output.status.success(), "{out}\n{err}");
            let ours = solved_here(&pack, task, puzzle, policy);
            let status = format!("{:?}", ours.status).to_lowercase();
            let line = format!(
                "{status} {} guesses {} segments {}",
                task.text(&ours.grid),
                ours.guesses,
                ours.segments
            );
            assert!(out.lines().any(|found| found.starts_with(&line)), "{out}\nwanted: {line}");
        }
        stop.store(true, Ordering::Relaxed);
        served.join().unwrap().unwrap();
    });
    machine.shutdown().unwrap();
}

/// The worked example of docs/PROTOCOL.md, with which others try their implementation.
#[test]
fn the_documents_example_is_right() {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/PROTOCOL.md")).unwrap();
    let mut buffer = [0; MAX_FRAME];
    let frame = wire::encode(1, &Request::Hello, &mut buffer).unwrap();
    assert!(text.contains(&format!("`{}`", hex(frame))), "the frame is {}", hex(frame));
    let check = CRC.checksum(b"123456789");
    assert!(text.contains(&format!("0x{check:08X}")), "the check value is {check:08X}");
    assert!(text.contains(&format!("version {}", wire::PROTOCOL)));
}
