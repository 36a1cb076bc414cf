//! From reset to the application, and from any failure to an exit code.

use core::{
    panic::PanicInfo,
    sync::atomic::{AtomicBool, Ordering},
};

use cortex_m_rt::{ExceptionFrame, entry, exception};
use defmt_semihosting as _;
use hrm_core::wire::Memory;
use hrm_firmware::{About, App, Exit};

use crate::board::{Board, Here};

#[path = "../../tests/src/standin.rs"]
mod standin;

const WORKSPACE_WORDS: usize = Here::WORKSPACE_BYTES / size_of::<u32>();

#[entry]
fn main() -> ! {
    static mut WORKSPACE: [u32; WORKSPACE_WORDS] = [0; WORKSPACE_WORDS];

    let board = Here::start();
    let region = pack_region();
    let (pack_bytes, pack_crc) = (region[0] as u32, hrm_core::digest::CRC.checksum(&region[..64]));
    let memory = Memory {
        pack_region: region.len() as u32,
        pack: pack_bytes,
        workspace_region: Here::WORKSPACE_BYTES as u32,
        workspace: WORKSPACE.len() as u32,
        stack: stack_bytes(),
    };
    let model = standin::StandIn::new(region[0]);
    let (exit, _) = App::new(board, model, standin::Any, About { pack_crc, memory }).run();
    Here::exit(exit)
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
        defmt::error!("{}", defmt::Display2Format(info));
    }
    Here::exit(Exit::Panic)
}

#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    defmt::error!("hard fault at {=u32:#010x}, called from {=u32:#010x}", frame.pc(), frame.lr());
    Here::exit(Exit::Exception)
}
