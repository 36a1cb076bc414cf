//! What was found out about one or several models, as one HTML file to attach to a paper.
//!
//! Data flows one way: [`Findings`] of each model → `words`, `pair` and `figures` → `sections` of each model
//! and the `page` around them, which holds its style, its figures (SVG) and the numbers behind them, runs no
//! script and loads nothing.

mod figures;
mod glossary;
mod layout;
mod numbers;
mod page;
mod pair;
mod sections;
mod words;
mod work;

pub use numbers::{count, grouped, grouped_rows};
use serde::Serialize;
pub use work::Work;

use crate::analyze::landscape::Landscape;
use crate::analyze::modes::Mode;
use crate::analyze::path::Path;
use crate::analyze::study::Study;
use crate::files::{Form, Signature};
use crate::plot::DrawError;
use crate::quant::compare::Agreement;

/// A report, which may be written anew as long as nobody has changed it.
pub const REPORT: Signature<'static> = Signature::of_mark("a report on models").in_form(Form::HTML);

/// Everything that a report tells.
#[derive(Clone, Debug)]
pub struct Report {
    /// The file of puzzles.
    pub data: Data,
    /// Puzzles drawn from it.
    pub rows: usize,
    /// Puzzles that were to be drawn, where it has so many.
    pub wanted: usize,
    /// Seed of the draw.
    pub seed: u64,
    /// What counts as a broken rule of the models' task.
    pub broken: &'static str,
    /// Name and version of the program.
    pub program: String,
    /// The commands that repeat it, one a line.
    pub commands: Vec<String>,
    /// One for each model, at least one.
    pub models: Vec<Findings>,
}

/// A file of puzzles.
#[derive(Clone, Debug)]
pub struct Data {
    /// Its name.
    pub name: String,
    /// Puzzles that it has.
    pub rows: usize,
    /// CRC-32 of its bytes.
    pub crc: u32,
}

/// What was found out about one model.
#[derive(Clone, Debug)]
pub struct Findings {
    /// What it is called, as no other of the report is.
    pub name: String,
    /// What it is: each fact with its name.
    pub facts: Vec<(&'static str, String)>,
    /// The paper's questions, and the halting head.
    pub study: Study,
    /// The surroundings of one puzzle of each mode.
    pub landscapes: Vec<(Mode, Landscape)>,
    /// Several guesses of a puzzle that one pass does not solve, where there is one.
    pub guesses: Option<Landscape>,
    /// What voted solving takes: of packs.
    pub work: Option<Work>,
    /// The float model that landscapes and guesses are drawn with.
    pub float: Float,
}

/// A float model of the weights of what a report is about.
#[derive(Clone, Debug)]
pub enum Float {
    /// The very model.
    Own,
    /// One that was restored from a pack, and how far the pack's integers follow it.
    Restored(Precision),
    /// None can be made of a pack, and why.
    Missing(String),
}

/// The integers beside the float model restored from them.
#[derive(Clone, Debug)]
pub struct Precision {
    /// Segment by segment.
    pub agreement: Vec<Agreement>,
    /// Puzzles that only one of both has right at the end.
    pub flips: Vec<Flip>,
}

/// A puzzle that only one of two models has right at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flip {
    /// The puzzle.
    pub puzzle: String,
    /// The first segment after which they differ in how many cells are wrong.
    pub parted: usize,
    /// Wrong cells at the end, float.
    pub float_wrong: u32,
    /// Wrong cells at the end, integers.
    pub int_wrong: u32,
}

impl Findings {
    /// Whether each puzzle is right at the end of one pass.
    fn right(&self) -> Vec<bool> {
        self.study.paths.iter().map(Path::solved).collect()
    }
}

impl Flip {
    /// Those among the ways of both models through the same puzzles; `text` writes puzzle `row`.
    pub fn among(float: &[Path], int: &[Path], text: impl Fn(usize) -> String) -> Vec<Self> {
        let flipped = |(row, (float, int)): (usize, (&Path, &Path))| {
            let parted = float.wrong.iter().zip(&int.wrong).position(|(a, b)| a != b)?;
            (float.solved() != int.solved()).then(|| Flip {
                puzzle: text(row),
                parted: parted + 1,
                float_wrong: float.wrong.last().copied().unwrap_or(0),
                int_wrong: int.wrong.last().copied().unwrap_or(0),
            })
        };
        float.iter().zip(int).enumerate().filter_map(flipped).collect()
    }
}

impl Report {
    /// The file's text.
    ///
    /// # Errors
    /// Where a figure cannot be drawn.
    pub fn html(&self) -> Result<String, DrawError> {
        page::html(self)
    }
}

#[cfg(test)]
#[path = "../../tests/suite/plain.rs"]
mod plain;

#[cfg(test)]
mod tests {
    use hrm_core::solve::{Rule, Status};

    use super::*;
    use crate::analyze::calibration::Calibration;
    use crate::analyze::descent::descent;
    use crate::analyze::halting::halting;
    use crate::analyze::modes::modes;
    use crate::analyze::trivial::keeping;
    use crate::vote::Outcome;

    fn path(wrong: [u32; 3]) -> Path {
        Path {
            wrong: wrong.to_vec(),
            energy: wrong.to_vec(),
            halts: wrong.map(|wrong| wrong == 0).to_vec(),
            beliefs: vec![0.25, 0.25, 0.875],
            moved: vec![0.5, 0.01],
        }
    }

    fn report() -> Report {
        let paths = vec![path([9, 4, 0]), path([9, 9, 9])];
        let study = Study {
            keeping: vec![("nothing".into(), keeping(&paths))],
            descent: descent(&paths),
            rest: 0.05,
            modes: modes(&paths, 0.05),
            halting: halting(&paths),
            calibration: Calibration::of(&paths),
            puzzles: vec!["12".into(), "3.".into()],
            paths: paths.clone(),
        };
        let outcome =
            |segments| Outcome { status: Status::Solved, right: true, several: false, guesses: 2, segments };
        let findings = Findings {
            name: "<b>mine</b>.hrm".into(),
            facts: vec![("bytes", "258,960".into())],
            study,
            landscapes: Vec::new(),
            guesses: None,
            work: Some(Work {
                rule: Rule::Checked,
                policy: "checked".into(),
                outcomes: vec![outcome(40), outcome(4)],
            }),
            float: Float::Restored(Precision {
                agreement: Vec::new(),
                flips: Flip::among(&paths, &[path([9, 5, 5]), path([9, 9, 9])], |row| format!("row {row}")),
            }),
        };
        Report {
            data: Data { name: "val.csv".into(), rows: 1_200, crc: 0xabc },
            rows: 2,
            wanted: 5,
            seed: 1,
            broken: "Whatever its checker finds.",
            program: "hrm-host 0.1.0".into(),
            commands: vec!["hrm-host report a.hrm --data val.csv".into()],
            models: vec![
                findings.clone(),
                Findings { name: "run".into(), work: None, float: Float::Own, ..findings },
            ],
        }
    }

    #[test]
    fn a_report_tells_everything_and_neither_runs_nor_loads_anything() {
        let html = report().html().unwrap();
        let plain = plain::plain(&html);
        for told in [
            "&lt;b&gt;mine&lt;/b&gt;.hrm",
            "258,960",
            "row 0",
            "2 puzzles of <code>val.csv</code> (1,200 puzzles, CRC-32 of the file 00000abc)",
            "5 were asked for",
            "Whatever its checker finds.",
            "Export first",
            "_b_mine__b_.hrm-paths.csv",
            "<td>one pass</td><td>1</td><td>0</td><td>0</td><td>1</td><td>–</td>",
            "22.0", // segments a puzzle: the mean of 4 and 40
            "hrm-host report a.hrm --data val.csv",
            "default-src 'none'",
            "<figcaption>",
            "data:text/csv;base64,",
        ] {
            assert!(plain.contains(told), "{told}");
        }
        for outside in ["<script", "<b>mine", "src=", "@import", "url(", "<link"] {
            assert!(!html.contains(outside), "{outside}");
        }
        // Every address is the name of a vocabulary, which nothing loads, or a place in the file itself.
        let addresses = html.split("://").skip(1).filter(|rest| !rest.starts_with("www.w3.org/2000/svg"));
        assert_eq!(addresses.count(), 0);
        assert_eq!(
            html.matches("<svg").count(),
            html.matches("<title>").count() - 1,
            "every figure has a title"
        );
    }

    #[test]
    fn every_link_to_numbers_names_its_figure() {
        let html = report().html().unwrap();
        let mut names: Vec<&str> = html
            .split("<a download=")
            .skip(1)
            .filter_map(|link| link.split('>').next()?.split("aria-label=\"").nth(1))
            .collect();
        assert_eq!(names.len(), html.matches("<figure>").count());
        assert!(names.iter().all(|name| name.starts_with("The numbers (CSV): ")), "{names:?}");
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), html.matches("<figure>").count(), "{names:?}");
    }

    #[test]
    fn what_the_style_colours_anew_is_in_the_figures() {
        let mut report = report();
        report.models = vec![report.models[1].clone(); 7];
        let html = report.html().unwrap();
        let (style, page) = html.split_once("</style>").unwrap();
        let colours: Vec<&str> =
            style.match_indices("=\"#").filter_map(|(at, _)| style.get(at..at + 10)).collect();
        assert_eq!(colours.len(), 3, "{colours:?}");
        for colour in colours {
            assert!(page.contains(colour), "{colour}");
        }
    }

    #[test]
    fn a_curve_goes_on_as_far_as_the_longest() {
        let mut report = report();
        let mut other = report.models[0].clone();
        other.work.as_mut().unwrap().outcomes.truncate(1);
        other.work.as_mut().unwrap().outcomes[0].segments = 2;
        report.models.push(other);
        let work = figures::Figure::work(&report).unwrap().unwrap();
        let lasts: Vec<&str> = work.csv.lines().filter(|line| line.contains(",40,")).collect();
        assert_eq!(lasts.len(), 2, "{}", work.csv);
        let mut places: Vec<&str> =
            work.csv.lines().filter_map(|line| Some(line.rsplit_once(',')?.0)).collect();
        let rows = places.len();
        places.dedup();
        assert_eq!(places.len(), rows, "a number of segments has one row: {}", work.csv);
        assert!(work.drawings[0].told.starts_with("<b>mine</b>.hrm: 0 at 1, "), "{}", work.drawings[0].told);
    }

    #[test]
    fn nothing_is_compared_drawn_or_missing_that_is_not_there() {
        let all = report();
        let alone = |work: Option<Work>, float| {
            let mut report = all.clone();
            report.models.truncate(1);
            report.models[0].work = work;
            report.models[0].float = float;
            report.models[0].study.calibration = Calibration::default();
            report.models[0].study.halting = halting(&[Path { halts: vec![false; 3], ..path([9, 9, 9]) }]);
            report.html().unwrap()
        };
        let run = alone(None, Float::Own);
        let shown = all.html().unwrap();
        for absent in
            ["Puzzle by puzzle", "voted: ", "How much work", "integers think", "-halting.csv", "-belief.csv"]
        {
            assert!(!run.contains(absent) && shown.contains(absent), "{absent}");
        }
        let pack =
            alone(all.models[0].work.clone(), Float::Missing("It does not say how it was trained.".into()));
        assert!(pack.contains("It does not say how it was trained.") && !pack.contains("Export first"));
        assert!(!pack.contains("Drawn with the float model"));
    }

    #[test]
    fn a_flip_is_a_puzzle_that_one_alone_has_right() {
        let flips = Flip::among(
            &[path([9, 4, 0]), path([9, 4, 0]), path([9, 9, 9])],
            &[path([9, 3, 2]), path([9, 4, 0]), path([9, 9, 1])],
            |row| row.to_string(),
        );
        assert_eq!(flips, [Flip { puzzle: "0".into(), parted: 2, float_wrong: 0, int_wrong: 2 }]);
    }
}
