//! What the program makes for boards, and what it says where there is none.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hrm_emulator::Link;
use hrm_emulator::board::INSTALL_PROBE_RS;
use hrm_emulator::device::{BAUD, Patience, Session, ports};

use crate::common::{command, generated, root, said};
use crate::stand_in::with_board;

fn hrm(args: &[&str]) -> (i32, String, String) {
    crate::common::hrm(root(), args)
}

const PACK: &str = "models/sudoku4-demo.hrm";

#[test]
fn a_pack_becomes_a_file_for_the_drive_of_a_pico_2() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("pack.uf2");
    let args = ["device", "uf2", "pico2", PACK, "--out", out.to_str().unwrap()];
    for _ in 0..2 {
        // The second time it replaces its own earlier output.
        let (code, _, err) = hrm(&args);
        assert_eq!(code, 0, "{err}");
    }
    let pack = fs::read(root().join(PACK)).unwrap();
    let file = fs::read(&out).unwrap();
    let word = |block: &[u8], index: usize| u32::from_le_bytes(block[4 * index..][..4].try_into().unwrap());
    let mut flash = Vec::new();
    for (number, block) in file.chunks(512).enumerate() {
        assert_eq!(word(block, 3), 0x1020_0000 + flash.len() as u32, "block {number}");
        flash.extend_from_slice(&block[32..32 + 256]);
    }
    assert_eq!(flash.len() % 4096, 0);
    assert!(flash.starts_with(&pack) && flash[pack.len()..].iter().all(|&byte| byte == 0xFF));

    fs::write(&out, "somebody's").unwrap();
    let (code, _, err) = hrm(&args);
    assert!(code != 0 && err.contains("pack.uf2"), "{code} {err}");
    assert_eq!(fs::read(&out).unwrap(), b"somebody's");
}

#[test]
fn a_board_without_such_a_drive_is_told_of_other_ways() {
    let (code, _, err) = hrm(&["device", "uf2", "olimex-h405", PACK, "--out", "never.uf2"]);
    assert!(code != 0 && err.contains("olimex-h405") && err.contains("boards/README.md"), "{code} {err}");
    assert!(!root().join("never.uf2").exists());
}

#[test]
fn a_log_session_leaves_nothing_armed() {
    // Any image will do where the command is only printed; without one the build command is named.
    let (_, out, err) = hrm(&["device", "log", "pico2", "--dry-run"]);
    assert!(
        out.contains("--no-catch-reset --no-catch-hardfault") || err.contains("cargo xtask firmware"),
        "{out}{err}"
    );
}

#[test]
fn where_probe_rs_is_missing_its_right_version_and_the_ways_without_it_are_named() {
    let mut program = command(&root(), &["device", "flash-pack", "pico2", PACK]);
    let (code, _, err) = said(program.env("PATH", "").output().unwrap());
    assert!(code == 1 && err.contains(INSTALL_PROBE_RS) && err.contains("Without a probe"), "{code} {err}");
}

#[test]
fn a_pack_for_a_task_that_boards_lack_by_default_is_told_with_the_program_that_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("pack.uf2");
    for (pack, noted) in [("models/maze-mini.hrm", true), (PACK, false)] {
        let flash = ["device", "flash-pack", "pico2", pack, "--dry-run"];
        for args in [&flash[..], &["device", "uf2", "pico2", pack, "--out", out.to_str().unwrap()]] {
            let (code, _, err) = hrm(args);
            assert_eq!(code, 0, "{args:?}: {err}");
            let told = err.contains("`HRM_FIRMWARE_FEATURES=task-maze cargo xtask firmware pico2`");
            assert_eq!(told, noted, "{args:?}: {err}");
        }
    }
}

#[test]
fn a_board_that_does_not_answer_is_waited_for_as_long_as_the_user_says() {
    // Whoever connects waits in the listener's queue, as behind another program.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (code, _, err) = hrm(&["device", "info", "--port", &address, "--timeout", "1"]);
    assert!(code == 1 && err.contains("no answer within 1 s"), "{code} {err}");
    assert!(err.contains("is another program connected to it"), "{err}");
}

/// Whether `line` is `quoted`, in which `…` stands for anything.
fn is_quoted(line: &str, quoted: &str) -> bool {
    let mut rest = line;
    let mut parts = quoted.split('…');
    let Some(first) = parts.next() else { return false };
    let Some(after) = rest.strip_prefix(first) else { return false };
    rest = after;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty() || quoted.ends_with('…')
}

#[test]
fn what_the_first_steps_with_a_board_quote_is_what_is_printed() {
    assert!(is_quoted("ok 12 of 13 bytes", "ok … of 13 bytes") && !is_quoted("ok 12 of 14", "ok … of 13"));
    let document = fs::read_to_string(root().join("docs/FIRST_BOARD.md")).unwrap();
    let quoted = |from: &str| {
        let block = document.split("```text\n").find(|block| block.starts_with(from)).unwrap();
        block.split("```").next().unwrap().replace("pico2", "loopback")
    };
    let same = |quoted: &str, printed: &str| {
        assert_eq!(quoted.trim().lines().count(), printed.trim().lines().count(), "{quoted}{printed}");
        for (quoted, line) in quoted.lines().zip(printed.lines()) {
            // The estimate is for real boards.
            let is_speed = line.starts_with("speed") && quoted.starts_with("speed");
            assert!(is_speed || is_quoted(line, quoted), "quoted:  {quoted}\nprinted: {line}");
        }
    };
    with_board(|address| {
        let (code, out, err) = hrm(&["device", "check", PACK, "--port", address]);
        assert_eq!(code, 0, "{out}{err}");
        same(&quoted("board       "), &out);
        let (code, out, err) = hrm(&["device", "info", "--port", address]);
        assert_eq!(code, 0, "{out}{err}");
        same(&quoted("board      "), &out);
        let (code, out, err) = hrm(&["device", "solve", "1.....2..3.....4", "--port", address]);
        assert_eq!(code, 0, "{out}{err}");
        same(&quoted("    1  "), &out);
    });
}

#[test]
fn proving_a_board_tells_how_far_it_is_and_what_is_known_when_it_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    generated(at, "rows.csv", "500", "1");
    with_board(|address| {
        let all = ["--data", "rows.csv", "--rows", "500", "--segments", "400", "--progress", "0"];
        let args = [&["device", "verify", crate::common::PACK, "--port", address], &all[..]].concat();
        let mut child = command(at, &args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        // A board that has just begun may be testing itself; that is told before.
        let begun = lines.find(|line| line.starts_with("comparing ")).unwrap();
        assert!(begun.contains("500 puzzles"), "{begun}");
        assert!(lines.any(|line| line.starts_with("equal so far: 1 of 500 puzzles")));
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        let rest: Vec<String> = lines.collect();
        let (code, out, _) = said(child.wait_with_output().unwrap());
        assert_eq!((code, out.as_str()), (130, ""), "{rest:?}");
        let known =
            rest.iter().any(|line| line.starts_with("equal on ") && line.ends_with(" of 500 puzzles"));
        assert!(known && rest.last().is_some_and(|line| line.starts_with("interrupted")), "{rest:?}");
    });
}

/// A hard puzzle on a slow board would take hours: every solve has a bound, and the time is told beforehand.
#[test]
fn proving_a_board_has_a_bound_and_tells_how_long_it_takes() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    generated(at, "rows.csv", "20", "1");
    with_board(|address| {
        let verify = |more: &[&str]| {
            let args = ["device", "verify", crate::common::PACK, "--port", address, "--data", "rows.csv"];
            let (code, out, err) = crate::common::hrm(at, &[&args[..], more].concat());
            assert_eq!(code, 0, "{out}{err}");
            assert!(
                err.lines().any(|line| line.starts_with("this takes ") && line.ends_with(" in all")),
                "{err}"
            );
            (out, err)
        };
        let (out, err) = verify(&[]);
        assert!(err.contains(" and a solve of at most 64 segments each"), "{err}");
        assert!(out.ends_with("; and 20 answers\n"), "{out}");
        let (out, err) = verify(&["--budget", "1"]);
        assert!(err.contains(" and a solve of at most 1 segment each"), "{err}");
        assert!(out.ends_with(" of them where --budget ended the solve\n"), "{out}");
        let (out, err) = verify(&["--budget", "0"]);
        assert!(!err.contains("solve") && out.ends_with(" operation groups each\n"), "{out}{err}");
    });
}

#[test]
fn solving_on_a_board_tells_progress_where_there_is_no_terminal() {
    with_board(|address| {
        let puzzles = ["................", "1.....2..3.....4"];
        let args = [&["device", "solve", "--progress", "0", "--port", address], &puzzles[..]].concat();
        let (code, out, err) = hrm(&args);
        assert_eq!((code, out.lines().count()), (0, 2), "{out}{err}");
        assert!(err.contains("solving: 0 of 2 puzzles; guess 1, segment 1"), "{err}");
        let last = err.lines().find(|line| line.starts_with("solving: 2 of 2 puzzles"));
        assert!(last.is_some_and(|line| !line.contains("left")), "{err}");
    });
}

#[test]
fn without_a_port_nothing_is_taken_that_is_no_usb_port() {
    let found = ports().unwrap();
    if found.iter().any(|port| port.is_usb) {
        // It may well be a board.
        return;
    }
    let mut program = command(&root(), &["device", "info"]);
    let (code, _, err) = said(program.env_remove("HRM_DEVICE").output().unwrap());
    assert!(code == 1 && err.contains("no board was found") && err.contains("--port"), "{code} {err}");
    for port in found {
        assert!(err.contains(&port.name), "{}: {err}", port.name);
    }
}

#[test]
fn half_an_address_is_a_misuse_that_is_told_with_the_whole() {
    for (args, whole) in [
        (&["info", "--port", "127.0.0.1"][..], "127.0.0.1:3333"),
        (&["solve", "1.....2..3.....4", "--port", "4000"], "127.0.0.1:4000"),
        (&["emulate", "mps2-an386", PACK, "--listen", "4000"], "127.0.0.1:4000"),
        (&["emulate", "mps2-an386", PACK, "--listen", "10.0.0.1"], "10.0.0.1:3333"),
    ] {
        let (code, _, err) = hrm(&[&["device"], args].concat());
        assert!(code == 2 && err.contains(&format!("such as {whole}")), "{args:?}: {code} {err}");
    }
}

#[test]
fn a_bad_pack_is_told_before_a_board_is_emulated() {
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.hrm");
    let mut bytes = fs::read(root().join(PACK)).unwrap();
    bytes[20_000] ^= 1;
    fs::write(&bad, bytes).unwrap();
    let bad = bad.to_str().unwrap();
    // No image is looked for before.
    let mut program = command(&root(), &["device", "emulate", "mps2-an386", bad, "--listen", "127.0.0.1:0"]);
    let (code, out, err) = said(program.env("HRM_FIRMWARE", folder.path()).output().unwrap());
    assert!(code == 1 && out.is_empty() && err.contains(bad), "{code} {err}");
    assert!(!err.contains("flash") && !err.contains("reset"), "{err}");
}

#[test]
fn solving_on_a_board_tells_what_was_solved_when_it_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    generated(at, "rows.csv", "5000", "1");
    with_board(|address| {
        let args = ["device", "solve", "--file", "rows.csv", "--progress", "0", "--port", address];
        let mut child = command(at, &args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(answers.by_ref().take(20).all(|line| line.contains("solved after")));
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        let more = answers.count();
        let (code, _, err) = said(child.wait_with_output().unwrap());
        assert_eq!(code, 130, "{err}");
        let told = err.lines().find(|line| line.ends_with(" of 5,000 puzzles in all")).expect(&err);
        let number = |from: &str| {
            let rest = &told[told.find(from).unwrap() + from.len()..];
            rest.split(' ').next().unwrap().parse::<usize>().unwrap()
        };
        let (solved, asked) = (number("solved "), number("of the "));
        // The last answer may be printed after it was counted, or before.
        assert!(solved <= asked && asked.abs_diff(20 + more) <= 1, "{told}, {more} more lines");
    });
}

/// `device emulate` with `pack`, and the address where the board listens.
#[cfg(target_os = "linux")]
fn emulated(pack: &str) -> (Child, String) {
    let args = ["device", "emulate", "mps2-an386", pack, "--listen", "127.0.0.1:0"];
    let mut program = command(&root(), &args);
    let mut child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines().map(Result::unwrap);
    let listens = lines.next().expect("it says that it listens");
    let address = listens.rsplit(' ').next().unwrap().to_owned();
    (child, address)
}

/// The processes that `parent` has started.
#[cfg(target_os = "linux")]
fn children(parent: &Child) -> Vec<String> {
    let id = parent.id();
    let ids = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    ids.split_whitespace().map(str::to_owned).collect()
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs the emulator and the firmware: cargo xtask test"]
fn an_emulated_board_ends_with_a_code_that_says_how_and_leaves_nothing_running() {
    // As a host asks it to.
    let (child, address) = emulated(PACK);
    let patience = Duration::from_secs(20);
    let patience = Patience { hello: patience, answer: patience, back: patience };
    Session::open(&address, BAUD, patience).unwrap().call(Link::shutdown, |_| {}).unwrap();
    let (code, _, err) = said(child.wait_with_output().unwrap());
    assert_eq!(code, 0, "{err}");
    for (signal, expected) in [("-INT", Some(130)), ("-TERM", Some(130)), ("-KILL", None)] {
        let (child, address) = emulated(PACK);
        let qemu = children(&child);
        assert_eq!(qemu.len(), 1, "{qemu:?}");
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), expected, "{signal}: {err}");
        assert!(
            expected.is_none() || err.contains("interrupted; the board is switched off"),
            "{signal}: {err}"
        );
        let stat = || fs::read_to_string(format!("/proc/{}/stat", qemu[0])).unwrap_or_default();
        let runs = || stat().rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with(['Z', 'X']));
        let end = Instant::now() + Duration::from_secs(20);
        while runs() {
            assert!(Instant::now() < end, "{signal}: QEMU still runs");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(std::net::TcpStream::connect(&address).is_err(), "{signal}");
    }
}

#[test]
#[ignore = "needs the emulator and the firmware: cargo xtask test"]
fn an_emulated_board_without_the_packs_task_is_told_with_the_program_that_has_it() {
    let args = ["device", "emulate", "mps2-an386", "models/maze-mini.hrm", "--listen", "127.0.0.1:0"];
    let (code, out, err) = hrm(&args);
    assert!(code == 1 && out.is_empty(), "{code} {out}{err}");
    assert!(err.contains("`HRM_FIRMWARE_FEATURES=task-maze cargo xtask firmware mps2-an386`"), "{err}");
    assert!(!err.contains("xtask run") && !err.contains("flash a"), "{err}");
}
