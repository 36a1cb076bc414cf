//! The model card written beside a pack.

use std::fmt::Write;
use std::path::Path;

use anyhow::Result;
use hrm_core::{Pack, workspace_bytes};
use hrm_host::config::RunConfig;
use hrm_host::files::Kind;
use hrm_host::quant::compare::Agreement;

use super::export::name_of;

/// What the table of every card begins with.
const FIRST_ROW: &str = "\n| task | ";

/// A model card, by its title and its table.
pub(super) const CARD: Kind = Kind {
    name: "a model card",
    begins: |start| {
        let row = FIRST_ROW.as_bytes();
        start.starts_with(b"# ") && start.windows(row.len()).any(|window| window == row)
    },
};

/// The card of `pack`; `levels` are (hints per cent, agreement after the last segment) on validation rows.
pub(super) fn card(
    path: &Path,
    pack: &Pack<'_>,
    config: &RunConfig,
    levels: &[(u8, Agreement)],
) -> Result<String> {
    let (header, shape) = (pack.header()?, pack.shape());
    let mut card = String::new();
    let p = &header.provenance;
    writeln!(card, "# {}\n", name_of(path))?;
    writeln!(card, "| | |\n|---|---|{FIRST_ROW}{} |", header.task)?;
    writeln!(card, "| pack | {} bytes, CRC-32 {:08x} |", pack.bytes(), pack.crc())?;
    writeln!(card, "| members | {} |", shape.members)?;
    writeln!(card, "| width, heads, inner | {}, {}, {} |", shape.width, shape.heads, shape.inner)?;
    let shared = if shape.shared_levels { ", shared" } else { "" };
    writeln!(card, "| layers H + L | {} + {}{shared} |", shape.h_layers, shape.l_layers)?;
    writeln!(
        card,
        "| cycles H x L, segments | {} x {}, {} |",
        shape.h_cycles, shape.l_cycles, shape.segments
    )?;
    writeln!(card, "| states and activations | {} bits |", 8 * shape.lanes.bytes())?;
    writeln!(card, "| RAM | {} bytes |", workspace_bytes(shape))?;
    writeln!(card, "| MAC per segment | {} |", shape.segment_macs())?;
    writeln!(card, "| trained | {} steps, {} sample-segments, seed {} |", p.steps, p.samples, p.seed)?;
    if !config.train.from.as_os_str().is_empty() {
        writeln!(card, "| started from the weights of | {} |", config.train.from.display())?;
    }
    writeln!(card, "| data | {} |", p.data)?;
    writeln!(card, "| written by | {} |\n", p.program)?;
    if !levels.is_empty() {
        let from = &config.data.validation_from;
        let source = match from.as_os_str().is_empty() {
            true => "split off the training data".to_owned(),
            false => format!("drawn from {}, apart from the training data", name_of(from)),
        };
        writeln!(card, "Validation rows ({source}), one pass of {} segments:\n", shape.segments)?;
        writeln!(card, "| hints | rows | float exact | int exact | only float | only int | cosine of z_H |")?;
        writeln!(card, "|---|---|---|---|---|---|---|")?;
        for (hints, a) in levels {
            writeln!(
                card,
                "| {hints} % | {} | {} | {} | {} | {} | {:.5} |",
                a.rows, a.float_exact, a.int_exact, a.only_float, a.only_int, a.cosine_mean
            )?;
        }
        writeln!(card)?;
    }
    writeln!(card, "Configuration:\n\n```toml\n{}```", toml::to_string(config)?)?;
    Ok(card)
}
