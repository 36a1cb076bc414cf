//! A board that is unplugged in the middle of a solve: the session waits, and the answer is the
//! one of an unbroken line.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use hrm_core::solve::{Policy, Rule, Solver, Symmetries};
use hrm_core::task::{Task, sudoku::Sudoku};
use hrm_core::wire::{Memory, Solve};
use hrm_core::{Hrm, Pack, workspace_words};
use hrm_emulator::{
    Link, bridge,
    device::{BAUD, Patience, Session, SessionError},
};
use hrm_firmware::About;
use hrm_tests::loopback;

const TIMEOUT: Duration = Duration::from_secs(20);
const PATIENCE: Patience = Patience { hello: TIMEOUT, answer: TIMEOUT, back: TIMEOUT };

fn model(pack: Pack<'static>) -> Hrm<'static, 'static> {
    Hrm::new(pack, vec![0; workspace_words(pack.shape())].leak()).unwrap()
}

#[test]
fn a_solve_goes_on_after_the_cable_came_off() {
    let bytes = hrm_core::include_pack!("../../models/sudoku4-demo.hrm");
    let pack = Pack::open(bytes).unwrap();
    let task = Sudoku::named("sudoku4").unwrap();
    let about = About {
        pack_crc: pack.crc(),
        shape: *pack.shape(),
        memory: Memory::default(),
        self_test: None,
        last_end: None,
    };
    let (mut near, board) = loopback::spawn(model(pack), task, about, true);
    let uart = near.line().try_clone().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();

    let tokens = [1; 16];
    let policy = Policy {
        rule: Rule::Majority,
        symmetries: Symmetries::FullGroup,
        guesses: 60,
        stop_when_settled: false,
        ..Policy::papers()
    };
    let solve = Solve { policy, time_ms: 0, progress: true, tokens: &tokens };
    let (unplugged, over) = (AtomicBool::new(false), AtomicBool::new(false));
    let mut losses = 0;
    let answer = thread::scope(|scope| {
        let cable = scope.spawn(|| {
            bridge::serve(&listener, &uart, &unplugged).unwrap();
            // Plugged in again.
            bridge::serve(&listener, &uart, &over).unwrap();
        });
        let mut session = Session::open(&address, BAUD, PATIENCE).unwrap();
        let answer = session.call(
            |link| {
                link.solve(&solve, |progress, _| {
                    if progress.segments == 5 {
                        unplugged.store(true, Ordering::Relaxed);
                    }
                })
            },
            |_| losses += 1,
        );
        let left = session.call(Link::shutdown, |_| {});
        over.store(true, Ordering::Relaxed);
        cable.join().unwrap();
        left.unwrap();
        answer.unwrap()
    });
    board.join().unwrap();
    assert_eq!(losses, 1, "the cable came off once");
    let mut host = model(pack);
    assert_eq!(answer.answer(), Solver::new(task, &tokens, policy).run(&mut host, &mut ()));
}

#[test]
fn a_board_that_is_not_there_is_not_waited_for_at_the_start() {
    let error = Session::open("127.0.0.1:9", BAUD, PATIENCE).err().unwrap();
    assert!(matches!(error, SessionError::Port(_)), "{error}");
    assert!(error.to_string().contains("hrm-host device emulate"), "{error}");
}
