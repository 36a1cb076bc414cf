//! What a terminal may be asked for.

use std::io::IsTerminal;

/// Whether what stands on `stream` can be drawn over: it is a terminal, and no `dumb` one.
pub(super) fn redraws(stream: &impl IsTerminal) -> bool {
    is_capable() && stream.is_terminal()
}

/// Whether the terminal, if it is one, is no `dumb` one.
fn is_capable() -> bool {
    match std::env::var_os("TERM") {
        Some(name) => !name.is_empty() && name != "dumb",
        // Elsewhere terminals have no name.
        None => cfg!(not(unix)),
    }
}

/// Whether the terminal, if it is one, may have colours: it can do more than a `dumb` one,
/// and `NO_COLOR` is not set.
pub(super) fn takes_colours() -> bool {
    is_capable() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether `stream` may have colours and weights: it can be drawn over, and `NO_COLOR` is not set.
pub(super) fn colours(stream: &impl IsTerminal) -> bool {
    takes_colours() && stream.is_terminal()
}
