//! One pool of threads for everything.

use std::env;

use rayon::ThreadPoolBuildError;

/// What candle reads the size of its own pool from.
const CANDLE: &str = "CANDLE_NUM_THREADS";

/// Lets every parallel operation use `threads` threads; all processors where it is `None`.
///
/// candle has a pool of its own for large elementwise operations, whose caller spins until the last worker is
/// done. Beside rayon's threads that costs 10 % of the time of a training step, and more on a busy machine,
/// so it gets a single thread unless `CANDLE_NUM_THREADS` says otherwise.
///
/// To be called first thing, while the program has one thread and has computed nothing.
///
/// # Errors
/// Where rayon's pool exists already or cannot be made.
pub fn use_threads(threads: Option<usize>) -> Result<(), ThreadPoolBuildError> {
    if env::var_os(CANDLE).is_none() {
        // SAFETY: no other thread can be reading the environment, since there is none yet.
        unsafe { env::set_var(CANDLE, "1") };
    }
    match threads {
        Some(threads) => rayon::ThreadPoolBuilder::new().num_threads(threads).build_global(),
        None => Ok(()),
    }
}
