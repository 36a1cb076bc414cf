//! Learning curves of one or more runs, as SVG: a row per measure, against sample-segments on the left and
//! minutes on the right, a colour per run.

use plotters::prelude::*;

use super::history::History;
use super::style::{self, Canvas, DrawError, Drawn, FONT, Frame, SMALL, TEXT, colour, short};

const WIDTH: u32 = 1120;
const PANEL_HEIGHT: u32 = 205;
const LEGEND_LINE: u32 = 22;
/// Points of a loss curve; more are averaged, because no eye sees them.
const LOSS_POINTS: usize = 240;

/// What a row of panels shows.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Measure {
    Loss,
    /// Exact accuracy at this share of hints.
    Exact(u8),
}

/// What the x axis counts.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Axis {
    Samples,
    Minutes,
}

/// A point of a curve, and the interval around it where there is one.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    x: f64,
    y: f64,
    interval: Option<[f64; 2]>,
}

/// The learning curves of `runs` as SVG.
///
/// # Errors
/// Where the drawing library fails.
pub fn svg(runs: &[History]) -> Result<String, DrawError> {
    let mut measures = vec![Measure::Loss];
    let mut hints: Vec<u8> = runs.iter().flat_map(History::hint_levels).collect();
    hints.sort_unstable();
    hints.dedup();
    measures.extend(hints.into_iter().map(Measure::Exact));

    let head = 16 + LEGEND_LINE * runs.len() as u32;
    let size = (WIDTH, head + PANEL_HEIGHT * measures.len() as u32 + 8);
    style::svg(size, |canvas| draw(canvas, head, runs, &measures))
}

fn draw(canvas: &Canvas<'_>, head: u32, runs: &[History], measures: &[Measure]) -> Drawn {
    let (legend, panels) = canvas.split_vertically(head);
    draw_legend(&legend, runs)?;
    let panels = panels.split_evenly((measures.len(), 2));
    for (column, axis) in [Axis::Samples, Axis::Minutes].into_iter().enumerate() {
        // One scale for the whole column, so that its panels can be read together.
        let every =
            runs.iter().flat_map(|run| measures.iter().flat_map(|&measure| points(run, measure, axis)));
        let end = every.map(|p| p.x).fold(0.0, f64::max);
        let end = if end > 0.0 { end * 1.02 } else { 1.0 };
        for (row, &measure) in measures.iter().enumerate() {
            let last = row + 1 == measures.len();
            panel(&panels[2 * row + column], runs, measure, (axis, end, last))?;
        }
    }
    Ok(())
}

fn draw_legend(area: &Canvas<'_>, runs: &[History]) -> Drawn {
    for (i, run) in runs.iter().enumerate() {
        let y = 12 + (LEGEND_LINE * i as u32) as i32;
        area.draw(&Rectangle::new([(60, y + 5), (84, y + 9)], colour(i).filled()))?;
        area.draw(&Text::new(
            format!("{}: {}", run.name, extent(run)),
            (92, y),
            (FONT, SMALL).into_font().color(&TEXT),
        ))?;
    }
    Ok(())
}

/// How far a run has come, in words.
fn extent(run: &History) -> String {
    let logged = run.logged.last().map(|l| (l.step, l.samples, l.minutes));
    let evaluated = run.evaluated.last().map(|e| (e.step, e.samples, e.minutes));
    match [logged, evaluated].into_iter().flatten().max_by_key(|(step, ..)| *step) {
        Some((step, samples, minutes)) => {
            format!(
                "{} steps, {} sample-segments, {minutes:.0} min",
                short(step as f64),
                short(samples as f64)
            )
        }
        None => "nothing logged".to_owned(),
    }
}

/// Draws `measure` of all runs over `axis`, which goes to `x_end` and is named where the panel
/// is the last of its column.
fn panel(
    area: &Canvas<'_>,
    runs: &[History],
    measure: Measure,
    (axis, x_end, named): (Axis, f64, bool),
) -> Drawn {
    let mut curves: Vec<Vec<Point>> = runs.iter().map(|run| points(run, measure, axis)).collect();
    let (title, y_end) = match measure {
        Measure::Loss => {
            // The first steps' losses would press everything that follows to the floor.
            let (highest, median) = highest_and_median(&curves);
            let end = if highest > 2.2 * median { 2.0 * median } else { highest.max(1e-3) * 1.05 };
            curves.iter_mut().flatten().for_each(|p| p.y = p.y.min(end));
            let cut = if highest > end { format!(" (cut at {end:.2})") } else { String::new() };
            (format!("training loss{cut}"), end)
        }
        Measure::Exact(0) => ("exact %, no hints (the puzzles as they are)".to_owned(), 102.0),
        Measure::Exact(hints) => (format!("exact %, {hints} % of the blanks given"), 102.0),
    };
    let y_label = |y: &f64| match measure {
        Measure::Loss => format!("{y:.2}"),
        Measure::Exact(_) => format!("{y:.0}"),
    };
    let x_name = match axis {
        _ if !named => "",
        Axis::Samples => "sample-segments",
        Axis::Minutes => "minutes of training",
    };
    let frame = Frame {
        title: &title,
        x: 0.0..x_end,
        y: 0.0..y_end,
        names: [x_name, ""],
        numbers: [8, 6],
        formats: [&|x| short(*x), &y_label],
    };
    let mut chart = style::chart(area, &frame)?;
    for (i, curve) in curves.iter().enumerate() {
        let band: Vec<(f64, f64)> = curve
            .iter()
            .filter_map(|p| Some((p.x, p.interval?[1])))
            .chain(curve.iter().rev().filter_map(|p| Some((p.x, p.interval?[0]))))
            .collect();
        if curve.len() > 1 && !band.is_empty() {
            chart.draw_series([Polygon::new(band, colour(i).mix(0.12))])?;
        }
        let line = curve.iter().map(|p| (p.x, p.y));
        // Earlier runs are drawn wider, so that one which lies under another is still seen.
        let width = 2 + 2 * (curves.len() - 1 - i).min(3) as u32;
        chart.draw_series(LineSeries::new(line.clone(), colour(i).stroke_width(width)))?;
        if measure != Measure::Loss && curve.len() <= 60 {
            chart.draw_series(line.map(|at| Circle::new(at, 1 + width, colour(i).filled())))?;
        }
    }
    Ok(())
}

/// The curve of a run: accuracies in per cent, losses averaged where there are many.
fn points(run: &History, measure: Measure, axis: Axis) -> Vec<Point> {
    let x = |samples: u64, minutes: f64| match axis {
        Axis::Samples => samples as f64,
        Axis::Minutes => minutes,
    };
    match measure {
        Measure::Loss => {
            let piece = run.logged.len().div_ceil(LOSS_POINTS).max(1);
            let mean = |values: &mut dyn Iterator<Item = f64>, len: usize| values.sum::<f64>() / len as f64;
            run.logged
                .chunks(piece)
                .map(|logged| Point {
                    x: mean(&mut logged.iter().map(|l| x(l.samples, l.minutes)), logged.len()),
                    y: mean(&mut logged.iter().map(|l| l.loss), logged.len()),
                    interval: None,
                })
                .collect()
        }
        Measure::Exact(hints) => {
            let levels = run.evaluated.iter().flat_map(|e| e.levels.iter().map(move |level| (e, level)));
            levels
                .filter(|(_, level)| level.hints == hints)
                .map(|(e, level)| Point {
                    x: x(e.samples, e.minutes),
                    y: 100.0 * level.exact,
                    interval: Some(level.interval.map(|end| 100.0 * end)),
                })
                .collect()
        }
    }
}

/// Of all y values of all curves; 0 where there are none.
fn highest_and_median(curves: &[Vec<Point>]) -> (f64, f64) {
    let mut values: Vec<f64> = curves.iter().flatten().map(|p| p.y).collect();
    values.sort_by(f64::total_cmp);
    let at = |i: usize| values.get(i).copied().unwrap_or(0.0);
    (at(values.len().saturating_sub(1)), at(values.len() / 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::eval::Level;
    use crate::train::metrics::{Evaluation, Progress};

    fn run(name: &str, lines: u64) -> History {
        let logged = (1..=lines).map(|i| Progress {
            step: i * 20,
            samples: i * 1280,
            minutes: i as f64 / 4.0,
            rate: 85.0,
            lr: 1e-3,
            loss: 2.0 / i as f64,
            cross_entropy: 1.9 / i as f64,
            halt_loss: 0.1,
            ..Progress::default()
        });
        let level = |hints, exact: f64| Level {
            hints,
            rows: 64,
            exact,
            interval: [exact * 0.9, exact],
            exact_at_halt: exact,
            mean_halt: 3.0,
            cells: 0.9,
            by_segment: Vec::new(),
            outcomes: Vec::new(),
        };
        let evaluated = (1..=3).map(|i| Evaluation {
            step: i * 20,
            samples: i * 1280,
            minutes: i as f64 / 4.0,
            segments: 16,
            levels: vec![level(90, 0.3 * i as f64), level(0, 0.01 * i as f64)],
        });
        History {
            name: name.to_owned(),
            logged: logged.collect(),
            evaluated: evaluated.collect(),
            damaged: 0,
        }
    }

    #[test]
    fn many_losses_are_averaged_and_accuracies_are_per_cent() {
        let long = run("long", 1000);
        let curve = points(&long, Measure::Loss, Axis::Samples);
        assert_eq!(curve.len(), 200);
        assert_eq!(curve[0].x, 1280.0 * 3.0);
        let mean = [1.0, 2.0, 3.0, 4.0, 5.0].map(|i| 2.0 / i).iter().sum::<f64>() / 5.0;
        assert!((curve[0].y - mean).abs() < 1e-12);
        let exact = points(&long, Measure::Exact(90), Axis::Minutes);
        assert_eq!((exact.len(), exact[1].x, exact[1].y), (3, 0.5, 60.0));
        assert_eq!(exact[1].interval, Some([54.0, 60.0]));
        assert!(points(&long, Measure::Exact(40), Axis::Minutes).is_empty());
    }

    #[test]
    fn the_picture_shows_every_run_and_measure() {
        let svg = svg(&[run("first", 10), run("second", 300)]).unwrap();
        assert!(svg.contains("\n<svg ") && svg.trim_end().ends_with("</svg>"));
        for text in
            ["first", "second", "no hints", "90 %", "training loss", "sample-segments", "minutes of training"]
        {
            assert!(svg.contains(text), "{text} is missing");
        }
        let lines = |colour: &str| {
            svg.split("<polyline").filter(|line| line.contains(&format!("stroke=\"{colour}\""))).count()
        };
        // A curve per panel: two axes for the loss and two shares of hints.
        assert_eq!((lines("#0072B2"), lines("#D55E00")), (6, 6));
    }

    #[test]
    fn high_first_losses_are_cut_and_said_to_be() {
        // 2 / i for i to 1000, averaged by five: the median is about 0.004, the highest 0.91.
        assert!(svg(&[run("long", 1000)]).unwrap().contains("training loss (cut at 0.01)"));
        let mut flat = run("flat", 5);
        flat.logged.iter_mut().for_each(|l| l.loss = 1.5);
        assert!(!svg(&[flat]).unwrap().contains("cut at"));
    }

    #[test]
    fn a_run_without_evaluations_can_be_drawn() {
        let young = History { evaluated: Vec::new(), ..run("young", 1) };
        assert!(svg(&[young]).unwrap().contains("young"));
    }
}
