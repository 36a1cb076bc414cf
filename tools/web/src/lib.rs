//! A page on which the integer model is seen thinking.
//!
//! [`page()`] is one HTML file with everything in it: script, style, the engine (`hrm-core` as WebAssembly) and packs. It opens from a folder as
//! well as from [`serve()`], asks nobody for anything, and says so to the browser in its content security policy.
#![warn(missing_docs)]

mod page;
mod server;

pub use page::{Pack, page, policy};
pub use server::serve;

/// `tools/web/engine` for `wasm32-unknown-unknown`, committed so that nobody needs a compiler for it. `cargo xtask web` builds it anew;
/// CI compares what both compute.
pub const ENGINE: &[u8] = include_bytes!("../engine.wasm");

/// The released packs, the most telling first.
pub const RELEASED: [Pack<'static>; 5] = [
    Pack { name: "models/sudoku9-mcu.hrm", bytes: include_bytes!("../../../models/sudoku9-mcu.hrm") },
    Pack { name: "models/sudoku9-mcu-i8.hrm", bytes: include_bytes!("../../../models/sudoku9-mcu-i8.hrm") },
    Pack { name: "models/sudoku9-quick.hrm", bytes: include_bytes!("../../../models/sudoku9-quick.hrm") },
    Pack { name: "models/sudoku9-plus.hrm", bytes: include_bytes!("../../../models/sudoku9-plus.hrm") },
    Pack { name: "models/sudoku4-demo.hrm", bytes: include_bytes!("../../../models/sudoku4-demo.hrm") },
];
