//! `cargo xtask setup`: what the firmware and the emulator need that cargo does not bring.
//!
//! Two ways lead to a compiler for microcontrollers. Where rustup reaches its server, it adds the targets. Where only Debian's packages are to
//! be had, Debian's own Rust builds `core` from source and GNU ld links. Nothing is installed that is there already.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use hrm_emulator::board::{BOARDS, HARDWARE, QEMU, QEMU_RISCV};

use crate::firmware::SMALLEST;
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

/// Debian's Rust: compiler, its sources, cargo; and linkers.
const DEBIAN_RUST: [&str; 6] = [
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "binutils-arm-none-eabi",
    "binutils-riscv64-unknown-elf",
    "lld-19",
];
/// The linkers in those packages.
pub(crate) const GNU_ARM_LINKER: &str = "arm-none-eabi-ld";
/// For RISC-V.
pub(crate) const GNU_RISCV_LINKER: &str = "riscv64-unknown-elf-ld";
/// For WebAssembly. The `wasm-ld` of Debian 12 (14) does not tell allocators where the heap ends.
pub(crate) const WEB_LINKER: &str = "wasm-ld-19";
/// What the engine of the page is compiled for.
pub(crate) const WEB: &str = "wasm32-unknown-unknown";
/// Programs that tasks and tests run: the name, its Debian package, and what for.
const PROGRAMS: [(&str, &str, &str); 8] = [
    (QEMU, "qemu-system-arm", "emulator"),
    (QEMU_RISCV, "qemu-system-misc", "emulator of RISC-V"),
    ("valgrind", "valgrind", "instruction counts on this machine"),
    ("python3", "python3", "the example client"),
    ("g++", "g++", "the GPU's kernels on this machine"),
    ("mpirun", "openmpi-bin", "training by several processes"),
    ("mpicc", "libopenmpi-dev", "building it"),
    ("chromium-headless-shell", "chromium-headless-shell", "the page in a browser"),
];
/// By which the `mpi` crate reads MPI's headers; a library, so it cannot be run.
const CLANG: (&str, &str) = ("libclang", "libclang-dev");
/// Set to `rustup` or `debian`: no other way is tried.
const CHOICE: &str = "HRM_FIRMWARE_TOOLCHAIN";

/// Installs what is missing (only looks, where `check`), and tells what will compile the firmware.
pub(crate) fn setup(check: bool, debian: bool) -> Result<Toolchain> {
    let targets = targets();
    let chosen = std::env::var(CHOICE).unwrap_or_default();
    let debian = debian || chosen == "debian";
    let toolchain = if !debian && (has_targets(&targets) || !check && add_targets(&targets)) {
        println!("firmware: compiled by this Rust, which has {}", targets.join(", "));
        Toolchain::Rustup
    } else if chosen == "rustup" {
        bail!("rustup cannot add {}, and {CHOICE}=rustup forbids another way", targets.join(", "));
    } else if debian_rust() {
        println!("firmware: compiled by Debian's Rust, which builds `core` itself");
        Toolchain::Debian
    } else if check {
        bail!(
            "no Rust for {} and no Debian Rust ({}): run `cargo xtask setup`",
            targets.join(", "),
            DEBIAN_RUST.join(" ")
        );
    } else {
        println!("rustup has no {} here; Debian's Rust will build `core` itself", targets.join(" or "));
        install(&DEBIAN_RUST)?;
        Toolchain::Debian
    };
    let mut missing = Vec::new();
    for (program, package, purpose) in PROGRAMS {
        match output(&mut command(program, ["--version"])) {
            Some(version) => println!("{purpose}: {}", version.lines().next().unwrap_or(program)),
            None if check => bail!("{program} ({purpose}) is missing: run `cargo xtask setup`"),
            None => missing.push(package),
        }
    }
    match (libclang(), CLANG) {
        (true, _) => {}
        (false, (name, _)) if check => {
            bail!("{name} (reading MPI's headers) is missing: run `cargo xtask setup`")
        }
        (false, (_, package)) => missing.push(package),
    }
    if !missing.is_empty() {
        install(&missing)?;
    }
    Ok(toolchain)
}

/// Runs the task.
pub(crate) fn task(args: &Args) -> Result<()> {
    setup(args.check, args.debian).map(drop)
}

/// The targets of all boards and of the page, each once.
fn targets() -> Vec<&'static str> {
    let boards = BOARDS.iter().map(|board| board.target).chain(HARDWARE.iter().map(|board| board.target));
    let mut targets: Vec<&str> = boards.chain([SMALLEST, WEB]).collect();
    targets.sort_unstable();
    targets.dedup();
    targets
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

fn debian_rust() -> bool {
    let there = |program: &str| succeeds(Command::new(program).arg("--version"));
    ["/usr/bin/rustc", "/usr/bin/cargo", GNU_ARM_LINKER, GNU_RISCV_LINKER, WEB_LINKER].into_iter().all(there)
        && sources()
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

/// Installs Debian packages, as root or with sudo.
fn install(packages: &[&str]) -> Result<()> {
    let missing = || {
        format!(
            "this needs the Debian packages {} and could not install them; install them by hand (QEMU from another \
             source is fine, too), then run this again",
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
