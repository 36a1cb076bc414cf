//! Instruction counts as files, and the budget that they are.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

/// Counts, by machine, model and region; `work` is multiply-accumulates, or elements.
pub(super) type Counts = BTreeMap<String, Count>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Count {
    pub(super) instructions: u64,
    pub(super) work: u64,
}

/// Largest growth that `--check` accepts, in percent.
const GROWTH_PERCENT: u64 = 2;

/// The counts in `folder`.
pub(super) fn read(folder: &Path) -> Result<Counts> {
    let path = folder.join("instructions.json");
    let text = fs::read_to_string(&path).with_context(|| {
        format!("cannot read {}: write it with `cargo xtask bench --update`", path.display())
    })?;
    Ok(serde_json::from_str(&text)?)
}

/// Writes `instructions.json`, `.csv` and `.md` to `folder`.
pub(super) fn report(counts: &Counts, models: &[&str], folder: &Path) -> Result<()> {
    fs::write(folder.join("instructions.json"), serde_json::to_string_pretty(counts)? + "\n")?;
    let mut csv = "processor,model,region,work,instructions,instructions_per_work\n".to_owned();
    let mut tables: BTreeMap<(&str, &str), BTreeMap<&str, f64>> = BTreeMap::new();
    let mut processors: Vec<&str> = Vec::new();
    for (name, count) in counts {
        let mut parts = name.splitn(3, ' ');
        let (Some(processor), Some(model), Some(region)) = (parts.next(), parts.next(), parts.next()) else {
            bail!("`{name}` names no count");
        };
        let each = count.instructions as f64 / count.work as f64;
        let Count { instructions, work } = count;
        let _ = writeln!(csv, "{processor},{model},\"{region}\",{work},{instructions},{each:.4}");
        tables.entry((model, region)).or_default().insert(processor, each);
        if !processors.contains(&processor) {
            processors.push(processor);
        }
    }
    fs::write(folder.join("instructions.csv"), csv)?;
    let mut text = "Executed instructions per multiply-accumulate (`segment`, `operation`, `matmul`) or per element. Written by \
                    `cargo xtask bench`.\n"
        .to_owned();
    for model in models {
        let _ = write!(text, "\n| {model} | {} |\n|---|", processors.join(" | "));
        processors.iter().for_each(|_| text.push_str("--:|"));
        text.push('\n');
        for ((of, region), row) in &tables {
            if of == model {
                let cell = |p: &&str| row.get(*p).map_or("–".to_owned(), |each| format!("{each:.3}"));
                let cells: Vec<String> = processors.iter().map(cell).collect();
                let _ = writeln!(text, "| {region} | {} |", cells.join(" | "));
            }
        }
    }
    fs::write(folder.join("instructions.md"), text)?;
    Ok(())
}

/// Names every count that has grown too much, is new, or (where everything was counted) has gone.
pub(super) fn compare(counts: &Counts, committed: &Counts, all: bool, same_compiler: bool) -> Result<()> {
    let mut faults = Vec::new();
    for (name, count) in counts {
        match committed.get(name) {
            None => faults.push(format!("{name}: not among the committed counts")),
            Some(old) if count.work != old.work => faults.push(format!("{name}: another amount of work")),
            // the host's compiler and libraries differ from machine to machine: told, not judged
            Some(old) if count.instructions * 100 > old.instructions * (100 + GROWTH_PERCENT) => {
                let line =
                    format!("{name}: {} instructions, {} committed", count.instructions, old.instructions);
                match name.starts_with("x86-64") || !same_compiler {
                    true => eprintln!("note: {line}"),
                    false => faults.push(line),
                }
            }
            Some(_) => {}
        }
    }
    let gone = committed.keys().filter(|name| all && !counts.contains_key(*name));
    faults.extend(gone.map(|name| format!("{name}: not counted")));
    ensure!(
        faults.is_empty(),
        "instruction counts (see `cargo xtask bench --update`):\n  {}",
        faults.join("\n  ")
    );
    println!("{} instruction counts within {GROWTH_PERCENT} % of the committed ones", counts.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(machine: &str, instructions: u64, work: u64) -> Counts {
        [(format!("{machine} 96-i16 segment"), Count { instructions, work })].into()
    }

    #[test]
    fn growth_of_three_per_cent_is_a_fault_and_of_two_is_none() {
        let judged = |machine, instructions, work, same| {
            compare(&counts(machine, instructions, work), &counts(machine, 1000, 10), true, same).is_ok()
        };
        assert!(judged("m4", 1020, 10, true) && judged("m4", 500, 10, true));
        assert!(!judged("m4", 1030, 10, true));
        assert!(!judged("m4", 1000, 11, true), "another amount of work");
        assert!(judged("m4", 1030, 10, false), "another compiler");
        assert!(judged("x86-64", 1030, 10, true), "the host");
    }

    #[test]
    fn what_is_new_or_gone_is_a_fault() {
        let old = counts("m4", 1000, 10);
        assert!(compare(&old, &Counts::new(), true, true).is_err());
        assert!(compare(&Counts::new(), &old, true, true).is_err());
        compare(&Counts::new(), &old, false, true).expect("only some were counted");
    }
}
