//! Trains the Hierarchical Reasoning Model (HRM), quantizes it to int8 and proves the result.

pub mod analyze;
pub mod config;
pub mod data;
pub mod files;
pub mod kind;
pub mod memory;
pub mod model;
pub mod original;
pub mod plot;
pub mod quant;
pub mod queue;
pub mod task;
pub mod threads;
pub mod train;
pub mod vote;
