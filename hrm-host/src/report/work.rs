//! Voted solving of every puzzle, and what its rule makes of it.

use hrm_core::solve::{Rule, Status};

use super::numbers::{DASH, grouped, share};
use crate::vote::{Outcome, Verdict, verdict};

/// Voted solving of every puzzle.
#[derive(Clone, Debug)]
pub struct Work {
    /// When a grid is the answer.
    pub rule: Rule,
    /// The policy in words.
    pub policy: String,
    /// What came of each puzzle, in their order.
    pub outcomes: Vec<Outcome>,
}

/// What each column of the overview is called.
pub(super) fn columns(rule: Rule) -> [&'static str; 2] {
    match rule {
        Rule::Checked | Rule::Majority => ["solved, %", "wrong called solved"],
        Rule::Unchecked => ["right by vote, not checked, %", "got a grid by vote"],
    }
}

/// How an answer comes about.
pub(super) fn procedure(rule: Rule) -> &'static str {
    match rule {
        Rule::Checked => {
            "Guesses are made until a checker accepts a grid, or the policy allows no more. What the checker accepts is called solved."
        }
        Rule::Majority => {
            "Guesses are made until one grid must win, or the policy allows no more. The grid that most guesses end on, with the halting \
             head saying stop, or the best one where it never does, is put before the checker once. What the checker accepts is called \
             solved."
        }
        Rule::Unchecked => {
            "Guesses are made until one grid must win, or the policy allows no more. The grid that most guesses end on, with the halting \
             head saying stop, is the answer: no checker is asked, so a wrong grid may be given, and nothing is called solved."
        }
    }
}

impl Work {
    /// Whether each puzzle got the right answer, as far as the rule gives one.
    pub(super) fn right(&self) -> Vec<bool> {
        let given = |outcome: &Outcome| matches!(outcome.status, Status::Solved | Status::Voted);
        self.outcomes.iter().map(|outcome| outcome.right && given(outcome)).collect()
    }

    /// Segments that each puzzle with the right answer took, the fewest first.
    pub(super) fn sorted(&self) -> Vec<u32> {
        let outcomes = self.outcomes.iter().zip(self.right());
        let mut segments: Vec<u32> =
            outcomes.filter(|(_, right)| *right).map(|(outcome, _)| outcome.segments).collect();
        segments.sort_unstable();
        segments
    }

    /// The sums, as `eval --vote` tells them.
    pub(super) fn verdict(&self) -> Verdict {
        verdict(&self.outcomes)
    }

    /// What the overview says: as [`columns`], then guesses and segments a puzzle.
    pub(super) fn overview(&self) -> [String; 4] {
        let v = self.verdict();
        let [right, other] = match self.rule {
            Rule::Checked | Rule::Majority => [v.solved, v.wrongly_solved],
            Rule::Unchecked => [v.voted_right, v.voted],
        };
        [
            share(right, v.rows),
            grouped(other as u64),
            format!("{:.2}", v.mean_guesses),
            format!("{:.1}", v.mean_segments),
        ]
    }

    /// How many segments it takes until `share` of all puzzles have the right answer.
    pub(super) fn within(&self, share: f64) -> String {
        let place = (share * self.outcomes.len() as f64).ceil().max(1.0) as usize - 1;
        self.sorted().get(place).map_or(DASH.to_owned(), |&segments| grouped(segments))
    }

    /// The share of all puzzles with the right answer within each number of segments at which there are more,
    /// in per cent: a point for each such number, and one for the first segment.
    pub(super) fn curve(&self) -> Vec<[f64; 2]> {
        let mut points: Vec<[f64; 2]> = vec![[1.0, 0.0]];
        for (i, &segments) in self.sorted().iter().enumerate() {
            let point = [f64::from(segments.max(1)), 100.0 * (i + 1) as f64 / self.outcomes.len() as f64];
            match points.last_mut() {
                Some(last) if last[0] == point[0] => *last = point,
                _ => points.push(point),
            }
        }
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(rule: Rule, status: Status) -> Work {
        let outcome = |right, segments| Outcome { status, right, several: false, guesses: 9, segments };
        Work {
            rule,
            policy: String::new(),
            outcomes: vec![outcome(true, 40), outcome(false, 36), outcome(true, 4)],
        }
    }

    #[test]
    fn a_number_of_segments_has_one_share() {
        let mut work = work(Rule::Checked, Status::Solved);
        for (outcome, segments) in work.outcomes.iter_mut().zip([1, 1, 7]) {
            (outcome.right, outcome.segments) = (true, segments);
        }
        assert_eq!(work.curve(), [[1.0, 200.0 / 3.0], [7.0, 100.0]]);
        work.outcomes.clear();
        assert_eq!(work.curve(), [[1.0, 0.0]]);
    }

    #[test]
    fn what_the_rule_gives_stands_in_front() {
        let voted = work(Rule::Unchecked, Status::Voted);
        let [right, grids, guesses, segments] = voted.overview();
        assert!(
            right.starts_with("66.7 (") && grids == "3" && guesses == "9.00" && segments == "26.7",
            "{right} {grids}"
        );
        assert_eq!(
            (voted.within(0.5), voted.within(0.6), voted.within(1.0)),
            ("40".into(), "40".into(), DASH.into())
        );
        assert_eq!(voted.curve(), [[1.0, 0.0], [4.0, 100.0 / 3.0], [40.0, 200.0 / 3.0]]);
        let unproven = work(Rule::Majority, Status::Unproven);
        assert!(unproven.overview()[0].starts_with("0.0 ("), "the right grid, not called solved");
        assert_eq!(unproven.right(), [false; 3]);
        assert_ne!(columns(Rule::Checked), columns(Rule::Unchecked));
        assert!(procedure(Rule::Checked).contains("until a checker accepts"));
        assert!(!procedure(Rule::Unchecked).contains("until a checker accepts"));
    }
}
