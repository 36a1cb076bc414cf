//! Sizes of a level, where its weights lie in one flat slice, and how a batch is cut up.

use super::matmul::{Factors, Into, Matrix, matmul};
use super::vector::LANES;
use crate::model::config::ModelConfig;
use crate::model::positions::rope_tables;

/// Rows that one matrix product should have: enough to make good use of a weight once it is loaded.
const ROWS: usize = 328;
/// Shares of a batch that sum their weight gradients apart. It depends on the batch alone, never on the
/// number of threads, so that the sums, and with them a resumed run, are the same on any machine of a kind.
const SHARES: usize = 16;
/// The most memory the separate sums may take.
const SHARES_BYTES: usize = 1 << 28;

/// Sizes and constant tables of a level.
#[derive(Clone, Debug)]
pub(super) struct LevelShape {
    pub(super) sequence: usize,
    /// Elements between two rows of attention weights: `sequence` filled up to whole lanes.
    pub(super) stride: usize,
    pub(super) width: usize,
    pub(super) heads: usize,
    pub(super) head_dim: usize,
    pub(super) inner: usize,
    pub(super) layers: usize,
    /// What matrix products make of their factors.
    pub(super) factors: Factors,
    /// Relation classes, 0 without relation bias.
    pub(super) classes: usize,
    /// Relation class of query `i` to key `j` at `[i * sequence + j]`.
    relation_map: Vec<u8>,
    /// `cos` and `sin`, `[sequence, head_dim / 2]`.
    pub(super) rope: Option<(Vec<f32>, Vec<f32>)>,
}

/// One block's weights (or the gradients of them) within the flat slice.
pub(super) struct BlockWeights<S> {
    pub(super) qkv: S,
    pub(super) out: S,
    pub(super) gate_up: S,
    pub(super) down: S,
    pub(super) relation_bias: S,
}

impl LevelShape {
    pub(super) fn new(config: &ModelConfig, layers: usize) -> Self {
        let (sequence, head_dim) = (config.sequence(), config.head_dim());
        let single = |values: Vec<f64>| values.into_iter().map(|v| v as f32).collect::<Vec<_>>();
        let rope = config.positions.rope().then(|| {
            let (cos, sin) = rope_tables(sequence, head_dim);
            (single(cos), single(sin))
        });
        Self {
            sequence,
            stride: sequence.next_multiple_of(LANES),
            width: config.width,
            heads: config.heads,
            head_dim,
            inner: config.inner,
            layers,
            factors: Factors::Single,
            classes: if config.positions.relation() { config.relation_classes() } else { 0 },
            relation_map: config.relation_map(),
            rope,
        }
    }

    /// The same shape with other factors.
    pub(super) fn with(&self, factors: Factors) -> Self {
        Self { factors, ..self.clone() }
    }

    /// [`matmul`] with the factors of this level.
    pub(super) fn matmul(&self, c: &mut [f32], stride: usize, mode: Into, scale: f32, a: Matrix, b: Matrix) {
        matmul(self.factors, c, stride, mode, scale, a, b);
    }

    /// Sizes of a block's weights, in the order of the flat slice.
    fn block_sizes(&self) -> [usize; 5] {
        let (w, i) = (self.width, self.inner);
        [3 * w * w, w * w, 2 * i * w, w * i, self.heads * self.classes]
    }

    /// Elements of the flat slice of all blocks.
    pub(super) fn weights_len(&self) -> usize {
        self.layers * self.block_sizes().iter().sum::<usize>()
    }

    pub(super) fn block_weights<'a>(&self, flat: &'a [f32]) -> Vec<BlockWeights<&'a [f32]>> {
        let (mut rest, sizes) = (flat, self.block_sizes());
        let mut next = |len| rest.split_off(..len).unwrap_or_default();
        (0..self.layers).map(|_| BlockWeights::from_parts(sizes.map(&mut next))).collect()
    }

    pub(super) fn block_gradients<'a>(&self, flat: &'a mut [f32]) -> Vec<BlockWeights<&'a mut [f32]>> {
        let (mut rest, sizes) = (flat, self.block_sizes());
        let mut next = |len| rest.split_off_mut(..len).unwrap_or_default();
        (0..self.layers).map(|_| BlockWeights::from_parts(sizes.map(&mut next))).collect()
    }

    /// Elements of one head's attention weights.
    pub(super) fn scores_len(&self) -> usize {
        self.sequence * self.stride
    }

    /// The bias of every pair of positions, `[heads, sequence, stride]`; empty without relation bias.
    pub(super) fn spread_bias(&self, relation_bias: &[f32]) -> Vec<f32> {
        let mut spread = vec![0.0; if self.classes == 0 { 0 } else { self.heads * self.scores_len() }];
        for (row, (bias, classes)) in spread.chunks_exact_mut(self.stride).zip(self.bias_rows(relation_bias))
        {
            for (out, &class) in row.iter_mut().zip(classes) {
                *out = bias[usize::from(class)];
            }
        }
        spread
    }

    /// Sums `spread` gradients, shaped as [`LevelShape::spread_bias`] makes them, into those of the table.
    pub(super) fn gather_bias(&self, spread: &[f32], relation_bias: &mut [f32]) {
        let heads =
            spread.chunks_exact(self.scores_len()).zip(relation_bias.chunks_exact_mut(self.classes.max(1)));
        for (head, bias) in heads {
            for (row, classes) in
                head.chunks_exact(self.stride).zip(self.relation_map.chunks_exact(self.sequence))
            {
                for (value, &class) in row.iter().zip(classes) {
                    bias[usize::from(class)] += value;
                }
            }
        }
    }

    /// For every head and query: the head's biases, and the relation class of every key.
    fn bias_rows<'a>(&'a self, relation_bias: &'a [f32]) -> impl Iterator<Item = (&'a [f32], &'a [u8])> {
        let rows = || self.relation_map.chunks_exact(self.sequence);
        relation_bias
            .chunks_exact(self.classes.max(1))
            .flat_map(move |bias| rows().map(move |row| (bias, row)))
    }

    /// Samples that go through the level together, out of a batch.
    pub(super) fn chunk(&self, batch: usize) -> usize {
        (ROWS / self.sequence).clamp(1, batch.div_ceil(SHARES).max(1))
    }

    /// Consecutive chunks that sum their weight gradients together, out of `chunks`.
    pub(super) fn share(&self, chunks: usize) -> usize {
        let affordable = SHARES_BYTES / (size_of::<f32>() * self.weights_len());
        chunks.div_ceil(affordable.clamp(2, SHARES)).max(1)
    }
}

impl<S> BlockWeights<S> {
    fn from_parts([qkv, out, gate_up, down, relation_bias]: [S; 5]) -> Self {
        Self { qkv, out, gate_up, down, relation_bias }
    }
}
