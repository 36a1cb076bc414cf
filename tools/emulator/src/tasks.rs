//! Which tasks a board's program carries: those it was built with.

use hrm_core::task::{OnBoards, Task, Tasks, Visitor};
use hrm_firmware::{STACK_KIB, STACK_KIB_ANY_SIZE};

/// The variable by which `cargo xtask` is told more features of a board's program, for example
/// tasks; separated by commas.
pub const MORE_FEATURES: &str = "HRM_FIRMWARE_FEATURES";

/// The feature by which a board's program carries the task called `name`; `None` where it does without one.
pub fn feature_for(name: &str) -> Option<String> {
    struct Carried;
    impl Visitor for Carried {
        type Output = ();

        fn visit<T: Task>(self, _: T) {}
    }
    let kind = name.split(|c: char| c.is_ascii_digit()).next().unwrap_or_default();
    OnBoards::visit(name, Carried).is_err().then(|| format!("task-{kind}"))
}

/// Most bytes of stack that solving the task called `name` takes, as measured: 11.8 KB of a program as it is
/// by default. One with tasks of any size takes 41.8 KB: its solver keeps several grids of the largest.
pub fn stack_for(name: &str) -> u64 {
    let kib = if feature_for(name).is_some() { STACK_KIB_ANY_SIZE } else { STACK_KIB };
    1024 * u64::from(kib)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::board::HARDWARE;

    use super::*;

    /// The firmware's build script reads the stack from the same line, and refuses a program that needs more.
    #[test]
    fn memory_maps_say_what_stack_there_is_in_a_line_that_a_build_script_reads() {
        for board in HARDWARE {
            let map = concat!(env!("CARGO_MANIFEST_DIR"), "/../../hrm-firmware/boards/");
            let map = fs::read_to_string(format!("{map}{}/memory.x", board.name)).unwrap();
            let stack = map.lines().find(|line| line.trim().starts_with("STACK :")).unwrap();
            assert!(
                stack.ends_with(&format!(", LENGTH = {}K", board.stack >> 10)),
                "{}: {stack}",
                board.name
            );
            assert!(board.stack >= stack_for("sudoku9"));
        }
        assert!(HARDWARE.iter().any(|board| board.stack < stack_for("maze10x10")));
    }

    #[test]
    fn tasks_that_a_program_does_not_carry_by_itself_have_a_feature_of_the_firmware() {
        assert_eq!(feature_for("sudoku9"), None);
        assert_eq!(feature_for("maze10x15").as_deref(), Some("task-maze"));
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../hrm-firmware/Cargo.toml");
        let features = fs::read_to_string(manifest).unwrap();
        let has = |line: &str| features.lines().any(|own| own == line);
        assert!(has("default = [\"task-sudoku\"]") && has("task-maze = []"), "{features}");
    }
}
