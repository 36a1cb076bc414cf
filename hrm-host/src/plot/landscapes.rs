//! Landscapes of broken rules around the ends of thoughts, with the ways that led there.

use std::io;

use plotters::prelude::*;

use super::style::{self, Canvas, DrawError, Drawn, Frame, WIDTH, colour, short};
use crate::analyze::landscape::{ARROWS, Landscape, SIDE};
use crate::analyze::modes::Mode;
use crate::files::Signature;

const PANEL: (u32, u32) = (WIDTH, 384);
/// An arrow is at most as long as the distance between two.
const ARROW: f64 = 2.0 / (ARROWS - 1) as f64;
/// No rule is broken.
const SOLVED: RGBColor = RGBColor(150, 215, 160);
const ARROWED: RGBColor = RGBColor(20, 20, 20);

/// A panel for each of `landscapes`, two in a row, as SVG.
///
/// # Errors
/// Where the drawing library fails.
pub fn svg(landscapes: &[(Mode, Landscape)]) -> Result<String, DrawError> {
    let columns = landscapes.len().clamp(1, 2);
    let rows = landscapes.len().div_ceil(2).max(1);
    style::svg((PANEL.0 * columns as u32, PANEL.1 * rows as u32), |canvas| {
        for (area, (mode, landscape)) in canvas.split_evenly((rows, columns)).iter().zip(landscapes) {
            panel(area, *mode, landscape)?;
        }
        Ok(())
    })
}

/// What a picture of several shows of `model`.
pub fn title(model: &str) -> String {
    format!("Landscapes around the ends of thoughts of {model}")
}

/// What stands above a landscape: wrong cells and rules broken at the first thought's end, and rules
/// broken at the darkest place.
pub fn heading(mode: Mode, landscape: &Landscape) -> String {
    let path = &landscape.first.path;
    let [wrong, broken] = [&path.wrong, &path.energy].map(|counts| counts.last().copied().unwrap_or(0));
    let highest = landscape.energy.iter().copied().max().unwrap_or(0);
    format!("{}: {wrong} wrong, {broken} broken (darkest: {highest})", mode.name())
}

fn panel(area: &Canvas<'_>, mode: Mode, landscape: &Landscape) -> Drawn {
    let [width, height] = landscape.extent;
    let highest = landscape.energy.iter().copied().max().unwrap_or(0);
    let [across, up] = [0, 1]
        .map(|i| format!("component {}: {:.0} % of the variance", i + 1, 100.0 * landscape.explained[i]));
    let plain = |x: &f64| short(*x);
    let frame = Frame {
        title: &heading(mode, landscape),
        x: -width..width,
        y: -height..height,
        names: [&across, &up],
        numbers: [6, 7],
        formats: [&plain, &plain],
    };
    let mut chart = style::chart(area, &frame)?;
    // neighbours of one energy are one rectangle, which makes the file several times smaller
    let edge = |i: usize, extent: f64| (extent * ((2 * i) as f64 / SIDE as f64 - 1.0)).clamp(-extent, extent);
    for (y, row) in landscape.energy.chunks_exact(SIDE).enumerate() {
        let mut x = 0;
        for same in row.chunk_by(|a, b| a == b) {
            let (left, right) = (edge(x, width), edge(x + same.len(), width));
            let corners = [(left, edge(y, height)), (right, edge(y + 1, height))];
            chart.draw_series([Rectangle::new(corners, shade(same[0], highest).filled())])?;
            x += same.len();
        }
    }
    for &[from, to] in &landscape.arrows {
        let by = [(to[0] - from[0]) / width, (to[1] - from[1]) / height];
        let shrink = (ARROW / f64::hypot(by[0], by[1])).min(1.0);
        let tip = (from[0] + shrink * by[0] * width, from[1] + shrink * by[1] * height);
        chart.draw_series([PathElement::new([(from[0], from[1]), tip], ARROWED.stroke_width(1))])?;
        chart.draw_series([Circle::new(tip, 2, ARROWED.filled())])?;
    }
    for (i, thought) in landscape.thoughts().enumerate() {
        let colour = colour(i + 1);
        let trace: Vec<(f64, f64)> = thought.trace.iter().map(|&[x, y]| (x, y)).collect();
        // first a wider one in white, so that it is seen on every shade
        for (colour, wider) in [(WHITE, 2), (colour, 0)] {
            chart.draw_series(LineSeries::new(trace.iter().copied(), colour.stroke_width(2 + wider)))?;
            chart.draw_series(trace.iter().map(|&at| Circle::new(at, 3 + wider / 2, colour.filled())))?;
            chart.draw_series(trace.last().map(|&at| Circle::new(at, 6, colour.stroke_width(2 + wider))))?;
        }
    }
    Ok(())
}

/// Green where no rule is broken; else the darker, the more are.
fn shade(energy: u32, highest: u32) -> RGBColor {
    if energy == 0 {
        return SOLVED;
    }
    let depth = f64::from(energy) / f64::from(highest.max(1));
    let mix = |light: f64, dark: f64| (light + depth * (dark - light)) as u8;
    RGBColor(mix(245.0, 80.0), mix(245.0, 110.0), mix(250.0, 170.0))
}

/// The columns of [`to_csv`].
const HEADER: &str = "model,end,kind,x,y,rules_broken,guess,segment,to_x,to_y";

/// A table of landscapes.
pub const TABLE: Signature<'static> = Signature::of_mark("a table of landscapes");

/// The numbers behind the picture of what `model` does: the rules broken at every `place`, the `state` after
/// every segment of every guess, and `arrow`s from a place to where one segment leads.
///
/// # Errors
/// What the writer says.
pub fn to_csv<W: io::Write>(model: &str, landscapes: &[(Mode, Landscape)], to: W) -> csv::Result<()> {
    let mut table = csv::Writer::from_writer(to);
    table.write_record(HEADER.split(','))?;
    let number = |x: f64| format!("{x:.4}");
    for (mode, landscape) in landscapes {
        let mut line = |kind: &str, [x, y]: [f64; 2], rest: [&str; 5]| {
            let (x, y) = (number(x), number(y));
            table.write_record([model, mode.name(), kind, &x, &y].into_iter().chain(rest))
        };
        for (at, broken) in landscape.places().zip(&landscape.energy) {
            line("place", at, [&broken.to_string(), "", "", "", ""])?;
        }
        for (i, thought) in landscape.thoughts().enumerate() {
            for (s, &at) in thought.trace.iter().enumerate() {
                line("state", at, ["", &(i + 1).to_string(), &(s + 1).to_string(), "", ""])?;
            }
        }
        for &[from, to] in &landscape.arrows {
            line("arrow", from, ["", "", "", &number(to[0]), &number(to[1])])?;
        }
    }
    table.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::landscape::Thought;
    use crate::analyze::path::Path;

    fn landscape() -> Landscape {
        let path = Path { wrong: vec![5, 0], energy: vec![4, 0], moved: vec![0.3], ..Path::default() };
        let mut energy = vec![30; SIDE * SIDE];
        energy[SIDE * SIDE / 2] = 0;
        Landscape {
            first: Thought { path, trace: vec![[1.0, 0.5], [0.0, 0.0]] },
            others: Vec::new(),
            extent: [2.0, 1.0],
            explained: [0.75, 0.25],
            energy,
            arrows: vec![[[1.0, 0.5], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]],
        }
    }

    #[test]
    fn the_picture_shows_every_landscape() {
        let picture = svg(&[(Mode::SolvedLate, landscape()), (Mode::Wandering, landscape())]).unwrap();
        assert!(picture.contains("solved late") && picture.contains("wandering"));
        assert!(picture.contains("75 % of the variance"));
        // one green place, and rows of one colour are one rectangle
        let rectangles =
            |fill: &str| picture.split("<rect").filter(|r| r.contains(&format!("fill=\"{fill}\""))).count();
        assert_eq!(rectangles("#96D7A0"), 2);
        assert_eq!(rectangles("#506EAA"), 2 * (SIDE + 1));
        assert!(svg(&[]).is_ok());
    }

    #[test]
    fn the_table_has_every_number() {
        let mut table = Vec::new();
        to_csv("a.hrm", &[(Mode::SolvedLate, landscape())], &mut table).unwrap();
        let table = String::from_utf8(table).unwrap();
        assert_eq!(table.lines().count(), 1 + SIDE * SIDE + 2 + 2);
        assert_eq!(table.lines().nth(1), Some("a.hrm,solved late,place,-2.0000,-1.0000,30,,,,"));
        assert!(table.contains("a.hrm,solved late,state,1.0000,0.5000,,1,1,,"));
        assert!(table.contains("a.hrm,solved late,arrow,1.0000,0.5000,,,,0.0000,0.0000"));
    }
}
