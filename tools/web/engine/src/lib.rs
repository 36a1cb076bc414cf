//! The integer model for a browser, and for whatever else runs WebAssembly.
//!
//! Nothing here knows a page. [`session`] is a pack with a puzzle, thought about a segment at a time;
//! `exports` hands it over the border as plain functions and places in linear memory, so that no generated
//! glue is needed on the other side. `watched` sees what a page shows and a solver does not keep: how far z_H
//! moved, and which cells a guess supposes. [`line`](mod@line) is the page's end of a line to a board:
//! requests as frames, answers as JSON.
//!
//! On any other target this is a library like others, and its tests run there.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![warn(missing_docs)]

extern crate alloc;

#[cfg(target_arch = "wasm32")]
pub mod exports;
mod json;
pub mod line;
mod puzzle;
pub mod session;
mod watched;

pub use session::{Report, Session};
