//! What hrm-host reads: puzzle files and configurations.

use std::path::PathBuf;

use hrm_host::{
    config::RunConfig,
    data::{
        import::Columns,
        read::{Document, Item, Need},
    },
    task::{Looks, all, find},
};

/// Most bytes of a file: what is slow in long ones is measured elsewhere.
const LONGEST: usize = 1 << 14;

/// Reads a file as every command does. A puzzle that is told has the cells of its task, and
/// only symbols that it knows.
pub(crate) fn read_puzzles(bytes: &[u8]) {
    let bytes = &bytes[..bytes.len().min(LONGEST)];
    let Ok(document) = Document::of(PathBuf::from("fuzz"), bytes.to_vec()) else { return };
    let columns = Columns::default();
    let declared = document.declared(&columns).ok().flatten();
    let looks = match document.looks(&columns) {
        Ok(Looks::Like(task)) => Some(task),
        _ => None,
    };
    let usual = ["sudoku4", "sudoku9", "maze4x4"].map(|name| find(name).expect("a task"));
    for task in declared.into_iter().chain(looks).chain(usual) {
        let lines = 1 + bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() as u64;
        let _ = document.visit(task, (&columns, Need::Rows), &mut |item| match item {
            Item::Row(row) => assert!((1..=lines).contains(&row.line), "line {} of {lines}", row.line),
            Item::Fault(fault) => assert!(fault.line <= lines, "line {} of {lines}", fault.line),
            Item::Passed { line, .. } | Item::EmptyEdge { line, .. } => {
                assert!((1..=lines).contains(&line), "line {line} of {lines}");
            }
        });
    }
}

/// Reads a configuration: what is accepted is written and read again, and is the same.
pub(crate) fn read_configuration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(config) = RunConfig::parse(text, "fuzz", &[]) else { return };
    let again =
        RunConfig::parse(&config.to_toml(), "fuzz", &[]).expect("what was accepted is accepted again");
    assert!(again == config && all().contains(&config.model.task));
}
