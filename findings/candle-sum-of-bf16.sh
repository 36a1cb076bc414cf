#!/bin/sh
# candle-core 0.11.1, on the CPU.
#
# Guess, written down first: a sum of bf16 numbers is taken in f32 and rounded once, as PyTorch does on
# the CPU, so 1,000 ones are 1,000 and their mean is 1.
#
# Seen: `sum`, `sum_all`, `mean` and `mean_all` add in the type of the tensor, one number after the other.
#   * In bf16 a sum of ones stops at 256, where one more is less than half a step: 1,000 ones have a sum
#     of 256 and a mean of 0.256. In f16 it stops at 2,048.
#   * `matmul` of the same numbers adds in f32: a row of 1,000 ones by a column of them is 1,000. So does
#     `cumsum`, which is a product with a triangle of ones.
# A norm or a loss that is composed of such means is too small by a factor that grows with the row: a mean
# of squares over the 512 channels of the published HRM is off by up to 2, over all 81 x 512 numbers by
# 160. Around it: `to_dtype(DType::F32)` before the sum.
#
# Fails where that changes. Builds candle-core, without optimization.
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

[profile.dev]
debug = false
TOML
cat > src/main.rs <<'RUST'
use candle_core::{DType, Device, Result, Tensor};

fn number(value: Tensor) -> Result<f32> {
    value.to_dtype(DType::F32)?.flatten_all()?.get(0)?.to_scalar()
}

fn main() -> Result<()> {
    for (kind, most) in [(DType::BF16, 256), (DType::F16, 2048), (DType::F32, 1 << 24)] {
        for n in [256usize, 300, 1000, 5000] {
            let ones = Tensor::ones(n, kind, &Device::Cpu)?;
            let (sum, row) = (number(ones.sum_all()?)?, number(ones.sum(0)?)?);
            let mean = number(ones.mean_all()?)?;
            let product = number(ones.reshape((1, n))?.matmul(&ones.reshape((n, 1))?)?)?;
            println!("{n} ones as {kind:?}: sum {sum}, mean {mean}, product {product}");
            let stopped = n.min(most) as f32;
            assert!(sum == stopped && row == stopped);
            assert!((mean - stopped / n as f32).abs() < 0.01);
            assert!((product - n as f32).abs() < 10.);
        }
    }
    println!("as seen");
    Ok(())
}
RUST
CARGO_TARGET_DIR="$folder/target" cargo run --quiet
grep -A 1 '^name = "candle-core"' Cargo.lock
