//! A few curves over one axis.

use std::io;

use plotters::element::DashedPathElement;
use plotters::prelude::*;

use super::style::{self, DrawError, FONT, Frame, SMALL, TEXT, WIDTH, colour, short, whole};

const HEIGHT: u32 = 280;
/// Pixels that one line of the legend takes.
const LINE: u32 = 20;
/// Pixels that one name of the legend takes.
const NAME: i32 = 195;
/// So many names stand in one line of the legend, unless one has more characters than there is room for then.
const NAMES: (usize, usize) = (2, 19);
/// A name with more characters loses some in its middle.
const LONGEST: usize = 44;
/// Along a shorter axis than this, numbers of two digits behind the point stand twice.
const NARROW: f64 = 0.1;
/// Pixels of a dash and of the gap behind it, by the place of the curve, from the second again after the
/// last; the first curve is whole. Where curves lie on each other, the lower one shows in the gaps.
const DASHES: [(i32, i32); 4] = [(12, 7), (5, 6), (18, 5), (2, 4)];

/// What is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Lines {
    /// What the picture shows, which is said beside it.
    pub title: String,
    /// What both axes measure.
    pub axes: [String; 2],
    /// Whether curves stay at each number until their next point, and leap there.
    pub steps: bool,
    /// Whether the numbers along the first axis grow by equal factors; then all are above 0.
    pub logarithmic: bool,
    /// The lowest and the highest number along the second axis.
    pub range: [f64; 2],
    /// The curves, each with its name; one without points is not drawn, and keeps its colour for itself.
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
        let named: Vec<(usize, String)> = self.drawn().map(|(i, name, _)| (i, shortened(name))).collect();
        let longest = named.iter().map(|(_, name)| name.chars().count()).max().unwrap_or(0);
        let columns = if longest > NAMES.1 { 1 } else { NAMES.0 };
        let head = 14 + LINE * named.len().div_ceil(columns) as u32;
        style::svg((WIDTH, HEIGHT + head), |canvas| {
            let (legend, area) = canvas.split_vertically(head);
            for (place, (i, name)) in named.iter().enumerate() {
                let x = 10 + NAME * (place % columns) as i32;
                let y = 13 + (LINE as usize * (place / columns)) as i32;
                legend.draw(&line(*i, [(x, y + 2), (x + 24, y + 2)]))?;
                legend.draw(&Text::new(
                    name.as_str(),
                    (x + 30, y - 5),
                    (FONT, SMALL).into_font().color(&TEXT),
                ))?;
            }
            let across = |x: &f64| if self.logarithmic { power_of_two(*x) } else { whole(*x) };
            let narrow = self.range[1] - self.range[0] < NARROW;
            let up = |y: &f64| if narrow { format!("{y:.3}") } else { short(*y) };
            let frame = Frame {
                title: "",
                x: first..last,
                y: self.range[0]..self.range[1],
                names: [&self.axes[0], &self.axes[1]],
                numbers: [10, 7],
                formats: [&across, &up],
            };
            let mut chart = style::chart(&area, &frame)?;
            for (i, _, points) in self.drawn() {
                let points = points.iter().map(|&[x, y]| (along(x), y));
                let points: Vec<(f64, f64)> = if self.steps { staircase(points) } else { points.collect() };
                chart.draw_series([line(i, points)])?;
            }
            Ok(())
        })
    }

    /// What it shows, for who does not see it: where every curve begins and ends.
    pub fn told(&self) -> String {
        let ends = |(_, name, points): (usize, &str, &[[f64; 2]])| {
            let [[x, y], [to_x, to_y]] = [*points.first()?, *points.last()?];
            Some(format!("{name}: {} at {}, {} at {}", short(y), short(x), short(to_y), short(to_x)))
        };
        self.drawn().filter_map(ends).collect::<Vec<_>>().join("; ")
    }

    /// The curves that have points, each with its place among all.
    fn drawn(&self) -> impl Iterator<Item = (usize, &str, &[[f64; 2]])> {
        let every = self.curves.iter().enumerate();
        every
            .filter(|(_, (_, points))| !points.is_empty())
            .map(|(i, (name, points))| (i, name.as_str(), &points[..]))
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

/// `points` with a corner before each but the first.
fn staircase(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut drawn: Vec<(f64, f64)> = Vec::new();
    for (x, y) in points {
        drawn.extend(drawn.last().map(|&(_, before)| (x, before)));
        drawn.push((x, y));
    }
    drawn
}

/// The `i`-th curve through `points`, which its dashes tell apart as well as its colour.
fn line<I: IntoIterator<IntoIter: Clone>>(i: usize, points: I) -> DashedPathElement<I::IntoIter, i32> {
    let (dash, gap) = if i == 0 { (i32::MAX, 0) } else { DASHES[(i - 1) % DASHES.len()] };
    DashedPathElement::new(points, dash, gap, colour(i).stroke_width(2))
}

/// A name that the legend has room for.
fn shortened(name: &str) -> String {
    let signs: Vec<char> = name.chars().collect();
    if signs.len() <= LONGEST {
        return name.to_owned();
    }
    let half = LONGEST / 2;
    signs[..half].iter().chain(&['…']).chain(&signs[signs.len() - (LONGEST - half - 1)..]).collect()
}

/// What stands at `x` of an axis of powers of two: nothing between two of them, where a rounded
/// number would stand twice.
fn power_of_two(x: f64) -> String {
    let power = whole(x);
    if power.is_empty() { power } else { short(x.round().exp2()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Lines {
        Lines {
            title: "solved".into(),
            axes: ["segments".into(), "share".into()],
            steps: false,
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
        assert_eq!(lines().told(), "a: 0.25 at 1, 1 at 1024; b: 0.5 at 1, 0.5 at 1");
    }

    #[test]
    fn steps_are_drawn_and_no_numbers() {
        let points = [(1.0, 0.2), (4.0, 0.5)];
        assert_eq!(staircase(points.into_iter()), [(1.0, 0.2), (4.0, 0.2), (4.0, 0.5)]);
        let numbers = |lines: &Lines| {
            let mut table = Vec::new();
            lines.to_csv(&mut table).unwrap();
            (table, lines.told())
        };
        let stairs = Lines { steps: true, ..lines() };
        assert_eq!(numbers(&stairs), numbers(&lines()));
        assert_ne!(stairs.svg().unwrap(), lines().svg().unwrap());
    }

    #[test]
    fn a_curve_under_another_is_seen() {
        let mut lines = lines();
        lines.curves[1].1 = lines.curves[0].1.clone();
        let picture = lines.svg().unwrap();
        let pieces = |colour: &str| picture.matches(&format!("stroke=\"{colour}\"")).count();
        // one in the legend, and one in the chart
        assert_eq!(pieces("#0072B2"), 2);
        assert!(pieces("#D55E00") > 20, "{}", pieces("#D55E00"));
    }

    #[test]
    fn a_curve_without_points_keeps_its_colour_and_is_not_named() {
        let mut lines = lines();
        lines.curves[0].1.clear();
        let picture = lines.svg().unwrap();
        let has = |colour: &str| picture.contains(colour);
        assert!(!has("#0072B2") && has("#D55E00"), "{picture}");
        assert!(!picture.contains("\na\n") && picture.contains("\nb\n"), "{picture}");
    }

    #[test]
    fn no_number_stands_twice_along_a_logarithmic_axis() {
        let mut lines = lines();
        lines.curves = vec![("a".into(), vec![[1.0, 0.0], [5.0, 1.0]])];
        let picture = lines.svg().unwrap();
        for number in ["1", "2", "4"] {
            assert_eq!(
                picture.matches(&format!("\n{number}\n")).count(),
                if number == "1" { 2 } else { 1 },
                "{number}"
            );
        }
        assert_eq!([0.0, 0.5, 1.0, 3.0].map(power_of_two), ["1", "", "2", "8"]);
    }

    #[test]
    fn no_number_stands_twice_along_a_short_axis_and_no_half_segment() {
        let mut lines = lines();
        (lines.logarithmic, lines.range) = (false, [0.98, 1.0]);
        lines.curves = vec![("a".into(), vec![[1.0, 0.98], [4.0, 1.0]])];
        let picture = lines.svg().unwrap();
        let stands = |number: &str| picture.matches(&format!("\n{number}\n")).count();
        assert_eq!(["0.99", "1.5", "0.990", "1.000", "1", "2", "4"].map(stands), [0, 0, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn every_name_of_the_legend_has_room() {
        let mut lines = lines();
        lines.curves = (0..7).map(|i| (format!("model {i}"), vec![[1.0, 0.0], [2.0, 1.0]])).collect();
        let height = |picture: &str| {
            let height = picture.split("height=\"").nth(1).and_then(|rest| rest.split('"').next());
            height.unwrap().parse::<u32>().unwrap()
        };
        let short = height(&lines.svg().unwrap());
        lines.curves[3].0 = "a name that is longer than half of the picture".into();
        let long = lines.svg().unwrap();
        assert!(height(&long) > short);
        assert!(long.contains("a name that is longer …n half of the picture"), "{long}");
    }
}
