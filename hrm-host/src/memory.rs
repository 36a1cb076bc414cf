//! Memory that was used once stays with the process.

/// Lets the allocator keep what is freed, for the next step to use.
///
/// A training step allocates and frees the same few hundred MiB as the one before. glibc hands blocks of
/// their size back to the system at once, which then has to clear every page again: a tenth of a step's time
/// on one thread, and more on two. Only glibc is told; elsewhere this does nothing. The process never grows
/// beyond its largest need (measured by `--example throughput`), it only does not shrink.
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

/// Lets the GPU's memory pool keep what is freed, for the next step to use: by itself the driver takes it
/// back whenever the host waits for the GPU, once a step.
///
/// # Errors
/// What the driver says; only time is lost then.
#[cfg(feature = "cuda")]
pub fn keep_freed_on(gpu: &candle_core::CudaDevice) -> candle_core::Result<()> {
    use candle_core::cuda_backend::WrapErr;
    use candle_core::cuda_backend::cudarc::driver::result::{device, mem_pool};
    use candle_core::cuda_backend::cudarc::driver::sys::CUmemPool_attribute_enum as Attribute;

    let mut all = u64::MAX;
    // SAFETY: the device exists, and this attribute is a u64 that the driver only reads.
    unsafe {
        let pool = device::get_mem_pool(gpu.cuda_stream().context().cu_device()).w()?;
        let threshold = Attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
        mem_pool::set_attribute(pool, threshold, (&raw mut all).cast()).w()
    }
}
