//! The model card written beside a pack.

use std::fmt::Write;
use std::path::Path;

use anyhow::Result;
use hrm_core::{Pack, workspace_bytes};
use hrm_host::config::RunConfig;
use hrm_host::files::{Signature, name_of};
use hrm_host::quant::Coarser;
use hrm_host::quant::compare::Agreement;
use hrm_host::report::{count, grouped, grouped_rows};

/// A model card that nobody has changed.
pub(super) const CARD: Signature<'static> = Signature::of_mark("a model card");

const FIRST_ROW: &str = "| task | ";
const VALIDATION: &str = "Validation rows (";
const CONFIGURATION: &str = "Configuration:";
const FENCE: &str = "```";
const LICENCE: &str = "| licence | ";

/// What any pack is good for, on every card.
const USE: &str = "\
Intended use: puzzles of this task whose answer a checker can judge, solved by `hrm-host solve` or a
microcontroller. What is called solved is right; a puzzle may stay unproven.

Not for: hard deadlines, other tasks, puzzles whose answer cannot be checked.

Measure it on your puzzles: `hrm-host eval PACK --data FILE --vote`.
";

/// The card of `pack` under `licence`; `levels` are (hints per cent, agreement after the last
/// segment) on validation rows.
pub(super) fn card(
    path: &Path,
    pack: &Pack<'_>,
    config: &RunConfig,
    licence: Option<&str>,
    levels: &[(u8, Agreement)],
) -> Result<String> {
    let (header, shape) = (pack.header()?, pack.shape());
    let mut card = String::new();
    let p = &header.provenance;
    writeln!(card, "# {}\n", name_of(path))?;
    writeln!(card, "| | |\n|---|---|\n{FIRST_ROW}{} |", header.task)?;
    let trained = match serde_json::from_str::<RunConfig>(p.config) {
        Ok(trained) if trained.model.task.name() != header.task => Some(trained.model.task),
        _ => None,
    };
    if let Some(trained) = trained {
        writeln!(card, "| trained on | {trained}; weights do not depend on the size |")?;
    }
    writeln!(card, "| pack | {} bytes, CRC-32 {:08x} |", grouped(pack.bytes() as u64), pack.crc())?;
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
    if let Some(Coarser { columns, of, largest }) = Coarser::of(pack) {
        let (columns, of) = (grouped(columns as u64), grouped(of as u64));
        writeln!(card, "| columns in coarser units | {columns} of {of}, with ±{largest} or more for ±127 |")?;
    }
    writeln!(card, "| RAM | {} bytes |", grouped(workspace_bytes(shape) as u64))?;
    writeln!(card, "| MAC per segment | {} |", grouped(shape.segment_macs()))?;
    let (steps, samples) = (count(p.steps as usize, "step"), count(p.samples as usize, "sample-segment"));
    writeln!(card, "| trained | {steps}, {samples}, seed {} |", p.seed)?;
    if !config.train.from.as_os_str().is_empty() {
        writeln!(card, "| started from the weights of | {} |", config.train.from.display())?;
    }
    writeln!(card, "| data | {} |", grouped_rows(p.data))?;
    writeln!(card, "| written by | {} |", p.program)?;
    writeln!(
        card,
        "{LICENCE}{} |\n",
        licence.unwrap_or("not stated by the maker of this pack").replace('\n', " ")
    )?;
    writeln!(card, "{USE}")?;
    if !levels.is_empty() {
        let from = &config.data.validation_from;
        let source = match from.as_os_str().is_empty() {
            true => "split off the training data".to_owned(),
            false => format!("drawn from {}, apart from the training data", name_of(from)),
        };
        writeln!(card, "{VALIDATION}{source}), one pass of {} segments:\n", shape.segments)?;
        writeln!(card, "| hints | rows | float exact | int exact | only float | only int | cosine of z_H |")?;
        writeln!(card, "|---|---|---|---|---|---|---|")?;
        for (hints, a) in levels {
            let [rows, float, int, only_float, only_int] =
                [a.rows, a.float_exact, a.int_exact, a.only_float, a.only_int].map(|n| grouped(n as u64));
            let cosine = a.cosine_mean;
            writeln!(
                card,
                "| {hints} % | {rows} | {float} | {int} | {only_float} | {only_int} | {cosine:.5} |"
            )?;
        }
        writeln!(card)?;
    }
    writeln!(card, "{CONFIGURATION}\n\n{FENCE}toml\n{}{FENCE}", toml::to_string(config)?)?;
    Ok(card)
}

#[cfg(test)]
mod tests {
    use hrm_host::quant::AlignedPack;

    use super::*;

    #[test]
    fn every_released_card_says_what_its_pack_is_for_and_under_which_licence() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        for path in files.filter(|path| path.extension().is_some_and(|e| e == "md")) {
            let (name, released) = (path.display(), std::fs::read_to_string(&path).unwrap());
            assert!(released.contains(USE) && released.contains(LICENCE), "{name}");
            assert!(released.contains("## Voted solving\n") && released.contains(CONFIGURATION), "{name}");
        }
    }

    /// What a person adds to a card stands below the table, except where the weights came from.
    #[test]
    fn the_table_of_every_released_card_is_what_export_writes_of_its_pack() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
        let mut found = 0;
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.extension().is_none_or(|e| e != "hrm") {
                continue;
            }
            let bytes = AlignedPack::read(&path).unwrap();
            let pack = bytes.open().unwrap();
            let config = serde_json::from_str(pack.header().unwrap().provenance.config).unwrap();
            let released = std::fs::read_to_string(path.with_extension("md")).unwrap();
            let own = card(&path, &pack, &config, None, &[]).unwrap();
            let (table, _) = own.split_once(LICENCE).unwrap();
            let by_hand = "| started from the weights of | ";
            for line in table.lines().filter(|line| !line.starts_with(by_hand)) {
                let has = released.lines().any(|other| other == line);
                assert!(has, "{} lacks: {line}", path.with_extension("md").display());
            }
            found += 1;
        }
        assert!(found > 0);
    }
}
