//! The tasks that this program carries: those whose features are on, and no byte of any other.

#[cfg(feature = "task-sudoku")]
pub(crate) type Carried = (hrm_core::task::sudoku::Sudoku, ());
#[cfg(not(feature = "task-sudoku"))]
pub(crate) type Carried = ();
