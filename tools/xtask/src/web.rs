//! `cargo xtask web`: the engine of the page on which the model is seen thinking, and the page in a browser.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::builder::{Place, builder};
use crate::run::{cargo, root, run};
use crate::setup::{self, BROWSER, Toolchain, WEB};

/// Build the engine of the page, and try the page in a browser.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Commit this build: put it in the place of tools/web/engine.wasm
    #[arg(long)]
    update: bool,
    /// Try the page in a headless browser
    #[arg(long)]
    test: bool,
}

/// Runs the task.
pub(crate) fn task(args: &Args) -> Result<()> {
    let engine = build(setup::compiler(&[WEB])?)?;
    let committed = committed();
    if args.update {
        fs::copy(&engine, &committed).with_context(|| format!("cannot write {}", committed.display()))?;
    }
    if args.test {
        setup::programs(&[BROWSER])?;
        test(&engine, &["--package", "hrm-web"])?;
    }
    Ok(())
}

/// What the page has.
fn committed() -> PathBuf {
    root().join("tools/web/engine.wasm")
}

/// Compiles the engine; where it lies.
pub(crate) fn build(toolchain: Toolchain) -> Result<PathBuf> {
    let args = ["build", "--package", "hrm-web-engine", "--profile", "web", "--target", WEB];
    run(&mut builder(toolchain, WEB, "generic", &args))?;
    let built = Place::here(toolchain).target.join(WEB).join("web/hrm_web_engine.wasm");
    let bytes = fs::read(&built).with_context(|| format!("cargo left no {}", built.display()))?;
    let same = fs::read(committed()).is_ok_and(|committed| committed == bytes);
    println!(
        "the page's engine: {} bytes, {}",
        bytes.len(),
        match same {
            true => "equal to tools/web/engine.wasm",
            false => "not the bytes of tools/web/engine.wasm (another compiler, or other sources)",
        }
    );
    Ok(built)
}

/// Tries the page in a browser with the engine that is committed, and with `engine` where that is another;
/// `which` has cargo build the test.
fn test(engine: &Path, which: &[&str]) -> Result<()> {
    let committed = committed();
    let same = fs::read(engine)? == fs::read(&committed)?;
    for engine in [committed.as_path(), engine].into_iter().take(if same { 1 } else { 2 }) {
        let args = ["test", "--release", "--test", "browser"];
        // one browser at a time: each has processes enough
        let only = ["--", "--ignored", "--test-threads", "1"];
        run(cargo(args).args(which).args(only).env("HRM_WEB_ENGINE", engine))?;
    }
    Ok(())
}

/// What CI checks: that the sources still make an engine, and that the page with it and with the committed
/// one computes this machine's bits.
pub(crate) fn check(toolchain: Toolchain, which: &[&str]) -> Result<()> {
    let engine = build(toolchain)?;
    ensure!(committed().exists(), "there is no tools/web/engine.wasm: run `cargo xtask web --update`");
    test(&engine, which)
}
