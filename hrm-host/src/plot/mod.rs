//! Pictures and tables of what was measured.

pub mod curves;
pub mod history;
pub mod landscapes;
pub mod lines;
pub mod paths;
mod style;

pub use style::{DrawError, PICTURE, titled};
