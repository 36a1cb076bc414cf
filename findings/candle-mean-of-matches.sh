#!/bin/sh
# candle-core 0.11.1, on the CPU.
#
# Guess, written down first: `predicted.eq(&right)?` can be counted. Its sum goes past 255, and its
# mean is the share of matches, or an error, as PyTorch gives for integers.
#
# Seen: a comparison is of type u8, and sum and mean stay in it.
#   * The sum wraps, as built without overflow checks (every release build): 256 matches of 256 are
#     0, and 300 are 44.
#   * The mean is 0 however many match. One divided by the number of elements is made an integer
#     before it multiplies, so u32 and i64 have a mean of 0, too: that of 1, 2, 3 and 6 is 0.
# The documentation of the two says neither. An accuracy or a share of solved cells, taken the way
# that one writes it in Python, is then 0 without a word, as if the model had learnt nothing. Four
# 9x9 puzzles have 324 cells, so even their sum wraps. Around it: `to_dtype(DType::F32)` before.
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
overflow-checks = false
TOML
cat > src/main.rs <<'RUST'
use candle_core::{DType, Device, Result, Tensor};

fn number(value: Tensor) -> Result<f64> {
    value.to_dtype(DType::F64)?.to_scalar()
}

fn main() -> Result<()> {
    let device = &Device::Cpu;
    for (matches, cells) in [(3u32, 4u32), (256, 256), (300, 324)] {
        let predicted = Tensor::arange(0, cells, device)?;
        let right = predicted.clamp(0u32, matches - 1)?;
        let same = predicted.eq(&right)?;
        let seen = (same.dtype(), number(same.sum_all()?)?, number(same.mean_all()?)?);
        let around = same.to_dtype(DType::F32)?;
        let around = (number(around.sum_all()?)?, number(around.mean_all()?)?);
        println!("{matches} of {cells} match: sum and mean {seen:?}, of f32 {around:?}");
        assert_eq!(seen, (DType::U8, f64::from(matches % 256), 0.));
        let share = f64::from(matches) / f64::from(cells);
        assert!(around.0 == f64::from(matches) && (around.1 - share).abs() < 1e-6);
    }
    let numbers = Tensor::new(&[1u32, 2, 3, 6], device)?;
    for kind in [DType::U8, DType::U32, DType::I64, DType::F32] {
        let mean = number(numbers.to_dtype(kind)?.mean_all()?)?;
        println!("the mean of 1, 2, 3 and 6 as {kind:?}: {mean}");
        assert_eq!(mean, if kind == DType::F32 { 3. } else { 0. });
    }
    println!("as seen");
    Ok(())
}
RUST
CARGO_TARGET_DIR="$folder/target" cargo run --quiet
grep -A 1 '^name = "candle-core"' Cargo.lock
