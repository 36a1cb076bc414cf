//! Each kernel on a model's shapes.

use hrm_core::{
    Shape,
    kernels::{
        add_bias, attention_output, inject, matmul, pack_words, residual_norm, rotate, softmax, swiglu,
    },
    lane::{Lane, LaneWidth},
    pack::TILE,
};
use hrm_samples::Noise;

use super::{Probe, part};

/// Measures them.
#[inline(never)] // its tables are no part of the stack that a segment takes
pub(super) fn run<A: Lane, P: Probe>(shape: &Shape, memory: &mut [u32], probe: &mut P) {
    let (width, inner, dim) = (shape.width(), shape.inner(), shape.head_dim());
    let products = [
        ("matmul query, key, value, out", width, width),
        ("matmul gate_up, a chunk", width, width & !1),
        ("matmul down", inner, width),
        ("matmul scores", dim, shape.key_columns()),
        ("matmul weighted values", shape.value_rows(), dim),
    ];
    for (name, depth, columns) in products {
        let (x, rest) = part::<A>(memory, TILE * depth);
        let (panel, rest) = part::<i8>(rest, depth * columns);
        let (acc, rest) = part::<i32>(rest, TILE * columns);
        let (pack, _) = part::<u32>(rest, pack_words(depth));
        let mut noise = Noise { state: 1, extremes: false };
        x.iter_mut().for_each(|x| *x = A::saturate(noise.next() >> 17));
        panel.iter_mut().for_each(|w| *w = (noise.next() >> 25) as i8);
        probe.announce(name, (TILE * depth * columns) as u64);
        probe.start();
        matmul(x, depth, panel, acc, pack);
        probe.end();
    }

    let sequence = shape.sequence();
    let mut exp2 = [0u16; 256];
    // A straight line stands for the curve: what a table holds changes no count.
    exp2.iter_mut().enumerate().for_each(|(i, entry)| *entry = (32_767 - 64 * i) as u16);
    let mut sigmoid = [0u16; 257];
    sigmoid.iter_mut().enumerate().for_each(|(i, entry)| *entry = (16_384 + 63 * i) as u16);
    let mut noise = Noise { state: 2, extremes: false };
    let bits = if A::WIDTH == LaneWidth::I8 { 10 } else { 18 };

    let (scores, rest) = part::<i32>(memory, sequence);
    let (weights, _) = part::<A>(rest, sequence);
    scores.iter_mut().for_each(|score| *score = noise.next() >> (28 - bits));
    probe.announce("softmax", sequence as u64);
    probe.start();
    let sum = softmax(scores, bits, A::WIDTH.weight_bits(sequence), &exp2, weights);
    probe.end();

    let (scores, rest) = part::<i32>(memory, sequence);
    let (classes, _) = part::<u8>(rest, sequence);
    classes.iter_mut().enumerate().for_each(|(i, class)| *class = (i % 11) as u8);
    probe.announce("relation bias", sequence as u64);
    probe.start();
    add_bias(scores, &[1; 11], classes);
    probe.end();

    let (acc, rest) = part::<i32>(memory, dim);
    let (out, _) = part::<A>(rest, dim);
    acc.iter_mut().for_each(|acc| *acc = noise.next() >> 6);
    probe.announce("attention output", dim as u64);
    probe.start();
    attention_output(acc, sum, out);
    probe.end();

    let (acc, rest) = part::<i32>(memory, dim);
    let (rotation, _) = part::<i16>(rest, dim);
    acc.iter_mut().for_each(|acc| *acc = noise.next() >> 8);
    rotation.iter_mut().for_each(|turn| *turn = (noise.next() >> 17) as i16);
    probe.announce("rotation", dim as u64);
    probe.start();
    rotate(acc, rotation);
    probe.end();

    let (z, rest) = part::<A>(memory, width);
    let (other, rest) = part::<A>(rest, width);
    let (token, _) = part::<i16>(rest, width);
    z.iter_mut().chain(other.iter_mut()).for_each(|z| *z = A::saturate(noise.next() >> 17));
    token.iter_mut().for_each(|x| *x = (noise.next() >> 17) as i16);
    for (name, embeddings) in [("injection, H", [&[][..], &[]]), ("injection, L", [&*token, &[]])] {
        probe.announce(name, width as u64);
        probe.start();
        inject(z, other, 20, embeddings, 10, 1 << 26);
        probe.end();
    }

    let (acc, rest) = part::<i32>(memory, width);
    let (factors, rest) = part::<i32>(rest, width);
    let (row, _) = part::<A>(rest, width);
    acc.iter_mut().for_each(|acc| *acc = noise.next() >> 6);
    factors.iter_mut().for_each(|factor| *factor = noise.next() >> 8);
    row.iter_mut().for_each(|row| *row = A::saturate(noise.next() >> 20));
    probe.announce("residual + norm", width as u64);
    probe.start();
    residual_norm(row, 20, acc, factors, 4096 * 11 * 3276);
    probe.end();

    let (acc, rest) = part::<i32>(memory, 2 * inner);
    let (factors, rest) = part::<i32>(rest, 2 * inner);
    let (out, _) = part::<A>(rest, inner);
    acc.iter_mut().for_each(|acc| *acc = noise.next() >> 6);
    factors.iter_mut().for_each(|factor| *factor = (noise.next() >> 8).abs());
    probe.announce("swiglu", inner as u64);
    probe.start();
    swiglu(acc, factors, 1 << 20, &sigmoid, out);
    probe.end();
}
