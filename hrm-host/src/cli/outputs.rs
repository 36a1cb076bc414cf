//! What all commands that write files have in common.

use std::path::Path;

use hrm_host::files::Plan;

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
