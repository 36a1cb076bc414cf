//! The processor's kernels against their definitions.

use bytemuck::{cast_slice, cast_slice_mut};
use hrm_core::{
    kernels::{
        add_bias, add_bias_portable, attention_output, attention_output_portable, matmul, matmul_again,
        matmul_portable, pack_words, requantize, requantize_pairs, requantize_pairs_portable,
        requantize_places, requantize_places_portable, requantize_portable, residual_norm,
        residual_norm_portable, softmax, softmax_portable, swiglu, swiglu_portable,
    },
    lane::Lane,
};
use hrm_samples::Noise;

use super::{BenchError, part};

/// Compares the processor's kernels with their definitions, over lengths, shapes, extremes and
/// saturation; how many cases.
#[inline(never)]
pub fn check(memory: &mut [u32]) -> Result<u32, BenchError> {
    let mut case = 0;
    for depth in (4..=96).step_by(4).chain([112, 128, 196, 256, 260]) {
        for columns in [2, 4, 6, 10] {
            for tokens in 1..=9 {
                case += 1;
                let extremes = case % 3 == 0;
                if !agrees::<i16>(depth, columns, tokens, case, extremes, memory)
                    || !agrees::<i8>(depth, columns, tokens, case, extremes, memory)
                {
                    return Err(BenchError::Kernel { case });
                }
            }
        }
    }
    for n in (1..=100).chain([128, 240, 901]) {
        for round in 0..24 {
            case += 1;
            if !rows_agree::<i16>(n, round, case, memory) || !rows_agree::<i8>(n, round, case, memory) {
                return Err(BenchError::Kernel { case });
            }
        }
    }
    Ok(case)
}

/// A row of `n` through softmax, bias, norm and gate, by the processor's kernels and the portable ones.
#[inline(never)]
fn rows_agree<A: Lane>(n: usize, round: u32, case: u32, memory: &mut [u32]) -> bool {
    let mut noise = Noise { state: case.into(), extremes: round % 4 == 3 };
    let exp2: [u16; 256] = core::array::from_fn(|i| (32_767 - 64 * i) as u16);
    let sigmoid: [u16; 257] = core::array::from_fn(|i| (16_384 + 64 * i.min(256)) as u16);
    let (a, rest) = part::<i32>(memory, 2 * n);
    let (b, rest) = part::<i32>(rest, 2 * n);
    let (factors, rest) = part::<i32>(rest, 2 * n);
    // one more than there is work for, which must stay as it is
    let (ours, rest) = part::<A>(rest, n + 1);
    let (portable, rest) = part::<A>(rest, n + 1);
    let (classes, _) = part::<u8>(rest, n);
    if classes.len() != n {
        return false;
    }
    let scores = |memory: &mut [i32]| memory.len() == 2 * n;
    if !scores(a) || !scores(b) {
        return false;
    }
    let half = |row: &mut [i32]| row.iter_mut().take(n).for_each(|value| *value >>= 2 + round % 20);
    let mut fresh = |a: &mut [i32], b: &mut [i32], ours: &mut [A], portable: &mut [A]| {
        a.iter_mut().for_each(|a| *a = noise.next());
        half(a);
        b.copy_from_slice(a);
        ours.iter_mut().for_each(|x| *x = A::saturate(noise.next() >> 17));
        portable.copy_from_slice(ours);
    };
    let last = |row: &[A]| row.last().map(|x| x.wide());

    fresh(a, b, ours, portable);
    let guard = last(ours);
    let (bits, score_bits) = (A::WIDTH.weight_bits(n), 4 + round);
    let (first, _) = a.split_at(n);
    let sums = (
        softmax(first, score_bits, bits, &exp2, ours.get_mut(..n).unwrap_or_default()),
        softmax_portable(first, score_bits, bits, &exp2, portable.get_mut(..n).unwrap_or_default()),
    );
    let mut equal = sums.0 == sums.1 && same(ours, portable) && last(ours) == guard;

    classes.iter_mut().enumerate().for_each(|(i, class)| *class = ((i as u32 + round) % 11) as u8);
    let bias: [i32; 10] = core::array::from_fn(|i| (i as i32 - 5) << 20);
    // with ten biases class 10 has none
    let bias = bias.get(..if round.is_multiple_of(2) { 10 } else { 7 }).unwrap_or_default();
    add_bias(a.get_mut(..n).unwrap_or_default(), bias, classes);
    add_bias_portable(b.get_mut(..n).unwrap_or_default(), bias, classes);
    equal &= a == b;

    fresh(a, b, ours, portable);
    let guard = last(ours);
    factors.iter_mut().for_each(|factor| *factor = (a.first().copied().unwrap_or(0) >> 3) ^ 0x2_3456);
    let step = [1, 20, 5_000, 16_384][(round / 4 % 4) as usize];
    let numerator = [1, 4096 * 2048 * 6, (1 << 28) - 1][(round % 3) as usize];
    let by = factors.get(..n).unwrap_or_default();
    let (mine, theirs) = (a.get_mut(..n).unwrap_or_default(), b.get_mut(..n).unwrap_or_default());
    residual_norm(ours.get_mut(..n).unwrap_or_default(), step, mine, by, numerator);
    residual_norm_portable(portable.get_mut(..n).unwrap_or_default(), step, theirs, by, numerator);
    equal &= same(ours, portable) && last(ours) == guard;

    fresh(a, b, ours, portable);
    let guard = last(ours);
    let factor = [1 << 20, -(1 << 28), i32::MAX][(round % 3) as usize];
    swiglu(a, factors, factor, &sigmoid, ours.get_mut(..n).unwrap_or_default());
    swiglu_portable(b, factors, factor, &sigmoid, portable.get_mut(..n).unwrap_or_default());
    equal &= same(ours, portable) && last(ours) == guard;

    fresh(a, b, ours, portable);
    let guard = last(ours);
    let (sums, by) = (a.get(..n).unwrap_or_default(), factors.get(..n).unwrap_or_default());
    requantize::<A, A>(sums, by, ours.get_mut(..n).unwrap_or_default());
    requantize_portable::<A, A>(sums, by, portable.get_mut(..n).unwrap_or_default());
    equal &= same(ours, portable) && last(ours) == guard;
    attention_output(sums, 1 + (case << (round % 20)), ours.get_mut(..n).unwrap_or_default());
    attention_output_portable(sums, 1 + (case << (round % 20)), portable.get_mut(..n).unwrap_or_default());
    equal && same(ours, portable) && last(ours) == guard && bytes_agree::<A>(n, round as usize, a, b)
}

/// Keys and values of a token from the `n` accumulators in `a`, by the processor's kernels and the portable
/// ones; `b` is room for both.
#[inline(never)]
fn bytes_agree<A: Lane>(n: usize, round: usize, a: &[i32], b: &mut [i32]) -> bool {
    let (Some(acc), Some(factors)) = (a.get(..n), a.get(n..)) else { return false };
    let (ours, portable) = cast_slice_mut::<i32, i8>(b).split_at_mut(4 * n);
    ours.fill(3);
    portable.fill(3);
    fn pairs(bytes: &mut [i8], n: usize) -> &mut [[i8; 2]] {
        bytes.as_chunks_mut().0.get_mut(..n).unwrap_or_default()
    }
    requantize_pairs::<A>(acc, factors, round, pairs(ours, n));
    requantize_pairs_portable::<A>(acc, factors, round, pairs(portable, n));
    let equal = ours == portable;
    // three inputs to a panel
    let bytes = 3 * (n & !1);
    requantize_places::<A>(acc, factors, ours.get_mut(..bytes).unwrap_or_default(), 3, round % 3);
    requantize_places_portable::<A>(
        acc,
        factors,
        portable.get_mut(..bytes).unwrap_or_default(),
        3,
        round % 3,
    );
    equal && ours == portable
}

fn same<A: Lane>(a: &[A], b: &[A]) -> bool {
    cast_slice::<A, u8>(a) == cast_slice::<A, u8>(b)
}

#[inline(never)]
fn agrees<A: Lane>(
    depth: usize,
    columns: usize,
    tokens: usize,
    case: u32,
    extremes: bool,
    memory: &mut [u32],
) -> bool {
    let mut noise = Noise { state: case.into(), extremes };
    let (x, rest) = part::<A>(memory, tokens * depth);
    let (panel, rest) = part::<i8>(rest, depth * columns);
    // one value more than the product, which must stay as it is
    let (ours, rest) = part::<i32>(rest, tokens * columns + 1);
    let (portable, rest) = part::<i32>(rest, tokens * columns + 1);
    let (pack, _) = part::<u32>(rest, pack_words(depth) + 1);
    x.iter_mut().for_each(|x| *x = A::saturate(noise.next() >> if extremes { 0 } else { 16 }));
    panel.iter_mut().for_each(|w| *w = (noise.next() >> 24) as i8);
    for acc in [&mut *ours, &mut *portable] {
        acc.fill(0x5555);
    }
    pack.fill(0x7777);
    let (room, _) = pack.split_at_mut_checked(pack_words(depth)).unwrap_or_default();
    let n = tokens * columns;
    matmul(x, depth, panel, ours.get_mut(..n).unwrap_or_default(), room);
    matmul_portable(x, depth, panel, portable.get_mut(..n).unwrap_or_default());
    let once = cast_slice::<i32, u8>(ours) == cast_slice::<i32, u8>(portable);
    ours.fill(0x5555);
    matmul_again(x, depth, panel, ours.get_mut(..n).unwrap_or_default(), room);
    once && ours.len() == n + 1
        && cast_slice::<i32, u8>(ours) == cast_slice::<i32, u8>(portable)
        && pack.last() == Some(&0x7777)
}
