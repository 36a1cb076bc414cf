//! The fast way through a level on the CPU: all of its blocks as one operation with a
//! hand-written backward pass.
//!
//! A batch is cut into chunks of a few samples, whose activations stay in the cache while they pass through
//! every block. Chunks run on all of rayon's threads. Weight gradients are summed per share of chunks, then
//! over the shares in order: the cuts depend on the batch alone, so the result depends on neither the number
//! of threads nor on which thread did what.

mod block;
mod matmul;
mod shape;
#[cfg(target_arch = "x86_64")]
mod short;
mod vector;

use std::sync::{Arc, Mutex, OnceLock};

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Storage, Tensor, bail};
use rayon::prelude::*;

use self::block::{Activations, Scratch, activations_len};
use self::matmul::Factors;
use self::shape::{BlockWeights, LevelShape};
use super::block::Block;
use super::config::ModelConfig;

/// Whether this processor multiplies pairs of bf16 (AVX512-BF16: Zen 4, Cooper Lake, Sapphire Rapids and
/// later), which makes a training step half as fast again.
pub fn multiplies_bf16() -> bool {
    Factors::short().is_some()
}

/// What the calls of a level share: its shape, and memory that goes from call to call.
#[derive(Clone, Debug)]
pub(super) struct FusedLevel {
    shape: Arc<LevelShape>,
    kept: Arc<Pool>,
    passing: Arc<Pool>,
}

impl FusedLevel {
    pub(super) fn new(config: &ModelConfig, layers: usize) -> Self {
        Self {
            shape: Arc::new(LevelShape::new(config, layers)),
            kept: Arc::default(),
            passing: Arc::default(),
        }
    }

    /// The same level with the factors of its matrix products rounded to bf16, where [`multiplies_bf16`].
    pub(super) fn short(&self) -> Self {
        match Factors::short() {
            Some(short) => Self { shape: Arc::new(self.shape.with(short)), ..self.clone() },
            None => self.clone(),
        }
    }

    /// The weights of all blocks in one tensor, as [`FusedLevel::call`] takes them; gradients pass through.
    pub(super) fn flatten(blocks: &[Block]) -> Result<Tensor> {
        let mut flat = Vec::new();
        for Block { qkv, out, gate_up, down, relation_bias } in blocks {
            for weight in [qkv, out, gate_up, down].into_iter().chain(relation_bias) {
                flat.push(weight.flatten_all()?);
            }
        }
        Tensor::cat(&flat, 0)
    }

    /// `level(h, injection)`, `[B, S, W]`, f32 on the CPU.
    pub(super) fn call(&self, h: &Tensor, injection: &Tensor, weights: &Tensor) -> Result<Tensor> {
        let keep = [h, injection, weights].into_iter().any(Tensor::track_op);
        let call = Call { level: self.clone(), keep, saved: OnceLock::new() };
        let (h, injection) = (h.contiguous()?, injection.contiguous()?);
        if keep {
            h.apply_op3(&injection, weights, call)
        } else {
            h.apply_op3_no_bwd(&injection, weights, &call)
        }
    }
}

/// Buffers that outlive a call, because fresh pages cost more than the arithmetic done in them.
#[derive(Debug, Default)]
struct Pool(Mutex<Vec<Vec<f32>>>);

impl Pool {
    /// A buffer of at least `len` elements with anything in them.
    fn take(&self, len: usize) -> Vec<f32> {
        let buffer = self.0.lock().ok().and_then(|mut free| free.pop()).unwrap_or_default();
        if buffer.len() < len { vec![0.0; len] } else { buffer }
    }

    fn give(&self, buffer: Vec<f32>) {
        if let Ok(mut free) = self.0.lock() {
            free.push(buffer);
        }
    }
}

/// One call of a level, which keeps what its backward pass needs.
struct Call {
    level: FusedLevel,
    keep: bool,
    /// The activations of every block, per chunk.
    saved: OnceLock<Vec<Vec<f32>>>,
}

impl Drop for Call {
    fn drop(&mut self) {
        for buffer in self.saved.take().into_iter().flatten() {
            self.level.kept.give(buffer);
        }
    }
}

impl Call {
    /// All blocks over a few samples, from `h + injection` to `output`; hands back
    /// the activations where kept.
    fn forward_chunk(
        &self,
        weights: &[(BlockWeights<&[f32]>, Vec<f32>)],
        h: &[f32],
        injection: &[f32],
        output: &mut [f32],
    ) -> Option<Vec<f32>> {
        let shape = &*self.level.shape;
        let samples = h.len() / (shape.sequence * shape.width);
        let gated_len = samples * shape.sequence * shape.inner;
        let block_len = activations_len(shape, samples, self.keep);
        let mut passing = self.level.passing.take(gated_len + if self.keep { 0 } else { block_len });
        let (gated, reused) = passing.split_at_mut(gated_len);
        let mut kept = self.keep.then(|| self.level.kept.take(shape.layers * block_len));
        for (layer, (weights, bias)) in weights.iter().enumerate() {
            let buffer = match &mut kept {
                Some(kept) => &mut kept[layer * block_len..(layer + 1) * block_len],
                None => &mut *reused,
            };
            let mut activations = Activations::carve_mut(shape, samples, self.keep, buffer);
            match layer {
                0 => vector::add(activations.input, h, injection),
                _ => activations.input.copy_from_slice(output),
            }
            block::forward(shape, weights, bias, &mut activations, gated, output);
        }
        self.level.passing.give(passing);
        kept
    }

    /// All blocks backwards over a few samples: `d` turns from the gradient of the
    /// output into that of the input.
    fn backward_chunk(
        &self,
        weights: &[BlockWeights<&[f32]>],
        saved: &[f32],
        (output, d): (&[f32], &mut [f32]),
        (gradients, d_bias): (&mut [BlockWeights<&mut [f32]>], &mut [f32]),
        scratch: &mut Scratch,
    ) {
        let shape = &*self.level.shape;
        let samples = d.len() / (shape.sequence * shape.width);
        let block_len = activations_len(shape, samples, true);
        let bias_len = d_bias.len() / shape.layers;
        let block = |layer| Activations::carve(shape, samples, &saved[layer * block_len..][..block_len]);
        for layer in (0..shape.layers).rev() {
            let output = if layer + 1 < shape.layers { block(layer + 1).input } else { output };
            let d_bias = &mut d_bias[layer * bias_len..(layer + 1) * bias_len];
            let sums = (&mut gradients[layer], d_bias);
            block::backward(shape, &weights[layer], (&block(layer), output), d, sums, scratch);
        }
    }

    /// The gradients of the level's input and of its flat weights.
    fn backward(&self, flat: &[f32], output: &[f32], grad: &[f32]) -> Result<(Vec<f32>, Vec<f32>)> {
        let shape = &*self.level.shape;
        let Some(saved) = self.saved.get() else { bail!("{}: backward before forward", self.name()) };
        let sample = shape.sequence * shape.width;
        let samples = shape.chunk(output.len() / sample);
        let share = shape.share(saved.len());
        let weights = shape.block_weights(flat);
        let mut d = grad.to_vec();
        let parts = d
            .par_chunks_mut(share * samples * sample)
            .zip(output.par_chunks(share * samples * sample))
            .zip(saved.par_chunks(share));
        let sums: Vec<Vec<f32>> = parts
            .map(|((d, output), saved)| {
                let mut sum = vec![0.0; shape.weights_len()];
                let bias_len = if shape.classes == 0 { 0 } else { shape.heads * shape.scores_len() };
                let mut d_bias = vec![0.0; shape.layers * bias_len];
                let mut gradients = shape.block_gradients(&mut sum);
                let mut scratch = Scratch::new(shape, samples);
                let chunks = d.chunks_mut(samples * sample).zip(output.chunks(samples * sample)).zip(saved);
                for ((d, output), saved) in chunks {
                    let sums = (&mut gradients[..], &mut d_bias[..]);
                    self.backward_chunk(&weights, saved, (output, d), sums, &mut scratch);
                }
                for (gradients, spread) in gradients.iter_mut().zip(d_bias.chunks_exact(bias_len.max(1))) {
                    shape.gather_bias(spread, gradients.relation_bias);
                }
                drop(gradients);
                sum
            })
            .collect();
        Ok((d, total(&sums)))
    }
}

/// The elementwise sum, in the order of `sums`.
fn total(sums: &[Vec<f32>]) -> Vec<f32> {
    const PIECE: usize = 4096;
    let mut total = vec![0.0; sums.first().map_or(0, Vec::len)];
    total.par_chunks_mut(PIECE).enumerate().for_each(|(piece, out)| {
        for sum in sums {
            vector::accumulate(out, &sum[piece * PIECE..][..out.len()]);
        }
    });
    total
}

/// The elements of a contiguous f32 operand.
fn operand<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("fused-level: an operand is not contiguous"),
    }
}

impl CustomOp3 for Call {
    fn name(&self) -> &'static str {
        "fused-level"
    }

    fn cpu_fwd(
        &self,
        h: &CpuStorage,
        h_layout: &Layout,
        injection: &CpuStorage,
        injection_layout: &Layout,
        flat: &CpuStorage,
        flat_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let shape = &*self.level.shape;
        let (batch, sequence, width) = h_layout.shape().dims3()?;
        let fits = (sequence, width) == (shape.sequence, shape.width)
            && h_layout.shape() == injection_layout.shape();
        if !fits || flat_layout.shape().elem_count() != shape.weights_len() {
            bail!(
                "fused-level: {:?} + {:?} is no input of this level",
                h_layout.shape(),
                injection_layout.shape()
            );
        }
        let (h, injection) = (operand(h, h_layout)?, operand(injection, injection_layout)?);
        let weights = shape.block_weights(operand(flat, flat_layout)?).into_iter();
        let weights: Vec<_> =
            weights.map(|w| (shape.spread_bias(w.relation_bias), w)).map(|(b, w)| (w, b)).collect();
        let chunk = shape.chunk(batch) * sequence * width;
        let mut output = vec![0.0; h.len()];
        let chunks = output.par_chunks_mut(chunk).zip(h.par_chunks(chunk)).zip(injection.par_chunks(chunk));
        let kept = chunks.map(|((output, h), injection)| self.forward_chunk(&weights, h, injection, output));
        let kept: Vec<_> = kept.collect();
        let kept: Vec<_> = kept.into_iter().flatten().collect();
        if self.keep && self.saved.set(kept).is_err() {
            bail!("fused-level: forward ran twice");
        }
        Ok((CpuStorage::F32(output), h_layout.shape().clone()))
    }

    fn bwd(
        &self,
        h: &Tensor,
        injection: &Tensor,
        flat: &Tensor,
        output: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let (flat_guard, flat_layout) = flat.storage_and_layout();
        let (output_guard, output_layout) = output.storage_and_layout();
        let (grad_guard, grad_layout) = grad.storage_and_layout();
        let (Storage::Cpu(flat_storage), Storage::Cpu(output_storage), Storage::Cpu(grad_storage)) =
            (&*flat_guard, &*output_guard, &*grad_guard)
        else {
            bail!("fused-level: not on the CPU");
        };
        let (d, d_flat) = self.backward(
            operand(flat_storage, flat_layout)?,
            operand(output_storage, output_layout)?,
            operand(grad_storage, grad_layout)?,
        )?;
        let d = Tensor::from_vec(d, h.shape(), h.device())?;
        let d_flat = Tensor::from_vec(d_flat, flat.shape(), flat.device())?;
        Ok((
            h.track_op().then(|| d.clone()),
            injection.track_op().then_some(d),
            flat.track_op().then_some(d_flat),
        ))
    }
}
