//! What `cargo xtask bench` counts: regions of work on the model that a pack holds, and each
//! kernel on that model's shapes.
//!
//! The program that runs them says where a region begins and ends; a counter outside (a QEMU plugin,
//! callgrind) counts the instructions between.
#![no_std]

mod check;
mod kernels;

use bytemuck::cast_slice_mut;
pub use check::check;
use hrm_core::{
    Hrm, Op, Pack, Reasoner, Trace, Values, lane::LaneWidth, pack::TILE, tokens_per_pass, workspace_bytes_for,
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

/// Measures the model in `pack`: a segment with as much memory as serves it, one with the least, one with
/// every operation marked, then its kernels.
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
        LaneWidth::I8 => kernels::run::<i8, P>(&shape, memory, probe),
        LaneWidth::I16 => kernels::run::<i16, P>(&shape, memory, probe),
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
