//! Every kernel of this processor against its portable definition: shapes, lengths, extremes, saturation.
//! And whole models against the digests that other machines have computed for them.
#![cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]

use std::sync::{Mutex, MutexGuard};

use hrm_core::digest::run_digest;
use hrm_core::kernels::*;
use hrm_core::lane::Lane;
use hrm_core::pack::{AlignedBytes, Order};
use hrm_core::{Hrm, Pack, workspace_words};
use hrm_samples::{Noise, exp2, sigmoid};
use proptest::prelude::*;

use self::processor::{Level, there, use_level};

/// What is compared on x86.
#[cfg(target_arch = "x86_64")]
mod processor {
    use hrm_core::kernels::x86::limit;

    pub(crate) use hrm_core::kernels::x86::Level;

    /// The levels of this processor, the portable one left out.
    pub(crate) fn there() -> Vec<Level> {
        let there = |level: &Level| *level > Level::Portable && *level <= Level::of_processor();
        Level::ALL.into_iter().filter(there).collect()
    }

    pub(crate) fn use_level(level: Level) {
        assert_eq!(limit(level), level);
    }
}

/// What is compared on AArch64: all that this processor has, as its kernels choose by themselves.
#[cfg(target_arch = "aarch64")]
mod processor {
    #[derive(Clone, Copy, Debug)]
    pub(crate) enum Level {
        Neon,
        Dot,
    }

    pub(crate) fn there() -> Vec<Level> {
        vec![if std::arch::is_aarch64_feature_detected!("dotprod") { Level::Dot } else { Level::Neon }]
    }

    pub(crate) fn use_level(_: Level) {}
}

/// The levels of this processor. The level is one for the whole process, hence the guard.
fn levels() -> (Vec<Level>, MutexGuard<'static, ()>) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let guard = ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    (there(), guard)
}

fn lanes<A: Lane>(noise: &mut Noise, n: usize, shrink: u32) -> Vec<A> {
    let cast = |x: i32| A::saturate(if A::WIDTH.max() > 127 { x >> 16 } else { x >> 24 });
    (0..n).map(|_| cast(noise.next() >> shrink)).collect()
}

fn numbers(noise: &mut Noise, n: usize, shrink: u32) -> Vec<i32> {
    (0..n).map(|_| noise.next() >> shrink).collect()
}

fn product<A: Lane>(tokens: usize, depth: usize, pairs: usize, noise: &mut Noise) {
    let columns = 2 * pairs;
    let x: Vec<A> = lanes(noise, tokens * depth, 0);
    let panel: Vec<i8> = lanes(noise, depth * columns, 0);
    let mut expected = vec![7; tokens * columns];
    matmul_portable(&x, depth, &panel, &mut expected);
    let (levels, _guard) = levels();
    for want in levels {
        use_level(want);
        // one value more than the product, which must stay as it is
        let mut acc = vec![7; tokens * columns + 1];
        let mut pack = vec![0; pack_words(depth)];
        matmul(&x, depth, &panel, &mut acc[..tokens * columns], &mut pack);
        assert_eq!(acc[..tokens * columns], expected, "{want:?}: {tokens} x {depth} x {columns}");
        acc.fill(7);
        matmul_again(&x, depth, &panel, &mut acc[..tokens * columns], &mut pack);
        assert_eq!(acc[..tokens * columns], expected, "{want:?}, again: {tokens} x {depth} x {columns}");
        assert_eq!(acc.last(), Some(&7));
        in_order(want, (&x, depth, &panel), columns, &expected, &mut pack);
    }
}

/// The product with a copy of the panel in the order of the processor's registers, where it makes one.
#[cfg(target_arch = "x86_64")]
fn in_order<A: Lane>(
    level: Level,
    (x, depth, panel): (&[A], usize, &[i8]),
    columns: usize,
    expected: &[i32],
    pack: &mut [u32],
) {
    use hrm_core::lane::LaneWidth;

    let (tokens, all) = (x.len() / depth, ordered_columns(columns));
    let mut copied = vec![77; depth * all];
    let order = order(panel, depth, A::WIDTH, &mut copied).unwrap();
    let bytes = level == Level::Avx512 && A::WIDTH == LaneWidth::I8;
    assert_eq!(order, if bytes { Order::Fours } else { Order::Twos }, "{level:?}: {depth} x {columns}");
    let mut wide = vec![7; tokens * all + 1];
    for packed in [false, true] {
        wide.fill(7);
        matmul_ordered(x, depth, (&copied, order), &mut wide[..tokens * all], pack, packed);
        for (row, expected) in wide.chunks_exact(all).zip(expected.chunks_exact(columns)) {
            assert_eq!(row[..columns], *expected, "{order:?}: {tokens} x {depth} x {columns}");
            assert!(row[columns..].iter().all(|sum| *sum == 0), "columns that are none");
        }
    }
    assert_eq!(wide.last(), Some(&7));
    // a copy of a matrix is as long as it, so only whole groups of columns are put in order
    let mut copied = vec![77; panel.len()];
    let expected = if all == columns { order } else { Order::Pairs };
    assert_eq!(copy_matrix(panel, depth, A::WIDTH, &mut copied), expected);
}

/// This processor reads panels as they are.
#[cfg(target_arch = "aarch64")]
fn in_order<A: Lane>(_: Level, (_, depth, panel): (&[A], usize, &[i8]), _: usize, _: &[i32], _: &mut [u32]) {
    let mut copied = vec![77; panel.len()];
    assert_eq!(order(panel, depth, A::WIDTH, &mut copied), None);
    assert_eq!(copy_matrix(panel, depth, A::WIDTH, &mut copied), Order::Pairs);
    assert_eq!(copied, panel);
}

/// Every row operation on `n` elements over lanes `A`.
fn rows<A: Lane + std::fmt::Debug + PartialEq>(n: usize, shrink: u32, noise: &mut Noise) {
    let (exp2, sigmoid) = (exp2(), sigmoid());
    let odd: [u16; 256] = std::array::from_fn(|_| noise.next() as u16);
    let scores = numbers(noise, n, 2 + shrink);
    let classes: Vec<u8> = lanes::<i8>(noise, n, 0).into_iter().map(|x| x as u8 % 40).collect();
    let acc = numbers(noise, 2 * n, shrink);
    let factors = numbers(noise, 2 * n, 1);
    let (z, other): (Vec<A>, Vec<A>) = (lanes(noise, n, 0), lanes(noise, n, 0));
    let (token, position): (Vec<i16>, Vec<i16>) = (lanes(noise, n, 0), lanes(noise, n, 0));
    let (factor, step) = (noise.next(), 1 + (noise.next() as u32 % 16384) as i32);
    let numerator = 1 + noise.next() as u32 % ((1 << 28) - 1);
    let gate_factor = noise.next().unsigned_abs() >> 1;
    // (one value more than there is work for, which must stay as it is)
    let room = || vec![A::saturate(77); n + 1];

    let everything = |portable: bool| {
        macro_rules! by {
            ($kernel:expr, $definition:expr, ($($argument:expr),*)) => {
                if portable { $definition($($argument),*) } else { $kernel($($argument),*) }
            };
        }
        let mut seen: Vec<Vec<A>> = Vec::new();
        let mut wide: Vec<Vec<i32>> = Vec::new();
        let mut narrow: Vec<Vec<i8>> = Vec::new();
        for table in [&exp2, &odd] {
            for score_bits in [4, 8, 9, 10, 13, 18, 22, 26] {
                for bits in [7, 12, 15] {
                    let mut out = room();
                    let sum =
                        by!(softmax, softmax_portable, (&scores, score_bits, bits, table, &mut out[..n]));
                    seen.push(out);
                    wide.push(vec![sum as i32]);
                }
            }
        }
        for biases in [0, 1, 7, 11, 16, 17, 32, 39, 40] {
            let bias: Vec<i32> = (0..biases).map(|i| (i - 5) << 20).collect();
            let mut sums = scores.clone();
            sums.push(77);
            by!(add_bias, add_bias_portable, (&mut sums[..n], &bias, &classes));
            wide.push(sums);
        }
        for sum in [1, 3, 1000, 70_000, 1 << 22, (1 << 31) - 1] {
            let mut out = room();
            by!(attention_output, attention_output_portable, (&acc[..n], sum, &mut out[..n]));
            seen.push(out);
        }
        for step in [step, 1, 16384] {
            let (mut row, mut sums) = (z.clone(), acc[..n].to_vec());
            row.push(A::saturate(77));
            by!(
                residual_norm,
                residual_norm_portable,
                (&mut row[..n], step, &mut sums, &factors[..n], numerator)
            );
            seen.push(row);
        }
        for factor in [gate_factor as i32, factor, i32::MAX, i32::MIN] {
            let mut out = room();
            by!(swiglu, swiglu_portable, (&acc, &factors, factor, &sigmoid, &mut out[..n]));
            seen.push(out);
        }
        for embeddings in [[&[][..], &[]], [&token, &[]], [&[], &position], [&token, &position]] {
            for (step, embed_step) in [(step, 1), (16384, 16384)] {
                let mut out = z.clone();
                out.push(A::saturate(77));
                by!(inject, inject_portable, (&mut out[..n], &other, step, embeddings, embed_step, factor));
                seen.push(out);
            }
        }
        // `n` pairs of cosine and sine, two heads; magnitudes as the contract wants them
        let rotation: Vec<i16> = token.iter().zip(&position).flat_map(|(cos, sin)| [*cos, *sin]).collect();
        let rotation: Vec<i16> = rotation.into_iter().map(|turn| turn.clamp(-16384, 16384)).collect();
        let mut heads: Vec<i32> = acc.iter().chain(&factors).map(|x| x >> 2).collect();
        by!(rotate_heads, rotate_heads_portable, (&mut heads, &rotation));
        wide.push(heads);
        let mut out = room();
        by!(requantize::<A, A>, requantize_portable::<A, A>, (&acc[..n], &factors[..n], &mut out[..n]));
        seen.push(out);
        for which in 0..2 {
            let mut pairs = vec![[3, -3]; n + 1];
            by!(
                requantize_pairs::<A>,
                requantize_pairs_portable::<A>,
                (&acc[..n], &factors[..n], which, &mut pairs[..n])
            );
            narrow.push(pairs.into_flattened());
            let (columns, height) = (n & !1, 6);
            let mut panels = vec![5; columns * height + 1];
            by!(
                requantize_places::<A>,
                requantize_places_portable::<A>,
                (&acc[..columns], &factors[..columns], &mut panels[..columns * height], height, 5 * which)
            );
            narrow.push(panels);
        }
        (seen, wide, narrow)
    };
    let expected = everything(true);
    let (levels, _guard) = levels();
    for want in levels {
        use_level(want);
        assert!(everything(false) == expected, "{want:?}, {n} elements");
    }
}

proptest! {
    #[test]
    fn products_equal_their_definition(tokens in 1usize..10, quads in 1usize..70, pairs in 1usize..40, state: u64, extremes: bool) {
        let mut noise = Noise { state, extremes };
        product::<i16>(tokens, 4 * quads, pairs, &mut noise);
        product::<i8>(tokens, 4 * quads, pairs, &mut noise);
    }

    #[test]
    fn row_operations_equal_their_definitions(n in 1usize..150, shrink in 0u32..24, state: u64, extremes: bool) {
        let mut noise = Noise { state, extremes };
        rows::<i16>(n, shrink, &mut noise);
        rows::<i8>(n, shrink, &mut noise);
    }
}

#[test]
fn every_short_shape_is_right() {
    let mut noise = Noise { state: 1, extremes: true };
    for tokens in 1..=5 {
        for depth in (4..=68).step_by(4) {
            for pairs in 1..=34 {
                product::<i16>(tokens, depth, pairs, &mut noise);
                product::<i8>(tokens, depth, pairs, &mut noise);
            }
        }
    }
}

/// The self-test that every released pack carries has the digests of the machine that made it.
#[test]
fn released_models_compute_the_bits_that_they_carry() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../models");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let packs: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "hrm")).collect();
    assert!(!packs.is_empty());
    let (levels, _guard) = levels();
    for path in packs {
        let bytes = AlignedBytes::copy_of(&std::fs::read(&path).unwrap());
        let pack = Pack::open(bytes.bytes()).unwrap();
        let test = pack.self_test().expect("a released pack has a self-test");
        let mut memory = vec![0; workspace_words(pack.shape())];
        for &want in &levels {
            use_level(want);
            for row in 0..test.digests.len() {
                let (tokens, digest) = test.row(row).unwrap();
                let member = row % usize::from(pack.shape().members);
                let mut model = Hrm::new(pack, &mut memory).unwrap();
                let got = run_digest(&mut model, member, tokens, test.segments).unwrap();
                assert_eq!(got, digest, "{}, {want:?}, puzzle {row}", path.display());
            }
        }
    }
}

/// Where a processor has none of the levels, the other tests compare nothing: say so, and let
/// nobody take it for a proof.
#[test]
fn this_processor_has_a_level_to_compare() {
    let (there, _guard) = levels();
    println!("compared with the portable kernels: {there:?}");
    let may_have_none = std::env::var("HRM_PORTABLE_ONLY").is_ok_and(|value| value == "1");
    assert!(
        !there.is_empty() || may_have_none,
        "this processor has no AVX2, so nothing is compared; set HRM_PORTABLE_ONLY=1 to accept that"
    );
    #[cfg(target_arch = "x86_64")]
    assert_eq!(there.contains(&Level::Avx2), is_x86_feature_detected!("avx2"));
}

#[cfg(target_arch = "x86_64")]
#[test]
fn the_limit_holds() {
    use hrm_core::kernels::x86::{level, limit};

    let (_, _guard) = levels();
    assert_eq!(limit(Level::Portable), Level::Portable);
    assert_eq!(level(), Level::Portable);
    assert_eq!(limit(Level::Avx512), Level::of_processor());
    assert_eq!(level(), Level::of_processor());
}
