//! Ctrl-C during long work: what is known by then is told, and the program ends with a code of its own.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;

use super::exit::Exit;
use super::signals::on_stop;

/// Whether this process was asked to stop.
static ASKED: AtomicBool = AtomicBool::new(false);

/// Watches for Ctrl-C, SIGTERM and SIGHUP from now on. The first raises the flag; a second one ends the program at once.
pub(super) fn watch() -> Result<&'static AtomicBool> {
    let asked = || {
        if ASKED.swap(true, Ordering::Relaxed) {
            std::process::exit(Exit::Interrupted.code().into());
        }
        eprintln!("stopping; what is known so far follows (once more: stop at once)");
    };
    match on_stop(asked) {
        // Another command of the same process watches already.
        Err(error) if matches!(error.downcast_ref(), Some(ctrlc::Error::MultipleHandlers)) => Ok(&ASKED),
        watching => watching.map(|()| &ASKED),
    }
}
