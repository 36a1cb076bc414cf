//! Hands the chosen board's memory map to the linker, and tells the program what follows from it. On a
//! workstation there is no board and nothing to do.

use std::{env, fs, path::PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(workspace_apart)");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("none") {
        return;
    }
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let boards: Vec<String> = env::vars()
        .filter_map(|(key, _)| key.strip_prefix("CARGO_FEATURE_BOARD_").map(str::to_owned))
        .map(|feature| feature.to_lowercase().replace('_', "-"))
        .collect();
    let [board] = &boards[..] else {
        panic!("choose exactly one board, for example with `--features board-mps2-an386`; got {boards:?}");
    };
    let boards = root.join("boards");
    let memory = boards.join(board).join("memory.x");
    let [map, symbols] = [&memory, &boards.join("symbols.x")].map(|path| {
        println!("cargo:rerun-if-changed={}", path.display());
        fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("cannot read the memory map {}: {error}", path.display()))
    });
    fs::write(out.join("memory.x"), format!("{map}\n{symbols}")).expect("cargo makes OUT_DIR");
    if map.contains(".workspace") {
        println!("cargo:rustc-cfg=workspace_apart");
    }
    let stack = stack_kib(&map)
        .unwrap_or_else(|| panic!("{} has no line `STACK : ORIGIN = ..., LENGTH = ...K`", memory.display()));
    println!("cargo:rustc-env=HRM_STACK_KIB={stack}");
    println!("cargo:rustc-link-search={}", out.display());
    // So that an image tells which board it is for: `cargo run` reads it.
    println!("cargo:rustc-link-arg-bins=--defsym=__hrm_board_{}=0", board.replace('-', "_"));
    let riscv = env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("riscv32");
    if riscv {
        println!("cargo:rerun-if-changed=riscv.x");
        println!("cargo:rustc-link-search={}", root.display());
    }
    let sections = if riscv { "-Triscv.x" } else { "-Tlink.x" };
    for argument in ["--nmagic", sections, "-Tdefmt.x"] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}

/// What a memory map keeps for the stack.
fn stack_kib(map: &str) -> Option<u32> {
    let region = map.lines().map(str::trim).find(|line| line.starts_with("STACK"))?;
    let (_, length) = region.split_once("LENGTH =")?;
    length.trim().strip_suffix('K')?.parse().ok()
}
