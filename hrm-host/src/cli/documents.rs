//! What the documents say of the command line and of the configuration, against the program itself.

use std::collections::BTreeSet;
use std::path::Path;

use clap::Parser;
use hrm_host::config::RunConfig;
use hrm_host::task::names;
use hrm_host::train::run::fixed_keys_that_differ;
use toml::{Table, Value};

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
    let config =
        RunConfig::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/sudoku4-demo.toml"), &[]);
    let keys: BTreeSet<String> = config.unwrap().keys().into_iter().collect();
    assert_eq!(keys, documented_keys());
}

/// `config` with another value of `key`, whether or not that would train.
fn with_another(config: &RunConfig, key: &str) -> RunConfig {
    let another = names().into_iter().find(|name| *name != config.model.task.name()).unwrap();
    let words = "rope learned stablemax full one-step bf16 f32 sign muon other";
    let (section, name) = key.split_once('.').unwrap();
    let mut table: Table = config.to_toml().parse().unwrap();
    let before = table[section][name].clone();
    let others: Vec<Value> = match &before {
        Value::Boolean(on) => vec![Value::Boolean(!on)],
        Value::Integer(number) => vec![Value::Integer(number + 1)],
        Value::Float(number) => vec![Value::Float(number / 2.0 + 0.1)],
        Value::Array(_) => vec![Value::Array(vec![another.into()])],
        _ => [another].into_iter().chain(words.split(' ')).map(Value::from).collect(),
    };
    let mut with = |value: Value| {
        table[section].as_table_mut()?.insert(name.to_owned(), value);
        toml::from_str::<RunConfig>(&table.to_string()).ok().filter(|changed| changed != config)
    };
    others.into_iter().find_map(&mut with).unwrap_or_else(|| panic!("{key} = {before}: no other value fits"))
}

#[test]
fn the_training_document_names_every_key_that_a_run_cannot_change() {
    let document = read("docs/TRAINING.md").replace("\n  ", " ");
    let (_, told) = document.split_once(" Only `model.*`, ").unwrap();
    let (told, _) = told.split_once(" must stay the same.").unwrap();
    let told: BTreeSet<&str> = told.split('`').skip(1).step_by(2).collect();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/sudoku4-demo.toml");
    let config = RunConfig::load(&demo, &[]).unwrap();
    for key in config.keys() {
        let changed = with_another(&config, &key);
        assert_eq!(config.differing_keys(&changed, ""), std::slice::from_ref(&key), "{key}");
        let fixed = !fixed_keys_that_differ(&config, &changed).is_empty();
        let is_told = key.starts_with("model.") || told.contains(key.as_str());
        assert_eq!(
            fixed, is_told,
            "{key}: fixed in a run, or told to be so in docs/TRAINING.md, but not both"
        );
    }
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
