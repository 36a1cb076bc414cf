//! Which column of a table holds what.

use std::fmt;
use std::str::FromStr;

/// Columns named by the user, `question=quizzes,answer=solutions`; those left out are
/// found by their usual names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    names: [Option<String>; 5],
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Question,
    Answer,
    Rating,
    Source,
    Task,
}

/// Why it is not known which column holds what is wanted.
pub(super) enum NoPlace {
    /// The column that was asked for is not there.
    Missing(String),
    /// These columns have names that are usual for it.
    Several(Vec<String>),
}

impl Column {
    pub(super) const ALL: [Column; 5] =
        [Column::Question, Column::Answer, Column::Rating, Column::Source, Column::Task];

    pub(super) fn name(self) -> &'static str {
        self.usual_names()[0]
    }

    /// What such a column is called in the files that people have; upper and lower case are the same.
    pub(super) fn usual_names(self) -> &'static [&'static str] {
        match self {
            Column::Question => &[
                "question",
                "quizzes",
                "quiz",
                "puzzle",
                "puzzles",
                "sudoku",
                "unsolved",
                "problem",
                "board",
                "grid",
                "input",
                "start",
                "sudoku_start",
            ],
            Column::Answer => &[
                "answer",
                "solutions",
                "solution",
                "answers",
                "solved",
                "output",
                "target",
                "end",
                "sudoku_end",
            ],
            Column::Rating => &["rating", "difficulty"],
            Column::Source => &["source"],
            Column::Task => &["task"],
        }
    }
}

impl FromStr for Columns {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut columns = Columns::default();
        for pair in text.split(',') {
            let (what, name) = pair.split_once('=').unwrap_or((pair, ""));
            let known = Column::ALL.into_iter().find(|column| column.name() == what.trim());
            let (Some(column), false) = (known, name.trim().is_empty()) else {
                return Err(format!(
                    "{pair:?}: write question=NAME, answer=NAME, rating=NAME, source=NAME or task=NAME, separated by commas"
                ));
            };
            if columns.names[column as usize].replace(name.trim().to_owned()).is_some() {
                return Err(format!("{}= is there twice; name one column for it", column.name()));
            }
        }
        Ok(columns)
    }
}

/// As the user names them.
impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named =
            |column: &Column| Some(format!("{}={}", column.name(), self.names[*column as usize].as_ref()?));
        f.write_str(&Column::ALL.iter().filter_map(named).collect::<Vec<_>>().join(","))
    }
}

impl Columns {
    /// Where the column `wanted` stands in a header. Of ratings and sources, which nothing
    /// depends on, the first is taken.
    pub(super) fn place(&self, wanted: Column, header: &[String]) -> Result<Option<usize>, NoPlace> {
        let is = |field: &String, name: &str| field.eq_ignore_ascii_case(name);
        if let Some(name) = &self.names[wanted as usize] {
            let place = header.iter().position(|field| is(field, name));
            return place.map(Some).ok_or_else(|| NoPlace::Missing(name.clone()));
        }
        let names = || wanted.usual_names().iter();
        let found: Vec<&String> = header.iter().filter(|field| names().any(|name| is(field, name))).collect();
        if found.len() > 1 && matches!(wanted, Column::Question | Column::Answer | Column::Task) {
            return Err(NoPlace::Several(found.into_iter().cloned().collect()));
        }
        Ok(names().find_map(|name| header.iter().position(|field| is(field, name))))
    }

    /// Whether the user named a column, so that the file must have a header.
    pub(super) fn are_named(&self) -> bool {
        self.names.iter().any(Option::is_some)
    }
}
