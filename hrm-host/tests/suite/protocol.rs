//! `eval --protocol paper` on packs, runs and checkpoints.

use crate::common::{PACK, generated, hrm, ok, trained};
use serde_json::Value;

/// The report of `eval --protocol paper --json` with `more`.
fn report(folder: &std::path::Path, model: &str, more: &[&str]) -> Value {
    let eval = ["eval", model, "--data", "puzzles.csv", "--rows", "20", "--protocol", "paper", "--json"];
    let (out, _) = ok(folder, &[&eval[..], more].concat());
    serde_json::from_str(&out).unwrap()
}

fn solved(report: &Value, rule: &str) -> u64 {
    report["table"][rule]["solved"].as_u64().unwrap()
}

#[test]
fn a_pack_is_judged_by_all_rules_on_the_passes_of_its_members() {
    let dir = tempfile::tempdir().unwrap();
    generated(dir.path(), "puzzles.csv", "30", "3");
    let found = report(dir.path(), PACK, &[]);
    assert_eq!((found["perturbations"].as_u64(), found["complete"].as_bool()), (Some(4), Some(true)));
    let members = found["checkpoints"].as_u64().unwrap();
    assert_eq!(found["table"]["both"]["passes"].as_u64(), Some(4 * members));
    // One pass is what eval without a protocol counts.
    let eval = ["eval", PACK, "--data", "puzzles.csv", "--rows", "20", "--hints", "0", "--json"];
    let (out, _) = ok(dir.path(), &eval);
    let plain: Value = serde_json::from_str(&out).unwrap();
    let exact = plain["levels"][0]["exact"].as_f64().unwrap() * 20.0;
    assert_eq!(solved(&found, "one_pass"), exact.round() as u64);
    // What a majority solves, some pass has solved, and the checker sees it.
    assert!(solved(&found, "checked") >= solved(&found, "both"));
    assert!(solved(&found, "both") >= solved(&found, "perturbed"));
    assert!(solved(&found, "checked") >= 18, "{found}");
    assert_eq!(found["table"]["checked"]["wrong"].as_u64(), Some(0));

    let eval = ["eval", PACK, "--data", "puzzles.csv", "--rows", "20", "--protocol", "paper"];
    let (out, _) = ok(dir.path(), &eval);
    assert!(out.contains("by the label, as in the paper") && out.contains("wrong grids"), "{out}");
}

#[test]
fn a_run_takes_part_with_its_newest_checkpoints() {
    let dir = tempfile::tempdir().unwrap();
    generated(dir.path(), "puzzles.csv", "30", "3");
    trained(dir.path(), "run", &["--max-steps", "3"]);
    for _ in 0..2 {
        let resumed = ["train", "--resume", "--max-steps", "3", "--threads", "1", "--out", "run"];
        ok(dir.path(), &resumed);
    }
    for (more, checkpoints) in [(&[][..], 3), (&["--checkpoints", "2"], 2), (&["--checkpoints", "1"], 1)] {
        let found = report(dir.path(), "run", more);
        assert_eq!(found["checkpoints"].as_u64(), Some(checkpoints), "{more:?}");
    }
    // A checkpoint file is one, and of a run's newest it is the same pass.
    let newest = report(dir.path(), "run/step-00000009.safetensors", &[]);
    assert_eq!(newest["checkpoints"].as_u64(), Some(1));
    assert_eq!(newest["table"], report(dir.path(), "run", &["--checkpoints", "1"])["table"]);
}

#[test]
fn options_of_other_evaluations_are_refused_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    for more in [&["--vote"][..], &["--hints", "0"]] {
        let eval = ["eval", "run", "--data", "puzzles.csv", "--protocol", "paper"];
        let (code, _, err) = hrm(dir.path(), &[&eval[..], more].concat());
        assert!(code == 2 && err.contains("cannot be used with"), "{err}");
    }
    let (code, _, err) = hrm(dir.path(), &["eval", "run", "--data", "puzzles.csv", "--checkpoints", "3"]);
    assert!(code == 2 && err.contains("--protocol"), "{err}");
}
