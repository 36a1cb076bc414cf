//! `cargo xtask oldest-rust`: what needs no candle, built with the oldest Rust that Cargo.toml claims.

use std::fs;

use anyhow::{Context, Result};

use crate::run::{command, root, run, succeeds, target};

/// Checks it, where rustup has that Rust or may `install` it and can; says so where not.
///
/// # Errors
/// Where it does not build.
pub(crate) fn check(install: bool) -> Result<()> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).context("cannot read Cargo.toml")?;
    let version = claimed(&manifest).context("Cargo.toml claims no `rust-version`")?;
    let toolchain = format!("{version}.0");
    let there = |toolchain: &str| succeeds(&mut command("rustup", ["run", toolchain, "rustc", "--version"]));
    // rustup tries a server that does not answer for a long time.
    let get = ["400", "rustup", "toolchain", "install", "--profile", "minimal", "--no-self-update"];
    if install && !there(&toolchain) {
        println!("trying `rustup toolchain install {toolchain}`");
        succeeds(command("timeout", get).arg(&toolchain));
    }
    if !there(&toolchain) {
        println!("NOT CHECKED: rustup has no Rust {toolchain}, the oldest that Cargo.toml claims");
        return Ok(());
    }
    let mut check = command("rustup", ["run", &toolchain, "cargo", "check", "--locked", "--workspace"]);
    check.args(["--exclude", "hrm-host", "--exclude", "hrm-fuzz"]);
    // Whoever runs this task has set them for another Rust.
    check.env_remove("RUSTC").env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO");
    run(check.env("CARGO_TARGET_DIR", target().join("oldest-rust")))?;
    println!("all that needs no candle builds with Rust {toolchain}");
    Ok(())
}

/// The `rust-version` of a manifest.
fn claimed(manifest: &str) -> Option<String> {
    let manifest: toml::Table = toml::from_str(manifest).ok()?;
    let version = manifest.get("workspace")?.get("package")?.get("rust-version")?;
    version.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_claims_the_same_rust_as_the_manifests() {
        let read = |name: &str| fs::read_to_string(root().join(name)).unwrap();
        let version = claimed(&read("Cargo.toml")).unwrap();
        assert!(read("README.md").contains(&format!("Rust {version} or later")));
        for manifest in ["examples/bare-metal/Cargo.toml", "tools/chips/Cargo.toml"] {
            let line = format!("rust-version = \"{version}\"");
            assert!(read(manifest).lines().any(|other| other == line), "{manifest}: {line}");
        }
    }
}
