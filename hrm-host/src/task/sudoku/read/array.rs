//! Grids written as arrays, as JSON, Python and NumPy have them: `[[5, 3, 0, ...], ...]`, `["53..7....", ...]`.

use hrm_core::task::{
    TextError,
    sudoku::{Sudoku, SudokuKind},
};

use super::cells::{cell_in, is_cell};
use crate::data::problem::Problem;
use crate::data::read::{Fault, Item, Row};

/// The arrays of a document, in order.
pub(super) struct Array {
    task: Sudoku,
    parts: Vec<Part>,
}

/// What a document of arrays consists of.
enum Part {
    /// Rows in one bracket, or rows of their own on lines that follow each other: whole grids.
    Rows(Rows),
    /// A line of words that is in no array.
    Passed(u64, String),
}

/// Rows of cells.
#[derive(Default)]
struct Rows {
    /// Each cell, and the line that it stands in.
    cells: Vec<(char, u64)>,
    /// What is wrong with the first row of another length than the first one's of all, and where.
    ragged: Option<(u64, Problem)>,
}

impl Array {
    /// The array that `text` is, perhaps behind a name: `board = [`.
    pub(super) fn of(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('[')?;
        let mut before = name.lines().rev();
        let is_named = before.next().is_none_or(|name| name.len() <= 60);
        // A key of YAML may stand above a list.
        let is_comment =
            |line: &str| line.trim().is_empty() || line.starts_with('#') || line.trim_end().ends_with(':');
        if !is_named || !before.all(is_comment) || !begins_with_cells(rest) {
            return None;
        }
        let mut reader = Reader::default();
        for (index, line) in text.lines().enumerate() {
            reader.line(index as u64 + 1, line);
        }
        reader.end_rows();
        // `[1000] 53..7....` is a numbered list.
        let width = reader.width.filter(|_| reader.outside < reader.found)?;
        let side_of = |task: &Sudoku| width == task.side() || width == task.side() * task.side();
        let task = SudokuKind::ALL.map(Sudoku::new).into_iter().find(side_of)?;
        if let Some(problem) = reader.quote.map(|(_, line)| (line, Problem::Unquoted)) {
            reader.lost.get_or_insert(problem);
        }
        if reader.lost.is_some() {
            // Some of the cells are nowhere.
            reader.parts.retain(|part| matches!(part, Part::Passed(..)));
            reader.parts.push(Part::Rows(Rows { cells: Vec::new(), ragged: reader.lost }));
        }
        Some(Self { task, parts: reader.parts })
    }

    /// The size of its grids.
    pub(super) fn task(&self) -> Sudoku {
        self.task
    }

    /// Tells `visit` of every grid.
    pub(super) fn visit(&self, visit: &mut dyn FnMut(Item<'_>)) {
        for part in &self.parts {
            match part {
                Part::Passed(line, text) => visit(Item::Passed { line: *line, text }),
                Part::Rows(rows) => rows.visit(self.task, visit),
            }
        }
    }
}

impl Rows {
    /// Tells `visit` of its grids, or what is wrong.
    fn visit(&self, task: Sudoku, visit: &mut dyn FnMut(Item<'_>)) {
        let size = task.side() * task.side();
        let uneven = || {
            let (expected, got) = (size as u16, u16::try_from(self.cells.len()).unwrap_or(u16::MAX));
            let problem = Problem::Text(TextError::Length { expected, got });
            (!self.cells.len().is_multiple_of(size)).then_some((self.cells.first()?.1, problem))
        };
        // Where a cell is missing, nobody knows whose those behind it are.
        if let Some((line, problem)) = self.ragged.clone().or_else(uneven) {
            return visit(Item::Fault(&Fault { line, column: None, problem }));
        }
        for grid in self.cells.chunks_exact(size) {
            let question: String = grid.iter().map(|(c, _)| c).collect();
            let line = grid.first().map_or(0, |(_, line)| *line);
            visit(Item::Row(Row { line, question: &question, answer: None, rating: Ok(None), source: "" }));
        }
    }
}

/// Whether cells follow the first bracket.
fn begins_with_cells(rest: &str) -> bool {
    let cells = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '[' | '(' | '"' | '\''));
    let opened = rest.len() > cells.len();
    let word = |word: &str| cells.starts_with(word);
    cells.starts_with(|c: char| c.is_ascii_digit() || opened && is_cell(c, 9))
        || word("None")
        || word("null")
        || opened && word(",")
}

/// Collects the cells between brackets.
#[derive(Default)]
struct Reader {
    depth: usize,
    /// The quotation mark that is open, and its line.
    quote: Option<(char, u64)>,
    scalar: String,
    parts: Vec<Part>,
    rows: Rows,
    /// Cells so far.
    found: usize,
    /// Digits and points that no bracket holds.
    outside: usize,
    /// Cells of the row so far, and of the first row.
    row: usize,
    width: Option<usize>,
    /// By what cells were lost first, and where: `...` is NumPy's for what it leaves out in the middle.
    lost: Option<(u64, Problem)>,
}

impl Reader {
    fn line(&mut self, line: u64, text: &str) {
        if self.depth == 0 && self.quote.is_none() && !text.contains('[') {
            self.end_rows();
            let text = text.trim();
            if !text.starts_with('#') && text.contains(|c: char| c.is_alphanumeric()) {
                let text: String = text.chars().take(60).collect();
                // Rows that lost their bracket are none of words.
                let are_cells = text.contains([',', ';', ' ']) && !text.contains(char::is_alphabetic);
                self.parts.push(match are_cells {
                    true => {
                        Part::Rows(Rows { cells: Vec::new(), ragged: Some((line, Problem::NoPuzzle(text))) })
                    }
                    false => Part::Passed(line, text),
                });
            }
        }
        for c in text.chars() {
            match (self.quote, c) {
                (Some((quote, _)), c) if c == quote => {
                    self.quote = None;
                    let text = std::mem::take(&mut self.scalar);
                    self.push(if text.trim().is_empty() { "." } else { text.trim() }, line);
                }
                (Some(_), c) => self.scalar.push(c),
                (None, '#') => break,
                (None, '[') => self.depth += 1,
                (None, c) if self.depth == 0 => {
                    self.outside += usize::from(c == '.' || c.is_ascii_digit());
                }
                (None, '(') => self.depth += 1,
                (None, '"' | '\'') => {
                    // Cells that no quotation mark stands before.
                    if self.scalar.len() >= 4 && self.scalar.chars().all(|c| is_cell(c, 9)) {
                        self.lost.get_or_insert((line, Problem::Unquoted));
                    }
                    self.quote = Some((c, line));
                }
                (None, ']' | ')') => {
                    self.end_scalar(line);
                    if !self.end_row(line) {
                        self.end_rows();
                    }
                    self.depth -= 1;
                }
                (None, c) if c == ',' || c.is_whitespace() => self.end_scalar(line),
                // Between rows of MATLAB.
                (None, ';') => {
                    self.end_scalar(line);
                    self.end_row(line);
                }
                (None, c) => self.scalar.push(c),
            }
        }
        if self.quote.is_none() {
            self.end_scalar(line);
        }
    }

    fn end_scalar(&mut self, line: u64) {
        let scalar = std::mem::take(&mut self.scalar);
        match scalar.as_str() {
            "" => {}
            "..." => _ = self.lost.get_or_insert((line, Problem::Shortened)),
            word if word.len() > 1 && cell_in(word) == "." => self.push(".", line),
            // NumPy's floats: `5.` and `5.0`.
            number if number.len() > 1 => {
                self.push(number.trim_end_matches(".0").trim_end_matches('.'), line);
            }
            cell => self.push(cell, line),
        }
    }

    fn push(&mut self, cells: &str, line: u64) {
        self.row += cells.chars().count();
        self.found += cells.chars().count();
        self.rows.cells.extend(cells.chars().map(|c| (c, line)));
        if cells.len() > 1 {
            self.end_row(line);
        }
    }

    /// Ends a row, if there is one.
    fn end_row(&mut self, line: u64) -> bool {
        let found = std::mem::take(&mut self.row);
        if found == 0 {
            return false;
        }
        let expected = *self.width.get_or_insert(found);
        if found != expected && self.rows.ragged.is_none() {
            self.rows.ragged = Some((line, Problem::Cells { expected, found }));
        }
        true
    }

    /// Ends the rows of a bracket, or those above a line without any.
    fn end_rows(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        if !rows.cells.is_empty() {
            self.parts.push(Part::Rows(rows));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const Q: &str = "1.....2..3.....4";
    const A: &str = "1243342143122134";

    fn told(text: &str) -> Vec<String> {
        let mut told = Vec::new();
        let array = Array::of(text).unwrap_or_else(|| panic!("an array: {text}"));
        array.visit(&mut |item| match item {
            Item::Row(row) => told.push(format!(
                "{} {} {}",
                row.line,
                row.question.replace('0', "."),
                row.answer.unwrap_or("-")
            )),
            Item::Fault(fault) => told.push(format!("{} {}", fault.line, fault.problem)),
            Item::Passed { .. } => {}
        });
        told
    }

    #[test]
    fn arrays_are_read_as_json_python_and_numpy_write_them() {
        let rows = ["1, 0, 0, 0", "0, 0, 2, 0", "0, 3, 0, 0", "0, 0, 0, 4"];
        let strings = ["1...", "..2.", ".3..", "...4"];
        let indented =
            Q.replace('.', "0").chars().map(|c| format!("    {c}")).collect::<Vec<_>>().join(",\n");
        for text in [
            format!("[[{}]]", rows.join("], [")),
            format!("board = [\n    [{}],  # made by hand\n]\n", rows.join("],\n    [")),
            format!("np.array([[{}]])", rows.join("],\n [").replace(',', "")),
            format!("[[{}]]", rows.join("]\n [").replace(',', ".")),
            format!("([{}])", rows.join("],[")),
            format!("[{}]", rows.join(",").replace('0', "None")),
            format!("['{}']", strings.join("', '")),
            format!("[\"{Q}\"]"),
            format!("puzzles = [\n  '{Q}',\n]\n"),
            format!(
                "[[\"1\",\"\",\"\",\"\"],[{}]]",
                "\"\",\"\",\"2\",\"\"],[\"\",\"3\",\"\",\"\"],[\"\",\"\",\"\",\"4\""
            ),
        ] {
            let told = told(&text);
            assert!(told.len() == 1 && told[0].ends_with(&format!(" {Q} -")), "{text}: {told:?}");
        }
        assert_eq!(told(&format!("[\n{indented}\n]")), [format!("2 {Q} -")]);
        let [q, a] =
            [Q, A].map(|grid| grid.chars().map(String::from).collect::<Vec<_>>().join(",").replace('.', "0"));
        assert_eq!(told(&format!("[\n'{Q}',\n'{Q}'\n]")), [format!("2 {Q} -"), format!("3 {Q} -")]);
        assert_eq!(told(&format!("[{q}]\n[{a}]\n")), [format!("1 {Q} -"), format!("2 {A} -")]);
    }

    #[test]
    fn what_is_wrong_with_an_array_is_told_by_line() {
        assert_eq!(
            told("[[1,0,0,0],\n [0,0,2],\n [0,0,0,0],[0,0,0,0]]")[0],
            "2 3 cells where a row of the grid has 4"
        );
        let short = told("[[1,0,0,0],\n [0,0,2,0]]");
        assert!(short[0].starts_with("1 16 characters expected and 8 found"), "{short:?}");
        for text in
            ["[Puzzle]\n1...\n", "[[\"question\",\"answer\"]]", "[{\"puzzle\": 1}]", "[1, 2, 3]", Q, ""]
        {
            assert!(Array::of(text).is_none(), "{text}");
        }
    }
}
