//! Grids written as arrays, as JSON, Python, NumPy, MATLAB and R have them: `[[5, 3, 0, ...], ...]`,
//! `["53..7....", ...]`, `((5, 3, 0, ...), ...)`, `matrix(c(5, 3, 0, ...), byrow=TRUE)`.

use hrm_core::task::{
    TextError,
    sudoku::{Sudoku, SudokuKind},
};

use super::cells::{cell_in, is_cell};
use super::is_blank;
use super::puzzle_line::tokens;
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
        ['[', '('].into_iter().find_map(|bracket| Self::opened(text, bracket))
    }

    /// The array that begins with the first `bracket`.
    fn opened(text: &str, bracket: char) -> Option<Self> {
        let (name, rest) = text.split_once(bracket)?;
        let mut before = name.lines().rev();
        let is_named = before.next().is_none_or(|name| name.len() <= 60);
        // A key of YAML may stand above a list.
        let is_comment = |line: &str| {
            line.trim().is_empty()
                || line.trim_end().ends_with(':')
                || ["#", "%", "import ", "from "].iter().any(|start| line.starts_with(start))
        };
        if !is_named || !before.all(is_comment) || !begins_with_cells(rest) {
            return None;
        }
        // Behind the cells R wants to know how many rows and columns they have.
        let of_r = name.ends_with("matrix");
        let mut reader = Reader { outermost: if of_r { 2 } else { 0 }, ..Reader::default() };
        let text = text.replace(" = ", "=");
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
        // R fills the columns of a matrix first.
        if of_r && !text.contains("byrow=T") {
            reader.lost.get_or_insert((1, Problem::ByColumns));
        }
        if let Some(line) = reader.unwritten.filter(|_| reader.is_blank_written) {
            reader.lost.get_or_insert((line, Problem::Unwritten));
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

/// Whether cells follow the first bracket; `c(` combines those of R.
fn begins_with_cells(rest: &str) -> bool {
    let opens = |c: char| c.is_whitespace() || matches!(c, '[' | '(' | '"' | '\'');
    let cells = rest.trim_start_matches(opens);
    let cells = cells.strip_prefix("c(").map_or(cells, |cells| cells.trim_start_matches(opens));
    let opened = rest.len() > cells.len();
    let word = |word: &str| cells.starts_with(word);
    cells.starts_with(|c: char| c.is_ascii_digit() || opened && is_cell(c, 9))
        || ["None", "null", "nan", "NaN", "NA", "NULL"].into_iter().any(word)
        || opened && word(",")
}

/// Whether a bracket in `line` opens cells, or something that goes on in the next line, and is no index or
/// call of a program: `board[0]`, `solve(board)`, `range(9)`.
fn opens_cells(line: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | ')' | ']');
    line.match_indices(['[', '(']).any(|(place, bracket)| {
        let (before, rest) = (&line[..place], line[place + 1..].trim_start());
        let name_start = before.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_').len();
        let is_called = before.ends_with(is_word) && &before[name_start..] != "c";
        let is_nested = || rest.starts_with(['[', '(', '"', '\'']) || rest.starts_with("c(");
        let goes_on = rest.is_empty() || rest.starts_with('#');
        match bracket {
            _ if !is_called => goes_on || begins_with_cells(&line[place + 1..]),
            "(" => goes_on || is_nested() && begins_with_cells(&line[place + 1..]),
            _ => false,
        }
    })
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
    /// How many brackets are open around cells, at least.
    outermost: usize,
    /// Values of a line that stand outside.
    arguments: usize,
    /// Whether a semicolon has ended a row.
    after_semicolon: bool,
    /// Cells of the row so far, and of the first row.
    row: usize,
    width: Option<usize>,
    /// The line of the first cell with nothing between its quotation marks, and whether another writes a
    /// blank.
    unwritten: Option<u64>,
    is_blank_written: bool,
    /// By what cells were lost first, and where: `...` is NumPy's for what it leaves out in the middle.
    lost: Option<(u64, Problem)>,
}

impl Reader {
    fn line(&mut self, line: u64, text: &str) {
        self.arguments = 0;
        if self.depth == 0 && self.quote.is_none() && !opens_cells(text) {
            self.end_rows();
            let is_code = text.contains(['[', '(']);
            let text = text.trim();
            if !text.starts_with('#') && text.contains(|c: char| c.is_alphanumeric()) {
                let text: String = text.chars().take(60).collect();
                // Rows that lost their bracket are none of words.
                let is_cell = |word: &&str| word.len() == 1 && word.starts_with(|c| is_cell(c, 9));
                let are_cells = text.contains([',', ';', ' ']) && !text.contains(char::is_alphabetic)
                    || tokens(&text).filter(is_cell).count() >= 4;
                self.parts.push(match are_cells {
                    true => {
                        Part::Rows(Rows { cells: Vec::new(), ragged: Some((line, Problem::NoPuzzle(text))) })
                    }
                    false => Part::Passed(line, text),
                });
            }
            if is_code {
                return;
            }
        }
        for c in text.chars() {
            match (self.quote, c) {
                (Some((quote, _)), c) if c == quote => {
                    self.quote = None;
                    let text = std::mem::take(&mut self.scalar);
                    self.unwritten = self.unwritten.or(text.trim().is_empty().then_some(line));
                    self.is_blank_written |= !text.trim().is_empty() && text.contains(is_blank);
                    self.push(if text.trim().is_empty() { "." } else { text.trim() }, line);
                }
                (Some(_), c) => self.scalar.push(c),
                (None, '#') => break,
                (None, '[' | '(') => {
                    // The name of a function may stand before it.
                    if self.scalar.contains(char::is_alphabetic) {
                        self.scalar.clear();
                    }
                    self.depth += 1;
                }
                (None, c) if self.depth == 0 => {
                    self.outside += usize::from(c == '.' || c.is_ascii_digit());
                }
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
                    self.after_semicolon = true;
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
            // An argument such as `nrow=9`.
            argument if argument.contains('=') => {}
            _ if self.depth < self.outermost => {
                self.arguments += 1;
                if self.arguments > 2 {
                    self.lost.get_or_insert((line, Problem::Unquoted));
                }
            }
            // The line goes on.
            "..." if self.row == 0 && self.after_semicolon => {}
            "..." => _ = self.lost.get_or_insert((line, Problem::Shortened)),
            word if word.len() > 1 && cell_in(word) == "." => {
                self.is_blank_written = true;
                self.push(".", line);
            }
            // NumPy's floats: `5.` and `5.0`.
            number if number.len() > 1 => {
                self.push(number.trim_end_matches(".0").trim_end_matches('.'), line);
            }
            cell => {
                self.is_blank_written |= cell.contains(is_blank);
                self.push(cell, line);
            }
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
            Item::Passed { .. } | Item::EmptyEdge { .. } => {}
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
