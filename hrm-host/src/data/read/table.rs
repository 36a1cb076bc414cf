//! A table: CSV whose header names the columns, with commas, semicolons or tabs between the fields.

use std::str::from_utf8;

use csv::ByteRecord;
use hrm_core::task::sudoku::{Sudoku, SudokuKind};

use super::columns::{Column, Columns};
use super::{Document, Fault, Item, ReadError, Row, cells};
use crate::data::problem::Problem;

/// A table in a document.
pub(super) struct Table<'d> {
    /// From the header on.
    text: &'d [u8],
    /// Lines before the header.
    above: u64,
    delimiter: u8,
    fields: usize,
    question: usize,
    answer: Option<usize>,
    rating: Option<usize>,
    /// Whether the rating's column is one that elsewhere holds words.
    lenient: bool,
    source: Option<usize>,
}

type FieldResult<T> = Result<T, (Column, Problem)>;

impl<'d> Table<'d> {
    /// The table that `document` is, if its first line names columns.
    pub(super) fn of(document: &'d Document, columns: &Columns) -> Result<Option<Self>, ReadError> {
        let (text, above) = from_header(&document.text);
        let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let read = |delimiter: u8| -> Vec<String> {
            let mut record = ByteRecord::new();
            let reader = csv::ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(line);
            let _ = { reader }.read_byte_record(&mut record);
            record.iter().map(|field| String::from_utf8_lossy(field.trim_ascii()).into_owned()).collect()
        };
        let found = |header: &[String]| {
            let named = matches!(columns.place(Column::Question, header), Ok(Some(_)));
            // A word alone may be the title of a drawn grid.
            named && (header.len() > 1 || columns.are_named() || begins_a_list(text))
        };
        let delimiters = [b',', b';', b'\t', b'|'];
        let most = || delimiters.into_iter().rev().max_by_key(|&delimiter| read(delimiter).len());
        let chosen = delimiters.into_iter().find(|&delimiter| found(&read(delimiter))).or_else(most);
        let delimiter = chosen.unwrap_or(b',');
        let header = read(delimiter);
        if !found(&header) && !columns.are_named() && !looks_like_names(&header) {
            return Ok(None);
        }
        let missing = |column: String| {
            let names: Vec<String> =
                header.iter().take(8).map(|name| format!("`{}`", name.escape_debug())).collect();
            ReadError::Column {
                path: document.path.clone(),
                line: above + 1,
                column,
                found: names.join(", "),
            }
        };
        let place = |column: Column| columns.place(column, &header).map_err(missing);
        let question = place(Column::Question)?.ok_or_else(|| missing(Column::Question.name().to_owned()))?;
        let rating = place(Column::Rating)?;
        Ok(Some(Table {
            text,
            above,
            delimiter,
            fields: header.len(),
            question,
            answer: place(Column::Answer)?,
            rating,
            lenient: rating.is_some_and(|place| header[place].eq_ignore_ascii_case("difficulty")),
            source: place(Column::Source)?,
        }))
    }

    fn reader(&self) -> csv::Reader<&'d [u8]> {
        csv::ReaderBuilder::new().delimiter(self.delimiter).flexible(true).from_reader(self.text)
    }

    /// The size of the first puzzle, or the one nearest to it.
    pub(super) fn task(&self) -> Option<Sudoku> {
        let mut record = ByteRecord::new();
        let mut reader = self.reader();
        while reader.read_byte_record(&mut record).ok()? {
            let Ok(question) = self.text(&record, self.question, Column::Question) else { continue };
            let length = question.chars().count();
            let sizes = SudokuKind::ALL.map(Sudoku::new);
            let near = |size: &Sudoku| (size.side() * size.side()).abs_diff(length) <= size.side() / 2;
            if let Some(size) = cells::size_of(question).or_else(|| sizes.into_iter().find(near)) {
                return Some(size);
            }
        }
        None
    }

    /// Tells `visit` of every row.
    pub(super) fn visit(&self, visit: &mut dyn FnMut(Item<'_>)) {
        let mut reader = self.reader();
        let mut record = ByteRecord::new();
        // Reading from memory and by bytes does not fail.
        while reader.read_byte_record(&mut record).unwrap_or(false) {
            let line = self.above + record.position().map_or(0, csv::Position::line);
            if record.len() != self.fields {
                let problem = Problem::Fields { expected: self.fields, found: record.len() };
                visit(Item::Fault(&Fault { line, column: None, problem }));
                continue;
            }
            match self.row(&record, line) {
                Ok(row) => visit(Item::Row(row)),
                Err((column, problem)) => {
                    visit(Item::Fault(&Fault { line, column: Some(column.name()), problem }));
                }
            }
        }
    }

    fn row<'r>(&self, record: &'r ByteRecord, line: u64) -> FieldResult<Row<'r>> {
        let field = |column: Column, place: Option<usize>| match place {
            Some(place) => self.text(record, place, column),
            None => Ok(""),
        };
        let answer = field(Column::Answer, self.answer)?;
        let rating = match field(Column::Rating, self.rating)? {
            "" => None,
            number => match number.parse() {
                Ok(rating) => Some(rating),
                Err(_) if self.lenient => None,
                Err(_) => return Err((Column::Rating, Problem::Rating(number.to_owned()))),
            },
        };
        Ok(Row {
            line,
            question: self.text(record, self.question, Column::Question)?,
            answer: (!answer.is_empty()).then_some(answer),
            rating,
            source: field(Column::Source, self.source)?,
        })
    }

    fn text<'r>(&self, record: &'r ByteRecord, place: usize, column: Column) -> FieldResult<&'r str> {
        let bytes = record.get(place).unwrap_or_default().trim_ascii();
        from_utf8(bytes).map_err(|error| (column, Problem::Encoding(error.valid_up_to() + 1)))
    }
}

/// `text` from the first line on that is neither blank nor a comment, and how many lines were before it.
fn from_header(text: &[u8]) -> (&[u8], u64) {
    let (mut rest, mut above) = (text, 0);
    while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
        let line = rest[..end].trim_ascii();
        if !line.is_empty() && !line.starts_with(b"#") {
            break;
        }
        (rest, above) = (&rest[end + 1..], above + 1);
    }
    (rest, above)
}

/// Whether the line after the first is long and without spaces, as a whole puzzle is.
fn begins_a_list(text: &[u8]) -> bool {
    let mut lines = text.split(|&byte| byte == b'\n').skip(1).map(<[u8]>::trim_ascii);
    let next = lines.find(|line| !line.is_empty()).unwrap_or_default();
    next.len() > 12 && !next.iter().any(|byte| byte.is_ascii_whitespace() || *byte == b'|')
}

/// Several fields, all of them words: columns of names that are not known.
fn looks_like_names(header: &[String]) -> bool {
    let is_name = |field: &String| {
        (2..=40).contains(&field.len())
            && field.starts_with(|c: char| c.is_alphabetic())
            && field.chars().filter(|c| c.is_alphabetic()).count() * 2 > field.chars().count()
    };
    header.len() > 1 && header.iter().all(is_name)
}
