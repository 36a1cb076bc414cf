//! What a tool can say of the documents: links that lead somewhere, lines of one width, sentences that end.
//!
//! The commands in them are tried in `hrm-host/src/cli/documents.rs`, beside the command line.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use hrm_emulator::board::INSTALL_PROBE_RS;

/// The widest line of prose. Tables, headings, code and words that cannot be broken may be wider.
const WIDTH: usize = 100;

/// What a stranger reads first, whose sentences have at most [`WORDS`] words.
const FRONT_DOOR: [&str; 5] =
    ["README.md", "docs/RESULTS.md", "docs/DATA.md", "docs/FAQ.md", "docs/notebook/README.md"];
const WORDS: usize = 35;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every document of the repository, by its path from the root.
fn documents() -> Vec<String> {
    let mut found = Vec::new();
    for folder in ["", "docs", "docs/notebook", "models", "hrm-firmware/boards"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".md") {
                found.push(if folder.is_empty() { name } else { format!("{folder}/{name}") });
            }
        }
    }
    found.sort();
    assert!(found.len() > 20, "only {} documents were found", found.len());
    found
}

fn read(document: &str) -> String {
    fs::read_to_string(root().join(document)).unwrap_or_else(|error| panic!("{document}: {error}"))
}

/// Lines outside fenced code, with their numbers.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut code = false;
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            code = !code;
        } else if !code {
            lines.push((index + 1, line));
        }
    }
    lines
}

/// A line without what stands between backticks.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

/// The anchors of a document's headings, as web pages of repositories make them.
fn anchors(document: &str) -> BTreeSet<String> {
    let text = read(document);
    let headings = prose(&text).into_iter().filter(|(_, line)| line.starts_with('#'));
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ');
    let anchor = |(_, line): (usize, &str)| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        title.chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

/// A path without `.` and `..`, as far as names go.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_exist() {
    let mut followed = 0;
    for document in documents() {
        let text = read(&document);
        let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (number, line) in prose(&text) {
            for link in without_code(line).split("](").skip(1) {
                let link = link.split(')').next().unwrap_or_default();
                if link.starts_with("https://") {
                    continue;
                }
                let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
                let target =
                    if file.is_empty() { document.clone() } else { normal(&format!("{folder}/{file}")) };
                let place = format!("{document}, line {number}: {link}");
                assert!(root().join(&target).exists(), "{place}: there is no {target}");
                assert!(
                    anchor.is_empty() || anchors(&target).contains(anchor),
                    "{place}: {target} has no such heading"
                );
                followed += 1;
            }
        }
    }
    assert!(followed > 40, "only {followed} links were found");
}

#[test]
fn lines_of_prose_are_not_wider_than_a_reader_likes() {
    let mut wide = Vec::new();
    for document in documents() {
        for (number, line) in prose(&read(&document)) {
            let code = line.starts_with("    ");
            let breakable = line.trim_start().trim_start_matches("* ").trim_start_matches("- ").contains(' ');
            if line.chars().count() > WIDTH
                && breakable
                && !code
                && !line.trim_start().starts_with(['|', '#'])
            {
                wide.push(format!("{document}, line {number}: {} characters", line.chars().count()));
            }
        }
    }
    assert!(wide.is_empty(), "wrap at {WIDTH}:\n{}", wide.join("\n"));
}

/// The characters of a line's first word, or of the code or link that it begins with; `None` where
/// that goes on in the next line.
fn first_unit(line: &str) -> Option<usize> {
    let start = line.trim_start();
    let plain = start.trim_start_matches(['*', '"', '(']);
    let close = match plain.chars().next()? {
        '`' => plain.get(1..)?.find('`')? + 1,
        '[' => plain.find(')')?,
        _ => 0,
    };
    let word = plain.get(close..)?.split(' ').next()?.len();
    Some(start.chars().count() - plain.chars().count() + plain.get(..close + word)?.chars().count())
}

/// Lines of a text that end in the middle of a sentence and much earlier than they had to: what the
/// next one begins with has room.
fn broken_early(text: &str) -> Vec<usize> {
    const SPARE: usize = 20;
    let lines = prose(text);
    let flows = |line: &str| {
        let start = line.trim_start();
        !start.is_empty() && !start.starts_with(['|', '#']) && !line.starts_with("    ")
    };
    let item = |line: &str| {
        let start = line.trim_start();
        let numbered = start.split_once(". ").is_some_and(|(n, _)| n.chars().all(|c| c.is_ascii_digit()));
        start.starts_with("* ") || start.starts_with("- ") || numbered
    };
    let early = |pair: &&[(usize, &str)]| {
        let [(number, line), (next_number, next)] = pair[..] else { return false };
        number + 1 == next_number
            && flows(line)
            && flows(next)
            && !line.ends_with(['.', ':'])
            && !item(next)
            && first_unit(next).is_some_and(|unit| line.chars().count() + 1 + unit + SPARE <= WIDTH)
    };
    lines.windows(2).filter(early).map(|pair| pair[0].0).collect()
}

#[test]
fn lines_of_prose_are_filled() {
    let broken: Vec<String> = documents()
        .into_iter()
        .flat_map(|document| {
            let lines = broken_early(&read(&document));
            lines.into_iter().map(move |line| format!("{document}, line {line}"))
        })
        .collect();
    assert!(broken.is_empty(), "the next line's first word has room at the end of:\n{}", broken.join("\n"));
}

/// The cells of the rows of a document's tables, without headings and rules.
fn cells(text: &str) -> Vec<Vec<&str>> {
    let lines: Vec<&str> = prose(text).into_iter().map(|(_, line)| line).collect();
    let rule = |line: Option<&&str>| line.is_some_and(|line| line.starts_with("|--"));
    let rows =
        lines.iter().enumerate().filter(|(at, line)| line.starts_with("| ") && !rule(lines.get(at + 1)));
    rows.map(|(_, line)| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

#[test]
fn results_are_one_screen_and_every_row_names_its_command() {
    let text = read("docs/RESULTS.md");
    assert!(text.lines().count() <= 70, "{} lines", text.lines().count());
    let given = |letter: &str| {
        let mark = format!("# {letter}");
        text.lines().any(|line| {
            line.starts_with("hrm-host eval ")
                && line.split_once(&mark).is_some_and(|(_, rest)| !rest.starts_with(char::is_alphanumeric))
        })
    };
    let rows = cells(&text);
    assert!(rows.len() > 10, "{}", rows.len());
    for row in rows {
        let command = row[if row.len() == 6 { 5 } else { 1 }];
        assert!(
            given(command) || command.starts_with("`hrm-host ") || command.starts_with("`cargo "),
            "{row:?}"
        );
    }
    assert_eq!([given("A"), given("Z")], [true, false]);
}

#[test]
fn probe_rs_is_installed_in_the_version_that_reaches_every_board() {
    let mut told = 0;
    for document in documents() {
        for line in read(&document).lines().filter(|line| line.contains("cargo install probe-rs")) {
            assert!(line.contains(INSTALL_PROBE_RS), "{document}: {line}");
            told += 1;
        }
    }
    assert!(told >= 2, "only {told} times");
}

#[test]
fn who_begins_with_a_page_on_boards_learns_where_the_program_is_before_it_is_called() {
    for document in ["README.md", "docs/FIRST_BOARD.md", "docs/PORTING.md"] {
        let text = read(document);
        let path = text.lines().position(|line| line.trim().starts_with("export PATH=$PWD/target/release:"));
        let called = text.lines().position(|line| line.trim().starts_with("hrm-host "));
        assert!(path.is_some() && path < called, "{document}: {path:?}, {called:?}");
    }
}

#[test]
fn who_has_one_board_need_not_name_its_port() {
    let mut explained = 0;
    for document in ["README.md", "docs/FIRST_BOARD.md", "docs/PORTING.md", "hrm-firmware/boards/README.md"] {
        let text = read(document);
        let prose: Vec<usize> = prose(&text).into_iter().map(|(number, _)| number).collect();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| line.contains("--port")) {
            let command = !prose.contains(&(index + 1)) && line.trim().starts_with("hrm-host ");
            assert!(!command || !line.contains("--port /dev/"), "{document}, line {}: {line}", index + 1);
        }
        explained += usize::from(text.contains("found by itself") && text.contains("--port"));
    }
    assert!(explained >= 3, "when a port must be named is told {explained} times");
}

#[test]
fn every_way_to_flash_without_a_probe_ends_with_a_look_at_the_board() {
    let text = read("hrm-firmware/boards/README.md");
    let part = text.split("\n## ").find(|part| part.starts_with("Without a probe")).unwrap();
    let lists: Vec<&str> = part.split("\n1. ").skip(1).collect();
    assert_eq!(lists.len(), 2);
    for list in lists {
        let last = list.split("\n\n").take_while(|block| !block.starts_with(char::is_uppercase)).last();
        let last = last.unwrap().lines().rev().find(|line| line.starts_with(|c: char| c.is_ascii_digit()));
        assert!(last.is_some_and(|step| step.contains("`hrm-host device info`")), "{last:?}\n{list}");
    }
}

#[test]
fn the_first_steps_try_what_the_watchdog_is_for() {
    let steps = read("docs/FIRST_BOARD.md");
    let tried = steps.split("\n## ").find(|step| step.contains("HRM_FIRMWARE_FEATURES=_unfed ")).unwrap();
    assert!(tried.contains("last end   a reset: its watchdog"), "{tried}");
    assert!(read("hrm-firmware/Cargo.toml").lines().any(|line| line == "_unfed = []"));
}

/// The paragraphs of a document: neighbouring lines of prose, an item of a list each by itself.
fn paragraphs(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (number, line) in prose(text) {
        let start = line.trim_start();
        let numbered = start.split_once(". ").is_some_and(|(n, _)| n.chars().all(|c| c.is_ascii_digit()));
        let item = start.starts_with("* ") || start.starts_with("- ") || numbered;
        if start.is_empty() || start.starts_with(['|', '#']) {
            open = false;
            continue;
        }
        match found.last_mut() {
            Some((_, paragraph)) if open && !item => {
                paragraph.push(' ');
                paragraph.push_str(start);
            }
            _ => found.push((number, start.to_owned())),
        }
        open = true;
    }
    found
}

/// Sentences, which end at `.`, `:`, `;`, `?` or `!` before a space; markup in front of that
/// space counts to the sentence.
fn sentences(paragraph: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for word in paragraph.split_whitespace() {
        let sentence = found.last_mut().unwrap();
        sentence.push_str(word);
        sentence.push(' ');
        if word.trim_end_matches(['*', ')', '"', '`', ']']).ends_with(['.', ':', ';', '?', '!']) {
            found.push(String::new());
        }
    }
    found
}

#[test]
fn sentences_of_the_front_door_are_read_once() {
    let mut long = Vec::new();
    for document in FRONT_DOOR {
        for (number, paragraph) in paragraphs(&read(document)) {
            for sentence in sentences(&paragraph) {
                let words = sentence.split_whitespace().count();
                if words > WORDS {
                    long.push(format!("{document}, from line {number}: {words} words: {sentence}"));
                }
            }
        }
    }
    assert!(long.is_empty(), "more than {WORDS} words:\n{}", long.join("\n"));
}

#[test]
fn the_checks_notice_what_they_are_for() {
    assert_eq!(normal("docs/notebook/../a/./b.md"), "docs/a/b.md");
    assert!(anchors("docs/PERFORMANCE.md").contains("1-what-is-measured-and-how"));
    assert_eq!(prose("a\n```sh\nb\n```\nc"), [(1, "a"), (5, "c")]);
    assert_eq!(without_code("see `[a](b)` and [c](d)"), "see ` and [c](d)");
    let long = "x".repeat(70);
    let texts = [
        (format!("{long}\nshort"), 1),
        (format!("* {long}\n  `a b`, c"), 1),
        (format!("{long}\n`one two three four`"), 0),
        (format!("{long}\n`one two {long}\nthree`"), 0),
        (format!("{long}\n* item"), 0),
        (format!("{long}.\nAnother sentence"), 0),
        (format!("{long}\n```sh\nshort\n```\nshort"), 0),
    ];
    for (text, early) in texts {
        assert_eq!(broken_early(&text).len(), early, "{text}");
    }
    let found = paragraphs("one\ntwo. Three\n\n* four\n* five\n  six\n| seven |");
    let texts: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["one two. Three", "* four", "* five six"]);
    assert_eq!(sentences("One two. Three (four.) five"), ["One two. ", "Three (four.) ", "five "]);
}

/// The crates whose files ARCHITECTURE.md names one by one, each under a heading of its own.
const MAPPED: [&str; 3] = ["hrm-core", "hrm-host", "hrm-firmware"];

#[test]
fn the_maps_name_every_file() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut missing = Vec::new();
    for name in MAPPED {
        let heading = format!("## {name}, in reading order");
        let section = map.split_once(&heading).expect("a heading").1.split("\n## ").next().unwrap();
        for entry in fs::read_dir(root().join(name).join("src")).unwrap().flatten() {
            let (file, folder) = (entry.file_name().into_string().unwrap(), entry.path().is_dir());
            let told = if folder { format!("`{file}/`") } else { format!("`{file}`") };
            // `bin` and the roots of crates have no idea of their own, and a folder may have one with its file.
            let root = ["bin", "lib.rs", "main.rs"].contains(&file.as_str());
            if !root && !section.contains(&told) {
                missing.push(format!("{name}/src/{file}"));
            }
        }
    }
    assert!(missing.is_empty(), "ARCHITECTURE.md does not say what these are: {missing:?}");
}
