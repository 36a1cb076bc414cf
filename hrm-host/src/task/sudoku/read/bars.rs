//! Rows whose cells or boxes bars part. What the bars part is decided once, from all rows: a row with fewer
//! bars has lost something.

use hrm_core::task::sudoku::Sudoku;

use super::cells::{joined, may_be_row, split};
use super::drawing::{is_rule, labelled, plain, plain_line};

/// What the bars of all rows part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bars {
    /// Cells; bars stand at both ends, too.
    AroundCells,
    /// Cells; none stands at the ends.
    BetweenCells,
    /// Boxes; bars stand at both ends, too.
    AroundBoxes,
    /// Rows: bars stand at both ends, and nowhere else.
    AroundRows,
    /// Boxes; none stands at the ends, or not at both.
    BetweenBoxes,
}

impl Bars {
    /// What they part in `lines`, of which the rows of `task` are some.
    pub(super) fn of<L: AsRef<str>>(task: Sudoku, lines: impl Iterator<Item = L>) -> Self {
        let mut found = Bars::BetweenBoxes;
        for line in lines.filter(|line| line.as_ref().contains(is_bar)) {
            let line = plain_line(line.as_ref());
            let rest = labelled(&line).map(|(_, rest)| rest);
            for row in [Some(&line[..]), rest].into_iter().flatten() {
                let is = |bars: Bars| bars.cells(task, row).is_some_and(|row| row.contains(|c| c != ' '));
                if is(Bars::AroundCells) {
                    return Bars::AroundCells;
                }
                // The first and the last cell may be blank, but not of all rows, and two boxes between bars
                // are no four cells.
                if is(Bars::BetweenCells) && inner(row).is_none() {
                    found = Bars::BetweenCells;
                }
                if matches!(found, Bars::BetweenBoxes | Bars::AroundRows) {
                    let around = [Bars::AroundBoxes, Bars::AroundRows].into_iter();
                    found = around.fold(found, |found, bars| match bars.row(task, row, false) {
                        Some(_) if found == Bars::BetweenBoxes || bars == Bars::AroundBoxes => bars,
                        _ => found,
                    });
                }
            }
        }
        found
    }

    /// The cells of `line`, where bars part them.
    fn cells(self, task: Sudoku, line: &str) -> Option<String> {
        if self == Bars::AroundCells {
            inner(line)?;
        }
        joined(&self.fields(line)?, task.side())
    }

    /// The row that `line` is, whose blanks may be spaces. An editor may have cut off those that no bar
    /// stands behind: `is_cut`.
    pub(super) fn row(self, task: Sudoku, line: &str, is_cut: bool) -> Option<String> {
        match self {
            Bars::AroundCells | Bars::BetweenCells => self.cells(task, line),
            Bars::AroundBoxes | Bars::AroundRows => {
                let row = inner(line).filter(|row| row.contains('|') == (self == Bars::AroundBoxes))?;
                row_of_boxes(task, row, true, false)
            }
            // Blanks may stand before the first bar.
            Bars::BetweenBoxes => {
                let open = || row_of_boxes(task, line.trim_start().strip_prefix('|')?, false, false);
                row_of_boxes(task, line, false, is_cut).or_else(open)
            }
        }
    }

    /// What stands between the bars of `line`, where they part cells.
    pub(super) fn fields(self, line: &str) -> Option<Vec<&str>> {
        match self {
            Bars::AroundCells => Some(split(inner(line).unwrap_or(line), '|')),
            Bars::BetweenCells => Some(split(line, '|')),
            Bars::AroundBoxes | Bars::AroundRows | Bars::BetweenBoxes => None,
        }
        .filter(|_| line.contains('|'))
    }

    /// How many cells a line has with so many bars as `line` has.
    pub(super) fn count(self, line: &str) -> usize {
        let bars = line.matches('|').count();
        if self == Bars::AroundCells { bars.saturating_sub(1) } else { bars + 1 }
    }

    /// Whether one stands at both ends of a row.
    pub(super) fn are_closed(self) -> bool {
        matches!(self, Bars::AroundCells | Bars::AroundBoxes | Bars::AroundRows)
    }

    /// Whether they part cells.
    pub(super) fn part_cells(self) -> bool {
        matches!(self, Bars::AroundCells | Bars::BetweenCells)
    }
}

/// The row whose boxes are parted in `inner`; `closed` where bars stand at both ends, so that there need be
/// none between.
fn row_of_boxes(task: Sudoku, inner: &str, closed: bool, is_cut: bool) -> Option<String> {
    let side = task.side();
    let parts: Vec<Vec<char>> = inner.split('|').map(|part| part.chars().collect()).collect();
    let width = if closed && parts.len() == 1 { side } else { task.kind().box_columns() };
    if parts.len() != side / width {
        return None;
    }
    let longest = parts.iter().map(Vec::len).max().unwrap_or(0);
    let last = parts.len() - 1;
    let (mut row, mut steps) = (String::new(), None);
    for (index, mut part) in parts.into_iter().enumerate() {
        if index == last && is_cut {
            part.resize(longest, ' ');
        }
        // "5 3", " 5 3 " or "53 "; where no bar stands outside, "5 3 " first and " 5 3" last.
        let (start, step) = match part.len() {
            length if length == width => (0, 1),
            length if length == 2 * width - 1 => (0, 2),
            length if length == 2 * width + 1 => (1, 2),
            length if length == 2 * width && !closed && index == 0 => (0, 2),
            length if length == 2 * width && !closed && index == last => (1, 2),
            _ => return None,
        };
        if *steps.get_or_insert(step) != step {
            return None;
        }
        let is_between = |place: usize| place < start || !(place - start).is_multiple_of(step);
        if part.iter().enumerate().any(|(place, c)| is_between(place) && *c != ' ') {
            return None;
        }
        row.extend(part.iter().skip(start).step_by(step).take(width));
    }
    may_be_row(&row, side).then_some(row)
}

/// How many cells stand before the first bar of a row and behind each, where all `lines` that have bars have
/// as many there. All cells are written.
pub(super) fn places<L: AsRef<str>>(task: Sudoku, lines: impl Iterator<Item = L>) -> Option<Vec<usize>> {
    let lines: Vec<String> =
        lines.map(|line| plain_line(line.as_ref())).filter(|line| line.contains('|')).collect();
    let mut rows = lines.iter().filter(|line| !is_rule(line)).map(|line| cells_between(line));
    let count = rows.clone().count();
    let first = rows.next()?;
    let is_row = first.iter().sum::<usize>() == task.side() && 2 * count > task.side();
    (is_row && rows.all(|row| row == first)).then_some(first)
}

/// How many cells stand before the first bar of `line`, and behind each.
pub(super) fn cells_between(line: &str) -> Vec<usize> {
    let cells = |part: &str| part.split_whitespace().map(str::len).sum();
    line.trim().trim_matches('|').split('|').map(cells).collect()
}

/// Whether `c` draws a bar.
pub(super) fn is_bar(c: char) -> bool {
    plain(c) == '|'
}

/// `line` without the bars at its ends, if both are there.
fn inner(line: &str) -> Option<&str> {
    line.trim().strip_prefix('|')?.strip_suffix('|')
}
