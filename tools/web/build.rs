//! Lists the released packs: every pack in the folder of models, each with its bytes.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

/// The one that the page opens at first; the others follow by name.
const FIRST: &str = "sudoku9-mcu.hrm";

fn main() -> io::Result<()> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    println!("cargo::rerun-if-changed={}", models.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(&models)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".hrm") {
            println!("cargo::rerun-if-changed={}", models.join(&name).display());
            names.push(name);
        }
    }
    names.sort_by_key(|name| (name != FIRST, name.clone()));
    let mut list = String::from("&[\n");
    for name in &names {
        let path = models.join(name);
        let _ = writeln!(
            list,
            "Pack {{ name: {:?}, bytes: include_bytes!({path:?}) }},",
            format!("models/{name}")
        );
    }
    list.push(']');
    fs::write(Path::new(&env::var_os("OUT_DIR").unwrap_or_default()).join("released.rs"), list)
}
