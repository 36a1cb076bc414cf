//! Trains the Hierarchical Reasoning Model, quantizes it to int8 and proves the result.

pub mod data;
