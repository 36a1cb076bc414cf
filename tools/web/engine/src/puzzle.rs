//! Puzzles as texts, a character a cell.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use hrm_core::task::{Refusal, Task};

/// The tokens of a puzzle.
///
/// # Errors
/// Why the text is none.
pub(crate) fn tokens_of<T: Task>(task: &T, text: &str) -> Result<Vec<u8>, String> {
    let mut tokens = alloc::vec![0; task.cells()];
    task.parse(text, &mut tokens).map_err(|error| error.to_string())?;
    match task.refuse(&tokens) {
        None => Ok(tokens),
        Some(refusal) => Err(explain(task, refusal)),
    }
}

/// What is wrong with a puzzle, by row and column.
pub(crate) fn explain<T: Task>(task: &T, refusal: Refusal) -> String {
    let (_, columns) = task.dims();
    let place = |cell: u16| {
        let cell = usize::from(cell);
        format!("row {}, column {}", cell / columns.max(1) + 1, cell % columns.max(1) + 1)
    };
    match refusal {
        Refusal::Contradiction { first, second } => {
            format!("the givens at {} and {} contradict each other", place(first), place(second))
        }
        Refusal::Count { token, found } => match task.symbol(token) {
            Some(symbol) => format!("{found} cells hold {symbol}, and one is needed"),
            None => refusal.to_string(),
        },
        Refusal::Token { cell, token } => match task.symbol(token) {
            Some(symbol) => format!("{symbol} at {} is what an answer has, and no puzzle", place(cell)),
            None => refusal.to_string(),
        },
        other => other.to_string(),
    }
}
