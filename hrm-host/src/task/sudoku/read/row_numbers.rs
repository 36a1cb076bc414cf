//! Numbers of rows before a bar: `1 |53 | 7 |   |`. Whether the first fields of lines with bars are such
//! numbers is decided once, from all of them: where bars part boxes, two boxes behind a number look like four
//! cells.

use hrm_core::task::sudoku::Sudoku;

use super::bars::{Bars, is_bar};
use super::cells::is_cell;
use super::drawing::{Label, is_rule, plain_line};

/// What the first fields of the lines with bars are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowNumbers {
    /// Cells, or words.
    None,
    /// Numbers of rows.
    Labels,
    /// Such numbers, or cells of the first column.
    Unclear,
}

impl RowNumbers {
    /// What they are in `lines`, of which the rows of `task` are some. Most have one, or they begin with 0 or
    /// 1; they count, from one line to the next and anew with each grid; and most lines are rows without
    /// them.
    pub(super) fn of<'l>(task: Sudoku, lines: impl Iterator<Item = &'l str>) -> Self {
        let lines: Vec<String> = lines
            .filter(|line| line.contains(is_bar))
            .map(plain_line)
            .filter(|line| !is_rule(line))
            .collect();
        let numbered: Vec<(u32, &str)> = lines.iter().filter_map(|line| before_bar(line)).collect();
        // From the last row of a grid to the first of the next.
        let is_anew = |(above, next): &(u32, u32)| *next < 2 && *above == next + task.side() as u32 - 1;
        let steps = numbered.windows(2).map(|pair| (pair[0].0, pair[1].0)).filter(|step| !is_anew(step));
        let (counting, others): (Vec<_>, Vec<_>) = steps.partition(|(above, next)| *next == above + 1);
        let rests = || numbered.iter().map(|(_, rest)| *rest);
        let bars = Bars::of(task, rests());
        let is_row = |rest: &&str| bars.row(task, rest, false).is_some() || has_boxes(task, rest);
        let rows = rests().filter(is_row).count();
        if counting.len() < 2
            || counting.len() <= others.len()
            || 2 * rows <= numbered.len()
            || 2 * numbered.len() <= lines.len() && numbered.iter().all(|(number, _)| *number > 1)
        {
            return RowNumbers::None;
        }
        if are_cells(task, &lines) { RowNumbers::Unclear } else { RowNumbers::Labels }
    }

    /// The number of a row before a bar, and what follows.
    pub(super) fn label(self, line: &str) -> Option<(Label, &str)> {
        let (number, rest) = before_bar(line).filter(|_| self != RowNumbers::None)?;
        Some((Label::numbered(number), rest))
    }
}

/// The number before the first bar of `line`, and what follows, the bar included.
fn before_bar(line: &str) -> Option<(u32, &str)> {
    let (number, rest) = line.split_at(line.find('|')?);
    let number = number.trim();
    let is_number = (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    Some((number.parse().ok().filter(|_| is_number)?, rest))
}

/// Whether `line` has as many fields between bars as a row has boxes, and nothing but cells in them.
fn has_boxes(task: Sudoku, line: &str) -> bool {
    let boxes = task.side() / task.kind().box_columns();
    line.trim_end().ends_with('|')
        && line.matches('|').count() == boxes + 1
        && line.chars().all(|c| c == '|' || c == ' ' || is_cell(c, task.side()))
}

/// Whether all `lines` may be rows whose last cell is blank: as many fields as cells, equally wide, with
/// digits at the same place of each.
fn are_cells(task: Sudoku, lines: &[String]) -> bool {
    let side = task.side();
    let is_row = |line: &String| {
        let fields: Vec<&str> = line.trim_end().split('|').collect();
        fields.len() == side && fields[side - 1].is_empty()
    };
    let fields = || lines.iter().flat_map(|line| line.trim_end().split('|').take(side - 1));
    let are_single = fields().all(|field| field.trim().len() < 2);
    let mut places = fields().filter_map(|field| field.find(|c| c != ' '));
    let mut widths = fields().map(str::len);
    let (place, width) = (places.next(), widths.next());
    lines.iter().all(is_row)
        && are_single
        && places.all(|other| Some(other) == place)
        && widths.all(|other| Some(other) == width)
}
