//! Grids written as arrays, as programs, JSON, NumPy, MATLAB and R have them: `[[5, 3, 0, ...], ...]`,
//! `["53..7....", ...]`, `{{5, 3, 0, ...}, ...}`, `matrix(c(5, 3, 0, ...), byrow=TRUE)`, wherever they stand
//! in a text.

use hrm_core::task::sudoku::Sudoku;

use super::brackets::{Brackets, List, Mark, Node};
use super::cells::{all_cells, sides, sizes};
use super::rows::{Row, grids, rows_of};
use crate::data::problem::Problem;
use crate::data::read::Fault;

/// More values than these beside rows are cells that lost their bracket.
const MOST_ARGUMENTS: usize = 2;

/// A grid and its line, or what is wrong with one.
type Found = Result<(u64, String), Fault>;

/// The arrays of a text.
pub(super) struct Array {
    task: Sudoku,
    /// The grids in them with the line of each, or what is wrong.
    pub(super) found: Vec<Found>,
    /// The lines of comments in which cells stand, and their texts.
    pub(super) comments: Vec<(u64, String)>,
    /// What stands in the other lines. All lines stay where they are.
    pub(super) rest: String,
}

impl Array {
    /// The arrays in `text`, if there are any.
    pub(super) fn of(text: &str) -> Option<Self> {
        if !text.contains(['[', ']', '(', ')', '{', '}']) {
            return None;
        }
        let Brackets { nodes, comments, blocks } = Brackets::of(text);
        let mut finder = Finder::default();
        finder.outside(&nodes);
        let task = sizes().find(|task| Some(task.side()) == finder.side)?;
        let mut spans = [finder.spans, blocks].concat();
        spans.sort_unstable();
        let comments = comments.into_iter().map(|(line, text)| (line, text.to_owned())).collect();
        Some(Array { task, found: finder.found, comments, rest: without(text, &spans) })
    }

    /// The size of the first.
    pub(super) fn task(&self) -> Sudoku {
        self.task
    }

    /// The only grid, or what is wrong with the first that is.
    pub(super) fn only(self) -> Option<Result<String, Problem>> {
        let wrong = self.found.iter().find_map(|found| found.as_ref().err());
        match (wrong, &self.found[..]) {
            (Some(fault), _) => Some(Err(fault.problem.clone())),
            (None, [Ok((_, grid))]) => Some(Ok(grid.clone())),
            _ => None,
        }
    }
}

/// `text` without the lines of `spans`, which are sorted: a comment stands for each.
fn without(text: &str, spans: &[(u64, u64)]) -> String {
    let mut spans = spans.iter().peekable();
    let mut end = 0;
    let line = |(number, line): (u64, &str)| {
        let above = end;
        while let Some((_, last)) = spans.next_if(|(first, _)| *first <= number) {
            end = end.max(*last);
        }
        match (number <= above, number <= end) {
            (true, _) => "\n".to_owned(),
            (false, true) => "#\n".to_owned(),
            (false, false) => format!("{line}\n"),
        }
    };
    (1..).zip(text.lines()).map(line).collect()
}

/// Looks for grids in the brackets of a text.
#[derive(Default)]
struct Finder {
    side: Option<usize>,
    found: Vec<Found>,
    /// The first and the last line of each array.
    spans: Vec<(u64, u64)>,
}

/// Rows that stand side by side.
#[derive(Default)]
struct Group {
    rows: Vec<Row>,
    /// A bracket around them, or beside them, that has no other.
    stray: Option<Mark>,
    /// Whether they are filled in column by column.
    by_columns: bool,
    /// The lines of the bracket around them.
    around: Option<(u64, u64)>,
}

impl Finder {
    /// Looks outside of all brackets, where rows follow each other from line to line with nothing between
    /// them.
    fn outside(&mut self, nodes: &[Node<'_>]) {
        let mut group = Group::default();
        // Cells that no bracket holds, their line, and the bracket before them that nothing closes.
        let (mut end, mut cells, mut line, mut open) = (0, 0, 0, None);
        for node in nodes {
            match node {
                Node::Comma | Node::Semicolon => {}
                // YAML has it before each.
                Node::Leaf(leaf) if leaf.text == "-" => {}
                Node::Leaf(leaf) if all_cells(leaf.text) && leaf.text.len() == 1 => {
                    cells = if open.is_some() || leaf.line == line { cells + 1 } else { 1 };
                    line = leaf.line;
                    self.tell(std::mem::take(&mut group));
                }
                Node::Leaf(_) | Node::Key => {
                    (cells, open) = (0, None);
                    self.tell(std::mem::take(&mut group));
                }
                Node::List(list) => {
                    open.into_iter().for_each(|mark| self.refuse_loose(cells, mark));
                    // What counts is no row: `board[0] = `.
                    let row = self.inside(list, false).filter(|row| row.width() > 1);
                    if row.is_none() || list.open.line > end + 1 {
                        self.tell(std::mem::take(&mut group));
                    }
                    group.rows.extend(row);
                    (end, cells, open) = (list.end, 0, None);
                }
                Node::Stray(mark) => {
                    if !group.rows.is_empty() && mark.line > end + 1 {
                        self.tell(std::mem::take(&mut group));
                    }
                    self.refuse_loose(if mark.line == line { cells } else { 0 }, *mark);
                    group.stray.get_or_insert(*mark);
                    let opens = "[({".contains(mark.bracket);
                    (end, cells, open) = (mark.line, 0, opens.then_some(*mark));
                }
            }
        }
        open.into_iter().for_each(|mark| self.refuse_loose(cells, mark));
        self.tell(group);
    }

    /// Refuses cells beside a bracket that has no other, if they may be a row or a grid.
    fn refuse_loose(&mut self, cells: usize, mark: Mark) {
        let may_be = |side: &usize| cells == *side || cells.abs_diff(side * side) <= *side;
        if let Some(side) = sides().find(may_be) {
            self.side.get_or_insert(side);
            self.refuse((mark.line, mark.line), bracket(mark));
        }
    }

    /// Looks into `list`: the row that it is, if it is one alone.
    fn inside(&mut self, list: &List<'_>, by_columns: bool) -> Option<Row> {
        let is_list = |node: &Node<'_>| matches!(node, Node::List(_) | Node::Stray(_));
        let around = Some((list.open.line, list.end));
        if !list.nodes.iter().any(is_list) {
            let mut rows = rows_of(list);
            let stray = (!list.closed).then_some(list.open);
            if rows.len() == 1 && rows[0].is_part() && stray.is_none() {
                // `board[0, 1]` is none.
                let is_index = list.open.bracket == '[' && list.name.ends_with(char::is_alphanumeric);
                return rows.pop().filter(|_| !is_index || list.name.starts_with('%'));
            }
            self.tell(Group { rows, stray, by_columns, around });
            return None;
        }
        // What R, MATLAB and Julia do with cells that stand in a row.
        let is_by_row = |nodes: &[Node<'_>]| {
            matches!(nodes, [Node::Leaf(name), Node::Key, Node::Leaf(value)]
                if name.text == "byrow" && value.text.starts_with('T'))
        };
        let is_matrix = || list.name == "matrix" && !list.nodes.windows(3).any(is_by_row);
        let mut group = Group { by_columns, around, ..Group::default() };
        let by_columns = by_columns || list.name == "reshape" || is_matrix();
        let (mut cells, mut words) = (0, 0);
        for part in list.nodes.split(|node| matches!(node, Node::Comma | Node::Semicolon)) {
            for node in part {
                match node {
                    Node::List(list) => group.rows.extend(self.inside(list, by_columns)),
                    Node::Stray(mark) => _ = group.stray.get_or_insert(*mark),
                    _ => {}
                }
            }
            match part {
                [] | [Node::List(_)] => {}
                part if part.iter().all(|node| matches!(node, Node::Leaf(leaf) if all_cells(leaf.text))) => {
                    cells += part.len();
                }
                _ => words += 1,
            }
        }
        group.rows.retain(|row| row.width() > 1);
        if cells > MOST_ARGUMENTS {
            match group.stray.filter(|_| group.rows.is_empty()) {
                Some(mark) => self.refuse_loose(cells, mark),
                None => _ = group.stray.get_or_insert(list.open),
            }
        }
        if words > group.rows.len() {
            group.around = None;
        }
        self.tell(group);
        None
    }

    /// Tells of the grids of a group, if it is any.
    fn tell(&mut self, group: Group) {
        let Some((side, grids)) = grids(&group.rows) else { return };
        let ends = group.rows.iter().map(|row| row.lines);
        let rows = (ends.clone().map(|(first, _)| first).min(), ends.map(|(_, last)| last).max());
        let lines = group.around.or(rows.0.zip(rows.1)).unwrap_or_default();
        self.side.get_or_insert(side);
        if let Some(mark) = group.stray {
            return self.refuse(lines, bracket(mark));
        }
        match grids {
            Err(fault) => self.refuse(lines, fault),
            Ok(_) if group.by_columns => self.refuse(lines, Fault::of_line(lines.0, Problem::ByColumns)),
            Ok(grids) => {
                self.spans.push(lines);
                self.found.extend(grids.into_iter().map(Ok));
            }
        }
    }

    fn refuse(&mut self, lines: (u64, u64), fault: Fault) {
        self.spans.push(lines);
        self.found.push(Err(fault));
    }
}

fn bracket(mark: Mark) -> Fault {
    let Mark { bracket, line, column } = mark;
    Fault::of_line(line, Problem::Bracket { bracket, column })
}
