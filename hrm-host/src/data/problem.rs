//! What can be wrong with a puzzle or its answer, and where.

use hrm_core::task::TextError;

use crate::task;

/// A place in a grid, shown as row and column counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row {row}, column {column} (character {character})")]
pub struct Place {
    /// Row, from 1.
    pub row: usize,
    /// Column, from 1.
    pub column: usize,
    /// Position in the text, from 1.
    pub character: usize,
}

impl Place {
    /// The place of `cell` (from 0) in a grid of `columns` columns.
    pub fn new(columns: usize, cell: usize) -> Self {
        Place { row: cell / columns + 1, column: cell % columns + 1, character: cell + 1 }
    }
}

/// What is wrong with a row of a puzzle file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Wrong length or a strange character.
    #[error("{0}; write one character for each cell, row by row")]
    Text(TextError),
    /// A length that no known size has.
    #[error("{0} characters; {known}", known = sizes())]
    Size(usize),
    /// A puzzle of another size.
    #[error(
        "{found} where {wanted} is wanted (by the model, --task or the first puzzle); keep each size in a file of its own, and \
         name a model for it"
    )]
    OtherSize {
        /// The task that it belongs to.
        found: &'static str,
        /// The task that was asked for, or that the first puzzle decided.
        wanted: &'static str,
    },
    /// What a spreadsheet leaves of 81 digits.
    #[error(
        "{0} is a puzzle that a spreadsheet took for a number; import the column as text, from the original file"
    )]
    Number(String),
    /// What is wrong with a part of a line, in which characters are counted.
    #[error("in {text:?}: {problem}")]
    Part {
        /// The part.
        text: String,
        /// What is wrong with it.
        problem: Box<Problem>,
    },
    /// The address of a page.
    #[error("a link, and nothing is read from where it leads; give only the cells of its puzzle")]
    Link,
    /// A line in which no puzzle is found.
    #[error(
        "there is no puzzle in {0:?}; a puzzle is a line such as `1.....2..3.....4`, one character for each cell and `.` for a \
         blank; begin every other line with `#`"
    )]
    NoPuzzle(String),
    /// The name of a file that is not there, in the place of a puzzle.
    #[error("{0:?} is no puzzle, and there is no file of that name")]
    NoFile(String),
    /// A row of a drawn grid has too few or too many cells.
    #[error("{found} cells where a row of the grid has {expected}")]
    Cells {
        /// Cells of a row.
        expected: usize,
        /// Cells in the line.
        found: usize,
    },
    /// A row of as many cells as there should be, with bars or delimiters at other places than in the other
    /// rows.
    #[error(
        "{cells} cells, as a row of the grid has, but drawn otherwise than rows are: a bar, a space or a delimiter is missing here, or \
         there twice; draw all rows alike, or write the puzzle on one line"
    )]
    Drawn {
        /// Cells of the row.
        cells: usize,
    },
    /// A row of a drawn grid with a character that is no cell.
    #[error(
        "{strange:?} stands in this row, and is neither a digit from 1 to {side} nor a blank (`.` or `0`)"
    )]
    Strange {
        /// The character.
        strange: char,
        /// Cells of a row.
        side: usize,
    },
    /// An empty cell that is narrower than those above and below it.
    #[error(
        "an empty cell is narrower here than in the other rows: a digit or a space is missing; write each blank as `.`"
    )]
    Narrow,
    /// A line of a few cells that is neither a row nor a puzzle.
    #[error("{found} cells, where a puzzle on one line has {cells} and a row of a drawn grid {side}")]
    Row {
        /// Cells of a row.
        side: usize,
        /// Cells of a puzzle.
        cells: usize,
        /// Cells in the line.
        found: usize,
    },
    /// Rows of another length than a grid's, in a puzzle on one line.
    #[error(
        "row {row} of the puzzle in this line has {found} cells and not {expected}: a cell or a mark between rows is missing, or there twice"
    )]
    UnevenRow {
        /// The row, from 1.
        row: usize,
        /// Cells of a row.
        expected: usize,
        /// Cells of this one.
        found: usize,
    },
    /// A blank that is not written, where other rows write theirs.
    #[error(
        "a cell is empty here, and other rows write their blanks (`0`, `.`): a digit or a blank is missing; write each blank alike"
    )]
    Unwritten,
    /// A row of a spreadsheet has too few or too many fields.
    #[error(
        "{found} fields where the other rows have {expected}: a cell or a delimiter is missing, or there twice; give all rows as many, \
         empty ones at the end included"
    )]
    Ragged {
        /// Fields of most rows.
        expected: usize,
        /// Fields in the line.
        found: usize,
    },
    /// A quoted field in which whole rows stand.
    #[error(
        "rows of puzzles stand within one field: a quotation mark of this line is missing or is one too many; close each, and write \
         `\"\"` for one that belongs to the text"
    )]
    Quote,
    /// A string of an array without one of its quotation marks.
    #[error("a quotation mark is missing here, or is one too many: which cells belong together is not known")]
    Unquoted,
    /// A bracket of an array without the other.
    #[error(
        "`{bracket}` in column {column} of this line has no bracket that belongs to it: which cells belong together is not known; mend the \
         brackets"
    )]
    Bracket {
        /// The bracket.
        bracket: char,
        /// Where it stands, from 1.
        column: usize,
    },
    /// A row of an array has too few or too many cells.
    #[error(
        "row {row} of this array has {found} cells, and each has {expected}: a cell or a comma is missing, or there twice; mend that row"
    )]
    Uneven {
        /// The row, from 1.
        row: usize,
        /// Cells of a row.
        expected: usize,
        /// Cells in it.
        found: usize,
    },
    /// Something else in the place of a cell.
    #[error(
        "{0:?} stands in an array in the place of a cell; write a digit or a blank (`0` or `.`), with a delimiter behind each"
    )]
    Word(String),
    /// A matrix that is filled column by column.
    #[error(
        "`matrix` of R without `byrow=TRUE`, and `reshape` of MATLAB and Julia, fill a grid column by column; where the numbers are written \
         row by row, add `byrow=TRUE` or leave out `reshape`, and else write the grid out row by row"
    )]
    ByColumns,
    /// A section with cells that is not read.
    #[error(
        "the section [{0}] holds cells, and only [Puzzle] is read (and [State] below it ignored); call it [Puzzle], or take it out"
    )]
    Section(String),
    /// A list of YAML.
    #[error(
        "a list as YAML writes it; take out `- ` at the beginning of each line: sed 's/^ *- //' FILE > NEW"
    )]
    Yaml,
    /// Grids drawn beside each other.
    #[error(
        "grids drawn with lines beside each other are not read; draw them below each other, or write one puzzle a line"
    )]
    Beside,
    /// Blanks are spaces, and some are missing at the end.
    #[error(
        "spaces for blanks, and fewer than {expected} characters: those at the end may be cut off; write a blank as `.`"
    )]
    Spaces {
        /// Characters of a row or a puzzle.
        expected: usize,
    },
    /// A drawn grid has too few rows, or several have too many.
    #[error("{}", height(*.expected, *.found))]
    Height {
        /// Rows of a grid.
        expected: usize,
        /// Rows that there are.
        found: usize,
    },
    /// Lines of digits alone that follow each other.
    #[error(
        "lines of digits alone, one below the other from here on, are no titles: they may be what is left of rows whose blanks were \
         lost; write each blank as `0` or `.`"
    )]
    Remains,
    /// Rows below a line in the middle of a grid.
    #[error(
        "not read: rows right below a line that interrupts a grid or cannot be read; leave a blank line above each grid, and put \
         remarks there"
    )]
    Interrupted,
    /// Rows that count, one more for each grid.
    #[error(
        "these {rows} rows may be grids of {side} rows, or fewer grids below a number or a heading each; write such a number as `Grid 1` or `# 1`"
    )]
    Numbered {
        /// Rows of a grid.
        side: usize,
        /// All rows.
        rows: usize,
    },
    /// A row without the label that the others have.
    #[error(
        "the rows of a grid are labelled, and this label does not follow the one above: is a row missing, or there twice?"
    )]
    Label,
    /// A number of a line that does not follow the one above.
    #[error(
        "these lines are numbered, and this number does not follow the one above: is a line missing, or there twice?"
    )]
    LineNumber,
    /// Numbers before a bar that may be cells.
    #[error(
        "the first fields count: they may number the rows, or be the first column of a grid; write labels as `A` or `1:`, or blanks \
         as `.`"
    )]
    RowNumbers,
    /// Cells that hold several digits.
    #[error(
        "cells with several digits: these are candidates, not a puzzle; write the puzzle itself, a digit or a blank (`.`) in each cell"
    )]
    Candidates,
    /// Other columns beside one for each cell.
    #[error(
        "{found} fields, where a puzzle that has a field for each cell has {cells}, or twice as many with its answer; leave out other \
         columns, such as a first one that numbers the rows (`cut -d, -f2- FILE > NEW`)"
    )]
    MoreColumns {
        /// Cells of a puzzle.
        cells: usize,
        /// Fields in the line.
        found: usize,
    },
    /// An empty row that may be a grid's or stand between grids.
    #[error(
        "this row is empty, and the rows around it do not tell whether it is one of a grid, or whether a grid here lacks a row; \
         write each blank as `0` or `.`, and leave out headings and rows that are no grid's"
    )]
    EmptyRow,
    /// A grid whose first or last row is empty, and that has not one solution.
    #[error(
        "this row is empty, and would be the {0} of a grid whose puzzle has not exactly one solution: a row of that grid may be missing, \
         and this one be the space beside it; put the missing row back, write each blank as `0` or `.`, or the puzzle on one line"
    )]
    EmptyEdge(
        /// Which row.
        &'static str,
    ),
    /// Right beside a grid that may lack a row.
    #[error(
        "{found} cells where a row has {expected}, right beside a grid: this may be what is left of one of its rows; mend that row, or \
         take this line out where it is none"
    )]
    BesideUneven {
        /// Cells of a row.
        expected: usize,
        /// Cells in the line.
        found: usize,
    },
    /// A spreadsheet's rows of another width than a grid has.
    #[error(
        "rows of {0} columns, where a grid has 4, 6 or 9, and no empty columns that tell where one is: leave out other columns, \
         put one empty column between grids and write each blank as `0` or `.`"
    )]
    Columns(usize),
    /// A complete grid below a puzzle that is refused.
    #[error(
        "not read: a complete grid right after a puzzle or a line that is refused, or lines of digits, may be that puzzle's answer; \
         mend what stands above it or take it out, or write this grid into a file of its own"
    )]
    PerhapsAnswer,
    /// A complete grid without a puzzle, where others have their answers.
    #[error(
        "not read: a complete grid without a puzzle before it, where other puzzles of this file have their answers: its puzzle may be \
         lost; put that back, or write this grid into a file of its own"
    )]
    LoneAnswer,
    /// The answer of the puzzle above it, but for some cells.
    #[error(
        "not read: it repeats the puzzle above it and fills in most of its blanks, as an answer that lacks cells does; complete it, or \
         write it into a file of its own"
    )]
    HalfAnswer,
    /// Numbers as NumPy writes them by default.
    #[error(
        "floating-point numbers such as {0}, as numpy.savetxt writes them; write digits: numpy.savetxt(FILE, GRID, fmt='%d')"
    )]
    Floats(String),
    /// A heading of another grid in the place of a row.
    #[error(
        "the first row of this grid numbers the columns, as a heading does, and a row may be missing; write a heading as a comment \
         (`# 1 2 3`) or leave it out, and a puzzle that begins so on one line"
    )]
    Heading,
    /// A printout that leaves out what is in the middle.
    #[error(
        "`...` stands for cells that the printout leaves out; print all of them (NumPy: numpy.savetxt, or \
         numpy.set_printoptions(threshold=sys.maxsize) first)"
    )]
    Shortened,
    /// A line that has more than one puzzle.
    #[error(
        "more than one puzzle: behind its puzzle a line may have the complete answer, and no other grid; write one puzzle a line"
    )]
    MorePuzzles,
    /// A line that is too long to be a puzzle's.
    #[error("a line or field of {0} characters; write one puzzle a line, or a row of a grid a line")]
    Long(usize),
    /// A digit that this size does not have.
    #[error("character {character} is {digit}; the digits of a {side}x{side} are 1 to {side}")]
    Digit {
        /// Position in the text, from 1.
        character: usize,
        /// The digit.
        digit: u32,
        /// Digits of this size.
        side: usize,
    },
    /// Another header within a table.
    #[error(
        "a second header, which names other columns than the one in line {0}, or in another order: the rows from here on are not read; \
         put them into a file of their own"
    )]
    Header(
        /// The first header's line.
        u64,
    ),
    /// Another number of fields than the header names.
    #[error("{found} fields where the header names {expected}; add or remove delimiters")]
    Fields {
        /// Fields in the header.
        expected: usize,
        /// Fields in the row.
        found: usize,
    },
    /// Two givens forbid each other.
    #[error("the givens at {first} and {second} contradict each other (both are {digit}); no answer exists")]
    Contradiction {
        /// The earlier cell.
        first: Place,
        /// The later cell.
        second: Place,
        /// The digit at both.
        digit: u8,
    },
    /// A 6x6 puzzle whose boxes stand upright.
    #[error(
        "{digit} stands at both {first} and {second}, which share a box: here a 6x6 has boxes of 2 rows x 3 columns. This \
         grid fits boxes of 3 rows x 2 columns; exchange its rows and columns"
    )]
    Boxes {
        /// The earlier cell.
        first: Place,
        /// The later cell.
        second: Place,
        /// The digit at both.
        digit: u8,
    },
    /// There is no answer where one is needed.
    #[error("there is no answer; `hrm-host data import FILE --solve --out NEW.csv` computes the answers")]
    NoAnswer,
    /// There is no answer, and nobody can compute it.
    #[error("there is no answer, and this program has no exact solver of {0} that could compute it")]
    NoSolver(&'static str),
    /// The answer has a blank.
    #[error("the answer is blank at {0}; an answer must be complete")]
    Incomplete(Place),
    /// The answer changes a given.
    #[error("the answer has {found} at {place} where the question gives {given}")]
    Given {
        /// The cell.
        place: Place,
        /// The question's digit.
        given: u8,
        /// The answer's digit.
        found: u8,
    },
    /// The answer breaks the rules.
    #[error("the answer is no valid grid: {digit} stands at both {first} and {second}")]
    Invalid {
        /// The earlier cell.
        first: Place,
        /// The later cell.
        second: Place,
        /// The digit at both.
        digit: u8,
    },
    /// No answer exists although no two givens contradict each other.
    #[error("the puzzle has no solution; was a given mistyped?")]
    Unsolvable,
    /// What a task's own rules say.
    #[error("{0}")]
    Rule(String),
    /// Not a proper puzzle.
    #[error("the puzzle has more than one solution:\n  {first}\n  {second}\nadd givens or remove the row")]
    Ambiguous {
        /// One solution.
        first: String,
        /// Another.
        second: String,
    },
}

impl Problem {
    /// This, of `part` of a `line`: where it counts characters, the part is quoted.
    pub(crate) fn of_part(self, part: &str, line: &str) -> Self {
        match self {
            Problem::Text(TextError::Character { .. }) | Problem::Digit { .. } if part.len() < line.len() => {
                Problem::Part { text: part.to_owned(), problem: self.into() }
            }
            problem => problem,
        }
    }
}

/// What is said of rows that are no whole grids.
fn height(expected: usize, found: usize) -> String {
    if found < expected {
        return format!("the grid that begins here has {found} rows and not {expected}");
    }
    if found.is_multiple_of(expected) {
        return format!(
            "the {found} rows from here on stand unevenly apart, so that which of them make up a grid is not known; leave a blank line \
             above each grid, and none within it"
        );
    }
    format!(
        "the {found} rows from here on are no grids of {expected} each: one is missing, one is a heading, or they stand unevenly \
         apart; leave a blank line above each grid, and begin a heading with `#`"
    )
}

/// How many cells each task has.
fn sizes() -> String {
    let each = task::all().into_iter().map(|task| format!("{task} has {}", task.cells()));
    each.collect::<Vec<_>>().join(", ")
}
