//! What `cargo xtask bench` counts: regions of work on the model that a pack holds, and each kernel on that model's shapes. The program that
//! runs them says where a region begins and ends; a counter outside (a QEMU plugin, callgrind) counts the instructions between.

use bytemuck::{cast_slice, cast_slice_mut};
use hrm_core::{
    Hrm, Op, Pack, Reasoner, Shape, Trace, Values,
    kernels::{
        add_bias, add_bias_portable, attention_output, attention_output_portable, inject, matmul,
        matmul_again, matmul_portable, pack_words, requantize, requantize_pairs, requantize_pairs_portable,
        requantize_places, requantize_places_portable, requantize_portable, residual_norm,
        residual_norm_portable, rotate, softmax, softmax_portable, swiglu, swiglu_portable,
    },
    lane::{Lane, LaneWidth},
    pack::TILE,
    tokens_per_pass, workspace_bytes_for,
};

/// What lies behind the workspace while a segment runs, and must lie there afterwards.
const CANARY: u32 = 0xC0FF_EE00;

/// How a program tells its counter, and its reader, where it is.
pub trait Probe {
    /// The next region is `name`; it does `work` multiply-accumulates or elements.
    fn announce(&mut self, name: &str, work: u64);
    /// The region begins.
    fn start(&mut self);
    /// An operation of a segment has ended.
    fn op(&mut self, op: Op);
    /// The region has ended.
    fn end(&mut self);
}

/// Tells the probe about every operation.
struct Ops<'a, P>(&'a mut P);

impl<P: Probe> Trace for Ops<'_, P> {
    fn op(&mut self, op: Op, _: Values<'_>) {
        self.0.op(op);
    }
}

/// Why nothing was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BenchError {
    /// The memory is too small for the model.
    Memory,
    /// Something behind the workspace was written to.
    Workspace,
    /// A kernel differs from its portable definition.
    Kernel {
        /// Which case of [`check`].
        case: u32,
    },
}

/// Measures the model in `pack`: a segment with as much memory as serves it, one with the least, one with every operation marked, then
/// its kernels.
pub fn run<P: Probe>(pack: Pack<'_>, memory: &mut [u32], probe: &mut P) -> Result<(), BenchError> {
    let shape = *pack.shape();
    let tokens = [1; hrm_core::task::MAX_CELLS];
    let tokens = tokens.get(..usize::from(shape.cells)).unwrap_or_default();
    let most = tokens_per_pass(&shape, size_of_val(memory));
    for (name, served) in [("segment", most), ("segment, least memory", TILE), ("operations", most)] {
        let used = workspace_bytes_for(&shape, served) / 4;
        let (own, behind) = memory.split_at_mut_checked(used).ok_or(BenchError::Memory)?;
        behind.fill(CANARY);
        let mut model = Hrm::new(pack, own).map_err(|_| BenchError::Memory)?;
        model.begin(0, tokens);
        probe.announce(name, shape.segment_macs());
        probe.start();
        // No trace here ever stops a segment.
        let _ = match name {
            "operations" => model.segment(&mut Ops(probe)),
            _ => model.segment(&mut ()),
        };
        probe.end();
        if behind.iter().any(|word| *word != CANARY) {
            return Err(BenchError::Workspace);
        }
    }
    match shape.lanes {
        LaneWidth::I8 => kernels::<i8, P>(&shape, memory, probe),
        LaneWidth::I16 => kernels::<i16, P>(&shape, memory, probe),
    }
    Ok(())
}

/// The first `n` elements; empty where there are fewer, which the counts would show.
fn part<T>(memory: &mut [u32], n: usize) -> (&mut [T], &mut [u32])
where
    T: bytemuck::Pod,
{
    let words = (n * size_of::<T>()).div_ceil(4);
    let (head, rest) = memory.split_at_mut_checked(words).unwrap_or_default();
    (cast_slice_mut::<u32, T>(head).get_mut(..n).unwrap_or_default(), rest)
}

/// A sequence of numbers that looks random; a quarter are extremes where `extremes`.
struct Noise {
    state: u64,
    extremes: bool,
}

impl Noise {
    fn next(&mut self) -> i32 {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        match self.state >> 61 {
            0 if self.extremes => i32::MIN,
            1 if self.extremes => i32::MAX,
            _ => (self.state >> 20) as i32,
        }
    }
}

#[inline(never)] // its tables are no part of the stack that a segment takes
fn kernels<A: Lane, P: Probe>(shape: &Shape, memory: &mut [u32], probe: &mut P) {
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

/// Compares the processor's kernels with their definitions, over lengths, shapes, extremes and saturation; how many cases.
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

/// Keys and values of a token from the `n` accumulators in `a`, by the processor's kernels and the portable ones; `b` is room for both.
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
