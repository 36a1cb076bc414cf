//! The paper's three questions, answered in a sentence each.

use crate::analyze::descent::Descent;
use crate::analyze::halting::Halting;
use crate::analyze::modes::{Mode, Share};
use crate::analyze::trivial::Keeping;

/// A fall of more than this share of the wrong cells in one segment is a leap.
const LEAP: f64 = 0.5;

/// Does it keep what it has found?
pub(super) fn of_keeping(keeping: &[(String, Keeping)]) -> String {
    let sum = |of: fn(&Keeping) -> usize| keeping.iter().map(|(_, k)| of(k)).sum::<usize>();
    let (found, lost) = (sum(|k| k.ever_solved), sum(|k| k.lost));
    match (found, lost) {
        (0, _) => "It found no answer, so there was none to keep.".to_owned(),
        (_, 0) => format!("Yes. Of {found} answers that it found, none was lost again."),
        _ => format!("No. Of {found} answers that it found, it lost {lost} again."),
    }
}

/// Does it come nearer step by step?
pub(super) fn of_descent(descent: &Descent) -> String {
    let (at_once, later) = (descent.at_once, descent.later);
    if later == 0 {
        return format!(
            "That cannot be seen here: {at_once} puzzles were right after the first segment, none later."
        );
    }
    let yes = if descent.largest_fall > LEAP { "No" } else { "Yes" };
    format!(
        "{yes}. Of the {later} puzzles that were solved after the first segment, a single one takes away {:.0} % of the wrong cells \
         (median); of their mean curve, {:.0} %.",
        100.0 * descent.largest_fall,
        100.0 * descent.largest_fall_of_mean
    )
}

/// Where does it come to rest?
pub(super) fn of_modes(modes: &[Share]) -> String {
    let rows = |mode| modes.iter().filter(|share| share.mode == mode).map(|share| share.rows).sum::<usize>();
    let (resting, wandering) = (rows(Mode::WrongAtRest), rows(Mode::Wandering));
    let failures = resting + wandering;
    match failures {
        0 => "In right answers: every puzzle was solved.".to_owned(),
        _ => format!(
            "Of {failures} thoughts that fail, {resting} rest in a wrong grid (a false fixed point), and {wandering} still move."
        ),
    }
}

/// What is the halting head worth?
pub(super) fn of_halting(halting: &Halting) -> String {
    let Halting { stopped, stopped_right, missed, interval, .. } = halting;
    if *stopped == 0 {
        return format!("It never says stop; {missed} puzzles are right at the end nevertheless.");
    }
    let [from, to] = interval.map(|share| 100.0 * share);
    format!(
        "It says stop in {stopped} puzzles; where it does so first, {stopped_right} grids are right ({from:.1} to {to:.1} %). \
         {missed} puzzles that are right at the end it never stops."
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::descent::descent;
    use crate::analyze::modes::modes;
    use crate::analyze::path::Path;
    use crate::analyze::trivial::keeping;

    fn path(wrong: &[u32], moved: f64) -> Path {
        Path { wrong: wrong.to_vec(), moved: vec![moved; 3], ..Path::default() }
    }

    #[test]
    fn every_answer_follows_from_the_numbers() {
        let kept = |paths: &[Path]| of_keeping(&[("nothing".into(), keeping(paths))]);
        assert!(kept(&[path(&[3, 0], 0.0)]).starts_with("Yes. Of 1 answers"));
        assert!(
            kept(&[path(&[0, 2], 0.0), path(&[3, 0], 0.0)])
                .contains("No. Of 2 answers that it found, it lost 1")
        );
        assert!(kept(&[path(&[3, 2], 0.0)]).starts_with("It found no answer"));

        assert!(of_descent(&descent(&[path(&[0, 0], 0.0)])).contains("cannot be seen"));
        assert!(of_descent(&descent(&[path(&[9, 9, 0], 0.0)])).starts_with("No. Of the 1"));
        assert!(of_descent(&descent(&[path(&[9, 6, 3, 0], 0.0)])).starts_with("Yes"));

        let ends = modes(&[path(&[9, 9], 0.0), path(&[9, 9], 0.5), path(&[9, 0], 0.0)], 0.05);
        assert!(of_modes(&ends).starts_with("Of 2 thoughts that fail, 1 rest"));
        assert!(of_modes(&modes(&[path(&[0, 0], 0.0)], 0.05)).contains("every puzzle was solved"));
    }
}
