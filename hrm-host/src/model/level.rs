//! The ways to compute a level.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use candle_core::{DType, Device, Result, Tensor};

use super::block::{self, Block, Geometry};
use super::config::ModelConfig;
use super::fused::FusedLevel;
use super::gpu::{self, Kernels};
use super::params::Params;
use super::probe::{Level, Probe};

/// What computes the levels; all give the same values and gradients up to rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// One operation per level call, f32 on the CPU only: several times faster there.
    Fused,
    /// Matrix products of the tensor library and kernels of our own for everything between
    /// them, f32 or bf16 on a GPU.
    Kernels,
    /// The tensor library's operations, on any device and in any floating-point type.
    Composite,
}

/// Whether [`Backend::best`] may choose [`Backend::Kernels`].
static KERNELS_TRUSTED: AtomicBool = AtomicBool::new(true);

impl Backend {
    /// The fastest for these parameters: fused on a CPU, kernels on a GPU, composite for other types and
    /// where sizes do not suit either.
    pub(super) fn best(config: &ModelConfig, params: &Params) -> Self {
        match (params.device(), params.dtype()) {
            (Device::Cpu, DType::F32) if config.suits_kernels() => Backend::Fused,
            (device @ Device::Cuda(_), DType::F32)
                if KERNELS_TRUSTED.load(Relaxed)
                    && config.suits_kernels()
                    && Kernels::new(config, device).is_ok() =>
            {
                Backend::Kernels
            }
            _ => Backend::Composite,
        }
    }

    /// From now on models on a GPU are composite, unless they are given a backend.
    pub fn distrust_kernels() {
        KERNELS_TRUSTED.store(false, Relaxed);
    }
}

/// A level ready to be called.
#[derive(Clone)]
pub(super) enum Net<'a> {
    Composite { blocks: Cow<'a, [Block]>, geometry: &'a Geometry },
    Fused { level: &'a FusedLevel, weights: Tensor },
    Kernels { blocks: Vec<Block>, kernels: &'a Kernels },
}

impl<'a> Net<'a> {
    pub(super) fn new(
        blocks: &'a [Block],
        backend: Backend,
        geometry: &'a Geometry,
        level: &'a FusedLevel,
        kernels: Option<&'a Kernels>,
    ) -> Result<Self> {
        Ok(match (backend, kernels) {
            (Backend::Fused, _) => Net::Fused { level, weights: FusedLevel::flatten(blocks)? },
            (Backend::Kernels, Some(kernels)) => {
                let blocks = blocks.iter().map(gpu::transposed).collect::<Result<_>>()?;
                Net::Kernels { blocks, kernels }
            }
            _ => Net::Composite { blocks: blocks.into(), geometry },
        })
    }

    /// The same level, out of the gradient's reach.
    pub(super) fn detach(&self) -> Result<Self> {
        let constant = |blocks: &[Block]| {
            blocks.iter().map(|block| block.map(&|weight| Ok(weight.detach()))).collect::<Result<Vec<_>>>()
        };
        Ok(match self {
            Net::Composite { blocks, geometry } => {
                Net::Composite { blocks: constant(blocks)?.into(), geometry }
            }
            Net::Fused { level, weights } => Net::Fused { level, weights: weights.detach() },
            Net::Kernels { blocks, kernels } => Net::Kernels { blocks: constant(blocks)?, kernels },
        })
    }

    /// `level(h, injection)`: the blocks applied to `h + injection`, `[B, S, W]`. Only the composite backend
    /// shows its intermediates.
    pub(super) fn call(
        &self,
        which: Level,
        h: &Tensor,
        injection: &Tensor,
        probe: &mut impl Probe,
    ) -> Result<Tensor> {
        match self {
            Net::Composite { blocks, geometry } => {
                block::level(blocks, geometry, (which, h, injection), probe)
            }
            Net::Fused { level, weights } => level.call(h, injection, weights),
            Net::Kernels { blocks, kernels } => kernels.level(blocks, h, injection),
        }
    }
}
