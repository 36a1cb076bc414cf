//! What is said of one model.

use maud::{Markup, html};

use super::figures::Figure;
use super::glossary::word;
use super::layout::{cells, table, verdict};
use super::numbers::{DASH, grouped, number, share};
use super::page::figure;
use super::words::{of_agreement, of_belief, of_descent, of_halting, of_keeping, of_modes};
use super::{Findings, Flip, Float, Precision, Work, work};
use crate::analyze::calibration::{Bin, Calibration};
use crate::analyze::descent::Descent;
use crate::analyze::modes::Share;
use crate::analyze::trivial::Keeping;
use crate::plot::DrawError;

/// So many puzzles at which integers and float part are listed.
const LISTED: usize = 20;

/// Everything about one model.
pub(super) fn of_model(id: &str, findings: &Findings) -> Result<Markup, DrawError> {
    let study = &findings.study;
    Ok(html! {
        section id=(id) {
            h2 { (findings.name) }
            table.facts { tbody { @for (name, fact) in &findings.facts {
                tr { th scope="row" { (name) } td { (fact) } }
            } } }
            p.quiet { "Training is counted in " (word("sample-segments")) "." }
            h3 { "Does it keep what it has found?" }
            (verdict(&of_keeping(&study.keeping)))
            (keeping(&findings.name, &study.keeping))
            h3 { "Does it come nearer step by step?" }
            (verdict(&of_descent(&study.descent)))
            (descent(&findings.name, &study.descent))
            (figure(&Figure::paths(findings)?))
            h3 { "Where does it come to rest?" }
            (verdict(&of_modes(&study.modes)))
            (modes(&findings.name, &study.modes, study.rest))
            (around(findings)?)
            h3 { "What is the halting head worth?" }
            div.drawings {
                div {
                    p { "The " (word("halting")) " against the answers:" }
                    (verdict(&of_halting(&study.halting)))
                    @if let Some(halting) = Figure::halting(findings)? { (figure(&halting)) }
                }
                @if let Some(belief) = Figure::belief(findings)? {
                    div {
                        p { "Its " (word("belief")) " that the grid is right, against how often it was:" }
                        (verdict(&of_belief(&study.calibration)))
                        (figure(&belief))
                        (beliefs(&findings.name, &study.calibration))
                    }
                }
            }
            @if let Some(work) = &findings.work { (of_work(&findings.name, work)) }
            @if let Float::Restored(precision) = &findings.float { (of_precision(findings, precision)?) }
        }
    })
}

fn keeping(of: &str, keeping: &[(String, Keeping)]) -> Markup {
    let heads = [
        html! { (word("given")) },
        html! { "right at the end, %" },
        html! { "ever right" },
        html! { (word("lost")) },
        html! { "right for good from segment, mean" },
    ];
    let row = |(name, k): &(String, Keeping)| {
        let (ever, lost) = (grouped(k.ever_solved as u64), grouped(k.lost as u64));
        cells([name.clone(), share(k.solved, k.rows), ever, lost, number(k.mean_segment, 1)])
    };
    table(&format!("Answers that {of} keeps"), "", &heads, keeping.iter().map(row).collect())
}

fn descent(of: &str, descent: &Descent) -> Markup {
    let numbers = (1..=descent.mean.len()).map(|segment| segment.to_string());
    let heads = cells(["segment".to_owned()].into_iter().chain(numbers));
    let wrong = descent.mean.iter().map(|wrong| format!("{wrong:.1}"));
    let row = cells(["wrong cells, mean".to_owned()].into_iter().chain(wrong));
    table(&format!("Wrong cells of {of} after each segment"), "many", &heads, vec![row])
}

fn modes(of: &str, modes: &[Share], rest: f64) -> Markup {
    let heads = [
        html! { "end" },
        html! { "puzzles" },
        html! { (word("moves")) ", median" },
        html! { "wrong cells, mean" },
        html! { a.word href="#broken" { "rules broken" } ", mean" },
    ];
    let row = |share: &Share| {
        let [moves, wrong, broken] = [(share.restlessness, 4), (share.wrong, 1), (share.energy, 1)]
            .map(|(x, digits)| number(x, digits));
        cells([share.mode.name().to_owned(), grouped(share.rows as u64), moves, wrong, broken])
    };
    html! {
        p {
            "How the thoughts of one pass end: " (word("soon")) ", " (word("late")) ", wrong and " (word("rest")) ", or " (word("wandering")) "."
        }
        (table(&format!("Ends of {of}"), "", &heads, modes.iter().map(row).collect()))
        p.quiet { "At rest: moves below " (rest) " of the size of " (word("state")) "." }
    }
}

/// What is believed and what is right, by tenths of belief.
fn beliefs(of: &str, calibration: &Calibration) -> Markup {
    let heads = cells(["believed, %", "grids", "mean, %", "right, %"]);
    let tenths = calibration.bins.len();
    let row = |(i, bin): (usize, &Bin)| {
        let [from, to] = [i, i + 1].map(|i| 100 * i / tenths);
        let [believed, right] = bin.shares()?.map(|share| format!("{:.1}", 100.0 * share));
        Some(cells([format!("{from} to {to}"), grouped(bin.grids as u64), believed, right]))
    };
    let rows = calibration.bins.iter().enumerate().filter_map(row).collect();
    table(&format!("Beliefs of {of}"), "", &heads, rows)
}

/// The landscapes, and whose they are.
fn around(findings: &Findings) -> Result<Markup, DrawError> {
    let weights = html! {
        @if matches!(findings.float, Float::Restored(_)) {
            strong {
                "Drawn with the float model " (word("restored")) " from the pack, whose ways may part from those of the integers above."
            }
            " "
        }
    };
    Ok(html! {
        @if let Float::Missing(reason) = &findings.float { p { (reason) } }
        @if !findings.landscapes.is_empty() {
            p {
                (weights)
                "A " (word("landscape")) " around the end of the first thought of each kind. Green: the grid read out there breaks no rule, which \
                 makes it an answer only where it keeps the givens as well. Light to dark blue: it breaks ever more. Above each landscape: wrong \
                 cells and rules broken at the thought's end, and rules broken at the darkest place. The orange path is the way of the thought, \
                 a dot for each segment, and the ring its end. A thin line with a dot at its end is an arrow: one segment leads from its bare end towards the dot. Long arrows are \
                 shortened to the distance between two of them, and show the direction alone."
            }
            (figure(&Figure::landscapes(findings)?))
        }
        @if let Some(guesses) = Figure::guesses(findings)? {
            div.drawings {
                p {
                    (weights)
                    "Several guesses of the first puzzle that one pass leaves unsolved, in the order orange, green, pink, ochre and blue: each has \
                     cells supposed that the guess before it ended on. All are of the puzzle itself and take as many segments as one pass, so that \
                     they lie in one plane; rings are their ends."
                }
                (figure(&guesses))
            }
        }
    })
}

/// What it takes to solve by guessing.
fn of_work(of: &str, work: &Work) -> Markup {
    const SHARES: [u32; 6] = [50, 75, 90, 95, 99, 100];
    let shares = SHARES.map(|share| format!("{share}\u{a0}%"));
    let heads = cells(["of all puzzles".to_owned()].into_iter().chain(shares));
    let within = SHARES.map(|share| work.within(f64::from(share) / 100.0));
    let row = cells(["right within segments".to_owned()].into_iter().chain(within));
    html! {
        h3 { "How much work is an answer?" }
        p {
            "Voted solving: " (work.policy) ". " (work::procedure(work.rule)) " Explained below: " (word("group")) ", " (word("patience"))
            ", " (word("supposed")) ", " (word("doubt")) "."
        }
        (table(&format!("Work of {of}"), "many", &heads, vec![row]))
        @if work.within(1.0) == DASH { p.quiet { (DASH) ": fewer puzzles than that were answered right." } }
    }
}

/// The integers beside the float model.
fn of_precision(findings: &Findings, precision: &Precision) -> Result<Markup, DrawError> {
    let flips = &precision.flips;
    let heads = cells([
        "puzzle",
        "parted after segment",
        "wrong cells at the end, float",
        "wrong cells at the end, integers",
    ]);
    let row = |flip: &Flip| {
        let mut row = vec![html! { code { (flip.puzzle) } }];
        row.extend(cells(
            [flip.parted as u64, flip.float_wrong.into(), flip.int_wrong.into()]
                .map(|count: u64| grouped(count)),
        ));
        row
    };
    Ok(html! {
        h3 { "Do the integers think as the float model does?" }
        @if let Some(last) = precision.agreement.last() {
            div.drawings {
                (verdict(&of_agreement(last)))
                (figure(&Figure::precision(findings, precision)?))
            }
        }
        @if !flips.is_empty() {
            p {
                "Puzzles that only one of both has right at the end. They part after the first segment that leaves them with different numbers \
                 of wrong cells; with equal numbers the grids may have differed before."
            }
            (table(&format!("Flips of {}", findings.name), "flips", &heads, flips.iter().take(LISTED).map(row).collect()))
            @if flips.len() > LISTED { p.quiet { "And " (grouped((flips.len() - LISTED) as u64)) " more." } }
        }
    })
}
