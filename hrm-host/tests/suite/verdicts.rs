//! What the program says of models and grids: never that something is proved which is not, nor that something
//! is wrong which is right; and the exit codes that tell a script so.

use std::fs;

use crate::common::{CONFIG, PACK, hrm, ok, refused};
use hrm_host::train::checkpoint::RunDir;
use serde_json::{Value, json};

/// The puzzle has two solutions; each row has one of them for its answer.
const TWO: &str = "question,answer\n.....1..1.43.31.,2431312412434312\n.....1..1.43.31.,3421213412434312\n";

/// A folder with two runs of one configuration and different seeds, `a` and `b`, a pack
/// of the first, and puzzles.
fn runs() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    fs::write(folder.join("tiny.toml"), CONFIG).unwrap();
    ok(
        folder,
        &["data", "generate", "--task", "sudoku4", "--count", "30", "--seed", "5", "--out", "rows.csv"],
    );
    for (run, seed) in [("a", "train.seed=1"), ("b", "train.seed=2")] {
        ok(folder, &["train", "--config", "tiny.toml", "--out", run, "--set", seed]);
    }
    ok(folder, &["export", "a", "--out", "a.hrm"]);
    dir
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_pack_is_verified_against_its_own_checkpoint_alone() {
    let dir = runs();
    let folder = dir.path();
    let verify = |more: &[&str]| {
        hrm(folder, &[&["verify", "a.hrm", "--data", "rows.csv", "--hints", "0"], more].concat())
    };
    let (code, out, said) = verify(&["--checkpoint", "a"]);
    assert_eq!(code, 0, "{out}{said}");
    for told in [
        "steps, samples, seed and configuration are the checkpoint's",
        "100.000 % of ",
        "(at least 99.9 %)",
        "cosine of z_H 0.9",
        "(at least 0.95)",
        "equal cells (at least 90 %)",
        "verified: a.hrm was made of ",
    ] {
        assert!(out.contains(told), "{told}: {out}");
    }
    // A pass of another length is no other model.
    ok(folder, &["export", "a", "--out", "long.hrm", "--segments", "9"]);
    assert!(fs::read_to_string(folder.join("long.md")).unwrap().contains("| 1 x 1, 9 |"));
    ok(folder, &["verify", "long.hrm", "--checkpoint", "a", "--data", "rows.csv", "--hints", "0"]);
    // So brief a run solves nothing, and 0 against 0 proves nothing.
    assert!(out.contains("silent") && out.contains("which says nothing"), "{out}");

    let (code, out, said) = verify(&["--checkpoint", "b"]);
    assert_eq!(code, 1, "{out}{said}");
    for told in ["seed: 1 in the pack, 2 in the checkpoint", "FAILED  weights", "NOT verified: "] {
        assert!(out.contains(told), "{told}: {out}");
    }
    assert!(!out.contains("verified: a.hrm"), "{out}");
    let (code, out, _) = verify(&["--checkpoint", "b", "--json"]);
    let report = parsed(&out);
    assert_eq!((code, &report["verified"]), (1, &json!(false)));
    let checks = report["checks"].as_array().unwrap();
    let named = |name: &str| checks.iter().find(|check| check["name"] == name).unwrap();
    assert_eq!((&named("weights")["holds"], &named("weights")["limit"]), (&json!(false), &json!(99.9)));
    assert_eq!(named("first segment, all puzzles")["holds"], false, "{out}");
    assert_eq!(report["limits"]["least_cosine"], 0.95);

    // Every limit can be set.
    for (limit, value) in [("--least-cosine", "1"), ("--least-cells", "100"), ("--least-weights", "100")] {
        let (code, out, _) = verify(&["--checkpoint", "a", limit, value]);
        assert!(out.contains(&format!("at least {value}")), "{limit}: {out}");
        assert!(code == 1 || limit != "--least-cosine", "integers are not the float model: {out}");
    }
}

#[test]
fn nearly_tied_cells_are_no_evidence_and_a_really_different_pack_still_fails() {
    let dir = runs();
    let folder = dir.path();
    // Hardly trained, and asked few puzzles: rounding decides what many cells say.
    for seed in ["1", "2", "3", "4", "5", "6", "7", "8"] {
        let verify = |checkpoint: &str, more: &[&str]| {
            let asked =
                ["verify", "a.hrm", "--data", "rows.csv", "--rows", "1", "--hints", "0", "--seed", seed];
            hrm(folder, &[&asked, &["--checkpoint", checkpoint][..], more].concat())
        };
        let (code, out, said) = verify("a", &[]);
        assert_eq!(code, 0, "seed {seed}: {out}{said}");
        // By its cells alone.
        let (code, out, _) = verify("b", &["--least-cosine", "0", "--least-weights", "0"]);
        let cells = out.lines().find(|line| line.contains("equal cells")).unwrap_or_else(|| panic!("{out}"));
        assert!(code == 1 && cells.starts_with("FAILED"), "seed {seed}: {out}");
    }
}

#[test]
fn a_checkpoint_that_went_on_and_other_weights_are_named() {
    let dir = runs();
    let folder = dir.path();
    let verify = |more: &[&str]| {
        hrm(folder, &[&["verify", "a.hrm", "--checkpoint", "a", "--data", "rows.csv"], more].concat())
    };
    let (code, out, _) = verify(&["--raw"]);
    assert!(code == 1 && out.contains("they are its averaged ones: leave --raw out"), "{out}");
    ok(folder, &["train", "--resume", "--out", "a", "--finish-in", "5"]);
    let (code, out, _) = verify(&[]);
    assert!(code == 1 && out.contains("steps: 12 in the pack, 17 in the checkpoint"), "{out}");
    assert!(out.contains("train.steps: 12 in the pack, 17"), "{out}");
    assert!(out.contains("step-00000012.safetensors: name that file"), "{out}");
    let step = ["verify", "a.hrm", "--checkpoint", "a/step-00000012.safetensors", "--data", "rows.csv"];
    ok(folder, &step);
}

#[test]
fn swapped_arguments_are_named() {
    let dir = runs();
    let folder = dir.path();
    for (first, second, told) in [
        ("a", "a.hrm", "the wrong way round: hrm-host verify a.hrm --checkpoint a"),
        ("a", "b", "a is a folder, and the pack comes first"),
        ("a.hrm", "a.hrm", "--checkpoint a.hrm is a pack"),
    ] {
        let (code, _, said) = hrm(folder, &["verify", first, "--checkpoint", second, "--data", "rows.csv"]);
        assert!(code == 1 && said.contains(told), "{first} {second}: {said}");
    }
}

#[test]
fn a_valid_grid_of_a_puzzle_with_several_solutions_is_never_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    fs::write(folder.join("two.csv"), TWO).unwrap();
    let eval = ["eval", PACK, "--data", "two.csv", "--rows", "2", "--hints", "0", "--vote"];
    let (out, _) = ok(folder, &eval);
    assert!(out.contains("has several solutions: .....1..1.43.31."), "{out}");
    let report = parsed(&ok(folder, &[&eval[..], &["--json"]].concat()).0);
    let level = &report["levels"][0];
    let verdict = &level["verdict"];
    assert_eq!(
        [&verdict["solved"], &verdict["several_solutions"], &verdict["wrongly_solved"]],
        [1, 1, 0],
        "{level}"
    );
    let named = level["puzzles_with_several_solutions"].as_array().unwrap();
    assert_eq!(named.len(), 1);
    assert_eq!(named[0]["question"], ".....1..1.43.31.");

    // One pass, and the paths of an analysis.
    let report = parsed(&ok(folder, &[&eval[..8], &["--json"]].concat()).0);
    assert_eq!(report["levels"][0]["exact"], 1.0, "{report}");
    let report = parsed(&ok(folder, &["analyze", PACK, "--data", "two.csv", "--rows", "2", "--json"]).0);
    let wrong = report["modes"].as_array().unwrap().iter().filter(|mode| mode["rows"] != 0);
    assert!(wrong.clone().all(|mode| mode["mode"].as_str().unwrap().starts_with("solved")), "{report}");
}

#[test]
fn every_end_has_its_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    let solve = |more: &[&str]| hrm(folder, &[&["solve", PACK], more].concat()).0;
    assert_eq!(solve(&["1.....2..3.....4"]), 0);
    assert_eq!(hrm(folder, &["solve", "no-such.hrm", "1.....2..3.....4"]).0, 1, "an error");
    assert_eq!(solve(&["1.....2..3.....4", "--gueses", "3"]), 2, "a command line that is not understood");
    assert_eq!(solve(&["11.............."]), 3, "no puzzle");
    assert_eq!(solve(&["123....4........", "--guesses", "2"]), 4, "unproven");
    assert_eq!(solve(&["123....4........", "11..............", "--guesses", "2"]), 3);
    let (help, _) = ok(folder, &["--help"]);
    for row in ["  0  done", "  1  an error", "  2  the command", "  3  solve", "  4  solve", "130  inter"] {
        assert!(help.contains(row), "{row}: {help}");
    }
}

#[test]
fn a_card_calls_validation_what_no_member_was_trained_on() {
    let dir = runs();
    let folder = dir.path();
    let train = [
        "train",
        "--config",
        "tiny.toml",
        "--data",
        "rows.csv",
        "--set",
        "data.validation=5",
        "--out",
        "own",
    ];
    ok(folder, &train);
    let card = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    ok(folder, &["export", "own", "--out", "own.hrm"]);
    assert!(card("own.md").contains("rows.csv: 25 rows for training, 5 held out"), "{}", card("own.md"));
    fs::copy(folder.join("rows.csv"), folder.join("copy.csv")).unwrap();
    ok(folder, &["export", "own", "--out", "same.hrm", "--data", "copy.csv"]);

    // Other rows, and the run's own in another order.
    let other =
        ["data", "generate", "--task", "sudoku4", "--count", "30", "--seed", "6", "--out", "other.csv"];
    ok(folder, &other);
    let text = card("rows.csv");
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1..].reverse();
    fs::write(folder.join("turned.csv"), lines.join("\n") + "\n").unwrap();
    for data in ["other.csv", "turned.csv"] {
        let export = ["export", "own", "--out", "o.hrm", "--data", data];
        refused(folder, &export, "are not the rows that own");
        ok(folder, &[&export[..], &["--other-data", "--force"]].concat());
        let card = card("o.md");
        assert!(
            card.contains(&format!("{data}: 25 rows to calibrate on, not those that were trained on")),
            "{card}"
        );
        assert!(!card.contains("held out") && !card.contains("Validation rows ("), "{card}");
    }

    // Members of several runs: of the same rows alone, and the card names every seed.
    let newest = |run: &str| {
        let found = RunDir::open(&folder.join(run)).checkpoints().pop().unwrap();
        found.to_str().unwrap().to_owned()
    };
    let (a, b, own) = (newest("a"), newest("b"), newest("own"));
    refused(folder, &["export", &a, &own, "--out", "mixed.hrm"], "was trained on other rows than");
    ok(folder, &["export", &a, &b, "--out", "both.hrm"]);
    assert!(card("both.md").contains("members of runs with seeds 1, 2"), "{}", card("both.md"));
    let first =
        ["verify", "both.hrm", "--checkpoint", "a", "--member", "0", "--data", "rows.csv", "--hints", "0"];
    let (out, _) = ok(folder, &first);
    assert!(out.contains("silent  made of: a pack tells how its last member was made"), "{out}");
}
