//! The program's training commands as a user meets them: what they say, and what they leave behind.

use std::fs;
use std::process::Stdio;

use crate::common::{CONFIG, PACK, command, generated, hrm, ok, said};
use hrm_host::train::load_parameters;

#[test]
fn a_run_and_its_curves() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    fs::write(folder.join("tiny.toml"), CONFIG).unwrap();
    for (run, more) in [("a", "train.lr=1e-3"), ("b", "train.latent_noise=0.1")] {
        // Where there is no GPU, `auto` is the CPU and says why.
        let args = ["train", "--config", "tiny.toml", "--out", run, "--set", more, "--device", "auto"];
        let (code, _, said) = hrm(folder, &args);
        assert!(code == 0 && said.contains("computing on the"), "{said}");
    }
    let (out, said) = ok(folder, &["curves", "a", "b/metrics.jsonl", "--out", "both.svg"]);
    assert!(out.contains("a:  loss") && out.contains("b:  loss") && said.contains("both.csv"), "{out}{said}");
    let svg = fs::read_to_string(folder.join("both.svg")).unwrap();
    assert!(svg.contains("a: 12 steps, 48 sample-segments") && svg.contains("b: 12 steps"), "{svg}");
    // Per run: three lines of metrics, and two evaluations at four shares of hints.
    let csv = fs::read_to_string(folder.join("both.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + 2 * (3 + 2 * 4), "{csv}");

    // Runs of one name are told apart.
    let (code, out, _) = hrm(folder, &["curves", "a", "a", "--out", "twice.svg"]);
    assert!(code == 0 && out.contains("a (1):") && out.contains("a (2):"), "{out}");
}

#[test]
fn a_damaged_newest_checkpoint_is_passed_over_and_named_by_every_command() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    fs::write(folder.join("tiny.toml"), CONFIG).unwrap();
    fs::write(folder.join("rows.csv"), "question,answer\n1.....2..3.....4,1243342143122134\n").unwrap();
    ok(folder, &["train", "--config", "tiny.toml", "--out", "run", "--max-steps", "6"]);
    ok(folder, &["train", "--resume", "--out", "run"]);
    let newest = folder.join("run/step-00000012.safetensors");
    let whole = fs::read(&newest).unwrap();
    for args in [
        &["export", "run", "--out", "x.hrm", "--rows", "0"][..],
        &["eval", "run", "--data", "rows.csv", "--rows", "1", "--hints", "0"],
        &["inspect", "run"],
        &["train", "--resume", "--out", "run", "--max-steps", "1"],
    ] {
        fs::write(&newest, &whole[..whole.len() / 2]).unwrap();
        let (code, _, said) = hrm(folder, args);
        assert!(code == 0 && said.contains("step-00000012"), "{args:?}: {said}");
    }
    // One that the disk does not give may be intact: nothing older is taken in its place.
    let unreadable = folder.join("run/step-00000099.safetensors");
    fs::create_dir(&unreadable).unwrap();
    for args in [
        &["export", "run", "--out", "y.hrm", "--rows", "0"][..],
        &["eval", "run", "--data", "rows.csv", "--rows", "1", "--hints", "0"],
        &["train", "--resume", "--out", "run", "--max-steps", "1"],
    ] {
        let (code, _, said) = hrm(folder, args);
        assert!(
            code == 1 && said.contains("step-00000099") && said.contains("move that file away"),
            "{args:?}: {said}"
        );
        assert!(!folder.join("y.hrm").exists());
    }
    fs::remove_dir(&unreadable).unwrap();
    // Where too few are left, that is said.
    fs::write(&newest, &whole[..whole.len() / 2]).unwrap();
    let (code, _, said) = hrm(folder, &["export", "run", "--members", "9", "--out", "y.hrm", "--rows", "0"]);
    assert!(code == 1 && said.contains("intact checkpoints there, 9 wanted"), "{said}");
}

#[test]
fn a_run_starts_from_a_pack_or_a_run() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    fs::write(folder.join("tiny.toml"), CONFIG).unwrap();
    let train = |out: &str, more: &[&str]| hrm(folder, &[&["train", "--out", out], more].concat());
    let (code, _, said) = train("first", &["--config", "tiny.toml"]);
    assert!(code == 0, "{said}");
    ok(folder, &["export", "first", "--out", "first.hrm"]);

    // At a rate of almost nothing the weights stay where they began.
    let still = ["--set", "train.lr=1e-9", "--set", "train.warmup_steps=0", "--max-steps", "1"];
    let head = |run: &str, step: u32, averaged| {
        let path = folder.join(run).join(format!("step-{step:08}.safetensors"));
        let (_, params) = load_parameters(&path, averaged).unwrap();
        params.get("lm_head").unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap()
    };
    let source = head("first", 12, true);
    let largest = source.iter().fold(0.0f32, |max, w| w.abs().max(max));
    for (from, off) in [("first", 1e-6), ("first.hrm", largest / 200.0)] {
        let out = format!("from-{from}");
        let (code, _, said) = train(&out, &[&["--from", from][..], &still].concat());
        assert!(code == 0 && said.contains("from step 0"), "{said}");
        let config = fs::read_to_string(folder.join(&out).join("config.toml")).unwrap();
        assert!(config.contains(&format!("from = \"{from}\"")), "{config}");
        assert!(
            config.contains("\nsteps = 0\n"),
            "the end of the first run is not that of the next: {config}"
        );
        let copy = head(&out, 1, false);
        assert!(source.iter().zip(&copy).all(|(a, b)| (a - b).abs() <= off), "{from}: {source:?} {copy:?}");
    }

    // Positions may be added, and the model of either start has them.
    for from in ["first", "first.hrm"] {
        let out = format!("positions-{from}");
        let more = ["--from", from, "--set", "model.positions=learned+relation"];
        let (code, _, said) = train(&out, &[&more[..], &still].concat());
        assert!(code == 0, "{said}");
        let path = folder.join(&out).join("step-00000001.safetensors");
        let (_, params) = load_parameters(&path, false).unwrap();
        assert_eq!(params.get("embed.positions").unwrap().dims(), [17, 16]);
        let copy = head(&out, 1, false);
        assert!(source.iter().zip(&copy).all(|(a, b)| (a - b).abs() <= largest / 200.0), "{from}");
    }

    fs::write(folder.join("wide.toml"), CONFIG.replace("width = 16", "width = 32")).unwrap();
    fs::write(folder.join("noise"), b"no model").unwrap();
    for (from, why) in [
        ("first.hrm", "width is 16, not 32"),
        ("first", "a model of another shape"),
        ("noise", "noise is a text file"),
        ("nowhere", "cannot read nowhere"),
    ] {
        let (code, _, said) = train("never", &["--config", "wide.toml", "--from", from]);
        assert!(code == 1 && said.contains(why) && !folder.join("never").exists(), "{from}: {said}");
    }
}

#[test]
fn packs_and_cards_name_files_without_their_folders() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    fs::write(folder.join("tiny.toml"), CONFIG).unwrap();
    fs::create_dir(folder.join("private")).unwrap();
    for (seed, name) in [("1", "private/rows.csv"), ("2", "private/others.csv")] {
        let made = ["data", "generate", "--task", "sudoku4", "--count", "40", "--seed", seed, "--out", name];
        ok(folder, &made);
    }
    let rows = folder.join("private/rows.csv").to_str().unwrap().to_owned();
    let others = format!("data.validation_from={}", folder.join("private/others.csv").to_str().unwrap());
    let train = ["train", "--config", "tiny.toml", "--out", "private/run", "--data", &rows, "--set", &others];
    ok(folder, &train);
    ok(folder, &["export", "private/run", "--out", "given.hrm", "--licence", "CC0"]);
    let card = fs::read_to_string(folder.join("given.md")).unwrap();
    assert!(card.contains("train = \"rows.csv\"") && card.contains("drawn from others.csv"), "{card}");
    assert!(!card.contains("private") && !card.contains("split off"), "{card}");
    assert!(card.contains("| licence | CC0 |") && card.contains("Intended use: "), "{card}");
    let pack = String::from_utf8_lossy(&fs::read(folder.join("given.hrm")).unwrap()).into_owned();
    assert!(pack.contains("rows.csv") && !pack.contains("private"));

    // Whoever has the pack trains it on with a file of their own, and no other is opened, whatever
    // lies here under the name.
    fs::write(folder.join("rows.csv"), "somebody else's").unwrap();
    let from = ["train", "--from", "given.hrm", "--out", "next", "--max-steps", "1"];
    let (code, _, said) = hrm(folder, &from);
    assert!(code == 1 && said.contains("rows.csv") && said.contains("name the file with --data"), "{said}");
    let (code, _, said) = hrm(folder, &[&from[..], &["--data", &rows]].concat());
    assert!(code == 1 && said.contains("others.csv") && said.contains("data.validation_from=FILE"), "{said}");
    ok(folder, &[&from[..], &["--data", &rows, "--set", &others]].concat());
}

#[test]
fn a_model_is_asked_the_papers_questions() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    fs::write(folder.join("tiny.toml"), CONFIG).unwrap();
    ok(folder, &["train", "--config", "tiny.toml", "--out", "run"]);
    fs::copy(PACK, folder.join("demo.hrm")).unwrap();
    let made = ["data", "generate", "--task", "sudoku4", "--count", "30", "--out", "rows.csv"];
    ok(folder, &made);

    for (model, about) in [("run", "float"), ("demo.hrm", "lanes")] {
        let out = format!("pictures-of-{model}");
        let ask = ["analyze", model, "--data", "rows.csv", "--rows", "20", "--out", &out];
        let (code, text, said) = hrm(folder, &ask);
        assert!(code == 0 && text.contains(about) && text.contains("all but a cell"), "{text}{said}");
        let (json, _) = ok(folder, &[&ask[..], &["--json"]].concat());
        let report: serde_json::Value = serde_json::from_str(&json).unwrap();
        let counts = report["modes"].as_array().unwrap().iter().map(|mode| mode["rows"].as_u64().unwrap());
        assert_eq!(counts.sum::<u64>(), 20, "every puzzle ends in one mode");
        let kept = report["keeping"].as_array().unwrap();
        assert_eq!((kept.len(), &kept[0][0]), (6, &serde_json::json!("all but a cell")));
        if model == "demo.hrm" {
            assert_eq!(kept[0][1]["solved"], 20, "a trained model fills the last cell");
        }
        let read = |name: &str| fs::read_to_string(folder.join(&out).join(name)).unwrap();
        let segments = report["segments"].as_u64().unwrap() as usize;
        assert_eq!(read("paths.csv").lines().count(), 1 + 20 * segments);
        assert!(read("paths.svg").contains("wrong cells") && read("landscapes.svg").contains("component 1"));
        assert!(read("landscapes.csv").lines().count() > 41 * 41);
    }
    for (more, expected, why) in [
        (&["--segments", "1"][..], 2, "at least 2"),
        (&["--rest", "0"], 2, "above 0"),
        (&["--rest", "NaN"], 2, "above 0"),
        (&["--rows", "0"], 2, "from 1 to"),
        (&["--out", "rows.csv"], 1, "rows.csv"),
    ] {
        let (code, _, said) = hrm(folder, &[&["analyze", "run", "--data", "rows.csv"], more].concat());
        assert!(code == expected && said.contains(why), "{more:?}: {said}");
    }
}

#[test]
fn what_cannot_be_drawn_says_why() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["x.svg", "X.SVG"] {
        let (code, _, said) = hrm(dir.path(), &["curves", "nowhere", "--out", name]);
        assert!(
            code == 1 && said.contains("cannot read nowhere") && said.contains("metrics.jsonl"),
            "{said}"
        );
    }
    let (code, _, said) = hrm(dir.path(), &["curves", "nowhere", "--out", "x.png"]);
    assert!(code == 2 && said.contains("must end in .svg"), "{said}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[cfg(not(feature = "cuda"))]
#[test]
fn a_gpu_that_this_build_cannot_use_is_refused_before_anything_begins() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("tiny.toml"), CONFIG).unwrap();
    let args = ["train", "--config", "tiny.toml", "--out", "run", "--device", "cuda"];
    let (code, _, said) = hrm(dir.path(), &args);
    assert!(
        code == 1 && said.contains("built without CUDA") && said.contains("tools/build-cuda.sh"),
        "{said}"
    );
    assert!(!dir.path().join("run").exists());
}

#[test]
fn a_run_whose_rows_came_by_a_pipe_goes_on_by_the_same_pipe() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    generated(folder, "rows.csv", "40", "3");
    fs::write(folder.join("tiny.toml"), CONFIG).unwrap();
    let piped = |args: &[&str]| {
        let rows = fs::File::open(folder.join("rows.csv")).unwrap();
        said(command(folder, args).stdin(rows).output().unwrap())
    };
    let (code, _, err) =
        piped(&["train", "--config", "tiny.toml", "--data", "-", "--max-steps", "2", "--out", "run"]);
    assert_eq!(code, 0, "{err}");
    for args in
        [&["train", "--resume", "--out", "run", "--data", "-"][..], &["train", "--resume", "--out", "run"]]
    {
        let (code, _, err) = piped(&[args, &["--max-steps", "2"]].concat());
        assert!(code == 0 && err.contains("from step"), "{args:?}: {err}");
    }
    let (code, _, err) =
        said(command(folder, &["train", "--resume", "--out", "run"]).stdin(Stdio::null()).output().unwrap());
    assert!(code == 1 && err.contains("standard input"), "{err}");
}
