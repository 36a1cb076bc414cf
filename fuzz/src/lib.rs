//! What is fuzzed: for each target a function that takes any bytes, and panics where a promise is broken.
//!
//! `cargo xtask fuzz TARGET` lets libFuzzer look for such bytes. The suite replays `corpus/`, a file for each
//! target, in which each line is an input in base64 that reaches other code than those above it.

mod app;
#[cfg(feature = "host")]
mod checkpoint;
#[cfg(feature = "host")]
mod host;
mod kernels;
#[cfg(feature = "host")]
mod original;
mod pack;
mod solver;
mod wire;

/// Something that reads bytes which anybody may have written.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, which is that of its file in `corpus/`.
    pub name: &'static str,
    /// Gives it the bytes.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "pack", run: pack::open_and_think },
    Target { name: "frames", run: wire::cut_into_frames },
    Target { name: "messages", run: wire::read_back },
    Target { name: "app", run: app::serve },
    Target { name: "solver", run: solver::solve },
    Target { name: "kernels", run: kernels::compare },
    #[cfg(feature = "host")]
    Target { name: "puzzles", run: host::read_puzzles },
    #[cfg(feature = "host")]
    Target { name: "config", run: host::read_configuration },
    #[cfg(feature = "host")]
    Target { name: "checkpoint", run: checkpoint::go_on },
    #[cfg(feature = "host")]
    Target { name: "original", run: original::import },
];

/// The target called `name`.
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
