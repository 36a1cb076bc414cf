//! What all commands that write files have in common.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use anyhow::Result;
use hrm_host::config::RunConfig;
use hrm_host::files::{CONFIG, Plan, Signature, Staged, whole};

/// What may be replaced.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Force {
    /// Replace what is there even where it is no earlier output of this command, or is write-protected
    #[arg(long)]
    force: bool,
}

impl Force {
    /// The option, as a command that does the same is given it.
    pub(super) fn option(self) -> Option<&'static str> {
        self.force.then_some("--force")
    }

    /// The plan of a command that reads `inputs`.
    pub(super) fn plan<P: AsRef<Path>>(self, inputs: impl IntoIterator<Item = P>) -> Plan {
        Plan::new(self.force, inputs)
    }
}

/// The puzzle files that the run in `folder`, where there is one, goes by: what is made of it
/// is not written over them.
pub(super) fn data_of(folder: &Path) -> Vec<PathBuf> {
    let config = RunConfig::load(&folder.join(CONFIG), &[]);
    let files = config.map(|config| vec![config.data.train, config.data.validation_from]);
    files.unwrap_or_default().into_iter().filter(|file| !file.as_os_str().is_empty()).collect()
}

/// Has `bytes` ready for `path`, where nothing or the very same stands already: who wrote files of another
/// program's forms, nothing in them tells.
pub(super) fn stage_unsigned(plan: &mut Plan, path: &Path, bytes: &[u8]) -> Result<Staged> {
    let is_same = |file: &mut dyn BufRead| Ok(whole(file)? == bytes);
    Ok(plan
        .output(path, Signature::of_content("the same file", &is_same))?
        .stage(|file| file.write_all(bytes))?)
}
