//! How a JSON file becomes a puzzle file: by a program that takes puzzles out of it, under the
//! names that they have there.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Deserializer, Map, Value};

use super::columns::Column;
use crate::files::is_stdin;
use crate::shell::argument;

/// Names that are told where none of them is a usual one.
const NAMED: usize = 8;

/// What to do with the JSON in `bytes`, which came from `path`.
pub(super) fn advice(bytes: &[u8], path: &Path) -> String {
    let mut text =
        "write its rows as CSV with the columns question,answer, for example with `jq -r '".to_owned();
    // Files of one object a line are a stream of values.
    let first = Deserializer::from_slice(bytes).into_iter::<Value>().next().and_then(Result::ok);
    let found = first.as_ref().and_then(|value| rows_in(value, ".", 0));
    let key = |row: &Map<String, Value>, wanted: Column| {
        wanted
            .usual_names()
            .iter()
            .find_map(|name| row.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned())
    };
    let (place, row) = found.as_ref().map_or((".[]", None), |(place, row)| (place.as_str(), Some(*row)));
    let cells = |key: &str| match row.and_then(|row| row.get(key)) {
        Some(Value::Array(_)) => format!("({} | flatten | map(tostring) | add)", member(key)),
        _ => member(key),
    };
    let question = row.and_then(|row| key(row, Column::Question));
    let answer = row.and_then(|row| key(row, Column::Answer));
    let fields: Vec<String> = match &question {
        Some(question) => Some(question).into_iter().chain(&answer).map(|key| cells(key)).collect(),
        None => vec![".QUESTION".to_owned(), ".ANSWER".to_owned()],
    };
    let file = if is_stdin(path) { String::new() } else { format!(" {}", argument(path)) };
    let _ = write!(text, "{place} | [{}] | @csv'{file} > NEW.csv`", fields.join(", "));
    if let (None, Some(row)) = (question, row) {
        let names: Vec<String> =
            row.keys().take(NAMED).map(|name| format!("`{}`", name.escape_debug())).collect();
        let _ = write!(text, ", where QUESTION and ANSWER are two of its names: {}", names.join(", "));
    }
    text
}

/// The first object with something in it besides objects, as `jq` calls the place of all like it.
fn rows_in<'v>(value: &'v Value, place: &str, depth: usize) -> Option<(String, &'v Map<String, Value>)> {
    if depth > 4 {
        return None;
    }
    let below = |name: &str| format!("{}{name}", if place == "." { "" } else { place });
    match value {
        Value::Array(all) => {
            let each = if place == "." { ".[]".to_owned() } else { below("[]") };
            all.first().and_then(|value| rows_in(value, &each, depth + 1))
        }
        Value::Object(fields) => {
            let holds_rows = |value: &&Value| match value {
                Value::Object(_) => true,
                Value::Array(all) => all.first().is_some_and(Value::is_object),
                _ => false,
            };
            let usual = |name: &String| {
                Column::Question.usual_names().iter().any(|usual| name.eq_ignore_ascii_case(usual))
            };
            let rows = fields.iter().find(|(_, value)| holds_rows(value));
            match rows {
                Some((name, value))
                    if !fields.iter().any(|(name, value)| usual(name) && !holds_rows(&value)) =>
                {
                    rows_in(value, &below(&member(name)), depth + 1)
                }
                _ => Some((place.to_owned(), fields)),
            }
        }
        _ => None,
    }
}

/// `.name`, or `."a name"`.
fn member(name: &str) -> String {
    let plain = !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric());
    if plain && !name.is_empty() { format!(".{name}") } else { format!(".{}", Value::from(name)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_that_is_named_has_the_names_of_the_file() {
        for (text, told) in [
            (r#"{"puzzle": "1", "solution": "2"}"#, "'. | [.puzzle, .solution] | @csv' a.json > NEW.csv`"),
            ("{\"quizzes\": \"1\"}\n{\"quizzes\": \"2\"}\n", "'. | [.quizzes] | @csv' a.json > NEW.csv`"),
            (r#"[{"id": 1, "Question": "1", "end": "2"}]"#, "'.[] | [.Question, .end] | @csv'"),
            (
                r#"{"date": "x", "puzzles": [{"board": [[1]], "solution": [[2]]}]}"#,
                "'.puzzles[] | [(.board | flatten | map(tostring) | add), (.solution | flatten | map(tostring) | add)] | @csv'",
            ),
            (r#"{"newboard": {"grids": [{"puzzle": "1"}]}}"#, "'.newboard.grids[] | [.puzzle] | @csv'"),
            (
                r#"[{"sudoku-start": "1", "b": "2"}]"#,
                "'.[] | [.QUESTION, .ANSWER] | @csv' a.json > NEW.csv`, where QUESTION and ANSWER are two of its names: `b`, `sudoku-start`",
            ),
            (r#"[{"a b": {"puzzle": "1"}}]"#, r#"'.[]."a b" | [.puzzle] | @csv'"#),
            ("{\"puzzle\": ", "'.[] | [.QUESTION, .ANSWER] | @csv'"),
            ("{}", "'. | [.QUESTION, .ANSWER] | @csv'"),
        ] {
            let advice = advice(text.as_bytes(), Path::new("a.json"));
            assert!(advice.contains(told), "{text}: {advice}");
        }
    }
}
