//! Cargo for another processor. What it builds is the same in every folder, and names none.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::run::{cargo, command, output, root, target};
use crate::setup::{AARCH64, AARCH64_LINKER, GNU_ARM_LINKER, GNU_RISCV_LINKER, Toolchain, WEB, WEB_LINKER};

/// Where sources lie, and where cargo leaves what it makes of them.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The workspace's root.
    pub(crate) sources: PathBuf,
    /// Cargo's target folder.
    pub(crate) target: PathBuf,
}

impl Place {
    /// This repository. A toolchain's files are together, those for every processor: cargo tells them apart
    /// by their flags, and what runs on this machine (macros, build scripts) is built once.
    pub(crate) fn here(toolchain: Toolchain) -> Self {
        let toolchain = match toolchain {
            Toolchain::Rustup => "rustup",
            Toolchain::Debian => "debian",
        };
        Self { sources: root(), target: target().join("firmware").join(toolchain) }
    }

    /// The folders that a compiler may write into what it builds, and the name that stands for each. Of two
    /// that fit, the later counts.
    fn names(&self, toolchain: Toolchain) -> Vec<(PathBuf, &'static str)> {
        let home = env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
        let registries = home.map(|home| home.join("registry/src")).and_then(|folder| folder.read_dir().ok());
        let crates = registries.into_iter().flatten().flatten().map(|entry| (entry.path(), "crates"));
        let library = output(&mut command(compiler(toolchain).as_str(), ["--print", "sysroot"]))
            .map(|sysroot| (Path::new(sysroot.trim()).join("lib/rustlib/src/rust"), "rust"));
        let whole = |folder: &Path| folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let own = [(whole(&self.sources), "hrm"), (whole(&self.target), "built")];
        crates.chain(library).chain(own).collect()
    }

    /// Refuses `bytes` that name a folder of this machine.
    ///
    /// # Errors
    /// Where they do; `what` says whose they are.
    pub(crate) fn check_unnamed(&self, toolchain: Toolchain, what: &str, bytes: &[u8]) -> Result<()> {
        for (folder, _) in self.names(toolchain) {
            let name = folder.display().to_string();
            ensure!(
                !bytes.windows(name.len()).any(|place| place == name.as_bytes()),
                "{what} names the folder {name}, so another machine builds other bytes"
            );
        }
        Ok(())
    }
}

/// The compiler's program.
fn compiler(toolchain: Toolchain) -> String {
    match toolchain {
        Toolchain::Rustup => env::var("RUSTC").unwrap_or("rustc".into()),
        Toolchain::Debian => "/usr/bin/rustc".into(),
    }
}

/// What the compiler calls itself.
pub(crate) fn version(toolchain: Toolchain) -> String {
    let version = output(&mut command(compiler(toolchain).as_str(), ["--version"])).unwrap_or_default();
    version.trim().to_owned()
}

/// What links where there is no rust-lld.
pub(crate) fn linker(target: &str) -> &'static str {
    match target {
        WEB => WEB_LINKER,
        AARCH64 => AARCH64_LINKER,
        target if target.starts_with("riscv32") => GNU_RISCV_LINKER,
        _ => GNU_ARM_LINKER,
    }
}

/// The part of Rust's library that Debian's Rust builds.
fn library(target: &str) -> &'static str {
    match target {
        WEB => "build-std=core,alloc",
        AARCH64 => "build-std",
        _ => "build-std=core",
    }
}

/// Cargo's variable for `what` of a target.
pub(crate) fn variable(target: &str, what: &str) -> String {
    format!("CARGO_TARGET_{}_{what}", target.replace(['-', '.'], "_").to_uppercase())
}

/// The cargo of a toolchain.
pub(crate) fn cargo_of(toolchain: Toolchain, args: &[&str]) -> Command {
    match toolchain {
        Toolchain::Rustup => cargo(args),
        Toolchain::Debian => command("/usr/bin/cargo", args),
    }
}

/// Cargo with `args` in this repository, compiling for `target` and its processor `cpu`.
pub(crate) fn builder(toolchain: Toolchain, target: &str, cpu: &str, args: &[&str]) -> Command {
    builder_in(&Place::here(toolchain), toolchain, target, cpu, args)
}

/// The same in another place. The processor is named as the target alone leaves out a Cortex-M33's DSP
/// instructions and a Cortex-M55's vectors.
pub(crate) fn builder_in(
    place: &Place,
    toolchain: Toolchain,
    target: &str,
    cpu: &str,
    args: &[&str],
) -> Command {
    let mut flags = vec![format!("-Ctarget-cpu={cpu}")];
    let mut build = cargo_of(toolchain, args);
    if target == WEB {
        flags.push("-Ctarget-feature=+simd128".into());
    }
    if toolchain == Toolchain::Debian {
        // RUSTC_BOOTSTRAP only lets cargo build the library; the sources are stable Rust.
        build.args(["-Z", library(target)]).env("RUSTC_BOOTSTRAP", "1").env("RUSTC", compiler(toolchain));
        if target.starts_with("riscv32") {
            // That linker is for 64 bits unless it is told.
            flags.push("-Clink-arg=-melf32lriscv".into());
        }
    }
    if toolchain == Toolchain::Debian || target == AARCH64 {
        build.env(variable(target, "LINKER"), linker(target));
    }
    if target == AARCH64 {
        // Symbols are where the program lies in memory, as who counts between them needs it.
        flags.push("-Crelocation-model=static".into());
    }
    let names = place.names(toolchain);
    flags.extend(
        names.iter().map(|(folder, name)| format!("--remap-path-prefix={}={name}", folder.display())),
    );
    build.current_dir(&place.sources).env("CARGO_TARGET_DIR", &place.target);
    // By parts, which some have switched on, code is another.
    build.env("CARGO_INCREMENTAL", "0");
    // Encoded, as a folder's name may have spaces.
    build.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    build
}
