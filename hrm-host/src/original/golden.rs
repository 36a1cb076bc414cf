//! A model's answers beside those that the original gave: `inputs`, and for every segment `logits` and `q`.

use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use safetensors::{Dtype, SafeTensors};

use crate::files;
use crate::model::{Gradient, Hrm};

/// Why nothing can be compared.
#[derive(Debug, thiserror::Error)]
pub enum GoldenError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is none, or of another model.
    #[error("{path} cannot be compared with: {why}")]
    Refused {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The tensor library failed.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

/// What the original was asked and what it answered.
#[derive(Debug)]
pub struct Golden {
    path: PathBuf,
    /// Tokens, (puzzles, cells).
    inputs: Tensor,
    /// (segments, puzzles, cells, vocabulary).
    logits: Tensor,
    /// (segments, puzzles, 2).
    q: Tensor,
}

/// The greatest differences in one segment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// Of a score of a cell.
    pub logits: f64,
    /// Of a halting logit.
    pub q: f64,
}

impl Difference {
    /// The greater of both; not a number where an answer is none.
    pub fn most(self) -> f64 {
        if self.logits.is_nan() || self.q.is_nan() { f64::NAN } else { self.logits.max(self.q) }
    }
}

impl Golden {
    /// Reads a safetensors file.
    ///
    /// # Errors
    /// [`GoldenError`] names what is missing or of another type.
    pub fn read(path: &Path) -> Result<Self, GoldenError> {
        let refused = |why: String| GoldenError::Refused { path: path.to_owned(), why };
        let bytes =
            files::read(path).map_err(|source| GoldenError::Read { path: path.to_owned(), source })?;
        let file = SafeTensors::deserialize(&bytes)
            .map_err(|error| refused(format!("it is damaged or no safetensors file ({error})")))?;
        let tensor = |name: &str, rank: usize| {
            let view = file.tensor(name).map_err(|_| refused(format!("it has no tensor {name}")))?;
            let dtype = match view.dtype() {
                Dtype::F32 => DType::F32,
                Dtype::F64 => DType::F64,
                Dtype::I32 => DType::I32,
                Dtype::I64 => DType::I64,
                Dtype::U8 => DType::U8,
                other => return Err(refused(format!("its {name} are of type {other:?}"))),
            };
            if view.shape().len() != rank {
                return Err(refused(format!(
                    "its {name} have shape {:?}, not {rank} dimensions",
                    view.shape()
                )));
            }
            Ok(Tensor::from_raw_buffer(view.data(), dtype, view.shape(), &Device::Cpu)?)
        };
        Ok(Self {
            path: path.to_owned(),
            inputs: tensor("inputs", 2)?.to_dtype(DType::U32)?,
            logits: tensor("logits", 4)?.to_dtype(DType::F64)?,
            q: tensor("q", 3)?.to_dtype(DType::F64)?,
        })
    }

    /// Has `model` answer the same puzzles, and tells for every segment by how much it differs.
    ///
    /// # Errors
    /// Where the file is of a model with another vocabulary, other cells or another halting head.
    pub fn compare(&self, model: &Hrm) -> Result<Vec<Difference>, GoldenError> {
        let config = model.config();
        let (puzzles, cells) = self.inputs.dims2()?;
        let segments = self.logits.dim(0)?;
        let wanted = [segments, puzzles, config.cells(), config.vocab()];
        let heads = [segments, puzzles, config.q_outputs()];
        if cells != config.cells() || self.logits.dims() != wanted || self.q.dims() != heads {
            return Err(GoldenError::Refused {
                path: self.path.clone(),
                why: format!(
                    "it has inputs {:?}, logits {:?} and q {:?}; of this model they would be {:?}, {wanted:?} and {heads:?}",
                    self.inputs.dims(),
                    self.logits.dims(),
                    self.q.dims(),
                    [puzzles, config.cells()]
                ),
            });
        }
        let mut carry = model.initial_carry(puzzles)?;
        (0..segments)
            .map(|segment| {
                let output = model.segment(&carry, &self.inputs, Gradient::None)?;
                let difference = Difference {
                    logits: greatest_difference(&output.logits, &self.logits.get(segment)?)?,
                    q: greatest_difference(&output.q, &self.q.get(segment)?)?,
                };
                carry = output.carry;
                Ok(difference)
            })
            .collect()
    }
}

fn greatest_difference(own: &Tensor, original: &Tensor) -> Result<f64, candle_core::Error> {
    let apart = (own.to_dtype(DType::F64)? - original)?.abs()?.flatten_all()?.to_vec1::<f64>()?;
    // f64::max passes over what is not a number; here that must not look like agreement.
    Ok(apart
        .into_iter()
        .fold(0.0, |most, value| if value.is_nan() || most.is_nan() { f64::NAN } else { most.max(value) }))
}

/// The difference allowed at segment `at` of `segments`: `first` at the first, `last` at the last, growing by
/// the same factor from each to the next. Rounding grows so in a model that does not settle.
pub fn bound(first: f64, last: f64, at: usize, segments: usize) -> f64 {
    let share = if segments > 1 { at as f64 / (segments - 1) as f64 } else { 0.0 };
    first * (last / first).powf(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_grows_by_equal_factors() {
        assert_eq!(bound(1e-3, 1e-3, 5, 16), 1e-3);
        assert!((bound(1e-3, 1e-1, 15, 16) - 1e-1).abs() < 1e-12);
        assert!((bound(1e-3, 1e-1, 1, 3) - 1e-2).abs() < 1e-12);
        assert_eq!(bound(1e-3, 1e-1, 0, 1), 1e-3);
    }

    #[test]
    fn what_is_no_number_never_agrees() {
        let own = Tensor::new(&[0f32, f32::NAN, 1.0], &Device::Cpu).unwrap();
        let original = Tensor::new(&[0f64, 0.0, 1.0], &Device::Cpu).unwrap();
        assert!(greatest_difference(&own, &original).unwrap().is_nan());
        assert!(Difference { logits: 0.0, q: f64::NAN }.most().is_nan());
    }
}
