//! The model: two levels that think in turns, read out by two heads.

use candle_core::{DType, Device, Result, Tensor};

use super::block::{Block, Geometry, linear};
use super::config::ModelConfig;
use super::error::ModelError;
use super::fused::FusedLevel;
use super::gpu::Kernels;
use super::level::{Backend, Net};
use super::params::Params;
use super::probe::{Level, Probe, Seen, Site, SiteOp, Unseen};

/// The state that a model carries from segment to segment, out of the gradient's reach.
#[derive(Clone, Debug)]
pub struct Carry {
    /// The slow state, `[B, sequence, width]`.
    pub z_h: Tensor,
    /// The fast state, `[B, sequence, width]`.
    pub z_l: Tensor,
}

/// What a segment leaves behind.
#[derive(Clone, Debug)]
pub struct Output {
    /// The state to start the next segment from, detached.
    pub carry: Carry,
    /// Scores of every token for every cell, `[B, cells, vocab]`.
    pub logits: Tensor,
    /// Halting logits `[B, 1 or 2]`: halt, and continue where there is that head.
    pub q: Tensor,
}

/// How much of a segment gradients flow through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gradient {
    /// Nothing: inference.
    None,
    /// The last L call and the last H call only, with the states before them taken as constants: the paper's.
    OneStep,
    /// Every call of the segment.
    Full,
}

impl Gradient {
    /// Whether a level call carries gradients; `last` tells the last call of its level in the segment.
    fn reaches(self, last: bool) -> bool {
        self == Gradient::Full || self == Gradient::OneStep && last
    }
}

/// Everything that is multiplied with.
#[derive(Clone, Debug)]
struct Weights {
    tokens: Tensor,            // (vocab, width)
    prefix: Option<Tensor>,    // (1, width)
    positions: Option<Tensor>, // (sequence, width)
    h: Vec<Block>,
    l: Vec<Block>,
    lm_head: Tensor,  // (vocab, width)
    q_weight: Tensor, // (1 or 2, width)
    q_bias: Tensor,   // (1 or 2)
}

/// The Hierarchical Reasoning Model over a set of [`Params`], whose later changes it sees.
#[derive(Clone, Debug)]
pub struct Hrm {
    config: ModelConfig,
    weights: Weights,
    init: Carry, // (1, 1, width) each
    backend: Backend,
    compute: DType,
    geometry: Geometry,
    fused: (FusedLevel, FusedLevel), // H, L
    kernels: Option<Kernels>,
}

impl Hrm {
    /// A model of shape `config` that reads `params`, with the backend that suits their device.
    ///
    /// # Errors
    /// A configuration that does not validate, or parameters made for another one.
    pub fn new(config: &ModelConfig, params: &Params) -> std::result::Result<Self, ModelError> {
        Self::with_backend(config, params, Backend::best(config, params))
    }

    /// As [`Hrm::new`] with a chosen backend; [`Backend::Fused`] computes in f32 on the CPU only,
    /// [`Backend::Kernels`] on a GPU.
    ///
    /// # Errors
    /// As [`Hrm::new`], and a shape that the kernels do not take; calls of a model whose
    /// parameters lie elsewhere fail.
    pub fn with_backend(
        config: &ModelConfig,
        params: &Params,
        backend: Backend,
    ) -> std::result::Result<Self, ModelError> {
        config.names_a_model()?;
        let state = |name| Ok::<_, ModelError>(params.get(name)?.reshape((1, 1, config.width))?);
        Ok(Self {
            weights: Weights::load(config, params)?,
            init: Carry { z_h: state("init.h")?, z_l: state("init.l")? },
            backend,
            compute: params.dtype(),
            geometry: Geometry::new(config, params.dtype(), params.device())?,
            fused: (FusedLevel::new(config, config.h_layers), FusedLevel::new(config, config.l_layers)),
            kernels: match backend {
                Backend::Kernels => Some(Kernels::new(config, params.device())?),
                _ => None,
            },
            config: config.clone(),
        })
    }

    /// The same model with products, sums and states inside a segment in type `compute`, while parameters,
    /// their gradients, the carry and the outputs keep their own; norms, softmax and RoPE have 32 bits at
    /// least. [`DType::BF16`] halves what a GPU moves.
    ///
    /// The fused backend stays in f32 but for the factors of its matrix products, which are rounded where the
    /// processor [`multiplies_bf16`](super::multiplies_bf16).
    pub fn in_type(self, compute: DType) -> Self {
        match (self.backend, compute) {
            (_, DType::F32) | (Backend::Kernels, DType::BF16) => Self { compute, ..self },
            (Backend::Fused, DType::BF16) => {
                Self { fused: (self.fused.0.short(), self.fused.1.short()), ..self }
            }
            _ => Self { compute, backend: Backend::Composite, ..self },
        }
    }

    /// The configuration this model was built from.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// What computes the levels.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Where the model computes.
    pub fn device(&self) -> &Device {
        self.weights.tokens.device()
    }

    /// The state before the first segment of `batch` puzzles.
    pub fn initial_carry(&self, batch: usize) -> Result<Carry> {
        let fill =
            |z: &Tensor| z.broadcast_as((batch, self.config.sequence(), self.config.width))?.contiguous();
        Ok(Carry { z_h: fill(&self.init.z_h)?, z_l: fill(&self.init.z_l)? })
    }

    /// `carry` with the rows where `fresh` (`[B]`, u8) is not 0 put back to the initial state.
    pub fn refill(&self, carry: &Carry, fresh: &Tensor) -> Result<Carry> {
        let shape = carry.z_h.dims3()?;
        let fresh = fresh.reshape((shape.0, 1, 1))?.broadcast_as(shape)?;
        let mix = |init: &Tensor, z: &Tensor| fresh.where_cond(&init.broadcast_as(shape)?, z);
        Ok(Carry { z_h: mix(&self.init.z_h, &carry.z_h)?, z_l: mix(&self.init.z_l, &carry.z_l)? })
    }

    /// One segment of thought on `tokens` (`[B, cells]`, u32): `h_cycles` times (`l_cycles` L calls, one
    /// H call), then the heads.
    ///
    /// # Errors
    /// Shapes that do not fit the configuration, tokens outside the vocabulary aside: those embed as zero.
    pub fn segment(&self, carry: &Carry, tokens: &Tensor, gradient: Gradient) -> Result<Output> {
        self.forward(carry, tokens, gradient, self.backend, &mut Unseen)
    }

    /// As [`Hrm::segment`] without gradients, showing every intermediate to `observer` as it is computed.
    pub fn observe(
        &self,
        carry: &Carry,
        tokens: &Tensor,
        observer: &mut dyn FnMut(Site, &Tensor),
    ) -> Result<Output> {
        self.forward(carry, tokens, Gradient::None, Backend::Composite, &mut Seen(observer))
    }

    fn forward(
        &self,
        carry: &Carry,
        tokens: &Tensor,
        gradient: Gradient,
        backend: Backend,
        probe: &mut impl Probe,
    ) -> Result<Output> {
        let ModelConfig { h_cycles, l_cycles, .. } = self.config;
        let weights = &self.weights.map(&|weight| match gradient {
            Gradient::None => weight.detach().to_dtype(self.compute),
            _ => weight.to_dtype(self.compute),
        })?;
        let (h_net, l_net) = self.nets(weights, backend)?;
        let x = self.embed(weights, tokens)?;
        let (h_constant, l_constant, x_constant) = (h_net.detach()?, l_net.detach()?, x.detach());

        let begin = |z: &Tensor| z.detach().to_dtype(self.compute);
        let (mut z_h, mut z_l) = (begin(&carry.z_h)?, begin(&carry.z_l)?);
        for h_cycle in 1..=h_cycles {
            for l_cycle in 1..=l_cycles {
                let learns = gradient.reaches(h_cycle == h_cycles && l_cycle == l_cycles);
                let (l_net, x) = if learns { (&l_net, &x) } else { (&l_constant, &x_constant) };
                z_l = l_net.call(Level::L, &z_l, &(&z_h + x)?, probe)?;
            }
            let learns = gradient.reaches(h_cycle == h_cycles);
            z_h = if learns { &h_net } else { &h_constant }.call(Level::H, &z_h, &z_l, probe)?;
        }

        probe.see(Level::Heads, 0, SiteOp::ZH, &z_h);
        let logits = self.scores(weights, &z_h)?;
        probe.see(Level::Heads, 0, SiteOp::Logits, &logits);
        let q = z_h
            .narrow(1, 0, 1)?
            .squeeze(1)?
            .contiguous()? // cuBLAS takes no rows with gaps between them
            .matmul(&weights.q_weight.t()?)?
            .broadcast_add(&weights.q_bias)?;
        probe.see(Level::Heads, 0, SiteOp::Q, &q);
        let own = |x: &Tensor| x.to_dtype(self.init.z_h.dtype());
        let carry = Carry { z_h: own(&z_h.detach())?, z_l: own(&z_l.detach())? };
        Ok(Output { carry, logits: own(&logits)?, q: own(&q)? })
    }

    /// What the model would answer if its slow state were `z_h` (`[B, sequence, width]`): scores
    /// `[B, cells, vocab]`, without gradients.
    pub fn read_out(&self, z_h: &Tensor) -> Result<Tensor> {
        self.scores(&self.weights.map(&|weight| Ok(weight.detach()))?, z_h)
    }

    fn scores(&self, weights: &Weights, z_h: &Tensor) -> Result<Tensor> {
        linear(&z_h.narrow(1, self.config.prefixes(), self.config.cells())?, &weights.lm_head)
    }

    /// The H and the L level over `weights`; one and the same where they share them.
    fn nets<'a>(&'a self, weights: &'a Weights, backend: Backend) -> Result<(Net<'a>, Net<'a>)> {
        let net = |blocks, fused| Net::new(blocks, backend, &self.geometry, fused, self.kernels.as_ref());
        let h = net(&weights.h, &self.fused.0)?;
        let l = if self.config.shared_levels { h.clone() } else { net(&weights.l, &self.fused.1)? };
        Ok((h, l))
    }

    /// `sqrt(width) * (prefix ‖ tokens)`, with learned positions
    /// `sqrt(width / 2) * (prefix ‖ tokens + positions)`; `[B, sequence, width]`.
    fn embed(&self, weights: &Weights, tokens: &Tensor) -> Result<Tensor> {
        let (batch, width, vocab) = (tokens.dim(0)?, self.config.width, self.config.vocab());
        // A product with the one-hot tokens: its gradient is a matrix product too, quick
        // and exact on every device.
        let ids = Tensor::arange(0, vocab as u32, tokens.device())?;
        let one_hot = tokens.reshape(((), 1))?.broadcast_eq(&ids.reshape((1, vocab))?)?;
        let cells = one_hot.to_dtype(weights.tokens.dtype())?.matmul(&weights.tokens)?;
        let cells = cells.reshape((batch, self.config.cells(), width))?;
        let x = match &weights.prefix {
            Some(prefix) => {
                let prefix = prefix.reshape((1, 1, width))?.broadcast_as((batch, 1, width))?;
                Tensor::cat(&[&prefix, &cells], 1)?
            }
            None => cells,
        };
        match &weights.positions {
            Some(positions) => x.broadcast_add(positions)? * (width as f64 / 2.0).sqrt(),
            None => x * (width as f64).sqrt(),
        }
    }
}

impl Weights {
    fn load(config: &ModelConfig, params: &Params) -> std::result::Result<Self, ModelError> {
        let get = |name| Ok::<_, ModelError>(params.get(name)?.clone());
        let blocks = |level: &str, layers| -> std::result::Result<Vec<_>, ModelError> {
            let level = if config.shared_levels { "level" } else { level };
            (0..layers).map(|layer| Block::load(config, params, &format!("{level}.{layer}"))).collect()
        };
        Ok(Self {
            tokens: get("embed.tokens")?,
            prefix: config.prefix.then(|| get("embed.prefix")).transpose()?,
            positions: config.positions.learned().then(|| get("embed.positions")).transpose()?,
            h: blocks("level_h", config.h_layers)?,
            l: blocks("level_l", config.l_layers)?,
            lm_head: get("lm_head")?,
            q_weight: get("q_head.weight")?,
            q_bias: get("q_head.bias")?,
        })
    }

    /// The weights with `f` of each.
    fn map(&self, f: &impl Fn(&Tensor) -> Result<Tensor>) -> Result<Self> {
        let blocks = |blocks: &[Block]| blocks.iter().map(|block| block.map(f)).collect::<Result<Vec<_>>>();
        Ok(Self {
            tokens: f(&self.tokens)?,
            prefix: self.prefix.as_ref().map(f).transpose()?,
            positions: self.positions.as_ref().map(f).transpose()?,
            h: blocks(&self.h)?,
            l: blocks(&self.l)?,
            lm_head: f(&self.lm_head)?,
            q_weight: f(&self.q_weight)?,
            q_bias: f(&self.q_bias)?,
        })
    }
}
