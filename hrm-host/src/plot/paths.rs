//! A model's ways through many puzzles: what was wrong and how far the state moved, segment by segment.

use std::io;

use plotters::prelude::*;

use super::style::{self, Canvas, DrawError, Drawn, FONT, Frame, SMALL, TEXT, WIDTH, colour, short, whole};
use crate::analyze::modes::Mode;
use crate::analyze::path::Path;
use crate::files::Signature;

const HEAD: u32 = 52;
const PANEL: u32 = 294;
/// More lines than these are one surface.
const LINES: usize = 120;
/// Fewer lines than these hide nothing, and are drawn in full colour.
const FEW: f64 = 30.0;

/// What the picture shows of `model`.
pub fn title(model: &str) -> String {
    format!("Ways of {model} through the puzzles")
}

/// The first 120 of `paths`, each with its mode, and the mean of the wrong cells after each segment, as SVG.
///
/// # Errors
/// Where the drawing library fails.
pub fn svg(paths: &[(Mode, Path)], mean: &[f64]) -> Result<String, DrawError> {
    style::svg((WIDTH, HEAD + 2 * PANEL), |canvas| {
        let (legend, panels) = canvas.split_vertically(HEAD);
        draw_legend(&legend)?;
        let panels = panels.split_evenly((2, 1));
        wrong(&panels[0], paths, mean)?;
        moves(&panels[1], paths)
    })
}

/// The two panels of it, each a picture of its own.
///
/// # Errors
/// Where the drawing library fails.
pub fn panels(paths: &[(Mode, Path)], mean: &[f64]) -> Result<[String; 2], DrawError> {
    let alone = |draw: &dyn Fn(&Canvas<'_>) -> Drawn| {
        style::svg((WIDTH, HEAD + PANEL), |canvas| {
            let (legend, area) = canvas.split_vertically(HEAD);
            draw_legend(&legend)?;
            draw(&area)
        })
    };
    Ok([alone(&|area| wrong(area, paths, mean))?, alone(&|area| moves(area, paths))?])
}

fn wrong(area: &Canvas<'_>, paths: &[(Mode, Path)], mean: &[f64]) -> Drawn {
    let title = "wrong cells of each puzzle, and their mean (thick)";
    panel(area, title, paths, (1, Path::errors), Some(mean))
}

fn moves(area: &Canvas<'_>, paths: &[(Mode, Path)]) -> Drawn {
    let title = "moves of the slow state, relative to its size";
    panel(area, title, paths, (2, |path: &Path| path.moved.clone()), None)
}

fn draw_legend(area: &Canvas<'_>) -> Drawn {
    for (i, mode) in Mode::ALL.into_iter().enumerate() {
        let (x, y) = (66 + 165 * (i as i32 % 2), 6 + 22 * (i as i32 / 2));
        area.draw(&Rectangle::new([(x, y + 5), (x + 24, y + 9)], colour(place(mode)).filled()))?;
        area.draw(&Text::new(mode.name(), (x + 32, y), (FONT, SMALL).into_font().color(&TEXT)))?;
    }
    Ok(())
}

/// Blue, green, pink and orange, in this order.
fn place(mode: Mode) -> usize {
    match mode {
        Mode::SolvedSoon => 0,
        Mode::SolvedLate => 2,
        Mode::WrongAtRest => 3,
        Mode::Wandering => 1,
    }
}

/// One line per path of what `values` takes from it, the first of them at segment `first`.
fn panel(
    area: &Canvas<'_>,
    title: &str,
    paths: &[(Mode, Path)],
    (first, values): (usize, impl Fn(&Path) -> Vec<f64>),
    mean: Option<&[f64]>,
) -> Drawn {
    let curves: Vec<(Mode, Vec<f64>)> =
        paths.iter().take(LINES).map(|(mode, path)| (*mode, values(path))).collect();
    let top = curves.iter().flat_map(|(_, curve)| curve).copied().fold(0.0, f64::max).max(1e-3);
    let last = paths.iter().map(|(_, path)| path.wrong.len()).max().unwrap_or(1).max(2);
    let opacity = (FEW / curves.len() as f64).clamp(0.4, 1.0);
    let plain = |x: &f64| short(*x);
    let frame = Frame {
        title,
        x: 1.0..last as f64,
        y: 0.0..1.05 * top,
        names: ["segment", ""],
        numbers: [10, 10],
        formats: [&|x: &f64| whole(*x), &plain],
    };
    let mut chart = style::chart(area, &frame)?;
    let points = |curve: &[f64]| -> Vec<(f64, f64)> {
        curve.iter().enumerate().map(|(i, &y)| ((first + i) as f64, y)).collect()
    };
    for (mode, curve) in &curves {
        chart
            .draw_series(LineSeries::new(points(curve), colour(place(*mode)).mix(opacity).stroke_width(1)))?;
    }
    if let Some(mean) = mean {
        chart.draw_series(LineSeries::new(points(mean), BLACK.stroke_width(3)))?;
    }
    Ok(())
}

/// The columns of [`to_csv`].
const HEADER: &str = "model,row,puzzle,end,segment,wrong_cells,rules_broken,moved";

/// A table of a model's paths.
pub const TABLE: Signature<'static> = Signature::of_mark("a table of a model's paths");

/// The numbers behind the picture of what `model` does: a line per puzzle and segment; `puzzles`
/// are the puzzles themselves.
///
/// # Errors
/// What the writer says.
pub fn to_csv<W: io::Write>(
    model: &str,
    paths: &[(Mode, Path)],
    puzzles: &[String],
    to: W,
) -> csv::Result<()> {
    let mut table = csv::Writer::from_writer(to);
    table.write_record(HEADER.split(','))?;
    for (row, ((mode, path), puzzle)) in paths.iter().zip(puzzles).enumerate() {
        for (s, (wrong, energy)) in path.wrong.iter().zip(&path.energy).enumerate() {
            let moved = s.checked_sub(1).and_then(|s| path.moved.get(s)).map(|x| format!("{x:.6}"));
            table.write_record([
                model,
                &(row + 1).to_string(),
                puzzle,
                mode.name(),
                &(s + 1).to_string(),
                &wrong.to_string(),
                &energy.to_string(),
                &moved.unwrap_or_default(),
            ])?;
        }
    }
    table.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths() -> Vec<(Mode, Path)> {
        let path = |wrong: [u32; 3], moved: [f64; 2]| Path {
            wrong: wrong.to_vec(),
            energy: vec![0; 3],
            moved: moved.to_vec(),
            ..Path::default()
        };
        vec![(Mode::SolvedLate, path([9, 9, 0], [0.5, 0.25])), (Mode::Wandering, path([9, 8, 7], [0.5, 0.5]))]
    }

    #[test]
    fn every_path_is_a_line_in_both_panels() {
        let picture = svg(&paths(), &[9.0, 8.5, 3.5]).unwrap();
        let lines = |colour: &str| {
            picture.split("<polyline").filter(|line| line.contains(&format!("stroke=\"{colour}\""))).count()
        };
        assert_eq!((lines("#009E73"), lines("#D55E00")), (2, 2));
        assert_eq!(lines("#000000"), 1, "the mean");
        assert!(picture.contains("wandering") && picture.contains("segment"));
        assert!(svg(&[], &[]).is_ok());
        let lines = |picture: &str| picture.matches("stroke=\"#009E73\"").count();
        let [wrong, moves] = panels(&paths(), &[9.0, 8.5, 3.5]).unwrap();
        assert_eq!([lines(&wrong), lines(&moves)], [1, 1]);
        assert_eq!([&wrong, &moves].map(|panel| panel.matches("solved late").count()), [1, 1], "the legend");
        assert!(wrong.contains("wrong cells") && moves.contains("moves of the slow state"));
    }

    #[test]
    fn the_table_has_every_number() {
        let mut table = Vec::new();
        to_csv("a.hrm", &paths(), &["12".into(), "3.".into()], &mut table).unwrap();
        let table = String::from_utf8(table).unwrap();
        assert_eq!(table.lines().count(), 7);
        assert_eq!(table.lines().nth(1), Some("a.hrm,1,12,solved late,1,9,0,"));
        assert_eq!(table.lines().nth(6), Some("a.hrm,2,3.,wandering,3,7,0,0.500000"));
    }
}
