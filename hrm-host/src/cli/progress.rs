//! How far long work has come, on standard error: a line that is drawn over on a terminal, a line
//! from time to time elsewhere.

use std::fmt::Write as _;
use std::io::stderr;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::terminal::redraws;
use super::values::from_0;

/// Whether and how often progress is told.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct ProgressArgs {
    /// Seconds between two lines of progress where standard error is no terminal; 0 writes one for every step
    #[arg(long = "progress", value_name = "SECONDS", default_value_t = 10, value_parser = from_0::<u64>)]
    seconds: u64,
    /// Tell no progress
    #[arg(long, short)]
    quiet: bool,
}

impl ProgressArgs {
    /// Begins to tell of a command that has `todo` puzzles to do in all its [stages](Progress::stage).
    pub(super) fn start(self, todo: usize) -> Progress {
        let screen = match (self.quiet, redraws(&stderr())) {
            (true, _) => Screen::Dark,
            (false, true) => Screen::Bar(bar()),
            (false, false) => {
                Screen::Lines { every: Duration::from_secs(self.seconds), last: Instant::now() }
            }
        };
        let state = State { before: 0, done: 0, total: 0, earlier: 0, todo, solved: None };
        Progress { what: String::new(), within: String::new(), state, began: Instant::now(), screen }
    }

    /// Begins to tell of a command with one stage, `what`, of `todo` puzzles.
    pub(super) fn start_only(self, what: &str, todo: usize) -> Progress {
        let mut progress = self.start(todo);
        progress.stage(what, (0, todo));
        progress
    }

    /// Says what is begun that has no steps to tell of.
    pub(super) fn note(self, what: &str) {
        if !self.quiet {
            eprintln!("{what}");
        }
    }
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg}").unwrap_or(ProgressStyle::default_spinner());
    let bar = ProgressBar::new_spinner().with_style(style);
    // A single puzzle may take minutes: that it is being worked on is seen all the while.
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

/// Where progress is told.
enum Screen {
    Bar(ProgressBar),
    Lines { every: Duration, last: Instant },
    Dark,
}

/// Long work on its way.
pub(super) struct Progress {
    what: String,
    /// What is done of the step that is under way.
    within: String,
    state: State,
    began: Instant,
    screen: Screen,
}

impl Progress {
    /// The next stage, `what`: `total` puzzles, `before` of which were known when the command began.
    pub(super) fn stage(&mut self, what: impl Into<String>, (before, total): (usize, usize)) {
        self.what = what.into();
        let State { earlier, todo, .. } = self.state;
        let earlier = earlier + self.state.done - self.state.before;
        self.state = State { before, done: before, total, earlier, todo, solved: None };
        if let Screen::Bar(bar) = &self.screen {
            bar.set_message(self.text());
        }
    }

    /// Tells that `done` puzzles of the stage are done, `solved` of them solved where that is known.
    pub(super) fn show(&mut self, done: usize, solved: Option<usize>) {
        self.state = State { done, solved, ..self.state };
        self.within.clear();
        self.tell();
    }

    /// Tells how far the next puzzle is.
    pub(super) fn within(&mut self, how_far: impl FnOnce() -> String) {
        self.within = how_far();
        self.tell();
    }

    fn text(&self) -> String {
        let text = format!("{}: {}", self.what, self.state.text(self.began.elapsed()));
        if self.within.is_empty() { text } else { format!("{text}; {}", self.within) }
    }

    fn tell(&mut self) {
        match &self.screen {
            Screen::Bar(bar) => bar.set_message(self.text()),
            Screen::Lines { every, last } if last.elapsed() >= *every => {
                eprintln!("{}", self.text());
                self.screen = Screen::Lines { every: *every, last: Instant::now() };
            }
            Screen::Lines { .. } | Screen::Dark => {}
        }
    }

    /// Does `print` with the line out of its way.
    pub(super) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.screen {
            Screen::Bar(bar) => beside(bar, print),
            Screen::Lines { .. } | Screen::Dark => print(),
        }
    }
}

/// Does `print` with `bar` out of its way. A print that ends the program, because nobody reads any more,
/// unwinds only when the bar is let go: it would be locked for ever, and clearing it at the end would abort.
fn beside<T>(bar: &ProgressBar, print: impl FnOnce() -> T) -> T {
    bar.suspend(|| catch_unwind(AssertUnwindSafe(print))).unwrap_or_else(|cause| resume_unwind(cause))
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Screen::Bar(bar) = &self.screen {
            bar.finish_and_clear();
        }
    }
}

/// How far it is.
#[derive(Clone, Copy)]
struct State {
    /// Of this stage: known from the start, done, in all.
    before: usize,
    done: usize,
    total: usize,
    /// Of the whole command: done in the stages before, and in all.
    earlier: usize,
    todo: usize,
    solved: Option<usize>,
}

impl State {
    /// As a person reads it, after `elapsed` of this run.
    fn text(&self, elapsed: Duration) -> String {
        let mut text = format!("{} of {} puzzles", self.done, self.total);
        let now = self.earlier + self.done.saturating_sub(self.before);
        let rate = now as f64 / elapsed.as_secs_f64().max(1e-3);
        if now > 0 {
            let _ = match rate {
                1.0.. => write!(text, ", {rate:.1}/s"),
                _ => write!(text, ", {:.1}/min", 60.0 * rate),
            };
            if now < self.todo {
                let _ = write!(text, ", {} left", span((self.todo - now) as f64 / rate));
            }
        }
        if let Some(solved) = self.solved {
            let _ = write!(text, ", {solved} solved");
        }
        text
    }
}

/// A time as a person reads it.
pub(super) fn span(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_time_left_are_those_of_this_run_and_of_all_its_stages() {
        let state = State { before: 100, done: 120, total: 400, earlier: 0, todo: 300, solved: Some(57) };
        let text = state.text(Duration::from_secs(10));
        assert_eq!(text, "120 of 400 puzzles, 2.0/s, 2 min 20 s left, 57 solved");
        let text = state.text(Duration::from_secs(1200));
        assert_eq!(text, "120 of 400 puzzles, 1.0/min, 4 h 40 min left, 57 solved");
        let second = State { before: 0, done: 20, earlier: 300, todo: 640, ..state };
        let text = second.text(Duration::from_secs(160));
        assert_eq!(text, "20 of 400 puzzles, 2.0/s, 2 min 40 s left, 57 solved");
        let last = State { before: 0, done: 400, todo: 400, ..state };
        assert_eq!(last.text(Duration::from_secs(100)), "400 of 400 puzzles, 4.0/s, 57 solved");
        let fresh = State { done: 100, solved: None, ..state };
        assert_eq!(fresh.text(Duration::ZERO), "100 of 400 puzzles");
        assert_eq!(span(59.6), "1 min 0 s");
    }
}
