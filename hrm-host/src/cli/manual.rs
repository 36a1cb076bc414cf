//! `hrm-host completions` and `hrm-host man`: what shells and manual readers want, made of the command line itself.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use hrm_host::files::{Signature, commit};

use super::Cli;
use super::exit::Exit;
use super::outputs::Force;

/// Print the completions of a shell.
///
/// For example: `hrm-host completions bash > ~/.local/share/bash-completion/completions/hrm-host`.
#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Write the manual pages: hrm-host.1, and one page for each subcommand.
///
/// For example: `hrm-host man ~/.local/share/man/man1`, then `man hrm-host-train`.
#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// Folder for the pages; made where it does not exist
    dir: PathBuf,
    #[command(flatten)]
    force: Force,
}

/// A page that this program may write anew.
const PAGE: Signature = Signature { name: "a manual page of hrm-host", begins: is_page };

fn is_page(start: &[u8]) -> bool {
    String::from_utf8_lossy(start).lines().any(|line| line.starts_with(".TH hrm-host"))
}

/// Runs `completions`.
pub(super) fn completions(args: &CompletionsArgs) -> Result<Exit> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "hrm-host", &mut text);
    let mut text = String::from_utf8(text)?;
    if args.shell == Shell::Bash {
        // clap_complete 4.6 spells a hyphen of the program's name in two ways, so that nothing below the first word is completed.
        text = text.replace("hrm__subcmd__host", "hrm__host");
    }
    print!("{text}");
    Ok(Exit::Success)
}

/// Runs `man`.
pub(super) fn man(args: &ManArgs) -> Result<Exit> {
    let dir = &args.dir;
    std::fs::create_dir_all(dir).with_context(|| format!("cannot create the folder {}", dir.display()))?;
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let mut plan = args.force.plan([""; 0]);
    let mut outputs = Vec::new();
    for page in pages(&program) {
        outputs.push((plan.output(&dir.join(page.get_filename()), PAGE)?, page));
    }
    let staged = outputs.iter().map(|(output, page)| output.stage(|file| page.render(&mut &mut *file)));
    commit(staged.collect::<Result<Vec<_>, _>>()?)?;
    eprintln!("wrote {} manual pages to {}", outputs.len(), dir.display());
    Ok(Exit::Success)
}

/// The page of `command` and those of the commands below it.
fn pages(command: &Command) -> Vec<Man> {
    let below = command.get_subcommands().filter(|below| !below.is_hide_set());
    std::iter::once(Man::new(command.clone())).chain(below.flat_map(pages)).collect()
}
