//! Memory that was used once stays with the process.

/// Lets the allocator keep what is freed, for the next step to use.
///
/// A training step allocates and frees the same few hundred MiB as the one before. glibc hands blocks of their size back to
/// the system at once, which then has to clear every page again: a tenth of a step's time on one thread, and more on two.
/// Only glibc is told; elsewhere this does nothing. The process never grows beyond its largest need (measured by
/// `--example throughput`), it only does not shrink.
pub fn keep_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        /// Smallest block that is mapped by itself, in bytes: none is.
        const MAPPED: i32 = 1 << 30;
        // SAFETY: mallopt only stores a number behind the allocator's own lock.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED);
            libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
            // one heap for all threads: what one of them frees, another can use
            libc::mallopt(libc::M_ARENA_MAX, 1);
        }
    }
}
