//! Mazes on a workstation.

mod generate;
mod picture;
mod ways;

use hrm_core::task::maze::{GOAL, Maze, START};
use hrm_core::task::{Refusal, Task};

use super::{Domain, Exact, Generator, View, plain};
use crate::data::problem::Problem;

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

    /// The size of the first lines of one length that look like a maze.
    fn of_text(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().map(|line| line.trim_end_matches('\r')).collect();
        let mut blocks = lines.chunk_by(|a, b| a.chars().count() == b.chars().count());
        blocks.find_map(|rows| match rows {
            [line] => of_square(line),
            rows => drawn(rows),
        })
    }

    /// A whole maze, drawn in the field, or square where it stands on one line.
    fn of_field(field: &str) -> Option<Self> {
        let rows: Vec<&str> = field.lines().collect();
        if rows.len() > 1 { drawn(&rows) } else { of_square(field) }
    }

    fn told(&self, refusal: Refusal) -> String {
        match refusal {
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

/// The size of a maze of these rows, if they are one.
fn drawn(rows: &[&str]) -> Option<Maze> {
    // `S . G #`: spaces between the cells are none.
    let is_spaced = |row: &&str| {
        row.chars().count() > 2 && row.chars().enumerate().all(|(place, c)| (c == ' ') == (place % 2 == 1))
    };
    if rows.iter().all(is_spaced) {
        return None;
    }
    let maze = Maze::new(rows.len(), rows.first()?.chars().count())?;
    is_maze(&maze, &rows.concat()).then_some(maze)
}

/// The size of a square maze whose rows follow each other.
fn of_square(text: &str) -> Option<Maze> {
    let cells = text.chars().count();
    let maze = Maze::new(cells.isqrt(), cells.isqrt()).filter(|maze| maze.cells() == cells)?;
    is_maze(&maze, text).then_some(maze)
}

fn is_maze(maze: &Maze, text: &str) -> bool {
    let mut grid = vec![0; maze.cells()];
    maze.parse(text, &mut grid).is_ok() && grid.contains(&START) && grid.contains(&GOAL)
}

#[cfg(test)]
mod tests;
