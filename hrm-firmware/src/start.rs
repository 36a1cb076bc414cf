//! From reset to the application, and from any failure to an exit code.

use core::{
    panic::PanicInfo,
    sync::atomic::{AtomicBool, Ordering},
};

use cortex_m_rt::{ExceptionFrame, entry, exception};
use defmt::Display2Format;
#[cfg(feature = "_hardware")]
use defmt_rtt as _;
#[cfg(feature = "_semihosting")]
use defmt_semihosting as _;
use hrm_core::{
    Hrm, Pack,
    task::{Task, sudoku::Sudoku},
    wire::{Memory, NoModel},
    workspace_bytes,
};
use hrm_firmware::{About, App, Exit, refuse_all};

use crate::board::{Boot, Here, stack};

const WORKSPACE_WORDS: usize = Here::WORKSPACE_BYTES / size_of::<u32>();

#[entry]
fn main() -> ! {
    static mut WORKSPACE: [u32; WORKSPACE_WORDS] = [0; WORKSPACE_WORDS];

    let mut board = Here::start();
    let exit = match prepare(WORKSPACE) {
        Ok((model, task, about)) => App::new(&mut board, model, task, about).run(),
        Err(why) => refuse_all(&mut board, why),
    };
    Here::exit(exit)
}

type Prepared = (Hrm<'static, 'static>, Sudoku, About<'static>);

/// The model that the pack in flash makes of the workspace.
fn prepare(workspace: &'static mut [u32]) -> Result<Prepared, NoModel> {
    let region = pack_region();
    let pack = Pack::open(region).map_err(|error| {
        defmt::error!("pack at {=usize:#x}: {}", region.as_ptr() as usize, Display2Format(&error));
        NoModel::Pack
    })?;
    let task = task_of(&pack).ok_or(NoModel::Task)?;
    let memory = Memory {
        pack_region: region.len() as u32,
        pack: pack.bytes() as u32,
        workspace_region: Here::WORKSPACE_BYTES as u32,
        workspace: workspace_bytes(pack.shape()) as u32,
        stack: stack::bytes(),
        stack_used: 0,
    };
    let about = About { pack_crc: pack.crc(), shape: *pack.shape(), memory, self_test: pack.self_test() };
    let model = Hrm::new(pack, workspace).map_err(|error| {
        defmt::error!("{}", Display2Format(&error));
        NoModel::Memory
    })?;
    Ok((model, task, about))
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
}

/// The flash region that the board sets aside for a pack, read in place.
fn pack_region() -> &'static [u8] {
    let (start, end) = (&raw const __pack_start, &raw const __pack_end);
    // SAFETY: memory.x reserves the region for the pack alone, and nothing writes to it while the program runs.
    unsafe { core::slice::from_raw_parts(start, end as usize - start as usize) }
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
