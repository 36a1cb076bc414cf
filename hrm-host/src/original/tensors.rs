//! Named tensors of a checkpoint, whatever file they lie in.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use safetensors::{Dtype, SafeTensors};

use super::torch;
use crate::files::{self, is_folder};
use crate::kind::{Kind, Wanted, kind_of};

/// Why the tensors of a file cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It is no file of tensors.
    #[error("it is {kind}, not a checkpoint of the original; {}", .kind.advice(Wanted::Model))]
    Kind {
        /// What it is.
        kind: Kind,
    },
    /// It is one, but not whole.
    #[error("it is damaged: {0}; download or copy it again")]
    Damaged(String),
    /// It holds something else than tensors.
    #[error("{0}")]
    Refused(String),
    /// The tensor library failed.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

/// Words before a tensor's name that only tell how the model was wrapped: by `torch.compile`, by the loss,
/// by data-parallel training.
const WRAPPERS: [&str; 4] = ["_orig_mod", "model", "module", "inner"];

/// Tensors by their names without wrappers, f32 each.
#[derive(Debug, Default)]
pub struct Tensors {
    pub(super) by_name: BTreeMap<String, Tensor>,
}

impl Tensors {
    /// Reads a file of `torch.save` or safetensors.
    ///
    /// # Errors
    /// What the file is instead, what of it is broken, or which entry is no tensor.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        Self::of_bytes(&files::read(path)?)
    }

    /// As [`Self::read`], of what the file holds.
    ///
    /// # Errors
    /// As there.
    pub fn of_bytes(bytes: &[u8]) -> Result<Self, ReadError> {
        match kind_of(bytes) {
            Kind::PyTorch if bytes.starts_with(b"PK") => torch::read(bytes),
            Kind::PyTorch => Err(ReadError::Refused(
                "it is in PyTorch's format of before 2020; load it there and save it again: `torch.save(torch.load(FILE), OTHER)`"
                    .into(),
            )),
            Kind::Zip => torch::read(bytes),
            Kind::Pickle => Err(ReadError::Refused(
                "it is a bare pickle without tensors' values; save the state dict with `torch.save`".into(),
            )),
            Kind::Safetensors => of_safetensors(bytes),
            kind => Err(ReadError::Kind { kind }),
        }
    }

    /// The tensor of that name.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.by_name.get(name)
    }

    /// Adds a tensor under its name without wrappers.
    pub(super) fn add(&mut self, name: &str, tensor: Tensor) -> Result<(), ReadError> {
        let short = unwrapped(name);
        match self.by_name.insert(short.to_owned(), tensor) {
            None => Ok(()),
            Some(_) => Err(ReadError::Refused(format!("it has two tensors {short}; the second is {name}"))),
        }
    }
}

/// A tensor's name without what wrapped its model.
fn unwrapped(name: &str) -> &str {
    let mut name = name;
    while let Some((first, rest)) = name.split_once('.') {
        if !WRAPPERS.contains(&first) {
            break;
        }
        name = rest;
    }
    name
}

fn of_safetensors(bytes: &[u8]) -> Result<Tensors, ReadError> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| ReadError::Damaged(error.to_string()))?;
    let mut tensors = Tensors::default();
    for (name, view) in file.iter() {
        let dtype = match view.dtype() {
            Dtype::F32 => DType::F32,
            Dtype::F64 => DType::F64,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            other => {
                return Err(ReadError::Refused(format!(
                    "its tensor {name} is of type {other:?}, and a model's tensors are f32, bf16, f16 or f64"
                )));
            }
        };
        let tensor = Tensor::from_raw_buffer(view.data(), dtype, view.shape(), &Device::Cpu)?;
        tensors.add(name, tensor.to_dtype(DType::F32)?)?;
    }
    Ok(tensors)
}

/// The checkpoint meant by `path`: the file itself, or of a folder its newest `step_N`.
///
/// # Errors
/// Where the system does not tell what there is.
pub fn checkpoint_at(path: &Path) -> io::Result<Option<PathBuf>> {
    if !is_folder(path)? {
        return Ok(Some(path.to_owned()));
    }
    let mut newest = None;
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        newest = newest.max(step_of(&path).map(|step| (step, path)));
    }
    Ok(newest.map(|(_, path)| path))
}

/// The step that a checkpoint's name tells: `step_N`, with or without an ending.
pub fn step_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    let rest = name.strip_prefix("step_")?;
    let digits = rest.split('.').next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrappers_are_taken_off_and_nothing_else() {
        for name in [
            "_orig_mod.model.inner.H_init",
            "model.inner.H_init",
            "inner.H_init",
            "module.model._orig_mod.inner.H_init",
        ] {
            assert_eq!(unwrapped(name), "H_init");
        }
        assert_eq!(
            unwrapped("H_level.layers.0.mlp.down_proj.weight"),
            "H_level.layers.0.mlp.down_proj.weight"
        );
        assert_eq!(unwrapped("modelling.inner.x"), "modelling.inner.x");
    }

    #[test]
    fn a_folder_means_its_newest_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["step_900", "step_10400.safetensors", "step_x", "all_config.yaml"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let at = |path: &Path| checkpoint_at(path).unwrap().unwrap();
        let found = at(folder.path());
        assert!(found.ends_with("step_10400.safetensors"), "{found:?}");
        assert_eq!(step_of(&found), Some(10_400));
        assert_eq!(step_of(&at(&folder.path().join("step_900"))), Some(900));
    }
}
