//! `cargo xtask supply`: whose code is built in, under which licence, and whether the Rust that
//! is claimed can build it.
//!
//! deny.toml is the law. cargo-deny reads the same file and knows advisories, but has to be
//! installed; this needs nothing.

mod licence;
mod packages;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

pub(crate) use self::licence::in_spdx;
use self::packages::{Package, packages};
use crate::run::root;

/// The folders of all workspaces, each with a Cargo.lock of its own.
const WORKSPACES: [&str; 3] = [".", "tools/chips", "examples/bare-metal"];
/// The one registry.
const SOURCE: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What is read of deny.toml.
#[derive(Debug, Deserialize)]
struct Law {
    graph: Graph,
    licenses: Licences,
    bans: Bans,
}

#[derive(Debug, Deserialize)]
struct Graph {
    targets: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Licences {
    allow: BTreeSet<String>,
}

#[derive(Debug, Deserialize)]
struct Bans {
    skip: Vec<Skipped>,
}

/// An older version that may stand beside a newer one.
#[derive(Debug, Deserialize)]
struct Skipped {
    /// `name@version`.
    #[serde(rename = "crate")]
    which: String,
    reason: String,
}

/// Checks every workspace.
pub(crate) fn check() -> Result<()> {
    let path = root().join("deny.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let law: Law = toml::from_str(&text).with_context(|| format!("{} is not understood", path.display()))?;
    let (mut faults, mut used) = (Vec::new(), BTreeSet::new());
    for folder in WORKSPACES {
        let packages = packages(folder, &law.graph.targets)?;
        let found = law.faults(&packages, &mut used);
        faults.extend(found.iter().map(|fault| format!("{folder}: {fault}")));
        let foreign = packages.iter().filter(|package| package.source.is_some()).count();
        println!("{folder}: {foreign} crates of others");
    }
    let unused = law.bans.skip.iter().filter(|skipped| !used.contains(&skipped.which));
    faults
        .extend(unused.map(|skipped| format!("deny.toml excuses {}, which is no duplicate", skipped.which)));
    ensure!(faults.is_empty(), "the supply chain is not what deny.toml says:\n{}", faults.join("\n"));
    Ok(())
}

impl Law {
    /// What `packages` do that is not allowed; `used` gets the duplicates that are excused.
    fn faults(&self, packages: &[Package], used: &mut BTreeSet<String>) -> Vec<String> {
        let mut faults = Vec::new();
        let own = packages.iter().filter(|package| package.source.is_none());
        let claims: BTreeSet<_> = own.map(|package| package.rust_version.clone()).collect();
        let claimed = claims.first().cloned().flatten();
        if claims.len() != 1 || claimed.is_none() {
            faults.push(format!("its crates do not claim one Rust: {claims:?}"));
        }
        let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for package in packages.iter().filter(|package| package.source.is_some()) {
            let Package { name, version, license, source, rust_version } = package;
            let licence = license.as_deref().unwrap_or("(none)");
            if !licence::permits(licence, &|one| self.licenses.allow.contains(one)) {
                faults.push(format!("{name} {version}: the licence {licence} is not allowed"));
            }
            if source.as_deref() != Some(SOURCE) {
                faults.push(format!("{name} {version} is not from crates.io"));
            }
            if rust_version.as_deref().map(rust) > claimed.as_deref().map(rust) {
                faults.push(format!("{name} {version} needs a newer Rust than this project claims"));
            }
            versions.entry(name).or_default().insert(version);
        }
        for (name, versions) in versions.iter().filter(|(_, versions)| versions.len() > 1) {
            let excused = |version: &&&str| {
                let which = format!("{name}@{version}");
                let skipped = self.bans.skip.iter().find(|skipped| skipped.which == which);
                let excused = skipped.is_some_and(|skipped| !skipped.reason.is_empty());
                if excused {
                    used.insert(which);
                }
                !excused
            };
            let remaining: Vec<&&str> = versions.iter().filter(excused).collect();
            if remaining.len() > 1 {
                faults.push(format!("{name} is built in the versions {remaining:?}; deny.toml excuses none"));
            }
        }
        faults
    }
}

/// A version of Rust as numbers that can be compared.
fn rust(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or(u32::MAX)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str, licence: &str) -> Package {
        Package {
            name: name.into(),
            version: version.into(),
            license: Some(licence.into()),
            source: Some(SOURCE.into()),
            rust_version: Some("1.60.0".into()),
        }
    }

    fn own() -> Package {
        Package { source: None, rust_version: Some("1.89".into()), ..package("own", "0.1.0", "MIT") }
    }

    fn faults(packages: &[Package]) -> Vec<String> {
        let law = Law {
            graph: Graph { targets: vec![] },
            licenses: Licences { allow: ["MIT".to_owned()].into() },
            bans: Bans { skip: vec![Skipped { which: "old@1.0.0".into(), reason: "of another".into() }] },
        };
        law.faults(packages, &mut BTreeSet::new())
    }

    #[test]
    fn what_deny_toml_allows_is_no_fault() {
        let old = [package("old", "1.0.0", "MIT"), package("old", "2.0.0", "MIT OR Apache-2.0")];
        assert_eq!(faults(&[&old[..], &[own()]].concat()), Vec::<String>::new());
    }

    #[test]
    fn every_kind_of_fault_is_named() {
        let of_git =
            Package { source: Some("git+https://example.invalid".into()), ..package("a", "1.0.0", "MIT") };
        let newer = Package { rust_version: Some("1.100".into()), ..package("b", "1.0.0", "MIT") };
        let without = Package { license: None, ..package("c", "1.0.0", "") };
        let twice = [package("d", "1.0.0", "MIT"), package("d", "1.1.0", "MIT")];
        for (packages, said) in [
            (vec![own(), of_git], "not from crates.io"),
            (vec![own(), newer], "needs a newer Rust"),
            (vec![own(), without], "licence (none)"),
            (vec![own(), package("e", "1.0.0", "GPL-3.0-only")], "licence GPL-3.0-only"),
            ([&twice[..], &[own()]].concat(), "d is built in the versions"),
            (vec![own(), Package { rust_version: Some("1.88".into()), ..own() }], "do not claim one Rust"),
        ] {
            let found = faults(&packages);
            assert!(found.len() == 1 && found[0].contains(said), "{said}: {found:?}");
        }
    }
}
