//! Mazes on a workstation.

mod generate;
mod picture;
mod size;
mod ways;

use hrm_core::task::maze::{Maze, START, WAY};
use hrm_core::task::{Refusal, Task};

use super::{Domain, Exact, Generator, Looks, View, plain};
use crate::data::problem::{Place, Problem};

/// Maze has any size; these have a name in help texts.
const SIZES: [usize; 4] = [10, 15, 20, 30];

impl Domain for Maze {
    fn sizes() -> Vec<Self> {
        SIZES.into_iter().filter_map(|side| Maze::new(side, side)).collect()
    }

    fn misnamed(name: &str) -> Option<&'static str> {
        name.starts_with("maze").then_some(
            "mazes are called by their rows and columns, such as maze10x15, and have 2 to 900 cells (30x30)",
        )
    }

    fn of_text(text: &str) -> Looks<Self> {
        size::of_text(text)
    }

    fn of_fields(fields: &[String]) -> Looks<Self> {
        size::of_fields(fields)
    }

    fn told(&self, refusal: Refusal) -> String {
        match refusal {
            Refusal::Token { cell, token: WAY } => format!(
                "`o` at {} marks a way, which only an answer has; write `.` for open cells, and an answer right below its puzzle",
                Place::new(self.dims().1, cell.into())
            ),
            Refusal::Count { token, .. } => {
                let what = if token == START { "start" } else { "goal" };
                format!("a maze has one {what}, and here {}", plain::told(self, refusal))
            }
            Refusal::Impossible => "no way leads from `S` to `G`".to_owned(),
            refusal => plain::told(self, refusal),
        }
    }

    fn wrong_answer(&self, question: &[u8], answer: &[u8]) -> Option<Problem> {
        if self.accepts(question, answer) {
            return None;
        }
        let steps = self.distance(question).unwrap_or_default();
        Some(Problem::Rule(format!(
            "the answer is no shortest way; one has {steps} steps, {} cells marked `o`, and changes nothing else",
            steps.saturating_sub(1)
        )))
    }

    fn generator(&self) -> Option<&dyn Generator> {
        Some(self)
    }

    fn exact(&self) -> Option<Box<dyn Exact>> {
        Some(Box::new(*self))
    }

    fn picture(&self, view: &View<'_>) -> String {
        picture::picture(self, view)
    }
}

#[cfg(test)]
mod tests;
