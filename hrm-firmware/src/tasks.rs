//! The tasks that this program carries: those whose features are on, and no byte of any other.

use hrm_firmware::STACK_KIB_ANY_SIZE;

#[cfg(feature = "_every-task")]
#[path = "../../hrm-host/examples/latin.rs"]
mod latin;

/// What the board's memory.x keeps for the stack; the build script reads it.
const STACK_KIB: Result<u32, core::num::ParseIntError> = u32::from_str_radix(env!("HRM_STACK_KIB"), 10);

const _: () = assert!(
    cfg!(not(feature = "task-maze")) || matches!(STACK_KIB, Ok(kib) if kib >= STACK_KIB_ANY_SIZE),
    "a program with `task-maze` uses 42 KiB of stack, more than this board's memory.x keeps for it"
);

/// A list of the tasks whose features are on: each line adds its task to the list that follows.
pub(crate) type Carried = Sudoku<Maze<Own<()>>>;

#[cfg(feature = "task-sudoku")]
type Sudoku<Others> = (hrm_core::task::sudoku::Sudoku, Others);
#[cfg(not(feature = "task-sudoku"))]
type Sudoku<Others> = Others;

#[cfg(feature = "task-maze")]
type Maze<Others> = (hrm_core::task::maze::Maze, Others);
#[cfg(not(feature = "task-maze"))]
type Maze<Others> = Others;

/// The tests' own task, as `docs/ADDING_A_TASK.md` adds it.
#[cfg(feature = "_every-task")]
type Own<Others> = (latin::Latin, Others);
#[cfg(not(feature = "_every-task"))]
type Own<Others> = Others;
