//! The paper's three questions, answered in a sentence or two each.

use super::numbers::{DASH, count, grouped, number};
use crate::analyze::calibration::Calibration;
use crate::analyze::descent::Descent;
use crate::analyze::halting::Halting;
use crate::analyze::modes::{Mode, Share};
use crate::analyze::trivial::Keeping;
use crate::quant::compare::Agreement;

/// A fall of more than this share of the wrong cells in one segment is a leap.
const LEAP: f64 = 0.5;
/// Integers think as the float model where at least so large shares of the puzzles and of the cells
/// agree, and mostly where ...
const ALIKE: f64 = 0.99;
/// ... where at least such.
const MOSTLY: f64 = 0.9;
/// Of fewer wrong cells each is a large share of all, and nothing is concluded from how they go.
const FEW_WRONG: f64 = 5.0;
/// Of fewer puzzles nothing is concluded.
const FEW: usize = 10;
/// Of fewer puzzles that are not solved nothing is said of most.
const FEW_FAILURES: usize = 5;

/// Does it keep what it has found?
pub(super) fn of_keeping(keeping: &[(String, Keeping)]) -> String {
    let sum = |of: fn(&Keeping) -> usize| keeping.iter().map(|(_, k)| of(k)).sum::<usize>();
    let (found, lost) = (sum(|k| k.ever_solved), sum(|k| k.lost));
    // Every kind is made of the same puzzles.
    let puzzles = keeping.iter().map(|(_, k)| k.ever_solved).max().unwrap_or(0);
    let kinds = match keeping.len() {
        0 | 1 => String::new(),
        kinds => format!(" in {kinds} kinds of puzzles"),
    };
    match (puzzles, lost) {
        (0, _) => format!("It found no answer{kinds}, so there was none to keep."),
        (..FEW, 0) => format!(
            "Too few to say (fewer than {FEW} puzzles): it found {}{kinds}, and none was lost again.",
            count(found, "answer")
        ),
        (_, 0) => format!("Yes. Of {}{kinds} that it found, none was lost again.", count(found, "answer")),
        _ => {
            let losses = keeping.iter().filter(|(_, k)| k.lost > 0);
            let losses: Vec<String> = losses
                .map(|(given, k)| format!("{} of {} with {given} given", k.lost, k.ever_solved))
                .collect();
            let found = count(found, "answer");
            format!("No. Of {found}{kinds} that it found, it lost {lost} again: {}.", losses.join(", "))
        }
    }
}

/// Does it come nearer step by step?
pub(super) fn of_descent(descent: &Descent) -> String {
    let Descent { at_once, later, largest_fall, largest_fall_of_mean, most_wrong, .. } = descent;
    let at_once = format!("{} right after the first segment and ever since", count(*at_once, "puzzle"));
    let (Some(fall), Some(of_mean)) = (largest_fall, largest_fall_of_mean) else {
        return format!("That cannot be seen here: {at_once}, none right for good only later.");
    };
    let most_wrong = most_wrong.unwrap_or(0.0);
    let verdict = match (*later, *fall > LEAP) {
        (..FEW, _) => format!("Too few to say (fewer than {FEW} puzzles)"),
        _ if most_wrong < FEW_WRONG => {
            format!(
                "Too few wrong cells to say (the most that a puzzle ever had: {most_wrong:.1} in the median, fewer than {FEW_WRONG})"
            )
        }
        (_, true) => "No".to_owned(),
        (_, false) => "Yes".to_owned(),
    };
    format!(
        "{verdict}. {at_once}, {later} right for good only later. Of these, the largest fall in one segment takes away {:.0} % of the \
         most cells that were ever wrong (median of the puzzles); in their mean curve, {:.0} %. More than {:.0} % in the median is a \
         leap, not a step.",
        100.0 * fall,
        100.0 * of_mean,
        100.0 * LEAP
    )
}

/// Where does it come to rest?
pub(super) fn of_modes(modes: &[Share]) -> String {
    let rows = |mode| modes.iter().filter(|share| share.mode == mode).map(|share| share.rows).sum::<usize>();
    let (resting, wandering) = (rows(Mode::WrongAtRest), rows(Mode::Wandering));
    match resting + wandering {
        0 => "In right answers: every puzzle was solved.".to_owned(),
        failures => format!(
            "Of {} not solved in one pass, {resting} came to rest in a wrong grid (a false fixed point), and {wandering} still moved.{}",
            count(failures, "puzzle"),
            if failures >= FEW_FAILURES && wandering > resting {
                " Most still moved at the last segment: the pass may be too short to see them rest."
            } else {
                ""
            }
        ),
    }
}

/// What is the halting head worth?
pub(super) fn of_halting(halting: &Halting) -> String {
    let Halting { stopped, stopped_right, missed, interval, .. } = halting;
    if *stopped == 0 {
        return format!("It never says stop; {} right at the end nevertheless.", is_or_are(*missed));
    }
    let [from, to] = interval.map(|share| 100.0 * share);
    format!(
        "It says stop in {}; where it does so first, {stopped_right} of the grids are right ({from:.1} to {to:.1} %). {} right at the end \
         without its ever saying stop.",
        count(*stopped, "puzzle"),
        is_or_are(*missed)
    )
}

/// Is its belief worth what it says?
pub(super) fn of_belief(calibration: &Calibration) -> String {
    let apart = calibration.error().map(|error| 100.0 * error);
    format!(
        "After the segments of one pass of every puzzle ({}), belief and frequency are {} points apart on average (the expected \
         calibration error by tenths; 0 is perfect). Grids of one puzzle are much alike, so this has no interval.",
        count(calibration.grids(), "grid"),
        number(apart, 1)
    )
}

/// Do the integers think as the float model does? By what both have at the end of a pass.
pub(super) fn of_agreement(last: &Agreement) -> String {
    let Agreement { rows, float_exact, int_exact, only_float, only_int, same_cells, .. } = last;
    let alike = rows.saturating_sub(only_float + only_int);
    let puzzles = alike as f64 / (*rows).max(1) as f64;
    let verdict = match puzzles.min(*same_cells) {
        _ if *rows < FEW => format!("Too few to say (fewer than {FEW} puzzles)"),
        ALIKE.. => "Yes".to_owned(),
        MOSTLY.. => "Mostly".to_owned(),
        _ => "No".to_owned(),
    };
    let [puzzles, cells, all, most] = [puzzles, *same_cells, ALIKE, MOSTLY].map(|share| 100.0 * share);
    format!(
        "{verdict}. At the end of one pass both have right, or both wrong, {alike} of {} ({puzzles:.1} %), and {cells:.1} % of the cells are \
         equal. Yes asks for {all:.0} % of both, mostly for {most:.0} %. The float model restored from the pack has {} right, the integers {}; \
         {only_float} only the float model, {only_int} only the integers.",
        count(*rows, "puzzle"),
        count(*float_exact, "puzzle"),
        grouped(*int_exact as u64),
    )
}

fn is_or_are(puzzles: usize) -> String {
    format!("{} {}", count(puzzles, "puzzle"), if puzzles == 1 { "is" } else { "are" })
}

/// A p-value as it is printed.
pub(super) fn of_p(p: f64, differing: usize) -> String {
    match p {
        _ if differing == 0 => DASH.to_owned(),
        p if p < 0.0001 => "below 0.0001".to_owned(),
        p => format!("{p:.4}"),
    }
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
    fn losses_are_named_with_the_kind_of_puzzle_they_are_in() {
        let kept = |paths: &[Path]| of_keeping(&[("nothing".into(), keeping(paths))]);
        assert!(kept(&vec![path(&[3, 0], 0.0); 12]).starts_with("Yes. Of 12 answers"));
        assert!(
            kept(&[path(&[3, 0], 0.0)])
                .starts_with("Too few to say (fewer than 10 puzzles): it found 1 answer,")
        );
        let nine = || ("a kind".to_owned(), keeping(&vec![path(&[3, 0], 0.0); 9]));
        assert!(
            of_keeping(&[nine(), nine(), nine()]).starts_with("Too few to say"),
            "27 answers of 9 puzzles"
        );
        assert!(kept(&[path(&[3, 2], 0.0)]).starts_with("It found no answer"));
        let (fine, lost) =
            (keeping(&vec![path(&[3, 0], 0.0); 12]), keeping(&[path(&[0, 2], 0.0), path(&[3, 0], 0.0)]));
        let told = of_keeping(&[("all but a cell".into(), fine), ("nothing".into(), lost)]);
        assert_eq!(
            told,
            "No. Of 14 answers in 2 kinds of puzzles that it found, it lost 1 again: 1 of 2 with nothing given."
        );
    }

    #[test]
    fn a_few_puzzles_give_no_yes_and_no_no() {
        assert!(of_descent(&descent(&[path(&[0, 0], 0.0)])).contains("cannot be seen here: 1 puzzle right"));
        let (leap, steps) = (path(&[9, 9, 0], 0.0), path(&[9, 6, 3, 0], 0.0));
        assert!(of_descent(&descent(std::slice::from_ref(&leap))).starts_with("Too few to say"));
        assert!(of_descent(&descent(&vec![steps.clone(); 9])).starts_with("Too few to say"));
        let told = of_descent(&descent(&vec![leap; 10]));
        assert!(
            told.starts_with("No. 0 puzzles right after the first segment")
                && told.contains("10 right for good"),
            "{told}"
        );
        assert!(told.contains("More than 50 %"), "{told}");
        assert!(of_descent(&descent(&vec![steps; 10])).starts_with("Yes"));
    }

    #[test]
    fn a_few_wrong_cells_give_no_yes_and_no_no() {
        for few in [&[2, 0][..], &[4, 3, 2, 1, 0], &[2, 4, 0]] {
            let told = of_descent(&descent(&vec![path(few, 0.0); 10]));
            assert!(told.starts_with("Too few wrong cells to say"), "{told}");
        }
        assert!(of_descent(&descent(&vec![path(&[5, 0], 0.0); 10])).starts_with("No"));
    }

    #[test]
    fn integers_are_judged_by_puzzles_and_by_cells() {
        let told = |rows, only_float, same_cells| {
            let last = Agreement {
                rows,
                float_exact: 9,
                int_exact: 7,
                only_float,
                same_cells,
                ..Agreement::none(16)
            };
            of_agreement(&last)
        };
        let begins = [
            ("Too few to say", told(9, 0, 1.0)),
            (
                "Yes. At the end of one pass both have right, or both wrong, 100 of 100 puzzles (100.0 %)",
                told(100, 0, 1.0),
            ),
            ("Yes.", told(100, 1, 0.99)),
            ("Mostly.", told(100, 2, 1.0)),
            ("Mostly.", told(100, 0, 0.98)),
            ("No.", told(100, 11, 1.0)),
            ("No.", told(100, 0, 0.89)),
        ];
        for (begin, told) in begins {
            assert!(told.starts_with(begin), "{begin}: {told}");
            assert!(told.contains("Yes asks for 99 % of both, mostly for 90 %."), "{told}");
        }
    }

    #[test]
    fn ends_and_stops_are_counted() {
        let ends = modes(&[path(&[9, 9], 0.0), path(&[9, 9], 0.5), path(&[9, 0], 0.0)], 0.05);
        assert!(!of_modes(&ends).contains("too short"), "as many rest");
        let moving = |failures: usize| of_modes(&modes(&vec![path(&[9, 8], 0.5); failures], 0.05));
        assert!(
            moving(5).ends_with(
                " Most still moved at the last segment: the pass may be too short to see them rest."
            )
        );
        assert!(moving(4).ends_with("and 4 still moved."), "too few to speak of most: {}", moving(4));
        assert!(of_modes(&ends).starts_with("Of 2 puzzles not solved in one pass, 1 came to rest"));
        assert!(of_modes(&modes(&[path(&[0, 0], 0.0)], 0.05)).contains("every puzzle was solved"));
        assert!(of_halting(&Halting { missed: 1, ..Halting::default() }).contains("1 puzzle is right"));
        assert_eq!([of_p(1.0, 0), of_p(1e-9, 40), of_p(0.21875, 6)], ["–", "below 0.0001", "0.2188"]);
    }
}
