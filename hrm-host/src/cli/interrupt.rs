//! Ctrl-C during long work: what is known by then is told, and the program ends with a code of its own.

use std::sync::atomic::AtomicBool;

use super::signals;

/// Watches for Ctrl-C, SIGTERM and SIGHUP from now on. The first raises the flag; a second one
/// ends the program at once.
pub(super) fn watch() -> &'static AtomicBool {
    signals::on_stop(|again| {
        if again {
            signals::end();
        }
        eprintln!("stopping; what is known so far follows (once more: stop at once)");
    });
    &signals::ASKED
}

/// From now on the first Ctrl-C, SIGTERM or SIGHUP has `known` tell what is known by then, and ends the
/// program: for work that takes long between two places where it could stop.
pub(super) fn tell(known: impl Fn() -> String + Send + 'static) {
    signals::on_stop(move |_| {
        eprintln!("{}", known());
        signals::end();
    });
}
