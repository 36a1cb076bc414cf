//! Being asked to stop: Ctrl-C, SIGTERM, and SIGHUP where a terminal is closed.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// One request may come as several signals: a closed terminal has both the system and the shell send SIGHUP.
const ONE_REQUEST: Duration = Duration::from_secs(1);

/// Has a file that reaches the limit of its size (`ulimit -f`) be an error like a full disk, and not the end of the program.
pub(crate) fn ignore_size_limit() {
    #[cfg(unix)]
    // SAFETY: no handler is installed.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
}

/// Has `stop` called, on a thread of its own, for every request to stop.
///
/// SIGHUP stays ignored where it was when the program began, as `nohup` has it.
///
/// # Errors
/// Where the system does not let signals be caught.
pub(super) fn on_stop(mut stop: impl FnMut() + Send + 'static) -> Result<()> {
    let mut last: Option<Instant> = None;
    let heard = move || {
        if last.is_none_or(|last| last.elapsed() > ONE_REQUEST) {
            stop();
            last = Some(Instant::now());
        }
    };
    keeping_ignored_hangups(|| ctrlc::set_handler(heard)).context("cannot watch for Ctrl-C")
}

/// Calls `set`, which has signals caught, and lets SIGHUP be ignored afterwards where it was before.
#[cfg(unix)]
fn keeping_ignored_hangups<T>(set: impl FnOnce() -> T) -> T {
    use std::mem::MaybeUninit;
    use std::ptr;

    let mut hangup = MaybeUninit::<libc::sigset_t>::uninit();
    let mut mask = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: all three are written by the calls before they are read, SIGHUP is a signal, and no handler is installed here.
    let (ignored, mask) = unsafe {
        libc::sigemptyset(hangup.as_mut_ptr());
        libc::sigaddset(hangup.as_mut_ptr(), libc::SIGHUP);
        // One that comes in between waits, and is dropped where it is ignored again.
        libc::pthread_sigmask(libc::SIG_BLOCK, hangup.as_ptr(), mask.as_mut_ptr());
        libc::sigaction(libc::SIGHUP, ptr::null(), before.as_mut_ptr());
        (before.assume_init().sa_sigaction == libc::SIG_IGN, mask.assume_init())
    };
    let done = set();
    // SAFETY: as above; the mask is the one that this thread had.
    unsafe {
        if ignored {
            libc::signal(libc::SIGHUP, libc::SIG_IGN);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const mask, ptr::null_mut());
    }
    done
}

#[cfg(not(unix))]
fn keeping_ignored_hangups<T>(set: impl FnOnce() -> T) -> T {
    set()
}
