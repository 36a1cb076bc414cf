//! Any task, passed on like a name.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use hrm_core::task::{Refusal, Task};
use rand_core::Rng;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::{Domain, Rules, UnknownTask, find, known, names};

/// A task of this program. Equal names are equal tasks.
#[derive(Clone, Copy)]
pub struct Game(&'static dyn Domain);

/// A symmetry of a [`Game`].
#[derive(Clone)]
pub struct Drawn(pub(super) Arc<dyn Any + Send + Sync>);

impl fmt::Debug for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Drawn")
    }
}

impl Game {
    pub(super) fn new(task: &'static dyn Domain) -> Self {
        Game(task)
    }

    /// Its name in configurations and packs, for example `sudoku9`.
    pub fn name(&self) -> &'static str {
        Rules::name(self.0)
    }
}

/// What it has beside its rules.
impl Deref for Game {
    type Target = dyn Domain;

    fn deref(&self) -> &Self::Target {
        self.0
    }
}

impl<T: Task + Domain + 'static> From<T> for Game {
    fn from(task: T) -> Self {
        known(Box::new(task))
    }
}

impl PartialEq for Game {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Game {}

impl Hash for Game {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl fmt::Debug for Game {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Game({})", self.name())
    }
}

impl fmt::Display for Game {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Game {
    type Err = UnknownTask;

    fn from_str(name: &str) -> Result<Self, UnknownTask> {
        find(name)
    }
}

impl Serialize for Game {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Game {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(names);
        let name = String::deserialize(deserializer)?;
        find(&name).map_err(|unknown| match unknown.why {
            Some(_) => D::Error::custom(unknown),
            None => D::Error::unknown_variant(&unknown.name, &NAMES),
        })
    }
}

impl Task for Game {
    type Symmetry = Drawn;
    type Grid = Vec<u8>;

    fn named(name: &str) -> Option<Self> {
        find(name).ok()
    }
    fn name(&self) -> &str {
        Rules::name(self.0)
    }
    fn dims(&self) -> (usize, usize) {
        Rules::dims(self.0)
    }
    fn cells(&self) -> usize {
        Rules::cells(self.0)
    }
    fn grid(&self) -> Vec<u8> {
        vec![0; Rules::cells(self.0)]
    }
    fn vocab(&self) -> usize {
        Rules::vocab(self.0)
    }
    fn blank(&self) -> u8 {
        Rules::blank(self.0)
    }
    fn may_be_asked(&self, token: u8) -> bool {
        Rules::may_be_asked(self.0, token)
    }
    fn symbol(&self, token: u8) -> Option<char> {
        Rules::symbol(self.0, token)
    }
    fn token(&self, symbol: char) -> Option<u8> {
        Rules::token(self.0, symbol)
    }
    fn relations(&self) -> usize {
        Rules::relations(self.0)
    }
    fn relation(&self, i: usize, j: usize) -> u8 {
        Rules::relation(self.0, i, j)
    }
    fn refuse(&self, puzzle: &[u8]) -> Option<Refusal> {
        Rules::refuse(self.0, puzzle)
    }
    fn refuse_supposed(&self, question: &[u8]) -> Option<Refusal> {
        Rules::refuse_supposed(self.0, question)
    }
    fn violations(&self, puzzle: &[u8], grid: &[u8]) -> Option<u32> {
        Rules::violations(self.0, puzzle, grid)
    }
    fn energy(&self, puzzle: &[u8], grid: &[u8]) -> u32 {
        Rules::energy(self.0, puzzle, grid)
    }
    fn accepts(&self, puzzle: &[u8], grid: &[u8]) -> bool {
        Rules::accepts(self.0, puzzle, grid)
    }
    fn identity(&self) -> Drawn {
        Rules::identity(self.0)
    }
    fn perturbation(&self, k: usize) -> Drawn {
        Rules::perturbation(self.0, k)
    }
    fn perturbations(&self) -> usize {
        Rules::perturbations(self.0)
    }
    fn draw<R: Rng>(&self, rng: &mut R) -> Drawn {
        Rules::draw(self.0, rng)
    }
    fn apply(&self, symmetry: &Drawn, grid: &[u8], out: &mut [u8]) {
        Rules::apply(self.0, symmetry, grid, out);
    }
    fn undo(&self, symmetry: &Drawn, grid: &[u8], out: &mut [u8]) {
        Rules::undo(self.0, symmetry, grid, out);
    }
}
