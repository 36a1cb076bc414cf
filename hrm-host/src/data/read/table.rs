//! A table: CSV whose header names the columns, with commas, semicolons or tabs between the fields.

use std::convert::Infallible;

use csv::StringRecord;

use super::columns::{Column, Columns, NoPlace};
use super::{Document, Fault, Item, Need, ReadError, Row, means_nothing};
use crate::data::problem::Problem;
use crate::task::{self, Game, Looks, UnknownTask};

/// Lines above a header that are looked at.
const LINES_TO_HEADER: usize = 50;
/// Rows that are looked at for the size of their puzzles.
pub(crate) const ROWS_LOOKED_AT: usize = 1000;
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// A table in a document.
pub(super) struct Table<'d> {
    /// From the header on.
    text: &'d str,
    /// Lines before the header.
    above: u64,
    delimiter: u8,
    fields: usize,
    question: usize,
    answer: Option<usize>,
    rating: Option<usize>,
    source: Option<usize>,
    task: Option<usize>,
}

/// Why a column of tasks names no task of all rows.
pub(super) enum Undeclared {
    /// There is none of the name in this line.
    Unknown { line: u64, unknown: UnknownTask },
    /// Rows name several; the line has another than those above it.
    Several { line: u64, first: Game, other: Game },
}

impl<'d> Table<'d> {
    /// The table that `document` is, if one of its first lines names columns.
    pub(super) fn of(document: &'d Document, columns: &Columns) -> Result<Option<Self>, ReadError> {
        let Some(Header { text, above, delimiter, names }) = Header::of(&document.text, columns) else {
            return Ok(None);
        };
        let listed = |names: &[String]| {
            let names = names.iter().take(8).map(|name| format!("`{}`", name.escape_debug()));
            names.collect::<Vec<_>>().join(", ")
        };
        let (path, line) = (|| document.path.clone(), above + 1);
        let missing =
            |column: String| ReadError::Column { path: path(), line, column, found: listed(&names) };
        let place = |column: Column| {
            columns.place(column, &names).map_err(|why| match why {
                NoPlace::Missing(name) => missing(name),
                NoPlace::Several(found) => {
                    ReadError::Columns { path: path(), line, column: column.name(), found: listed(&found) }
                }
            })
        };
        Ok(Some(Table {
            text,
            above,
            delimiter,
            fields: names.len(),
            question: place(Column::Question)?.ok_or_else(|| missing(Column::Question.name().to_owned()))?,
            answer: place(Column::Answer)?,
            rating: place(Column::Rating)?,
            source: place(Column::Source)?,
            task: place(Column::Task)?,
        }))
    }

    fn reader(&self) -> csv::Reader<&'d [u8]> {
        csv::ReaderBuilder::new().delimiter(self.delimiter).flexible(true).from_reader(self.text.as_bytes())
    }

    /// The task that the rows name, where there is a column for it.
    pub(super) fn declared(&self) -> Result<Option<Game>, Undeclared> {
        let (Some(place), mut declared) = (self.task, None) else { return Ok(None) };
        self.records(&mut |record, line| {
            let name = self.text(record, Some(place));
            if name.is_empty() {
                return Ok(());
            }
            let found = task::find(name).map_err(|unknown| Undeclared::Unknown { line, unknown })?;
            match declared.replace(found).filter(|first| *first != found) {
                Some(first) => Err(Undeclared::Several { line, first, other: found }),
                None => Ok(()),
            }
        })?;
        Ok(declared)
    }

    /// What the first questions look like.
    pub(super) fn looks(&self) -> Looks<Game> {
        let records = self.reader().into_records().map_while(Result::ok);
        let fields = records.filter_map(|record| Some(record.get(self.question)?.to_owned()));
        let filled = fields.filter(|field| !field.trim().is_empty());
        task::of_fields(&filled.take(ROWS_LOOKED_AT).collect::<Vec<_>>())
    }

    /// Tells `visit` of every row, as a puzzle of `task`.
    pub(super) fn visit(&self, task: Game, need: Need, visit: &mut dyn FnMut(Item<'_>)) {
        if self.swallowed() {
            let line = self.above + 1;
            visit(Item::Fault(&Fault::of_line(line, Problem::Quote)));
        }
        let Ok(other_header) = self.records::<Infallible>(&mut |record, line| {
            self.row(task, (record, line), need, visit);
            Ok(())
        });
        if let Some(line) = other_header {
            visit(Item::Fault(&Fault::of_line(line, Problem::Header(self.above + 1))));
        }
    }

    /// Tells `each` of every row that is not empty, with its line, until one is wrong, or up to a header of
    /// other columns, or of another order: its line.
    fn records<E>(
        &self,
        each: &mut dyn FnMut(&StringRecord, u64) -> Result<(), E>,
    ) -> Result<Option<u64>, E> {
        let mut reader = self.reader();
        let header = reader.headers().cloned().unwrap_or_default();
        // Files that were joined have it each.
        let is_header = |record: &StringRecord| record.iter().map(unquoted).eq(header.iter().map(unquoted));
        let mut record = StringRecord::new();
        let mut lines = LineCount { text: self.text.as_bytes(), counted: 0, lines: self.above + 1 };
        // Reading text from memory does not fail.
        while reader.read_record(&mut record).unwrap_or(false) {
            // As spreadsheets leave them at the end.
            let empty = record.iter().all(|field| field.trim().is_empty());
            if empty
                || is_header(&record)
                || self.delimiter == b'|'
                    && (is_rule(&record) || record.len() == 1 && is_row_count(&record[0]))
            {
                continue;
            }
            let line = lines.at(record.position().map_or(0, |position| position.byte() as usize));
            if self.is_header(&record, &header) {
                return Ok(Some(line));
            }
            each(&record, line)?;
        }
        Ok(None)
    }

    /// Whether `record` names columns: words alone, a column of questions among them, and a known one in
    /// the place of the question.
    fn is_header(&self, record: &StringRecord, header: &StringRecord) -> bool {
        let is = |field: &str, names: &[&str]| names.iter().any(|name| field.eq_ignore_ascii_case(name));
        let header: Vec<&str> = header.iter().map(unquoted).collect();
        let is_question =
            |field: &str| is(field, Column::Question.usual_names()) || is(field, &[header[self.question]]);
        let is_known = |field: &str| {
            is(field, &header) || Column::ALL.iter().any(|column| is(field, column.usual_names()))
        };
        let is_name = |field: &str| field.chars().all(|c| c.is_alphanumeric() || "_- ".contains(c));
        is_known(self.text(record, Some(self.question)))
            && record.iter().map(unquoted).all(is_name)
            && record.iter().map(unquoted).any(is_question)
    }

    /// Tells `visit` of the row that `record` is.
    fn row(
        &self,
        task: Game,
        (record, line): (&StringRecord, u64),
        need: Need,
        visit: &mut dyn FnMut(Item<'_>),
    ) {
        let grid = |place: usize| task.field(record.get(place).unwrap_or_default());
        let question = grid(self.question);
        let fields = || Problem::Fields { expected: self.fields, found: record.len() };
        if record.iter().any(|field| self.holds_rows(field)) {
            return visit(Item::Fault(&Fault::of_line(line, Problem::Quote)));
        }
        let more_than_named = record.iter().skip(self.fields).any(|field| !field.trim().is_empty());
        // Where a field is missing, or there twice, an answer may stand in the place of the question.
        let is_complete = || {
            let mut tokens = vec![0; task.cells()];
            task.tokens(&question, &mut tokens).is_ok() && !tokens.contains(&task.blank())
        };
        if more_than_named || record.len() < self.fields && is_complete() {
            return visit(Item::Fault(&Fault::of_line(line, fields())));
        }
        if need == Need::Questions {
            visit(Item::Row(Row { line, question: &question, answer: None, rating: Ok(None), source: "" }));
            return;
        }
        let needed = self.question.max(self.answer.unwrap_or(0)) + 1;
        if record.len() < needed {
            return visit(Item::Fault(&Fault::of_line(line, fields())));
        }
        let answer = self.answer.map(grid).filter(|answer| !is_none(answer));
        let rating = match self.text(record, self.rating) {
            "" => Ok(None),
            number => number.parse().map(Some).map_err(|_| number),
        };
        let source = self.text(record, self.source);
        visit(Item::Row(Row { line, question: &question, answer: answer.as_deref(), rating, source }));
    }

    /// Whether a quotation mark in the header that is never closed has swallowed a row with a puzzle.
    fn swallowed(&self) -> bool {
        let below = |name: &str| name.lines().skip(1).any(may_be_puzzle);
        self.reader().headers().is_ok_and(|names| {
            let more = names.len() > self.fields && names.iter().any(|name| name.contains('\n'));
            more || names.iter().any(below)
        })
    }

    /// Whether a row with a puzzle follows a line end in `field`: a quotation mark that is never
    /// closed has swallowed it.
    fn holds_rows(&self, field: &str) -> bool {
        let is_row = |line: &str| {
            let found = fields(line, self.delimiter);
            found.len() > 1 && found.get(self.question).is_some_and(|question| may_be_puzzle(question))
        };
        field.contains('\n') && field.lines().skip(1).any(is_row)
    }

    /// What stands in a column that there may be.
    fn text<'r>(&self, record: &'r StringRecord, place: Option<usize>) -> &'r str {
        unquoted(place.and_then(|place| record.get(place)).unwrap_or_default())
    }
}

/// Whether a field of answers says that there is none.
fn is_none(answer: &str) -> bool {
    answer.is_empty() || answer.len() <= 7 && means_nothing(answer)
}

/// Counts lines in text up to places further and further on. (The reader of CSV counts a line end
/// of two characters late.)
struct LineCount<'t> {
    text: &'t [u8],
    counted: usize,
    lines: u64,
}

impl LineCount<'_> {
    /// The line of the first character from byte `place` on that ends no line.
    fn at(&mut self, place: usize) -> u64 {
        let rest = self.text.get(place..).unwrap_or_default();
        let ends = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let passed = self.text.get(self.counted..place + ends).unwrap_or_default();
        self.lines += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.counted = place + ends;
        self.lines
    }
}

/// The line of a document that names columns.
struct Header<'d> {
    /// From it on.
    text: &'d str,
    /// Lines before it.
    above: u64,
    delimiter: u8,
    names: Vec<String>,
}

impl<'d> Header<'d> {
    /// The first line that names a column of questions, before any line that may hold a puzzle; else the
    /// first line of all, where that looks like a header.
    fn of(text: &'d str, columns: &Columns) -> Option<Self> {
        let (mut rest, mut first) = (text, None);
        for above in 0..LINES_TO_HEADER as u64 {
            let (line, below) =
                rest.split_once('\n').map_or((rest, None), |(line, below)| (line, Some(below)));
            let line = line.trim();
            if may_be_puzzle(line) {
                // Who names columns means a table.
                first = first.or(columns.are_named().then_some((rest, above, line)));
                break;
            }
            if !line.is_empty() && !line.starts_with('#') {
                if let Some((delimiter, names)) = header(line, rest, columns) {
                    return Some(Header { text: rest, above, delimiter, names });
                }
                first = first.or(Some((rest, above, line)));
            }
            let Some(below) = below else { break };
            rest = below;
        }
        let (text, above, line) = first?;
        let most = DELIMITERS.into_iter().rev().max_by_key(|&delimiter| fields(line, delimiter).len())?;
        let names = fields(line, most);
        let meant = columns.are_named() || looks_like_names(&names) && has_rows(text, most);
        meant.then_some(Header { text, above, delimiter: most, names })
    }
}

/// The fields of one line.
fn fields(line: &str, delimiter: u8) -> Vec<String> {
    let mut record = StringRecord::new();
    let reader =
        csv::ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(line.as_bytes());
    let _ = { reader }.read_record(&mut record);
    record.iter().map(|field| unquoted(field).to_owned()).collect()
}

/// The delimiter and the columns of `line`, where one of them holds questions; `text` begins with that line.
fn header(line: &str, text: &str, columns: &Columns) -> Option<(u8, Vec<String>)> {
    let found = |names: &[String]| {
        let named = !matches!(columns.place(Column::Question, names), Ok(None) | Err(NoPlace::Missing(_)));
        // Far apart, they are titles of grids that stand beside each other in a spreadsheet.
        let apart = names.windows(3).any(|names| names.iter().all(String::is_empty));
        // A word alone may be the title of a drawn grid.
        named && !apart && (names.len() > 1 || columns.are_named() || begins_a_list(text))
    };
    let all = DELIMITERS.into_iter().map(|delimiter| (delimiter, fields(line, delimiter)));
    let mut found = all.filter(|(_, names)| found(names));
    found.find(|(delimiter, names)| names.len() == 1 || has_rows(text, *delimiter))
}

/// What quotation marks that the reader of CSV leaves hold: behind a space, single ones, or
/// those of code in Markdown.
pub(crate) fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inner = |mark: char| text.strip_prefix(mark)?.strip_suffix(mark);
    inner('"').or_else(|| inner('\'')).or_else(|| inner('`')).unwrap_or(text).trim()
}

/// The line under the head of a Markdown table, or one that a database draws.
fn is_rule(record: &StringRecord) -> bool {
    let field = |field: &str| field.chars().all(|c| " -:+".contains(c));
    record.iter().all(field) && record.iter().any(|field| field.contains('-'))
}

/// `(4 rows)` or `4 rows in set (0.00 sec)`, as databases write it below a table.
pub(crate) fn is_row_count(text: &str) -> bool {
    let text = text.trim_start_matches('(');
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.len() < text.len() && rest.starts_with(" row")
}

/// Whether a line has as many digits as only puzzles have.
fn may_be_puzzle(line: &str) -> bool {
    line.bytes().filter(|byte| byte.is_ascii_digit() || *byte == b'.').count() >= 16
}

/// Whether the line after the first is long and without spaces, as a whole puzzle is, or is one with them, or
/// opens a quoted field of several lines.
fn begins_a_list(text: &str) -> bool {
    let mut lines = text.lines().skip(1).map(str::trim).filter(|line| !line.is_empty());
    let next = lines.next().unwrap_or_default();
    let opens = next.starts_with('"') && !next.matches('"').count().is_multiple_of(2);
    let is_long = next.len() > 12 && !next.contains(|c: char| c.is_whitespace() || c == '|');
    // One row of a drawn grid may look like a whole one.
    opens || is_long || is_whole(next) && lines.next().is_none_or(is_whole)
}

/// Whether `line` has all cells of a puzzle, spaces included.
fn is_whole(line: &str) -> bool {
    match task::of_fields(&[line.to_owned()]) {
        Looks::Like(task) => task.field(line).chars().count() == task.cells(),
        Looks::Unsized(_) => true,
        Looks::Unlike => false,
    }
}

/// Whether the line after the first has several fields, or there is none.
fn has_rows(text: &str, delimiter: u8) -> bool {
    let next = text.lines().skip(1).map(str::trim).find(|line| !line.is_empty());
    next.is_none_or(|line| line.contains(char::from(delimiter)) || line.starts_with('"'))
}

/// Several fields, all of them words: columns of names that are not known.
fn looks_like_names(header: &[String]) -> bool {
    let is_name = |field: &String| {
        (2..=40).contains(&field.len())
            && field.starts_with(|c: char| c.is_alphabetic())
            && field.chars().filter(|c| c.is_alphabetic()).count() * 2 > field.chars().count()
    };
    // Names that are numbered are those of cells.
    let numbered = header.iter().all(|field| field.ends_with(|c: char| c.is_ascii_digit()));
    header.len() > 1 && header.iter().all(is_name) && !numbered
}
