//! Writes packs, and the cards beside them, anew without the folders that their provenance names.
//!
//! `hrm-host export` leaves folders out itself; this is for packs that were exported before it did. Weights,
//! self-test and digests stay as they are; the pack's length and CRC change.
//!
//! `cargo run --release -p hrm-host --example without-folders -- models/*.hrm`

use std::path::Path;

use anyhow::{Context, Result, ensure};
use hrm_core::pack::Provenance;
use hrm_host::files::replace_file;
use hrm_host::quant::{AlignedPack, with_provenance};
use hrm_host::report::grouped;
use serde_json::Value;

fn main() -> Result<()> {
    let packs: Vec<String> = std::env::args().skip(1).collect();
    ensure!(!packs.is_empty(), "give packs: without-folders PACK...");
    packs.iter().try_for_each(|path| rewrite(Path::new(path)))
}

fn rewrite(path: &Path) -> Result<()> {
    let old = AlignedPack::read(path)?;
    let opened = old.open()?;
    let provenance = opened.header()?.provenance;
    let config: Value = serde_json::from_str(provenance.config)
        .with_context(|| format!("{} does not say how it was trained", path.display()))?;
    let mut folders = Vec::new();
    collect(&config, &mut folders);

    let mut text = provenance.config.to_owned();
    for (long, name) in &folders {
        text = text.replace(&serde_json::to_string(long)?, &serde_json::to_string(name)?);
    }
    let new = with_provenance(&old, &Provenance { config: &text, ..provenance })?;
    write(path, new.bytes())?;

    let card_path = path.with_extension("md");
    if let Ok(mut card) = std::fs::read_to_string(&card_path) {
        for (long, name) in &folders {
            card = card.replace(long.as_str(), name);
        }
        let told =
            |bytes: usize, crc: u32| format!("| pack | {} bytes, CRC-32 {crc:08x} |", grouped(bytes as u64));
        let (before, after) =
            (told(opened.bytes(), opened.crc()), told(new.open()?.bytes(), new.open()?.crc()));
        ensure!(card.contains(&before), "{} is not the card of {}", card_path.display(), path.display());
        write(&card_path, card.replace(&before, &after).as_bytes())?;
    }
    println!("{}: {} folders left out, CRC-32 {:08x}", path.display(), folders.len(), new.open()?.crc());
    Ok(())
}

/// Every text with a folder in it, and what is left without.
fn collect(value: &Value, folders: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) if text.contains(['/', '\\']) => {
            let name = text.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
            folders.push((text.clone(), name));
        }
        Value::Object(entries) => entries.values().for_each(|value| collect(value, folders)),
        Value::Array(entries) => entries.iter().for_each(|value| collect(value, folders)),
        _ => {}
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    replace_file(path, |file| file.write_all(bytes))
        .with_context(|| format!("cannot write {}", path.display()))
}
