//! Memory that is not there is an error with a message, not a process that the system kills.
//!
//! Linux grants memory that it does not have and kills a process, perhaps another one, when that is used. So
//! large blocks are counted, and one for which there is no room at the time ends the program: no file is left
//! half-written, and the message says which options take memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs::read_to_string;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cli::exit::Exit;

/// Blocks of fewer bytes are not counted: all of them together are small beside tensors and puzzle files.
const LARGE: usize = 64 << 10;

/// The large blocks of this process.
static BOUND: Bound = Bound::new();

/// Has every large block from now on judged by what there is room for.
pub(crate) fn measure() {
    BOUND.unseen.store(0, Ordering::Relaxed);
}

/// Large blocks, and how many more may be asked for before memory is looked at again.
struct Bound {
    /// Bytes in large blocks.
    used: AtomicUsize,
    /// Bytes that may be asked for without another look: an eighth of what was left at the last one.
    unseen: AtomicUsize,
}

impl Bound {
    /// Nothing is looked at before somebody sets [`Self::unseen`].
    const fn new() -> Self {
        Bound { used: AtomicUsize::new(0), unseen: AtomicUsize::new(usize::MAX) }
    }

    /// Counts `bytes` more. `look` tells how many bytes this process could have in all, where that is known.
    ///
    /// # Errors
    /// The bytes that were left, where these are too many. They are counted all the same.
    fn take(&self, bytes: usize, look: impl FnOnce() -> Option<usize>) -> Result<(), usize> {
        let before = self.used.fetch_add(bytes, Ordering::Relaxed);
        let less = |unseen: usize| unseen.checked_sub(bytes);
        if self.unseen.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok() {
            return Ok(());
        }
        let left = look().map_or(usize::MAX, |most| most.saturating_sub(before));
        let after = left.checked_sub(bytes).ok_or(left)?;
        self.unseen.store(after / 8, Ordering::Relaxed);
        Ok(())
    }

    fn give(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// The bytes of a block that are counted.
fn counted(bytes: usize) -> usize {
    if bytes >= LARGE { bytes } else { 0 }
}

/// Bytes that this process could have now: what it has, and what the system and its group could give it
/// without taking from others. `None` where the system does not tell.
fn most() -> Option<usize> {
    let own = read_to_string("/proc/self/status").ok()?;
    let own = kib(&own, "RssAnon:")? + kib(&own, "VmSwap:").unwrap_or(0);
    let all = read_to_string("/proc/meminfo").ok()?;
    let free = kib(&all, "MemAvailable:")? + kib(&all, "SwapFree:").unwrap_or(0);
    Some(own + left_in_group().map_or(free, |left| left.min(free)))
}

/// The bytes of a line such as `MemAvailable:   20913 kB`.
fn kib(text: &str, name: &str) -> Option<usize> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<usize>().ok()? << 10)
}

/// What a container may still have.
fn left_in_group() -> Option<usize> {
    let of = |name: &str| read_to_string(format!("/sys/fs/cgroup/{name}")).ok();
    left_of(&of("memory.max")?, &of("memory.current")?, &of("memory.stat").unwrap_or_default())
}

/// A group's limit without what it has in use. Pages of files make room where it is needed.
fn left_of(max: &str, current: &str, stat: &str) -> Option<usize> {
    let max: usize = max.trim().parse().ok()?;
    let current: usize = current.trim().parse().ok()?;
    let of = |name: &str| stat.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<usize>().ok());
    let files = ["active_file ", "inactive_file "].into_iter().filter_map(of).sum();
    Some(max.saturating_sub(current.saturating_sub(files)))
}

/// The system's allocator, with a bound.
pub struct Bounded;

impl Bounded {
    /// Counts `bytes` more in large blocks, or ends the program.
    fn take(bytes: usize) {
        if bytes > 0
            && let Err(left) = BOUND.take(bytes, most)
        {
            end(bytes, Some(left));
        }
    }

    /// `block` of `bytes`, unless the system has refused it.
    fn given(block: *mut u8, bytes: usize) -> *mut u8 {
        if block.is_null() && bytes >= LARGE {
            end(bytes, None);
        }
        block
    }
}

// SAFETY: every block is the system allocator's own; only lengths are looked at.
unsafe impl GlobalAlloc for Bounded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::take(counted(layout.size()));
        // SAFETY: as the caller promises.
        Self::given(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::take(counted(layout.size()));
        // SAFETY: as the caller promises.
        Self::given(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        BOUND.give(counted(layout.size()));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // What a block grows by: the system moves a large one without having it twice, where it can.
        let (old, new) = (counted(layout.size()), counted(size));
        Self::take(new.saturating_sub(old));
        BOUND.give(old.saturating_sub(new));
        // SAFETY: as the caller promises.
        Self::given(unsafe { System.realloc(block, layout, size) }, size)
    }
}

/// Ends the program, for which `bytes` more are too many: of which there were `left`, or which the
/// system has refused.
fn end(bytes: usize, left: Option<usize>) -> ! {
    // What is said takes memory as well, and so do other threads until the end.
    static ENDING: AtomicUsize = AtomicUsize::new(0);
    let mib = |bytes: usize| bytes as f64 / f64::from(1u32 << 20);
    if ENDING.fetch_add(1, Ordering::Relaxed) > 0 {
        loop {
            std::thread::park();
        }
    }
    let used = BOUND.used.load(Ordering::Relaxed).saturating_sub(bytes);
    let why = match left {
        Some(left) => format!("the machine has {:.0} MiB to give just now", mib(left)),
        None => "the system refuses them".to_owned(),
    };
    let told = hrm_host::files::abandon();
    eprintln!(
        "error: not enough memory: {:.0} MiB are in use, {:.0} MiB more are wanted, and {why}; {told}. A smaller --batch, train.batch, \
         --rows, --segments, --count or model takes less, and so does a smaller file",
        mib(used),
        mib(bytes),
    );
    std::process::exit(Exit::Error.code().into());
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn watched() -> Bound {
        let bound = Bound::new();
        bound.unseen.store(0, Ordering::Relaxed);
        bound
    }

    #[test]
    fn a_block_is_judged_by_what_there_is_when_it_is_asked_for() {
        let bound = watched();
        assert_eq!(bound.take(100 * MIB, || Some(1000 * MIB)), Ok(()));
        // Others have taken what was free at the start ...
        assert_eq!(bound.take(500 * MIB, || Some(300 * MIB)), Err(200 * MIB));
        bound.give(500 * MIB);
        // ... and have given back more than there was.
        assert_eq!(bound.take(5000 * MIB, || Some(9000 * MIB)), Ok(()));
        assert_eq!(bound.used.load(Ordering::Relaxed), 5100 * MIB);
        // Where the system does not tell, nothing is refused.
        assert_eq!(bound.take(1 << 50, || None), Ok(()));
        // Nor is anything looked at before the program has begun.
        assert_eq!(Bound::new().take(1 << 50, || panic!("a look")), Ok(()));
    }

    #[test]
    fn memory_is_looked_at_seldom_where_there_is_much_and_often_where_there_is_little() {
        let bound = watched();
        let looks = std::cell::Cell::new(0);
        let step = |most: usize| {
            looks.set(0);
            let look = || {
                looks.set(looks.get() + 1);
                Some(most)
            };
            // A step of training: a thousand blocks of a MiB, and all of them are given back.
            (0..1000).for_each(|_| bound.take(MIB, look).unwrap());
            bound.give(1000 * MIB);
            looks.get()
        };
        assert!(step(20_000 * MIB) <= 1);
        assert!(step(20_000 * MIB) <= 1);
        assert!((20..200).contains(&step(1001 * MIB)), "{looks:?}");
        // Where the last MiB is wanted, there was a look right before.
        let bound = watched();
        let granted = (0..2000).take_while(|_| bound.take(MIB, || Some(1000 * MIB)).is_ok()).count();
        assert_eq!(granted, 1000);
    }

    #[test]
    fn a_group_has_its_limit_without_what_it_uses_and_files_can_go() {
        let stat = "anon 300\nactive_file 100\ninactive_file 50\nfile 160\n";
        assert_eq!(left_of("1000\n", "600\n", stat), Some(550));
        assert_eq!(left_of("1000\n", "600\n", ""), Some(400));
        assert_eq!(left_of("100\n", "600\n", ""), Some(0));
        assert_eq!(left_of("max\n", "600\n", stat), None);
        assert_eq!(kib("A:  1 kB\nMemAvailable:   20913 kB\n", "MemAvailable:"), Some(20913 << 10));
        assert_eq!(kib("MemAvailable: much\n", "MemAvailable:"), None);
    }

    /// These tests have the system's allocator, so that nothing else is counted.
    #[test]
    fn of_a_block_that_grows_or_shrinks_the_difference_is_counted() {
        let used = || BOUND.used.load(Ordering::Relaxed);
        let of = |bytes| Layout::from_size_align(bytes, 16).unwrap();
        let sizes = [100, LARGE, 8 * LARGE, 3 * LARGE, LARGE - 1, 2 * LARGE];
        // SAFETY: every layout is that of the block as it is then.
        unsafe {
            let mut block = Bounded.alloc(of(sizes[0]));
            assert_eq!(used(), 0);
            for pair in sizes.windows(2) {
                block = Bounded.realloc(block, of(pair[0]), pair[1]);
                assert_eq!(used(), counted(pair[1]), "{pair:?}");
            }
            Bounded.dealloc(block, of(2 * LARGE));
            assert_eq!(used(), 0);
            let block = Bounded.alloc_zeroed(of(2 * LARGE));
            assert_eq!(used(), 2 * LARGE);
            Bounded.dealloc(block, of(2 * LARGE));
        }
        assert_eq!(used(), 0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_tells_what_this_process_could_have() {
        let most = most().unwrap();
        assert!(most > MIB, "{most}");
    }
}
