//! From reset to the application, and from any failure to an exit code.

use core::{
    panic::PanicInfo,
    sync::atomic::{AtomicBool, Ordering},
};

use cortex_m_rt::{ExceptionFrame, entry, exception};
use defmt::Display2Format;
use defmt_semihosting as _;
use hrm_core::{
    Hrm, Pack,
    task::{Task, sudoku::Sudoku},
    wire::Memory,
    workspace_bytes,
};
use hrm_firmware::{About, App, Exit};

use crate::board::{Board, Here};

const WORKSPACE_WORDS: usize = Here::WORKSPACE_BYTES / size_of::<u32>();

#[entry]
fn main() -> ! {
    static mut WORKSPACE: [u32; WORKSPACE_WORDS] = [0; WORKSPACE_WORDS];

    let board = Here::start();
    let region = pack_region();
    let pack = match Pack::open(region) {
        Ok(pack) => pack,
        Err(error) => {
            defmt::error!("pack at {=usize:#x}: {}", region.as_ptr() as usize, Display2Format(&error));
            Here::exit(Exit::Pack)
        }
    };
    let Some(task) = task_of(&pack) else { Here::exit(Exit::Task) };
    let memory = Memory {
        pack_region: region.len() as u32,
        pack: pack.bytes() as u32,
        workspace_region: Here::WORKSPACE_BYTES as u32,
        workspace: workspace_bytes(pack.shape()) as u32,
        stack: stack_bytes(),
    };
    let about = About { pack_crc: pack.crc(), memory };
    let model = match Hrm::new(pack, WORKSPACE) {
        Ok(model) => model,
        Err(error) => {
            defmt::error!("{}", Display2Format(&error));
            Here::exit(Exit::Memory)
        }
    };
    let (exit, _) = App::new(board, model, task, about).run();
    Here::exit(exit)
}

/// The task that the pack was made for, if it is one of ours and of the pack's size.
fn task_of(pack: &Pack<'_>) -> Option<Sudoku> {
    let header = match pack.header() {
        Ok(header) => header,
        Err(error) => {
            defmt::error!("the pack's header: {}", Display2Format(&error));
            return None;
        }
    };
    let shape = pack.shape();
    let task = Sudoku::from_name(header.task)
        .filter(|task| task.cells() == usize::from(shape.cells) && task.vocab() == usize::from(shape.vocab));
    if task.is_none() {
        defmt::error!("task {=str}, {} cells, {} tokens: unknown", header.task, shape.cells, shape.vocab);
    }
    task
}

unsafe extern "C" {
    // Addresses from the board's memory.x; there is nothing to read at them but the pack.
    static __pack_start: u8;
    static __pack_end: u8;
    static _stack_start: u8;
    static _stack_end: u8;
}

/// The flash region that the board sets aside for a pack, read in place.
fn pack_region() -> &'static [u8] {
    let (start, end) = (&raw const __pack_start, &raw const __pack_end);
    // SAFETY: memory.x reserves the region for the pack alone, and nothing writes to it while the program runs.
    unsafe { core::slice::from_raw_parts(start, end as usize - start as usize) }
}

fn stack_bytes() -> u32 {
    (&raw const _stack_start as usize - &raw const _stack_end as usize) as u32
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    static PANICKING: AtomicBool = AtomicBool::new(false);
    // A panic inside the log would come back here: then leave without a word.
    if !PANICKING.swap(true, Ordering::Relaxed) {
        defmt::error!("{}", Display2Format(info));
    }
    Here::exit(Exit::Panic)
}

#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    defmt::error!("hard fault at {=u32:#010x}, called from {=u32:#010x}", frame.pc(), frame.lr());
    Here::exit(Exit::Exception)
}
