//! The program's training commands as a user meets them: what they say, and what they leave behind.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Runs the program in `folder`; whether it succeeded, standard output, standard error.
fn hrm(folder: &Path, args: &[&str]) -> (bool, String, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_hrm-host")).args(args).current_dir(folder).output().unwrap();
    let Output { status, stdout, stderr } = output;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.success(), text(stdout), text(stderr))
}

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
        let (fine, _, said) = hrm(folder, &args);
        assert!(fine && said.contains("computing on the"), "{said}");
    }
    let (fine, out, said) = hrm(folder, &["curves", "a", "b/metrics.jsonl", "--out", "both.svg"]);
    assert!(fine, "{said}");
    assert!(out.contains("a:  loss") && out.contains("b:  loss") && out.contains("both.csv"), "{out}");
    let svg = fs::read_to_string(folder.join("both.svg")).unwrap();
    assert!(svg.contains("a: 12 steps, 48 sample-segments") && svg.contains("b: 12 steps"), "{svg}");
    // Per run: three lines of metrics, and two evaluations at four shares of hints.
    let csv = fs::read_to_string(folder.join("both.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + 2 * (3 + 2 * 4), "{csv}");

    // Runs of one name are told apart.
    let (fine, out, _) = hrm(folder, &["curves", "a", "a", "--out", "twice.svg"]);
    assert!(fine && out.contains("a (1):") && out.contains("a (2):"), "{out}");
}

#[test]
fn what_cannot_be_drawn_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let (fine, _, said) = hrm(dir.path(), &["curves", "nowhere", "--out", "x.svg"]);
    assert!(!fine && said.contains("cannot read nowhere") && said.contains("metrics.jsonl"), "{said}");
    let (fine, _, said) = hrm(dir.path(), &["curves", "nowhere", "--out", "x.png"]);
    assert!(!fine && said.contains("must end in .svg"), "{said}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[cfg(not(feature = "cuda"))]
#[test]
fn a_gpu_that_this_build_cannot_use_is_refused_before_anything_begins() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("tiny.toml"), CONFIG).unwrap();
    let args = ["train", "--config", "tiny.toml", "--out", "run", "--device", "cuda"];
    let (fine, _, said) = hrm(dir.path(), &args);
    assert!(!fine && said.contains("built without CUDA") && said.contains("tools/build-cuda.sh"), "{said}");
    assert!(!dir.path().join("run").exists());
}
