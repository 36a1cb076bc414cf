//! What is judged of a pack and the checkpoint it was made of, and by which limits.

use std::path::Path;

use anyhow::Result;
use hrm_core::Pack;
use hrm_host::quant::compare::Agreement;
use hrm_host::quant::origin::{differences, same_weights};
use hrm_host::train::checkpoint::{RunDir, TrainedModel, load_model};
use serde::Serialize;

/// What must hold.
#[derive(Clone, Copy, Debug, Serialize, clap::Args)]
pub(super) struct Limits {
    /// Points of exact accuracy by which the integer model may fall behind after the last segment
    #[arg(long, value_name = "POINTS", default_value_t = 0.5, value_parser = points)]
    tolerance: f64,
    /// Least mean cosine of the two models' z_H: of all puzzles after the first segment, and after the last
    /// of those that both solve
    #[arg(long, value_name = "COSINE", default_value_t = 0.95, value_parser = cosine)]
    least_cosine: f64,
    /// Least per cent of equal cells: of all puzzles after the first segment, and in every segment
    /// of those that both solve
    #[arg(long, value_name = "PERCENT", default_value_t = 90.0, value_parser = points)]
    least_cells: f64,
    /// Least per cent of the pack's int8 weights that the checkpoint's become again
    #[arg(long, value_name = "PERCENT", default_value_t = 99.9, value_parser = points)]
    least_weights: f64,
}

/// Per cent, or points of them.
fn points(text: &str) -> Result<f64, String> {
    within(text, 0.0, 100.0)
}

/// A cosine that says something: below 0, two states would have nothing in common.
fn cosine(text: &str) -> Result<f64, String> {
    within(text, 0.0, 1.0)
}

fn within(text: &str, least: f64, most: f64) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("give a number from {least} to {most}"))
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Check {
    name: &'static str,
    /// Per cent of hints, where puzzles were asked.
    hints: Option<u8>,
    value: Option<f64>,
    limit: Option<f64>,
    /// Whether it holds; nothing where it could not be judged.
    holds: Option<bool>,
    told: String,
}

impl Check {
    /// As a line of text.
    pub(super) fn line(&self) -> String {
        let word = match self.holds {
            Some(true) => "ok",
            Some(false) => "FAILED",
            None => "silent",
        };
        let hints = self.hints.map_or(String::new(), |hints| format!("{hints} % hints, "));
        format!("{word:<8}{hints}{}: {}", self.name, self.told)
    }

    /// Whether it was judged and does not hold.
    pub(super) fn fails(&self) -> bool {
        self.holds == Some(false)
    }

    /// Whether there was nothing to judge.
    pub(super) fn is_silent(&self) -> bool {
        self.holds.is_none()
    }

    pub(super) fn is_accuracy(&self) -> bool {
        self.name == ACCURACY
    }
}

const ACCURACY: &str = "accuracy";

/// Whether member `member` of `pack` was made of the checkpoint at `path`, by what the pack
/// says and by its weights.
pub(super) fn of_origin(
    (pack, member): (&Pack<'_>, usize),
    (path, raw): (&Path, bool),
    trained: &TrainedModel,
    limits: &Limits,
) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    let header = pack.header()?;
    let made = |holds, told| Check { name: "made of", hints: None, value: None, limit: None, holds, told };
    // A pack tells how its last member came to be.
    if member + 1 == usize::from(pack.shape().members) {
        let found = differences(&header.provenance, trained);
        if found.is_empty() {
            checks
                .push(made(Some(true), "steps, samples, seed and configuration are the checkpoint's".into()));
        }
        checks.extend(found.into_iter().map(|difference| made(Some(false), difference)));
        checks.extend(other_step(path, header.provenance.steps, trained.step).map(|told| made(None, told)));
    } else {
        let told = format!(
            "a pack tells how its last member was made, and this is member {member}; its weights decide"
        );
        checks.push(made(None, told));
    }
    let config = &trained.config.model;
    let found = same_weights(pack, member, config, &trained.params)?;
    let (percent, least) = (100.0 * found.share(), limits.least_weights);
    let holds = percent >= least;
    let mut told =
        format!("{percent:.3} % of {} int8 weights are the checkpoint's (at least {least} %)", found.of);
    if !holds {
        // The other kind of weights may be what the pack was made of.
        let other = load_model(path, raw)?;
        if 100.0 * same_weights(pack, member, config, &other.params)?.share() >= least {
            let (own, option) = if raw { ("averaged", "leave --raw out") } else { ("raw", "give --raw") };
            told += &format!("; they are its {own} ones: {option}");
        }
    }
    let (value, limit) = (Some(percent), Some(least));
    checks.push(Check { name: "weights", hints: None, value, limit, holds: Some(holds), told });
    Ok(checks)
}

/// The checkpoint of the same run that has as many steps as the pack, where the one at `path` has others.
fn other_step(path: &Path, wanted: u64, found: u64) -> Option<String> {
    let run = path.parent().filter(|_| wanted != found)?;
    let name = format!("step-{wanted:08}.safetensors");
    let there = RunDir::open(run).checkpoints().into_iter().find(|path| path.ends_with(&name))?;
    Some(format!("perhaps of {}: name that file", there.display()))
}

/// Whether the two models go one way through puzzles with `hints` per cent of hints.
pub(super) fn of_trajectories(hints: u8, table: &[Agreement], limits: &Limits) -> Vec<Check> {
    let (Some(first), Some(last)) = (table.first(), table.last()) else { return Vec::new() };
    let at_least = |name, value: f64, limit: f64, told: String| Check {
        name,
        hints: Some(hints),
        value: Some(value),
        limit: Some(limit),
        holds: Some(value >= limit),
        told,
    };
    let (cosine, cells) = (limits.least_cosine, limits.least_cells);
    let silent = |name, told| Check { name, hints: Some(hints), value: None, limit: None, holds: None, told };
    let trajectories = |name, found: f64, same: f64, tied: f64| {
        let besides = match tied {
            0.0 => String::new(),
            tied => format!("; {:.1} % of all are nearly tied and not counted", 100.0 * tied),
        };
        let equal = match tied < 1.0 {
            true => {
                at_least(name, same, cells, format!("{same:.2} % equal cells (at least {cells} %){besides}"))
            }
            false => silent(name, "all cells are nearly tied, so that equal ones say nothing".into()),
        };
        [at_least(name, found, cosine, format!("cosine of z_H {found:.5} (at least {cosine})")), equal]
    };
    let (same, tied) = (100.0 * first.same_untied, first.tied_cells);
    let mut checks = Vec::from(trajectories("first segment, all puzzles", first.cosine_mean, same, tied));
    if last.both_solve > 0 {
        let same = table.iter().map(|a| a.both_cells).sum::<f64>() / table.len() as f64;
        checks.extend(trajectories("puzzles that both solve", last.both_cosine, 100.0 * same, 0.0));
    } else {
        let told = "there is none, so later segments are not judged".into();
        checks.push(silent("puzzles that both solve", told));
    }
    let (float, int, rows) = (last.float_exact, last.int_exact, last.rows);
    if float == 0 && int == 0 {
        let told = format!(
            "neither model solves one of {rows} puzzles, which says nothing; more --hints make them easier"
        );
        checks.push(silent(ACCURACY, told));
    } else {
        let behind = 100.0 * (float as f64 - int as f64) / rows.max(1) as f64;
        checks.push(Check {
            name: ACCURACY,
            hints: Some(hints),
            value: Some(behind),
            limit: Some(limits.tolerance),
            holds: Some(behind <= limits.tolerance),
            told: format!(
                "float solves {float} of {rows}, int8 {int}: {behind:.1} points behind (at most {})",
                limits.tolerance
            ),
        });
    }
    checks
}
