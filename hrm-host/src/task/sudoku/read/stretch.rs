//! Rows of drawn grids that follow each other, with nothing between them but rules and space.
//!
//! They are whole grids, all of them, or none is read: where a row is too few or too many, nobody knows
//! whose. Only blank lines part what is not whole from what is. What stands in the middle of a grid and is no
//! row leaves open which rows belong together, up to the next blank line.

use hrm_core::task::{Task, TextError, sudoku::Sudoku};

use super::cells::is_blank;
use super::cut::may_be_cut;
use super::doubt::{Edges, Uneven, doubt, empty_edges, has_one_solution};
use super::drawing::Label;
use super::layout::{Lines, Open, Readings};
use super::remarks::heading;
use crate::data::problem::Problem;
use crate::data::read::Fault;

/// A line of a drawn grid.
pub(super) struct Drawn {
    pub(super) line: u64,
    /// Its cells, where a space is a blank that is not written.
    pub(super) row: Result<String, Problem>,
    pub(super) kind: Certainty,
    pub(super) label: Option<Label>,
    /// How it is drawn: a `c` for each cell, and what stands between them.
    pub(super) shape: String,
}

/// How certain a line is to be a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Certainty {
    /// It is one.
    Row,
    /// It has no digits: a row of blanks, or a rule or space.
    Open,
    /// Its blanks are spaces; whether all of them are there.
    Spaced { whole: bool },
}

impl Drawn {
    pub(super) fn is_open(&self) -> bool {
        self.kind == Certainty::Open
    }

    fn cells(&self) -> &str {
        self.row.as_deref().unwrap_or_default()
    }

    /// Where it may number the columns, from where.
    pub(super) fn heading(&self) -> Option<u32> {
        heading(self.cells()).filter(|_| self.label.is_none())
    }

    /// The number of a grid that it may be: digits alone, or one in the first field.
    pub(super) fn number(&self) -> Option<u32> {
        let alone = self.cells().get(1..).is_some_and(|rest| rest.trim().is_empty());
        let tight = || self.heading().is_none() && self.shape.chars().all(|c| c == 'c');
        let number = self.cells().trim().trim_start_matches('0');
        (self.label.is_none() && number.len() <= 6 && (alone || tight())).then(|| number.parse().ok())?
    }

    /// What stands between its cells.
    fn frame(&self) -> impl Iterator<Item = char> {
        self.shape.chars().filter(|c| !matches!(c, 'c' | ' '))
    }
}

/// What a stretch consists of.
pub(super) enum Item {
    Line(Drawn),
    /// So many blank lines.
    Blank(usize),
    /// Whether it has bars between all cells, as the one below the head of a table has.
    Rule {
        of_table: bool,
    },
}

impl Item {
    pub(super) fn line(&self) -> Option<&Drawn> {
        if let Item::Line(drawn) = self { Some(drawn) } else { None }
    }

    pub(super) fn is_open(&self) -> bool {
        self.line().is_some_and(Drawn::is_open)
    }

    /// Blank lines.
    fn gap(&self) -> usize {
        if let Item::Blank(lines) = self { *lines } else { 0 }
    }

    /// Lines, of whatever kind.
    pub(super) fn height(&self) -> usize {
        self.gap().max(1)
    }

    fn is_certain(&self) -> bool {
        self.line().is_some_and(|drawn| !drawn.is_open())
    }
}

/// A grid, or what is wrong.
pub(super) type Found = Result<Grid, Fault>;

/// A grid that is read.
pub(super) struct Grid {
    /// Its first line.
    pub(super) line: u64,
    pub(super) cells: String,
    /// Its first and last row, where nothing but its solution tells that they are rows.
    pub(super) empty: Edges,
}

/// What a stretch holds.
#[derive(Default)]
pub(super) struct Grids {
    pub(super) found: Vec<Found>,
    /// Whether the lines right above the end belong to no grid that is begun.
    pub(super) whole: bool,
}

/// The lines so far.
pub(super) struct Stretch {
    task: Sudoku,
    items: Vec<Item>,
    /// Rows so far, but for those of a grid that lacks one above a blank line.
    rows: usize,
    /// Whether they stand right below a line that interrupts a grid.
    broken: bool,
    /// Whether the rows above them, which are refused, may be a part of a grid whose rest stands here.
    behind_part: bool,
    /// Whether empty rows may stand beside the titles above and below it.
    titled: bool,
    /// Whether an empty line may be a row of blanks that were cut off.
    cut: bool,
    /// The lines right above and below it that have another number of fields than its rows.
    beside: [Option<Uneven>; 2],
}

/// What stands around the rows of a stretch.
#[derive(Clone, Copy)]
struct Around {
    /// Whether empty rows may stand beside titles.
    titled: bool,
    /// The lines of its first and last row, where a line of another number of fields is right beside it.
    beside: [Option<(u64, Uneven)>; 2],
}

impl Stretch {
    /// The first one; `titled` where titles have as many fields as rows, so that empty rows may stand beside
    /// them, and `cut` where an empty line may be a row.
    pub(super) fn new(task: Sudoku, titled: bool, cut: bool) -> Self {
        let (items, beside) = (Vec::new(), [None; 2]);
        Stretch { task, items, rows: 0, broken: false, behind_part: false, titled, cut, beside }
    }

    /// A line of empty fields, more or fewer than a row has, stands right `above` its first line or below its
    /// last one.
    pub(super) fn set_beside(&mut self, above: bool, uneven: Uneven) {
        self.beside[usize::from(!above)] = Some(uneven);
    }

    /// Whether the next row seems to be the first of a grid.
    pub(super) fn is_between(&self) -> bool {
        self.rows.is_multiple_of(self.task.side())
    }

    pub(super) fn add(&mut self, drawn: Drawn) {
        self.rows += 1;
        self.items.push(Item::Line(drawn));
    }

    pub(super) fn add_rule(&mut self, of_table: bool) {
        self.items.push(Item::Rule { of_table });
    }

    /// Whether its last line is a row whose cells nothing parts.
    pub(super) fn ends_tight(&self) -> bool {
        let last = self.items.last().and_then(Item::line);
        last.is_some_and(|last| last.row.is_ok() && !last.is_open() && last.shape.chars().all(|c| c == 'c'))
    }

    /// A blank line, which ends the stretch if it is broken.
    pub(super) fn gap(&mut self) -> Grids {
        // Bands may stand apart.
        if !self.rows.is_multiple_of(self.task.kind().box_rows()) {
            self.rows = 0;
        }
        push(&mut self.items, Item::Blank(1));
        if !self.broken {
            return Grids::default();
        }
        let rows = self.items.iter().filter(|item| item.line().is_some()).count();
        let ended = self.end();
        self.behind_part = !rows.is_multiple_of(self.task.side());
        ended
    }

    /// Whether the rows that follow are refused.
    pub(super) fn set_broken(&mut self, broken: bool) {
        self.broken = broken;
    }

    /// Ends it.
    pub(super) fn end(&mut self) -> Grids {
        let next = Stretch::new(self.task, self.titled, self.cut);
        let Stretch { task, items, broken, behind_part, titled, cut, beside, .. } =
            std::mem::replace(self, next);
        let ends = [items.first(), items.last()].map(|end| Some(end?.line()?.line));
        let around = Around { titled, beside: [0, 1].map(|end| Some((ends[end]?, beside[end]?))) };
        let broken = broken || behind_part && has_gap_within(&items, task.side());
        let first = items.iter().find_map(|item| Some(item.line()?.line));
        let Some(line) = first.filter(|_| items.iter().any(Item::is_certain)) else {
            return Grids { whole: !broken, ..Grids::default() };
        };
        if broken {
            let fault = Fault::of_line(line, Problem::Interrupted);
            return refused(fault);
        }
        let is_unclear = cut && may_be_cut(&items, task.side());
        let items = settled(items);
        let all: Vec<&Item> = items.iter().collect();
        let problem = Problem::Spaces { expected: task.side() };
        match read(task, &all, around) {
            Ok(_) if is_unclear => refused(Fault::of_line(line, problem)),
            Ok(grids) => grids,
            // Empty lines part nothing for certain.
            Err(fault) if cut => refused(fault),
            Err(fault) => apart(task, &all, around, fault),
        }
    }
}

/// Lines of which none is read.
fn refused(fault: Fault) -> Grids {
    Grids { found: vec![Err(fault)], ..Grids::default() }
}

/// The first or the last of whole grids' rows, if it is empty.
fn empty_edge(items: &[&Item], side: usize) -> Option<u64> {
    let rows: Vec<&Drawn> = items.iter().filter_map(|item| item.line()).collect();
    let edges = [rows.first()?, rows.last()?];
    let edge = edges.into_iter().find(|row| row.is_open() && row.cells().starts_with(' '));
    edge.filter(|_| rows.len().is_multiple_of(side)).map(|row| row.line)
}

/// Whether a blank line stands within a grid of `side` rows.
fn has_gap_within(items: &[Item], side: usize) -> bool {
    let mut rows = 0;
    items.iter().any(|item| {
        rows += usize::from(item.line().is_some());
        item.gap() > 0 && !rows.is_multiple_of(side)
    })
}

/// Decides what the open lines are that are drawn otherwise than the rows: space where no row leaves its
/// blanks unwritten or has such delimiters, rules where no row is drawn with that character in that way.
/// Numbers and headings that are drawn otherwise than the rows are space, too.
fn settled(items: Vec<Item>) -> Vec<Item> {
    let certain =
        || items.iter().filter_map(Item::line).filter(|drawn| !drawn.is_open() && drawn.row.is_ok());
    let blanks: String = certain().flat_map(|row| row.cells().chars().filter(|c| is_blank(*c))).collect();
    let may_head = |line: &Drawn| line.heading().is_some() || line.number().is_some();
    let rows: Vec<&Drawn> = certain().filter(|row| !may_head(row)).collect();
    let are_written = rows.iter().all(|row| !row.cells().contains(' '));
    let is_drawn_as = |row: &Drawn, line: &Drawn| match are_written {
        true => row.shape == line.shape,
        false => row.frame().eq(line.frame()),
    };
    let heads =
        |line: &Drawn| may_head(line) && !rows.is_empty() && !rows.iter().any(|row| is_drawn_as(row, line));
    let becomes = |item: &Item| {
        let line = item.line()?;
        if heads(line) {
            return Some(Item::Blank(1));
        }
        let blank = line.cells().chars().next().filter(|_| line.is_open())?;
        let fits = blanks.is_empty() || blanks.contains(blank);
        match blank {
            ' ' => (!fits || !certain().any(|row| row.frame().eq(line.frame()))).then_some(Item::Blank(1)),
            _ => (!fits || !certain().any(|row| row.shape == line.shape))
                .then_some(Item::Rule { of_table: false }),
        }
    };
    let changes: Vec<Option<Item>> = items.iter().map(becomes).collect();
    let mut settled = Vec::with_capacity(items.len());
    for (item, change) in items.into_iter().zip(changes) {
        push(&mut settled, change.unwrap_or(item));
    }
    settled
}

/// Adds `item`; blank lines become one gap.
fn push(items: &mut Vec<Item>, item: Item) {
    match (items.last_mut(), &item) {
        (Some(Item::Blank(above)), Item::Blank(more)) => *above += more,
        _ => items.push(item),
    }
}

/// Lines that are not read as a whole: those between the widest gaps by themselves. If some of them may be a
/// band, or several, nobody knows of which grid, and all are refused with `fault`.
fn apart(task: Sudoku, items: &[&Item], around: Around, fault: Fault) -> Grids {
    let is_certain = |item: &&Item| item.is_certain();
    let first = items.iter().position(is_certain).unwrap_or(0);
    let end = items.iter().rposition(is_certain).map_or(0, |last| last + 1);
    let Some(widest) = items[first..end].iter().map(|item| item.gap()).max().filter(|gap| *gap > 0) else {
        return refused(fault);
    };
    let parts =
        items.split(|item| item.gap() >= widest).filter(|part| part.iter().any(|item| item.line().is_some()));
    let parts: Vec<_> = parts.map(|part| (part, read(task, part, around))).collect();
    let count = |part: &[&Item], is: fn(&Item) -> bool| part.iter().filter(|item| is(item)).count();
    let may_be_bands = |part: &[&Item]| {
        let mut rows = count(part, Item::is_certain)..=count(part, |item| item.line().is_some());
        rows.any(|rows| rows.is_multiple_of(task.kind().box_rows()))
    };
    // A row of one part may stand in the next, with an empty line in the place of one there.
    let may_be_whole = |pair: &[&[&Item]]| {
        let all = |is: fn(&Item) -> bool| pair.iter().map(|part| count(part, is)).sum::<usize>();
        let (certain, lines) = (all(Item::is_certain), all(|item| item.line().is_some()));
        certain < lines && (certain..=lines).any(|rows| rows.is_multiple_of(task.side()))
    };
    if parts.iter().any(|(part, read)| read.is_err() && may_be_bands(part))
        || parts
            .windows(2)
            .any(|pair| (pair[0].1.is_err() || pair[1].1.is_err()) && may_be_whole(&[pair[0].0, pair[1].0]))
    {
        return refused(fault);
    }
    let mut all = Grids::default();
    for (part, read) in parts {
        let grids = read.unwrap_or_else(|fault| apart(task, part, around, fault));
        all.whole = grids.whole;
        all.found.extend(grids.found);
    }
    // What is not whole does not go on below a blank line.
    all.whole |= items.last().is_some_and(|item| item.gap() > 0);
    all
}

/// The grids that the lines are, if there is one way to take them. Below and above titles that have fields an
/// empty row may be space.
fn read(task: Sudoku, items: &[&Item], around: Around) -> Result<Grids, Fault> {
    let (side, band) = (task.side(), task.kind().box_rows());
    if let Some(line) = empty_edge(items, side).filter(|_| around.titled) {
        return Err(Fault::of_line(line, Problem::EmptyRow));
    }
    let items = without_rules_of_tables(without_heads(items), side);
    let framed = are_framed(&items);
    let open = open(task, &items);
    let items = if open == Open::Either { without_margins(items) } else { items };
    let lines = Lines { side, band, open, items };
    let rows = match lines.readings() {
        Readings::One(rows) => rows,
        Readings::None => return Err(fault(task, &lines.items, false)),
        Readings::Several => return Err(fault(task, &lines.items, true)),
    };
    let grids = || rows.chunks_exact(side);
    // What numbers the columns is the row of a complete grid, or it is not known whether it is one, or the
    // heading of the next.
    let has_blanks = |grid: &[&Drawn]| grid.iter().any(|row| row.cells().contains(is_blank));
    let heads = |place: &usize| {
        let (grid, at) = (place / side, place % side);
        let is_next = at + 1 == side && place + 1 < rows.len();
        (at == 0 || is_next) && rows[*place].heading().is_some() && has_blanks(&rows[grid * side..][..side])
    };
    if let Some(place) = (0..rows.len()).find(heads) {
        return Err(Fault::of_line(rows[place].line, Problem::Heading));
    }
    if let Some(line) = unlabelled(&rows, side) {
        return Err(Fault::of_line(line, Problem::Label));
    }
    let edges = |rows: &[&Drawn]| if framed { Edges::new() } else { empty_edges(rows) };
    let beside = |rows: &[&Drawn]| {
        let ends = [rows.first(), rows.last()].map(|row| row.map(|row| row.line));
        [0, 1].map(|end| {
            around.beside[end].filter(|(line, _)| Some(*line) == ends[end]).map(|(_, uneven)| uneven)
        })
    };
    // Where something is left of a row at one end, an empty row at the other may be space.
    for (uneven, opposite) in beside(&rows).into_iter().zip(["last", "first"]) {
        let is_moved = |grid: &[&Drawn]| edges(grid).iter().any(|(_, edge)| *edge == opposite);
        if let Some(uneven) = uneven.filter(|_| grids().any(is_moved)) {
            return Err(uneven.fault(task));
        }
    }
    let certain = |rows: &[&Drawn]| -> Found {
        let (cells, empty) = (cells_of(rows, side)?, edges(rows));
        match doubt(task, &cells, &empty, beside(rows)) {
            Some(fault) => Err(fault),
            None => Ok(Grid { line: rows.first().map_or(0, |row| row.line), cells, empty }),
        }
    };
    Ok(Grids { found: grids().map(certain).collect(), whole: true })
}

/// The lines without empty heads of tables. Where one table has such a head, each has, whether or not a blank
/// line stands above it.
fn without_heads<'i>(items: &[&'i Item]) -> Vec<&'i Item> {
    let may_be_head = |place: &usize| {
        items[*place].is_open() && matches!(items.get(place + 1), Some(Item::Rule { of_table: true }))
    };
    let is_alone = |place: usize| place == 0 || items[place - 1].gap() > 0;
    let has_heads = (0..items.len()).any(|place| may_be_head(&place) && is_alone(place));
    let is_head = |place: &usize| has_heads && may_be_head(place);
    (0..items.len()).filter(|place| !is_head(place)).map(|place| items[place]).collect()
}

/// The lines without the rules that Markdown wants below the first row of a table, where each table is a grid
/// with that row.
fn without_rules_of_tables(items: Vec<&Item>, side: usize) -> Vec<&Item> {
    let is_rule = |item: &&Item| matches!(item, Item::Rule { .. });
    let is_row = |item: &Item| {
        let rows = item.line().filter(|row| row.row.is_ok() && !row.is_open());
        rows.is_some_and(|row| row.heading().is_none() && row.number().is_none())
    };
    let is_grid = |part: &[&Item]| {
        part.len() == side + 1
            && is_row(part[0])
            && matches!(part[1], Item::Rule { of_table: true })
            && !part[2..].iter().any(is_rule)
    };
    let mut tables = items.split(|item| item.gap() > 0).filter(|part| !part.is_empty());
    if tables.all(is_grid) { items.into_iter().filter(|item| !is_rule(item)).collect() } else { items }
}

/// The lines from the first to the last that is certain, with two open ones at each end at most: no grid begins or
/// ends with more than one.
fn without_margins(items: Vec<&Item>) -> Vec<&Item> {
    let is_certain = |item: &&Item| item.is_certain();
    let opens = |items: &mut dyn Iterator<Item = &&Item>| items.take_while(|item| item.is_open()).count();
    let first = items.iter().position(is_certain).unwrap_or(0);
    let last = items.iter().rposition(is_certain).unwrap_or(0);
    let start = if opens(&mut items[..first].iter().rev()) > 2 { first - 2 } else { 0 };
    let end = if opens(&mut items[last + 1..].iter()) > 2 { last + 3 } else { items.len() };
    items[start..end].to_vec()
}

/// Whether rules stand around every line.
fn are_framed(items: &[&Item]) -> bool {
    let is_rule = |item: Option<&&Item>| item.is_none_or(|item| matches!(item, Item::Rule { .. }));
    let is_framed = |place: usize| {
        is_rule(items[..place].last()) && is_rule(items.get(place + 1)) || items[place].line().is_none()
    };
    (0..items.len()).all(is_framed)
}

/// What the open lines may be.
fn open(task: Sudoku, items: &[&Item]) -> Open {
    let (side, band) = (task.side(), task.kind().box_rows());
    let parts = || items.split(|item| !matches!(item, Item::Line(_))).filter(|part| !part.is_empty());
    let single = items.windows(2).all(|pair| !(pair[0].is_open() && pair[1].is_open()));
    let is_end = |item: &&Item| if single { item.is_open() } else { !item.is_certain() };
    let mut runs: Vec<Vec<&Drawn>> = Vec::new();
    for run in items.split(is_end) {
        runs.push(run.iter().filter_map(|item| item.line()).filter(|row| !row.is_open()).collect());
    }
    runs.retain(|run| !run.is_empty());
    let cells = |run: &Vec<&Drawn>| run.iter().map(|row| row.cells().replace(' ', ".")).collect::<String>();
    let are_proper = || runs.iter().all(|run| has_one_solution(task, &cells(run)));
    // One line more for each grid adds up to whole ones, too. Two empty rows of a band can be exchanged, so that
    // no puzzle with one solution has them. A 9x9 has hardly an empty row, and nine of them none at these places.
    let rows: Vec<&Drawn> = items.iter().filter_map(|item| item.line()).collect();
    let is_band = |rows: &[&Drawn]| rows.iter().filter(|row| row.is_open()).count() < 2;
    let may_be_rows = side < 9 && rows.len().is_multiple_of(side) && rows.chunks(band).all(is_band);
    match () {
        () if !items.iter().any(|item| item.is_open()) => Open::Rows,
        () if are_framed(items) => Open::Rows,
        () if parts().all(|part| part.len() == side) || parts().all(|part| part.len() == band) => Open::Rows,
        () if runs.iter().all(|run| run.len() == side) && (!may_be_rows || are_proper()) => Open::Space,
        () => Open::Either,
    }
}

/// The first line whose label does not follow the one above it, where rows have labels. They begin anew with
/// each grid or go on.
fn unlabelled(rows: &[&Drawn], side: usize) -> Option<u64> {
    let first = rows.iter().find_map(|row| row.label.as_ref())?;
    let mut above: Option<&Label> = None;
    for (place, row) in rows.iter().enumerate().filter(|(_, row)| row.row.is_ok()) {
        let follows = |label: &Label| match above {
            Some(above) => label.follows(above) || place.is_multiple_of(side) && label == first,
            None => label == first,
        };
        if !row.label.as_ref().is_some_and(follows) {
            return Some(row.line);
        }
        above = row.label.as_ref();
    }
    None
}

/// The cells of the grid of `rows`.
fn cells_of(rows: &[&Drawn], side: usize) -> Result<String, Fault> {
    if let Some(fault) = first_fault(rows.iter().copied()) {
        return Err(fault);
    }
    let spaced = |whole: bool| rows.iter().any(|drawn| drawn.kind == Certainty::Spaced { whole });
    if spaced(false) && !spaced(true) {
        let line = rows.first().map_or(0, |drawn| drawn.line);
        return Err(Fault::of_line(line, Problem::Spaces { expected: side }));
    }
    Ok(rows.iter().map(|drawn| drawn.cells().replace(' ', ".")).collect())
}

fn first_fault<'r>(mut rows: impl Iterator<Item = &'r Drawn>) -> Option<Fault> {
    rows.find_map(|drawn| Some(Fault::of_line(drawn.line, drawn.row.clone().err()?)))
}

/// Why the lines are no grids, or may be other ones.
fn fault(task: Sudoku, items: &[&Item], several: bool) -> Fault {
    let side = task.side();
    let rows: Vec<&Drawn> = items.iter().filter_map(|item| item.line()).collect();
    if let Some(fault) = first_fault(rows.iter().copied()) {
        return fault;
    }
    let cut = rows.iter().any(|row| row.kind == Certainty::Spaced { whole: false });
    let open = rows.iter().find(|row| row.is_open()).filter(|_| rows.len() >= side);
    let first = rows.first().map_or(0, |row| row.line);
    let (line, problem) = match open {
        _ if cut => (first, Problem::Spaces { expected: side }),
        Some(open) => (open.line, Problem::EmptyRow),
        None if several => (first, Problem::Numbered { side, rows: rows.len() }),
        None if rows.len() == 1 => {
            let (expected, got) = (task.cells() as u16, side as u16);
            (first, Problem::Text(TextError::Length { expected, got }))
        }
        None => (first, Problem::Height { expected: side, found: rows.len() }),
    };
    Fault::of_line(line, problem)
}
