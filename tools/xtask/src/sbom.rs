//! What an image is made of: a bill of materials (CycloneDX 1.5, JSON) beside every image that
//! `cargo xtask firmware` writes.
//!
//! It has no time and no folder of a machine, so that the same sources have the same bill.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::builder::{Place, cargo_of, version};
use crate::run::{output, root, shown};
use crate::setup::Toolchain;
use crate::supply::in_spdx;

/// Cargo.lock, as far as it is read.
#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
}

/// A crate in an image: its name and its version.
type Part = (String, String);

/// What `cargo tree` tells of an image.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tree {
    /// The licence of every part.
    licences: BTreeMap<Part, String>,
    /// What every part needs.
    needs: BTreeMap<Part, BTreeSet<Part>>,
}

/// Writes the bill of `image`, which is the firmware with `features` for `target`, beside it.
pub(crate) fn write(toolchain: Toolchain, image: &Path, features: &str, target: &str) -> Result<()> {
    let mut tree =
        cargo_of(toolchain, &["tree", "--locked", "--package", "hrm-firmware", "--target", target]);
    // What is linked: no macros and no build scripts.
    tree.args(["--features", features, "--edges", "normal,no-proc-macro"]);
    tree.args(["--prefix", "depth", "--format", " {p}|{l}"]);
    let text = output(&mut tree).with_context(|| format!("`{}` fails", shown(&tree)))?;
    let lock = fs::read_to_string(root().join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let lock: Lock = toml::from_str(&lock).context("Cargo.lock is not understood")?;
    let bytes = fs::read(image).with_context(|| format!("cannot read {}", image.display()))?;
    let name = image.file_name().unwrap_or_default().to_string_lossy();
    let bill = bill(&name, &bytes, &Tree::read(&text)?, &lock, &version(toolchain))?;
    let path = image.with_extension("cdx.json");
    let text = serde_json::to_string_pretty(&bill)? + "\n";
    Place::here(toolchain).check_unnamed(toolchain, &path.display().to_string(), text.as_bytes())?;
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

impl Tree {
    /// Reads lines of `DEPTH NAME vVERSION …|LICENCE`, each below the last one that is less deep.
    fn read(text: &str) -> Result<Self> {
        let mut tree = Tree::default();
        let mut above: Vec<Part> = Vec::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let read = || {
                let (package, licence) = line.split_once('|')?;
                let mut words = package.split_whitespace();
                let depth: usize = words.next()?.parse().ok()?;
                let part = (words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned());
                Some((depth, part, licence.trim_end_matches("(*)").trim()))
            };
            let (depth, part, licence) =
                read().with_context(|| format!("what cargo tree prints is not understood: {line:?}"))?;
            ensure!(depth <= above.len(), "cargo tree leaves out who needs {}", part.0);
            above.truncate(depth);
            tree.needs.entry(part.clone()).or_default();
            if let Some(needs) = above.last().and_then(|above| tree.needs.get_mut(above)) {
                needs.insert(part.clone());
            }
            tree.licences.insert(part.clone(), in_spdx(licence));
            above.push(part);
        }
        Ok(tree)
    }
}

/// The bill of an image.
fn bill(name: &str, image: &[u8], tree: &Tree, lock: &Lock, compiler: &str) -> Result<Value> {
    let own = tree.licences.keys().find(|(name, _)| name == "hrm-firmware");
    let own = own.context("cargo tree does not name hrm-firmware")?;
    let component = |(part, licence): (&Part, &String)| {
        let (name, version) = part;
        let mut component = json!({
            "type": "library", "bom-ref": reference(part), "name": name, "version": version,
            "licenses": [{ "expression": licence }],
        });
        let locked = lock.package.iter().find(|locked| (&locked.name, &locked.version) == (name, version));
        if let Some(checksum) = locked.and_then(|locked| locked.checksum.as_ref()) {
            component["purl"] = json!(reference(part));
            component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
        }
        component
    };
    let mut components: Vec<Value> = tree.licences.iter().map(component).collect();
    // A compiler's version reads `rustc 1.95.0 (59807616e 2026-04-14)`.
    let compiler: Vec<&str> = compiler.split_whitespace().collect();
    let release = compiler.get(1).copied().unwrap_or("unknown");
    components.push(json!({
        "type": "library", "bom-ref": "core", "name": "core", "version": release,
        "description": "Rust's library, of the compiler's release",
        "licenses": [{ "expression": "MIT OR Apache-2.0" }],
    }));
    let needs = tree.needs.iter().map(|(part, needs)| {
        let on: Vec<String> = needs.iter().map(reference).chain(["core".to_owned()]).collect();
        json!({ "ref": reference(part), "dependsOn": on })
    });
    let needs: Vec<Value> =
        [json!({ "ref": "image", "dependsOn": [reference(own)] })].into_iter().chain(needs).collect();
    Ok(json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {
            "component": {
                "type": "firmware", "bom-ref": "image", "name": name, "version": own.1,
                "hashes": [{ "alg": "SHA-256", "content": hex(&Sha256::digest(image)) }],
            },
            "tools": { "components": [{ "type": "application", "name": "rustc", "version": compiler.get(1..).unwrap_or_default().join(" ") }] },
        },
        "components": components,
        "dependencies": needs,
    }))
}

/// How a bill refers to a crate.
fn reference((name, version): &Part) -> String {
    format!("pkg:cargo/{name}@{version}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "0 hrm-firmware v0.1.0 (/a/folder)|MIT OR Apache-2.0\n1 heapless v0.9.3|MIT/Apache-2.0\n\
                        2 hash32 v0.3.1|MIT\n1 hash32 v0.3.1|MIT (*)\n";

    fn part(name: &str, version: &str) -> Part {
        (name.into(), version.into())
    }

    #[test]
    fn a_tree_tells_who_needs_what() {
        let tree = Tree::read(TREE).unwrap();
        let (own, heapless, hash32) =
            (part("hrm-firmware", "0.1.0"), part("heapless", "0.9.3"), part("hash32", "0.3.1"));
        assert_eq!(tree.licences[&heapless], "MIT OR Apache-2.0");
        assert_eq!(tree.needs[&own], [heapless.clone(), hash32.clone()].into());
        assert_eq!(tree.needs[&heapless], [hash32.clone()].into());
        assert_eq!(tree.needs[&hash32], [].into());
        for strange in ["0 hrm-firmware v0.1.0", "2 heapless v0.9.3|MIT", "x heapless v0.9.3|MIT"] {
            assert!(Tree::read(strange).is_err(), "{strange}");
        }
    }

    #[test]
    fn a_bill_has_versions_licences_and_checksums_and_no_folder() {
        let lock = Lock {
            package: vec![Locked {
                name: "hash32".into(),
                version: "0.3.1".into(),
                checksum: Some("c0ffee".into()),
            }],
        };
        let bill =
            bill("board.elf", b"abc", &Tree::read(TREE).unwrap(), &lock, "rustc 1.95.0 (a b)").unwrap();
        let image = &bill["metadata"]["component"];
        assert_eq!(
            image["hashes"][0]["content"],
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        let components = bill["components"].as_array().unwrap();
        let hash32 = components.iter().find(|component| component["name"] == "hash32").unwrap();
        assert_eq!(
            (&hash32["hashes"][0]["content"], &hash32["version"]),
            (&json!("c0ffee"), &json!("0.3.1"))
        );
        assert_eq!(hash32["licenses"][0]["expression"], "MIT");
        let core = components.iter().find(|component| component["name"] == "core").unwrap();
        assert_eq!(core["version"], "1.95.0");
        let known: Vec<&Value> = components.iter().map(|component| &component["bom-ref"]).collect();
        for needs in bill["dependencies"].as_array().unwrap() {
            assert!(needs["dependsOn"].as_array().unwrap().iter().all(|on| known.contains(&on)), "{needs}");
        }
        assert!(!bill.to_string().contains("/a/folder"));
    }
}
