//! What ended the program last time, kept over a reset in memory that start-up leaves alone.

use core::{
    mem::MaybeUninit,
    sync::atomic::{AtomicBool, Ordering},
};

/// An end that nobody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, defmt::Format)]
pub(crate) enum End {
    /// A panic; its message was in the log.
    Panic,
    /// The stack grew beyond its memory.
    StackOverflow,
    /// A processor exception.
    HardFault {
        /// Where.
        pc: u32,
        /// Called from where.
        lr: u32,
    },
    /// An exception while the pack was checked: flash whose write was cut short may fault when it is read.
    PackUnreadable,
}

/// Tells a note from what memory holds after power-on.
const MAGIC: u32 = 0x1A57_0E4D;

/// [`MAGIC`], the kind of end, two words more.
#[unsafe(link_section = ".uninit.NOTE")]
static mut NOTE: MaybeUninit<[u32; 4]> = MaybeUninit::uninit();

fn word(index: usize) -> *mut u32 {
    // SAFETY: within the array; nothing reads or writes it but by these pointers, one word at a time.
    unsafe { (&raw mut NOTE).cast::<u32>().add(index) }
}

/// Notes `end` for the next start.
pub(crate) fn note(end: End) {
    let (kind, pc, lr) = match end {
        End::Panic => (1, 0, 0),
        End::StackOverflow => (2, 0, 0),
        End::HardFault { pc, lr } => (3, pc, lr),
        End::PackUnreadable => (4, 0, 0),
    };
    for (index, value) in [MAGIC, kind, pc, lr].into_iter().enumerate() {
        // SAFETY: see `word`.
        unsafe { word(index).write_volatile(value) };
    }
}

/// What was noted before the reset, if anything was; it is told once.
pub(crate) fn take() -> Option<End> {
    // SAFETY: see `word`; after power-on the words are whatever they are.
    let [magic, kind, pc, lr] = [0, 1, 2, 3].map(|index| unsafe { word(index).read_volatile() });
    // SAFETY: see `word`.
    unsafe { word(0).write_volatile(0) };
    match kind {
        _ if magic != MAGIC => None,
        1 => Some(End::Panic),
        2 => Some(End::StackOverflow),
        3 => Some(End::HardFault { pc, lr }),
        4 => Some(End::PackUnreadable),
        _ => None,
    }
}

/// Whether the pack is being checked.
static CHECKING: AtomicBool = AtomicBool::new(false);

/// Does `check`, which reads the pack: an exception within is the pack's.
pub(crate) fn checking_pack<T>(check: impl FnOnce() -> T) -> T {
    CHECKING.store(true, Ordering::SeqCst);
    let result = check();
    CHECKING.store(false, Ordering::SeqCst);
    result
}

/// Whether an exception comes from within [`checking_pack`].
pub(crate) fn is_checking_pack() -> bool {
    CHECKING.load(Ordering::SeqCst)
}
