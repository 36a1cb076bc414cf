//! A 4x4 Sudoku, solved by a model in flash on a Cortex-M0 with 16 KiB of RAM. It needs `hrm-core` and a
//! pack, nothing else of this project; semihosting, which is how it prints, is the emulator's.
#![no_std]
#![no_main]

use core::panic::PanicInfo;

use cortex_m as _; // its critical section
use cortex_m_rt::entry;
use hrm_core::{
    Hrm, Pack, Shape, include_pack,
    solve::{Policy, Solver, Status, Step},
    task::{Task, sudoku::Sudoku},
    workspace_words,
};
use semihosting::{println, process::exit};

const PACK: &[u8] = include_pack!("../../../models/sudoku4-demo.hrm");
const WORDS: usize = workspace_words(&Shape::stated_by(PACK).unwrap());

#[entry]
fn main() -> ! {
    static mut MEMORY: [u32; WORDS] = [0; WORDS];
    match solve("1.....2..3.....4", MEMORY) {
        Ok(true) => exit(0),
        Ok(false) => exit(1),
        Err(why) => {
            println!("{why}");
            exit(2)
        }
    }
}

/// Whether an answer was found; it is printed.
fn solve(text: &str, memory: &mut [u32]) -> Result<bool, &'static str> {
    let pack = Pack::open(PACK).map_err(|_| "the pack is damaged")?;
    let header = pack.header().map_err(|_| "the pack has no header")?;
    let task = Sudoku::named(header.task).ok_or("the pack is for another task")?;
    let mut model = Hrm::new(pack, memory).map_err(|_| "too little memory")?;
    let mut puzzle = [0; 16];
    task.parse(text, &mut puzzle).map_err(|_| "no puzzle")?;

    let mut solver = Solver::new(task, &puzzle, Policy::for_model(model.pack().shape()));
    loop {
        // A segment at a time: a watchdog would be fed here.
        match solver.advance(&mut model, &mut ()) {
            Step::Running(progress) => {
                println!("segment {}, guess {}", progress.segments, progress.guess + 1)
            }
            Step::Done(answer) => {
                println!("{} {:?}", task.text(answer.grid), answer.status);
                return Ok(answer.status == Status::Solved);
            }
        }
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    println!("{info}");
    exit(101)
}

#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
    println!("hard fault at {:#010x}", frame.pc());
    exit(102)
}
