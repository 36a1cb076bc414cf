//! Ctrl-C during long work: what is known by then is told, and the program ends with a code of its own.

use std::sync::atomic::{AtomicBool, Ordering};

use super::signals;

/// Whether this process was asked to stop.
static ASKED: AtomicBool = AtomicBool::new(false);

/// Watches for Ctrl-C, SIGTERM and SIGHUP from now on. The first raises the flag; a second one ends the program at once.
pub(super) fn watch() -> &'static AtomicBool {
    signals::on_stop(|| {
        if ASKED.swap(true, Ordering::Relaxed) {
            signals::end();
        }
        eprintln!("stopping; what is known so far follows (once more: stop at once)");
    });
    &ASKED
}
