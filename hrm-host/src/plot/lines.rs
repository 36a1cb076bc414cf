//! A few curves over one axis.

use std::io;

use plotters::prelude::*;

use super::style::{self, DrawError, FONT, Frame, TEXT, colour, short};

const SIZE: (u32, u32) = (720, 360);
const HEAD: u32 = 26;
/// Pixels that one name of the legend takes.
const NAME: i32 = 230;

/// What is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Lines {
    /// What the picture shows.
    pub title: String,
    /// What both axes measure.
    pub axes: [String; 2],
    /// Whether the numbers along the first axis grow by equal factors; then all are above 0.
    pub logarithmic: bool,
    /// The lowest and the highest number along the second axis.
    pub range: [f64; 2],
    /// The curves, each with its name.
    pub curves: Vec<(String, Vec<[f64; 2]>)>,
}

impl Lines {
    /// As SVG.
    ///
    /// # Errors
    /// Where the drawing library fails.
    pub fn svg(&self) -> Result<String, DrawError> {
        let along = |x: f64| if self.logarithmic { x.log2() } else { x };
        let every = || self.curves.iter().flat_map(|(_, points)| points).map(|point| along(point[0]));
        let (first, last) =
            (every().fold(f64::INFINITY, f64::min), every().fold(f64::NEG_INFINITY, f64::max));
        let (first, last) = if first < last { (first, last) } else { (0.0, 1.0) };
        style::svg(SIZE, |canvas| {
            let (legend, area) = canvas.split_vertically(HEAD);
            for (i, (name, _)) in self.curves.iter().enumerate() {
                let x = 50 + NAME * i as i32;
                legend.draw(&Rectangle::new([(x, 13), (x + 24, 17)], colour(i).filled()))?;
                legend.draw(&Text::new(name.as_str(), (x + 30, 8), (FONT, 13).into_font().color(&TEXT)))?;
            }
            let across = |x: &f64| short(if self.logarithmic { x.exp2().round() } else { *x });
            let up = |y: &f64| short(*y);
            let frame = Frame {
                title: &self.title,
                x: first..last,
                y: self.range[0]..self.range[1],
                names: [&self.axes[0], &self.axes[1]],
                numbers: [10, 8],
                formats: [&across, &up],
            };
            let mut chart = style::chart(&area, &frame)?;
            for (i, (_, points)) in self.curves.iter().enumerate() {
                let points = points.iter().map(|&[x, y]| (along(x), y));
                chart.draw_series(LineSeries::new(points, colour(i).stroke_width(2)))?;
            }
            Ok(())
        })
    }

    /// The numbers behind it: a line for each point.
    ///
    /// # Errors
    /// What the writer says.
    pub fn to_csv<W: io::Write>(&self, to: W) -> csv::Result<()> {
        let mut table = csv::Writer::from_writer(to);
        table.write_record(["curve", &self.axes[0], &self.axes[1]])?;
        for (name, points) in &self.curves {
            for [x, y] in points {
                table.write_record([name, &x.to_string(), &y.to_string()])?;
            }
        }
        table.flush()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Lines {
        Lines {
            title: "solved".into(),
            axes: ["segments".into(), "share".into()],
            logarithmic: true,
            range: [0.0, 1.0],
            curves: vec![
                ("a".into(), vec![[1.0, 0.25], [16.0, 0.5], [1024.0, 1.0]]),
                ("b".into(), vec![[1.0, 0.5]]),
            ],
        }
    }

    #[test]
    fn every_curve_is_a_line_with_a_name_and_its_numbers() {
        let picture = lines().svg().unwrap();
        let drawn = |colour: &str| picture.contains(&format!("stroke=\"{colour}\""));
        assert!(drawn("#0072B2") && drawn("#D55E00"), "{picture}");
        assert!(picture.contains("1024") && picture.contains("segments"));
        let mut table = Vec::new();
        lines().to_csv(&mut table).unwrap();
        assert_eq!(String::from_utf8(table).unwrap().lines().nth(2), Some("a,16,0.5"));
        assert!(Lines { curves: Vec::new(), ..lines() }.svg().is_ok());
    }
}
