//! Pictures and tables of what was measured.

pub mod curves;
pub mod history;
