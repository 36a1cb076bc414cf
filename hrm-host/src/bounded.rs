//! Memory that is not there is an error with a message, not a process that the system kills.
//!
//! Linux grants memory that it does not have and kills a process, perhaps another one, when that is used. So
//! large blocks are counted, and one beyond what was free when the program began ends it: no file is left
//! half-written, and the message says which options take memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cli::exit::Exit;

/// Blocks of fewer bytes are not counted: all of them together are small beside tensors and puzzle files.
const LARGE: usize = 64 << 10;

/// Bytes in large blocks.
static USED: AtomicUsize = AtomicUsize::new(0);

/// Bytes that they may have; none are refused before [`measure`].
static MOST: OnceLock<usize> = OnceLock::new();

/// Finds out how much memory there is.
pub(crate) fn measure() {
    let known = [available(), limit_of_group()].into_iter().flatten().min();
    let _ = MOST.set(known.unwrap_or(usize::MAX));
}

/// What the system could give without taking from other processes.
fn available() -> Option<usize> {
    let about = std::fs::read_to_string("/proc/meminfo").ok()?;
    let of = |name: &str| {
        let line = about.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.parse::<usize>().ok()
    };
    Some((of("MemAvailable:")? + of("SwapFree:").unwrap_or(0)) << 10)
}

/// What a container may have.
fn limit_of_group() -> Option<usize> {
    std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok()?.trim().parse().ok()
}

/// The system's allocator, with a bound.
pub struct Bounded;

impl Bounded {
    /// Counts `bytes` more of a large block, or ends the program.
    fn take(bytes: usize) {
        if bytes >= LARGE {
            let used = USED.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
            if MOST.get().is_some_and(|most| used > *most) {
                end(bytes);
            }
        }
    }

    fn give(bytes: usize) {
        if bytes >= LARGE {
            USED.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    /// `block` of `bytes`, unless the system has refused it.
    fn given(block: *mut u8, bytes: usize) -> *mut u8 {
        if block.is_null() && bytes >= LARGE {
            end(bytes);
        }
        block
    }
}

// SAFETY: every block is the system allocator's own; only lengths are looked at.
unsafe impl GlobalAlloc for Bounded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::take(layout.size());
        // SAFETY: as the caller promises.
        Self::given(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::take(layout.size());
        // SAFETY: as the caller promises.
        Self::given(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        Self::give(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Self::take(size);
        Self::give(layout.size());
        // SAFETY: as the caller promises.
        Self::given(unsafe { System.realloc(block, layout, size) }, size)
    }
}

/// Ends the program, for which `bytes` more are too many.
fn end(bytes: usize) -> ! {
    // What is said takes memory as well, and so do other threads until the end.
    static ENDING: AtomicUsize = AtomicUsize::new(0);
    const MIB: f64 = (1u32 << 20) as f64;
    if ENDING.fetch_add(1, Ordering::Relaxed) > 0 {
        loop {
            std::thread::park();
        }
    }
    let used = USED.load(Ordering::Relaxed);
    let told = hrm_host::files::abandon();
    eprintln!(
        "error: not enough memory: {:.0} MiB are in use, {:.0} MiB of them asked for just now, and the machine has no more to give; \
         {told}. A smaller --batch, train.batch, --rows, --segments, --count or model takes less, and so does a smaller file",
        used as f64 / MIB,
        bytes as f64 / MIB
    );
    std::process::exit(Exit::Error.code().into());
}
