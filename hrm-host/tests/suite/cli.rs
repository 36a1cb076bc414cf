//! The program as a user meets it: what it prints, its exit codes, and what it says to bad input.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::common::root;

fn pack() -> PathBuf {
    root().join("models/sudoku4-demo.hrm")
}

fn hrm(args: &[&str]) -> (i32, String, String) {
    crate::common::hrm(root(), args)
}

fn solve(args: &[&str]) -> (i32, String, String) {
    hrm(&[&["solve", pack().to_str().unwrap()], args].concat())
}

/// Puts `bytes` into a file and gives its path.
fn file(folder: &TempDir, name: &str, bytes: &[u8]) -> String {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_puzzle_is_solved_and_stdout_is_clean() {
    let (code, out, _) = solve(&["1.....2..3.....4", "--json"]);
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, answer["status"].as_str()), (0, Some("solved")), "{out}");
    assert_eq!(answer["grid"], "1243342143122134");

    let (code, out, err) = solve(&["1.....2..3.....4", "--watch"]);
    assert_eq!(code, 0);
    assert!(err.contains("guess 1 of at most 4096, segment  1 of 8") && err.contains("accepted"), "{err}");
    assert!(
        out.starts_with("solved after 1 guess, ") && out.trim_end().ends_with("1243342143122134"),
        "{out}"
    );
}

/// No answer exists, so that both budgets are spent: one in the middle of a guess, one
/// where the guess ends anyway.
#[test]
fn a_budget_is_seen_to_be_spent_and_why_the_search_ended() {
    let watched = |budget: &str| {
        let (code, out, err) = solve(&["123....4........", "--budget", budget, "--watch"]);
        assert_eq!(code, 4, "{out}{err}");
        let last = err.lines().rfind(|line| line.contains(" of --budget ")).unwrap().to_owned();
        (last, out)
    };
    let (last, out) = watched("1");
    assert!(last.contains("segment  1 of 8, 1 of --budget 1, q_halt"), "{last}");
    assert!(last.ends_with(", cut off: the budget is spent"), "{last}");
    assert!(
        out.starts_with("unproven after 1 guess, 1 segment; the best grid that a guess ended on has "),
        "{out}"
    );
    let (last, _) = watched("8");
    assert!(last.contains(" 8 of --budget 8, ") && last.ends_with("out of segments"), "{last}");
    // an easy puzzle is solved before
    let (code, out, err) = solve(&["1.....2..3.....4", "--budget", "8", "--watch"]);
    assert!(code == 0 && out.starts_with("solved after 1 guess, "), "{out}");
    assert!(err.contains(" of --budget 8, ") && !err.contains("cut off"), "{err}");
}

#[test]
fn files_and_standard_input_hold_one_puzzle_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "p.txt", b"# two puzzles\n1.....2..3.....4\n\n1234341221434321\n");
    let (code, out, err) = solve(&["--file", &path]);
    assert_eq!((code, out.lines().count()), (0, 2), "{out}{err}");
    assert!(out.contains("solved already") && err.contains("2 of 2 solved"), "{out}{err}");
    let path = file(&folder, "bad.txt", b"1.....x..3.....4\n1.....2..3.....4\n");
    let (code, out, err) = solve(&["--file", &path]);
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].contains("line 1") && lines[0].contains("character 7 is 'x'"), "{out}");
    assert!(
        lines[1].contains("solved after"),
        "one bad row does not keep the others from being solved: {out}"
    );
    assert!(code == 3 && err.contains("1 of 2 solved"), "{code} {err}");
}

#[test]
fn what_cannot_be_solved_is_never_called_solved() {
    // Row 1 needs a 4 in its last cell, which column 4 has already.
    let (code, out, _) = solve(&["123....4........", "--guesses", "2"]);
    assert!(code == 4 && out.starts_with("unproven after 2 guesses"), "{out}");
    assert!(out.contains("an exact search says: this puzzle has no solution"), "{out}");

    let (code, out, _) = solve(&["11.............."]);
    assert_eq!(code, 3);
    assert!(out.contains("row 1 column 1 and row 1 column 2 contradict each other"), "{out}");
}

#[test]
fn damaged_packs_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let good = fs::read(pack()).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    for (name, bytes, reason) in [
        ("empty.hrm", &[][..], "not a pack but empty"),
        ("short.hrm", &good[..1000], "truncated"),
        ("flipped.hrm", &flipped, "damaged: checksum"),
        ("other.hrm", &b"PK\x03\x04 and thirty more bytes to look at"[..], "not a pack"),
    ] {
        let path = file(&folder, name, bytes);
        for command in ["inspect", "solve"] {
            let (code, _, err) =
                hrm(&[command, &path, "1..............."][..if command == "solve" { 3 } else { 2 }]);
            assert!(code == 1 && err.contains(name) && err.contains(reason), "{command}: {err}");
        }
    }
    let (code, _, err) = hrm(&["inspect", "no-such.hrm"]);
    assert!(code == 1 && err.contains("no-such.hrm"), "{err}");
    assert_eq!(err.matches("os error").count(), 1, "a cause is told once: {err}");
}

#[test]
fn bad_configurations_and_data_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run").to_str().unwrap().to_owned();
    let demo = "configs/sudoku4-demo.toml";
    let train = |more: &[&str]| hrm(&[&["train", "--out", &out], more].concat());
    let (_, _, err) = train(&["--config", "missing.toml"]);
    assert!(err.contains("missing.toml") && err.contains("--config"), "{err}");
    let (_, _, err) = train(&["--config", demo, "--set", "train.lrr=1"]);
    assert!(err.contains("`train.lrr`") && err.contains("did you mean `train.lr`"), "{err}");
    let (_, _, err) = train(&["--config", demo, "--set", "train.lr=fast"]);
    assert!(err.contains("`train.lr` wants a number"), "{err}");
    let (_, _, err) = train(&["--config", demo, "--data", "missing.csv"]);
    assert!(err.contains("missing.csv"), "{err}");
    let header = "source,question,answer,rating\n";
    let (puzzle, answer) = ("1.....2..3.....4", "1243342143122134");
    for (row, reason) in [
        (format!("a,{},{answer},0", &puzzle[1..]), "16 characters expected and 15 found"),
        (format!("a,{},{answer},0", puzzle.replace('3', "x")), "'x'"),
        (format!("a,{},{answer},0", puzzle.replacen('.', "1", 1)), "contradict"),
        (format!("a,{puzzle},{},0", answer.replacen('1', "2", 1)), "column"),
    ] {
        let path = file(&folder, "rows.csv", format!("{header}{row}\n").as_bytes());
        let (code, _, err) = train(&["--config", demo, "--data", &path]);
        assert!(
            code == 1 && err.contains("rows.csv") && err.contains("line 2") && err.contains(reason),
            "{err}"
        );
    }
    assert!(!folder.path().join("run").exists(), "nothing is left behind");

    let two = format!("{header}a,1...............,{answer},0\n");
    let path = file(&folder, "two.csv", two.as_bytes());
    let copy = folder.path().join("copy.csv");
    let (code, _, err) = hrm(&["data", "import", &path, "--check-unique", "--out", copy.to_str().unwrap()]);
    assert!(code == 1 && err.contains("line 2") && !copy.exists(), "{err}");
}

#[test]
fn options_out_of_range_say_what_to_give() {
    let folder = tempfile::tempdir().unwrap();
    let rows =
        file(&folder, "rows.csv", b"source,question,answer,rating\na,1.....2..3.....4,1243342143122134,0\n");
    let pack = pack();
    let pack = pack.to_str().unwrap();
    let train = ["train", "--config", "configs/sudoku4-demo.toml", "--out", "never"];
    let set = |more: &[&'static str]| [&train[..], more].concat();
    // 2 where the command line alone shows it, 1 where a file does.
    for (args, expected, reason) in [
        (vec!["eval", pack, "--data", &rows, "--hints", "101"], 2, "0 to 100"),
        (vec!["eval", pack, "--data", &rows, "--rows", "0"], 2, "give a whole number from 1 to"),
        (vec!["eval", pack, "--data", &rows, "--threads", "0"], 2, "from 1 to 512"),
        (
            vec!["eval", pack, "--data", &rows, "--columns", "question=a,question=b"],
            2,
            "question= is there twice",
        ),
        (vec!["verify", pack, "--data", &rows, "--board", "nucleo"], 2, "mps2-an386"),
        (vec!["solve", pack, "1...", "--guesses", "0"], 2, "give a whole number from 1 to"),
        (
            vec!["data", "generate", "--task", "sudoku4", "--count", "0", "--out", "never"],
            2,
            "give a whole number from 1 to",
        ),
        (
            vec!["data", "split", &rows, "--validation", "0", "--out-train", "a", "--out-validation", "b"],
            2,
            "from 1 to",
        ),
        (set(&["--set", "train.lr=2"]), 2, "`train.lr` is 2"),
        (set(&["--set", "train.epochs=2"]), 2, "here it is `train.steps`"),
        (set(&["--data", "a.csv", "--set", "data.train=b.csv"]), 2, "`data.train` is set twice"),
        (set(&["--max-minutes", "0"]), 2, "above 0"),
        (vec!["eval", pack, "--data", &rows, "--member", "3"], 1, "the pack has members 0 to 0"),
        (
            vec!["eval", "configs/sudoku4-demo.toml", "--data", &rows],
            1,
            "sudoku4-demo.toml is a configuration",
        ),
    ] {
        let (code, _, err) = hrm(&args);
        assert!(code == expected && err.contains(reason), "{args:?}: {code} {err}");
    }
    for option in ["--vote --member 0", "--guesses 32", "--suppose 0", "--stop-on-halt"] {
        let eval = ["eval", pack, "--data", &rows];
        let (code, _, err) = hrm(&eval.into_iter().chain(option.split(' ')).collect::<Vec<_>>());
        assert!(code == 2 && err.contains("--vote"), "{option}: {err}");
    }
    let (code, out, _) =
        hrm(&["eval", pack, "--data", &rows, "--rows", "5", "--hints", "0", "--vote", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &report["levels"][0]["verdict"]["solved"]), (0, &serde_json::json!(1)));
}
