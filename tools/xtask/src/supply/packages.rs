//! The packages that a workspace is made of, as cargo tells them.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::run::{cargo, output, shown};

/// A crate of some version. The names are cargo's.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) license: Option<String>,
    /// `None` for what lies in this repository.
    pub(super) source: Option<String>,
    pub(super) rust_version: Option<String>,
}

/// What `cargo metadata` prints.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Named>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Named {
    id: String,
    #[serde(flatten)]
    package: Package,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
}

/// Every package of the workspace in `folder`, with all features, on `targets`. The
/// lock file is taken as it is.
pub(super) fn packages(folder: &str, targets: &[String]) -> Result<Vec<Package>> {
    let mut metadata = cargo(["metadata", "--format-version", "1", "--locked", "--all-features"]);
    metadata.args(["--manifest-path", &format!("{folder}/Cargo.toml")]);
    metadata.args(targets.iter().flat_map(|target| ["--filter-platform", target]));
    let text = output(&mut metadata)
        .with_context(|| format!("`{}` fails: run `cargo fetch --locked` in {folder}", shown(&metadata)))?;
    let Metadata { packages, resolve } =
        serde_json::from_str(&text).context("what `cargo metadata` prints is not understood")?;
    let built: BTreeSet<String> = resolve.nodes.into_iter().map(|node| node.id).collect();
    Ok(packages.into_iter().filter(|named| built.contains(&named.id)).map(|named| named.package).collect())
}
