//! `cargo xtask setup`: what the firmware and the emulator need that cargo does not bring.
//!
//! Two ways lead to a compiler for microcontrollers. Where rustup reaches its server, it adds the targets.
//! Where only Debian's packages are to be had, Debian's own Rust builds `core` from source and GNU ld links.
//! Nothing is installed that is there already.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use hrm_emulator::board::{QEMU, QEMU_RISCV};

use crate::builder::linker;
use crate::firmware::{SMALLEST, every, targets_of};
use crate::run::{command, output, run, succeeds};

/// Install what the firmware's build and the emulator need.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only say what is there and what is missing
    #[arg(long)]
    check: bool,
    /// Build the firmware with Debian's Rust even where rustup has the targets
    #[arg(long)]
    debian: bool,
}

/// What compiles the firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// The Rust that runs this task, with rustup's targets.
    Rustup,
    /// Debian's Rust 1.96 or later in /usr/bin, which builds `core` itself.
    Debian,
}

/// Debian's Rust: compiler, its sources, cargo.
const DEBIAN_RUST: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];
/// The linkers beside it, each with its package.
const LINKERS: [(&str, &str); 4] = [
    (GNU_ARM_LINKER, "binutils-arm-none-eabi"),
    (GNU_RISCV_LINKER, "binutils-riscv64-unknown-elf"),
    (AARCH64_LINKER, AARCH64_COMPILER),
    (WEB_LINKER, "lld-19"),
];
/// For Arm.
pub(crate) const GNU_ARM_LINKER: &str = "arm-none-eabi-ld";
/// For RISC-V.
pub(crate) const GNU_RISCV_LINKER: &str = "riscv64-unknown-elf-ld";
/// For AArch64's Linux, whichever Rust compiles.
pub(crate) const AARCH64_LINKER: &str = "aarch64-linux-gnu-gcc";
/// Its package.
const AARCH64_COMPILER: &str = "gcc-aarch64-linux-gnu";
/// For WebAssembly. The `wasm-ld` of Debian 12 (14) does not tell allocators where the heap ends.
pub(crate) const WEB_LINKER: &str = "wasm-ld-19";
/// What the engine of the page is compiled for.
pub(crate) const WEB: &str = "wasm32-unknown-unknown";
/// What hrm-core is tested for on another workstation's processor.
pub(crate) const AARCH64: &str = "aarch64-unknown-linux-gnu";
/// The folder of that system's libraries.
pub(crate) const AARCH64_LIBRARIES: &str = "/usr/aarch64-linux-gnu";
/// What runs its programs.
pub(crate) const AARCH64_EMULATOR: &str = "qemu-aarch64";
/// What counts instructions on this machine.
pub(crate) const VALGRIND: &str = "valgrind";
/// What tries the page.
pub(crate) const BROWSER: &str = "chromium-headless-shell";
/// What runs the images of emulated boards.
pub(crate) const EMULATORS: [&str; 2] = [QEMU, QEMU_RISCV];
/// Programs that tasks and tests run: the name, its Debian package, and what for.
const PROGRAMS: [(&str, &str, &str); 10] = [
    (QEMU, "qemu-system-arm", "emulator"),
    (QEMU_RISCV, "qemu-system-misc", "emulator of RISC-V"),
    (AARCH64_EMULATOR, "qemu-user", "emulator of AArch64"),
    (AARCH64_LINKER, AARCH64_COMPILER, "linker for AArch64"),
    (VALGRIND, "valgrind", "instruction counts on this machine"),
    ("python3", "python3", "the example client"),
    ("g++", "g++", "the GPU's kernels on this machine"),
    ("mpirun", "openmpi-bin", "training by several processes"),
    ("mpicc", "libopenmpi-dev", "building it"),
    (BROWSER, "chromium-headless-shell", "the page in a browser"),
];
/// A library, which cannot be run: the name, its Debian package, what for, and whether it is there.
type Library = (&'static str, &'static str, &'static str, fn() -> bool);
const LIBRARIES: [Library; 2] =
    [("libclang", "libclang-dev", "reading MPI's headers", libclang), AARCH64_LIBC];
const AARCH64_LIBC: Library =
    ("AArch64's libc", "libc6-dev-arm64-cross", "programs for AArch64", aarch64_libc);
/// Set to `rustup` or `debian`: no other way is tried.
const CHOICE: &str = "HRM_FIRMWARE_TOOLCHAIN";

/// Sets up what every task needs (only looks, where `check`), and tells what will compile the firmware.
pub(crate) fn everything(check: bool, debian: bool) -> Result<Toolchain> {
    let toolchain = find_compiler(&all_targets(), check, debian)?;
    let all: Vec<&str> = PROGRAMS.iter().map(|(program, ..)| *program).collect();
    find_programs(&all, check)?;
    LIBRARIES.into_iter().try_for_each(|library| find_library(library, check))?;
    Ok(toolchain)
}

/// Sets up what compiles for `targets`, and nothing else: a board's firmware needs no more.
pub(crate) fn compiler(targets: &[&'static str]) -> Result<Toolchain> {
    find_compiler(targets, false, false)
}

/// Sets up what builds and runs programs for AArch64's Linux.
pub(crate) fn aarch64() -> Result<Toolchain> {
    let toolchain = compiler(&[AARCH64])?;
    programs(&[AARCH64_LINKER, AARCH64_EMULATOR])?;
    find_library(AARCH64_LIBC, false)?;
    Ok(toolchain)
}

/// Sets up `programs`, which are some of [`PROGRAMS`].
pub(crate) fn programs(programs: &[&str]) -> Result<()> {
    find_programs(programs, false)
}

fn find_compiler(targets: &[&'static str], check: bool, debian: bool) -> Result<Toolchain> {
    let chosen = std::env::var(CHOICE).unwrap_or_default();
    if !["", "rustup", "debian"].contains(&chosen.as_str()) {
        bail!("{CHOICE} is {chosen}; it may be rustup or debian, or not be set");
    }
    let debian = debian || chosen == "debian";
    if !debian && (has_targets(targets) || !check && add_targets(targets)) {
        println!("firmware: compiled by this Rust, which has {}", targets.join(", "));
        return Ok(Toolchain::Rustup);
    }
    if chosen == "rustup" {
        bail!("rustup cannot add {}, and {CHOICE}=rustup forbids another way", targets.join(", "));
    }
    let (linkers, packages) = of_debian(targets);
    if debian_rust(&linkers) {
        println!("firmware: compiled by Debian's Rust, which builds `core` itself");
    } else if check {
        bail!(
            "no Rust for {} and no Debian Rust ({}): run `cargo xtask setup`",
            targets.join(", "),
            packages.join(" ")
        );
    } else {
        println!("rustup has no {} here; Debian's Rust will build `core` itself", targets.join(" or "));
        install(&packages)?;
    }
    Ok(Toolchain::Debian)
}

fn find_programs(wanted: &[&str], check: bool) -> Result<()> {
    let mut missing = Vec::new();
    for (program, package, purpose) in PROGRAMS.into_iter().filter(|(program, ..)| wanted.contains(program)) {
        match output(&mut command(program, ["--version"])) {
            Some(version) => println!("{purpose}: {}", version.lines().next().unwrap_or(program)),
            None if check => bail!("{program} ({purpose}) is missing: run `cargo xtask setup`"),
            None => missing.push(package),
        }
    }
    if missing.is_empty() { Ok(()) } else { install(&missing) }
}

fn find_library((name, package, purpose, there): Library, check: bool) -> Result<()> {
    match there() {
        true => Ok(()),
        false if check => bail!("{name} ({purpose}) is missing: run `cargo xtask setup`"),
        false => install(&[package]),
    }
}

/// Runs the task.
pub(crate) fn task(args: &Args) -> Result<()> {
    everything(args.check, args.debian).map(drop)
}

/// The linkers and the packages by which Debian's Rust compiles for `targets`.
fn of_debian(targets: &[&str]) -> (Vec<&'static str>, Vec<&'static str>) {
    let needed = LINKERS.into_iter().filter(|(own, _)| targets.iter().any(|target| linker(target) == *own));
    let (linkers, packages): (Vec<_>, Vec<_>) = needed.unzip();
    (linkers, [&DEBIAN_RUST[..], &packages].concat())
}

/// The targets of all boards and of the page, each once.
fn all_targets() -> Vec<&'static str> {
    targets_of(&every())
        .into_iter()
        .chain([SMALLEST, WEB, AARCH64])
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// Whether the Rust that runs this task has `core` for every target, whoever installed it.
fn has_targets(targets: &[&str]) -> bool {
    let rustc = std::env::var("RUSTC").unwrap_or("rustc".into());
    targets.iter().all(|target| {
        output(&mut command(&rustc, ["--print", "target-libdir", "--target", target])).is_some_and(|folder| {
            Path::new(folder.trim()).read_dir().is_ok_and(|mut files| files.next().is_some())
        })
    })
}

fn add_targets(targets: &[&str]) -> bool {
    // rustup tries a server that does not answer for a long time.
    let mut add = command("timeout", ["120", "rustup", "target", "add"].iter().chain(targets));
    println!("trying `rustup target add {}`", targets.join(" "));
    succeeds(&mut add) && has_targets(targets)
}

fn debian_rust(linkers: &[&str]) -> bool {
    let there = |program: &&str| succeeds(Command::new(program).arg("--version"));
    ["/usr/bin/rustc", "/usr/bin/cargo"].iter().chain(linkers).all(there) && sources()
}

/// Whether Debian's Rust has the sources of `core`.
fn sources() -> bool {
    output(Command::new("/usr/bin/rustc").args(["--print", "sysroot"])).is_some_and(|root| {
        Path::new(root.trim()).join("lib/rustlib/src/rust/library/core/Cargo.toml").exists()
    })
}

/// Whether there is a libclang where it is looked for.
fn libclang() -> bool {
    let holds = |folder: &Path| {
        folder.read_dir().is_ok_and(|mut files| {
            files
                .any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("libclang")))
        })
    };
    let of_debian = Path::new("/usr/lib").read_dir().into_iter().flatten().flatten();
    let of_debian = of_debian.filter(|entry| entry.file_name().to_string_lossy().starts_with("llvm-"));
    std::env::var_os("LIBCLANG_PATH").is_some()
        || of_debian.map(|llvm| llvm.path().join("lib")).any(|lib| holds(&lib))
}

fn aarch64_libc() -> bool {
    Path::new(AARCH64_LIBRARIES).join("lib/libc.so.6").exists()
}

/// Installs Debian packages, as root or with sudo.
fn install(packages: &[&str]) -> Result<()> {
    let missing = || {
        format!(
            "this needs the Debian packages {} and could not install them; install them by hand (programs from another \
             source are fine, too), then run this again",
            packages.join(" ")
        )
    };
    println!("installing Debian packages: {}", packages.join(" "));
    let root = output(&mut command("id", ["-u"])).is_some_and(|id| id.trim() == "0");
    let apt = |args: &[&str]| {
        let words =
            ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y", "--no-install-recommends"];
        let words = words.iter().chain(args);
        match root {
            true => command("env", words.skip(1)),
            false => command("sudo", words),
        }
    };
    // Lists may be old or absent; a failure shows when packages are not found.
    let _ = succeeds(&mut apt(&["update"]));
    run(&mut apt(&[&["install"], packages].concat())).with_context(missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::firmware::find;

    #[test]
    fn building_for_one_board_needs_its_compiler_and_its_linker_alone() {
        let pico2 = find("pico2").unwrap();
        let targets = targets_of(&[pico2, pico2]);
        assert_eq!(targets, ["thumbv8m.main-none-eabihf"]);
        let (linkers, packages) = of_debian(&targets);
        assert_eq!(linkers, [GNU_ARM_LINKER]);
        assert_eq!(packages, ["rustc-web", "cargo-web", "rust-web-src", "binutils-arm-none-eabi"]);
        assert_eq!(of_debian(&all_targets()).0.len(), LINKERS.len());
    }

    #[test]
    fn what_tasks_ask_for_is_a_program_that_can_be_set_up() {
        for program in EMULATORS.iter().chain(&[VALGRIND, BROWSER]) {
            assert!(PROGRAMS.iter().any(|(known, ..)| known == program), "{program}");
        }
    }
}
