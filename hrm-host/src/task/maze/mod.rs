//! Mazes on a workstation.

mod generate;
mod picture;
mod ways;

use hrm_core::task::maze::{GOAL, Maze, START, WAY};
use hrm_core::task::{Refusal, Task};

use super::{Domain, Exact, Generator, View, plain};
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

    /// The size of the first lines of one length that look like a maze, or several below each other.
    fn of_text(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().map(|line| line.trim_end_matches('\r')).collect();
        let mut blocks = lines.chunk_by(|a, b| a.chars().count() == b.chars().count());
        blocks.find_map(|rows| {
            let mazes = rows.iter().map(|row| row.matches('S').count()).sum::<usize>().max(1);
            let height = rows.len() / mazes;
            let all_drawn = height > 1
                && rows.len().is_multiple_of(mazes)
                && rows.chunks(height).all(|rows| drawn(rows).is_some());
            match rows {
                [line] => of_square(line),
                rows if all_drawn => drawn(&rows[..height]),
                rows => rows.iter().find_map(|row| of_square(row)),
            }
        })
    }

    /// A whole maze, drawn in the field, or square where it stands on one line.
    fn of_field(field: &str) -> Option<Self> {
        let rows: Vec<&str> = field.lines().collect();
        if rows.len() > 1 { drawn(&rows) } else { of_square(field) }
    }

    /// Mazes on a line each that are no squares, or that lack an end.
    fn unsized_text(text: &str) -> Option<String> {
        let is_of_maze = |line: &&str| {
            line.contains(['#', 'S', 'G']) && line.len() > 1 && line.chars().all(|c| " .#SGo".contains(c))
        };
        let line = text.lines().map(|line| line.trim_end_matches('\r')).find(is_of_maze)?;
        let (cells, count) = (line.chars().count(), |symbol: char| text.matches(symbol).count());
        Some(match (count('S'), count('G')) {
            (0, _) => format!("{line:?} looks like a part of a maze, and there is no start (`S`)"),
            (_, 0) => format!("{line:?} looks like a part of a maze, and there is no goal (`G`)"),
            _ => format!(
                "{line:?} looks like a maze of {cells} cells on one line, or a row of one, which does not tell its height and width; \
                 name them: --task maze10x15 has 10 rows and 15 columns"
            ),
        })
    }

    /// The way is what is asked for, though a solver may suppose some of it.
    fn contradiction(&self, question: &[u8]) -> Option<Problem> {
        let way = question.iter().position(|&token| token == WAY);
        let way = way.map(|cell| Place::new(self.dims().1, cell));
        let told = way.map(|place| {
            format!(
                "`o` at {place} marks a way, which only an answer has; write `.` for open cells, and an answer right below its \
                 puzzle"
            )
        });
        told.or_else(|| self.refuse(question).map(|refusal| Domain::told(self, refusal))).map(Problem::Rule)
    }

    fn told(&self, refusal: Refusal) -> String {
        match refusal {
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
    let is_parsed = maze.parse(text, &mut grid).is_ok();
    let one = |token: u8| grid.iter().filter(|&&found| found == token).count() == 1;
    is_parsed && one(START) && one(GOAL)
}

#[cfg(test)]
mod tests;
