//! The program that libFuzzer drives: the target is the one that the variable HRM_FUZZ names.
#![no_main]

use std::sync::LazyLock;

use hrm_fuzz::{TARGETS, Target, find};
use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("HRM_FUZZ").unwrap_or_default();
    let names = || TARGETS.iter().map(|target| target.name).collect::<Vec<_>>().join(", ");
    find(&name).unwrap_or_else(|| panic!("HRM_FUZZ must be one of {}", names()))
});

fuzz_target!(|bytes: &[u8]| (TARGET.run)(bytes));
