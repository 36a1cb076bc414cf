//! The figures of a report, each with the numbers behind it.

use super::numbers::number;
use super::{Findings, Precision, Report};
use crate::analyze::calibration::Bin;
use crate::analyze::halting::Decisions;
use crate::analyze::landscape::Landscape;
use crate::analyze::modes::{Mode, Share};
use crate::plot::lines::Lines;
use crate::plot::{DrawError, landscapes, paths};
use crate::quant::compare::Agreement;

/// One or several drawings and their numbers.
pub(super) struct Figure {
    pub(super) title: String,
    /// The name of its table.
    pub(super) name: String,
    pub(super) drawings: Vec<Drawing>,
    pub(super) csv: String,
}

/// A drawing, and what it shows in words, for who does not see it.
pub(super) struct Drawing {
    pub(super) svg: String,
    pub(super) told: String,
}

/// What a table of numbers becomes, which is written to memory and cannot fail but for want of it.
fn table(write: impl FnOnce(&mut Vec<u8>) -> csv::Result<()>) -> Result<String, DrawError> {
    let mut bytes = Vec::new();
    write(&mut bytes).map_err(DrawError::of)?;
    String::from_utf8(bytes).map_err(DrawError::of)
}

impl Figure {
    fn of_lines(name: &str, lines: &Lines) -> Result<Self, DrawError> {
        Ok(Self {
            title: lines.title.clone(),
            name: table_of(name),
            drawings: vec![Drawing { svg: lines.svg()?, told: lines.told() }],
            csv: table(|to| lines.to_csv(to))?,
        })
    }

    /// The share of right grids after each segment of one pass, a curve for each model.
    pub(super) fn passes(report: &Report) -> Result<Self, DrawError> {
        let curve = |findings: &Findings| {
            let paths = &findings.study.paths;
            let segments = paths.iter().map(|path| path.wrong.len()).max().unwrap_or(0);
            let right = |s: usize| paths.iter().filter(|path| path.wrong.get(s) == Some(&0)).count();
            let share = |s: usize| [(s + 1) as f64, 100.0 * right(s) as f64 / paths.len().max(1) as f64];
            (findings.name.clone(), (0..segments).map(share).collect())
        };
        Self::of_lines(
            "passes",
            &Lines {
                title: "Right grids after each segment of one pass, %".into(),
                axes: ["segment".into(), "right, %".into()],
                steps: false,
                logarithmic: false,
                range: [0.0, 100.0],
                curves: report.models.iter().map(curve).collect(),
            },
        )
    }

    /// The share of puzzles that voted solving has answered right within so many segments, a curve for each
    /// pack; `None` without packs.
    pub(super) fn work(report: &Report) -> Result<Option<Self>, DrawError> {
        let points = |findings: &Findings| findings.work.as_ref().map_or(Vec::new(), |work| work.curve());
        let curves = report.models.iter().map(|findings| (findings.name.clone(), points(findings)));
        let mut curves: Vec<(String, Vec<[f64; 2]>)> = curves.collect();
        // what is not answered by a model's last answer stays so: its curve goes on as far as the others do
        let last = curves.iter().filter_map(|(_, points)| points.last()).map(|[x, _]| *x).fold(0.0, f64::max);
        for (_, points) in &mut curves {
            points.extend(points.last().filter(|[x, _]| *x < last).map(|&[_, y]| [last, y]));
        }
        if curves.iter().all(|(_, points)| points.is_empty()) {
            return Ok(None);
        }
        Self::of_lines(
            "work",
            &Lines {
                title: "Puzzles answered right within so many segments, all guesses counted, %".into(),
                axes: ["segments".into(), "right, %".into()],
                steps: true,
                logarithmic: true,
                range: [0.0, 100.0],
                curves,
            },
        )
        .map(Some)
    }

    /// The ways through the puzzles.
    pub(super) fn paths(findings: &Findings) -> Result<Self, DrawError> {
        let walked = findings.study.with_modes();
        let ends = findings.study.modes.iter().map(|share| format!("{} {}", share.rows, share.mode.name()));
        let [first, last] =
            [<[f64]>::first, <[f64]>::last].map(|of| number(of(&findings.study.descent.mean).copied(), 1));
        let told = format!(
            "Puzzles: {}. Wrong cells, mean: {first} after the first segment, {last} after the last.",
            ends.collect::<Vec<_>>().join(", ")
        );
        let [wrong, moves] = paths::panels(&walked, &findings.study.descent.mean)?;
        let median = |share: &Share| {
            let moves = number(share.restlessness, 4);
            format!("{}: {moves}", share.mode.name())
        };
        let moved: Vec<String> = findings.study.modes.iter().map(median).collect();
        let moved =
            format!("Moves of the slow state in the last four segments, median: {}.", moved.join(", "));
        Ok(Self {
            title: paths::title(&findings.name),
            name: table_of(&format!("{}-paths", findings.name)),
            drawings: vec![Drawing { svg: wrong, told }, Drawing { svg: moves, told: moved }],
            csv: table(|to| paths::to_csv(&findings.name, &walked, &findings.study.puzzles, to))?,
        })
    }

    /// The surroundings of one puzzle of each mode.
    pub(super) fn landscapes(findings: &Findings) -> Result<Self, DrawError> {
        Ok(Self {
            title: landscapes::title(&findings.name),
            name: table_of(&format!("{}-landscapes", findings.name)),
            drawings: findings.landscapes.iter().map(drawing).collect::<Result<_, _>>()?,
            csv: table(|to| landscapes::to_csv(&findings.name, &findings.landscapes, to))?,
        })
    }

    /// Several guesses of one puzzle; `None` where one pass solves all.
    pub(super) fn guesses(findings: &Findings) -> Result<Option<Self>, DrawError> {
        let Some(landscape) = &findings.guesses else { return Ok(None) };
        let mode = Mode::of(&landscape.first.path, findings.study.rest);
        let one = [(mode, landscape.clone())];
        Ok(Some(Self {
            title: format!("Several guesses of {} about one puzzle", findings.name),
            name: table_of(&format!("{}-guesses", findings.name)),
            drawings: vec![drawing(&one[0])?],
            csv: table(|to| landscapes::to_csv(&findings.name, &one, to))?,
        }))
    }

    /// What the halting head is worth along the segments; `None` where it has nothing
    /// to stop and nothing right.
    pub(super) fn halting(findings: &Findings) -> Result<Option<Self>, DrawError> {
        let by_segment = &findings.study.halting.by_segment;
        let curve = |of: fn(&Decisions) -> Option<f64>| -> Vec<[f64; 2]> {
            let points = by_segment.iter().enumerate();
            points.filter_map(|(s, d)| Some([(s + 1) as f64, 100.0 * of(d)?])).collect()
        };
        let [right, stopped] = [curve(|d| d.right_of_stopped()), curve(|d| d.stopped_of_right())];
        if right.is_empty() && stopped.is_empty() {
            return Ok(None);
        }
        Self::of_lines(
            &format!("{}-halting", findings.name),
            &Lines {
                title: format!("The halting head of {} after each segment, %", findings.name),
                axes: ["segment".into(), "%".into()],
                steps: false,
                logarithmic: false,
                range: [0.0, 100.0],
                curves: vec![
                    ("right, of those it stops".into(), right),
                    ("stopped, of the right ones".into(), stopped),
                ],
            },
        )
        .map(Some)
    }

    /// What the halting head believes against what is right; `None` where it shows no belief.
    pub(super) fn belief(findings: &Findings) -> Result<Option<Self>, DrawError> {
        let shares = findings.study.calibration.bins.iter().filter_map(Bin::shares);
        let points: Vec<[f64; 2]> = shares.map(|shares| shares.map(|share| 100.0 * share)).collect();
        if points.is_empty() {
            return Ok(None);
        }
        Self::of_lines(
            &format!("{}-belief", findings.name),
            &Lines {
                title: format!(
                    "Belief of {} that its grid is right, against how often it is, %",
                    findings.name
                ),
                axes: ["believed, mean, %".into(), "right, %".into()],
                steps: false,
                logarithmic: false,
                range: [0.0, 100.0],
                curves: vec![
                    ("right".into(), points),
                    ("as believed".into(), vec![[0.0, 0.0], [100.0, 100.0]]),
                ],
            },
        )
        .map(Some)
    }

    /// How far the integers follow the float model.
    pub(super) fn precision(findings: &Findings, precision: &Precision) -> Result<Self, DrawError> {
        let curve = |of: fn(&Agreement) -> f64| {
            precision.agreement.iter().map(|a| [a.segment as f64, of(a)]).collect()
        };
        let curves: Vec<(String, Vec<[f64; 2]>)> = vec![
            ("share of cells that are equal".into(), curve(|a| a.same_cells)),
            ("cosine of z_H, mean".into(), curve(|a| a.cosine_mean)),
            ("cosine of z_H, worst puzzle".into(), curve(|a| a.cosine_min)),
        ];
        let lowest = curves.iter().flat_map(|(_, points)| points).map(|point| point[1]);
        let lowest = (100.0 * lowest.fold(0.99, f64::min)).floor() / 100.0;
        Self::of_lines(
            &format!("{}-precision", findings.name),
            &Lines {
                title: format!(
                    "Integers of {} beside the float model after each segment (1: the same)",
                    findings.name
                ),
                axes: ["segment".into(), "share, or cosine".into()],
                steps: false,
                logarithmic: false,
                range: [lowest, 1.0],
                curves,
            },
        )
    }
}

/// One landscape by itself: several stand beside each other where there is room, and below each
/// other where there is not.
fn drawing(one: &(Mode, Landscape)) -> Result<Drawing, DrawError> {
    Ok(Drawing { svg: landscapes::svg(std::slice::from_ref(one))?, told: landscapes::heading(one.0, &one.1) })
}

/// The name of a table about `what`, as any file system takes it.
fn table_of(what: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || ".-_".contains(c) { c } else { '_' };
    format!("{}.csv", what.chars().map(plain).collect::<String>())
}
