//! What a model of a report is: enough to tell it from every other.

use std::path::Path;

use anyhow::{Context, Result};
use hrm_core::{Pack, workspace_bytes};
use hrm_host::files::{crc32, name_of};
use hrm_host::model::parameter_count;
use hrm_host::report::{count, grouped, grouped_rows};

use crate::cli::model::Run;

type Facts = Vec<(&'static str, String)>;

/// Of the checkpoint file at `path`, whose averaged weights are used where it has some.
pub(super) fn of_checkpoint(path: &Path, run: &Run) -> Result<Facts> {
    let (config, model) = (&run.config, &run.config.model);
    let cannot_read = || format!("cannot read {}", path.display());
    let bytes = std::fs::metadata(path).with_context(cannot_read)?.len();
    let crc = crc32(path).with_context(cannot_read)?;
    let weights = if config.train.ema == 0.0 { "weights as trained" } else { "averaged weights" };
    let data = match config.data.train.as_os_str().is_empty() {
        true => format!("{} generated", count(config.data.generate, "puzzle")),
        false => name_of(&config.data.train),
    };
    Ok(vec![
        ("task", model.task.name().to_owned()),
        ("arithmetic", format!("float, {weights}")),
        ("checkpoint", format!("{}, {} bytes, CRC-32 {crc:08x}", name_of(path), grouped(bytes))),
        ("configuration", config.hash()),
        ("parameters", grouped(parameter_count(model) as u64)),
        ("width, heads, inner", format!("{}, {}, {}", model.width, model.heads, model.inner)),
        (
            "layers H + L, cycles H x L",
            format!("{} + {}, {} x {}", model.h_layers, model.l_layers, model.h_cycles, model.l_cycles),
        ),
        ("segments of a pass", model.segments.to_string()),
        ("trained", trained_for(run.steps, run.samples, config.train.seed, &data)),
    ])
}

/// Of a pack.
pub(super) fn of_pack(pack: &Pack<'_>) -> Result<Facts> {
    let (shape, header) = (pack.shape(), pack.header()?);
    let p = &header.provenance;
    Ok(vec![
        ("task", header.task.to_owned()),
        ("arithmetic", format!("int8 weights, {}-bit states", 8 * shape.lanes.bytes())),
        (
            "pack",
            format!(
                "{} bytes, CRC-32 {:08x}, {}{}",
                grouped(pack.bytes() as u64),
                pack.crc(),
                count(shape.members.into(), "member"),
                match shape.members {
                    1 => " (one set of weights)",
                    _ => " (sets of weights that take turns at guessing)",
                }
            ),
        ),
        ("RAM", format!("{} bytes", grouped(workspace_bytes(shape) as u64))),
        ("multiply-accumulates a segment", grouped(shape.segment_macs())),
        ("segments of a pass", shape.segments.to_string()),
        ("trained", trained_for(p.steps, p.samples, p.seed, &grouped_rows(p.data))),
    ])
}

fn trained_for(steps: u64, samples: u64, seed: u64, data: &str) -> String {
    let steps = count(steps as usize, "step");
    format!("{steps}, {}, seed {seed}; {data}", count(samples as usize, "sample-segment"))
}
