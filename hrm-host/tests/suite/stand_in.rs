//! A board that is none: the firmware's application on a thread of this machine, its line on a TCP port.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use hrm_core::pack::AlignedBytes;
use hrm_core::task::{Task, sudoku::Sudoku};
use hrm_core::wire::Memory;
use hrm_core::{Hrm, Pack, workspace_words};
use hrm_emulator::bridge;
use hrm_firmware::About;
use hrm_tests::loopback;

use crate::common::PACK;

/// Sets the flag when it goes, however that comes about.
struct AtEnd<'f>(&'f AtomicBool);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Has `talk` talk to a board with [`PACK`], whose address it is told.
pub(crate) fn with_board(talk: impl FnOnce(&str)) {
    let bytes = Box::leak(Box::new(AlignedBytes::copy_of(&std::fs::read(PACK).unwrap()))).bytes();
    let pack = Pack::open(bytes).unwrap();
    let task = Sudoku::named(pack.header().unwrap().task).unwrap();
    let model = Hrm::new(pack, vec![0; workspace_words(pack.shape())].leak()).unwrap();
    let (self_test, memory) = (pack.self_test(), Memory { stack: 65536, ..Memory::default() });
    let about = About { pack_crc: pack.crc(), shape: *pack.shape(), memory, self_test, last_end: None };
    let (mut near, board) = loopback::spawn(model, task, about, true);
    let uart = near.line().try_clone().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let _end = AtEnd(&over);
        scope.spawn(|| bridge::serve(&listener, &uart, &over).unwrap());
        talk(&listener.local_addr().unwrap().to_string());
    });
    near.cancel().unwrap();
    near.shutdown().unwrap();
    board.join().unwrap();
}
