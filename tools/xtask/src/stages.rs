//! Where the time of `cargo xtask test` goes: its stages, each with its seconds.

use std::time::{Duration, Instant};

use anyhow::Result;

/// The stages so far. The table is printed at the end, after a failure too.
pub(crate) struct Stages {
    begun: Instant,
    ended: Vec<Stage>,
}

struct Stage {
    name: String,
    took: Duration,
    passed: bool,
}

impl Stages {
    /// Nothing has run; the clock runs.
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), ended: Vec::new() }
    }

    /// Runs a stage, and says how long it took.
    ///
    /// # Errors
    /// Those of the stage.
    pub(crate) fn run<T>(&mut self, name: impl Into<String>, stage: impl FnOnce() -> Result<T>) -> Result<T> {
        let begun = Instant::now();
        let result = stage();
        let stage = Stage { name: name.into(), took: begun.elapsed(), passed: result.is_ok() };
        eprintln!("stage {}", stage.line());
        self.ended.push(stage);
        result
    }

    fn table(&self) -> String {
        let lines: String = self.ended.iter().map(|stage| stage.line() + "\n").collect();
        let took = self.begun.elapsed();
        format!("\n{lines}{}\n", Stage { name: "all".to_owned(), took, passed: true }.line())
    }
}

impl Drop for Stages {
    fn drop(&mut self) {
        eprint!("{}", self.table());
    }
}

impl Stage {
    fn line(&self) -> String {
        let failed = if self.passed { "" } else { "  FAILED" };
        format!("{:<48} {:>6.0} s{failed}", self.name, self.took.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::Stages;

    #[test]
    fn a_table_has_a_line_a_stage_and_names_the_one_that_failed() {
        let mut stages = Stages::new();
        assert_eq!(stages.run("first", || Ok(7)).unwrap(), 7);
        stages.run("second", || -> anyhow::Result<()> { bail!("it broke") }).unwrap_err();
        let table = stages.table();
        let lines: Vec<&str> = table.trim().lines().collect();
        assert!(lines[0].starts_with("first ") && lines[0].ends_with(" s"), "{table}");
        assert!(lines[1].starts_with("second ") && lines[1].ends_with("FAILED"), "{table}");
        assert!(lines[2].starts_with("all ") && lines.len() == 3, "{table}");
    }
}
