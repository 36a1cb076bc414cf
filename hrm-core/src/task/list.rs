//! The one place where tasks are known by name, and the way from a name to code that
//! is compiled for its task.

use super::{Task, maze::Maze, sudoku::Sudoku};
use crate::pack::Shape;

/// The tasks of this crate. A program that carries fewer, or its own, has a [list](Tasks) of its own.
pub type All = (Sudoku, (Maze, ()));

/// Those that a board's program carries where it is built without further features;
/// `hrm-firmware/Cargo.toml` says so, too.
pub type OnBoards = (Sudoku, ());

/// A list of tasks, each kind once: `()` has none, `(Sudoku, (MyTask, ()))` has two.
///
/// Only what a list names is compiled into a program that visits it.
pub trait Tasks {
    /// Hands the task called `name` to `visitor`.
    ///
    /// # Errors
    /// `visitor` itself, where no task has that name.
    fn visit<V: Visitor>(name: &str, visitor: V) -> Result<V::Output, V>;
}

/// Something to be done with a task, whichever it is.
pub trait Visitor {
    /// What comes of it.
    type Output;

    /// Does it.
    fn visit<T: Task>(self, task: T) -> Self::Output;
}

impl Tasks for () {
    fn visit<V: Visitor>(_: &str, visitor: V) -> Result<V::Output, V> {
        Err(visitor)
    }
}

impl<First: Task, Rest: Tasks> Tasks for (First, Rest) {
    fn visit<V: Visitor>(name: &str, visitor: V) -> Result<V::Output, V> {
        match First::named(name) {
            Some(task) => Ok(visitor.visit(task)),
            None => Rest::visit(name, visitor),
        }
    }
}

/// Hands the task called `name`, of a model of this `shape`, to `visitor`.
///
/// # Errors
/// `visitor` itself, where the list `L` has no such task or it has another size.
pub fn visit<L: Tasks, V: Visitor>(name: &str, shape: &Shape, visitor: V) -> Result<V::Output, V> {
    struct Fits<'s>(&'s Shape);
    impl Visitor for Fits<'_> {
        type Output = bool;

        fn visit<T: Task>(self, task: T) -> bool {
            (task.cells(), task.vocab()) == (usize::from(self.0.cells), usize::from(self.0.vocab))
        }
    }
    if !matches!(L::visit(name, Fits(shape)), Ok(true)) {
        return Err(visitor);
    }
    L::visit(name, visitor)
}
