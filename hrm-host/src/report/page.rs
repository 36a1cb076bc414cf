//! The report as HTML.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::figures::Figure;
use super::words::{of_descent, of_halting, of_keeping, of_modes};
use super::{Findings, Precision, Report, Work};
use crate::analyze::descent::Descent;
use crate::analyze::modes::Share;
use crate::analyze::trivial::Keeping;
use crate::plot::DrawError;
use crate::train::eval::wilson;

const STYLE: &str = include_str!("style.css");
/// Nothing is loaded and nothing runs, whatever a name in the report holds.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
/// The paper whose questions are asked.
const PAPER: &str = "Are Your Reasoning Models Reasoning or Guessing? (arXiv 2601.10679)";
/// So many puzzles at which integers and float part are listed.
const LISTED: usize = 20;

/// The whole file.
pub(super) fn html(report: &Report) -> Result<String, DrawError> {
    let names: Vec<&str> = report.models.iter().map(|findings| findings.name.as_str()).collect();
    let title = format!("Report on {}", names.join(", "));
    let sections = report.models.iter().map(of_model).collect::<Result<Vec<_>, _>>()?;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                p {
                    (report.rows) " puzzles of " code { (report.data) } ", drawn with seed " (report.seed)
                    ". A puzzle counts as solved where every cell is right. Intervals are 95 % (Wilson). "
                    "A segment is one step of the model's thought, after which its grid can be read."
                }
                (overview(&report.models))
                (figure(&Figure::passes(report)?))
                @if let Some(work) = Figure::work(report)? { (figure(&work)) }
                @for section in &sections { (section) }
                h2 { "How this was made" }
                p { (report.program) ". The same command writes the same file:" }
                pre { code { (report.commands.join("\n")) } }
                p.quiet { "The questions are those of " cite { (PAPER) } "." }
            }
        }
    };
    Ok(page.into_string())
}

/// All models in one table.
fn overview(models: &[Findings]) -> Markup {
    html! {
        div.wide { table {
            thead { tr {
                th { "model" } th { "one pass, %" } th { "voted, %" } th { "wrong called solved" } th { "guesses" }
                th { "segments a puzzle" }
            } }
            tbody { @for findings in models { tr {
                td { (findings.name) }
                td { (one_pass(findings)) }
                @match &findings.work {
                    Some(work) => {
                        @let verdict = work.verdict();
                        td { (share(verdict.solved, verdict.rows)) }
                        td { (verdict.wrongly_solved) }
                        td { (format!("{:.2}", verdict.mean_guesses)) }
                        td { (format!("{:.1}", verdict.mean_segments)) }
                    }
                    None => { td { "–" } td { "–" } td { "–" } td { "–" } }
                }
            } } }
        } }
    }
}

fn one_pass(findings: &Findings) -> String {
    let paths = &findings.study.paths;
    share(paths.iter().filter(|path| path.solved()).count(), paths.len())
}

/// A share in per cent, with its interval.
fn share(hits: usize, rows: usize) -> String {
    let [from, to] = wilson(hits, rows).map(|share| 100.0 * share);
    format!("{:.1} ({from:.1} to {to:.1})", 100.0 * hits as f64 / rows.max(1) as f64)
}

/// Everything about one model.
fn of_model(findings: &Findings) -> Result<Markup, DrawError> {
    let study = &findings.study;
    Ok(html! {
        section {
            h2 { (findings.name) }
            div.wide { table.facts { tbody { @for (name, fact) in &findings.facts {
                tr { td { (name) } td { (fact) } }
            } } } }
            h3 { "Does it keep what it has found?" }
            p.verdict { (of_keeping(&study.keeping)) }
            (keeping(&study.keeping))
            h3 { "Does it come nearer step by step?" }
            p.verdict { (of_descent(&study.descent)) }
            (descent(&study.descent))
            (figure(&Figure::paths(findings)?))
            h3 { "Where does it come to rest?" }
            p.verdict { (of_modes(&study.modes)) }
            (modes(&study.modes, study.rest))
            @if !findings.landscapes.is_empty() {
                p.quiet {
                    "Around the end of one thought of each kind: the rules that the grid breaks which the model reads out of each "
                    "state, and where one more segment leads (arrows)."
                }
                (figure(&Figure::landscapes(findings)?))
            }
            @if let Some(guesses) = Figure::guesses(findings)? {
                p.quiet {
                    "Several guesses of a puzzle that one pass leaves unsolved, each with cells supposed that the guess before it "
                    "ended on; rings are their ends."
                }
                (figure(&guesses))
            }
            h3 { "What is the halting head worth?" }
            p.verdict { (of_halting(&study.halting)) }
            (figure(&Figure::halting(&study.halting)?))
            @if let Some(work) = &findings.work { (of_work(work)) }
            @if let Some(precision) = &findings.precision { (of_precision(precision)?) }
        }
    })
}

fn keeping(keeping: &[(String, Keeping)]) -> Markup {
    html! {
        div.wide { table {
            thead { tr {
                th { "given" } th { "solved, %" } th { "ever right" } th { "lost again" } th { "solved from segment, mean" }
            } }
            tbody { @for (name, k) in keeping { tr {
                td { (name) } td { (share(k.solved, k.rows)) } td { (k.ever_solved) } td { (k.lost) }
                td { (format!("{:.1}", k.mean_segment)) }
            } } }
        } }
    }
}

fn descent(descent: &Descent) -> Markup {
    html! {
        div.wide { table {
            thead { tr { th { "segment" } @for s in 1..=descent.mean.len() { th { (s) } } } }
            tbody { tr {
                td { "wrong cells, mean" } @for wrong in &descent.mean { td { (format!("{wrong:.1}")) } }
            } }
        } }
    }
}

fn modes(modes: &[Share], rest: f64) -> Markup {
    let number = |x: Option<f64>, digits: usize| x.map_or("–".to_owned(), |x| format!("{x:.digits$}"));
    html! {
        div.wide { table {
            thead { tr {
                th { "end" } th { "puzzles" } th { "moves, median" } th { "wrong cells, mean" } th { "rules broken, mean" }
            } }
            tbody { @for share in modes { tr {
                td { (share.mode.name()) } td { (share.rows) } td { (number(share.restlessness, 4)) }
                td { (number(share.wrong, 1)) } td { (number(share.energy, 1)) }
            } } }
        } }
        p.quiet {
            "Moves: how far the slow state goes in one of the last four segments, relative to its size; at rest below " (rest) "."
        }
    }
}

/// What it takes to solve by guessing.
fn of_work(work: &Work) -> Markup {
    let solved = work.sorted();
    let at = |share: f64| {
        let place = (share * work.outcomes.len() as f64).ceil().max(1.0) as usize - 1;
        solved.get(place).map_or("–".to_owned(), u32::to_string)
    };
    html! {
        h3 { "How much work is an answer?" }
        p { "Voted solving: " (work.policy) ". Guesses are made until a checker accepts a grid." }
        div.wide { table {
            thead { tr { th { "of all puzzles" } @for share in [50, 75, 90, 95, 99, 100] { th { (share) " %" } } } }
            tbody { tr {
                td { "solved within segments" }
                @for share in [0.5, 0.75, 0.9, 0.95, 0.99, 1.0] { td { (at(share)) } }
            } }
        } }
    }
}

/// The integers beside the float model.
fn of_precision(precision: &Precision) -> Result<Markup, DrawError> {
    let last = precision.agreement.last();
    Ok(html! {
        h3 { "Do the integers think as the float model does?" }
        @if let Some(last) = last {
            p.verdict {
                "At the end the float model, restored from the pack's weights, has " (last.float_exact) " puzzles right, the integers "
                (last.int_exact) "; " (last.only_float) " only the float model, " (last.only_int) " only the integers."
            }
            (figure(&Figure::precision(precision)?))
        }
        @if !precision.flips.is_empty() {
            p { "Puzzles that only one of both has right at the end, and the segment after which they first differ:" }
            div.wide { table {
                thead { tr { th { "puzzle" } th { "parted" } th { "wrong, float" } th { "wrong, integers" } } }
                tbody { @for flip in precision.flips.iter().take(LISTED) { tr {
                    td { code { (flip.puzzle) } } td { (flip.parted) } td { (flip.float_wrong) } td { (flip.int_wrong) }
                } } }
            } }
            @if precision.flips.len() > LISTED { p.quiet { "And " (precision.flips.len() - LISTED) " more." } }
        }
    })
}

/// A drawing with its title, and the numbers behind it to be saved.
fn figure(figure: &Figure) -> Markup {
    let drawing = figure.svg.get(figure.svg.find("<svg").unwrap_or(0)..).unwrap_or_default();
    let title = html! { title { (figure.title) } }.into_string();
    let (open, rest) = drawing.split_at(drawing.find('>').map_or(0, |end| end + 1));
    let numbers = format!("data:text/csv;base64,{}", STANDARD.encode(&figure.csv));
    html! {
        figure {
            div.wide { (PreEscaped(format!("{}{title}{rest}", open.replacen("<svg", "<svg role=\"img\"", 1)))) }
            figcaption { (figure.title) ". " a download=(figure.name) href=(numbers) { "The numbers (CSV)" } }
        }
    }
}
