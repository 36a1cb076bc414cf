#!/bin/sh
# candle-nn 0.11.1 and candle-core 0.11.1, on the CPU.
#
# Guess, written down first: `loss::binary_cross_entropy_with_logit` takes logits so that it can be
# computed without overflow. For a logit x that is right it is about exp(-x), for one that is wrong about
# |x|, however large x is.
#
# Seen: it takes the logarithm of the sigmoid, and of one minus it.
#   * From a logit of 17 on the sigmoid is 1 in f32, so a right answer's loss is `0 * log 0`: not a
#     number. One such example makes the mean of the batch not a number, and its own gradient, which the
#     optimizer then carries into every weight.
#   * A wrong answer that is as sure has an infinite loss. From -104 on the sigmoid is 0: the same on the
#     other side.
# The documentation says only that logits are expected. A halting head that becomes sure of its answers, as
# it should, ends a training that has gone well until then. Around it: `max(x, 0) - x t + log(1 +
# exp(-|x|))`.
#
# Fails where that changes. Builds candle, without optimization.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cd "$folder"
cat > Cargo.toml <<'TOML'
[package]
name = "try"
version = "0.0.0"
edition = "2024"

[dependencies]
candle-core = { version = "=0.11.1", default-features = false }
candle-nn = { version = "=0.11.1", default-features = false }

[profile.dev]
debug = false
TOML
cat > src/main.rs <<'RUST'
use candle_core::{Device, Result, Tensor, Var};
use candle_nn::loss::binary_cross_entropy_with_logit;

fn main() -> Result<()> {
    let device = &Device::Cpu;
    let mut seen = Vec::new();
    for (logit, right) in [(5f32, 1f32), (16., 1.), (17., 1.), (200., 1.), (17., 0.), (-50., 0.), (-200., 0.)] {
        let x = Var::new(&[logit, 0.5], device)?;
        let target = Tensor::new(&[right, 1.], device)?;
        let mean = binary_cross_entropy_with_logit(&x, &target)?;
        let gradient = mean.backward()?.get(&x).unwrap().to_vec1::<f32>()?;
        let mean = mean.to_scalar::<f32>()?;
        let own = |x: f32, t: f32| x.max(0.) - x * t + (-x.abs()).exp().ln_1p();
        let stable = (own(logit, right) + own(0.5, 1.)) / 2.;
        println!("logit {logit}, right answer {right}: mean {mean}, gradient {gradient:?}; stable {stable}");
        assert!(stable.is_finite());
        seen.push((mean, gradient));
    }
    let finite = |n: usize| seen[n].0.is_finite() && seen[n].1.iter().all(|d| d.is_finite());
    assert!(finite(0) && finite(1) && finite(5));
    assert!(seen[2].0.is_nan() && seen[3].0.is_nan() && seen[6].0.is_nan());
    assert!(seen[2].1[0].is_nan() && seen[4].0.is_infinite());
    println!("as seen");
    Ok(())
}
RUST
CARGO_TARGET_DIR="$folder/target" cargo run --quiet
grep -A 1 '^name = "candle-' Cargo.lock
