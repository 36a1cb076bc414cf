//! `cargo xtask`: everything the project does to itself, one file per task.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use hrm_emulator::with_causes;

mod aarch64;
mod bench;
mod bits;
mod builder;
mod chips;
mod demo;
mod example;
mod firmware;
mod flash;
mod fuzz;
mod kills;
mod oldest;
mod reproducible;
mod run;
mod sbom;
mod setup;
mod soak;
mod stages;
mod supply;
mod test;
mod uf2;
mod web;

/// The project's automation. `cargo xtask demo` and `cargo xtask test` do their own set-up.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Install what the firmware's build and the emulator need (Debian packages, rustup targets)
    Setup(setup::Args),
    /// Build the firmware for one board or all of them, into target/firmware-images
    Firmware(firmware::Args),
    /// Compare the images of real boards with probe-rs' descriptions of their chips
    Chips,
    /// Flash a real board's image with probe-rs and show its log; `cargo run` for a board comes here
    Run(flash::Args),
    /// Build a real board's firmware as a UF2 file, which is dragged onto the drive that the board
    /// shows: no probe is needed
    Uf2(uf2::Args),
    /// Train a 4x4 HRM, make it int8, and let the host and an emulated microcontroller solve puzzles with it
    Demo(demo::Args),
    /// Count the instructions of a segment, its operations and kernels, on every emulated
    /// processor and on this one
    Bench(bench::Args),
    /// Run `examples/bare-metal`, a program of one's own around `hrm-core`, on an emulated Cortex-M0
    Example,
    /// Build the engine of the page that `hrm-host web` writes, and try the page in a browser
    Web(web::Args),
    /// Let libFuzzer look for inputs that break a promise of `fuzz/`, and keep those that are worth replaying
    Fuzz(fuzz::Args),
    /// Flip bits of packs, and think on every level of this processor and on every emulated board
    Bits(bits::Args),
    /// Use emulated boards and a USB stand-in for long: requests, damaged frames, resets, pulled
    /// plugs, clients that leave
    Soak(soak::Args),
    /// Test hrm-core for AArch64, the processor of Macs and of the Raspberry Pi, in an emulator
    Aarch64,
    /// Check licences, sources, duplicates and the Rust that is claimed, by deny.toml and without network
    Supply,
    /// Build all that needs no candle with the oldest Rust that is claimed, where rustup can get it
    OldestRust,
    /// Build the firmware of one board in two folders, and compare the images byte by byte
    Reproducible(reproducible::Args),
    /// Kill the program, and have its disk fail, at every system call by which it changes or reads a file
    Kills(kills::Args),
    /// Prove that inference cannot panic on any board: a program that needs it to be so must link
    NoPanic,
    /// Everything CI checks: format, lints, tests, documentation, firmware, emulated boards
    Test(test::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Setup(args) => setup::task(&args),
        Task::Firmware(args) => firmware::task(&args),
        Task::Chips => chips::check(),
        Task::Run(args) => flash::task(&args),
        Task::Uf2(args) => uf2::task(&args),
        Task::Demo(args) => demo::task(&args),
        Task::Bench(args) => bench::task(&args),
        Task::Example => example::task(),
        Task::Bits(args) => bits::task(&args),
        Task::Fuzz(args) => fuzz::task(&args),
        Task::Kills(args) => kills::task(&args),
        Task::Web(args) => web::task(&args),
        Task::Soak(args) => soak::task(&args),
        Task::Aarch64 => aarch64::task(),
        Task::Supply => supply::check(),
        Task::OldestRust => oldest::check(true),
        Task::Reproducible(args) => reproducible::task(&args),
        Task::NoPanic => firmware::no_panic_anywhere(),
        Task::Test(args) => test::task(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", with_causes(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}
