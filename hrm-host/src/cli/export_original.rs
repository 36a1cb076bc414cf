//! `hrm-host export RUN --to pytorch`

use std::path::Path;

use anyhow::{Context, Result};
use hrm_host::files::{commit, make_folder};
use hrm_host::original::{CONFIG, export};
use hrm_host::train::checkpoint::load_model;

use super::exit::Exit;
use super::outputs::{Force, stage_unsigned};

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
    commit([
        stage_unsigned(&mut plan, &tensors, &bytes)?,
        stage_unsigned(&mut plan, &settings, text.as_bytes())?,
    ])?;
    println!("wrote {} tensors to {} and {}", exported.tensors.len(), tensors.display(), settings.display());
    Ok(Exit::Success)
}
