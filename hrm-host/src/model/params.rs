//! The numbers of a model: named variables in a fixed order, and the two fixed initial states.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor, Var};

use super::config::ModelConfig;
use super::error::ModelError;
use super::init::TruncatedNormal;

/// How a parameter starts.
#[derive(Clone, Copy, Debug)]
enum Start {
    /// Truncated normal of this standard deviation.
    Normal(f64),
    /// The same value everywhere.
    Constant(f64),
}

/// One line of the parameter list.
#[derive(Debug)]
struct Slot {
    name: String,
    shape: Vec<usize>,
    start: Start,
    trained: bool,
}

/// The parameter list of a configuration; its order is the order of every iteration.
fn layout(config: &ModelConfig) -> Vec<Slot> {
    let (width, inner) = (config.width, config.inner);
    let mut slots = Vec::new();
    let mut add = |name: String, shape: &[usize], start, trained| {
        slots.push(Slot { name, shape: shape.to_vec(), start, trained });
    };
    let fan_in = |n: usize| Start::Normal(1.0 / (n as f64).sqrt());

    add("embed.tokens".into(), &[config.vocab(), width], fan_in(width), true);
    if config.prefix {
        add("embed.prefix".into(), &[1, width], Start::Constant(0.0), true);
    }
    if config.positions.learned() {
        add("embed.positions".into(), &[config.sequence(), width], fan_in(width), true);
    }
    add("init.h".into(), &[width], Start::Normal(1.0), false);
    add("init.l".into(), &[width], Start::Normal(1.0), false);
    for (level, layers) in levels(config) {
        for layer in 0..layers {
            let name = |part: &str| format!("{level}.{layer}.{part}");
            add(name("qkv"), &[3 * width, width], fan_in(width), true);
            add(name("out"), &[width, width], fan_in(width), true);
            add(name("gate_up"), &[2 * inner, width], fan_in(width), true);
            add(name("down"), &[width, inner], fan_in(inner), true);
            if config.positions.relation() {
                add(
                    name("relation_bias"),
                    &[config.heads, config.relation_classes()],
                    Start::Constant(0.0),
                    true,
                );
            }
        }
    }
    add("lm_head".into(), &[config.vocab(), width], fan_in(width), true);
    add("q_head.weight".into(), &[config.q_outputs(), width], Start::Constant(0.0), true);
    add("q_head.bias".into(), &[config.q_outputs()], Start::Constant(-5.0), true);
    slots
}

/// Number of trained values of a configuration, by arithmetic alone.
pub fn parameter_count(config: &ModelConfig) -> usize {
    let trained = shapes(config).filter(|(.., trained)| *trained);
    trained.map(|(_, shape, _)| shape.iter().product::<usize>()).sum()
}

/// Every parameter and buffer of a configuration in the fixed order: its name, its shape, and whether it
/// is trained.
pub fn shapes(config: &ModelConfig) -> impl Iterator<Item = (String, Vec<usize>, bool)> {
    layout(config).into_iter().map(|Slot { name, shape, trained, .. }| (name, shape, trained))
}

/// Names and depths of the levels that own weights.
fn levels(config: &ModelConfig) -> Vec<(&'static str, usize)> {
    match config.shared_levels {
        true => vec![("level", config.h_layers)],
        false => vec![("level_h", config.h_layers), ("level_l", config.l_layers)],
    }
}

/// Every parameter of a model.
///
/// The trained ones are [`Var`]s: an optimizer changes them in place and every [`Hrm`](super::Hrm) built from
/// them sees the change. `init.h` and `init.l` are fixed buffers.
#[derive(Clone, Debug)]
pub struct Params {
    names: Vec<String>,
    vars: Vec<(String, Var)>,
    by_name: HashMap<String, Tensor>,
}

impl Params {
    /// Fresh parameters: truncated normals of standard deviation `1 / sqrt(fan_in)` for the linear
    /// layers, `1 / sqrt(width)` for the embeddings and 1 for the initial states; zero for the prefix,
    /// the relation biases and `q_head.weight`; -5 for `q_head.bias`. The same `seed` gives the same
    /// numbers on every device.
    ///
    /// # Errors
    /// A configuration that does not validate, or a device without room.
    pub fn init(config: &ModelConfig, seed: u64, device: &Device) -> Result<Self, ModelError> {
        config.names_a_model()?;
        let mut normal = TruncatedNormal::new(seed);
        let mut tensors = HashMap::new();
        for Slot { name, shape, start, .. } in layout(config) {
            let count = shape.iter().product();
            let values = match start {
                Start::Normal(std) => normal.draw(count, std),
                Start::Constant(value) => vec![value as f32; count],
            };
            tensors.insert(name, Tensor::from_vec(values, shape, &Device::Cpu)?);
        }
        Self::from_tensors(config, &tensors, device)
    }

    /// Fresh parameters with noise on every one, so that no gradient is zero by construction.
    pub(crate) fn lively(
        config: &ModelConfig,
        dtype: DType,
        seed: u64,
        device: &Device,
    ) -> Result<Self, ModelError> {
        let mut normal = TruncatedNormal::new(seed);
        let mut tensors = HashMap::new();
        let fresh = Self::init(config, seed, &Device::Cpu)?;
        for name in &fresh.names {
            let value = fresh.get(name)?;
            let noise = Tensor::from_vec(normal.draw(value.elem_count(), 0.1), value.shape(), &Device::Cpu)?;
            tensors.insert(name.clone(), (value + noise)?);
        }
        Self::from_tensors_as(config, &tensors, dtype, device)
    }

    /// Parameters from named tensors, which are copied to `device` as f32.
    ///
    /// # Errors
    /// A missing, unknown or misshapen tensor, by name.
    pub fn from_tensors(
        config: &ModelConfig,
        tensors: &HashMap<String, Tensor>,
        device: &Device,
    ) -> Result<Self, ModelError> {
        Self::from_tensors_as(config, tensors, DType::F32, device)
    }

    /// As [`Params::from_tensors`], in any floating-point type (f64 lets tests differentiate numerically).
    pub(super) fn from_tensors_as(
        config: &ModelConfig,
        tensors: &HashMap<String, Tensor>,
        dtype: DType,
        device: &Device,
    ) -> Result<Self, ModelError> {
        config.names_a_model()?;
        let slots = layout(config);
        if let Some(name) = tensors.keys().filter(|name| slots.iter().all(|slot| slot.name != **name)).min() {
            return Err(ModelError::Unknown { name: name.clone() });
        }
        let (mut names, mut vars, mut by_name) = (Vec::new(), Vec::new(), HashMap::new());
        for Slot { name, shape, trained, .. } in slots {
            let Some(tensor) = tensors.get(&name) else { return Err(ModelError::Missing { name }) };
            if tensor.dims() != shape {
                return Err(ModelError::Shape { name, expected: shape, got: tensor.dims().to_vec() });
            }
            // A copy even where type and device already fit: parameters never share
            // storage with their source.
            let own = tensor.detach().to_device(device)?.to_dtype(dtype)?.force_contiguous()?;
            if trained {
                let var = Var::from_tensor(&own)?;
                by_name.insert(name.clone(), var.as_tensor().clone());
                vars.push((name.clone(), var));
            } else {
                by_name.insert(name.clone(), own);
            }
            names.push(name);
        }
        Ok(Self { names, vars, by_name })
    }

    /// Every parameter and buffer by name, in the fixed order, sharing storage with the variables.
    pub fn tensors(&self) -> Vec<(String, Tensor)> {
        self.names.iter().map(|name| (name.clone(), self.by_name[name].detach())).collect()
    }

    /// The trained parameters in the fixed order.
    pub fn vars(&self) -> impl ExactSizeIterator<Item = (&str, &Var)> {
        self.vars.iter().map(|(name, var)| (name.as_str(), var))
    }

    /// A parameter or buffer by name; gradients reach the variable through it.
    ///
    /// # Errors
    /// [`ModelError::Missing`] where the configuration has no such parameter.
    pub fn get(&self, name: &str) -> Result<&Tensor, ModelError> {
        self.by_name.get(name).ok_or_else(|| ModelError::Missing { name: name.to_owned() })
    }

    /// Number of trained values.
    pub fn count(&self) -> usize {
        self.vars.iter().map(|(_, var)| var.elem_count()).sum()
    }

    /// Type of the values: f32 outside of tests.
    pub(super) fn dtype(&self) -> DType {
        self.by_name["embed.tokens"].dtype()
    }

    /// The device that holds the parameters.
    pub fn device(&self) -> &Device {
        self.by_name["embed.tokens"].device()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Positions;

    fn config() -> ModelConfig {
        ModelConfig { positions: Positions::LearnedRelation, continue_head: true, ..ModelConfig::example() }
    }

    #[test]
    fn counts_and_names_follow_the_configuration() {
        let block = 3 * 96 * 96 + 96 * 96 + 2 * 256 * 96 + 96 * 256 + 3 * 11;
        let outside = 11 * 96 + 96 + 82 * 96 + 11 * 96 + 2 * 96 + 2;
        let params = Params::init(&config(), 1, &Device::Cpu).unwrap();
        assert_eq!(params.count(), 2 * block + outside);
        assert_eq!(parameter_count(&config()), params.count());
        let separate = ModelConfig { shared_levels: false, positions: Positions::Rope, ..config() };
        let params = Params::init(&separate, 1, &Device::Cpu).unwrap();
        assert_eq!(params.count(), 4 * (block - 33) + outside - 82 * 96);
        assert!(params.get("level_h.1.qkv").is_ok() && params.get("level_h.1.relation_bias").is_err());
    }

    #[test]
    fn initial_values_have_the_nominal_spread() {
        let params = Params::init(&config(), 3, &Device::Cpu).unwrap();
        let std = |name: &str| {
            let values = params.get(name).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let mean = values.iter().sum::<f32>() / values.len() as f32;
            (values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / values.len() as f32).sqrt()
        };
        let fan_in = |n: f32| 1.0 / n.sqrt();
        for (name, expected, tolerance) in [
            ("level.0.qkv", fan_in(96.0), 0.02),
            ("level.1.gate_up", fan_in(96.0), 0.02),
            ("level.1.down", fan_in(256.0), 0.02),
            ("lm_head", fan_in(96.0), 0.08),
            ("embed.positions", fan_in(96.0), 0.04),
            ("init.h", 1.0, 0.25),
        ] {
            assert!((std(name) / expected - 1.0).abs() < tolerance, "{name}: {}", std(name));
        }
        for name in ["embed.prefix", "q_head.weight", "level.0.relation_bias"] {
            assert_eq!(std(name), 0.0, "{name}");
        }
        assert_eq!(params.get("q_head.bias").unwrap().to_vec1::<f32>().unwrap(), [-5.0, -5.0]);
        // The initial states are one vector each, for every position, and not trained.
        assert!(params.vars().all(|(name, _)| !name.starts_with("init.")));
        assert_eq!(params.get("init.l").unwrap().dims(), [96]);
    }

    #[test]
    fn tensors_make_the_same_parameters_again_and_strangers_are_named() {
        let params = Params::init(&config(), 5, &Device::Cpu).unwrap();
        let mut tensors: HashMap<_, _> = params.tensors().into_iter().collect();
        let again = Params::from_tensors(&config(), &tensors, &Device::Cpu).unwrap();
        for ((name, a), (other, b)) in params.tensors().iter().zip(again.tensors()) {
            assert_eq!(*name, other);
            let bits = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert_eq!(bits(a), bits(&b), "{name}");
        }

        again.vars().next().unwrap().1.set(&params.get("lm_head").unwrap().zeros_like().unwrap()).unwrap();
        let source =
            params.get("embed.tokens").unwrap().abs().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(source > 0.0, "a copy must not write to its source");

        let message = |tensors: &HashMap<_, _>| {
            Params::from_tensors(&config(), tensors, &Device::Cpu).unwrap_err().to_string()
        };
        let head = tensors.remove("lm_head").unwrap();
        assert!(message(&tensors).starts_with("parameter lm_head is missing"));
        tensors.insert("lm_head".into(), head.t().unwrap());
        assert_eq!(message(&tensors), "lm_head has shape [96, 11] where the model needs [11, 96]");
        tensors.insert("lm_head".into(), head);
        tensors.insert("stray".into(), Tensor::zeros(1, DType::F32, &Device::Cpu).unwrap());
        assert!(message(&tensors).starts_with("tensor stray is no parameter"));
    }
}
