//! Puzzles that are followed by their answers, as generators print them.

use crate::data::problem::Problem;
use crate::data::rating::Rating;
use crate::data::read::{Fault, Item, Row};

/// Holds a puzzle back until it is known whether its answer follows.
pub(super) struct Pairs<'v> {
    held: Option<Held>,
    /// Whether a grid can only be the answer of the puzzle before it.
    answers: &'v dyn Fn(&str, &str) -> bool,
    /// Why a grid is refused that may be the answer of what stands before it: of that grid,
    /// or of what cannot be read.
    may_answer: &'v dyn Fn(Option<&str>, &str) -> Option<Problem>,
    /// Whether what came last cannot be read.
    refused: bool,
    visit: &'v mut dyn FnMut(Item<'_>),
}

struct Held {
    line: u64,
    question: String,
    rating: Option<Rating>,
}

impl<'v> Pairs<'v> {
    /// Tells `visit`; `answers` knows whether a grid can only be the answer of the puzzle before it, and
    /// `may_answer` why it is refused where it may be that of one that is refused, or is no whole answer.
    pub(super) fn new(
        answers: &'v dyn Fn(&str, &str) -> bool,
        may_answer: &'v dyn Fn(Option<&str>, &str) -> Option<Problem>,
        visit: &'v mut dyn FnMut(Item<'_>),
    ) -> Self {
        Self { held: None, answers, may_answer, refused: false, visit }
    }

    /// What comes next.
    pub(super) fn add(&mut self, item: Item<'_>) {
        match (item, self.held.take()) {
            (Item::Passed { .. } | Item::EmptyEdge { .. }, held) => {
                self.held = held;
                (self.visit)(item);
            }
            (Item::Row(row), Some(held))
                if row.answer.is_none() && (self.answers)(&held.question, row.question) =>
            {
                self.tell(&held, Some(row.question));
            }
            (_, held) => {
                held.iter().for_each(|held| self.tell(held, None));
                let refused = std::mem::replace(&mut self.refused, matches!(item, Item::Fault(_)));
                let Item::Row(Row { line, question, answer: None, rating: Ok(rating), .. }) = item else {
                    return (self.visit)(item);
                };
                let above = held.as_ref().map(|held| &held.question[..]);
                let may_answer = (refused || above.is_some()).then(|| (self.may_answer)(above, question));
                match may_answer.flatten() {
                    Some(problem) => (self.visit)(Item::Fault(&Fault::of_line(line, problem))),
                    None => self.held = Some(Held { line, question: question.to_owned(), rating }),
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
