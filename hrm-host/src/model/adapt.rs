//! A trained model's weights in a model that also learns positions, or to doubt.

use candle_core::Tensor;
use hrm_core::pack::SecondHead;

use super::config::ModelConfig;
use super::error::ModelError;
use super::init::TruncatedNormal;
use super::params::Params;

/// Root mean square of new positions, in units of that of the token embeddings. At zero they would stay
/// there: to a model without positions all places are alike, and so are their gradients.
const SHARE: f64 = 0.3;

/// The parameters of a model of `from` for one of `to`, which may have learned
/// positions where `from` has none.
///
/// The embedding is `sqrt(width) tokens` without positions and `sqrt(width / 2) (tokens + positions)`
/// with them, so that the tokens grow by `sqrt 2` and the model thinks as before, but for the small
/// positions, drawn by `seed`.
///
/// The halting head may have a doubt output where `from` has no second one: it begins with weights of
/// 0, and its logit with 0.
///
/// # Errors
/// Where the two differ in anything else that shapes a parameter; the message names it.
pub fn adapt(params: &Params, from: &ModelConfig, to: &ModelConfig, seed: u64) -> Result<Params, ModelError> {
    let mut tensors: std::collections::HashMap<_, _> = params.tensors().into_iter().collect();
    if to.positions.learned() && !from.positions.learned() {
        let scaled = ["embed.tokens", "embed.prefix"];
        for name in scaled.into_iter().filter(|name| from.prefix || *name != "embed.prefix") {
            tensors.insert(name.to_owned(), (params.get(name)? * std::f64::consts::SQRT_2)?.detach());
        }
        let tokens: f32 = tensors["embed.tokens"].sqr()?.mean_all()?.to_scalar()?;
        let std = SHARE * f64::from(tokens).sqrt();
        let values = TruncatedNormal::new(seed).draw(to.sequence() * from.width, std);
        let positions = Tensor::from_vec(values, (to.sequence(), from.width), params.device())?;
        tensors.insert("embed.positions".to_owned(), positions);
    }
    if (from.second_head(), to.second_head()) == (SecondHead::None, SecondHead::Doubt) {
        for name in ["q_head.weight", "q_head.bias"] {
            let halt = params.get(name)?;
            tensors.insert(name.to_owned(), Tensor::cat(&[halt, &halt.zeros_like()?], 0)?);
        }
    }
    Params::from_tensors(to, &tensors, params.device())
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::model::{Gradient, Hrm, Positions};

    fn config(positions: Positions) -> ModelConfig {
        ModelConfig {
            task: crate::task::find("sudoku4").unwrap(),
            width: 32,
            heads: 2,
            inner: 32,
            h_layers: 1,
            l_layers: 1,
            h_cycles: 1,
            positions,
            segments: 4,
            ..ModelConfig::example()
        }
    }

    #[test]
    fn the_model_thinks_as_before_but_for_small_positions() {
        let (from, to) = (config(Positions::Relation), config(Positions::LearnedRelation));
        let params = Params::init(&from, 1, &Device::Cpu).unwrap();
        let adapted = adapt(&params, &from, &to, 2).unwrap();
        let rms = |x: &Tensor| x.sqr().unwrap().mean_all().unwrap().to_scalar::<f32>().unwrap().sqrt();
        let ratio = rms(adapted.get("embed.positions").unwrap()) / rms(adapted.get("embed.tokens").unwrap());
        assert!((ratio - SHARE as f32).abs() < 0.03, "{ratio}");

        // With the positions put to zero nothing at all has changed.
        let mut tensors: std::collections::HashMap<_, _> = adapted.tensors().into_iter().collect();
        let positions = tensors["embed.positions"].zeros_like().unwrap();
        tensors.insert("embed.positions".to_owned(), positions);
        let without = Params::from_tensors(&to, &tensors, &Device::Cpu).unwrap();
        let logits = |config: &ModelConfig, params: &Params| {
            let hrm = Hrm::new(config, params).unwrap();
            let tokens = Tensor::arange(0u32, 16, &Device::Cpu).unwrap().reshape((1, 16)).unwrap();
            let tokens = (tokens.to_dtype(DType::F32).unwrap() / 4.0).unwrap().to_dtype(DType::U32).unwrap();
            let output = hrm.segment(&hrm.initial_carry(1).unwrap(), &tokens, Gradient::None).unwrap();
            output.logits.flatten_all().unwrap().to_vec1::<f32>().unwrap()
        };
        let apart = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let before = logits(&from, &params);
        assert!(apart(&before, &logits(&to, &without)) < 1e-4);
        let moved = apart(&before, &logits(&to, &adapted));
        assert!(moved > 1e-3, "positions do something: {moved}");
    }

    #[test]
    fn equal_shapes_keep_every_number_and_others_are_refused() {
        let from = config(Positions::LearnedRelation);
        let params = Params::init(&from, 1, &Device::Cpu).unwrap();
        let same = adapt(&params, &from, &ModelConfig { l_cycles: 1, ..from.clone() }, 2).unwrap();
        for ((name, a), (_, b)) in params.tensors().iter().zip(same.tensors()) {
            let values = |x: &Tensor| x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert_eq!(values(a), values(&b), "{name}");
        }
        let error = adapt(&params, &from, &ModelConfig { width: 64, ..from.clone() }, 2).unwrap_err();
        assert!(error.to_string().contains("embed.tokens"), "{error}");
        let error = adapt(&params, &from, &config(Positions::Relation), 2).unwrap_err();
        assert!(error.to_string().contains("embed.positions"), "{error}");
    }
}
