//! `hrm-host verify RUN --golden FILE`: a float model beside answers that the original gave.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use hrm_host::model::Hrm;
use hrm_host::original::golden::{Golden, bound};
use hrm_host::train::checkpoint::load_model;

use super::exit::Exit;
use super::model::{is_pack, newest};
use super::values::{Misuse, above_0};

/// What two computations in f32 may differ by.
const WITHIN: f64 = 1e-3;

/// Which answers, and how far from them is still equal.
#[derive(Debug, clap::Args)]
pub(super) struct GoldenArgs {
    /// Answers of the original to compare with, in place of a pack and its checkpoint: safetensors with
    /// `inputs`, and `logits` and `q` of every segment
    #[arg(long, value_name = "FILE", conflicts_with_all = ["checkpoint", "board", "data", "member"])]
    pub(super) golden: Option<PathBuf>,
    /// With --golden: the greatest difference allowed, 1e-3 by default; two numbers are those of the first
    /// and the last segment, between which it grows
    #[arg(long, value_name = "D[,D]", value_delimiter = ',', requires = "golden", value_parser = above_0)]
    within: Vec<f64>,
}

/// Compares segment by segment and tells the differences.
pub(super) fn against_golden(
    args: &GoldenArgs,
    golden: &Path,
    model: &Path,
    (raw, json): (bool, bool),
) -> Result<Exit> {
    let (first, last) = match args.within[..] {
        [] => (WITHIN, WITHIN),
        [only] => (only, only),
        [first, last] if last >= first => (first, last),
        _ => bail!(Misuse("--within: give one number, or two of which the second is no smaller".into())),
    };
    ensure!(
        !is_pack(model)?,
        "{} is a pack, and int8 is further from the original than any tolerance for float: compare the run that it was made of, \
         then the pack with that run (--checkpoint)",
        model.display()
    );
    let path = newest(model)?;
    let trained = load_model(&path, !raw)?;
    let hrm = Hrm::new(&trained.config.model, &trained.params)?;
    let differences = Golden::read(golden)?.compare(&hrm)?;
    let allowed = |at: usize| bound(first, last, at, differences.len());
    let within = |at: usize| differences[at].most() <= allowed(at);
    let equal = (0..differences.len()).all(within);
    if json {
        let segments: Vec<_> = (0..differences.len())
            .map(|at| {
                let (logits, q) = (differences[at].logits, differences[at].q);
                serde_json::json!({ "segment": at + 1, "logits": logits, "q": q, "allowed": allowed(at) })
            })
            .collect();
        let report =
            serde_json::json!({ "checkpoint": path, "golden": golden, "segments": segments, "equal": equal });
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(if equal { Exit::Success } else { Exit::Error });
    }
    println!("{} against {}, greatest differences", path.display(), golden.display());
    println!("segment   of logits       of q    allowed");
    for (at, difference) in differences.iter().enumerate() {
        let mark = if within(at) { "" } else { "   DIFFERENT" };
        println!(
            "{:>7}   {:>9.1e}  {:>9.1e}  {:>9.1e}{mark}",
            at + 1,
            difference.logits,
            difference.q,
            allowed(at)
        );
    }
    let most = differences
        .iter()
        .map(|difference| difference.most())
        .fold(0.0, |a: f64, b| if b.is_nan() { b } else { a.max(b) });
    println!(
        "greatest difference: {most:.2e}; {}",
        if equal { "the original's answers" } else { "NOT the original's answers" }
    );
    Ok(if equal { Exit::Success } else { Exit::Error })
}
