//! What all pictures have in common.

use plotters::coord::Shift;
use plotters::prelude::*;

/// Okabe and Ito's colours, which the colour-blind can tell apart.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];
pub(super) const GRID: RGBColor = RGBColor(225, 225, 225);
pub(super) const TEXT: RGBColor = RGBColor(60, 60, 60);
pub(super) const FONT: &str = "sans-serif";

pub(super) type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Drawn = Result<(), Box<dyn std::error::Error>>;

/// The picture could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw: {0}")]
pub struct DrawError(String);

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
    Ok(text)
}
