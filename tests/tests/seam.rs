//! Tasks are named in folders of their own and in three lists, boards in files of their own and in three
//! lists, and nothing else knows which there are.

use std::fs;
use std::path::{Path, PathBuf};

use hrm_emulator::board::HARDWARE;

/// Where a task may be named: the lists, and what is about one task on purpose.
const ALLOWED: [(&str, &str); 10] = [
    ("hrm-core/src/task/mod.rs", "declares the folders"),
    ("hrm-core/src/task/list.rs", "the list of the core"),
    ("hrm-firmware/src/tasks.rs", "the list of the firmware"),
    ("hrm-host/src/task/mod.rs", "the list of the host"),
    ("hrm-host/src/data/read/columns.rs", "names of columns in people's files"),
    ("hrm-host/src/cli/demo.rs", "trains one configuration that is in this repository"),
    ("tools/xtask/src/bench.rs", "counts the instructions of one model"),
    ("tools/xtask/src/bits.rs", "has released packs think everywhere"),
    ("tools/xtask/src/fuzz/coverage.rs", "says where the files of one are read"),
    ("tools/xtask/src/kills/cases.rs", "gives commands of one small task"),
];

/// Where a real board may be named beside its own files; the page on porting names the first three.
const ALLOWED_BOARDS: [(&str, &str); 5] = [
    ("hrm-firmware/Cargo.toml", "the features"),
    ("hrm-firmware/src/board/mod.rs", "the choice"),
    ("tools/emulator/src/board.rs", "the list"),
    ("tools/xtask/src/uf2.rs", "has a default"),
    ("tools/xtask/src/kills/cases.rs", "gives a command for one"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names of tasks: their folders.
fn tasks() -> Vec<String> {
    let mut names = Vec::new();
    for list in ["hrm-core/src/task", "hrm-host/src/task"] {
        for entry in fs::read_dir(root().join(list)).unwrap().flatten() {
            if entry.path().is_dir() {
                names.push(entry.file_name().into_string().unwrap());
            }
        }
    }
    names.sort();
    names.dedup();
    names
}

/// Every source of a program, but the folders of tasks and what tests alone compile.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
        let of_task = folder.ends_with("task") && tasks().contains(&name);
        if path.is_dir() && !of_task && name != "tests" {
            sources(&path, found);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}

/// The lines of a source that name `task` in code. Files of configurations and models
/// are called by their names.
fn named(source: &str, task: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let is_file = |word: &str| word.contains(".toml") || word.contains(".hrm");
    let names = |line: &&str| {
        let code = line.split("//").next().unwrap_or_default().to_lowercase();
        code.split_whitespace().any(|word| word.contains(task) && !is_file(word))
    };
    code.lines().filter(names).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn nothing_but_the_lists_names_a_task() {
    let mut files = Vec::new();
    for folder in [
        "hrm-core/src",
        "hrm-firmware/src",
        "hrm-host/src",
        "tools/emulator/src",
        "tools/web/engine/src",
        "tools/web/src",
        "tools/xtask/src",
        "tools/chips/src",
    ] {
        sources(&root().join(folder), &mut files);
    }
    assert!(files.len() > 100 && tasks().contains(&"sudoku".to_owned()), "{} files", files.len());
    let mut found = Vec::new();
    for file in &files {
        let shown = file.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        let lines: Vec<String> = tasks().iter().flat_map(|task| named(&text(file), task)).collect();
        if !ALLOWED.iter().any(|(allowed, _)| *allowed == shown) {
            found.extend(lines.into_iter().map(|line| format!("{shown}: {line}")));
        }
    }
    assert!(found.is_empty(), "a task is named outside its folder:\n{}", found.join("\n"));
}

#[test]
fn nothing_but_its_own_files_and_the_lists_names_a_board() {
    let mut files = vec![root().join("hrm-firmware/Cargo.toml"), root().join("hrm-firmware/build.rs")];
    let folders = ["hrm-core", "hrm-firmware", "hrm-host", "tools/emulator", "tools/xtask", "tools/chips"];
    folders.iter().for_each(|folder| sources(&root().join(folder).join("src"), &mut files));
    let (mut found, mut lists) = (Vec::new(), 0);
    for file in &files {
        let shown = file.strip_prefix(root()).unwrap().to_str().unwrap();
        let source = text(file);
        for board in HARDWARE {
            let module = board.name.replace('-', "_");
            let lines = [named(&source, board.name), named(&source, &module)].concat();
            if ALLOWED_BOARDS.iter().any(|(allowed, _)| *allowed == shown) {
                lists += usize::from(!lines.is_empty());
            } else if shown != format!("hrm-firmware/src/board/{module}.rs") {
                found.extend(lines.into_iter().map(|line| format!("{shown}: {line}")));
            }
        }
    }
    assert!(lists >= 3 * HARDWARE.len(), "the lists name boards {lists} times");
    assert!(found.is_empty(), "a board is named outside its files:\n{}", found.join("\n"));
}

#[test]
fn the_page_on_porting_names_every_file_that_names_a_board_or_is_shared_by_some() {
    let page = text(&root().join("docs/PORTING.md"));
    let own = ["hrm-firmware/boards/NAME/memory.x", "hrm-firmware/src/board/NAME.rs"];
    let lists = ALLOWED_BOARDS.iter().take(3).map(|(file, _)| *file);
    for file in own.into_iter().chain(lists).chain(["hrm-firmware/src/start.rs", "hrm-firmware/src/tasks.rs"])
    {
        assert!(page.contains(&format!("`{file}`")), "docs/PORTING.md does not name {file}");
    }
    // What is neither a board's nor everybody's is an STM32's.
    let features = text(&root().join("hrm-firmware/Cargo.toml"));
    let private = features.lines().filter_map(|line| line.strip_prefix("_stm32")?.split_once(" = "));
    for name in private.map(|(rest, _)| format!("_stm32{rest}")) {
        assert!(page.contains(&format!("`{name}`")), "docs/PORTING.md does not name the feature {name}");
        let file = format!("hrm-firmware/src/board/{}.rs", &name[1..]);
        let module = format!("`{}.rs`", &name[1..]);
        assert!(
            !root().join(&file).exists() || page.contains(&module),
            "docs/PORTING.md does not name {file}"
        );
    }
}

#[test]
fn a_name_in_code_is_found_and_a_comment_or_a_file_is_not() {
    let source =
        "use a::Sudoku; // x\n// a sudoku\nlet c = \"configs/sudoku9-mcu.toml\";\n#[cfg(test)]\nSudoku";
    assert_eq!(named(source, "sudoku"), ["use a::Sudoku; // x"]);
}

#[test]
fn what_the_page_on_tasks_quotes_is_the_program() {
    let page = text(&root().join("docs/ADDING_A_TASK.md"));
    let program = text(&root().join("hrm-host/examples/latin.rs"));
    let quoted: Vec<&str> =
        page.split("```rust\n").skip(1).filter_map(|part| part.split("```").next()).collect();
    assert!(quoted.len() >= 6, "{} quotations", quoted.len());
    for code in quoted {
        // What is left out stands between two lines of the program.
        for part in code.split("    // …\n") {
            assert!(
                program.contains(part),
                "docs/ADDING_A_TASK.md quotes what examples/latin.rs does not have:\n{part}"
            );
        }
    }
}
