//! What ended the program last time, kept over a reset in memory that start-up leaves alone.

use core::{
    mem::MaybeUninit,
    sync::atomic::{AtomicBool, Ordering},
};

use hrm_core::wire::LastEnd;

/// Tells a note from what memory holds after power-on.
const MAGIC: u32 = 0x1A57_0E4D;

/// The kind of end that is noted while the program runs.
const RUNNING: u32 = 5;

/// [`MAGIC`], the kind of end, two words more.
#[unsafe(link_section = ".uninit.NOTE")]
static mut NOTE: MaybeUninit<[u32; 4]> = MaybeUninit::uninit();

fn word(index: usize) -> *mut u32 {
    // SAFETY: within the array; nothing reads or writes it but by these pointers, one word at a time.
    unsafe { (&raw mut NOTE).cast::<u32>().add(index) }
}

/// Notes `end` for the next start.
pub(crate) fn note(end: LastEnd) {
    let (kind, pc, called_from) = match end {
        LastEnd::Reset => (RUNNING, 0, 0),
        LastEnd::Panic => (1, 0, 0),
        LastEnd::StackOverflow => (2, 0, 0),
        LastEnd::Exception { pc, called_from } => (3, pc, called_from),
        LastEnd::PackUnreadable => (4, 0, 0),
    };
    for (index, value) in [MAGIC, kind, pc, called_from].into_iter().enumerate() {
        // SAFETY: see `word`.
        unsafe { word(index).write_volatile(value) };
    }
}

/// Forgets: the program ends as it was asked to.
pub(crate) fn forget() {
    // SAFETY: see `word`.
    unsafe { word(0).write_volatile(0) };
}

/// What was noted before the reset, if anything was; it is told once. From here on the program runs, and a
/// reset that it does not bring about is told as such.
pub(crate) fn take() -> Option<LastEnd> {
    // SAFETY: see `word`; after power-on the words are whatever they are.
    let [magic, kind, pc, called_from] = [0, 1, 2, 3].map(|index| unsafe { word(index).read_volatile() });
    // What is still noted at the next start was not noted otherwise in between.
    note(LastEnd::Reset);
    match kind {
        _ if magic != MAGIC => None,
        RUNNING => Some(LastEnd::Reset),
        1 => Some(LastEnd::Panic),
        2 => Some(LastEnd::StackOverflow),
        3 => Some(LastEnd::Exception { pc, called_from }),
        4 => Some(LastEnd::PackUnreadable),
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
