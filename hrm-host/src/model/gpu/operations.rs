//! The kernels as operations that carry gradients.

use candle_core::{
    CpuStorage, CudaStorage, CustomOp1, CustomOp2, DType, Device, Layout, Result, Shape, Tensor, bail,
};

use super::launch::{Args, Memory, Operand, Plan, forward, run};
use crate::model::block::RMS_EPS;
use crate::model::config::ModelConfig;
use crate::model::positions::rope_tables;

/// As in `kernels.cu`.
const WARPS: usize = 4;
const THREADS: usize = 32 * WARPS;
const MOST_CLASSES: usize = 16;
/// Shared memory that every GPU since Ampere has for a block of threads.
const SHARED_BYTES: usize = 99 << 10;

/// `y = s / sqrt(mean(s²) + eps)` over the last dimension, with `s = x + r`.
pub(super) fn add_norm(x: &Tensor, r: &Tensor) -> Result<Tensor> {
    let columns = x.dim(x.rank() - 1)?;
    x.contiguous()?.apply_op2(&r.contiguous()?, AddNorm { rows: x.elem_count() / columns, columns })
}

/// `silu(gate) * up` for `gate ‖ up` along the last dimension, `[.., 2 n]` to `[.., n]`.
pub(super) fn gate(gate_up: &Tensor) -> Result<Tensor> {
    let columns = gate_up.dim(gate_up.rank() - 1)? / 2;
    gate_up.contiguous()?.apply_op1(Gate { rows: gate_up.elem_count() / (2 * columns), columns })
}

struct AddNorm {
    rows: usize,
    columns: usize,
}

impl AddNorm {
    fn plan(&self, kernel: &'static str, operands: usize) -> Plan {
        let args = Args {
            rows: self.rows as u32,
            columns: self.columns as u32,
            scale: RMS_EPS as f32,
            ..Args::default()
        };
        let len = self.rows * self.columns;
        Plan {
            kernel,
            operands: vec![Operand::Same(len); operands],
            out: len,
            blocks: self.rows.div_ceil(WARPS),
            threads: THREADS,
            shared: 0,
            args,
        }
    }

    fn of<M: Memory>(&self, terms: [(&M, &Layout); 2]) -> Result<(M, Shape)> {
        Ok((forward(&self.plan("add_norm", 2), &terms, &[])?, terms[0].1.shape().clone()))
    }
}

impl CustomOp2 for AddNorm {
    fn name(&self) -> &'static str {
        "add-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        r: &CpuStorage,
        r_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.of([(x, x_layout), (r, r_layout)])
    }

    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_layout: &Layout,
        r: &CudaStorage,
        r_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        self.of([(x, x_layout), (r, r_layout)])
    }

    fn bwd(
        &self,
        x: &Tensor,
        r: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let d = run(&self.plan("add_norm_back", 3), &[x, r, &dy.contiguous()?])?.reshape(x.shape())?;
        Ok((x.track_op().then(|| d.clone()), r.track_op().then_some(d)))
    }
}

struct Gate {
    rows: usize,
    columns: usize,
}

impl Gate {
    fn plan(&self, kernel: &'static str, operands: &[usize], out: usize) -> Plan {
        let len = self.rows * self.columns;
        let args = Args { rows: self.rows as u32, columns: self.columns as u32, ..Args::default() };
        Plan {
            kernel,
            operands: operands.iter().map(|times| Operand::Same(times * len)).collect(),
            out: out * len,
            blocks: len.div_ceil(THREADS),
            threads: THREADS,
            shared: 0,
            args,
        }
    }

    fn of<M: Memory>(&self, gate_up: &M, layout: &Layout) -> Result<(M, Shape)> {
        let mut dims = layout.dims().to_vec();
        if let Some(last) = dims.last_mut() {
            *last = self.columns;
        }
        Ok((forward(&self.plan("gate", &[2], 1), &[(gate_up, layout)], &[])?, dims.into()))
    }
}

impl CustomOp1 for Gate {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn cpu_fwd(&self, gate_up: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        self.of(gate_up, layout)
    }

    fn cuda_fwd(&self, gate_up: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        self.of(gate_up, layout)
    }

    fn bwd(&self, gate_up: &Tensor, _gated: &Tensor, d: &Tensor) -> Result<Option<Tensor>> {
        let d = run(&self.plan("gate_back", &[2, 1], 2), &[gate_up, &d.contiguous()?])?;
        Ok(Some(d.reshape(gate_up.shape())?))
    }
}

/// Full self-attention of all heads, without the projections around it.
#[derive(Clone, Debug)]
pub(super) struct Attention {
    sequence: usize,
    heads: usize,
    head_dim: usize,
    classes: usize,
    rotated: bool,
    /// Relation class of every query and key, `[sequence, sequence]`, u8; one 0 without relation bias.
    relations: Tensor,
    /// cos and sin, `[2, sequence, head_dim]`, f32; one 0 without RoPE.
    turns: Tensor,
}

impl Attention {
    /// # Errors
    /// Heads too large for the memory that a block of threads shares.
    pub(super) fn new(config: &ModelConfig, device: &Device) -> Result<Self> {
        let (sequence, heads, head_dim) = (config.sequence(), config.heads, config.head_dim());
        let classes = if config.positions.relation() { config.relation_classes() } else { 0 };
        let rotated = config.positions.rope();
        let relations = if classes > 0 { config.relation_map() } else { vec![0] };
        let mut turns = vec![0.0];
        if rotated {
            let (cos, sin) = rope_tables(sequence, head_dim);
            let rows = cos.chunks(head_dim / 2).chain(sin.chunks(head_dim / 2));
            turns = rows.flat_map(|row| [row, row].concat()).map(|turn| turn as f32).collect();
        }
        let (related, turning) = (relations.len(), turns.len());
        let attention = Self {
            sequence,
            heads,
            head_dim,
            classes,
            rotated,
            relations: Tensor::from_vec(relations, related, device)?,
            turns: Tensor::from_vec(turns, turning, device)?,
        };
        if classes > MOST_CLASSES || attention.shared(true) > SHARED_BYTES {
            bail!(
                "attention of {sequence} positions with heads of {head_dim} needs {} bytes of a GPU's shared memory, \
                 {SHARED_BYTES} are there; use more heads",
                attention.shared(true)
            );
        }
        Ok(attention)
    }

    /// `softmax(q k^T / sqrt(head_dim) + bias) v` for `qkv` `[B S, 3 W]` and `bias`
    /// `[heads, classes]`; `[B S, W]`.
    pub(super) fn apply(&self, qkv: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
        let bias = match bias {
            Some(bias) => bias.contiguous()?,
            None => Tensor::zeros(1, qkv.dtype(), qkv.device())?,
        };
        qkv.contiguous()?.apply_op2(&bias, self.clone())
    }

    fn width(&self) -> usize {
        self.heads * self.head_dim
    }

    /// Bytes of shared memory; `Shared` in `kernels.cu` lays it out.
    fn shared(&self, backwards: bool) -> usize {
        let (sequence, d, tiles) = (self.sequence, self.head_dim, if backwards { 2 } else { 1 });
        let panels = 2 * (sequence * (d + 1)).div_ceil(4);
        let sums = if backwards { 2 * sequence.div_ceil(4) + WARPS * self.classes * 32 / 4 } else { 0 };
        (panels + MOST_CLASSES / 4 + WARPS * tiles * (d + sequence) + sums) * size_of::<[f32; 4]>()
    }

    fn plan(&self, backwards: bool, batch: usize) -> Plan {
        let mixed = batch * self.sequence * self.width();
        let bias = (self.heads * self.classes).max(1);
        let mut operands = vec![
            Operand::Same(3 * mixed),
            Operand::Same(bias),
            Operand::Other(DType::U8, self.relations.elem_count()),
            Operand::Other(DType::F32, self.turns.elem_count()),
        ];
        if backwards {
            operands.push(Operand::Same(mixed));
        }
        let args = Args {
            sequence: self.sequence as u32,
            heads: self.heads as u32,
            head_dim: self.head_dim as u32,
            classes: self.classes as u32,
            rotated: u32::from(self.rotated),
            scale: 1.0 / (self.head_dim as f32).sqrt(),
            ..Args::default()
        };
        Plan {
            kernel: if backwards { "attention_back" } else { "attention" },
            operands,
            out: if backwards { 3 * mixed + batch * self.heads * self.classes } else { mixed },
            blocks: batch * self.heads,
            threads: THREADS,
            shared: self.shared(backwards),
            args,
        }
    }

    /// Batch and shape of the output for `qkv` of this layout.
    fn shapes(&self, qkv: &Layout) -> Result<(usize, Shape)> {
        match *qkv.dims() {
            [rows, width] if rows % self.sequence == 0 && width == 3 * self.width() => {
                Ok((rows / self.sequence, (rows, self.width()).into()))
            }
            _ => bail!("attention: {:?} is no input of this level", qkv.dims()),
        }
    }

    fn of<M: Memory>(&self, given: [(&M, &Layout); 2]) -> Result<(M, Shape)> {
        let (batch, out) = self.shapes(given[0].1)?;
        Ok((forward(&self.plan(false, batch), &given, &[&self.relations, &self.turns])?, out))
    }
}

impl CustomOp2 for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(
        &self,
        qkv: &CpuStorage,
        qkv_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.of([(qkv, qkv_layout), (bias, bias_layout)])
    }

    fn cuda_fwd(
        &self,
        qkv: &CudaStorage,
        qkv_layout: &Layout,
        bias: &CudaStorage,
        bias_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        self.of([(qkv, qkv_layout), (bias, bias_layout)])
    }

    fn bwd(
        &self,
        qkv: &Tensor,
        bias: &Tensor,
        _mixed: &Tensor,
        d: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (batch, _) = self.shapes(qkv.layout())?;
        let operands = [qkv, bias, &self.relations, &self.turns, &d.contiguous()?];
        let both = run(&self.plan(true, batch), &operands)?;
        let own = qkv.elem_count();
        let d_bias = || {
            let shares = both.narrow(0, own, batch * self.heads * self.classes)?.to_dtype(DType::F32)?;
            shares.reshape((batch, self.heads, self.classes))?.sum(0)?.to_dtype(bias.dtype())
        };
        let d_bias = (bias.track_op() && self.classes > 0).then(d_bias).transpose()?;
        let d_qkv = qkv.track_op().then(|| both.narrow(0, 0, own)?.reshape(qkv.shape())).transpose()?;
        Ok((d_qkv, d_bias))
    }
}
