//! Puzzles that are followed by their answers, as generators print them: a complete grid right after a puzzle with its givens
//! is that puzzle's answer.

use crate::data::rating::Rating;
use crate::data::read::{Item, Row};

/// Holds a puzzle back until it is known whether its answer follows.
pub(super) struct Pairs<'v> {
    held: Option<Held>,
    visit: &'v mut dyn FnMut(Item<'_>),
}

struct Held {
    line: u64,
    question: String,
    rating: Option<Rating>,
}

impl<'v> Pairs<'v> {
    /// Tells `visit`.
    pub(super) fn new(visit: &'v mut dyn FnMut(Item<'_>)) -> Self {
        Self { held: None, visit }
    }

    /// What comes next.
    pub(super) fn add(&mut self, item: Item<'_>) {
        match (item, self.held.take()) {
            (Item::Passed { .. }, held) => {
                self.held = held;
                (self.visit)(item);
            }
            (Item::Row(row), Some(held)) if row.answer.is_none() && answers(&held.question, row.question) => {
                self.tell(&held, Some(row.question));
            }
            (_, held) => {
                held.iter().for_each(|held| self.tell(held, None));
                match item {
                    Item::Row(Row { line, question, answer: None, rating: Ok(rating), .. }) => {
                        self.held = Some(Held { line, question: question.to_owned(), rating });
                    }
                    other => (self.visit)(other),
                }
            }
        }
    }

    /// Nothing follows.
    pub(super) fn end(mut self) {
        if let Some(held) = self.held.take() {
            self.tell(&held, None);
        }
    }

    fn tell(&mut self, held: &Held, answer: Option<&str>) {
        let Held { line, question, rating } = held;
        (self.visit)(Item::Row(Row { line: *line, question, answer, rating: Ok(*rating), source: "" }));
    }
}

fn answers(question: &str, grid: &str) -> bool {
    let blank = |c: char| !matches!(c, '1'..='9');
    let keeps = |(given, found): (char, char)| blank(given) || given == found;
    question.len() == grid.len()
        && question.contains(blank)
        && !grid.contains(blank)
        && question.chars().zip(grid.chars()).all(keeps)
}
