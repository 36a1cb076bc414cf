//! From a trained float model to an int8 pack, and the proof that they agree.
//!
//! Data flows one way: puzzles → [`calibrate`] (ranges of every activation) → `member` (integers of one
//! checkpoint) → `pack` (bytes). [`compare`] runs both models side by side.

pub mod calibrate;
mod coarse;
pub mod compare;
mod footprint;
mod integer;
mod linear;
mod member;
pub mod origin;
mod pack;
mod resize;
mod restore;
mod tables;

use candle_core::Device;
use hrm_core::lane::LaneWidth;
use hrm_core::pack::{Accuracy, Header, PackError, Provenance};

pub use calibrate::{Calibration, Ranges};
pub use coarse::Coarser;
pub use footprint::{Footprint, Memory, SELF_TEST_SEGMENTS, rows_told};
pub use integer::IntegerModel;
pub use pack::{AlignedPack, PackFileError, PackProblem, with_accuracy, with_provenance, with_self_test};
pub use resize::{ResizeError, resized};
pub use restore::restore;

use crate::data::PuzzleSet;
use crate::model::{Hrm, ModelConfig, ModelError, Params};

/// Why a model cannot be quantized.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuantError {
    /// The float model failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A tensor operation failed.
    #[error("the float model failed while calibrating: {0}")]
    Candle(#[from] candle_core::Error),
    /// Too little memory for the integer model.
    #[error(transparent)]
    Memory(#[from] hrm_core::MemoryError),
    /// A rescaling factor is one half or more.
    #[error(
        "{place}: the rescaling factor of column {column} is {factor:.3}, which must be below 0.5: the weights of this \
         matrix are unusually large; train with weight decay, or check the checkpoint"
    )]
    Factor {
        /// Member, layer and matrix.
        place: String,
        /// Output column.
        column: usize,
        /// The real factor.
        factor: f64,
    },
    /// A value that is not a number.
    #[error(
        "{place} holds a value that is not finite: the training run has diverged; export an earlier checkpoint"
    )]
    NotFinite {
        /// Parameter name.
        place: String,
    },
    /// No puzzle to calibrate on.
    #[error("no calibration puzzles given: at least one is needed")]
    NoPuzzles,
    /// No checkpoint to pack.
    #[error("no checkpoint given: at least one member is needed")]
    NoMembers,
    /// The pack holds a model of another shape.
    #[error("the pack holds another model than [model] in the configuration: {}", .differences.join(", "))]
    OtherShape {
        /// The keys that differ, the pack's value first.
        differences: Vec<String>,
    },
    /// What was written does not pass the core's own check.
    #[error("the pack does not pass its check: {0}")]
    Pack(#[from] PackError),
}

/// The program that writes packs, as their provenance names it.
pub const PROGRAM: &str = concat!("hrm-host ", env!("CARGO_PKG_VERSION"));

/// What goes into the pack besides numbers.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Where the model comes from.
    pub provenance: &'a Provenance<'a>,
    /// What it scored, if measured.
    pub accuracy: Option<Accuracy>,
}

/// Quantizes checkpoints of one shape into one pack.
///
/// `puzzles` are rows to calibrate on: training data, never test data. Post-training quantization: weights
/// int8 per output channel, symmetric; activations in `lanes`; see `docs/QUANTIZATION.md`.
///
/// # Errors
/// A model that has no integer form, with the place named; nothing is written anywhere.
pub fn quantize(
    config: &ModelConfig,
    checkpoints: &[Params],
    puzzles: &PuzzleSet,
    lanes: LaneWidth,
    about: About<'_>,
) -> Result<AlignedPack, QuantError> {
    if puzzles.is_empty() {
        return Err(QuantError::NoPuzzles);
    }
    if checkpoints.is_empty() {
        return Err(QuantError::NoMembers);
    }
    let shape = config.shape(checkpoints.len(), lanes)?;
    let mut writer = pack::Writer::new(&shape, config);
    for (index, params) in checkpoints.iter().enumerate() {
        let weights = member::Weights::read(params)?;
        let model = Hrm::new(config, params)?;
        let ranges = Ranges::observe(&model, puzzles, config.segments, &Device::Cpu)?;
        member::write(&mut writer, index, config, &weights, &ranges)?;
    }
    let header = Header {
        task: config.task.name(),
        shape,
        provenance: about.provenance.clone(),
        accuracy: about.accuracy,
    };
    Ok(writer.finish(&header, None)?)
}
