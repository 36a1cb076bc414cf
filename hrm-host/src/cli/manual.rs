//! `hrm-host completions` and `hrm-host man`: what shells and manual readers want, made of
//! the command line itself.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use hrm_host::files::{Signature, commit, make_folder};

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
    /// Folder for the pages; made where it does not exist. `-` prints all of them
    dir: PathBuf,
    #[command(flatten)]
    force: Force,
}

/// A page that this program may write anew.
const PAGE: Signature<'static> = Signature::of_mark("a manual page of hrm-host");

/// Runs `completions`.
pub(super) fn completions(args: &CompletionsArgs) -> Result<Exit> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "hrm-host", &mut text);
    let mut text = String::from_utf8(text)?;
    if args.shell == Shell::Bash {
        // clap_complete 4.6 spells a hyphen of the program's name in two ways, so that nothing below the
        // first word is completed.
        text = text.replace("hrm__subcmd__host", "hrm__host");
    }
    print!("{text}");
    Ok(Exit::Success)
}

/// Runs `man`.
pub(super) fn man(args: &ManArgs) -> Result<Exit> {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let pages = pages(&program);
    if args.dir == Path::new("-") {
        for page in &pages {
            print!("{}", page.text(&pages)?);
        }
        return Ok(Exit::Success);
    }
    let dir = &args.dir;
    make_folder(dir)?;
    let mut plan = args.force.plan([""; 0]);
    let mut staged = Vec::new();
    let planned = pages.iter().map(|page| plan.output(&dir.join(page.file_name()), PAGE));
    for (output, page) in planned.collect::<Result<Vec<_>, _>>()?.iter().zip(&pages) {
        let text = page.text(&pages)?;
        staged.push(output.stage(|file| file.write_all(text.as_bytes()))?);
    }
    commit(staged)?;
    eprintln!("wrote {} manual pages to {}", pages.len(), dir.display());
    Ok(Exit::Success)
}

/// The manual page of a command.
struct Page<'c> {
    command: &'c Command,
}

impl Page<'_> {
    fn name(&self) -> &str {
        self.command.get_display_name().unwrap_or(self.command.get_name())
    }

    fn file_name(&self) -> String {
        format!("{}.1", self.name())
    }

    /// The page, in roff.
    fn text(&self, all: &[Page<'_>]) -> Result<String> {
        let man = Man::new(self.command.clone());
        let mut out = Vec::new();
        man.render_title(&mut out)?;
        man.render_name_section(&mut out)?;
        write!(out, ".SH SYNOPSIS\n{}\n", self.synopsis())?;
        man.render_description_section(&mut out)?;
        man.render_options_section(&mut out)?;
        if self.command.has_subcommands() {
            man.render_subcommands_section(&mut out)?;
        }
        if self.command.get_after_help().is_some() {
            man.render_extra_section(&mut out)?;
        }
        let related: Vec<String> =
            self.related(all).map(|page| format!("\\fB{}\\fR(1)", escaped(page.name()))).collect();
        write!(out, ".SH \"SEE ALSO\"\n{}\n", related.join(", "))?;
        man.render_version_section(&mut out)?;
        Ok(String::from_utf8(out)?)
    }

    /// How the command is given, each option with its value.
    fn synopsis(&self) -> String {
        let shown = self.command.get_arguments().filter(|argument| !argument.is_hide_set());
        let words = shown.map(|argument| match argument.is_required_set() || argument.is_positional() {
            true => argument.to_string(),
            false => format!("[{argument}]"),
        });
        let below = self.command.has_subcommands().then(|| "<COMMAND>".to_owned());
        let name = self.command.get_bin_name().unwrap_or(self.name());
        let words: Vec<String> = words.chain(below).map(|word| escaped(&word)).collect();
        format!("\\fB{}\\fR {}", escaped(name), words.join(" "))
    }

    /// The pages of the commands directly above and below this one, and of those beside it.
    fn related<'a, 'p>(&'a self, all: &'a [Page<'p>]) -> impl Iterator<Item = &'a Page<'p>> {
        let above = |page: &Page<'_>| page.command.get_subcommands().any(|below| self.is(below));
        let parent = all.iter().find(move |page| above(page));
        let near = move |page: &&Page<'_>| {
            let beside = parent.is_some_and(|parent| {
                parent.is(page.command) || parent.command.get_subcommands().any(|other| page.is(other))
            });
            !self.is(page.command) && (beside || self.command.get_subcommands().any(|below| page.is(below)))
        };
        all.iter().filter(near)
    }

    fn is(&self, command: &Command) -> bool {
        command.get_display_name() == self.command.get_display_name()
    }
}

/// `text` with what roff takes for something else.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('-', "\\-")
}

/// The page of `command` and those of the commands below it.
fn pages(command: &Command) -> Vec<Page<'_>> {
    let below = command.get_subcommands().filter(|below| !below.is_hide_set());
    std::iter::once(Page { command }).chain(below.flat_map(pages)).collect()
}
