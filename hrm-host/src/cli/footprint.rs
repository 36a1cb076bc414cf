//! What a model will take on a chip, in words.

use hrm_host::config::RunConfig;
use hrm_host::quant::{Footprint, Memory};

/// The footprint as a table, and the boards that have room for it.
pub(super) fn table(footprint: &Footprint) -> String {
    let mut lines = vec![
        format!("parameters        {:>12}", footprint.parameters),
        format!(
            "flash, pack       {:>12} bytes (each further member {})",
            footprint.pack_bytes, footprint.member_bytes
        ),
    ];
    for memory in &footprint.memory {
        lines.push(format!(
            "RAM, {:>2}-bit states {:>11} bytes (of it states {})",
            memory.bits, memory.workspace_bytes, memory.state_bytes
        ));
    }
    lines.push(format!("MAC per segment   {:>12} (attention included)", footprint.segment_macs));
    for memory in &footprint.memory {
        lines.push(format!("\nboards, {}-bit states:", memory.bits));
        for (board, problem) in footprint.boards(memory) {
            let verdict = problem.map_or("fits".to_owned(), |problem| problem.to_string());
            lines.push(format!("  {:<16} {verdict}", board.name));
        }
    }
    lines.join("\n")
}

/// The same in two lines, for the start of a run.
pub(super) fn brief(config: &RunConfig) -> anyhow::Result<String> {
    let footprint = Footprint::of(config)?;
    let [wide, narrow] = &footprint.memory;
    let fitting = |memory: &Memory| -> Vec<&str> {
        let boards = footprint.boards(memory).filter(|(_, problem)| problem.is_none());
        boards.map(|(board, _)| board.name).collect()
    };
    let (by_default, with_narrow) = (fitting(wide), fitting(narrow));
    let list = |names: &[&str]| match names {
        [] => "none of the boards".to_owned(),
        names => names.join(", "),
    };
    let more: Vec<&str> = with_narrow.iter().copied().filter(|name| !by_default.contains(name)).collect();
    let more = match &more[..] {
        [] => String::new(),
        more => format!("; with 8-bit states also {}", list(more)),
    };
    Ok(format!(
        "as a pack: {} bytes of flash, {} bytes of RAM ({} with 8-bit states)\nroom for it: {}{more}",
        footprint.pack_bytes,
        wide.workspace_bytes,
        narrow.workspace_bytes,
        list(&by_default),
    ))
}
