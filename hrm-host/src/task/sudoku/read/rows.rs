//! Rows that stand in brackets, and the grids that they are.

use hrm_core::task::TextError;

use super::brackets::{Kind, Leaf, List, Node};
use super::cells::{all_cells, cell_in, is_blank, sides};
use crate::data::problem::Problem;
use crate::data::read::Fault;

/// What languages write behind a digit to say of what type it is.
const TYPES: [&str; 6] = [".", ".0", "L", "n", "u8", "i32"];
/// Cells of the longest row of a grid, and one more; what is longer holds several.
const LONGEST: usize = 10;

/// Grids with the line of each, or what is wrong.
pub(super) type Grids = Result<Vec<(u64, String)>, Fault>;

/// Cells in one bracket, or in one text between quotation marks.
#[derive(Default)]
pub(super) struct Row {
    /// The first and the last line.
    pub(super) lines: (u64, u64),
    cells: String,
    /// How many cells stand in each of its lines.
    counts: Vec<(u64, usize)>,
    /// What is in it beside cells.
    problem: Option<Fault>,
    /// The line of a cell with nothing between its quotation marks or commas.
    unwritten: Option<u64>,
    /// Whether the blank of another is written.
    has_blank: bool,
}

impl Row {
    pub(super) fn width(&self) -> usize {
        self.cells.chars().count()
    }

    /// Whether it may be one of several that make up a grid.
    pub(super) fn is_part(&self) -> bool {
        self.width() <= LONGEST
    }

    fn push(&mut self, item: Item) {
        if self.cells.is_empty() {
            self.lines.0 = item.line;
        }
        self.lines.1 = item.line;
        let found = item.cells.chars().count();
        match self.counts.last_mut().filter(|(line, _)| *line == item.line) {
            Some((_, count)) => *count += found,
            None => self.counts.push((item.line, found)),
        }
        self.cells += &item.cells;
        self.has_blank |= !item.is_unwritten && item.cells.contains(is_blank);
        self.unwritten = self.unwritten.or(item.is_unwritten.then_some(item.line));
        let problem = item.problem.map(|problem| Fault::of_line(item.line, problem));
        self.problem = self.problem.take().or(problem);
    }
}

/// A cell, or several in a word.
struct Item {
    line: u64,
    cells: String,
    is_unwritten: bool,
    problem: Option<Problem>,
    /// Whether a semicolon stands before it.
    is_behind: bool,
}

/// The rows in `list`, which holds no other list; none where half of it is something else.
pub(super) fn rows_of(list: &List<'_>) -> Vec<Row> {
    let mut items = items(list);
    // `("1.....2..3.....4", 3)`: a number beside a puzzle is its rating.
    let is_whole = |item: &Item| sides().any(|side| side * side == item.cells.chars().count());
    if items.iter().any(is_whole) {
        items.retain(|item| item.is_unwritten || item.problem.is_some() || item.cells.len() > 4);
    }
    let strange = items.iter().filter(|item| item.problem.is_some()).count();
    let is_parted = |node: &Node<'_>| match node {
        Node::Leaf(leaf) => leaf.kind != Kind::Word,
        node => matches!(node, Node::Comma | Node::Semicolon),
    };
    if 2 * strange >= items.len() || !list.closed && !list.nodes.iter().any(is_parted) {
        return Vec::new();
    }
    let words = items.iter().filter(|item| item.cells.chars().count() > 1).count();
    let are_rows = 2 * words > items.len();
    let parts = items.iter().skip(1).filter(|item| item.is_behind).count();
    // OCaml has a semicolon behind every cell.
    let are_parted = parts > 0 && parts + 1 < items.len();
    let mut rows: Vec<Row> = Vec::new();
    for mut item in items {
        if !are_rows && item.cells.chars().count() > 1 {
            item.problem.get_or_insert_with(|| Problem::Word(item.cells.clone()));
        }
        match rows.last_mut().filter(|_| !(are_rows || are_parted && item.is_behind)) {
            Some(row) => row.push(item),
            None => {
                let mut row = Row::default();
                row.push(item);
                rows.push(row);
            }
        }
    }
    rows
}

fn items(list: &List<'_>) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let (mut is_behind, mut is_value) = (false, false);
    // Where a comma has nothing before it, as where a row begins, no cell stands.
    let (mut line, mut is_empty, mut gaps) = (list.open.line, true, false);
    for (place, node) in list.nodes.iter().enumerate() {
        match node {
            Node::Leaf(leaf) => {
                line = leaf.line;
                let is_name = matches!(list.nodes.get(place + 1), Some(Node::Key));
                let item = if is_name || is_value { None } else { item(leaf, is_behind) };
                (is_behind, is_value, is_empty) = (is_behind && item.is_none(), false, false);
                items.extend(item);
            }
            Node::Comma => {
                gaps |= is_empty;
                if is_empty {
                    items.push(Item { line, ..Item::unwritten(is_behind) });
                }
                (is_empty, is_value) = (true, false);
            }
            Node::Semicolon => (is_behind, is_value, is_empty) = (true, false, true),
            Node::Key => is_value = true,
            Node::List(_) | Node::Stray(_) => {}
        }
    }
    // What a comma ends has none behind it, unless cells are empty.
    if gaps && is_empty {
        items.push(Item { line, ..Item::unwritten(is_behind) });
    }
    items
}

impl Item {
    fn unwritten(is_behind: bool) -> Self {
        Item { line: 0, cells: ".".to_owned(), is_unwritten: true, problem: None, is_behind }
    }
}

/// What `leaf` is in a row; nothing where it says something to a program.
fn item(leaf: &Leaf<'_>, is_behind: bool) -> Option<Item> {
    let Leaf { text, line, kind } = *leaf;
    let text = text.trim_end_matches("\\n");
    let cells = match kind {
        Kind::Quoted if text.trim().is_empty() => {
            return Some(Item { line, ..Item::unwritten(is_behind) });
        }
        Kind::Quoted => cells_of_text(text),
        // The line goes on.
        Kind::Word if text == "..." && is_behind || text.is_empty() => return None,
        Kind::Word if text.starts_with('.') && text[1..].starts_with(char::is_alphabetic) => return None,
        Kind::Word => cells_of_word(text).map(str::to_owned),
        Kind::Lone => None,
    };
    let problem = cells.is_none().then(|| match kind {
        Kind::Lone => Problem::Unquoted,
        _ if text == "..." => Problem::Shortened,
        _ => Problem::Word(text.chars().take(60).collect()),
    });
    Some(Item { line, cells: cells.unwrap_or("?".to_owned()), is_unwritten: false, problem, is_behind })
}

/// The cells that are all of a word.
fn cells_of_word(word: &str) -> Option<&str> {
    let typed = TYPES.iter().find_map(|name| word.strip_suffix(name)).filter(|digit| digit.len() == 1);
    let cells = cell_in(typed.unwrap_or(word));
    let is_negative = cells.starts_with('-') && cells.len() == 2;
    (cells != "..." && !is_negative && all_cells(cells)).then_some(cells)
}

/// The cells between quotation marks; what stands between them may be spaces or delimiters, or spaces are
/// blanks.
fn cells_of_text(text: &str) -> Option<String> {
    let parts = || text.split([' ', ',', ';', '|', '/']).map(str::trim).filter(|part| !part.is_empty());
    if cell_in(text.trim()) == "." {
        return Some(".".to_owned());
    }
    let cells: String = parts().collect();
    if !all_cells(&cells) {
        return None;
    }
    let is_spread = parts().all(|part| part.len() == 1);
    let is_size = |length: usize| {
        sides().any(|side| [1, side].contains(&(length / side)) && length.is_multiple_of(side))
    };
    let are_blanks = text.contains(' ') && text.chars().all(|c| c == ' ' || c.is_ascii_digit());
    match are_blanks && is_size(text.len()) && !(is_spread && is_size(cells.len())) {
        true => Some(text.replace(' ', ".")),
        false => Some(cells),
    }
}

/// The grids of `rows`, with the line of each, or what is wrong with them, and the side; nothing where they
/// are no grids and none that lost something.
pub(super) fn grids(rows: &[Row]) -> Option<(usize, Grids)> {
    let (side, width) = size(rows)?;
    let strange = || rows.iter().find_map(|row| row.problem.clone());
    let unwritten = || {
        let line = rows.iter().find_map(|row| row.unwritten)?;
        rows.iter().any(|row| row.has_blank).then(|| Fault::of_line(line, Problem::Unwritten))
    };
    let uneven = || {
        let place = rows.iter().position(|row| row.width() != width)?;
        let (row, found) = (place + 1, rows[place].width());
        let problem = match rows.len() {
            1 => Problem::Text(TextError::Length { expected: width as u16, got: found as u16 }),
            _ => Problem::Uneven { row, expected: width, found },
        };
        Some(Fault::of_line(rows[place].lines.0, problem))
    };
    let by_lines = || rows.iter().find_map(|row| row.uneven_line(side));
    let found = rows.len() * width / side;
    let height = || {
        let problem = Problem::Height { expected: side, found };
        (!found.is_multiple_of(side)).then(|| Fault::of_line(rows[0].lines.0, problem))
    };
    let wrong = strange().or_else(unwritten).or_else(by_lines).or_else(uneven).or_else(height);
    let grid = |rows: &[Row]| (rows[0].lines.0, rows.iter().map(|row| &row.cells[..]).collect());
    let each = side * side / width;
    Some((side, wrong.map_or_else(|| Ok(rows.chunks(each).map(grid).collect()), Err)))
}

/// The side of the grids that `rows` may be, and how many cells each row should have.
fn size(rows: &[Row]) -> Option<(usize, usize)> {
    let count = |is: &dyn Fn(usize) -> bool| rows.iter().filter(|row| is(row.width())).count();
    let whole = sides().find(|side| count(&|width| width == side * side) > 0);
    // One that lost a row, or a cell in each.
    let nearly = || sides().find(|side| rows.len() == 1 && rows[0].width().abs_diff(side * side) <= *side);
    if let Some(side) = whole.or_else(nearly) {
        return Some((side, side * side));
    }
    // NumPy leaves out what is in the middle.
    let is_short = |row: &&Row| matches!(&row.problem, Some(fault) if fault.problem == Problem::Shortened);
    if rows.iter().filter(is_short).count() > 1 {
        return sides().max().map(|side| (side, side));
    }
    let exact = |side: &usize| count(&|width| width == *side);
    let side = sides().max_by_key(exact)?;
    let about = count(&|width| width.abs_diff(side) <= 1);
    (exact(&side) > 0 && 2 * about >= rows.len() && 2 * rows.len() >= side).then_some((side, side))
}

impl Row {
    /// The first line that has more cells or fewer than rows of `side` have, where most have as many.
    fn uneven_line(&self, side: usize) -> Option<Fault> {
        let is_whole = |(_, found): &&(u64, usize)| found.is_multiple_of(side);
        let whole = self.counts.iter().filter(is_whole).count();
        let (place, (line, found)) = (1..)
            .zip(&self.counts)
            .find(|(_, count)| !is_whole(count))
            .filter(|_| 2 * whole >= self.counts.len())?;
        Some(Fault::of_line(*line, Problem::Uneven { row: place, expected: side, found: *found }))
    }
}
