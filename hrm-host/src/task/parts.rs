//! What a task may have beside its rules.

use std::ops::RangeInclusive;

use rand_pcg::Pcg64;

/// What puzzles look like to a kind of task, where nobody has named their size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looks<T> {
    /// Puzzles of this size.
    Like(T),
    /// Puzzles of this kind that do not tell their size, or are wrong: what they look like, and what to do.
    Unsized(String),
    /// Nothing of this kind.
    Unlike,
}

impl<T> Looks<T> {
    /// The same of what `as_other` makes of the size.
    pub(super) fn map<U>(self, as_other: impl FnOnce(T) -> U) -> Looks<U> {
        match self {
            Looks::Like(size) => Looks::Like(as_other(size)),
            Looks::Unsized(told) => Looks::Unsized(told),
            Looks::Unlike => Looks::Unlike,
        }
    }
}

impl<T> From<Option<T>> for Looks<T> {
    fn from(found: Option<T>) -> Self {
        found.map_or(Looks::Unlike, Looks::Like)
    }
}

/// A puzzle that was made: question, answer and rating.
pub type Made = (Vec<u8>, Vec<u8>, Option<u64>);

/// Makes puzzles, each by itself, so that threads do not decide which.
pub trait Generator: Sync {
    /// How many givens can be asked for; `None` where nothing can.
    fn givens(&self) -> Option<RangeInclusive<usize>> {
        None
    }

    /// One attempt at a puzzle with `givens` givens, or of the usual kind.
    fn attempt(&self, givens: Option<usize>, rng: &mut Pcg64) -> Option<Made>;

    /// The same with a part of it changed, where the task knows such a way.
    fn nearby(&self) -> Option<&dyn Nearby> {
        None
    }
}

/// Makes puzzles out of others.
pub trait Nearby: Sync {
    /// One attempt at a puzzle that differs little from `question`, which has one answer.
    fn near(&self, question: &[u8], rng: &mut Pcg64) -> Option<Made>;
}

/// What an exact search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The solutions in the order found, as tokens; at most as many as asked for.
    pub solutions: Vec<Vec<u8>>,
    /// Values tried at cells with several candidates, over the whole search. 0 where deduction suffices. Not
    /// invariant under symmetries: it depends on the order of cells and values.
    pub guesses: u64,
}

/// Finds every answer of a puzzle.
pub trait Exact: Sync {
    /// Searches until `limit` solutions are found, there are no more, or `most` guesses were made.
    fn search_within(&self, question: &[u8], limit: usize, most: u64) -> Found;

    /// Another answer than `answer` that is found without a search, where the task knows such a way.
    fn exchange(&self, _question: &[u8], _answer: &[u8]) -> Option<Vec<u8>> {
        None
    }

    /// Why a `question` without a solution may have been meant otherwise.
    fn misunderstood(&self, _question: &[u8]) -> Option<&'static str> {
        None
    }
}

/// The smallest image of an answer, as tokens, and of the puzzle on it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Form {
    /// The smallest image of the answer.
    pub answer: Vec<u8>,
    /// The smallest image of the question among the symmetries that make the answer smallest.
    pub question: Vec<u8>,
}

/// Finds one representative of all puzzles that are the same up to symmetry.
pub trait Canonical: Send + Sync {
    /// The form of `question` with its `answer`, which must be right (it is, in a checked set).
    ///
    /// Two puzzles have equal forms exactly where a symmetry maps question to question and answer to answer;
    /// answers alone likewise have equal [`Form::answer`].
    fn form(&self, question: &[u8], answer: &[u8]) -> Form;
}

/// A grid to be drawn.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The puzzle, whose givens stand out.
    pub puzzle: &'a [u8],
    /// What is drawn.
    pub grid: &'a [u8],
    /// The grid before, so that changes are seen.
    pub before: &'a [u8],
    /// Whether colour and weight may be used.
    pub colour: bool,
}

impl View<'_> {
    /// `symbol` with the escape sequence `codes`, where those are allowed.
    pub fn paint(&self, symbol: char, codes: &str) -> String {
        if self.colour && !codes.is_empty() { format!("\x1b[{codes}m{symbol}\x1b[0m") } else { symbol.into() }
    }
}
