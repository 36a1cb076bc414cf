//! Mazes: a model of one size at another, voting without a checker, and what is no maze.

use std::fs;
use std::path::Path;

use crate::common::{hrm, ok, refused, trained};

/// A run on mazes of 5x5, and files of mazes.
fn with_a_run(folder: &Path) {
    trained(folder, "run", &["--set", "model.task=maze5x5", "--set", "model.segments=3"]);
    for (size, name) in [("maze5x5", "five.csv"), ("maze4x7", "wide.csv")] {
        ok(folder, &["data", "generate", "--task", size, "--count", "12", "--out", name]);
    }
}

/// What a command prints that succeeds.
fn says(folder: &Path, args: &[&str]) -> String {
    ok(folder, args).0
}

#[test]
fn a_model_of_one_size_serves_another_without_training() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    with_a_run(folder);
    let export = ["export", "run", "--rows", "0"];
    says(folder, &[&export[..], &["--out", "own.hrm"]].concat());
    let told = says(folder, &[&export[..], &["--task", "maze4x7", "--out", "wide.hrm"]].concat());
    assert!(told.contains("16-bit lanes"), "{told}");
    let card = fs::read_to_string(folder.join("wide.md")).unwrap();
    assert!(card.contains("| task | maze4x7 |") && card.contains("| trained on | maze5x5;"), "{card}");

    // Of the run, of its pack, and of the pack for that size: one model.
    let measure = ["--data", "wide.csv", "--rows", "12", "--hints", "0", "--json"];
    let levels = |model: &[&str]| {
        let out = says(folder, &[&["eval"], model, &measure].concat());
        serde_json::from_str::<serde_json::Value>(&out).unwrap()["levels"].clone()
    };
    assert_eq!(levels(&["own.hrm", "--task", "maze4x7"]), levels(&["wide.hrm"]));
    levels(&["run", "--task", "maze4x7"]);
    says(folder, &["export", "own.hrm", "--task", "maze4x7", "--out", "again.hrm"]);
    let file = |name| fs::read(folder.join(name)).unwrap();
    assert_eq!(file("again.hrm"), file("wide.hrm"));
    says(folder, &["export", "wide.hrm", "--task", "maze5x5", "--out", "back.hrm"]);
    assert_eq!(levels(&["back.hrm", "--task", "maze4x7"]), levels(&["wide.hrm"]));

    // It was made of that run, which the proof sees, and weights can be trained on at any size.
    let verified = ["verify", "wide.hrm", "--checkpoint", "run", "--data", "wide.csv", "--rows", "12"];
    let told = says(folder, &verified);
    assert!(told.contains("verified: wide.hrm was made of run"), "{told}");
    trained(
        folder,
        "on",
        &["--set", "model.task=maze3x4", "--set", "model.segments=3", "--from", "wide.hrm"],
    );
    says(
        folder,
        &["analyze", "own.hrm", "--task", "maze4x7", "--data", "wide.csv", "--rows", "4", "--quiet"],
    );
    says(
        folder,
        &["eval", "run", "--task", "maze4x7", "--data", "wide.csv", "--rows", "4", "--protocol", "paper"],
    );
}

#[test]
fn weights_that_depend_on_the_size_serve_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    with_a_run(folder);
    trained(folder, "learned", &["--set", "model.task=maze5x5", "--set", "model.positions=learned+relation"]);
    trained(folder, "digits", &[]);
    for (model, task, reason) in [
        ("run", "sudoku4", "another kind of task"),
        ("digits", "sudoku9", "6 tokens"),
        ("learned", "maze6x6", "model.positions = \"relation\""),
    ] {
        refused(folder, &["export", model, "--task", task, "--rows", "0", "--out", "x.hrm"], reason);
        refused(folder, &["eval", model, "--task", task, "--data", "five.csv"], reason);
    }
    refused(folder, &["eval", "run", "--task", "maze4x7", "--data", "five.csv"], "maze");
    let (code, _, err) = hrm(folder, &["export", "run", "--task", "maze31x31", "--out", "x.hrm"]);
    assert!(code == 2 && err.contains("900 cells") && err.contains("maze31x31"), "{code} {err}");
    let pack = ["export", "run", "--rows", "0", "--out", "own.hrm"];
    says(folder, &pack);
    let (code, _, err) = hrm(folder, &["export", "own.hrm", "--out", "x.hrm"]);
    assert!(code == 1 && err.contains("--task"), "{err}");
}

#[test]
fn a_vote_without_a_checker_is_measured_beside_one_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    with_a_run(folder);
    says(folder, &["export", "run", "--rows", "0", "--out", "own.hrm"]);
    let vote = ["eval", "own.hrm", "--data", "five.csv", "--rows", "12", "--hints", "0", "--vote"];
    let levels = |more: &[&str]| {
        let out = says(folder, &[&vote[..], &["--json", "--guesses", "16"], more].concat());
        let report: serde_json::Value = serde_json::from_str(&out).unwrap();
        report["levels"][0]["verdict"].clone()
    };
    let (majority, off) = (levels(&["--rule", "majority"]), levels(&["--rule", "unchecked"]));
    assert_eq!((&off["solved"], &off["wrongly_solved"]), (&0.into(), &0.into()), "nothing is called solved");
    assert_eq!(majority["voted"], 0, "a checker judges what most voted for");
    assert!(off["voted"].as_u64().is_some());
    // The same guesses are made, so the same answers are right.
    assert_eq!(majority["solved"], off["voted_right"]);
}

#[test]
fn what_is_no_maze_is_told_in_its_own_signs() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    with_a_run(folder);
    says(folder, &["export", "run", "--rows", "0", "--out", "own.hrm"]);
    let five = |rows: [&str; 5]| rows.concat();
    for (maze, reason) in [
        (five(["S....", ".....", "..S..", ".....", "....G"]), "2 cells are `S`"),
        (five(["S....", ".....", ".....", ".....", "....."]), "0 cells are `G`"),
        (five(["S#...", "##...", ".....", ".....", "....G"]), "no way leads from `S` to `G`"),
    ] {
        let (code, out, err) = hrm(folder, &["solve", "own.hrm", &maze]);
        assert!(code == 3 && format!("{out}{err}").contains(reason), "{maze}: {code} {out}{err}");
        fs::write(folder.join("one.csv"), format!("question,answer\n{maze},{maze}\n")).unwrap();
        let import = ["data", "import", "one.csv", "--task", "maze5x5", "--out", "new.csv"];
        let (code, _, err) = hrm(folder, &import);
        assert!(code != 0 && err.contains(reason), "{maze}: {err}");
    }
    fs::write(folder.join("ragged.txt"), "S....\n.....\n...\n.....\n....G\n").unwrap();
    let import = ["data", "import", "ragged.txt", "--solve", "--task", "maze5x5", "--out", "new.csv"];
    let (code, _, err) = hrm(folder, &import);
    assert!(code != 0 && err.contains("3 cells where a row of the grid has 5"), "{err}");
    let large = format!("S{}G", ".".repeat(31 * 31 - 2));
    fs::write(folder.join("large.csv"), format!("question,answer\n{large},{large}\n")).unwrap();
    let import = ["data", "import", "large.csv", "--task", "maze30x30", "--out", "new.csv"];
    let (code, _, err) = hrm(folder, &import);
    assert!(code != 0 && err.contains("900 characters expected and 961 found"), "{err}");
    let (code, _, err) =
        hrm(folder, &["data", "generate", "--task", "maze31x31", "--count", "1", "--out", "x.csv"]);
    assert!(code == 2 && err.contains("900 cells"), "{code} {err}");
}

#[test]
fn mazes_of_any_shape_keep_it_through_every_command_without_naming_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    trained(folder, "run", &["--set", "model.task=maze5x5", "--set", "model.segments=3"]);
    for size in ["maze3x12", "maze7x5", "maze6x6", "maze1x9", "maze12x3"] {
        let made = ["data", "generate", "--task", size, "--count", "12", "--out", "made.csv", "--force"];
        says(folder, &made);
        let wrote = |args: &[&str]| {
            let (code, _, err) = hrm(folder, &[args, &["--force"]].concat());
            assert!(code == 0 && err.contains(&format!("{size} puzzle")), "{size}: {args:?}: {err}");
        };
        wrote(&["data", "import", "made.csv", "--out", "read.csv.gz"]);
        let parts = ["--out-train", "train.csv", "--out-validation", "held.csv", "--apart", "questions"];
        wrote(&[&["data", "split", "read.csv.gz", "--validation", "4"][..], &parts].concat());
        for name in ["made.csv", "read.csv.gz", "train.csv", "held.csv"] {
            let told = says(folder, &["data", "stats", name]);
            assert!(told.contains(&format!("{size}\n")), "{name}: {told}");
        }
        let text = fs::read_to_string(folder.join("train.csv")).unwrap();
        assert_eq!(text.starts_with("source,question,answer,rating\n"), size == "maze6x6", "{text}");
        says(folder, &["export", "run", "--rows", "0", "--task", size, "--out", "own.hrm", "--force"]);
        says(folder, &["eval", "own.hrm", "--data", "held.csv", "--hints", "0", "--rows", "2"]);
        let solve = ["--file", "held.csv", "--guesses", "1", "--json"];
        let (_, own, err) = hrm(folder, &[&["solve", "own.hrm"][..], &solve].concat());
        assert_eq!((own.lines().count(), own.contains("refused\"")), (4, false), "{own}{err}");
        // the model of another size, told which
        let (_, resized, _) = hrm(folder, &[&["solve", "own.hrm", "--task", size][..], &solve].concat());
        assert_eq!(own, resized);
    }
    let text = fs::read_to_string(folder.join("held.csv")).unwrap().replace("maze12x3", "");
    fs::write(folder.join("bare.csv"), text.replace(",task", "").replace(",\n", "\n")).unwrap();
    for args in [&["data", "stats", "bare.csv"][..], &["data", "split", "bare.csv", "--validation", "1"]] {
        let args = match args[1] {
            "split" => [args, &["--out-train", "a.csv", "--out-validation", "b.csv", "--force"]].concat(),
            _ => args.to_vec(),
        };
        refused(folder, &args, "maze12x3");
        says(folder, &[&args, &["--task", "maze12x3"][..]].concat());
    }
    says(folder, &["data", "export", "bare.csv", "--task", "maze12x3", "--format", "hrm", "--out", "set"]);
    refused(folder, &["data", "import", "set", "--out", "c.csv"], "--task");
    says(folder, &["data", "import", "set", "--task", "maze12x3", "--out", "c.csv"]);
    assert!(says(folder, &["data", "stats", "c.csv"]).contains("maze12x3"));
}

#[test]
fn a_pack_of_a_size_that_was_learned_beside_another_begins_a_run_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let sizes =
        ["--set", "model.task=maze5x5", "--set", "model.segments=3", "--set", "data.also=[\"maze4x7\"]"];
    trained(folder, "run", &sizes);
    ok(folder, &["export", "run", "--rows", "0", "--task", "maze4x7", "--out", "wide.hrm"]);
    ok(folder, &["train", "--from", "wide.hrm", "--out", "further", "--max-steps", "1", "--threads", "1"]);
    let config = fs::read_to_string(folder.join("further/config.toml")).unwrap();
    assert!(config.contains("task = \"maze4x7\"") && config.contains("also = []"), "{config}");
}
