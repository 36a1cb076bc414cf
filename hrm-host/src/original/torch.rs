//! The tensors of a file of `torch.save`: a zip archive with one pickle and one entry for each storage.

use std::collections::HashMap;
use std::io::{Cursor, Read};

use candle_core::{DType, Device, Tensor};
use zip::ZipArchive;

use super::pickle::{Id, Pickle, Value};
use super::tensors::{ReadError, Tensors};

/// The functions that rebuild tensors of a state dict.
const TENSOR: &str = "torch._utils._rebuild_tensor_v2";
const PARAMETER: &str = "torch._utils._rebuild_parameter";
/// Rebuilds tensors of types that no storage class has.
const LATER_TENSOR: &str = "torch._utils._rebuild_tensor_v3";

/// Reads every tensor of the state dict in `bytes`.
pub(super) fn read(bytes: &[u8]) -> Result<Tensors, ReadError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|error| ReadError::Damaged(format!("its zip archive ends early or is broken: {error}")))?;
    let entries = entries(&mut archive, bytes.len())?;
    let pickle = entries.get("data.pkl").ok_or_else(|| ReadError::Damaged("it has no data.pkl".into()))?;
    if entries.get("byteorder").is_some_and(|order| order.as_slice() != b"little") {
        return Err(ReadError::Refused(
            "its numbers are big-endian; save it again on a usual machine".into(),
        ));
    }
    let pickle = Pickle::read(pickle).map_err(|error| ReadError::Damaged(format!("it has {error}")))?;
    let dict = state_dict(&pickle)?;
    let mut tensors = Tensors::default();
    // Tensors may share a storage, but not so many that they take several times the memory of the file.
    let mut left = bytes.len().saturating_mul(4);
    for (name, value) in dict {
        let name =
            pickle.text(*name).ok_or_else(|| ReadError::Refused("it has a key that is no text".into()))?;
        let tensor = Stored::of(&pickle, *value, name)?.read(&entries, name)?;
        left = left.checked_sub(tensor.elem_count()).ok_or_else(|| {
            ReadError::Refused("its tensors share their storage too often to be a model's".into())
        })?;
        tensors.add(name, tensor)?;
    }
    Ok(tensors)
}

/// Every entry of the archive by its name without the folder that all share; each is checked against its sum.
fn entries(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    whole: usize,
) -> Result<HashMap<String, Vec<u8>>, ReadError> {
    let (mut entries, mut left) = (HashMap::new(), whole);
    for at in 0..archive.len() {
        let broken =
            |error: &dyn std::fmt::Display| ReadError::Damaged(format!("its entry {at} is broken: {error}"));
        let mut entry = archive.by_index(at).map_err(|error| broken(&error))?;
        let name = entry.name().map_err(|error| broken(&error))?.into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(|error| broken(&error))?;
        // Nothing is compressed, so that entries which lie over each other are the
        // only way to exceed the file.
        left = left.checked_sub(bytes.len()).ok_or_else(|| broken(&"it lies over another"))?;
        let within = name.split_once('/').map_or(name.as_str(), |(_, rest)| rest);
        entries.insert(within.to_owned(), bytes);
    }
    Ok(entries)
}

/// The dictionary that is the pickle's value, if it is one of tensors and nothing else would be called.
fn state_dict(pickle: &Pickle) -> Result<&[(Id, Id)], ReadError> {
    let harmless = [TENSOR, PARAMETER, LATER_TENSOR];
    let stranger = pickle.called().find(|function| !harmless.contains(function));
    let code = |function: &str| {
        ReadError::Refused(format!(
            "it would have Python call {function}, which no state dict needs; nothing of it was run, and PyTorch should not load it \
             either"
        ))
    };
    let saved = "save `model.state_dict()` instead";
    let what = match pickle.get(pickle.root) {
        Value::Dict(_) if stranger.is_some() => return Err(code(stranger.unwrap_or_default())),
        Value::Dict(entries) => {
            let inner = entries.iter().find(|(_, value)| matches!(pickle.get(*value), Value::Dict(_)));
            return match inner.and_then(|(key, _)| pickle.text(*key)) {
                Some(key) => {
                    let keys: Vec<&str> = entries.iter().filter_map(|(key, _)| pickle.text(*key)).collect();
                    Err(ReadError::Refused(format!(
                        "it is a dictionary of {}, not a state dict; save the one of the model alone, for example `torch.save(\
                         torch.load(FILE)[\"{key}\"], OTHER)`",
                        keys.join(", ")
                    )))
                }
                None => Ok(entries),
            };
        }
        Value::Object { class } => {
            let class = pickle.global(*class).unwrap_or("unknown class");
            format!("it is a whole object of class {class}, whose code would be needed; {saved}")
        }
        Value::Call { function, .. }
            if pickle.global(*function).is_some_and(|name| harmless.contains(&name)) =>
        {
            format!("it is a single tensor, not a state dict; {saved}")
        }
        Value::Call { function, .. } => {
            return Err(code(pickle.global(*function).unwrap_or("a computed function")));
        }
        Value::List(_) => format!("it is a list, not a state dict; {saved}"),
        Value::Tuple(_) => format!("it is a tuple, not a state dict; {saved}"),
        _ => format!("it is a single value, not a state dict; {saved}"),
    };
    Err(ReadError::Refused(what))
}

/// Where a tensor's values lie in the archive.
struct Stored<'a> {
    storage: &'a str,
    dtype: DType,
    offset: usize,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

impl<'a> Stored<'a> {
    fn of(pickle: &'a Pickle, value: Id, name: &str) -> Result<Self, ReadError> {
        let refused = |why: &str| ReadError::Refused(format!("its entry {name} {why}"));
        let no_tensor = || refused("is no tensor");
        let Value::Call { function, arguments } = pickle.get(value) else { return Err(no_tensor()) };
        let arguments = pickle.tuple(*arguments).ok_or_else(no_tensor)?;
        match (pickle.global(*function), arguments) {
            (Some(PARAMETER), [tensor, ..]) => Self::of_tensor(pickle, *tensor, name),
            (Some(TENSOR), [storage, offset, shape, strides, ..]) => {
                let counts = |id: &Id| {
                    pickle.tuple(*id)?.iter().map(|id| pickle.count(*id)).collect::<Option<Vec<_>>>()
                };
                let Value::Persistent(storage) = pickle.get(*storage) else { return Err(no_tensor()) };
                let Some([_, class, storage, ..]) = pickle.tuple(*storage) else { return Err(no_tensor()) };
                let class = pickle.global(*class).ok_or_else(no_tensor)?;
                let dtype = match class.trim_start_matches("torch.") {
                    "FloatStorage" => DType::F32,
                    "DoubleStorage" => DType::F64,
                    "HalfStorage" => DType::F16,
                    "BFloat16Storage" => DType::BF16,
                    other => {
                        return Err(refused(&format!(
                            "is of type {}, and a model's tensors are f32, bf16, f16 or f64",
                            other.trim_end_matches("Storage")
                        )));
                    }
                };
                Ok(Self {
                    storage: pickle.text(*storage).ok_or_else(no_tensor)?,
                    dtype,
                    offset: pickle.count(*offset).ok_or_else(no_tensor)?,
                    shape: counts(shape).ok_or_else(no_tensor)?,
                    strides: counts(strides).ok_or_else(no_tensor)?,
                })
            }
            (Some(LATER_TENSOR), arguments) => {
                let dtype = arguments.get(6).and_then(|id| pickle.global(*id)).unwrap_or("an unknown one");
                Err(refused(&format!("is of type {dtype}, and a model's tensors are f32, bf16, f16 or f64")))
            }
            (Some(function), _) => {
                Err(refused(&format!("is what {function} makes, which this program does not read")))
            }
            (None, _) => Err(no_tensor()),
        }
    }

    /// A parameter's tensor, which is none itself.
    fn of_tensor(pickle: &'a Pickle, value: Id, name: &str) -> Result<Self, ReadError> {
        match pickle.get(value) {
            Value::Call { function, .. } if pickle.global(*function) == Some(PARAMETER) => {
                Err(ReadError::Refused(format!("its entry {name} is a parameter of a parameter")))
            }
            _ => Self::of(pickle, value, name),
        }
    }

    /// The values, in the order of the shape and as f32.
    fn read(&self, entries: &HashMap<String, Vec<u8>>, name: &str) -> Result<Tensor, ReadError> {
        let damaged = |why: &str| ReadError::Damaged(format!("the values of {name} {why}"));
        let bytes = entries
            .get(&format!("data/{}", self.storage))
            .ok_or_else(|| damaged(&format!("are missing: there is no entry data/{}", self.storage)))?;
        let held = bytes.len() / self.dtype.size_in_bytes();
        let flat = Tensor::from_raw_buffer(bytes, self.dtype, &[held], &Device::Cpu)?
            .to_dtype(DType::F32)?
            .to_vec1::<f32>()?;
        let count = self.shape.iter().try_fold(1usize, |count, n| count.checked_mul(*n));
        let count =
            count.filter(|count| *count <= held).ok_or_else(|| damaged("are fewer than its shape has"))?;
        if self.strides.len() != self.shape.len() {
            return Err(damaged("have no order"));
        }
        let mut values = Vec::with_capacity(count);
        for at in 0..count {
            let (mut rest, mut place) = (at, Some(self.offset));
            for (size, stride) in self.shape.iter().zip(&self.strides).rev() {
                place = place.and_then(|place| place.checked_add((rest % size).checked_mul(*stride)?));
                rest /= size;
            }
            let value = place
                .and_then(|place| flat.get(place))
                .ok_or_else(|| damaged("lie outside of their storage"))?;
            values.push(*value);
        }
        Ok(Tensor::from_vec(values, self.shape.as_slice(), &Device::Cpu)?)
    }
}
