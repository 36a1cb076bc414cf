//! Command-line options of perturbation-voted solving.

use anyhow::{Result, ensure};
use clap::ValueEnum;
use hrm_core::solve::{Policy, Rule, Symmetries};

/// How guesses are made and when to give up.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct PolicyArgs {
    /// When a grid is the answer
    #[arg(long, value_enum, default_value_t = RuleArg::Checked)]
    rule: RuleArg,
    /// Which images of the puzzle are guessed on
    #[arg(long, value_enum, default_value_t = SymmetryArg::Relabel)]
    symmetries: SymmetryArg,
    /// Most guesses; with --suppose 0, relabels are different only up to members x 9 (4x4: 4, 6x6: 6)
    #[arg(long, default_value_t = 9)]
    guesses: u16,
    /// Most segments of one guess; as many as trained by default
    #[arg(long)]
    segments: Option<u16>,
    /// Most segments in all
    #[arg(long, default_value_t = u32::MAX, hide_default_value = true)]
    budget: u32,
    /// End a guess where the halting head says stop
    #[arg(long)]
    stop_on_halt: bool,
    /// End a guess whose grid stayed the same for so many segments; 0 waits for the last segment
    #[arg(long, default_value_t = 1, value_name = "SEGMENTS")]
    patience: u16,
    /// Blank cells that a guess fills in with what the guess before it ended on; 0 supposes nothing
    #[arg(long, default_value_t = 3, value_name = "CELLS")]
    suppose: u16,
    /// Seeds the draws from the full symmetry group and of the cells supposed
    #[arg(long, default_value_t = 0, value_name = "SEED")]
    policy_seed: u64,
}

/// When a grid is the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RuleArg {
    /// It keeps the givens and breaks no rule
    Checked,
    /// Most halted guesses end on it (for tasks whose answers cannot be checked)
    Majority,
}

/// Which images of the puzzle are guessed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SymmetryArg {
    /// The cyclic digit relabels, as in the paper
    Relabel,
    /// Random draws from the full symmetry group
    Full,
}

impl PolicyArgs {
    /// The policy for a model trained with `trained_segments`.
    pub(super) fn policy(&self, trained_segments: u16) -> Result<Policy> {
        ensure!(self.guesses > 0, "--guesses 0: give at least 1");
        ensure!(self.segments != Some(0), "--segments 0: give at least 1");
        ensure!(self.budget > 0, "--budget 0: give at least 1");
        Ok(Policy {
            rule: match self.rule {
                RuleArg::Checked => Rule::Checked,
                RuleArg::Majority => Rule::Majority,
            },
            symmetries: match self.symmetries {
                SymmetryArg::Relabel => Symmetries::Relabel,
                SymmetryArg::Full => Symmetries::FullGroup,
            },
            guesses: self.guesses,
            segments: self.segments.unwrap_or(trained_segments),
            budget: self.budget,
            stop_on_halt: self.stop_on_halt,
            stop_when_settled: true,
            patience: self.patience,
            suppose: self.suppose,
            seed: self.policy_seed,
        })
    }
}
