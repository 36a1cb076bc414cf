//! From reset to the application, and from any failure to an exit code.

use core::{
    panic::PanicInfo,
    sync::atomic::{AtomicBool, Ordering},
};

use defmt::Display2Format;
#[cfg(feature = "_hardware")]
use defmt_rtt as _;
#[cfg(feature = "_semihosting")]
use defmt_semihosting as _;
use hrm_core::{
    Hrm, Pack,
    task::{Task, Visitor, visit},
    wire::{LastEnd, Memory, NoModel},
    workspace_bytes,
};
use hrm_firmware::{About, App, Exit, refuse_all};

use crate::{
    board::{Boot, Here, stack},
    last,
    tasks::Carried,
};

const WORKSPACE_WORDS: usize = Here::WORKSPACE_BYTES / size_of::<u32>();

/// The model's memory. A pack may be copied there, and those are read at multiples of 16.
#[repr(align(16))]
struct Workspace([u32; WORKSPACE_WORDS]);

/// A memory map may have a section for it, in a RAM of its own.
#[cfg_attr(workspace_apart, unsafe(link_section = ".workspace"))]
static mut WORKSPACE: Workspace = Workspace([0; WORKSPACE_WORDS]);

#[cfg_attr(target_arch = "arm", cortex_m_rt::entry)]
#[cfg_attr(target_arch = "riscv32", unsafe(no_mangle))]
fn main() -> ! {
    // SAFETY: the program begins here once, and nothing else names it.
    let workspace = unsafe { &mut *(&raw mut WORKSPACE.0) };
    let mut board = Here::start();
    let last = last::take();
    if let Some(end) = last {
        defmt::warn!("the program was started again after this: {}", end);
    }
    let prepared = match last {
        // Once: with the next reset it is read again, since another pack may be there by then.
        Some(LastEnd::PackUnreadable) => Err(NoModel::Pack),
        _ => prepare(workspace, last),
    };
    let exit = prepared.and_then(|prepared| {
        let Prepared { model, task, about } = prepared;
        let (shape, serve) = (about.shape, Serve { board: &mut board, model, about });
        visit::<Carried, _>(task, &shape, serve).map_err(|_| NoModel::Task)
    });
    let exit = exit.unwrap_or_else(|why| refuse_all(&mut board, why));
    last::forget();
    Here::exit(exit)
}

struct Prepared {
    model: Hrm<'static, 'static>,
    /// The name of the model's task.
    task: &'static str,
    about: About<'static>,
}

/// The application, for the model's task.
struct Serve<'b> {
    board: &'b mut Here,
    model: Hrm<'static, 'static>,
    about: About<'static>,
}

impl Visitor for Serve<'_> {
    type Output = Exit;

    fn visit<T: Task>(self, task: T) -> Exit {
        App::new(self.board, self.model, task, self.about).run()
    }
}

/// The model that the pack in flash makes of the workspace.
fn prepare(workspace: &'static mut [u32], last_end: Option<LastEnd>) -> Result<Prepared, NoModel> {
    let region = pack_region();
    let pack = open(region)?;
    let task = task_of(&pack).ok_or(NoModel::Task)?;
    let memory = Memory {
        pack_region: region.len() as u32,
        pack: pack.bytes() as u32,
        workspace_region: Here::WORKSPACE_BYTES as u32,
        workspace: workspace_bytes(pack.shape()) as u32,
        tokens_per_pass: 0,
        stack: stack::bytes(),
        stack_used: 0,
    };
    let (pack, workspace) = match Here::PACK_TO_RAM {
        true => nearer(pack, region, workspace)?,
        false => (pack, workspace),
    };
    let model = Hrm::new(pack, workspace).map_err(|error| {
        defmt::error!("{}", Display2Format(&error));
        NoModel::Memory
    })?;
    let memory = Memory { tokens_per_pass: model.tokens_per_pass() as u16, ..memory };
    let about =
        About { pack_crc: pack.crc(), shape: *pack.shape(), memory, self_test: pack.self_test(), last_end };
    Ok(Prepared { model, task, about })
}

/// The pack in `region`, checked.
fn open(region: &'static [u8]) -> Result<Pack<'static>, NoModel> {
    last::checking_pack(|| Pack::open(region)).map_err(|error| {
        defmt::error!("pack at {=usize:#x}: {}", region.as_ptr() as usize, Display2Format(&error));
        NoModel::Pack
    })
}

/// `pack` copied to the start of the workspace, and what is left of that; as they are where the
/// model needs more than that.
fn nearer(
    pack: Pack<'static>,
    region: &'static [u8],
    workspace: &'static mut [u32],
) -> Result<(Pack<'static>, &'static mut [u32]), NoModel> {
    let bytes = pack.bytes();
    // Whole words, and the rest begins where a pack might.
    let words = bytes.next_multiple_of(16) / size_of::<u32>();
    if 4 * words + workspace_bytes(pack.shape()) > size_of_val(workspace) {
        return Ok((pack, workspace));
    }
    let (copy, workspace) = workspace.split_at_mut(words);
    let copy: &'static mut [u8] = bytemuck::cast_slice_mut(copy);
    copy[..bytes].copy_from_slice(&region[..bytes]);
    defmt::info!("the pack is run from RAM: {=usize} bytes of it", bytes);
    Ok((open(&copy[..bytes])?, workspace))
}

/// The name of the task that the pack was made for, if this program carries it in the pack's size.
fn task_of(pack: &Pack<'static>) -> Option<&'static str> {
    struct Carries;
    impl Visitor for Carries {
        type Output = ();

        fn visit<T: Task>(self, _: T) {}
    }
    let header = match pack.header() {
        Ok(header) => header,
        Err(error) => {
            defmt::error!("the pack's header: {}", Display2Format(&error));
            return None;
        }
    };
    let shape = pack.shape();
    let carried = visit::<Carried, _>(header.task, shape, Carries).is_ok();
    if !carried {
        defmt::error!("task {=str}, {} cells, {} tokens: unknown", header.task, shape.cells, shape.vocab);
    }
    carried.then_some(header.task)
}

unsafe extern "C" {
    // Addresses from the board's memory.x; there is nothing to read at them but the pack.
    static __pack_start: u8;
    static __pack_end: u8;
}

/// The flash region that the board sets aside for a pack, read in place.
fn pack_region() -> &'static [u8] {
    let (start, end) = (&raw const __pack_start, &raw const __pack_end);
    // SAFETY: memory.x reserves the region for the pack alone, and nothing writes to
    // it while the program runs.
    unsafe { core::slice::from_raw_parts(start, end as usize - start as usize) }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    static PANICKING: AtomicBool = AtomicBool::new(false);
    // A panic inside the log would come back here: then leave without a word.
    // (A Cortex-M0+ has no read-modify-write, and a panic is no interrupt's.)
    if !PANICKING.load(Ordering::Relaxed) {
        PANICKING.store(true, Ordering::Relaxed);
        defmt::error!("{}", Display2Format(info));
        last::note(LastEnd::Panic);
    }
    Here::exit(Exit::Panic)
}
