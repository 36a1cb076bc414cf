//! A report on models: one file that tells what `eval` and `analyze` tell, the same every time.

use std::fs::{self, File};
use std::path::Path;

use hrm_core::pack::Provenance;
use hrm_host::config::RunConfig;
use hrm_host::files::crc32;
use hrm_host::quant::{AlignedPack, with_provenance};

use crate::browser::Browser;
use crate::common::{PACK, command, generated, hrm, ok, said, trained};
use crate::plain::plain;

/// A folder with a pack, a run and puzzles.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::copy(PACK, dir.path().join("mine.hrm")).unwrap();
    generated(dir.path(), "rows.csv", "12", "5");
    trained(dir.path(), "run", &[]);
    dir
}

fn told(folder: &Path, command: &[&str]) -> serde_json::Value {
    let (out, _) = ok(folder, command);
    serde_json::from_str(&out).unwrap()
}

/// The report that `command` writes into `r.html`.
fn report(folder: &Path, command: &[&str]) -> String {
    let (code, _, err) =
        hrm(folder, &[&["report"], command, &["--threads", "1", "--out", "r.html"]].concat());
    assert_eq!(code, 0, "{err}");
    fs::read_to_string(folder.join("r.html")).unwrap()
}

/// What a shell makes of the commands that a report says repeat it, one after the other.
fn repeated(folder: &Path, html: &str) -> Vec<(String, String)> {
    let program = Path::new(env!("CARGO_BIN_EXE_hrm-host"));
    let html = plain(html);
    let commands = html.split("<pre><code>").skip(1).filter_map(|rest| rest.split("</code>").next());
    let run = |line: &str| {
        let mut shell = std::process::Command::new("sh");
        let path =
            std::env::join_paths([program.parent().unwrap(), Path::new("/bin"), Path::new("/usr/bin")]);
        let (code, out, err) =
            said(shell.args(["-c", line]).current_dir(folder).env("PATH", path.unwrap()).output().unwrap());
        assert_eq!(code, 0, "{line}: {err}");
        (line.to_owned(), out)
    };
    commands.map(run).collect()
}

#[test]
fn a_report_says_what_the_other_commands_say_and_is_the_same_every_time() {
    let dir = folder();
    let at = dir.path();
    let deep = at.join("deep/rows.csv");
    fs::create_dir(at.join("deep")).unwrap();
    fs::copy(at.join("rows.csv"), &deep).unwrap();
    let data = deep.to_str().unwrap();
    let write =
        ["report", "mine.hrm", "run", "--data", data, "--rows", "10", "--threads", "1", "--out", "r.html"];
    let mut written = Vec::new();
    for _ in 0..2 {
        let (code, out, err) = hrm(at, &write);
        assert!(code == 0 && out.is_empty() && err.contains("wrote r.html"), "{err}");
        written.push(fs::read_to_string(at.join("r.html")).unwrap());
    }
    assert_eq!(written[0], written[1]);
    let html = &plain(&written[0]);
    assert!(!html.contains(at.to_str().unwrap()), "no folder of this machine");
    assert!(html.contains("hrm-host report mine.hrm run --data rows.csv --rows 10"));
    let crc = crc32(&deep).unwrap();
    assert!(html.contains(&format!("(12 puzzles, CRC-32 of the file {crc:08x})")), "which puzzles");

    let asked = |model: &str, more: &[&str]| {
        told(
            at,
            &[
                &["eval", model, "--data", data, "--rows", "10", "--hints", "0", "--json", "--threads", "1"],
                more,
            ]
            .concat(),
        )
    };
    for model in ["mine.hrm", "run"] {
        let exact = 100.0 * asked(model, &[])["levels"][0]["exact"].as_f64().unwrap();
        assert!(html.contains(&format!("<td>{model}</td><td>{exact:.1} (")), "{model}: {exact}");
    }
    let verdict = &asked("mine.hrm", &["--vote"])["levels"][0]["verdict"];
    let segments = verdict["mean_segments"].as_f64().unwrap();
    assert!(html.contains(&format!("<td>{segments:.1}</td>")), "{segments}");
    let checkpoint = at.join("run/step-00000012.safetensors");
    let config = RunConfig::load(&at.join("run/config.toml"), &[]).unwrap();
    for fact in [
        "step-00000012.safetensors".to_owned(),
        format!("CRC-32 {:08x}", crc32(&checkpoint).unwrap()),
        config.hash(),
        "float, averaged weights".to_owned(),
        "12 steps, ".to_owned(),
        "20 puzzles generated".to_owned(),
    ] {
        assert!(html.contains(&fact), "which checkpoint: {fact}");
    }
    assert!(html.contains("Puzzle by puzzle") && html.contains("Export first"));
    for question in
        ["keep what it has found", "step by step", "come to rest", "halting head", "work is an answer"]
    {
        assert!(html.contains(question), "{question}");
    }
}

#[test]
fn tables_behind_pictures_name_their_model_in_every_line() {
    let dir = folder();
    let at = dir.path();
    for (model, more, name) in
        [("./mine.hrm", &["--member", "0"][..], "\"mine.hrm, member 0\""), ("run", &[], "run")]
    {
        ok(
            at,
            &[&["analyze", model, "--data", "rows.csv", "--rows", "2", "--out", "pictures"], more].concat(),
        );
        for table in ["pictures/paths.csv", "pictures/landscapes.csv"] {
            let text = fs::read_to_string(at.join(table)).unwrap();
            let (head, lines) = text.split_once('\n').unwrap();
            assert!(head.starts_with("model,") && lines.lines().count() > 3, "{table}: {head}");
            assert!(lines.lines().all(|line| line.starts_with(&format!("{name},"))), "{table}: {lines}");
        }
    }
}

#[test]
fn what_cannot_be_reported_is_refused_before_anything_is_asked() {
    let dir = folder();
    let at = dir.path();
    let other = PACK.replace("sudoku4-demo", "sudoku9-mcu");
    let (code, _, said) = hrm(at, &["report", "mine.hrm", &other, "--data", "rows.csv", "--out", "r.html"]);
    assert!(code == 2 && said.contains("sudoku4") && said.contains("sudoku9"), "{said}");
    let (code, _, said) = hrm(at, &["report", "mine.hrm", "--data", "rows.csv", "--out", "rows.csv"]);
    assert!(code == 1 && said.contains("rows.csv"), "{said}");
    fs::write(at.join("r.html"), "<p>mine</p>").unwrap();
    let (code, _, said) = hrm(at, &["report", "mine.hrm", "--data", "rows.csv", "--out", "r.html"]);
    assert!(code == 1 && said.contains("--force"), "{said}");
    let (code, _, said) =
        hrm(at, &["report", "mine.hrm", "none.hrm", "--data", "rows.csv", "--out", "new.html"]);
    assert!(code == 1 && said.contains("none.hrm") && !at.join("new.html").exists(), "{said}");
}

#[test]
fn the_headline_is_what_the_rule_gives_and_its_command_repeats_it() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    fs::copy(PACK, at.join("it's mine.hrm")).unwrap();
    fs::copy(PACK, at.join("-x.hrm")).unwrap();
    generated(at, "rows.csv", "12", "5");
    let all = &["it's mine.hrm", "./-x.hrm"][..];
    for (rule, told, models) in
        [("unchecked", "no checker is asked", all), ("majority", "put before the checker once", &all[..1])]
    {
        let asked = ["--data", "rows.csv", "--rule", rule, "--guesses", "3", "--policy-seed", "5"];
        let html = report(at, &[models, &asked].concat());
        assert!(html.contains(told) && !html.contains("until a checker accepts"), "{rule}");
        let commands = repeated(at, &html);
        assert_eq!(commands.len(), 1 + 3 * models.len());
        assert_eq!(
            fs::read_to_string(at.join("r.html")).unwrap(),
            html,
            "the first command writes the same file"
        );
        let is_vote = |line: &str| line.contains("mine.hrm") && line.contains("--vote");
        let (vote, out) = commands.iter().find(|(line, _)| is_vote(line)).unwrap();
        assert!(vote.contains(&format!("--rule {rule} --guesses 3 --policy-seed 5")), "{vote}");
        let told = told_of(out, rule);
        assert!(plain(&html).contains(&format!("</td><td>{told} (")), "{told}: {out}");
    }
}

/// The share of right answers that `eval --vote` prints.
fn told_of(out: &str, rule: &str) -> String {
    let row = out.lines().find(|line| line.trim_start().starts_with("0  ")).unwrap();
    if rule != "unchecked" {
        return row.split_whitespace().nth(1).unwrap().to_owned();
    }
    // "not checked: 12 of 12 puzzles got a grid by vote, 11 (64.6 to 98.5 %) of them the right one"
    let line = out.lines().find(|line| line.contains("got a grid by vote")).unwrap();
    let number = |before: &str| {
        let rest = line.split(before).nth(1).unwrap();
        rest.trim_start().split(' ').next().unwrap().parse::<f64>().unwrap()
    };
    let right = number("by vote,");
    assert!(right > 0.0, "{line}");
    format!("{:.1}", 100.0 * right / 12.0)
}

#[test]
fn models_are_told_apart_and_none_is_compared_with_itself() {
    let dir = folder();
    let at = dir.path();
    fs::create_dir(at.join("deep")).unwrap();
    fs::copy(PACK, at.join("deep/mine.hrm")).unwrap();
    let html = report(at, &["mine.hrm", "deep/mine.hrm", "--data", "rows.csv", "--rows", "20"]);
    assert!(html.contains("<h2>mine.hrm</h2>") && html.contains("<h2>mine.hrm (2)</h2>"));
    assert!(html.contains("20 were asked for"), "the file has 12");
    assert!(
        plain(&html).contains("<td>voted</td><td>12</td><td>0</td><td>0</td><td>0</td><td>–</td>"),
        "two equal models"
    );
    for twice in [["mine.hrm", "deep/../mine.hrm"], ["run", "run/step-00000012.safetensors"]] {
        let words = [&["report"], &twice[..], &["--data", "rows.csv", "--out", "r.html"]].concat();
        let (code, _, said) = hrm(at, &words);
        assert!(code == 2 && said.contains("name each model once"), "{said}");
    }
}

#[test]
fn a_pack_that_does_not_say_how_it_was_trained_and_a_stream_of_puzzles_are_reported_on() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    generated(at, "rows.csv", "6", "5");
    let pack = AlignedPack::read(Path::new(PACK)).unwrap();
    let known = pack.open().unwrap().header().unwrap().provenance;
    let bare = with_provenance(&pack, &Provenance { config: "", ..known }).unwrap();
    fs::write(at.join("bare.hrm"), bare.bytes()).unwrap();
    let words = ["report", "bare.hrm", "--data", "-", "--threads", "1", "--out", "r.html"];
    let rows = File::open(at.join("rows.csv")).unwrap();
    let (code, _, err) = said(command(at, &words).stdin(rows).output().unwrap());
    assert_eq!(code, 0, "{err}");
    let html = fs::read_to_string(at.join("r.html")).unwrap();
    assert!(html.contains("does not say how it was trained") && html.contains("How much work is an answer?"));
    assert!(!html.contains("-landscapes.csv") && !html.contains("--config"));
    let crc = crc32(&at.join("rows.csv")).unwrap();
    assert!(html.contains(&format!("standard input</code> (6 puzzles, CRC-32 of the file {crc:08x})")));
}

#[test]
#[ignore = "needs a browser: cargo xtask test"]
fn a_report_is_read_on_a_phone_at_a_desk_in_the_dark_and_on_paper() {
    let dir = folder();
    let at = dir.path();
    let long = "sudoku4-demo-by-a-name-as-long-as-those-of-runs-sometimes-are-2026-11-28.hrm";
    fs::rename(at.join("mine.hrm"), at.join(long)).unwrap();
    report(at, &[long, "run", "--data", "rows.csv", "--rows", "8"]);
    let mut browser = Browser::start(&at.join("profile"));
    let address = format!("file://{}", at.join("r.html").display());
    browser.show(&address);
    for size in [(390, 844), (1280, 900)] {
        for scheme in ["light", "dark"] {
            browser.look(size, scheme);
            assert_eq!(browser.unreadable(), [""; 0], "{size:?}, {scheme}");
            let width = browser.value("document.documentElement.scrollWidth");
            assert_eq!(width, size.0, "{scheme}: the page is wider than its window");
        }
    }
    browser.look((390, 844), "light");
    let scrolled = "[...document.querySelectorAll('.wide')]
        .filter((box) => box.scrollWidth > box.clientWidth).map((box) => box.getAttribute('aria-label'))";
    assert_eq!(browser.value(scrolled), serde_json::json!([]), "on a phone a table is cards");
    assert!(browser.value("document.querySelectorAll('.wide').length").as_u64() > Some(6));
    let titles =
        "[...document.querySelectorAll('.wide .label')].filter((title) => title.checkVisibility()).length";
    assert!(browser.value(titles).as_u64() > Some(20), "each number of a card has its title");
    browser.look((1280, 900), "light");
    assert_eq!(browser.value(titles), 0, "a table has them above its columns");
    // On paper nothing can be scrolled: all is as wide as the page, at most.
    browser.look((680, 900), "dark");
    browser.call("Emulation.setEmulatedMedia", serde_json::json!({ "media": "print" }));
    let cut = "[...document.querySelectorAll('body *')]
        .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5).map((element) => element.outerHTML.slice(0, 80))";
    assert_eq!(browser.value(cut), serde_json::json!([]));
    assert_eq!(browser.text("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)");
    let landmarks = "[document.documentElement.lang, ...['main', 'nav', 'h1', 'svg:not([role=img])', 'svg:not(:has(> title + desc))']
        .map((part) => document.querySelectorAll(part).length)].join(' ')";
    assert_eq!(browser.text(landmarks), "en 1 1 1 0 0");
    let broken = "[...document.querySelectorAll('a[href^=\"#\"]')]
        .filter((link) => !document.getElementById(link.hash.slice(1))).map((link) => link.hash)";
    assert_eq!(browser.value(broken), serde_json::json!([]), "links lead somewhere");
    assert_eq!(browser.complaints, [""; 0]);
    assert_eq!(browser.asked, [address]);
}
