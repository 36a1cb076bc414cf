//! `hrm-host`: the workstation's side of HRM on microcontrollers.

use std::process::ExitCode;

use hrm_host::Bounded;

#[global_allocator]
static MEMORY: Bounded = Bounded;

fn main() -> ExitCode {
    hrm_host::run()
}
