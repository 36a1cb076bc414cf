//! All trained parameters as one vector, so that optimizer, average and checkpoint need not know the model.

use std::collections::HashMap;
use std::ops::Range;

use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor};

use super::error::TrainError;
use crate::model::{ModelConfig, Params};

/// The name and shape of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its key in safetensors files.
    pub name: String,
    /// Its dimensions.
    pub shape: Vec<usize>,
}

impl Named {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Each tensor of `layout` with the place of its values among all of them.
pub fn places(layout: &[Named]) -> impl Iterator<Item = (&Named, Range<usize>)> {
    layout.iter().scan(0, |start, named| {
        let place = *start..*start + named.len();
        *start = place.end;
        Some((named, place))
    })
}

/// The trained parameters one after the other, and the fixed buffers.
#[derive(Clone, Debug, PartialEq)]
pub struct FlatParams {
    /// The trained tensors, in the order of their values.
    pub layout: Vec<Named>,
    /// Their values.
    pub values: Vec<f32>,
    /// What is not trained: `init.h` and `init.l`.
    pub buffers: Vec<(Named, Vec<f32>)>,
}

impl FlatParams {
    /// Reads `params` from their device.
    ///
    /// # Errors
    /// Where the device fails.
    pub fn read(params: &Params) -> Result<Self, TrainError> {
        let named =
            |name: &str, tensor: &Tensor| Named { name: name.to_owned(), shape: tensor.dims().to_vec() };
        let (mut layout, mut values) = (Vec::new(), Vec::new());
        for (name, var) in params.vars() {
            layout.push(named(name, var));
            values.extend(var.flatten_all()?.to_vec1::<f32>()?);
        }
        let mut buffers = Vec::new();
        for (name, tensor) in params.tensors() {
            if layout.iter().all(|trained| trained.name != name) {
                buffers.push((named(&name, &tensor), tensor.flatten_all()?.to_vec1::<f32>()?));
            }
        }
        Ok(Self { layout, values, buffers })
    }

    /// Each trained tensor with its values.
    pub fn split<'a, 'v>(
        &'a self,
        values: &'v [f32],
    ) -> impl Iterator<Item = (&'a Named, &'v [f32])> + use<'a, 'v> {
        let mut rest = values;
        self.layout.iter().map(move |named| {
            let (own, others) = rest.split_at(named.len());
            rest = others;
            (named, own)
        })
    }

    /// Where the values of the trained tensor `name` are; empty where there is no such tensor.
    pub fn range(&self, name: &str) -> Range<usize> {
        places(&self.layout).find(|(named, _)| named.name == name).map_or(0..0, |(_, place)| place)
    }

    /// Writes the values into the variables of `params`.
    ///
    /// # Errors
    /// Where the device fails.
    pub fn write(&self, params: &Params) -> Result<(), TrainError> {
        // One upload for all of them.
        let whole = Tensor::from_slice(&self.values, self.values.len(), params.device())?;
        for ((named, place), (_, var)) in places(&self.layout).zip(params.vars()) {
            var.set(&whole.narrow(0, place.start, named.len())?.reshape(named.shape.as_slice())?)?;
        }
        Ok(())
    }

    /// New parameters of these values.
    ///
    /// # Errors
    /// Where they do not fit `config`.
    pub fn to_params(&self, config: &ModelConfig, device: &Device) -> Result<Params, TrainError> {
        let buffers = self.buffers.iter().map(|(named, values)| (named, values.as_slice()));
        let tensors = self
            .split(&self.values)
            .chain(buffers)
            .map(|(named, values)| {
                let tensor = Tensor::from_slice(values, named.shape.as_slice(), &Device::Cpu)?;
                Ok((named.name.clone(), tensor))
            })
            .collect::<Result<HashMap<_, _>, TrainError>>()?;
        Ok(Params::from_tensors(config, &tensors, device)?)
    }

    /// The gradients of `params`, in the order of the values.
    ///
    /// # Errors
    /// [`TrainError::NoGradient`] where one is missing: some operation has cut the graph.
    pub fn gradients(&self, params: &Params, grads: &GradStore) -> Result<Vec<f32>, TrainError> {
        let mut flat = Vec::with_capacity(params.vars().len());
        for (name, var) in params.vars() {
            let grad = grads.get(var).ok_or_else(|| TrainError::NoGradient(name.to_owned()))?;
            flat.push(grad.flatten_all()?);
        }
        // One download for all of them.
        Ok(Tensor::cat(&flat, 0)?.to_vec1()?)
    }

    /// The first tensor with a value in `values` that is not finite.
    pub fn first_not_finite(&self, values: &[f32]) -> Option<&str> {
        self.split(values)
            .find(|(_, own)| own.iter().any(|x| !x.is_finite()))
            .map(|(named, _)| named.name.as_str())
    }
}
