//! Mazes of our own: random walls, a start, and the goal furthest from it, where one
//! shortest way leads there.

use hrm_core::task::Task;
use hrm_core::task::draw::below;
use hrm_core::task::maze::{GOAL, Maze, OPEN, START, WALL};
use rand_pcg::Pcg64;

use super::ways::distances;
use crate::task::{Exact, Generator, Made};

/// Walls in a hundred cells: so many that ways wind, and not so many that there are none.
const FEWEST_WALLS: u32 = 30;
const MOST_WALLS: u32 = 45;

impl Generator for Maze {
    /// The rating is the number of steps. `None` where the way is shorter than half of height and width
    /// together, or not the only shortest one: a model would have to guess which is meant.
    fn attempt(&self, _: Option<usize>, rng: &mut Pcg64) -> Option<Made> {
        let walls = FEWEST_WALLS + below(rng, MOST_WALLS - FEWEST_WALLS + 1);
        let wall = |_| if below(rng, 100) < walls { WALL } else { OPEN };
        let mut question: Vec<u8> = (0..self.cells()).map(wall).collect();
        let start = below(rng, question.len() as u32) as usize;
        question[start] = START;
        let steps = distances(self, &question, start);
        let (goal, furthest) = steps
            .iter()
            .enumerate()
            .filter_map(|(cell, steps)| Some((cell, (*steps)?)))
            .max_by_key(|far| far.1)?;
        let (rows, columns) = self.dims();
        if furthest < (rows + columns) / 2 {
            return None;
        }
        question[goal] = GOAL;
        let mut ways = self.search_within(&question, 2, u64::MAX).solutions.into_iter();
        match (ways.next(), ways.next()) {
            (Some(answer), None) => Some((question, answer, Some(furthest as u64))),
            _ => None,
        }
    }
}
