//! One block, forwards and backwards, over the rows of a few samples.

use super::matmul::{Into, Matrix};
use super::shape::{BlockWeights, LevelShape};
use super::vector;
use crate::model::block::RMS_EPS;

/// What a block computes on its way, `M = samples * sequence` rows each.
pub(super) struct Activations<S> {
    pub(super) input: S, // (M, width)
    qkv: S,              // (M, 3 width), q and k turned by RoPE
    weights: S,          // (samples, heads, sequence, stride), or those of one head where not kept
    mixed: S,            // (M, width), attention before its projection
    middle: S,           // (M, width), after attention and norm
    middle_scale: S,     // (M), the factors of that norm
    gate_up: S,          // (M, 2 inner)
    output_scale: S,     // (M), the factors of the second norm
}

impl<S> Activations<S> {
    fn from_parts(parts: [S; 8]) -> Self {
        let [input, qkv, weights, mixed, middle, middle_scale, gate_up, output_scale] = parts;
        Self { input, qkv, weights, mixed, middle, middle_scale, gate_up, output_scale }
    }
}

/// Elements of the activations of `samples` samples; `keep` where a backward pass will follow.
pub(super) fn activations_len(shape: &LevelShape, samples: usize, keep: bool) -> usize {
    activation_sizes(shape, samples, keep).iter().sum()
}

fn activation_sizes(shape: &LevelShape, samples: usize, keep: bool) -> [usize; 8] {
    let (rows, width) = (samples * shape.sequence, shape.width);
    let weights = shape.scores_len() * if keep { samples * shape.heads } else { 1 };
    [rows * width, rows * 3 * width, weights, rows * width, rows * width, rows, rows * 2 * shape.inner, rows]
}

impl<'a> Activations<&'a mut [f32]> {
    /// Cuts up the front of `buffer` for a forward pass.
    pub(super) fn carve_mut(
        shape: &LevelShape,
        samples: usize,
        keep: bool,
        mut buffer: &'a mut [f32],
    ) -> Self {
        let sizes = activation_sizes(shape, samples, keep);
        Self::from_parts(sizes.map(|len| buffer.split_off_mut(..len).unwrap_or_default()))
    }
}

impl<'a> Activations<&'a [f32]> {
    /// Finds again what a forward pass left in `buffer`.
    pub(super) fn carve(shape: &LevelShape, samples: usize, mut buffer: &'a [f32]) -> Self {
        let sizes = activation_sizes(shape, samples, true);
        Self::from_parts(sizes.map(|len| buffer.split_off(..len).unwrap_or_default()))
    }
}

/// Rows of `width` elements without gaps.
fn dense(data: &[f32], width: usize) -> Matrix<'_> {
    Matrix::rows(data, data.len() / width, width, width)
}

/// The place of one head within a chunk: its rows start at `row`, its columns of q at `column`.
struct Head {
    head: usize,
    row: usize,
    column: usize,
    /// Index among all heads of the chunk.
    index: usize,
}

/// Every head of every sample of a chunk.
fn heads(shape: &LevelShape, samples: usize) -> impl Iterator<Item = Head> {
    let (sequence, count, head_dim) = (shape.sequence, shape.heads, shape.head_dim);
    (0..samples * count).map(move |index| {
        let (sample, head) = (index / count, index % count);
        Head { head, row: sample * sequence, column: head * head_dim, index }
    })
}

/// q, k or v (`which` 0, 1, 2) of one head, `(sequence, head_dim)`.
fn part<'a>(shape: &LevelShape, qkv: &'a [f32], at: &Head, which: usize) -> Matrix<'a> {
    let stride = 3 * shape.width;
    let data = &qkv[at.row * stride + which * shape.width + at.column..];
    Matrix::rows(data, shape.sequence, shape.head_dim, stride)
}

/// `x = rms(x + Attention(x)); x = rms(x + SwiGLU(x))` from `a.input` to `output`, `(M, width)`.
///
/// `bias` is the spread relation bias, empty where there is none; `gated` is scratch of `(M, inner)`.
pub(super) fn forward(
    shape: &LevelShape,
    weights: &BlockWeights<&[f32]>,
    bias: &[f32],
    a: &mut Activations<&mut [f32]>,
    gated: &mut [f32],
    output: &mut [f32],
) {
    let (width, inner) = (shape.width, shape.inner);
    shape.matmul(
        a.qkv,
        3 * width,
        Into::Overwrite,
        1.0,
        dense(a.input, width),
        dense(weights.qkv, width).t(),
    );
    turn(shape, a.qkv, true);
    attend(shape, bias, a);
    a.middle.copy_from_slice(a.input);
    shape.matmul(a.middle, width, Into::Add, 1.0, dense(a.mixed, width), dense(weights.out, width).t());
    vector::rms(a.middle, width, RMS_EPS as f32, a.middle_scale);

    shape.matmul(
        a.gate_up,
        2 * inner,
        Into::Overwrite,
        1.0,
        dense(a.middle, width),
        dense(weights.gate_up, width).t(),
    );
    vector::swiglu(a.gate_up, inner, gated);
    output.copy_from_slice(a.middle);
    shape.matmul(output, width, Into::Add, 1.0, dense(gated, inner), dense(weights.down, inner).t());
    vector::rms(output, width, RMS_EPS as f32, a.output_scale);
}

/// RoPE on the q and k columns of every row, or its inverse.
fn turn(shape: &LevelShape, qkv: &mut [f32], forward: bool) {
    let Some((cos, sin)) = &shape.rope else { return };
    vector::rotate(qkv, (3 * shape.width, 2 * shape.width, shape.head_dim), cos, sin, forward);
}

/// `softmax(q k^T / sqrt(d) + bias) v` of every head, into `a.mixed`.
fn attend(shape: &LevelShape, bias: &[f32], a: &mut Activations<&mut [f32]>) {
    let (sequence, stride, len) = (shape.sequence, shape.stride, shape.scores_len());
    let samples = a.input.len() / (sequence * shape.width);
    for at in heads(shape, samples) {
        let slot = at.index * len % a.weights.len();
        let scores = &mut a.weights[slot..slot + len];
        let (q, k, v) = (part(shape, a.qkv, &at, 0), part(shape, a.qkv, &at, 1), part(shape, a.qkv, &at, 2));
        shape.matmul(scores, stride, Into::Overwrite, 1.0 / (shape.head_dim as f32).sqrt(), q, k.t());
        vector::softmax(scores, sequence, stride, bias.chunks_exact(len).nth(at.head));
        let mixed = &mut a.mixed[at.row * shape.width + at.column..];
        shape.matmul(
            mixed,
            shape.width,
            Into::Overwrite,
            1.0,
            Matrix::rows(scores, sequence, sequence, stride),
            v,
        );
    }
}

/// Room for the intermediate gradients of a chunk.
pub(super) struct Scratch {
    mixed: Vec<f32>,   // (M, width)
    scores: Vec<f32>,  // (sequence, stride)
    qkv: Vec<f32>,     // (M, 3 width)
    gated: Vec<f32>,   // (M, inner)
    gate_up: Vec<f32>, // (M, 2 inner)
}

impl Scratch {
    pub(super) fn new(shape: &LevelShape, samples: usize) -> Self {
        let rows = |columns| vec![0.0; samples * shape.sequence * columns];
        Self {
            mixed: rows(shape.width),
            scores: vec![0.0; shape.scores_len()],
            qkv: rows(3 * shape.width),
            gated: rows(shape.inner),
            gate_up: rows(2 * shape.inner),
        }
    }
}

/// Turns `d`, the gradient of a block's `output`, into that of its input, and adds the weights' gradients to
/// `gradients` (those of the relation bias, still spread over all pairs of positions, to `d_bias`).
pub(super) fn backward(
    shape: &LevelShape,
    weights: &BlockWeights<&[f32]>,
    (a, output): (&Activations<&[f32]>, &[f32]),
    d: &mut [f32],
    (gradients, d_bias): (&mut BlockWeights<&mut [f32]>, &mut [f32]),
    scratch: &mut Scratch,
) {
    let (width, inner, rows) = (shape.width, shape.inner, d.len() / shape.width);
    let (d_mixed, d_qkv) = (&mut scratch.mixed[..rows * width], &mut scratch.qkv[..rows * 3 * width]);
    let (gated, d_gate_up) = (&mut scratch.gated[..rows * inner], &mut scratch.gate_up[..rows * 2 * inner]);

    vector::rms_backward(d, width, output, a.output_scale);
    shape.matmul(gated, inner, Into::Overwrite, 1.0, dense(d, width), dense(weights.down, inner));
    vector::swiglu_backward(a.gate_up, inner, gated, d_gate_up);
    shape.matmul(gradients.down, inner, Into::Add, 1.0, dense(d, width).t(), dense(gated, inner));
    shape.matmul(
        gradients.gate_up,
        width,
        Into::Add,
        1.0,
        dense(d_gate_up, 2 * inner).t(),
        dense(a.middle, width),
    );
    shape.matmul(d, width, Into::Add, 1.0, dense(d_gate_up, 2 * inner), dense(weights.gate_up, width));

    vector::rms_backward(d, width, a.middle, a.middle_scale);
    shape.matmul(d_mixed, width, Into::Overwrite, 1.0, dense(d, width), dense(weights.out, width));
    shape.matmul(gradients.out, width, Into::Add, 1.0, dense(d, width).t(), dense(a.mixed, width));
    attend_backward(shape, a, d_mixed, d_qkv, d_bias, &mut scratch.scores);
    turn(shape, d_qkv, false);
    shape.matmul(gradients.qkv, width, Into::Add, 1.0, dense(d_qkv, 3 * width).t(), dense(a.input, width));
    shape.matmul(d, width, Into::Add, 1.0, dense(d_qkv, 3 * width), dense(weights.qkv, width));
}

/// From the gradient of the mixed values to those of q, k and v (and of the spread bias).
fn attend_backward(
    shape: &LevelShape,
    a: &Activations<&[f32]>,
    d_mixed: &[f32],
    d_qkv: &mut [f32],
    d_bias: &mut [f32],
    d_scores: &mut [f32],
) {
    let (sequence, stride, width, len) = (shape.sequence, shape.stride, shape.width, shape.scores_len());
    let scale = 1.0 / (shape.head_dim as f32).sqrt();
    let samples = a.input.len() / (sequence * width);
    for at in heads(shape, samples) {
        let weights = &a.weights[at.index * len..][..len];
        let d_out = Matrix::rows(&d_mixed[at.row * width + at.column..], sequence, shape.head_dim, width);
        let (q, k, v) = (part(shape, a.qkv, &at, 0), part(shape, a.qkv, &at, 1), part(shape, a.qkv, &at, 2));
        shape.matmul(d_scores, stride, Into::Overwrite, 1.0, d_out, v.t());
        vector::softmax_backward(d_scores, sequence, stride, weights);
        if let Some(d_bias) = d_bias.chunks_exact_mut(len).nth(at.head) {
            vector::accumulate(d_bias, d_scores);
        }
        let square = |data| Matrix::rows(data, sequence, sequence, stride);
        let mut write = |which, scale, left, right| {
            let place = &mut d_qkv[at.row * 3 * width + which * width + at.column..];
            shape.matmul(place, 3 * width, Into::Overwrite, scale, left, right);
        };
        write(0, scale, square(d_scores), k);
        write(1, scale, square(d_scores).t(), q);
        write(2, 1.0, square(weights).t(), d_out);
    }
}
