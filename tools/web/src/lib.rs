//! A page on which the integer model is seen thinking.
//!
//! [`page()`] is one HTML file with everything in it: script, style, the engine (`hrm-core` as WebAssembly)
//! and packs. It opens from a folder as well as from [`serve()`], asks nobody for anything, and says so to
//! the browser in its content security policy.
#![warn(missing_docs)]

mod page;
mod server;

pub use page::{Pack, page, policy};
pub use server::serve;

/// `tools/web/engine` for `wasm32-unknown-unknown`, committed so that nobody needs a compiler for it.
/// `cargo xtask web` builds it anew; CI compares what both compute.
pub const ENGINE: &[u8] = include_bytes!("../engine.wasm");

/// The released packs: those in `models/` when this was built, the one that the page opens at
/// first before the others.
pub static RELEASED: &[Pack<'static>] = include!(concat!(env!("OUT_DIR"), "/released.rs"));
