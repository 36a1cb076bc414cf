//! The program's training commands as a user meets them: what they say, and what they leave behind.

use std::fs;

mod common;

use common::hrm;
use hrm_host::train::load_parameters;

const CONFIG: &str = r#"
    [model]
    task = "sudoku4"
    width = 16
    heads = 2
    inner = 16
    h_layers = 1
    l_layers = 1
    h_cycles = 1
    l_cycles = 1
    shared_levels = true
    positions = "relation"
    continue_head = false
    segments = 4

    [data]
    generate = 20
    validation = 8

    [train]
    batch = 4
    steps = 12
    log_steps = 4
    eval_steps = 6
    eval_rows = 8
"#;

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
    let (code, out, said) = hrm(folder, &["curves", "a", "b/metrics.jsonl", "--out", "both.svg"]);
    assert!(code == 0, "{said}");
    assert!(out.contains("a:  loss") && out.contains("b:  loss") && out.contains("both.csv"), "{out}");
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
fn a_run_starts_from_a_pack_or_a_run() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    fs::write(folder.join("tiny.toml"), CONFIG).unwrap();
    let train = |out: &str, more: &[&str]| hrm(folder, &[&["train", "--out", out], more].concat());
    let (code, _, said) = train("first", &["--config", "tiny.toml"]);
    assert!(code == 0, "{said}");
    let (code, _, said) = hrm(folder, &["export", "first", "--out", "first.hrm"]);
    assert!(code == 0, "{said}");

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

    fs::write(folder.join("wide.toml"), CONFIG.replace("width = 16", "width = 32")).unwrap();
    fs::write(folder.join("noise"), b"no model").unwrap();
    for (from, why) in [
        ("first.hrm", "width is 16, not 32"),
        ("first", "holds a model of another shape"),
        ("noise", "noise is damaged"),
        ("nowhere", "cannot open nowhere"),
    ] {
        let (code, _, said) = train("never", &["--config", "wide.toml", "--from", from]);
        assert!(code == 1 && said.contains(why) && !folder.join("never").exists(), "{from}: {said}");
    }
}

#[test]
fn what_cannot_be_drawn_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let (code, _, said) = hrm(dir.path(), &["curves", "nowhere", "--out", "x.svg"]);
    assert!(code == 1 && said.contains("cannot read nowhere") && said.contains("metrics.jsonl"), "{said}");
    let (code, _, said) = hrm(dir.path(), &["curves", "nowhere", "--out", "x.png"]);
    assert!(code == 1 && said.contains("must end in .svg"), "{said}");
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
