//! The firmware's binary: start-up, the pack in flash, and how it ends. What it does in
//! between is in the library.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod board;
#[cfg(target_os = "none")]
mod fault;
#[cfg(target_os = "none")]
mod last;
#[cfg(target_arch = "riscv32")]
mod riscv;
#[cfg(target_os = "none")]
mod start;
#[cfg(target_os = "none")]
mod tasks;

#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("This program runs on microcontrollers. Build it with `cargo xtask firmware`.");
    std::process::exit(2);
}
