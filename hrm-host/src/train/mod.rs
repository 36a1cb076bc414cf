//! Training: the recipe, its loop, and what it keeps on disk.
//!
//! [`run`](run::run) is the whole of it; [`Trainer`](trainer::Trainer) is one step at a time.

pub mod archive;
mod batch;
pub mod checkpoint;
pub mod communicator;
pub mod draw;
pub mod error;
pub mod eval;
pub mod flat;
pub mod latent;
pub mod launch;
pub mod loss;
pub mod metrics;
#[cfg(feature = "mpi")]
pub mod mpi;
pub mod muon;
#[cfg(feature = "nccl")]
pub mod nccl;
pub mod optim;
mod patience;
pub mod rows;
pub mod run;
pub mod source;
pub mod suppose;
pub mod trainer;

pub use checkpoint::load_parameters;
pub use error::TrainError;
pub use run::{Event, RunData, RunOptions, Stop, Summary, fixed_keys_that_differ, run, run_among};
