//! The rules of any task behind one pointer: [`Task`] without its types.

use std::any::{Any, TypeId};
use std::fmt::Debug;
use std::sync::Arc;

use hrm_core::task::{Refusal, Task, TextError};
use rand_core::Rng;

use super::Drawn;

/// [`Task`], so that tasks of different types can stand in one list. Every task has it; call [`Task`]'s
/// methods of a [`Game`](super::Game) instead.
#[expect(missing_docs, reason = "each method is the one of `Task` with that name")]
pub trait Rules: Debug + Send + Sync {
    fn rules(&self) -> &dyn Rules;
    /// The type of the task: the same for all its sizes.
    fn kind(&self) -> TypeId;
    fn name(&self) -> &str;
    fn dims(&self) -> (usize, usize);
    fn cells(&self) -> usize;
    fn vocab(&self) -> usize;
    fn blank(&self) -> u8;
    fn may_be_asked(&self, token: u8) -> bool;
    fn symbol(&self, token: u8) -> Option<char>;
    fn token(&self, symbol: char) -> Option<u8>;
    fn relations(&self) -> usize;
    fn relation(&self, i: usize, j: usize) -> u8;
    fn refuse(&self, puzzle: &[u8]) -> Option<Refusal>;
    fn refuse_supposed(&self, question: &[u8]) -> Option<Refusal>;
    fn violations(&self, puzzle: &[u8], grid: &[u8]) -> Option<u32>;
    fn energy(&self, puzzle: &[u8], grid: &[u8]) -> u32;
    fn accepts(&self, puzzle: &[u8], grid: &[u8]) -> bool;
    fn identity(&self) -> Drawn;
    fn perturbation(&self, k: usize) -> Drawn;
    fn perturbations(&self) -> usize;
    fn draw(&self, rng: &mut dyn Rng) -> Drawn;
    fn apply(&self, symmetry: &Drawn, grid: &[u8], out: &mut [u8]);
    fn undo(&self, symmetry: &Drawn, grid: &[u8], out: &mut [u8]);
    fn parse(&self, text: &str, out: &mut [u8]) -> Result<(), TextError>;
}

impl<T> Rules for T
where
    T: Task + Debug + Send + Sync + 'static,
    T::Symmetry: Any + Send + Sync,
{
    fn rules(&self) -> &dyn Rules {
        self
    }
    fn kind(&self) -> TypeId {
        TypeId::of::<T>()
    }
    fn name(&self) -> &str {
        Task::name(self)
    }
    fn dims(&self) -> (usize, usize) {
        Task::dims(self)
    }
    fn cells(&self) -> usize {
        Task::cells(self)
    }
    fn vocab(&self) -> usize {
        Task::vocab(self)
    }
    fn blank(&self) -> u8 {
        Task::blank(self)
    }
    fn may_be_asked(&self, token: u8) -> bool {
        Task::may_be_asked(self, token)
    }
    fn symbol(&self, token: u8) -> Option<char> {
        Task::symbol(self, token)
    }
    fn token(&self, symbol: char) -> Option<u8> {
        Task::token(self, symbol)
    }
    fn relations(&self) -> usize {
        Task::relations(self)
    }
    fn relation(&self, i: usize, j: usize) -> u8 {
        Task::relation(self, i, j)
    }
    fn refuse(&self, puzzle: &[u8]) -> Option<Refusal> {
        Task::refuse(self, puzzle)
    }
    fn refuse_supposed(&self, question: &[u8]) -> Option<Refusal> {
        Task::refuse_supposed(self, question)
    }
    fn violations(&self, puzzle: &[u8], grid: &[u8]) -> Option<u32> {
        Task::violations(self, puzzle, grid)
    }
    fn energy(&self, puzzle: &[u8], grid: &[u8]) -> u32 {
        Task::energy(self, puzzle, grid)
    }
    fn accepts(&self, puzzle: &[u8], grid: &[u8]) -> bool {
        Task::accepts(self, puzzle, grid)
    }
    fn identity(&self) -> Drawn {
        Drawn(Arc::new(Task::identity(self)))
    }
    fn perturbation(&self, k: usize) -> Drawn {
        Drawn(Arc::new(Task::perturbation(self, k)))
    }
    fn perturbations(&self) -> usize {
        Task::perturbations(self)
    }
    fn draw(&self, mut rng: &mut dyn Rng) -> Drawn {
        Drawn(Arc::new(Task::draw(self, &mut rng)))
    }
    fn apply(&self, symmetry: &Drawn, grid: &[u8], out: &mut [u8]) {
        Task::apply(self, &own::<T>(self, symmetry), grid, out);
    }
    fn undo(&self, symmetry: &Drawn, grid: &[u8], out: &mut [u8]) {
        Task::undo(self, &own::<T>(self, symmetry), grid, out);
    }
    fn parse(&self, text: &str, out: &mut [u8]) -> Result<(), TextError> {
        Task::parse(self, text, out)
    }
}

/// `symmetry` as what `task` drew; another task's is taken for the identity.
fn own<T: Task>(task: &T, symmetry: &Drawn) -> T::Symmetry
where
    T::Symmetry: Any,
{
    symmetry.0.downcast_ref::<T::Symmetry>().cloned().unwrap_or_else(|| task.identity())
}
