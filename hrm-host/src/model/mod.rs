//! The Hierarchical Reasoning Model in floating point: configuration, parameters and forward pass.
//!
//! [`Hrm`] is the model of the paper, with three departures that its configuration can switch on:
//! relation-biased attention, levels that share their weights, and halting without a continue head.
//! [`Params`] owns the numbers, [`ModelConfig`] says what they mean.

mod adapt;
mod block;
pub mod config;
mod error;
mod fused;
mod gpu;
mod hrm;
mod init;
mod level;
mod params;
mod positions;
pub mod probe;
mod sizes;
mod trial;

pub use adapt::adapt;
pub use config::{ModelConfig, Positions};
pub use error::ModelError;
pub use fused::multiplies_bf16;
pub use hrm::{Carry, Gradient, Hrm, Output};
pub use level::Backend;
pub use params::{Params, parameter_count, shapes};
pub use probe::{Level, Site, SiteOp};
pub use sizes::OtherSize;
pub(crate) use sizes::serves;
pub use trial::disagreement;

#[cfg(test)]
mod tests;
