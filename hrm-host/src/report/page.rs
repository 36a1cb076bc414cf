//! The report as HTML: what is said of all models, and the frame around the sections of each.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::figures::{Drawing, Figure};
use super::glossary::{word, word_as, words};
use super::layout::{cells, command, table};
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
                div.drawings {
                    (figure(&Figure::passes(report)?))
                    @if let Some(work) = Figure::work(report)? { (figure(&work)) }
                }
                (pairs(&report.models))
                @for section in &sections { (section) }
                h2 id="made" { "How this was made" }
                p {
                    (report.program) ". The same commands, with the same files, give the same figures, but for the last bits of floats, in which processors may differ. Names stand here without the folders that \
                     the files lay in: put the folders before the names again, or work in one that has copies of all. The first command writes \
                     this file; each of the others prints a part of it."
                }
                @for line in &report.commands { pre { (command(line)) } }
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
            (word("voted")) ". In parentheses: the " (word_as("interval", "95\u{a0}% interval")) "."
        }
    }
}

/// All models in one table.
fn overview(models: &[Findings]) -> Markup {
    let rule = models.iter().find_map(|findings| findings.work.as_ref()).map(|work| work.rule);
    let several = |work: &Work| work.verdict().several_solutions;
    let mut heads = cells(["model", "one pass, right, %"]);
    if let Some(rule) = rule {
        heads.extend(cells(work::columns(rule).map(|column| format!("voted: {column}"))));
        heads.extend([html! { (word_as("guess", "guesses")) " a puzzle" }, html! { "segments a puzzle" }]);
    }
    let row = |findings: &Findings| {
        let mut row = cells([findings.name.clone(), one_pass(findings)]);
        match &findings.work {
            Some(work) => row.extend(cells(work.overview())),
            // one for each of the columns of voted ones, where there are any
            None => row.extend(cells([DASH; 4])),
        }
        row
    };
    html! {
        (table("All models", "", &heads, models.iter().map(row).collect()))
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
                 first: " (command("hrm-host export RUN --out NAME.hrm"))
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
    let heads =
        ["first", "second", "asked in", "both", "only the first", "only the second", "neither", "p-value"];
    let heads = cells(heads);
    let row = |(first, second, asked, pair): (&Findings, &Findings, &str, Pair)| {
        let mut row = cells([first.name.as_str(), second.name.as_str(), asked]);
        let counts = [pair.both, pair.first, pair.second, pair.neither].map(|count| grouped(count as u64));
        row.extend(cells(counts));
        row.extend(cells([of_p(pair.p_value(), pair.first + pair.second)]));
        row
    };
    html! {
        @if !rows.is_empty() {
            h2 id="pairs" { "Puzzle by puzzle" }
            p {
                "How many of the same puzzles both models, one or neither got right. A small " (word("mcnemar"))
                " says that the two differ; puzzles that both or neither got right say nothing about that."
            }
            (table("Puzzle by puzzle", "pairs", &heads, rows.into_iter().map(row).collect()))
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
            div.drawings { @for drawing in &figure.drawings { (drawn(drawing)) } }
            figcaption { (figure.title) ". " a download=(figure.name) href=(numbers) aria-label={ "The numbers (CSV): " (figure.title) } { "The numbers (CSV)" } }
        }
    }
}
