//! Grids as text: one character a cell, row by row.

use core::fmt::{self, Display, Write};

use super::Task;

/// Why a text is not a grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TextError {
    /// The text has `got` characters where the grid has `expected` cells.
    Length {
        /// Cells of the grid.
        expected: u16,
        /// Characters of the text, at most 65,535.
        got: u16,
    },
    /// The character at `position` (counted from 0) stands for no token.
    Character {
        /// Characters before it.
        position: u16,
        /// The character itself.
        found: char,
    },
}

impl Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            TextError::Length { expected, got } => {
                write!(f, "{expected} characters expected and {got} found")
            }
            TextError::Character { position, found } => {
                write!(f, "character {} is {found:?}, which stands for no cell", u32::from(position) + 1)
            }
        }
    }
}

impl core::error::Error for TextError {}

/// See [`Task::parse`].
pub(super) fn parse<T: Task>(task: &T, text: &str, out: &mut [u8]) -> Result<(), TextError> {
    let mut count = 0;
    for (position, found) in text.chars().enumerate() {
        let Some(token) = task.token(found) else {
            return Err(TextError::Character { position: saturated(position), found });
        };
        if let Some(cell) = out.get_mut(position) {
            *cell = token;
        }
        count = position + 1;
    }
    if count != task.cells() || out.len() != task.cells() {
        let got = if count == task.cells() { out.len() } else { count };
        return Err(TextError::Length { expected: saturated(task.cells()), got: saturated(got) });
    }
    Ok(())
}

fn saturated(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// A grid that displays as one line of text; see [`Task::text`].
#[derive(Clone, Copy, Debug)]
pub struct Text<'a, T> {
    pub(super) task: &'a T,
    pub(super) grid: &'a [u8],
}

impl<T: Task> Display for Text<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.grid.iter().try_for_each(|&token| f.write_char(self.task.symbol(token).unwrap_or('?')))
    }
}
