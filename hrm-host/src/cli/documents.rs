//! What the documents say of the command line and of the configuration, against the program itself.

use std::collections::BTreeSet;
use std::path::Path;

use clap::Parser;

use super::Cli;

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every document for users, by its path from the root.
fn documents() -> Vec<String> {
    let mut found = vec!["README.md".to_owned(), "CONTRIBUTING.md".to_owned()];
    for folder in ["docs", "docs/notebook", "models", "hrm-firmware/boards"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
        let names = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name());
        let names = names.map(|name| name.into_string().unwrap()).filter(|name| name.ends_with(".md"));
        found.extend(names.map(|name| format!("{folder}/{name}")));
    }
    found
}

/// Every `hrm-host` command of a document's shell blocks and inline code, comments and
/// continued lines taken care of.
fn commands(document: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fence: Option<bool> = None;
    for line in document.replace("\\\n", " ").lines() {
        match (line.trim_start().strip_prefix("```"), fence) {
            (Some(language), None) => fence = Some(matches!(language, "sh" | "bash" | "console")),
            (Some(_), Some(_)) => fence = None,
            (None, Some(true)) => {
                let line = line.split(" #").next().unwrap_or_default().trim();
                let parts = line.split("&&").map(|part| part.trim().trim_start_matches("target/release/"));
                found.extend(parts.map(str::to_owned));
            }
            _ => {}
        }
    }
    found.retain(|command| command.starts_with("hrm-host "));
    found
}

/// A command's words, as a shell would hand them over.
fn words(command: &str) -> Vec<String> {
    let command = command.split([';', '|', '>']).next().unwrap_or_default();
    command.split_whitespace().map(|word| word.trim_matches(['"', '\'']).to_owned()).collect()
}

#[test]
fn every_command_of_the_documents_is_one_that_the_program_takes() {
    let mut tried = 0;
    for document in documents() {
        for command in commands(&read(&document)) {
            if let Err(error) = Cli::try_parse_from(words(&command)) {
                panic!("{document}: `{command}`\n{error}");
            }
            tried += 1;
        }
    }
    assert!(tried >= 70, "only {tried} commands were found: are the documents read rightly?");
}

/// Keys of the first column of TRAINING.md's table; `` `a.b`, `c` `` names a.b and a.c.
fn documented_keys() -> BTreeSet<String> {
    let document = read("docs/TRAINING.md");
    let rows = document.lines().skip_while(|line| !line.starts_with("| key |")).skip(2);
    let mut keys = BTreeSet::new();
    for row in rows.take_while(|line| line.starts_with('|')) {
        let mut section = "";
        for name in row.split('|').nth(1).unwrap_or_default().split(',') {
            let name = name.trim().trim_matches('`');
            match name.split_once('.') {
                Some((own, _)) => {
                    section = own;
                    assert!(keys.insert(name.to_owned()), "{name} stands there twice");
                }
                None => {
                    assert!(keys.insert(format!("{section}.{name}")), "{section}.{name} stands there twice")
                }
            }
        }
    }
    keys
}

#[test]
fn the_training_document_explains_every_key_and_no_other() {
    let config = hrm_host::config::RunConfig::load(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/sudoku4-demo.toml"),
        &[],
    );
    let keys: BTreeSet<String> = config.unwrap().keys().into_iter().collect();
    assert_eq!(keys, documented_keys());
}

#[test]
fn the_board_table_says_what_the_program_knows_of_every_board() {
    let table = read("hrm-firmware/boards/README.md");
    for board in hrm_emulator::board::HARDWARE {
        let start = format!("| `{}` |", board.name);
        let row = table.lines().find(|line| line.starts_with(&start));
        let row = row.unwrap_or_else(|| panic!("{} is missing", board.name));
        let (at, room) = board.pack;
        let room =
            if room % (1 << 20) == 0 { format!("{} MiB", room >> 20) } else { format!("{} KiB", room >> 10) };
        let memory = format!("{} KiB |", board.workspace >> 10);
        for expected in [format!("{:#010x}, {room} |", at), memory, format!("| {:#010x} |", board.flash.0)] {
            assert!(row.contains(&expected), "{row}\nexpected: {expected}");
        }
    }
    for board in hrm_emulator::board::BOARDS {
        assert!(table.contains(&format!("`{}`", board.name)), "{} is missing", board.name);
    }
}
