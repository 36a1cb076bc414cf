//! What this program reasons about: each task as trainer, data, analyses and commands see
//! it, and the list of them.
//!
//! A [`Game`] is any task, found by its name. Its rules are those of [`hrm_core::task::Task`]; what only a
//! workstation needs of it (files, a generator, an exact solver, pictures) is a [`Domain`].
//! `docs/ADDING_A_TASK.md` adds one in a single file.

mod game;
pub mod maze;
mod pairs;
mod parts;
mod plain;
mod rules;
pub mod sudoku;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

pub use game::{Drawn, Game};
use hrm_core::task::maze::Maze;
use hrm_core::task::sudoku::Sudoku;
use hrm_core::task::{Refusal, Task};
pub use parts::{Canonical, Exact, Form, Found, Generator, Looks, Made, Nearby, View};
pub use rules::Rules;

use crate::data::problem::Problem;
use crate::data::read::Item;
use crate::data::split::Apart;

/// A task on a workstation. Only [`Domain::sizes`] has to be written; the rest says what the
/// task has beside its rules.
pub trait Domain: Rules {
    /// The sizes that have a name in help texts, smallest first; others may be found by name. At least one.
    fn sizes() -> Vec<Self>
    where
        Self: Sized;

    /// Why `name`, which begins like one of these tasks, is none: how their names are made, where
    /// they have sizes without end.
    fn misnamed(_name: &str) -> Option<&'static str>
    where
        Self: Sized,
    {
        None
    }

    /// What the puzzles in `text`, which is no table, look like.
    fn of_text(text: &str) -> Looks<Self>
    where
        Self: Sized,
    {
        Self::sizes().into_iter().find(|size| plain::has_puzzle(size, text)).into()
    }

    /// What the questions of a table look like, of which `fields` are the first.
    fn of_fields(fields: &[String]) -> Looks<Self>
    where
        Self: Sized,
    {
        let is_of = |size: &Self, field: &String| plain::is_grid(size, &plain::cells(size, field));
        let of_field = |field| Self::sizes().into_iter().find(|size| is_of(size, field));
        fields.iter().find_map(of_field).into()
    }

    /// Tells `visit` of every puzzle in `text`, which is no table, and of every line that is none. A grid
    /// that answers the puzzle right above it is its answer.
    fn read(&self, text: &str, visit: &mut dyn FnMut(Item<'_>)) {
        plain::read(self.rules(), text, visit);
    }

    /// The cells in a field of a table, one character each.
    fn field<'f>(&self, field: &'f str) -> Cow<'f, str> {
        plain::cells(self.rules(), field)
    }

    /// Reads cells, one character each, into `out`, which has as many elements as the grid has cells.
    ///
    /// # Errors
    /// What is wrong with them.
    fn tokens(&self, cells: &str, out: &mut [u8]) -> Result<(), Problem> {
        self.rules().parse(cells, out).map_err(Problem::Text)
    }

    /// Why `question` can have no answer, as far as its givens tell, or is no question.
    fn contradiction(&self, question: &[u8]) -> Option<Problem> {
        self.rules().refuse(question).map(|refusal| Problem::Rule(self.told(refusal)))
    }

    /// Why a puzzle is refused, as a person would say it.
    fn told(&self, refusal: Refusal) -> String {
        plain::told(self.rules(), refusal)
    }

    /// Why `answer` does not answer `question`, whose givens do not contradict each
    /// other; `None` where it does.
    fn wrong_answer(&self, question: &[u8], answer: &[u8]) -> Option<Problem> {
        plain::wrong_answer(self.rules(), question, answer)
    }

    /// What [`Rules::energy`] counts, in a sentence or two: whether a changed given is a broken rule,
    /// and whether 0 is an answer.
    fn broken(&self) -> &'static str {
        "Whatever its checker finds counts, a changed given and what is missing, too: 0 is an answer."
    }

    /// The strictest rule by which a split leaves enough puzzles on both sides.
    fn apart(&self) -> Apart {
        Apart::Questions
    }

    /// Makes puzzles.
    fn generator(&self) -> Option<&dyn Generator> {
        None
    }

    /// Finds all answers.
    fn exact(&self) -> Option<Box<dyn Exact>> {
        None
    }

    /// Tells puzzles apart that differ by more than a symmetry.
    fn canonical(&self) -> Option<Box<dyn Canonical>> {
        None
    }

    /// A grid as a person reads it, in lines.
    fn picture(&self, view: &View<'_>) -> String {
        plain::picture(self.rules(), view)
    }
}

/// There is no such task.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this program knows no task {name}; {}", .why.map_or_else(|| format!("it has {}", names().join(", ")), str::to_owned))]
pub struct UnknownTask {
    /// The name.
    pub name: String,
    /// What is wrong with it, where it begins like that of a task.
    pub why: Option<&'static str>,
}

/// The sizes of one kind of task.
#[derive(Clone, Copy)]
struct Family {
    named: fn(&str) -> Option<Box<dyn Domain>>,
    misnamed: fn(&str) -> Option<&'static str>,
    sizes: fn() -> Vec<Box<dyn Domain>>,
    of_text: fn(&str) -> Looks<Box<dyn Domain>>,
    of_fields: fn(&[String]) -> Looks<Box<dyn Domain>>,
}

impl Family {
    fn of<T: Task + Domain + 'static>() -> Self {
        fn boxed<T: Domain + 'static>(task: T) -> Box<dyn Domain> {
            Box::new(task)
        }
        Self {
            named: |name| T::named(name).filter(|task| Task::name(task) == name).map(boxed),
            misnamed: T::misnamed,
            sizes: || T::sizes().into_iter().map(boxed).collect(),
            of_text: |text| T::of_text(text).map(boxed),
            of_fields: |fields| T::of_fields(fields).map(boxed),
        }
    }
}

/// Every kind of task, and every task that was asked for: each is made once and kept, so that it can
/// be passed on as a name is.
struct Known {
    families: Vec<Family>,
    games: HashMap<String, Game>,
}

/// The list of tasks: the only place of this program that names them.
static KNOWN: LazyLock<RwLock<Known>> = LazyLock::new(|| {
    let families = vec![Family::of::<Sudoku>(), Family::of::<Maze>()];
    RwLock::new(Known { families, games: HashMap::new() })
});

/// Adds a kind of task to the list.
pub fn register<T: Task + Domain + 'static>() {
    KNOWN.write().unwrap_or_else(PoisonError::into_inner).families.push(Family::of::<T>());
}

fn families() -> Vec<Family> {
    KNOWN.read().unwrap_or_else(PoisonError::into_inner).families.clone()
}

/// The one game of `task`'s name.
fn known(task: Box<dyn Domain>) -> Game {
    let name = task.rules().name().to_owned();
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    *known.games.entry(name).or_insert_with(|| Game::new(Box::leak(task)))
}

/// The task called `name`.
///
/// # Errors
/// Where there is none.
pub fn find(name: &str) -> Result<Game, UnknownTask> {
    if let Some(game) = KNOWN.read().unwrap_or_else(PoisonError::into_inner).games.get(name) {
        return Ok(*game);
    }
    let families = families();
    let found = families.iter().find_map(|family| (family.named)(name));
    found.map(known).ok_or_else(|| {
        let why = families.iter().find_map(|family| (family.misnamed)(name));
        UnknownTask { name: name.to_owned(), why }
    })
}

/// Every size that has a name in help texts.
pub fn all() -> Vec<Game> {
    families().into_iter().flat_map(|family| (family.sizes)()).map(known).collect()
}

/// The names of [`all`].
pub fn names() -> Vec<&'static str> {
    all().into_iter().map(|game| game.name()).collect()
}

/// The task that is meant where nothing says which: the largest size of the first kind.
pub fn usual() -> Game {
    let first = families().into_iter().next();
    let largest = first.and_then(|family| (family.sizes)().pop());
    largest.map(known).expect("every kind of task has a size")
}

/// What the puzzles in `text`, which is no table, look like.
pub fn of_text(text: &str) -> Looks<Game> {
    looks(|family| (family.of_text)(text))
}

/// What the questions of a table look like, of which `fields` are the first.
pub fn of_fields(fields: &[String]) -> Looks<Game> {
    looks(|family| (family.of_fields)(fields))
}

/// What the first kind of task says that knows such puzzles. The kinds last added are asked first: the first
/// one of all also takes what is only near to its puzzles.
fn looks(of: impl Fn(&Family) -> Looks<Box<dyn Domain>>) -> Looks<Game> {
    let mut all = families().into_iter().rev().map(|family| of(&family));
    all.find(|looks| !matches!(looks, Looks::Unlike)).unwrap_or(Looks::Unlike).map(known)
}
