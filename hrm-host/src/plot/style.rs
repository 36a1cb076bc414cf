//! What all pictures have in common.

use std::io::{self, BufRead};
use std::ops::Range;

use hrm_core::digest::CRC;
use maud::html;
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use crate::files::{Signature, whole_text};

/// Okabe and Ito's colours, which the colour-blind can tell apart; the palest two are darker here, so that
/// their lines are seen on white.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(184, 134, 11),
    RGBColor(58, 147, 204),
    RGBColor(0, 0, 0),
];
const GRID: RGBColor = RGBColor(225, 225, 225);
const AXIS: RGBColor = RGBColor(130, 130, 130);
pub(super) const TEXT: RGBColor = RGBColor(60, 60, 60);
pub(super) const FONT: &str = "sans-serif";
/// The width of a picture that is read on a phone, and the size of its text: at least eleven pixels where it
/// is shown 350 pixels wide.
pub(super) const WIDTH: u32 = 400;
pub(super) const SMALL: i32 = 16;

pub(super) type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Drawn<T = ()> = Result<T, Box<dyn std::error::Error>>;
pub(super) type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// What stands before every picture of this program, which follows: a picture that somebody has
/// worked on has another sum.
fn mark(picture: &str) -> String {
    let sum = CRC.checksum(picture.as_bytes());
    format!("<!-- drawn by hrm-host; CRC-32 of what follows: {sum:08x} -->\n")
}

/// `picture` with a title, by which a browser and a screen reader name it.
pub fn titled(picture: &str, title: &str) -> String {
    let svg = picture.get(picture.find("<svg").unwrap_or(0)..).unwrap_or_default();
    let (open, rest) = svg.split_at(svg.find('>').map_or(0, |end| end + 1));
    let text = format!("{open}{}{rest}", html! { title { (title) } }.into_string());
    mark(&text) + &text
}

/// A picture as this program has drawn it.
pub const PICTURE: Signature<'static> = Signature::of_content("a picture (SVG)", &is_picture);

fn is_picture(file: &mut dyn BufRead) -> io::Result<bool> {
    let text = whole_text(file)?;
    let picture = text.find("<svg").map_or("", |start| &text[start..]);
    Ok(text == mark(picture) + picture)
}

/// The picture could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw: {0}")]
pub struct DrawError(String);

impl DrawError {
    /// Because of `reason`.
    pub(crate) fn of(reason: impl std::fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

/// What stands around a chart.
pub(super) struct Frame<'a> {
    /// What it shows; empty where that is said elsewhere.
    pub(super) title: &'a str,
    pub(super) x: Range<f64>,
    pub(super) y: Range<f64>,
    /// What the axes measure; empty where that is said elsewhere.
    pub(super) names: [&'a str; 2],
    /// About how many numbers stand along each axis.
    pub(super) numbers: [usize; 2],
    /// How they are written.
    pub(super) formats: [&'a dyn Fn(&f64) -> String; 2],
}

/// An empty chart with lines at the numbers of both axes.
pub(super) fn chart<'a, 'b>(area: &'a Canvas<'b>, frame: &Frame<'_>) -> Drawn<Chart<'a, 'b>> {
    let small = || (FONT, SMALL).into_font().color(&TEXT);
    let mut builder = ChartBuilder::on(area);
    builder.margin_right(14).margin_top(4).margin_bottom(4).x_label_area_size(40).y_label_area_size(66);
    if !frame.title.is_empty() {
        builder.caption(frame.title, (FONT, 17).into_font().color(&TEXT));
    }
    let mut chart = builder.build_cartesian_2d(frame.x.clone(), frame.y.clone())?;
    chart
        .configure_mesh()
        .x_desc(frame.names[0])
        .y_desc(frame.names[1])
        .x_labels(frame.numbers[0])
        .y_labels(frame.numbers[1])
        .x_label_formatter(&frame.formats[0])
        .y_label_formatter(&frame.formats[1])
        .label_style(small())
        .axis_desc_style(small())
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(AXIS)
        .draw()?;
    Ok(chart)
}

/// The `i`-th colour, from the start again after the last.
pub(super) fn colour(i: usize) -> RGBColor {
    COLOURS[i % COLOURS.len()]
}

/// What `draw` puts on a white canvas of `size` pixels, as SVG.
pub(super) fn svg(size: (u32, u32), draw: impl FnOnce(&Canvas<'_>) -> Drawn) -> Result<String, DrawError> {
    let mut text = String::new();
    let canvas = SVGBackend::with_string(&mut text, size).into_drawing_area();
    let drawn = canvas.fill(&WHITE).map_err(Into::into).and_then(|()| draw(&canvas));
    drawn.and_then(|()| canvas.present().map_err(Into::into)).map_err(|e| DrawError(e.to_string()))?;
    drop(canvas);
    Ok(mark(&text) + &text)
}

/// As [`short`], and nothing between two whole numbers: there is no half segment.
pub(super) fn whole(x: f64) -> String {
    if (x - x.round()).abs() < 1e-9 { short(x.round()) } else { String::new() }
}

/// `1.5M`, `230k`, `12`, `0.5`.
pub(super) fn short(x: f64) -> String {
    let trimmed = |x: f64, unit: &str| {
        let text = format!("{x:.2}");
        format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.'))
    };
    match x {
        x if x >= 1e6 => trimmed(x / 1e6, "M"),
        x if x >= 1e4 => trimmed(x / 1e3, "k"),
        x => trimmed(x, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_that_somebody_has_worked_on_is_theirs() {
        let picture = svg((40, 30), |_| Ok(())).unwrap();
        let is_own = |text: &str| is_picture(&mut text.as_bytes()).unwrap();
        assert!(is_own(&picture));
        let named = titled(&picture, "a <b> & c");
        assert!(is_own(&named) && !is_own(&named.replace("a &lt;b", "d &lt;b")));
        assert_eq!(named.split('>').filter(|part| part.ends_with("</title")).count(), 1);
        let (svg, title) = (named.find("<svg"), named.find("<title>a &lt;b&gt; &amp; c</title>"));
        assert!(svg.is_some() && svg < title && title < named.find("<rect"), "{named}");
        let note = "<text>mine</text></svg>";
        let others =
            [picture.replace("</svg>", note), format!("{picture}\n"), String::new(), note.to_owned()];
        assert!(others.iter().all(|other| !is_own(other)));
    }

    /// The contrast of two colours, as WCAG 2 computes it.
    fn contrast(one: RGBColor, other: RGBColor) -> f64 {
        let light = |RGBColor(r, g, b)| {
            let [r, g, b] = [r, g, b].map(|part| {
                let part = f64::from(part) / 255.0;
                if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
            });
            0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05
        };
        let [one, other] = [light(one), light(other)];
        one.max(other) / one.min(other)
    }

    #[test]
    fn lines_and_text_are_seen_on_white_and_on_the_dark_paper_of_a_report() {
        let style = include_str!("../report/style.css");
        let dark = style.split("--paper: #").nth(2).and_then(|rest| rest.get(..6)).unwrap();
        let [r, g, b] = [0, 2, 4].map(|at| u8::from_str_radix(&dark[at..at + 2], 16).unwrap());
        let dark = RGBColor(r, g, b);
        for line in COLOURS.into_iter().chain([AXIS]) {
            assert!(contrast(line, WHITE) >= 3.0, "{line:?} on white: {:.2}", contrast(line, WHITE));
            // a report draws what is black in the colour of its text
            let seen = line == BLACK || contrast(line, dark) >= 3.0;
            assert!(seen, "{line:?} on {dark:?}: {:.2}", contrast(line, dark));
        }
        assert!(contrast(TEXT, WHITE) >= 4.5);
        assert!((contrast(BLACK, WHITE) - 21.0).abs() < 1e-9, "the formula");
    }

    #[test]
    fn numbers_are_short() {
        let cases = [(0.0, "0"), (0.5, "0.5"), (250.0, "250"), (20_000.0, "20k"), (1_250_000.0, "1.25M")];
        for (x, text) in cases {
            assert_eq!(short(x), text);
        }
        assert_eq!([1.0, 1.5, 2.0, 10_000.0].map(whole), ["1", "", "2", "10k"]);
    }
}
