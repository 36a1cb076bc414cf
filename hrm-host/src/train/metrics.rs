//! Running sums between two lines of metrics, and the JSON lines themselves.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::eval::Level;
use super::trainer::StepReport;

/// Means over the steps since the last line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Optimizer steps made since the run began.
    pub step: u64,
    /// Sample-segments trained on since the run began.
    pub samples: u64,
    /// Minutes trained since the run began.
    pub minutes: f64,
    /// Sample-segments per second.
    pub rate: f64,
    /// Learning rate of the last step.
    pub lr: f64,
    /// Mean loss.
    pub loss: f64,
    /// Mean cross entropy per cell.
    pub cross_entropy: f64,
    /// Mean binary cross entropy of the halting logit.
    pub halt_loss: f64,
    /// Mean norm of the gradient.
    pub gradient_norm: f64,
    /// Share of cells answered right.
    pub token_accuracy: f64,
    /// Share of rows answered right, at whatever segment they are.
    pub exact_accuracy: f64,
    /// The same among rows whose puzzle was not eased.
    pub hard_exact_accuracy: f64,
    /// Mean number of segments of the rows that stopped; 0 where none did.
    pub mean_segments: f64,
    /// Share of rows in whose puzzle something is supposed.
    #[serde(default)]
    pub supposed: f64,
    /// Of those, the share with a wrong cell.
    #[serde(default)]
    pub supposed_wrongly: f64,
    /// Mean binary cross entropy of the doubt logit among them; 0 without that head.
    #[serde(default)]
    pub doubt_loss: f64,
}

/// Sums of [`StepReport`]s.
#[derive(Clone, Debug, Default)]
pub struct Window {
    steps: u64,
    sum: StepReport,
}

impl Window {
    /// Adds a step.
    pub fn add(&mut self, report: &StepReport) {
        let sum = &mut self.sum;
        self.steps += 1;
        sum.loss += report.loss;
        sum.cross_entropy += report.cross_entropy;
        sum.halt_loss += report.halt_loss;
        sum.gradient_norm += report.gradient_norm;
        sum.lr = report.lr;
        sum.rows += report.rows;
        sum.cells += report.cells;
        sum.right_cells += report.right_cells;
        sum.exact += report.exact;
        sum.hard += report.hard;
        sum.hard_exact += report.hard_exact;
        sum.stopped += report.stopped;
        sum.stopped_segments += report.stopped_segments;
        sum.supposed += report.supposed;
        sum.supposed_wrongly += report.supposed_wrongly;
        sum.doubt += report.doubt;
    }

    /// The means, after `seconds` for this window's steps; the window is empty afterwards.
    pub fn take(&mut self, step: u64, samples: u64, minutes: f64, seconds: f64) -> Progress {
        let Window { steps, sum } = std::mem::take(self);
        let mean = |x: f64| x / steps.max(1) as f64;
        let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
        Progress {
            step,
            samples,
            minutes,
            rate: if seconds > 0.0 { sum.rows as f64 / seconds } else { 0.0 },
            lr: sum.lr,
            loss: mean(sum.loss),
            cross_entropy: mean(sum.cross_entropy),
            halt_loss: mean(sum.halt_loss),
            gradient_norm: mean(sum.gradient_norm),
            token_accuracy: share(sum.right_cells, sum.cells),
            exact_accuracy: share(sum.exact, sum.rows),
            hard_exact_accuracy: share(sum.hard_exact, sum.hard),
            mean_segments: share(sum.stopped_segments, sum.stopped),
            supposed: share(sum.supposed, sum.rows),
            supposed_wrongly: share(sum.supposed_wrongly, sum.supposed),
            doubt_loss: sum.doubt / sum.supposed.max(1) as f64,
        }
    }
}

/// An evaluation on the validation rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Optimizer steps made since the run began.
    pub step: u64,
    /// Sample-segments trained on since the run began.
    pub samples: u64,
    /// Minutes trained since the run began.
    pub minutes: f64,
    /// Segments per puzzle.
    pub segments: usize,
    /// Accuracy by share of hints.
    pub levels: Vec<Level>,
}

/// One line of `metrics.jsonl`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Line<'a> {
    /// The run begins, or goes on; what follows replaces earlier lines of later steps.
    Start {
        /// Steps made before.
        step: u64,
        /// Hash of the configuration.
        config_hash: &'a str,
        /// Training rows.
        rows: usize,
        /// Trained parameters.
        parameters: usize,
    },
    /// Progress.
    Train(&'a Progress),
    /// An evaluation.
    Eval(&'a Evaluation),
}

/// `metrics.jsonl`, which is only ever appended to.
pub struct MetricsFile {
    file: File,
    /// The last line could not be written in full.
    torn: bool,
}

impl MetricsFile {
    /// Opens or creates the file. A last line that a crash has cut short is ended, so
    /// that it spoils no other.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
        if file.seek(SeekFrom::End(0))? > 0 {
            let mut last = [0];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
            }
        }
        Ok(Self { file, torn: false })
    }

    /// Appends one line.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&mut self, line: &Line<'_>) -> io::Result<()> {
        let start = if self.torn { "\n" } else { "" };
        let text = format!("{start}{}\n", serde_json::to_string(line)?);
        let written = self.file.write_all(text.as_bytes());
        self.torn = written.is_err();
        written
    }
}
