//! The report as HTML: what is said of all models, and the frame around the sections of each.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::figures::{Drawing, Figure};
use super::glossary::{word, word_as, words};
use super::numbers::{DASH, count, grouped, share};
use super::pair::Pair;
use super::sections::of_model;
use super::words::of_p;
use super::{Findings, Report, Work, work};
use crate::plot::DrawError;

const STYLE: &str = include_str!("style.css");
/// Nothing is loaded and nothing runs, whatever a name in the report holds.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
/// The paper whose questions are asked.
const PAPER: &str = "Are Your Reasoning Models Reasoning or Guessing? (arXiv 2601.10679)";

/// The whole file.
pub(super) fn html(report: &Report) -> Result<String, DrawError> {
    let names: Vec<&str> = report.models.iter().map(|findings| findings.name.as_str()).collect();
    let title = format!("Report on {}", names.join(", "));
    let sections = report.models.iter().enumerate().map(|(i, findings)| of_model(&id_of(i), findings));
    let sections = sections.collect::<Result<Vec<_>, _>>()?;
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
            body { main {
                h1 { (title) }
                (asked(report))
                (contents(&report.models))
                (overview(&report.models))
                (figure(&Figure::passes(report)?))
                @if let Some(work) = Figure::work(report)? { (figure(&work)) }
                (pairs(&report.models))
                @for section in &sections { (section) }
                h2 id="made" { "How this was made" }
                p {
                    (report.program) ". The same commands, with the same files, give the same figures, but for the last bits of floats, in which processors may differ. Names stand here without the folders that \
                     the files lay in: put the folders before the names again, or work in one that has copies of all. The first command writes \
                     this file; each of the others prints a part of it."
                }
                pre { code { (report.commands.join("\n")) } }
                p.quiet { "The questions are those of " cite { (PAPER) } "." }
                (words(report.broken))
            } }
        }
    };
    Ok(page.into_string())
}

/// What a link to the section of the `i`-th model names.
fn id_of(i: usize) -> String {
    format!("model-{}", i + 1)
}

/// Links to what follows.
fn contents(models: &[Findings]) -> Markup {
    html! {
        nav aria-label="Contents" { ul {
            @if models.len() > 1 { li { a href="#pairs" { "Puzzle by puzzle" } } }
            @for (i, findings) in models.iter().enumerate() { li { a href={ "#" (id_of(i)) } { (findings.name) } } }
            li { a href="#made" { "How this was made" } }
            li { a href="#words" { "Words" } }
        } }
    }
}

/// Which puzzles were asked.
fn asked(report: &Report) -> Markup {
    let data = &report.data;
    html! {
        p {
            (count(report.rows, "puzzle")) " of " code { (data.name) } " (" (count(data.rows, "puzzle")) ", CRC-32 of the file "
            (format!("{:08x}", data.crc)) "), drawn with seed " (report.seed) "."
            @if report.rows < report.wanted {
                " " (grouped(report.wanted as u64)) " were asked for: the file has no more."
            }
            " Each is asked in " (word("pass")) " of as many " (word_as("segment", "segments")) " as the table of the model says; packs are also "
            (word("voted")) ". In parentheses: the " (word_as("interval", "95 % interval")) "."
        }
    }
}

/// All models in one table.
fn overview(models: &[Findings]) -> Markup {
    let rule = models.iter().find_map(|findings| findings.work.as_ref()).map(|work| work.rule);
    let several = |work: &Work| work.verdict().several_solutions;
    html! {
        div.wide { table {
            thead { tr {
                th { "model" } th { "one pass, right, %" }
                @if let Some(rule) = rule {
                    @for column in work::columns(rule) { th { "voted: " (column) } }
                    th { (word_as("guess", "guesses")) " a puzzle" } th { "segments a puzzle" }
                }
            } }
            tbody { @for findings in models { tr {
                td { (findings.name) }
                td { (one_pass(findings)) }
                @match (&findings.work, rule) {
                    (Some(work), _) => { @for cell in work.overview() { td { (cell) } } }
                    (None, Some(_)) => { @for _ in 0..4 { td { (DASH) } } }
                    (None, None) => {}
                }
            } } }
        } }
        @if let Some(rule) = rule { p { (work::procedure(rule)) } }
        @for (findings, work) in models.iter().filter_map(|findings| Some((findings, findings.work.as_ref()?))) {
            @if several(work) > 0 {
                p {
                    (findings.name) ": to " (count(several(work), "puzzle")) " with several solutions it found another one than the file's. \
                     It is valid, and called solved; the column of voted ones leaves it out, that of one pass counts it."
                }
            }
        }
        @if models.iter().any(|findings| findings.work.is_none()) {
            p.quiet {
                "Of checkpoints there is one pass alone: voted solving, its work and the comparison with integers are for packs only. Export \
                 first: " code { "hrm-host export RUN --out NAME.hrm" }
            }
        }
    }
}

fn one_pass(findings: &Findings) -> String {
    let right = findings.right();
    share(right.iter().filter(|right| **right).count(), right.len())
}

/// Every two models beside each other, on the very same puzzles; nothing of one alone.
fn pairs(models: &[Findings]) -> Markup {
    let voted = |findings: &Findings| findings.work.as_ref().map(Work::right);
    let mut rows = Vec::new();
    for (i, first) in models.iter().enumerate() {
        for second in &models[i + 1..] {
            rows.push((first, second, "one pass", Pair::of(&first.right(), &second.right())));
            if let (Some(a), Some(b)) = (voted(first), voted(second)) {
                rows.push((first, second, "voted", Pair::of(&a, &b)));
            }
        }
    }
    html! {
        @if !rows.is_empty() {
            h2 id="pairs" { "Puzzle by puzzle" }
            p {
                "How many of the same puzzles both models, one or neither got right. A small " (word("mcnemar"))
                " says that the two differ; puzzles that both or neither got right say nothing about that."
            }
            div.wide { table {
                thead { tr {
                    th { "first" } th.left { "second" } th { "asked in" } th { "both" } th { "only the first" } th { "only the second" } th { "neither" }
                    th { "p-value" }
                } }
                tbody { @for (first, second, asked, pair) in rows { tr {
                    td { (first.name) } td.left { (second.name) } td { (asked) }
                    @for number in [pair.both, pair.first, pair.second, pair.neither] { td { (grouped(number as u64)) } }
                    td { (of_p(pair.p_value(), pair.first + pair.second)) }
                } } }
            } }
        }
    }
}

/// Drawings with their title, and the numbers behind them to be saved.
pub(super) fn figure(figure: &Figure) -> Markup {
    let drawn = |drawing: &Drawing| {
        let svg = drawing.svg.get(drawing.svg.find("<svg").unwrap_or(0)..).unwrap_or_default();
        let named = html! { title { (figure.title) } desc { (drawing.told) } }.into_string();
        let (open, rest) = svg.split_at(svg.find('>').map_or(0, |end| end + 1));
        PreEscaped(format!("{}{named}{rest}", open.replacen("<svg", "<svg role=\"img\"", 1)))
    };
    let numbers = format!("data:text/csv;base64,{}", STANDARD.encode(&figure.csv));
    html! {
        figure {
            div.drawings { @for drawing in &figure.drawings { div.wide { (drawn(drawing)) } } }
            figcaption { (figure.title) ". " a download=(figure.name) href=(numbers) { "The numbers (CSV)" } }
        }
    }
}
