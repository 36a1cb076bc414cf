#!/bin/sh
# half 2.7.1 (the Rust crate), on x86-64 with F16C, as nearly all have it.
#
# Guess, written down first: `f16::from_f64`, `f16::from_f64_const` and `bf16::from_f64` give the
# nearest value, and the first two always the same one, as the documentation calls them identical
# but for the hardware's instructions.
#
# Seen: of 1048576 numbers from 1 to 2, the three miss the nearest value at 61, 471 and 76, and the
# first two disagree on 476. The first rounds to f32 and then again; the others drop the lower 32
# bits of the f64 before they round. Either way a number that is just past the middle of two
# neighbours looks as if it were in the middle, and goes to the even one. `from_f32` missed none.
# So weights that are converted from f64 are not bit for bit NumPy's float16, which is rounded once,
# nor those that a processor without F16C makes, and a digest of the checkpoint differs; candle's
# `to_dtype` from F64 calls the two `from_f64`. No accuracy is lost: a miss is at most two
# millionths worse than the right choice. Its authors know (issues 116 and 151). Around it: convert
# f64 to f16 with NumPy, and compare bit by bit only what was f32.
#
# Fails where that changes.
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
half = "=2.7.1"

[profile.dev]
debug = false
TOML
cat > src/main.rs <<'RUST'
use half::{bf16, f16};

const NUMBERS: usize = 1 << 20;

/// Whether a neighbour is nearer; all differences are exact in f64.
fn is_wrong(number: f64, made: f64, below: f64, above: f64) -> bool {
    let far = (number - made).abs();
    (number - below).abs() < far || (number - above).abs() < far
}

fn main() {
    let mut state = 1u64;
    // From 1 to 2, all 52 bits of the fraction in use.
    let numbers: Vec<f64> = (0..NUMBERS)
        .map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let mixed = (state ^ (state >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            f64::from_bits((1023 << 52) | (mixed >> 12))
        })
        .collect();
    let count = |name: &str, wrong: &dyn Fn(usize) -> bool| {
        let many = (0..NUMBERS).filter(|&at| wrong(at)).count();
        println!("{name}: {many} of {NUMBERS} are not the nearest");
        many
    };
    let of = |made: f16, number: f64| {
        let near = |bits: u16| f16::from_bits(bits).to_f64();
        is_wrong(number, made.to_f64(), near(made.to_bits() - 1), near(made.to_bits() + 1))
    };
    let of_b = |made: bf16, number: f64| {
        let near = |bits: u16| bf16::from_bits(bits).to_f64();
        is_wrong(number, made.to_f64(), near(made.to_bits() - 1), near(made.to_bits() + 1))
    };
    let exact = count("f16::from_f64", &|at| of(f16::from_f64(numbers[at]), numbers[at]));
    let constant = |at: usize| f16::from_f64_const(numbers[at]);
    let software = count("f16::from_f64_const", &|at| of(constant(at), numbers[at]));
    let brain = count("bf16::from_f64", &|at| of_b(bf16::from_f64(numbers[at]), numbers[at]));
    let plain = count("f16::from_f32", &|at| {
        let number = numbers[at] as f32;
        of(f16::from_f32(number), f64::from(number))
    });
    let others = (0..NUMBERS).filter(|&at| f16::from_f64(numbers[at]) != constant(at)).count();
    println!("from_f64 and from_f64_const disagree on {others}");
    // Just past the middle of two neighbours, by two distances.
    let past = |bits: i32, by: i32| 1. + 2f64.powi(-bits) + 2f64.powi(-by);
    let got = [
        f16::from_f64(past(11, 22)).to_f64(),
        f16::from_f64(past(11, 40)).to_f64(),
        f16::from_f64_const(past(11, 22)).to_f64(),
        bf16::from_f64(past(8, 22)).to_f64(),
    ];
    println!("just past the middle: {got:?}");
    let up = 1. + 2f64.powi(-10);
    assert!(plain == 0 && software > 100 && brain > 10);
    assert_eq!(got[2..], [1., 1.]);
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("f16c") {
        assert_eq!(got[..2], [up, 1.]);
        assert!((10..software).contains(&exact) && others > exact);
    }
    println!("as seen");
}
RUST
CARGO_TARGET_DIR="$folder/target" cargo run --quiet
grep -A 1 '^name = "half"' Cargo.lock
