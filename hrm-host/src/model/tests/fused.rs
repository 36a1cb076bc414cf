//! The fast backends against the composite one, against finite differences, and against themselves on
//! other threads. The GPU's kernels run on an emulator, every launch in four orders of its threads that
//! must give the same bits.

use super::*;
use crate::model::{Backend, ModelError, disagreement};

fn both(config: &ModelConfig, params: &Params, fast: Backend) -> (Hrm, Hrm) {
    let hrm = |backend| Hrm::with_backend(config, params, backend).unwrap();
    (hrm(fast), hrm(Backend::Composite))
}

fn in_f64(config: &ModelConfig, params: &Params) -> Params {
    Params::from_tensors_as(config, &params.tensors().into_iter().collect(), DType::F64, &Device::Cpu)
        .unwrap()
}

#[test]
fn the_backend_follows_type_and_device() {
    let config = tiny_configs().remove(0);
    let hrm = |dtype| Hrm::new(&config, &lively_params(&config, dtype, 1)).unwrap();
    assert_eq!(hrm(DType::F32).backend(), Backend::Fused);
    assert_eq!(hrm(DType::F64).backend(), Backend::Composite);
}

/// With heads of 12, which fit no vector register and no tile.
fn odd(config: &ModelConfig) -> ModelConfig {
    ModelConfig { width: 48, heads: 4, ..config.clone() }
}

/// Also with a batch that fills neither its chunks nor its shares.
#[test]
fn the_fused_backend_agrees_with_the_composite_one() {
    agree(
        Backend::Fused,
        tiny_configs(),
        &[(35, Gradient::OneStep), (1, Gradient::Full), (2, Gradient::None)],
    );
    let odd = tiny_configs().iter().map(odd).collect();
    agree(Backend::Fused, odd, &[(35, Gradient::OneStep), (1, Gradient::Full), (2, Gradient::None)]);
}

#[test]
fn the_kernels_agree_with_the_composite_backend() {
    agree(Backend::Kernels, tiny_configs(), &[(2, Gradient::Full), (1, Gradient::None)]);
    agree(Backend::Kernels, tiny_configs().iter().map(odd).collect(), &[(1, Gradient::OneStep)]);
}

/// At the size of the paper's heads on 9x9 a block of threads needs more shared memory than it gets unasked.
#[test]
fn the_kernels_agree_at_full_size() {
    for (positions, heads) in [(Positions::Rope, 1), (Positions::LearnedRelation, 2)] {
        let config =
            ModelConfig { width: 64, heads, inner: 48, h_layers: 1, l_layers: 1, ..tiny_configs().remove(0) };
        let config = ModelConfig { task: crate::task::find("sudoku9").unwrap(), positions, ..config };
        let apart = apart(&config, Backend::Kernels).unwrap();
        assert!(apart < 1e-4, "{config:?}: {apart:e}");
        assert!(apart > 0.0, "two ways of rounding");
    }
}

/// In bf16 both round, in other places. In a shallow model, where that has no time to grow, they
/// are about as far from f64.
#[test]
fn the_kernels_agree_in_bf16() {
    for config in tiny_configs() {
        let config = ModelConfig { h_cycles: 1, l_cycles: 1, h_layers: 1, l_layers: 1, ..config };
        let params = lively_params(&config, DType::F32, 3);
        let exact = in_f64(&config, &params);
        let tokens = tokens(&config, 2);
        let run = |backend, params: &Params, compute| {
            let hrm = Hrm::with_backend(&config, params, backend).unwrap().in_type(compute);
            assert_eq!(hrm.backend(), backend);
            let carry = hrm.initial_carry(2).unwrap();
            let output = hrm.segment(&carry, &tokens, Gradient::Full).unwrap();
            let grads = loss(&output).backward().unwrap();
            let of_all = params.vars().map(|(_, var)| grads.get(var).unwrap().flatten_all().unwrap());
            let all: Vec<_> = of_all.chain([output.logits.flatten_all().unwrap()]).collect();
            Tensor::cat(&all, 0).unwrap().to_dtype(DType::F64).unwrap()
        };
        let exact = run(Backend::Composite, &exact, DType::F64);
        let error = |backend| distance(&run(backend, &params, DType::BF16), &exact);
        let (kernels, composite) = (error(Backend::Kernels), error(Backend::Composite));
        assert!(kernels < 1.5 * composite && composite < 0.05, "{config:?}: {kernels:e}, {composite:e}");
    }
}

/// From the composite backend, both in f32.
fn apart(config: &ModelConfig, backend: Backend) -> Result<f64, ModelError> {
    disagreement(config, &Device::Cpu, ((backend, DType::F32), (Backend::Composite, DType::F32)))
}

#[test]
fn a_trial_notices_what_differs() {
    let config = tiny_configs().remove(5);
    assert_eq!(apart(&config, Backend::Composite).unwrap(), 0.0);
    assert!(apart(&config, Backend::Fused).unwrap() < 1e-4);
    let short = ((Backend::Composite, DType::BF16), (Backend::Composite, DType::F32));
    let rounded = disagreement(&config, &Device::Cpu, short).unwrap();
    assert!((1e-3..0.2).contains(&rounded), "{rounded}");
    let huge = ModelConfig { width: 128, heads: 1, task: crate::task::find("sudoku9").unwrap(), ..config };
    let error = apart(&huge, Backend::Kernels).unwrap_err();
    assert!(error.to_string().contains("use more heads"), "{error}");
}

/// Both in f32 against the composite one in f64: the fast error may be what f32 makes of it, and no more.
fn agree(fast: Backend, configs: Vec<ModelConfig>, cases: &[(usize, Gradient)]) {
    for config in configs {
        let params = lively_params(&config, DType::F32, 1);
        let (fused, composite) = both(&config, &params, fast);
        let exact_params = in_f64(&config, &params);
        let exact = Hrm::new(&config, &exact_params).unwrap();
        for &(batch, gradient) in cases {
            let tokens = tokens(&config, batch);
            let carry = mid_carry(&composite, &tokens);
            let close = |what: &str, exact: &Tensor, fused: &Tensor, composite: &Tensor| {
                let error = |t: &Tensor| distance(&t.to_dtype(DType::F64).unwrap(), exact);
                let (fused, composite) = (error(fused), error(composite));
                let limit = 2e-6 + 4.0 * composite;
                assert!(
                    limit < 1e-3 && fused < limit,
                    "{config:?} batch {batch} {what}: {fused:e}, {composite:e}"
                );
            };
            let run = |hrm: &Hrm| hrm.segment(&carry, &tokens, gradient).unwrap();
            let as_f64 = |z: &Tensor| z.to_dtype(DType::F64).unwrap();
            let exact_carry = Carry { z_h: as_f64(&carry.z_h), z_l: as_f64(&carry.z_l) };
            let exact = exact.segment(&exact_carry, &tokens, gradient).unwrap();
            let (fused, composite) = (run(&fused), run(&composite));
            close("logits", &exact.logits, &fused.logits, &composite.logits);
            close("q", &exact.q, &fused.q, &composite.q);
            close("z_h", &exact.carry.z_h, &fused.carry.z_h, &composite.carry.z_h);
            close("z_l", &exact.carry.z_l, &fused.carry.z_l, &composite.carry.z_l);
            if gradient != Gradient::None {
                let grads = |output| loss(output).backward().unwrap();
                let (exact, fused, composite) = (grads(&exact), grads(&fused), grads(&composite));
                for ((name, var), (_, exact_var)) in params.vars().zip(exact_params.vars()) {
                    let get = |grads: &GradStore| grads.get(var).unwrap().clone();
                    close(name, exact.get(exact_var).unwrap(), &get(&fused), &get(&composite));
                }
            }
        }
    }
}

/// Its f32 gradients against differences of the same model in f64.
#[test]
fn fused_gradients_agree_with_finite_differences() {
    let step = 1e-6;
    for config in tiny_configs() {
        let params = lively_params(&config, DType::F32, 2);
        let exact = in_f64(&config, &params);
        let reference = Hrm::new(&config, &exact).unwrap();
        let tokens = tokens(&config, 2);
        let carry = reference.initial_carry(2).unwrap();
        let hrm = Hrm::with_backend(&config, &params, Backend::Fused).unwrap();
        let grads = gradients(&hrm, &hrm.initial_carry(2).unwrap(), &tokens, Gradient::Full);
        for ((name, var), (_, exact)) in params.vars().zip(exact.vars()) {
            let grad = grads.get(var).unwrap().to_dtype(DType::F64).unwrap();
            let size = scalar(&grad.sqr().unwrap().sum_all().unwrap()).sqrt();
            // the steepest one: the slope along it is the gradient's size
            let direction = (&grad / size).unwrap();
            let start = exact.as_tensor().copy().unwrap();
            let at = |t: f64| {
                exact.set(&(&start + (&direction * t).unwrap()).unwrap()).unwrap();
                scalar(&loss(&reference.segment(&carry, &tokens, Gradient::None).unwrap()))
            };
            let numeric = (at(step) - at(-step)) / (2.0 * step);
            exact.set(&start).unwrap();
            assert!((numeric / size - 1.0).abs() < 1e-5, "{config:?} {name}: {numeric} against {size}");
        }
    }
}

#[test]
fn neither_threads_nor_repetition_change_a_bit() {
    let config = tiny_configs().remove(6);
    let params = lively_params(&config, DType::F32, 3);
    let hrm = Hrm::new(&config, &params).unwrap();
    let tokens = tokens(&config, 35);
    let carry = mid_carry(&hrm, &tokens);
    let bits = |threads| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
            let grads = gradients(&hrm, &carry, &tokens, Gradient::Full);
            let bits = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            params
                .vars()
                .flat_map(|(_, var)| bits(grads.get(var).unwrap()))
                .map(f32::to_bits)
                .collect::<Vec<_>>()
        })
    };
    let alone = bits(1);
    assert!(alone == bits(3) && alone == bits(2) && alone == bits(3));
}

#[test]
fn a_level_that_is_called_in_another_shape_says_so() {
    let config = tiny_configs().remove(0);
    let hrm = Hrm::new(&config, &lively_params(&config, DType::F32, 4)).unwrap();
    let other = ModelConfig { width: 48, heads: 3, ..config.clone() };
    let other = Hrm::new(&other, &lively_params(&other, DType::F32, 4)).unwrap();
    let carry = other.initial_carry(1).unwrap();
    assert!(hrm.segment(&carry, &tokens(&config, 1), Gradient::None).is_err());
}
