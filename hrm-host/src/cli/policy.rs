//! Command-line options of perturbation-voted solving.

use anyhow::Result;
use clap::ValueEnum;
use hrm_core::solve::{Policy, Rule, Symmetries};

use super::values::{LOGIT, at_least_1, from_0, logit};

/// How guesses are made and when to give up.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct PolicyArgs {
    /// When a grid is the answer
    #[arg(long, value_enum, default_value_t = RuleArg::Checked)]
    rule: RuleArg,
    /// Which images of the puzzle are guessed on; full by default, relabel with a rule that votes
    #[arg(long, value_enum)]
    symmetries: Option<SymmetryArg>,
    /// Most guesses; 4096 by default, 9 with --rule majority or unchecked. With --suppose 0, a task has only
    /// so many different images to relabel (Sudoku: as many as digits; square mazes: 16)
    #[arg(long, value_parser = at_least_1::<u16>)]
    guesses: Option<u16>,
    /// Most segments of one guess; by default as many as trained for each member's first guess (and all with
    /// a rule that votes), 3 for every later one
    #[arg(long, value_parser = at_least_1::<u16>)]
    segments: Option<u16>,
    /// Most segments of each member's first guess, where it is not that of --segments
    #[arg(long, value_name = "SEGMENTS", value_parser = at_least_1::<u16>)]
    first_segments: Option<u16>,
    /// Most segments that all guesses at a puzzle take together; without it there is no limit
    #[arg(long, default_value_t = u32::MAX, hide_default_value = true, value_parser = at_least_1::<u32>)]
    budget: u32,
    /// End a guess where the halting head says stop
    #[arg(long)]
    stop_on_halt: bool,
    /// End a guess whose grid stayed the same for so many segments; 0 waits for the last segment; 1 by
    /// default, 0 with --rule majority or unchecked
    #[arg(long, value_name = "SEGMENTS", value_parser = from_0::<u16>)]
    patience: Option<u16>,
    /// Blank cells that a guess fills in with what the guess before it ended on; 0 supposes nothing; 3 by
    /// default, 0 with --rule majority or unchecked
    #[arg(long, value_name = "CELLS", value_parser = from_0::<u16>)]
    suppose: Option<u16>,
    /// End a guess that supposes cells and whose doubt is above this logit, for models with a
    /// doubt head; 1 by default
    #[arg(long, value_name = "LOGIT", allow_negative_numbers = true, value_parser = logit)]
    max_doubt: Option<i32>,
    /// Most segments of such a guess, where this is more than --segments; 5 by default
    #[arg(long, value_name = "SEGMENTS", value_parser = from_0::<u16>)]
    undoubted_segments: Option<u16>,
    /// Seeds the draws from the full symmetry group and of the cells supposed
    #[arg(long, default_value_t = 0, value_name = "SEED", value_parser = from_0::<u64>)]
    policy_seed: u64,
}

/// When a grid is the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RuleArg {
    /// It keeps the givens and breaks no rule
    Checked,
    /// Most halted guesses end on it; the checker then judges that grid
    Majority,
    /// As majority, with the checker switched off: what voting is worth for a task that has none
    Unchecked,
}

/// Which images of the puzzle are guessed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SymmetryArg {
    /// The task's perturbations in order, as in the paper (Sudoku: cyclic relabels of the digits)
    Relabel,
    /// Random draws from the full symmetry group
    Full,
}

impl PolicyArgs {
    /// The policy for a model trained with `trained_segments`: [`Policy::trained_for`] these, or for a
    /// majority [`Policy::papers`], with what the command line says otherwise.
    pub(super) fn policy(&self, trained_segments: u16) -> Result<Policy> {
        let vote = |rule| Policy { rule, segments: trained_segments, ..Policy::papers() };
        let usual = match self.rule {
            RuleArg::Checked => Policy::trained_for(trained_segments),
            RuleArg::Majority => vote(Rule::Majority),
            RuleArg::Unchecked => vote(Rule::Unchecked),
        };
        Ok(Policy {
            symmetries: match self.symmetries {
                None => usual.symmetries,
                Some(SymmetryArg::Relabel) => Symmetries::Relabel,
                Some(SymmetryArg::Full) => Symmetries::FullGroup,
            },
            guesses: self.guesses.unwrap_or(usual.guesses),
            first_segments: self.plain_segments(trained_segments),
            segments: self.segments.unwrap_or(usual.segments),
            budget: self.budget,
            stop_on_halt: self.stop_on_halt,
            patience: self.patience.unwrap_or(usual.patience),
            suppose: self.suppose.unwrap_or(usual.suppose),
            max_doubt: self.max_doubt.unwrap_or(usual.max_doubt),
            undoubted_segments: self.undoubted_segments.unwrap_or(usual.undoubted_segments),
            seed: self.policy_seed,
            ..usual
        })
    }

    /// Segments of a first guess, and of one plain pass.
    fn plain_segments(&self, trained_segments: u16) -> u16 {
        self.first_segments.or(self.segments).unwrap_or(trained_segments)
    }
}

/// How `policy` guesses, in words.
pub(super) fn told(policy: &Policy) -> String {
    let Policy { guesses, first_segments, segments, budget, patience, suppose, seed, .. } = *policy;
    let rule = match policy.rule {
        Rule::Checked => "checked",
        Rule::Majority => "the majority's",
        Rule::Unchecked => "the majority's, not checked",
    };
    let images = match policy.symmetries {
        Symmetries::Relabel => "relabelled",
        Symmetries::FullGroup => "of the full group",
    };
    let mut text = format!(
        "answers {rule}, at most {guesses} guesses, images {images} (seed {seed}), segments {first_segments} for first guesses and \
         {segments} for others, patience {patience}, {suppose} cells supposed"
    );
    if policy.supposes() {
        let (segments, doubt) = (policy.undoubted_segments, f64::from(policy.max_doubt) / LOGIT);
        text += &format!(" (with a doubt head up to {segments} segments, none above a doubt of {doubt})");
    }
    if policy.stop_on_halt {
        text += ", guesses end on halt";
    }
    if budget < u32::MAX {
        text += &format!(", at most {budget} segments a puzzle");
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Parser};

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        policy: PolicyArgs,
    }

    fn policy(line: &str) -> Policy {
        let line = Line::parse_from(["eval"].into_iter().chain(line.split_whitespace()));
        line.policy.policy(8).unwrap()
    }

    #[test]
    fn without_options_it_is_the_library_s_recommended_one_for_the_model() {
        assert_eq!(policy(""), Policy::trained_for(8));
        let papers = Policy { rule: Rule::Majority, first_segments: 8, segments: 8, ..Policy::papers() };
        assert_eq!(policy("--rule majority"), papers);
        let usual = policy("");
        let told = PolicyArgs::augment_args(clap::Command::new("policy"));
        let told = |id: &str| {
            told.get_arguments().find(|arg| arg.get_id() == id).unwrap().get_help().unwrap().to_string()
        };
        for (id, value, majority) in [
            ("patience", u32::from(usual.patience), u32::from(papers.patience)),
            ("suppose", usual.suppose.into(), papers.suppose.into()),
            ("guesses", usual.guesses.into(), papers.guesses.into()),
        ] {
            let help = told(id);
            assert!(help.contains(&format!("{value} by default, {majority} with --rule majority")), "{help}");
        }
    }

    #[test]
    fn doubt_is_a_logit() {
        let of = |line| (policy(line).max_doubt, policy(line).undoubted_segments);
        assert_eq!(of(""), (4096, 5));
        assert_eq!(of("--max-doubt -1.5 --undoubted-segments 0"), (-6144, 0));
        for wrong in ["nan", "inf", "524288", "-1e9", "much"] {
            assert!(Line::try_parse_from(["eval", "--max-doubt", wrong]).is_err(), "{wrong}");
        }
        let help = PolicyArgs::augment_args(clap::Command::new("policy")).render_long_help().to_string();
        let (doubt, segments) = (policy("").max_doubt, policy("").undoubted_segments);
        assert!(help.contains(&format!("{} by default", f64::from(doubt) / 4096.0)), "{help}");
        assert!(help.contains(&format!("more than --segments; {segments} by default")), "{help}");
    }

    #[test]
    fn segments_are_those_of_every_guess_unless_the_first_has_its_own() {
        let of = |line| (policy(line).first_segments, policy(line).segments);
        assert_eq!(of("--segments 5"), (5, 5));
        assert_eq!(of("--first-segments 12"), (12, 3));
        assert_eq!(of("--segments 5 --first-segments 12"), (12, 5));
    }
}
