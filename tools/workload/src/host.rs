//! Runs what `cargo xtask bench` counts, `hrm-bench-host PACK`: on this machine under callgrind, compiled for
//! another processor under an emulator that counts.

use std::hint::black_box;

use hrm_core::pack::AlignedBytes;
use hrm_core::{Op, Pack};
use hrm_workload::Probe;

/// Counting starts here. (The two markers differ, or the compiler would make one function of them.)
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn hrm_mark_start() {
    black_box("start");
}

/// Counting ends here.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn hrm_mark_end() {
    black_box("end");
}

struct Stdout;

impl Probe for Stdout {
    fn announce(&mut self, name: &str, work: u64) {
        println!("{work} {name}");
    }

    fn start(&mut self) {
        hrm_mark_start();
    }

    fn op(&mut self, _: Op) {}

    fn end(&mut self) {
        hrm_mark_end();
    }
}

fn main() {
    let path = std::env::args_os().nth(1).expect("the path of a pack");
    let bytes = AlignedBytes::copy_of(&std::fs::read(path).expect("a readable pack"));
    let pack = Pack::open(bytes.bytes()).expect("a sound pack");
    let mut memory = vec![0; 1 << 16];
    hrm_workload::run(pack, &mut memory, &mut Stdout).expect("enough memory");
}
