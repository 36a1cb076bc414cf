//! The commands that are tried, and what each finds in its folder.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::Bench;
use crate::run::{root, shown};

/// A command that writes files.
pub(super) struct Case {
    pub(super) name: &'static str,
    /// Commands that make what it reads, and what it replaces.
    before: &'static [&'static [&'static str]],
    pub(super) command: &'static [&'static str],
    /// What goes on from what it has begun; itself by default.
    pub(super) resumed: Option<&'static [&'static str]>,
    pub(super) effect: Effect,
}

/// What a command does with what was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// All of its outputs take the place of earlier ones, or none does.
    Replaces,
    /// It refuses to write, whatever happens.
    Refuses,
    /// It adds lines to a file.
    Adds,
    /// It is a training run, in a folder of its own.
    Trains,
}

/// A model so small that it trains in a moment.
pub(super) const CONFIG: &str = "
    [model]
    task = \"sudoku4\"
    width = 16
    heads = 2
    inner = 16
    h_layers = 1
    l_layers = 1
    h_cycles = 1
    l_cycles = 1
    shared_levels = true
    positions = \"relation\"
    continue_head = false
    segments = 4

    [data]
    generate = 40
    validation = 8

    [train]
    batch = 4
    steps = 4
    log_steps = 4
    eval_steps = 2
    eval_rows = 4
    replay = 0.5
    latent_noise = 0.1
    checkpoint_minutes = 1e-9
    keep = 2
";
/// The file that it is written to.
pub(super) const CONFIG_FILE: &str = "tiny.toml";
/// The smallest released pack, as it is called where commands run.
const PACK: &str = "demo.hrm";

macro_rules! words {
    ($($word:literal)*) => { &[$($word),*] };
}

const PUZZLES: &[&str] =
    words!("data" "generate" "--task" "sudoku4" "--count" "30" "--seed" "1" "--out" "a.csv");
const OTHERS: &[&str] =
    words!("data" "generate" "--task" "sudoku4" "--count" "20" "--seed" "2" "--out" "b.csv");
/// Where runs are kept.
pub(super) const TRAINED: &str = "run";
pub(super) const TRAIN: &[&str] = words!("train" "--config" "tiny.toml" "--threads" "1" "--out" "run");
pub(super) const RESUME: &[&str] = words!("train" "--resume" "--threads" "1" "--out" "run");
const HALF: &[&str] = words!("train" "--config" "tiny.toml" "--threads" "1" "--out" "run" "--max-steps" "2");
const EXPORT: &[&str] = words!("export" "run" "--rows" "4" "--threads" "1" "--out" "x.hrm");

pub(super) const CASES: &[Case] = &[
    Case { name: "train", before: &[], command: TRAIN, resumed: Some(RESUME), effect: Effect::Trains },
    Case { name: "train-resume", before: &[HALF], command: RESUME, resumed: None, effect: Effect::Trains },
    Case {
        name: "export",
        before: &[HALF, EXPORT, RESUME],
        command: EXPORT,
        resumed: None,
        effect: Effect::Replaces,
    },
    Case {
        name: "export-foreign",
        before: &[
            TRAIN,
            words!("data" "generate" "--task" "sudoku4" "--count" "30" "--seed" "1" "--out" "x.hrm"),
        ],
        command: EXPORT,
        resumed: None,
        effect: Effect::Refuses,
    },
    Case {
        name: "data-generate",
        before: &[
            words!("data" "generate" "--task" "sudoku4" "--count" "30" "--seed" "1" "--out" "x.csv.gz"),
        ],
        command: words!("data" "generate" "--task" "sudoku4" "--count" "20" "--seed" "2" "--out" "x.csv.gz"),
        resumed: None,
        effect: Effect::Replaces,
    },
    Case {
        name: "data-import",
        before: &[PUZZLES, OTHERS, words!("data" "import" "a.csv" "--out" "x.csv")],
        command: words!("data" "import" "b.csv" "--out" "x.csv"),
        resumed: None,
        effect: Effect::Replaces,
    },
    Case {
        name: "data-split",
        before: &[
            PUZZLES,
            words!("data" "split" "a.csv" "--validation" "5" "--seed" "1" "--out-train" "t.csv.gz" "--out-validation" "v.csv"),
        ],
        command: words!("data" "split" "a.csv" "--validation" "5" "--seed" "2" "--out-train" "t.csv.gz" "--out-validation" "v.csv"),
        resumed: None,
        effect: Effect::Replaces,
    },
    Case { name: "eval-resume", before: &[PUZZLES], command: EVAL, resumed: None, effect: Effect::Adds },
    Case {
        name: "eval-resume-more",
        before: &[
            PUZZLES,
            words!("eval" "demo.hrm" "--data" "a.csv" "--vote" "--rows" "4" "--hints" "0" "--threads" "1" "--shard" "1/2" "--resume" "r.jsonl"),
        ],
        command: EVAL,
        resumed: None,
        effect: Effect::Adds,
    },
    Case {
        name: "device-uf2",
        before: &[TRAIN, EXPORT, words!("device" "uf2" "pico2" "x.hrm" "--out" "x.uf2")],
        command: words!("device" "uf2" "pico2" "demo.hrm" "--out" "x.uf2"),
        resumed: None,
        effect: Effect::Replaces,
    },
    Case {
        name: "curves",
        before: &[HALF, words!("curves" "run" "--out" "x.svg"), RESUME],
        command: words!("curves" "run" "--out" "x.svg"),
        resumed: None,
        effect: Effect::Replaces,
    },
    Case {
        name: "web",
        before: &[],
        command: words!("web" "demo.hrm" "--out" "page"),
        resumed: None,
        effect: Effect::Replaces,
    },
];

const EVAL: &[&str] = words!("eval" "demo.hrm" "--data" "a.csv" "--vote" "--rows" "4" "--hints" "0" "--threads" "1" "--resume" "r.jsonl");

impl Case {
    /// Makes what the command finds, in `folder`, which is empty.
    pub(super) fn prepare(&self, bench: &Bench, folder: &Path) -> Result<()> {
        std::fs::write(folder.join(CONFIG_FILE), CONFIG)?;
        std::fs::copy(root().join("models/sudoku4-demo.hrm"), folder.join(PACK))?;
        for before in self.before {
            let mut command = program(bench, before);
            let output = command.current_dir(folder).output().context("cannot run hrm-host")?;
            let said = String::from_utf8_lossy(&output.stderr);
            ensure!(output.status.success(), "`{}`: {}\n{said}", shown(&command), output.status);
        }
        Ok(())
    }
}

/// The program with `args`.
pub(super) fn program(bench: &Bench, args: &[&str]) -> Command {
    let mut command = Command::new(&bench.program);
    command.args(args).stdin(Stdio::null());
    command
}
