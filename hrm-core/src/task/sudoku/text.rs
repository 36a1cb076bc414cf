//! Grids as text: one character a cell, row by row, `.` or `0` for a blank.

use core::fmt::{self, Display, Write};

use super::{BLANK, FIRST_DIGIT, Sudoku};
use crate::task::Task;

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
    /// The character at `position` (counted from 0) is neither a digit of this size nor a blank.
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
                write!(
                    f,
                    "character {} is {found:?}, which is neither a digit nor a blank (`.` or `0`)",
                    u32::from(position) + 1
                )
            }
        }
    }
}

impl core::error::Error for TextError {}

impl Sudoku {
    /// Reads a grid of `cells()` characters into `out`, which must have `cells()` elements; nothing is skipped, not
    /// even spaces.
    ///
    /// # Errors
    /// [`TextError`]; a strange character is reported before a wrong length. `out` is partly written then.
    pub fn parse(&self, text: &str, out: &mut [u8]) -> Result<(), TextError> {
        let side = self.side() as u32;
        let mut count = 0;
        for (position, found) in text.chars().enumerate() {
            let token = match found.to_digit(10) {
                _ if found == '.' => BLANK,
                Some(0) => BLANK,
                Some(digit) if digit <= side => digit as u8 + FIRST_DIGIT - 1,
                _ => return Err(TextError::Character { position: saturated(position), found }),
            };
            if let Some(cell) = out.get_mut(position) {
                *cell = token;
            }
            count = position + 1;
        }
        if count != self.cells() || out.len() != self.cells() {
            let got = if count == self.cells() { out.len() } else { count };
            return Err(TextError::Length { expected: self.cells() as u16, got: saturated(got) });
        }
        Ok(())
    }

    /// `grid` as one line of text: digits, `.` for a blank, `?` for any other token.
    pub fn text<'a>(&self, grid: &'a [u8]) -> GridText<'a> {
        GridText { task: *self, grid }
    }
}

fn saturated(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// A grid that displays as one line of text; see [`Sudoku::text`].
#[derive(Clone, Copy, Debug)]
pub struct GridText<'a> {
    task: Sudoku,
    grid: &'a [u8],
}

impl Display for GridText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.grid.iter().try_for_each(|&token| match self.task.digit(token) {
            Some(digit) => f.write_char(char::from(b'0' + digit)),
            None if token == BLANK => f.write_char('.'),
            None => f.write_char('?'),
        })
    }
}
