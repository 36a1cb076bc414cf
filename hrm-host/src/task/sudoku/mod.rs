//! Sudoku on a workstation: everything that this program knows of it beside its rules.

pub mod canonical;
pub mod exact;
mod exchange;
mod generate;
mod picture;
mod problem;
mod read;

use std::borrow::Cow;

use hrm_core::task::sudoku::{Sudoku, SudokuKind};

pub use generate::fewest_givens;

use super::{Canonical, Domain, Exact, Generator, Looks, View};
use crate::data::problem::Problem;
use crate::data::read::Item;
use crate::data::split::Apart;

impl Domain for Sudoku {
    fn sizes() -> Vec<Self> {
        SudokuKind::ALL.map(Sudoku::new).to_vec()
    }

    fn broken(&self) -> &'static str {
        "A cell counts one where its digit stands earlier in its row, one more for its column and one for its box. A changed given counts \
         only by the digits that it repeats, and an empty cell does not count: a grid with 0 is an answer only where it is full and keeps \
         the givens."
    }

    fn of_text(text: &str) -> Looks<Self> {
        read::task_of_text(text).into()
    }

    /// The size of the first puzzle, or the one that it is nearest to.
    fn of_fields(fields: &[String]) -> Looks<Self> {
        fields.iter().find_map(|field| read::task_of_field(field)).into()
    }

    fn read(&self, text: &str, visit: &mut dyn FnMut(Item<'_>)) {
        read::visit(*self, text, visit);
    }

    fn field<'f>(&self, field: &'f str) -> Cow<'f, str> {
        read::grid_in(field)
    }

    fn tokens(&self, cells: &str, out: &mut [u8]) -> Result<(), Problem> {
        read::parse(*self, cells, out)
    }

    fn contradiction(&self, question: &[u8]) -> Option<Problem> {
        problem::contradiction(*self, question)
    }

    fn wrong_answer(&self, question: &[u8], answer: &[u8]) -> Option<Problem> {
        problem::wrong_answer(*self, question, answer)
    }

    /// 9x9 has 5,472,730,538 different solution grids up to symmetry, 6x6 has only 49, and 4x4 has 2, with
    /// hardly more minimal puzzles.
    fn apart(&self) -> Apart {
        match self.kind() {
            SudokuKind::Nine => Apart::Solutions,
            SudokuKind::Six => Apart::Puzzles,
            SudokuKind::Four => Apart::Questions,
        }
    }

    fn generator(&self) -> Option<&dyn Generator> {
        Some(self)
    }

    fn exact(&self) -> Option<Box<dyn Exact>> {
        Some(Box::new(exact::Exact::new(*self)))
    }

    fn canonical(&self) -> Option<Box<dyn Canonical>> {
        Some(Box::new(canonical::Canonical::new(*self)))
    }

    fn picture(&self, view: &View<'_>) -> String {
        picture::picture(self, view)
    }
}
