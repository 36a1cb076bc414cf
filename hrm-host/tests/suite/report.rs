//! A report on models: one file that tells what `eval` and `analyze` tell, the same every time.

use std::fs;
use std::path::Path;

use crate::common::{PACK, generated, hrm, trained};

/// A folder with a pack, a run and puzzles.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::copy(PACK, dir.path().join("mine.hrm")).unwrap();
    generated(dir.path(), "rows.csv", "12", "5");
    trained(dir.path(), "run", &[]);
    dir
}

fn told(folder: &Path, command: &[&str]) -> serde_json::Value {
    let (code, out, err) = hrm(folder, command);
    assert_eq!(code, 0, "{err}");
    serde_json::from_str(&out).unwrap()
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
    let html = &written[0];
    assert!(!html.contains(at.to_str().unwrap()), "no folder of this machine");
    assert!(html.contains("hrm-host report mine.hrm run --data rows.csv --rows 10"));

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
    for question in
        ["keep what it has found", "step by step", "come to rest", "halting head", "work is an answer"]
    {
        assert!(html.contains(question), "{question}");
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
