//! Gradients reach every parameter, and are right.

use super::*;
use crate::model::init::TruncatedNormal;
use crate::model::{Level, Site, SiteOp};

#[test]
fn every_parameter_receives_a_gradient() {
    for config in tiny_configs() {
        let params = lively_params(&config, DType::F32, 1);
        let hrm = Hrm::new(&config, &params).unwrap();
        let tokens = tokens(&config, 2);
        let carry = mid_carry(&hrm, &tokens);
        for gradient in [Gradient::OneStep, Gradient::Full] {
            let grads = gradients(&hrm, &carry, &tokens, gradient);
            for (name, var) in params.vars() {
                let grad =
                    grads.get(var).unwrap_or_else(|| panic!("{config:?} {gradient:?}: {name} got none"));
                let size = scalar(&grad.abs().unwrap().sum_all().unwrap());
                assert!(size > 0.0 && size.is_finite(), "{config:?} {gradient:?}: {name} got {size}");
            }
        }
    }
}

/// Along a random direction of each parameter, in f64: `(L(p + εd) - L(p - εd)) / 2ε = <∇L, d>`.
#[test]
fn full_gradients_agree_with_finite_differences() {
    let step = 1e-6;
    for config in tiny_configs() {
        let params = lively_params(&config, DType::F64, 2);
        let hrm = Hrm::new(&config, &params).unwrap();
        let tokens = tokens(&config, 2);
        let carry = mid_carry(&hrm, &tokens);
        let grads = gradients(&hrm, &carry, &tokens, Gradient::Full);
        for (index, (name, var)) in params.vars().enumerate() {
            let noise = TruncatedNormal::new(100 + index as u64).draw(var.elem_count(), 1.0);
            let direction =
                Tensor::from_vec(noise, var.shape(), &Device::Cpu).unwrap().to_dtype(DType::F64).unwrap();
            let start = var.as_tensor().copy().unwrap();
            let at = |t: f64| {
                var.set(&(&start + (&direction * t).unwrap()).unwrap()).unwrap();
                scalar(&loss(&hrm.segment(&carry, &tokens, Gradient::None).unwrap()))
            };
            let numeric = (at(step) - at(-step)) / (2.0 * step);
            var.set(&start).unwrap();
            let analytic = scalar(&(grads.get(var).unwrap() * &direction).unwrap().sum_all().unwrap());
            let error = (numeric - analytic).abs() / analytic.abs().max(1.0);
            assert!(error < 1e-6, "{config:?} {name}: {numeric} against {analytic}");
        }
    }
}

/// The one-step gradient is the full gradient of the last L call and the last H call alone, started
/// from the states they found.
#[test]
fn the_one_step_gradient_is_that_of_the_last_two_calls() {
    for config in tiny_configs() {
        let params = lively_params(&config, DType::F64, 3);
        let hrm = Hrm::new(&config, &params).unwrap();
        let tokens = tokens(&config, 2);
        let carry = mid_carry(&hrm, &tokens);
        let one_step = gradients(&hrm, &carry, &tokens, Gradient::OneStep);

        let (mut states_h, mut states_l) = (Vec::new(), Vec::new());
        let mut keep = |site: Site, value: &Tensor| match site {
            Site { level: Level::H, op: SiteOp::FeedForwardNorm, layer } if layer + 1 == config.h_layers => {
                states_h.push(value.clone());
            }
            Site { level: Level::L, op: SiteOp::FeedForwardNorm, layer } if layer + 1 == config.l_layers => {
                states_l.push(value.clone());
            }
            _ => {}
        };
        hrm.observe(&carry, &tokens, &mut keep).unwrap();
        let before_last = Carry { z_h: states_h.swap_remove(0), z_l: states_l.swap_remove(2) };
        let single = ModelConfig { h_cycles: 1, l_cycles: 1, ..config.clone() };
        let single = Hrm::new(&single, &params).unwrap();
        let expected = gradients(&single, &before_last, &tokens, Gradient::Full);
        let whole = gradients(&hrm, &carry, &tokens, Gradient::Full);
        for (name, var) in params.vars() {
            let grad = one_step.get(var).unwrap();
            assert!(distance(grad, expected.get(var).unwrap()) < 1e-12, "{config:?} {name}");
            if name.starts_with("level") {
                assert!(
                    distance(grad, whole.get(var).unwrap()) > 1e-3,
                    "{config:?} {name}: nothing was cut off"
                );
            }
        }
    }
}
