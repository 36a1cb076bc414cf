//! Kernels written for a processor against their definitions, on any shapes and numbers
//! that their contracts allow.

use std::fmt::Debug;

use arbitrary::{Arbitrary, Result, Unstructured};
use hrm_core::{
    kernels::{
        add_bias, add_bias_portable, attention_output, attention_output_portable, matmul, matmul_portable,
        pack_words, requantize, requantize_portable, residual_norm, residual_norm_portable, softmax,
        softmax_portable, swiglu, swiglu_portable,
    },
    lane::Lane,
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
    match input.int_in_range(0..=6)? {
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
    matmul(&x, depth, &panel, &mut fast, &mut vec![0; pack_words(depth)]);
    matmul_portable(&x, depth, &panel, &mut defined);
    assert_eq!(fast, defined);
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

/// Up to `most` numbers, among them the extremes.
fn numbers<'a, N: Arbitrary<'a>>(input: &mut Unstructured<'a>, most: usize) -> Result<Vec<N>> {
    let count = input.int_in_range(0..=most)?;
    Ok(filled(input, count))
}

fn filled<'a, N: Arbitrary<'a>>(input: &mut Unstructured<'a>, count: usize) -> Vec<N> {
    (0..count).map_while(|_| input.arbitrary().ok()).collect()
}
