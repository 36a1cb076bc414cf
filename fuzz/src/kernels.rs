//! Kernels written for a processor against their definitions, on any shapes and numbers
//! that their contracts allow.

use std::{fmt::Debug, num::NonZeroU16};

use arbitrary::{Arbitrary, Result, Unstructured};
#[cfg(target_arch = "x86_64")]
use hrm_core::kernels::matmul_ordered;
use hrm_core::{
    kernels::{
        add_bias, add_bias_portable, add_displaced_bias, attention_output, attention_output_portable,
        copy_matrix, inject, inject_portable, matmul, matmul_again, matmul_portable, pack_words, requantize,
        requantize_pairs, requantize_pairs_portable, requantize_places, requantize_places_portable,
        requantize_portable, residual_norm, residual_norm_portable, rotate_heads, rotate_heads_portable,
        softmax, softmax_portable, swiglu, swiglu_portable,
    },
    lane::Lane,
    pack::Order,
};
use hrm_samples::{exp2, sigmoid};

/// Compares the kernel that `bytes` choose, with 8-bit or 16-bit lanes.
pub(crate) fn compare(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    // Where the bytes are used up, zeros follow.
    let _ = match input.arbitrary() {
        Ok(true) => with_lanes::<i8>(&mut input),
        _ => with_lanes::<i16>(&mut input),
    };
}

fn with_lanes<A>(input: &mut Unstructured<'_>) -> Result<()>
where
    A: Lane + Debug + PartialEq + Default + for<'a> Arbitrary<'a>,
{
    match input.int_in_range(0..=10)? {
        0 => product::<A>(input)?,
        1 => {
            let (acc, factors) = (numbers::<i32>(input, 160)?, numbers(input, 160)?);
            let count = acc.len().min(factors.len());
            let (mut fast, mut defined) = (vec![A::default(); count], vec![A::default(); count]);
            requantize::<A, A>(&acc[..count], &factors[..count], &mut fast);
            requantize_portable::<A, A>(&acc[..count], &factors[..count], &mut defined);
            assert_eq!(fast, defined);
        }
        2 => {
            let scores: Vec<i32> = numbers::<i32>(input, 160)?.into_iter().map(|score| score / 4).collect();
            let (score_bits, bits) =
                (input.int_in_range(4..=26)?, input.int_in_range(1..=A::WIDTH.weight_bits(82))?);
            let table = exp2();
            let (mut fast, mut defined) =
                (vec![A::default(); scores.len()], vec![A::default(); scores.len()]);
            let sums = (
                softmax(&scores, score_bits, bits, &table, &mut fast),
                softmax_portable(&scores, score_bits, bits, &table, &mut defined),
            );
            assert_eq!(sums.0, sums.1);
            assert_eq!(fast, defined);
        }
        3 => {
            let (mut fast, bias, classes): (Vec<i32>, Vec<i32>, Vec<u8>) =
                (numbers(input, 160)?, numbers(input, 20)?, numbers(input, 160)?);
            fast.iter_mut().for_each(|score| *score /= 4);
            let bias: Vec<i32> = bias.into_iter().map(|bias| bias / 4).collect();
            let count = fast.len().min(classes.len());
            let mut defined = fast.clone();
            add_bias(&mut fast[..count], &bias, &classes[..count]);
            add_bias_portable(&mut defined[..count], &bias, &classes[..count]);
            assert_eq!(fast, defined);
        }
        4 => {
            let (acc, sum) = (numbers::<i32>(input, 64)?, input.int_in_range(1..=(1 << 31) - 1)?);
            let (mut fast, mut defined) = (vec![A::default(); acc.len()], vec![A::default(); acc.len()]);
            attention_output(&acc, sum, &mut fast);
            attention_output_portable(&acc, sum, &mut defined);
            assert_eq!(fast, defined);
        }
        5 => {
            let table = sigmoid();
            let (acc, factors, factor) =
                (numbers::<i32>(input, 96)?, numbers::<i32>(input, 96)?, input.arbitrary()?);
            let count = acc.len().min(factors.len()) / 2;
            let (mut fast, mut defined) = (vec![A::default(); count], vec![A::default(); count]);
            swiglu(&acc[..2 * count], &factors[..2 * count], factor, &table, &mut fast);
            swiglu_portable(&acc[..2 * count], &factors[..2 * count], factor, &table, &mut defined);
            assert_eq!(fast, defined);
        }
        6 => displaced(input)?,
        7 => {
            let (mut fast, other) = (numbers::<A>(input, 96)?, numbers::<A>(input, 96)?);
            let (first, second) = (numbers::<i16>(input, 96)?, numbers::<i16>(input, 96)?);
            let count = fast.len().min(other.len()).min(first.len()).min(second.len());
            let (step, embed_step, factor) =
                (input.int_in_range(1..=1 << 14)?, input.int_in_range(1..=1 << 14)?, input.arbitrary()?);
            fast.truncate(count);
            let (first, second) = (&first[..count], &second[..count]);
            let embeddings =
                *input.choose(&[[&[][..], &[]], [first, &[]], [&[], second], [first, second]])?;
            let mut defined = fast.clone();
            inject(&mut fast, &other[..count], step, embeddings, embed_step, factor);
            inject_portable(&mut defined, &other[..count], step, embeddings, embed_step, factor);
            assert_eq!(fast, defined);
        }
        8 => {
            let pairs = input.int_in_range(1..=16)?;
            let rotation: Vec<i16> =
                (0..2 * pairs).map(|_| input.int_in_range(-16384..=16384)).collect::<Result<_>>()?;
            let mut fast = numbers::<i32>(input, 96)?;
            fast.truncate(fast.len() / (2 * pairs) * 2 * pairs);
            fast.iter_mut().for_each(|value| *value >>= 2);
            let mut defined = fast.clone();
            rotate_heads(&mut fast, &rotation);
            rotate_heads_portable(&mut defined, &rotation);
            assert_eq!(fast, defined);
        }
        9 => {
            let (acc, factors) = (numbers::<i32>(input, 64)?, numbers::<i32>(input, 64)?);
            let (count, which) = (acc.len().min(factors.len()), input.int_in_range(0..=1)?);
            let (mut fast, mut defined) = (vec![[3; 2]; count], vec![[3; 2]; count]);
            requantize_pairs::<A>(&acc[..count], &factors[..count], which, &mut fast);
            requantize_pairs_portable::<A>(&acc[..count], &factors[..count], which, &mut defined);
            assert_eq!(fast, defined);
            let (columns, rows) = (count & !1, 6);
            let (mut fast, mut defined) = (vec![5; columns * rows], vec![5; columns * rows]);
            let row = input.int_in_range(0..=rows - 1)?;
            requantize_places::<A>(&acc[..columns], &factors[..columns], &mut fast, rows, row);
            requantize_places_portable::<A>(&acc[..columns], &factors[..columns], &mut defined, rows, row);
            assert_eq!(fast, defined);
        }
        _ => {
            let (mut row, mut acc, factors) =
                (numbers::<A>(input, 96)?, numbers(input, 96)?, numbers(input, 96)?);
            let count = row.len().min(acc.len()).min(factors.len());
            row.truncate(count);
            acc.truncate(count);
            let (step, numerator) =
                (input.int_in_range(1..=1 << 14)?, input.int_in_range(1..=(1 << 28) - 1)?);
            let (mut defined, mut scratch) = (row.clone(), acc.clone());
            residual_norm(&mut row, step, &mut acc, &factors[..count], numerator);
            residual_norm_portable(&mut defined, step, &mut scratch, &factors[..count], numerator);
            assert_eq!(row, defined);
        }
    }
    Ok(())
}

/// A product: the kernel, its definition, and the sum as one writes it down.
fn product<A>(input: &mut Unstructured<'_>) -> Result<()>
where
    A: Lane + Debug + PartialEq + Default + for<'a> Arbitrary<'a>,
{
    let (tokens, depth, pairs) =
        (input.int_in_range(1..=9)?, 4 * input.int_in_range(1..=24)?, input.int_in_range(1..=20)?);
    let x: Vec<A> = filled(input, tokens * depth);
    // The weights of a column add up to less than 2^16 in a checked pack.
    let panel: Vec<i8> = filled(input, 2 * pairs * depth);
    let (mut fast, mut defined) = (vec![0; tokens * 2 * pairs], vec![0; tokens * 2 * pairs]);
    let mut pack = vec![0; pack_words(depth)];
    matmul(&x, depth, &panel, &mut fast, &mut pack);
    matmul_portable(&x, depth, &panel, &mut defined);
    assert_eq!(fast, defined);
    matmul_again(&x, depth, &panel, &mut fast, &mut pack);
    assert_eq!(fast, defined, "again");
    ordered(&x, depth, &panel, &defined, &mut pack);
    for (place, sum) in fast.iter().enumerate() {
        let (token, column) = (place / (2 * pairs), place % (2 * pairs));
        let weights = &panel[column / 2 * 2 * depth..];
        let written: i64 = (0..depth)
            .map(|k| i64::from(x[token * depth + k].wide()) * i64::from(weights[2 * k + column % 2]))
            .sum();
        assert_eq!(i64::from(*sum), written, "token {token}, column {column}");
    }
    Ok(())
}

/// The product with a copy of the weights in the order of the processor's registers, where it makes one.
fn ordered<A: Lane>(x: &[A], depth: usize, panel: &[i8], defined: &[i32], pack: &mut [u32]) {
    let mut copied = vec![0; panel.len()];
    match copy_matrix(panel, depth, A::WIDTH, &mut copied) {
        Order::Pairs => assert_eq!(copied, panel),
        #[cfg(target_arch = "x86_64")]
        order => {
            let mut sums = vec![0; defined.len()];
            for packed in [false, true] {
                matmul_ordered(x, depth, (&copied, order), &mut sums, pack, packed);
                assert_eq!(sums, defined, "{order:?}");
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        order => unreachable!("{order:?}: no other processor has one, {} words", x.len() + pack.len()),
    }
}

/// Biases by displacement against the sum as one writes it down.
fn displaced(input: &mut Unstructured<'_>) -> Result<()> {
    let (rows, columns) = (input.int_in_range(1..=7_usize)?, input.int_in_range(1..=7_u16)?);
    let (wide, cells) = (usize::from(columns), rows * usize::from(columns));
    let bias: Vec<i32> = numbers::<i32>(input, 20)?.into_iter().map(|bias| bias / 4).collect();
    if bias.len() < 4 {
        return Ok(());
    }
    let classes = bias.len() as u8 - 4;
    let across = 2 * wide - 1;
    let map: Vec<u8> =
        (0..(2 * rows - 1) * across).map(|_| input.int_in_range(0..=classes)).collect::<Result<_>>()?;
    let mut fast: Vec<i32> = filled::<i32>(input, 1 + cells).into_iter().map(|score| score / 4).collect();
    fast.resize(1 + cells, 0);
    let query = input.int_in_range(0..=cells)?;
    let last = |n: usize| bias[bias.len() - n];
    let added = |key: usize| match (query.checked_sub(1), key.checked_sub(1)) {
        (None, None) => last(1),
        (Some(_), None) => last(2),
        (None, Some(_)) => last(3),
        (Some(query), Some(key)) => {
            let down = rows - 1 + key / wide - query / wide;
            let right = wide - 1 + key % wide - query % wide;
            bias[usize::from(map[down * across + right])]
        }
    };
    let defined: Vec<i32> = fast.iter().enumerate().map(|(key, score)| score + added(key)).collect();
    let columns = NonZeroU16::new(columns).expect("at least 1");
    add_displaced_bias(&mut fast, &bias, query, columns, &map);
    assert_eq!(fast, defined);
    Ok(())
}

/// Up to `most` numbers, among them the extremes.
fn numbers<'a, N: Arbitrary<'a>>(input: &mut Unstructured<'a>, most: usize) -> Result<Vec<N>> {
    let count = input.int_in_range(0..=most)?;
    Ok(filled(input, count))
}

fn filled<'a, N: Arbitrary<'a>>(input: &mut Unstructured<'a>, count: usize) -> Vec<N> {
    (0..count).map_while(|_| input.arbitrary().ok()).collect()
}
