//! Being asked to stop: Ctrl-C, SIGTERM, and SIGHUP where a terminal is closed.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hrm_host::files;

use super::exit::Exit;

/// One request may come as several signals: a closed terminal has both the system and the shell send SIGHUP.
const ONE_REQUEST: Duration = Duration::from_secs(1);

/// Has a file that reaches the limit of its size (`ulimit -f`) be an error like a full disk, and
/// not the end of the program.
pub(crate) fn ignore_size_limit() {
    #[cfg(unix)]
    // SAFETY: no handler is installed.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
}

/// How long after its terminal is gone a program may be told so.
const TOLD_LATER: Duration = Duration::from_millis(200);

/// Whether a request to stop has come.
pub(super) static ASKED: AtomicBool = AtomicBool::new(false);

/// Whether `error`, of writing to standard output, comes of being asked to stop: a terminal that is
/// closed takes nothing more.
pub(crate) fn asked_to_stop(error: &io::Error) -> bool {
    #[cfg(unix)]
    if error.raw_os_error() == Some(libc::EIO) && !ASKED.load(Ordering::Relaxed) {
        std::thread::sleep(TOLD_LATER);
    }
    ASKED.load(Ordering::Relaxed) && error.kind() != io::ErrorKind::StorageFull
}

type Stop = Box<dyn FnMut(bool) + Send>;

/// What a request to stop does; nothing here ends the program.
static STOP: Mutex<Option<Stop>> = Mutex::new(None);

/// Has every request to stop heard, on a thread of its own. It ends the program, and leaves nothing
/// half-written, unless the command has said otherwise ([`on_stop`]).
///
/// Signals stay ignored that were so when the program began, as `nohup` and a shell's
/// background jobs have them.
pub(crate) fn hear() {
    let mut last: Option<Instant> = None;
    let heard = move || {
        let again = ASKED.swap(true, Ordering::Relaxed);
        if last.is_none_or(|last| last.elapsed() > ONE_REQUEST) {
            match STOP.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
                Some(stop) => stop(again),
                None => end(),
            }
            last = Some(Instant::now());
        }
    };
    // Where signals cannot be caught, the system's own way of ending the program remains.
    let _ = keeping_ignored(|| ctrlc::set_handler(heard));
}

/// Has `stop` called for every request to stop, with whether it is another one, until the program ends or
/// a command says otherwise.
pub(super) fn on_stop(stop: impl FnMut(bool) + Send + 'static) {
    *STOP.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(stop));
}

/// Has a request to stop end the program, as it does unless a command has said otherwise.
pub(super) fn end_on_stop() {
    *STOP.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

/// Ends the program at once, with the last line that it says. Files that are not complete are deleted.
pub(super) fn end() {
    let became_of_files = files::abandon();
    // Whoever wants to tell of progress still waits for the end.
    let mut last = io::stderr().lock();
    let _ = writeln!(last, "interrupted; {became_of_files}");
    std::process::exit(Exit::Interrupted.code().into());
}

/// The signals by which a program is asked to stop.
#[cfg(unix)]
const REQUESTS: [libc::c_int; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

/// Calls `set`, which has signals caught, and lets those be ignored afterwards that were before.
#[cfg(unix)]
fn keeping_ignored<T>(set: impl FnOnce() -> T) -> T {
    use std::mem::MaybeUninit;
    use std::ptr;

    let mut requests = MaybeUninit::<libc::sigset_t>::uninit();
    let mut mask = MaybeUninit::<libc::sigset_t>::uninit();
    let is_ignored = |signal: &libc::c_int| {
        let mut before = MaybeUninit::<libc::sigaction>::uninit();
        // SAFETY: `before` is written by the call before it is read, and no handler is installed.
        unsafe {
            libc::sigaction(*signal, ptr::null(), before.as_mut_ptr());
            before.assume_init().sa_sigaction == libc::SIG_IGN
        }
    };
    // SAFETY: both are written by the calls before they are read, and all of `REQUESTS` are signals.
    let mask = unsafe {
        libc::sigemptyset(requests.as_mut_ptr());
        for signal in REQUESTS {
            libc::sigaddset(requests.as_mut_ptr(), signal);
        }
        // One that comes in between waits, and is dropped where it is ignored again.
        libc::pthread_sigmask(libc::SIG_BLOCK, requests.as_ptr(), mask.as_mut_ptr());
        mask.assume_init()
    };
    let ignored: Vec<libc::c_int> = REQUESTS.into_iter().filter(is_ignored).collect();
    let done = set();
    // SAFETY: no handler is installed, and the mask is the one that this thread had.
    unsafe {
        for signal in ignored {
            libc::signal(signal, libc::SIG_IGN);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const mask, ptr::null_mut());
    }
    done
}

#[cfg(not(unix))]
fn keeping_ignored<T>(set: impl FnOnce() -> T) -> T {
    set()
}
