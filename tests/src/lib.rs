//! What the equivalence suites share.

pub mod loopback;
pub mod standin;
