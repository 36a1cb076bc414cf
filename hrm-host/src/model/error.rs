//! What can go wrong between a configuration and a forward pass.

/// Why a model cannot be built or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A model configuration contradicts itself or what quantization needs.
    #[error("model.{key} = {value}: {why}")]
    Config {
        /// Key within `[model]`.
        key: &'static str,
        /// The value found there.
        value: String,
        /// What is wrong with it and what would be right.
        why: String,
    },
    /// A parameter of the model is absent from the tensors it should be read from.
    #[error("parameter {name} is missing; was this file written for another [model] configuration?")]
    Missing {
        /// Name of the parameter.
        name: String,
    },
    /// A tensor belongs to no parameter of the model.
    #[error(
        "tensor {name} is no parameter of this model; was this file written for another [model] configuration?"
    )]
    Unknown {
        /// Name of the tensor.
        name: String,
    },
    /// A tensor has another shape than the configuration says.
    #[error("{name} has shape {got:?} where the model needs {expected:?}")]
    Shape {
        /// Name of the tensor.
        name: String,
        /// Shape the configuration asks for.
        expected: Vec<usize>,
        /// Shape found.
        got: Vec<usize>,
    },
    /// An operation of the tensor library failed.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}
