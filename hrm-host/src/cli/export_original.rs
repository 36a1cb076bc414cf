//! `hrm-host export RUN --to pytorch`

use std::io::BufRead;
use std::path::Path;

use anyhow::{Context, Result};
use hrm_host::files::{Plan, Signature, Staged, commit, make_folder};
use hrm_host::original::{CONFIG, export};
use hrm_host::train::checkpoint::load_model;

use super::exit::Exit;
use super::outputs::Force;

/// Has `bytes` ready for `path`, where nothing or the very same stands already: who wrote other files of the original's forms, nothing in
/// them tells.
pub(super) fn stage(plan: &mut Plan, path: &Path, bytes: &[u8]) -> Result<Staged> {
    let is_same = |file: &mut dyn BufRead| {
        let mut there = Vec::new();
        file.read_to_end(&mut there)?;
        Ok(there == bytes)
    };
    let output = plan.output(path, Signature { name: "the same file", is_own: &is_same })?;
    Ok(output.stage(|file| file.write_all(bytes))?)
}

/// Writes the checkpoint at `path` into the folder `out`, as the original reads it.
pub(super) fn to_pytorch(path: &Path, out: &Path, force: Force, raw: bool) -> Result<Exit> {
    let model = load_model(path, !raw)?;
    let exported = export(&model.config, &model.params)
        .with_context(|| format!("cannot write {} as the original's", path.display()))?;
    let bytes = exported.safetensors()?;
    make_folder(out)?;
    let mut plan = force.plan([path]);
    let (tensors, settings) = (out.join(format!("step_{}.safetensors", model.step)), out.join(CONFIG));
    let text = format!("# written by hrm-host export --to pytorch\n{}", exported.config);
    commit([stage(&mut plan, &tensors, &bytes)?, stage(&mut plan, &settings, text.as_bytes())?])?;
    println!("wrote {} tensors to {} and {}", exported.tensors.len(), tensors.display(), settings.display());
    Ok(Exit::Success)
}
