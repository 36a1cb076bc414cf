//! What all commands that write files have in common.

use std::path::Path;

use anyhow::Result;
use hrm_host::files::{Plan, Signature, Staged, whole};

/// What may be replaced.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Force {
    /// Replace what is there even where it is no earlier output of this command, or is write-protected
    #[arg(long)]
    force: bool,
}

impl Force {
    /// The plan of a command that reads `inputs`.
    pub(super) fn plan<P: AsRef<Path>>(self, inputs: impl IntoIterator<Item = P>) -> Plan {
        Plan::new(self.force, inputs)
    }
}

/// Has `bytes` ready for `path`, where nothing or the very same stands already: who wrote files of another program's forms,
/// nothing in them tells.
pub(super) fn stage_unsigned(plan: &mut Plan, path: &Path, bytes: &[u8]) -> Result<Staged> {
    let own = Signature { name: "the same file", is_own: &|file| Ok(whole(file)? == bytes) };
    Ok(plan.output(path, own)?.stage(|file| file.write_all(bytes))?)
}
