#!/bin/sh
# candle-core 0.11.1, on the CPU.
#
# Guess, written down first: ids of type u8 pick rows as ids of type u32 do, so a table of 256 rows
# serves every byte.
#
# Seen: id 255 picks no row. `embedding`, `index_select` and `gather` give zeros there, and no
# error, though the table has a row 255; id 254 is right, and so is 255 as u32. The gradient of row
# 255 is zero as well, so it never learns. The largest value of the ids' type is taken for "none",
# which the documentation of the three does not say.
# A model of bytes is such a case, and NumPy's files of bytes are read as u8. Around it:
# `to_dtype(DType::U32)` before.
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
use candle_core::{DType, Device, Result, Tensor, Var};

fn main() -> Result<()> {
    let device = &Device::Cpu;
    // Row r is r + 1 alone, so none is zero.
    let table = Var::from_tensor(&Tensor::arange(1f32, 257., device)?.reshape((256, 1))?)?;
    for kind in [DType::U8, DType::U32] {
        let ids = Tensor::new(&[0u32, 254, 255], device)?.to_dtype(kind)?;
        let flat = |picked: Tensor| picked.flatten_all()?.to_vec1::<f32>();
        let embedded = table.embedding(&ids)?;
        let slope = embedded
            .sum_all()?
            .backward()?
            .get(&table)
            .expect("a gradient")
            .flatten_all()?
            .to_vec1::<f32>()?;
        let slope = [slope[0], slope[254], slope[255]];
        let picked = [
            flat(embedded)?,
            flat(table.index_select(&ids, 0)?)?,
            flat(table.gather(&ids.reshape((3, 1))?, 0)?)?,
        ];
        println!("{kind:?} ids 0, 254, 255: three ways {picked:?}, gradient {slope:?}");
        let (last, learns) = if kind == DType::U8 { (0., 0.) } else { (256., 1.) };
        assert!(
            picked.iter().all(|picked| *picked == [1., 255., last]) && slope == [1., 1., learns]
        );
    }
    println!("as seen");
    Ok(())
}
RUST
CARGO_TARGET_DIR="$folder/target" cargo run --quiet
grep -A 1 '^name = "candle-core"' Cargo.lock
