//! The program's training commands as a user meets them: what they say, and what they leave behind.

use std::fs;

mod common;

use common::hrm;

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
