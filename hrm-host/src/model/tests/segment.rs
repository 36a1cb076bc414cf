//! Shapes, determinism and what the observer sees.

use std::collections::BTreeMap;

use super::*;
use crate::model::{Backend, Level, Site, SiteOp, multiplies_bf16};

#[test]
fn shapes_are_those_of_the_contract() {
    for config in tiny_configs() {
        let params = lively_params(&config, DType::F32, 1);
        let hrm = Hrm::new(&config, &params).unwrap();
        for gradient in [Gradient::None, Gradient::OneStep, Gradient::Full] {
            let output = hrm.segment(&hrm.initial_carry(3).unwrap(), &tokens(&config, 3), gradient).unwrap();
            assert_eq!(output.logits.dims(), [3, 16, 6]);
            assert_eq!(output.q.dims(), [3, config.q_outputs()]);
            assert_eq!(output.carry.z_h.dims(), [3, 17, 32]);
            assert_eq!(output.carry.z_l.dims(), [3, 17, 32]);
            assert!(
                output.logits.flatten_all().unwrap().to_vec1::<f32>().unwrap().iter().all(|v| v.is_finite())
            );
        }
    }
}

#[test]
fn how_gradients_flow_changes_no_output() {
    for config in tiny_configs() {
        let hrm = Hrm::new(&config, &lively_params(&config, DType::F32, 2)).unwrap();
        let (tokens, carry) = (tokens(&config, 2), hrm.initial_carry(2).unwrap());
        let logits = |gradient| hrm.segment(&carry, &tokens, gradient).unwrap().logits;
        let inference = logits(Gradient::None);
        assert!(distance(&logits(Gradient::OneStep), &inference) < 1e-6);
        assert!(distance(&logits(Gradient::Full), &inference) < 1e-6);
    }
}

#[test]
fn short_floats_follow_and_keep_what_outlives_a_segment_in_f32() {
    for config in tiny_configs() {
        let params = lively_params(&config, DType::F32, 5);
        let long = Hrm::with_backend(&config, &params, Backend::Composite).unwrap();
        let (tokens, carry) = (tokens(&config, 2), long.initial_carry(2).unwrap());
        let run = |hrm: &Hrm| {
            let output = hrm.segment(&carry, &tokens, Gradient::OneStep).unwrap();
            let grads = loss(&output).backward().unwrap();
            (output, params.vars().map(|(_, var)| grads.get(var).unwrap().clone()).collect::<Vec<_>>())
        };
        let (exact, exact_grads) = run(&long);
        // All of it in bf16, and what this processor's fastest way is.
        let fast = Hrm::new(&config, &params).unwrap();
        for short in [&long, &fast].map(|hrm| hrm.clone().in_type(DType::BF16)) {
            let (near, near_grads) = run(&short);
            // Random weights amplify the rounding of 8 bits from call to call;
            // unrelated values are 1.4 apart.
            let outputs = [
                ("logits", &near.logits, &exact.logits, 0.1),
                ("q", &near.q, &exact.q, 0.1),
                ("z_h", &near.carry.z_h, &exact.carry.z_h, 0.1),
                ("z_l", &near.carry.z_l, &exact.carry.z_l, 0.1),
            ];
            let names = params.vars().map(|(name, _)| name);
            let grads =
                names.zip(near_grads.iter().zip(&exact_grads)).map(|(name, (a, b))| (name, a, b, 0.5));
            for (name, near, exact, most) in outputs.into_iter().chain(grads) {
                assert_eq!(near.dtype(), DType::F32, "{name}");
                let distance = distance(near, exact);
                // The gradient of `q_head.bias` is the loss' own.
                let rounds =
                    name != "q_head.bias" && (short.backend() == Backend::Composite || multiplies_bf16());
                assert!(distance > 0.0 || !rounds, "{name}: not in bf16");
                assert!(distance < most, "{:?} {:?} {name}: {distance}", short.backend(), config.positions);
            }
        }
    }
}

#[test]
fn inference_leaves_no_graph_and_sees_later_changes_of_the_parameters() {
    let config = tiny_configs().remove(0);
    let params = lively_params(&config, DType::F32, 3);
    let hrm = Hrm::new(&config, &params).unwrap();
    let (tokens, carry) = (tokens(&config, 1), hrm.initial_carry(1).unwrap());
    let before = hrm.segment(&carry, &tokens, Gradient::None).unwrap();
    assert!(!before.logits.track_op() && !before.q.track_op());
    for (_, var) in params.vars() {
        var.set(&(var.as_tensor() * 0.5).unwrap()).unwrap();
    }
    let after = hrm.segment(&carry, &tokens, Gradient::None).unwrap();
    assert!(distance(&after.logits, &before.logits) > 0.01);
    let rebuilt = Hrm::new(&config, &params).unwrap().segment(&carry, &tokens, Gradient::None).unwrap();
    assert_eq!(distance(&after.logits, &rebuilt.logits), 0.0);
}

#[test]
fn rows_do_not_see_each_other_and_refill_resets_the_chosen_ones() {
    let config = tiny_configs().remove(3);
    let hrm = Hrm::new(&config, &lively_params(&config, DType::F32, 4)).unwrap();
    let tokens = tokens(&config, 3);
    let carry = mid_carry(&hrm, &tokens);
    let together = hrm.segment(&carry, &tokens, Gradient::None).unwrap().logits;
    let row = |t: &Tensor| t.narrow(0, 1, 1).unwrap();
    let own = Carry { z_h: row(&carry.z_h), z_l: row(&carry.z_l) };
    let alone = hrm.segment(&own, &row(&tokens), Gradient::None).unwrap().logits;
    assert!(distance(&row(&together), &alone) < 1e-6);

    let refilled = hrm.refill(&carry, &Tensor::new(&[0u8, 1, 0], &Device::Cpu).unwrap()).unwrap();
    let start = hrm.initial_carry(3).unwrap();
    for (i, expected) in [&carry, &start, &carry].into_iter().enumerate() {
        let row = |t: &Tensor| t.narrow(0, i, 1).unwrap();
        assert_eq!(distance(&row(&refilled.z_h), &row(&expected.z_h)), 0.0);
        assert_eq!(distance(&row(&refilled.z_l), &row(&expected.z_l)), 0.0);
    }
}

#[test]
fn the_observer_sees_every_site_of_every_call() {
    for config in tiny_configs() {
        let hrm = Hrm::new(&config, &lively_params(&config, DType::F32, 5)).unwrap();
        let (tokens, carry) = (tokens(&config, 2), hrm.initial_carry(2).unwrap());
        let mut seen: BTreeMap<Site, (usize, Tensor)> = BTreeMap::new();
        let output = hrm
            .observe(&carry, &tokens, &mut |site, value| {
                let entry = seen.entry(site).or_insert((0, value.clone()));
                *entry = (entry.0 + 1, value.clone());
            })
            .unwrap();
        let block_sites = 12;
        assert_eq!(seen.len(), 2 + block_sites * (config.h_layers + config.l_layers) + 3);
        for (site, (count, _)) in &seen {
            let calls = match site.level {
                Level::H => config.h_cycles,
                Level::L => config.h_cycles * config.l_cycles,
                Level::Heads => 1,
            };
            assert_eq!(*count, calls, "{site:?}");
        }
        let last = |level, layer, op| &seen[&Site { level, layer, op }].1;
        assert_eq!(distance(last(Level::Heads, 0, SiteOp::Logits), &output.logits), 0.0);
        assert_eq!(distance(last(Level::Heads, 0, SiteOp::ZH), &output.carry.z_h), 0.0);
        let block_output = last(Level::L, config.l_layers - 1, SiteOp::FeedForwardNorm);
        assert_eq!(distance(block_output, &output.carry.z_l), 0.0);
        let mean_square =
            scalar(&last(Level::H, 0, SiteOp::AttentionNorm).sqr().unwrap().mean_all().unwrap());
        assert!((mean_square - 1.0).abs() < 1e-3, "normed: {mean_square}");
    }
}
