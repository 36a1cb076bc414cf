//! What a run has written into its `metrics.jsonl`, as one line of time.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::files::{METRICS, Signature, is_folder, read_text};
use crate::kind::{Kind, Wanted, kind_of_file};
use crate::train::metrics::{Evaluation, Progress};

/// Why there is nothing to draw.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}; give a run directory of `hrm-host train`, or its metrics.jsonl")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is of another kind.
    #[error("{path} is {kind}, not the metrics of a run; {}", .kind.advice(Wanted::Metrics))]
    Kind {
        /// The file.
        path: PathBuf,
        /// What it is.
        kind: Kind,
    },
    /// Nothing was logged yet.
    #[error(
        "{0} has no line of metrics yet (the first comes after train.log_steps steps); try again when it has"
    )]
    Empty(PathBuf),
}

/// A line of `metrics.jsonl`.
enum Line {
    Start { step: u64 },
    Train(Progress),
    Eval(Evaluation),
}

impl Line {
    /// Reads a line: first which event it tells of, then that event. (A tagged enum would do
    /// both at once, but cannot read numbers where any crate of the build has switched on
    /// serde_json's arbitrary precision.)
    fn parse(text: &str) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "lowercase")]
        enum Event {
            Start,
            Train,
            Eval,
        }
        #[derive(Deserialize)]
        struct Tag {
            event: Event,
        }
        #[derive(Deserialize)]
        struct Begun {
            step: u64,
        }
        Ok(match serde_json::from_str::<Tag>(text)?.event {
            Event::Start => Self::Start { step: serde_json::from_str::<Begun>(text)?.step },
            Event::Train => Self::Train(serde_json::from_str(text)?),
            Event::Eval => Self::Eval(serde_json::from_str(text)?),
        })
    }
}

/// The metrics file of a run directory, or the file itself.
///
/// # Errors
/// Where the system does not tell which of them `run` is.
pub fn metrics_of(run: &Path) -> Result<PathBuf, HistoryError> {
    let is_run = is_folder(run).map_err(|source| HistoryError::Read { path: run.to_owned(), source })?;
    Ok(if is_run { run.join(METRICS) } else { run.to_owned() })
}

/// A run's history.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// What the run is called.
    pub name: String,
    /// Lines of metrics, by step.
    pub logged: Vec<Progress>,
    /// Evaluations, by step.
    pub evaluated: Vec<Evaluation>,
    /// Lines that could not be read, as a run killed while writing leaves them.
    pub damaged: usize,
}

impl History {
    /// Reads the history of a run directory, or of a metrics file.
    ///
    /// # Errors
    /// Where the file cannot be read, or says nothing.
    pub fn read(path: &Path) -> Result<Self, HistoryError> {
        let file = metrics_of(path)?;
        match kind_of_file(&file).map_err(|source| HistoryError::Read { path: file.clone(), source })? {
            // A line may be damaged, also the first.
            Kind::Metrics | Kind::Json | Kind::Empty => {}
            kind => return Err(HistoryError::Kind { path: file, kind }),
        }
        let text = read_text(&file).map_err(|source| HistoryError::Read { path: file.clone(), source })?;
        let name = file
            .parent()
            .and_then(|dir| dir.canonicalize().ok())
            .and_then(|dir| dir.file_name().map(|name| name.to_string_lossy().into_owned()))
            .unwrap_or_else(|| path.display().to_string());
        let history = Self { name, ..Self::parse(&text) };
        if history.logged.is_empty() && history.evaluated.is_empty() {
            return Err(HistoryError::Empty(file));
        }
        Ok(history)
    }

    /// Reads the lines of a metrics file. Where a run went on from an earlier step, the lines of the
    /// lost steps are left out.
    pub fn parse(text: &str) -> Self {
        let mut history = Self::default();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            match Line::parse(line) {
                Ok(Line::Start { step }) => {
                    history.logged.retain(|logged| logged.step <= step);
                    history.evaluated.retain(|evaluated| evaluated.step <= step);
                }
                Ok(Line::Train(logged)) => history.logged.push(logged),
                Ok(Line::Eval(evaluated)) => {
                    // A run that ends at a step it has evaluated already may do so again.
                    history.evaluated.retain(|earlier| earlier.step < evaluated.step);
                    history.evaluated.push(evaluated);
                }
                Err(_) => history.damaged += 1,
            }
        }
        history
    }

    /// The shares of hints that were measured, fewest first.
    pub fn hint_levels(&self) -> Vec<u8> {
        let mut levels: Vec<u8> =
            self.evaluated.iter().flat_map(|e| &e.levels).map(|level| level.hints).collect();
        levels.sort_unstable();
        levels.dedup();
        levels
    }
}

/// The columns of [`to_csv`].
const HEADER: &str = "run,kind,step,samples,minutes,loss,cross_entropy,halt_loss,lr,rate,segments,hints,rows,exact,\
                      exact_low,exact_high";

/// A table of learning curves.
pub const TABLE: Signature<'static> = Signature::of_mark("a table of learning curves");

/// Everything in `runs` as CSV: a row per line of metrics, and one per evaluation and share of hints.
///
/// # Errors
/// What the writer says.
pub fn to_csv<W: io::Write>(runs: &[History], to: W) -> csv::Result<()> {
    let mut csv = csv::Writer::from_writer(to);
    csv.write_record(HEADER.split(','))?;
    let blank = String::new;
    for run in runs {
        for l in &run.logged {
            let numbers =
                [l.minutes, l.loss, l.cross_entropy, l.halt_loss, l.lr, l.rate].map(|x| x.to_string());
            let head = [run.name.clone(), "train".to_owned(), l.step.to_string(), l.samples.to_string()];
            csv.write_record(head.into_iter().chain(numbers).chain(std::iter::repeat_with(blank).take(6)))?;
        }
        for e in &run.evaluated {
            for level in &e.levels {
                let head = [
                    run.name.clone(),
                    "eval".to_owned(),
                    e.step.to_string(),
                    e.samples.to_string(),
                    e.minutes.to_string(),
                ];
                let tail = [
                    e.segments.to_string(),
                    level.hints.to_string(),
                    level.rows.to_string(),
                    level.exact.to_string(),
                    level.interval[0].to_string(),
                    level.interval[1].to_string(),
                ];
                csv.write_record(head.into_iter().chain(std::iter::repeat_with(blank).take(5)).chain(tail))?;
            }
        }
    }
    csv.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::eval::{Level, wilson};
    use crate::train::metrics::{self, MetricsFile};

    fn progress(step: u64) -> Progress {
        Progress { step, samples: step * 64, minutes: step as f64 / 10.0, loss: 2.0, ..Progress::default() }
    }

    fn evaluation(step: u64, exact: f64) -> Evaluation {
        let level = |hints| Level {
            hints,
            rows: 10,
            exact,
            interval: wilson((exact * 10.0) as usize, 10),
            exact_at_halt: exact,
            mean_halt: 3.0,
            cells: 0.9,
            by_segment: vec![exact],
            outcomes: Vec::new(),
        };
        let levels = vec![level(90), level(0)];
        Evaluation { step, samples: step * 64, minutes: 1.0, segments: 16, levels }
    }

    /// As the trainer writes them, with a crash: steps 30 and 40 are lost and made again.
    fn written() -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("metrics.jsonl");
        let start = |step| metrics::Line::Start { step, config_hash: "0", rows: 1, parameters: 1 };
        let mut file = MetricsFile::open(&path).unwrap();
        file.write(&start(0)).unwrap();
        for step in [10, 20, 30, 40] {
            file.write(&metrics::Line::Train(&progress(step))).unwrap();
        }
        file.write(&metrics::Line::Eval(&evaluation(40, 0.5))).unwrap();
        drop(file);
        let torn = std::fs::read_to_string(&path).unwrap() + "{\"event\":\"train\",\"step\":5";
        std::fs::write(&path, torn).unwrap();
        let mut file = MetricsFile::open(&path).unwrap();
        file.write(&start(20)).unwrap();
        file.write(&metrics::Line::Train(&progress(30))).unwrap();
        file.write(&metrics::Line::Eval(&evaluation(30, 0.7))).unwrap();
        file.write(&metrics::Line::Eval(&evaluation(30, 0.8))).unwrap();
        std::fs::read_to_string(&path).unwrap()
    }

    #[test]
    fn a_resumed_run_has_one_history() {
        let history = History::parse(&written());
        assert_eq!(history.logged.iter().map(|l| l.step).collect::<Vec<_>>(), [10, 20, 30]);
        assert_eq!(history.evaluated.len(), 1);
        assert_eq!((history.evaluated[0].step, history.evaluated[0].levels[1].exact), (30, 0.8));
        assert_eq!(history.damaged, 1, "the torn line, and only that");
        assert_eq!(history.hint_levels(), [0, 90]);
    }

    #[test]
    fn the_table_has_every_number() {
        let history = History { name: "a run".to_owned(), ..History::parse(&written()) };
        let mut csv = Vec::new();
        to_csv(&[history], &mut csv).unwrap();
        let csv = String::from_utf8(csv).unwrap();
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines.len(), 1 + 3 + 2);
        assert_eq!(lines[1], "a run,train,10,640,1,2,0,0,0,0,,,,,,");
        assert!(lines[4].starts_with("a run,eval,30,1920,1,,,,,,16,90,10,0.8,0.49"), "{}", lines[4]);
        assert!(lines.iter().all(|line| line.matches(',').count() == 15), "{csv}");
    }

    #[test]
    fn a_run_without_metrics_says_so() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(History::read(dir.path()), Err(HistoryError::Read { .. })));
        std::fs::write(dir.path().join("metrics.jsonl"), "{\"event\":\"start\",\"step\":0}\n").unwrap();
        assert!(matches!(History::read(dir.path()), Err(HistoryError::Empty(_))));
    }
}
