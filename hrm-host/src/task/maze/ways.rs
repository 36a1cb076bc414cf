//! All shortest ways through a maze.

use std::collections::VecDeque;

use hrm_core::task::Task;
use hrm_core::task::maze::{GOAL, Maze, START, WALL, WAY};

use crate::task::{Exact, Found};

/// Steps from `start` to every cell of `puzzle`; `None` where nothing leads.
pub(super) fn distances(maze: &Maze, puzzle: &[u8], start: usize) -> Vec<Option<usize>> {
    let mut steps = vec![None; puzzle.len()];
    let mut queue = VecDeque::from([start]);
    steps[start] = Some(0);
    while let Some(cell) = queue.pop_front() {
        for neighbour in maze.neighbours(cell) {
            if puzzle[neighbour] != WALL && steps[neighbour].is_none() {
                steps[neighbour] = steps[cell].map(|steps| steps + 1);
                queue.push_back(neighbour);
            }
        }
    }
    steps
}

impl Exact for Maze {
    /// Goes back from the goal, always a step nearer to the start. A guess is a step
    /// where there is another one. Some of the way may be given, as a hint.
    fn search_within(&self, question: &[u8], limit: usize, most: u64) -> Found {
        let mut found = Found { solutions: Vec::new(), guesses: 0 };
        if self.refuse_supposed(question).is_some() {
            return found;
        }
        let place = |token| question.iter().position(|&held| held == token).unwrap_or_default();
        let (start, goal) = (place(START), place(GOAL));
        let steps = distances(self, question, start);
        let mut left = vec![(goal, question.to_vec())];
        while let Some((cell, grid)) = left.pop() {
            if found.solutions.len() >= limit {
                break;
            }
            if steps[cell].is_none_or(|steps| steps <= 1) {
                if self.accepts(question, &grid) {
                    found.solutions.push(grid);
                }
                continue;
            }
            let nearer = |&next: &usize| steps[next].map(|steps| steps + 1) == steps[cell];
            let choices: Vec<usize> = self.neighbours(cell).filter(nearer).collect();
            if choices.len() > 1 {
                found.guesses += choices.len() as u64;
                if found.guesses > most {
                    break;
                }
            }
            for next in choices {
                let mut grid = grid.clone();
                grid[next] = WAY;
                left.push((next, grid));
            }
        }
        found
    }
}
