//! Which lines of drawn grids, following each other, make up which grid: a row may be empty, and what looks like a row may be
//! a heading, a rule, or space between two grids.
//!
//! Every line must have its place. Where that can be done in more than one way, the block is refused.

use hrm_core::task::{TextError, sudoku::Sudoku};

use crate::data::problem::Problem;
use crate::data::read::Fault;

/// A line of a drawn grid.
#[derive(Clone)]
pub(super) struct Drawn {
    pub(super) line: u64,
    pub(super) row: Result<String, Problem>,
    pub(super) kind: Certainty,
}

/// How certain a line is to be a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Certainty {
    /// It is one.
    Row,
    /// It has no cells, only what stands between them: a row of blanks, or space between grids.
    Empty,
    /// It may be a rule, or space between rows.
    PerhapsRule,
    /// Its blanks are spaces; whether all of them are there.
    Spaced { whole: bool },
}

/// A grid's first line and cells, or what is wrong.
pub(super) type Found = Result<(u64, String), Fault>;

/// What the lines of a block are.
pub(super) enum Taken {
    Nothing,
    /// Grids, each with all its rows.
    Grids(Vec<Found>),
    /// Rows that are no whole grids, or may be other ones.
    Unclear(Fault),
}

/// Lines that may be rows, with nothing but blank lines and rules between them.
pub(super) struct Block {
    task: Sudoku,
    rows: Vec<Placed>,
    /// The head of a Markdown table: the row above the only rule of its kind.
    head: Option<Placed>,
    /// Whether a blank line comes before the next row.
    gap: bool,
    /// Whether a rule does.
    rule: bool,
    /// Whether a grid stands right above the first row.
    follows: bool,
}

#[derive(Clone)]
struct Placed {
    drawn: Drawn,
    /// Whether space stands above it.
    apart: bool,
    /// Whether a rule stands above it.
    ruled: bool,
}

impl Placed {
    fn is_certain(&self) -> bool {
        !matches!(self.drawn.kind, Certainty::Empty | Certainty::PerhapsRule)
    }

    /// Whether it numbers the columns, from 1 or from 0.
    fn may_be_heading(&self) -> bool {
        let counts = |row: &String| {
            let numbers = u32::from(row.starts_with('1'))..;
            numbers.zip(row.chars()).all(|(number, c)| c.to_digit(10) == Some(number))
        };
        self.is_certain() && self.drawn.row.as_ref().is_ok_and(counts)
    }

    /// Whether it may be the number of the grid below: digits alone, or one in the first field.
    fn may_be_number(&self) -> bool {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let alone = |row: &str| digits(&row[..1]) && row[1..].bytes().all(|byte| byte == b'.');
        let is_number = |row: &String| digits(row) || alone(row);
        self.is_certain() && !self.may_be_heading() && self.drawn.row.as_ref().is_ok_and(is_number)
    }
}

impl Block {
    pub(super) fn new(task: Sudoku) -> Self {
        Block { task, rows: Vec::new(), head: None, gap: false, rule: false, follows: false }
    }

    /// A block right below a grid.
    pub(super) fn below(task: Sudoku) -> Self {
        Block { follows: true, ..Block::new(task) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A rule. Where it has bars between all cells, what stands above the first is a head, unless others follow.
    pub(super) fn add_rule(&mut self, of_table: bool) {
        self.rule = true;
        if !of_table {
            return;
        }
        if let Some(head) = self.head.take() {
            self.rows.insert(0, head);
        } else if self.rows.len() == 1 {
            self.head = self.rows.pop();
        }
    }

    /// Rows that are certain.
    pub(super) fn certain(&self) -> usize {
        self.rows.iter().filter(|row| row.is_certain()).count()
    }

    pub(super) fn add(&mut self, drawn: Drawn) {
        let (apart, ruled) = (std::mem::take(&mut self.gap), std::mem::take(&mut self.rule));
        self.rows.push(Placed { drawn, apart, ruled });
    }

    /// Whether what follows cannot change what the lines so far are.
    pub(super) fn is_complete(&self) -> bool {
        self.rows.len() == self.task.side() && !self.is_open()
    }

    /// A blank line: whether it ends the block. Bands may stand apart.
    pub(super) fn ends_at_gap(&mut self) -> bool {
        let certain = self.certain();
        self.gap = true;
        self.follows &= !self.is_empty();
        if self.is_open() {
            let side = self.task.side();
            return certain > side || certain > 0 && !matches!(self.readings(), Readings::None);
        }
        !certain.is_multiple_of(self.task.kind().box_rows())
    }

    /// Whether a line may be something else than a row.
    fn is_open(&self) -> bool {
        let heading = self.rows.first().is_some_and(Placed::may_be_heading);
        heading || self.rows.iter().any(|row| !row.is_certain())
    }

    /// What the lines are. A block without a certain row is nothing.
    pub(super) fn taken(mut self) -> Taken {
        // The head of a table holds no digits but those that number its columns.
        if let Some(head) = self.head.take_if(|head| head.is_certain() && !head.may_be_heading()) {
            self.rows.insert(0, head);
        }
        if self.certain() == 0 {
            return Taken::Nothing;
        }
        match self.readings() {
            Readings::One(grids) => Taken::Grids(grids.iter().map(|grid| self.grid(grid)).collect()),
            Readings::None | Readings::Several => self.fault().map_or(Taken::Nothing, Taken::Unclear),
        }
    }

    /// Puts the rows of one grid together.
    fn grid(&self, rows: &[Drawn]) -> Found {
        let line = rows.first().map_or(0, |drawn| drawn.line);
        let fault = |line, problem| Err(Fault { line, column: None, problem });
        if let Some((line, problem)) = first_fault(rows.iter()) {
            return fault(line, problem);
        }
        let spaced = |whole: bool| rows.iter().any(|drawn| drawn.kind == Certainty::Spaced { whole });
        if spaced(false) && !spaced(true) {
            return fault(line, Problem::Spaces { expected: self.task.side() });
        }
        Ok((line, rows.iter().filter_map(|drawn| drawn.row.as_deref().ok()).collect()))
    }

    /// Why the lines are no grids.
    fn fault(&self) -> Option<Fault> {
        let side = self.task.side();
        let rows = self.without_rules();
        let first = rows.first()?.drawn.line;
        let cut = rows.iter().any(|row| row.drawn.kind == Certainty::Spaced { whole: false });
        let empty = rows.iter().find(|row| !row.is_certain()).filter(|_| rows.len() >= side);
        let (line, problem) = match (first_fault(rows.iter().map(|row| &row.drawn)), &rows[..]) {
            (Some(fault), _) => fault,
            _ if cut => (first, Problem::Spaces { expected: side }),
            (_, [Placed { drawn: Drawn { row: Ok(row), .. }, .. }]) => {
                let got = u16::try_from(row.len()).unwrap_or(u16::MAX);
                let expected = u16::try_from(side * side).unwrap_or(u16::MAX);
                (first, Problem::Text(TextError::Length { expected, got }))
            }
            _ => match empty {
                Some(empty) => (empty.drawn.line, Problem::EmptyRow),
                None => (first, Problem::Height { expected: side, found: rows.len() }),
            },
        };
        Some(Fault { line, column: None, problem })
    }

    /// The ways to take the lines.
    fn readings(&self) -> Readings {
        let rows = self.without_rules();
        let strict = readings(self.task, &rows, self.follows);
        if rows.iter().any(|row| row.drawn.kind == Certainty::Empty) {
            return strict;
        }
        match (strict, readings(self.task, &without_space(&rows), self.follows)) {
            (Readings::None, loose) => loose,
            (Readings::One(strict), Readings::One(loose)) if lines(&strict) != lines(&loose) => {
                Readings::Several
            }
            (strict, _) => strict,
        }
    }

    /// The rows without rules: lines of a character that is not the blank of the rows.
    fn without_rules(&self) -> Vec<Placed> {
        let certain = self.rows.iter().filter(|row| row.is_certain());
        let blanks: String = certain
            .filter_map(|row| row.drawn.row.as_deref().ok())
            .flat_map(|row| row.chars().filter(|c| !matches!(c, '1'..='9')))
            .collect();
        let is_blank =
            |row: &str| blanks.is_empty() || row.starts_with('.') || row.chars().any(|c| blanks.contains(c));
        let stays = |row: &Placed| {
            row.drawn.kind != Certainty::PerhapsRule || row.drawn.row.as_deref().is_ok_and(is_blank)
        };
        let (mut apart, mut ruled) = (false, false);
        let mut kept = Vec::new();
        for row in &self.rows {
            (apart, ruled) = (apart || row.apart, ruled || row.ruled || !stays(row));
            if stays(row) {
                kept.push(Placed { drawn: row.drawn.clone(), apart, ruled });
                (apart, ruled) = (false, false);
            }
        }
        kept
    }
}

/// The ways to take lines as grids.
enum Readings {
    None,
    /// The rows of each grid.
    One(Vec<Vec<Drawn>>),
    Several,
}

fn lines(grids: &[Vec<Drawn>]) -> Vec<u64> {
    grids.iter().flatten().map(|drawn| drawn.line).collect()
}

fn first_fault<'r>(mut rows: impl Iterator<Item = &'r Drawn>) -> Option<(u64, Problem)> {
    rows.find_map(|drawn| Some((drawn.line, drawn.row.clone().err()?)))
}

/// The rows where lines that need not be rows are space between them.
fn without_space(rows: &[Placed]) -> Vec<Placed> {
    let (mut apart, mut ruled) = (false, false);
    let mut kept = Vec::new();
    for row in rows {
        (apart, ruled) = (apart || row.apart || !row.is_certain(), ruled || row.ruled);
        if row.is_certain() {
            kept.push(Placed { drawn: row.drawn.clone(), apart, ruled });
            (apart, ruled) = (false, false);
        }
    }
    kept
}

/// Every line is a row of a grid, an empty one between grids, or a heading right above one; a grid may stand above all of them.
///
/// Space and rules stand between the bands of a grid, or between all its rows.
fn readings(task: Sudoku, rows: &[Placed], follows: bool) -> Readings {
    let (side, band) = (task.side(), task.kind().box_rows());
    let is_grid = |start: usize| {
        let Some(grid) = rows.get(start..start + side) else { return false };
        let even = |parted: fn(&Placed) -> bool| {
            let mut inner = grid.iter().enumerate().skip(1);
            let in_bands = inner.clone().all(|(place, row)| !parted(row) || place.is_multiple_of(band));
            in_bands || inner.all(|(_, row)| parted(row))
        };
        grid.iter().any(Placed::is_certain) && even(|row| row.apart) && even(|row| row.ruled)
    };
    let is_heading = |place: usize| {
        let first = place == 0 || rows[place].apart || !rows[place - 1].is_certain();
        first && rows[place].may_be_heading() && is_grid(place + 1)
    };
    // A number above a grid that nothing follows: it may be none, but the grid's first row may be another one.
    let is_numbered = |place: usize| {
        let bounded = |row: Option<&Placed>| row.is_none_or(|row| !row.is_certain());
        bounded(place.checked_sub(1).and_then(|above| rows.get(above)))
            && rows[place].may_be_number()
            && is_grid(place + 1)
            && rows[place + side].is_certain()
            && bounded(rows.get(place + side + 1))
    };
    // From the end: in how many ways the lines from here on can be taken, up to two.
    let mut ways = vec![0_u8; rows.len() + side + 1];
    ways[rows.len()] = 1;
    for place in (0..rows.len()).rev() {
        let grid = if is_grid(place) { ways[place + side] } else { 0 };
        let space = if rows[place].is_certain() { 0 } else { ways[place + 1] };
        let heading = if is_heading(place) { ways[place + 1 + side] } else { 0 };
        let numbered = if is_numbered(place) { 2 * ways[place + 1 + side] } else { 0 };
        ways[place] = (grid + space + heading + numbered).min(2);
    }
    match ways[0] {
        0 => return Readings::None,
        1 => {}
        _ => return Readings::Several,
    }
    let (mut grids, mut starts, mut place) = (Vec::new(), Vec::new(), 0);
    while place < rows.len() {
        if is_grid(place) && ways[place + side] > 0 {
            starts.push(place);
            grids.push(rows[place..place + side].iter().map(|row| row.drawn.clone()).collect());
            place += side;
        } else {
            place += 1;
        }
    }
    if may_lack_a_row(rows, &starts, (side, follows)) { Readings::Several } else { Readings::One(grids) }
}

/// Whether a row of a grid may be missing, or be there twice, so that grids which begin at `starts` are read shifted: an empty
/// row at the edge of a grid may be space then, and the grids stand unevenly apart.
fn may_lack_a_row(rows: &[Placed], starts: &[usize], (side, follows): (usize, bool)) -> bool {
    let is_empty = |place: &usize| rows[*place].drawn.kind == Certainty::Empty;
    let ends = starts.iter().map(|start| start + side);
    // Between two grids: empty lines that belong to none, and those with the empty rows on both sides of them.
    let gap = |(end, start): (usize, usize)| {
        let space = (end..start).filter(is_empty).count();
        let before = (0..end).rev().take_while(is_empty).count();
        let behind = (start..rows.len()).take_while(is_empty).count();
        (space, before + space + behind)
    };
    let within = ends.zip(starts.iter().copied().skip(1));
    let first = starts.first().map(|&start| gap((0, start)));
    let last = starts.last().map(|start| gap((start + side, rows.len())));
    let gaps: Vec<(usize, usize)> = first.filter(|_| follows).into_iter().chain(within.map(gap)).collect();
    let uneven = gaps.iter().any(|(space, _)| *space != gaps[0].0);
    // Of one gap at least it is known that all of it is space, and where grids touch, of all.
    let vague = !gaps.is_empty() && gaps.iter().all(|(space, all)| all > space)
        || gaps.iter().any(|(space, all)| *space == 0 && *all > 0);
    let edge = |gap: Option<(usize, usize)>| gap.is_some_and(|(space, all)| space > 0 && all > space);
    // As many rows as a grid has, alone between empty lines, are one.
    let alone = |place: usize| {
        let bounded = (place == 0 || is_empty(&(place - 1)))
            && (place + side == rows.len()
                || rows.get(place + side).is_some_and(|_| is_empty(&(place + side))));
        bounded && (place..place + side).all(|place| place < rows.len() && !is_empty(&place))
    };
    let cut = (0..rows.len()).any(|place| alone(place) && !starts.contains(&place));
    uneven || vague || !follows && edge(first) || edge(last) || cut
}

#[cfg(test)]
mod tests {
    use hrm_core::task::sudoku::SudokuKind;

    use super::super::lines;
    use super::*;
    use crate::data::read::Item;

    /// What is told of a text of 4x4 grids: `line cells`, or `line: why`.
    fn told(text: &str) -> Vec<String> {
        let mut told = Vec::new();
        lines::visit(text, Sudoku::new(SudokuKind::Four), &mut |item| match item {
            Item::Row(row) => told.push(format!("{} {}", row.line, row.question.replace('0', "."))),
            Item::Fault(fault) => told.push(format!("{}: {}", fault.line, fault.problem)),
            Item::Passed { .. } => {}
        });
        told
    }

    /// A grid with its `empty` rows empty, as cells.
    fn rows_of(empty: &[usize]) -> Vec<String> {
        let row = |index: usize| {
            if empty.contains(&index) { "...." } else { ["34..", "..12", "4..3", "21.."][index] }
        };
        (0..4).map(|index| row(index).to_owned()).collect()
    }

    /// Rows whose blanks are empty fields.
    fn delimited(rows: &[String], delimiter: &str) -> String {
        let fields = |row: &String| {
            row.chars().map(|c| c.to_string().replace('.', "")).collect::<Vec<_>>().join(delimiter) + "\n"
        };
        rows.iter().map(fields).collect()
    }

    #[test]
    fn an_empty_row_is_a_row_at_every_place_and_in_every_drawing() {
        let drawings: [fn(&[String]) -> String; 9] = [
            |rows| delimited(rows, ","),
            |rows| delimited(rows, ";"),
            |rows| delimited(rows, "\t"),
            |rows| delimited(rows, " & "),
            |rows| rows.iter().map(|row| row.replace('.', " ") + "\n").collect(),
            |rows| rows.iter().map(|row| row.replace('.', "-") + "\n").collect(),
            |rows| rows.iter().map(|row| format!("|{}|\n", row.replace('.', " "))).collect(),
            |rows| {
                let rows: Vec<String> = rows
                    .iter()
                    .map(|row| format!("|{}|{}|\n", &row[..2], &row[2..]).replace('.', " "))
                    .collect();
                format!("+--+--+\n{}+--+--+\n{}+--+--+\n", rows[..2].concat(), rows[2..].concat())
            },
            |rows| {
                let row = |row: &str| format!("|{}|\n", row.trim_end());
                let rows: String = delimited(rows, "|").lines().map(row).collect();
                format!("|||||\n|--|--|--|--|\n{rows}")
            },
        ];
        for (index, draw) in drawings.into_iter().enumerate() {
            for empty in [&[][..], &[0], &[1], &[2], &[3], &[0, 1], &[1, 2], &[2, 3], &[0, 2]] {
                let (grid, text) = (rows_of(empty).concat(), draw(&rows_of(empty)));
                let same = |told: &[String]| {
                    told.iter().all(|told| told.replace('-', ".").ends_with(&format!(" {grid}")))
                };
                for (text, grids) in [
                    (text.clone(), 1),
                    (text.replace('\n', "\r\n"), 1),
                    (format!("{text}{text}{text}"), 3),
                    (format!("{text}\n{text}\n{text}"), 3),
                    (format!("Grid 1\n{text}Grid 2\n{text}"), 2),
                ] {
                    let told = told(&text);
                    // A grid is never another one; where it is not clear, that is told.
                    let refused = told.iter().any(|told| told.contains(": "));
                    assert!(refused || told.len() == grids && same(&told), "{index}\n{text}\n{told:?}");
                    // Grids that touch may as well be apart, and lack a row each.
                    let touching = text.lines().count() == 12;
                    let edge = empty.contains(&0) || touching && empty.contains(&3);
                    let clear = grids == 1 || index < 3 && !edge;
                    assert!(!refused || !clear, "{index}\n{text}\n{told:?}");
                }
            }
        }
    }

    #[test]
    fn an_empty_row_between_grids_is_space_or_the_block_is_refused() {
        for delimiter in [",", ";", "\t"] {
            let space = delimiter.repeat(3) + "\n";
            let grid = |empty: &[usize]| delimited(&rows_of(empty), delimiter);
            let text = format!("{}{space}{}{space}{}{space}", grid(&[2]), grid(&[1]), grid(&[2]));
            let expected: Vec<String> = [(1, 2), (6, 1), (11, 2)]
                .map(|(line, empty)| format!("{line} {}", rows_of(&[empty]).concat()))
                .into();
            assert_eq!(told(&text), expected);
            assert_eq!(told(&text.replace('\n', "\r\n")), expected);
            let clear = format!("{}{space}{space}{}{space}{space}", grid(&[]), grid(&[]));
            assert_eq!(told(&clear).len(), 2);
            // The first grid may begin, or end, with an empty row.
            let text = format!("{}{space}", grid(&[0]));
            assert!(told(&text)[0].starts_with("1: this row is empty"), "{text}");
        }
        assert_eq!(told(",,,\n;;;\n"), [""; 0]);
    }

    #[test]
    fn grids_of_which_one_lacks_a_row_are_never_read_shifted() {
        let grids = [
            ["34..", "..12", "4..3", "21.."],
            [".4.1", "1.34", "..1.", "41.."],
            ["2.4.", "4..1", ".24.", "..32"],
        ];
        let right: Vec<String> = grids.iter().map(|grid| grid.concat()).collect();
        let fields =
            |row: &&str| row.chars().map(|c| c.to_string().replace('.', "")).collect::<Vec<_>>().join(",");
        for (count, space) in [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (3, 3)] {
            for (lacking, row, again) in (0..count * 8).map(|case| (case / 8, case % 4, case % 8 > 3)) {
                let mut lines: Vec<String> = Vec::new();
                for (index, grid) in grids.iter().enumerate().take(count) {
                    let mut rows: Vec<String> = grid.iter().map(fields).collect();
                    if index == lacking && again {
                        rows.insert(row, rows[row].clone());
                    } else if index == lacking {
                        rows.remove(row);
                    }
                    lines.extend(rows);
                    lines.extend(std::iter::repeat_n(",,,".to_owned(), space));
                }
                for trailing in 0..=space {
                    let text = lines[..lines.len() - trailing].join("\n");
                    let told = told(&text);
                    let wrong = |told: &String| {
                        let (_, cells) = told.split_once(' ').unwrap();
                        !told.contains(": ") && !right.iter().any(|right| right == cells)
                    };
                    // One grid alone whose last row is empty is what it looks like.
                    let one = count == 1 && lines.len() - trailing == 4;
                    let refused = told.iter().any(|told| told.contains(": "));
                    assert!(one || refused || !told.iter().any(wrong), "{text}\n{told:?}");
                }
            }
        }
    }

    #[test]
    fn a_heading_of_numbers_is_no_row() {
        let plain = "3 4 . .\n. . . .\n4 . . .\n. . 4 .\n";
        let fields = "3,4,,\n,,,\n4,,,\n,,4,\n";
        let labelled = "A 3 4 . .\nB . . . .\nC 4 . . .\nD . . 4 .\n";
        let table = "| 3 | 4 |   |   |\n|   |   |   |   |\n| 4 |   |   |   |\n|   |   | 4 |   |\n";
        for text in [
            format!("  1 2 3 4\n{plain}"),
            format!("  1 2 3 4\n{labelled}"),
            format!("  1 2 3 4\n\n{labelled}"),
            format!("  A B C D\n{labelled}"),
            format!("1,2,3,4\n{fields}"),
            format!("0,1,2,3\n{fields}"),
            format!("| 1 | 2 | 3 | 4 |\n|---|---|---|---|\n{table}"),
            format!("4 4\n{plain}"),
            format!("2 2\n{plain}"),
            format!("4x4\n{plain}"),
            plain.replacen("3 4 . .", "3 4 . . # hard", 1),
        ] {
            let told = told(&text);
            assert!(told.len() == 1 && told[0].ends_with(" 34......4.....4."), "{text}\n{told:?}");
        }
        // Twice, and where it is a row.
        let both = told(&format!("1,2,3,4\n{fields}\n1,2,3,4\n{fields}"));
        assert_eq!(both, ["2 34......4.....4.", "8 34......4.....4."]);
        assert_eq!(told("1234\n3412\n2143\n4321\n"), ["1 1234341221434321"]);
        assert_eq!(told("1234\n3412\n2143\n4321\n3412\n1234\n2143\n4321\n").len(), 2);
    }
}
