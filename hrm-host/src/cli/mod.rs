//! The command line: one file per subcommand.

use std::any::TypeId;
use std::path::PathBuf;

use clap::{ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand};
use hrm_core::task::draw::shuffle;
use hrm_host::data::import::{Columns, Options};
use hrm_host::data::{self as puzzle_data, PuzzleSet};
use hrm_host::vote::record::DataMark;
use rand_core::SeedableRng;
use rand_pcg::Pcg64;

mod analyze;
mod card;
mod checks;
mod compute;
mod curves;
mod data;
mod data_set;
mod demo;
mod device;
mod eval;
pub(crate) mod exit;
mod export;
mod export_original;
mod footprint;
mod golden;
mod import;
mod inspect;
mod interrupt;
mod manual;
mod model;
mod outputs;
mod policy;
mod progress;
mod protocol;
mod puzzles;
mod report;
mod shard;
pub(crate) mod signals;
mod solve;
mod terminal;
mod train;
pub(crate) mod values;
mod verify;
mod votes;
mod web;

use exit::Exit;

/// Trains the Hierarchical Reasoning Model, makes it int8 and proves the result.
#[derive(Debug, Parser)]
#[command(name = "hrm-host", version, propagate_version = true, after_help = Exit::table())]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train, export, verify and solve in miniature: a tour in a minute or two on two idle cores.
    Demo(demo::Args),
    /// Import, generate, measure and split puzzle files.
    Data(data::Args),
    /// Make a run of a checkpoint of the original PyTorch HRM.
    Import(import::Args),
    /// Train a model as a configuration file says.
    Train(train::Args),
    /// Draw learning curves of one or more runs.
    Curves(curves::Args),
    /// Measure a checkpoint's or a pack's exact accuracy on puzzles it has not seen.
    Eval(eval::Args),
    /// Ask a model the paper's three questions: does it keep answers, how does it find
    /// them, where does it rest?
    Analyze(analyze::Args),
    /// Write a report of one or several models as one HTML file: accuracy, the paper's questions,
    /// work, halting, precision.
    Report(report::Args),
    /// Make an int8 pack of a checkpoint.
    Export(export::Args),
    /// Compare a pack with the checkpoint it was made of.
    Verify(verify::Args),
    /// Solve puzzles with a pack, exactly as a microcontroller does.
    Solve(solve::Args),
    /// A page on which a pack is seen thinking, in any browser: into a folder, or served to this machine.
    Web(web::Args),
    /// Talk to a board.
    Device(device::Args),
    /// Show what is in a pack, or what a configuration's model will take.
    Inspect(inspect::Args),
    /// Print the completions of a shell.
    Completions(manual::CompletionsArgs),
    /// Write manual pages.
    Man(manual::ManArgs),
}

impl Cli {
    /// Reads a command line; help and errors are coloured where the terminal takes it.
    ///
    /// # Errors
    /// What is to be shown instead of running anything.
    pub(crate) fn from_words<T: Into<std::ffi::OsString> + Clone>(
        words: impl IntoIterator<Item = T>,
    ) -> Result<Self, clap::Error> {
        let choice = if terminal::takes_colours() { ColorChoice::Auto } else { ColorChoice::Never };
        let mut command = taking_negative_numbers(Self::command().color(choice));
        let found = command.try_get_matches_from_mut(words)?;
        Self::from_arg_matches(&found).map_err(|error| error.format(&mut command))
    }

    /// Runs the chosen subcommand and gives its exit code.
    ///
    /// # Errors
    /// What went wrong, to be shown to the user.
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        // A command before this one may have had plans of its own.
        signals::end_on_stop();
        match self.command {
            Command::Demo(args) => demo::run(args),
            Command::Data(args) => data::run(args),
            Command::Import(args) => import::run(args),
            Command::Train(args) => train::run(args),
            Command::Curves(args) => curves::run(args),
            Command::Eval(args) => eval::run(args),
            Command::Analyze(args) => analyze::run(args),
            Command::Report(args) => report::run(args),
            Command::Export(args) => export::run(args),
            Command::Verify(args) => verify::run(args),
            Command::Solve(args) => solve::run(args),
            Command::Web(args) => web::run(args),
            Command::Device(args) => device::run(args),
            Command::Inspect(args) => inspect::run(args),
            Command::Completions(args) => manual::completions(&args),
            Command::Man(args) => manual::man(&args),
        }
    }
}

/// `command` with every option that wants a number told of what it cannot use, where otherwise `-1`
/// would be a strange option.
fn taking_negative_numbers(command: clap::Command) -> clap::Command {
    let take = |arg: clap::Arg| if is_number(&arg) { arg.allow_negative_numbers(true) } else { arg };
    command.mut_args(take).mut_subcommands(taking_negative_numbers)
}

/// Whether an option wants a number.
fn is_number(arg: &clap::Arg) -> bool {
    let kind = arg.get_value_parser().type_id();
    let whole = [TypeId::of::<u8>(), TypeId::of::<u16>(), TypeId::of::<u32>(), TypeId::of::<u64>()];
    whole.into_iter().chain([TypeId::of::<usize>(), TypeId::of::<f64>()]).any(|number| kind == number)
}

/// The first, second, fourth, eighth ... of `values` as `show` writes them.
fn doubling<T>(values: &[T], show: impl Fn(&T) -> String) -> String {
    let places = std::iter::successors(Some(1usize), |n| Some(n * 2));
    places.map_while(|n| values.get(n - 1)).map(show).collect::<Vec<_>>().join(" ")
}

/// Puzzles drawn from a file.
struct Drawn {
    set: PuzzleSet,
    /// Where each is in the file, from 1.
    places: Vec<usize>,
    /// What tells the puzzles of this file from others.
    mark: DataMark,
}

/// A file of puzzles to measure a model with.
#[derive(Clone, Debug, clap::Args)]
struct PuzzleFile {
    /// Puzzle file, plain or gzip; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Which columns of a CSV hold what, where their names are unusual: question=NAME,answer=NAME
    #[arg(long, value_name = "WHAT=NAME,...")]
    columns: Option<Columns>,
}

/// `rows` puzzles of task `task` drawn from `file` at random, the same for equal seeds.
fn draw(file: &PuzzleFile, task: &str, rows: usize, seed: u64) -> anyhow::Result<Drawn> {
    let (all, order) = all_and_drawn(file, task, rows, seed)?;
    let mark = DataMark { puzzles: all.len(), crc: format!("{:016x}", all.fingerprint()) };
    Ok(Drawn { set: all.subset(&order), places: order.iter().map(|row| row + 1).collect(), mark })
}

/// The puzzles of [`draw`] alone.
fn draw_rows(file: &PuzzleFile, task: &str, rows: usize, seed: u64) -> anyhow::Result<PuzzleSet> {
    let (all, order) = all_and_drawn(file, task, rows, seed)?;
    Ok(all.subset(&order))
}

/// All puzzles of `file`, and which of them are drawn.
fn all_and_drawn(
    file: &PuzzleFile,
    task: &str,
    rows: usize,
    seed: u64,
) -> anyhow::Result<(PuzzleSet, Vec<usize>)> {
    let task = hrm_host::task::find(task)?;
    let columns = file.columns.clone().unwrap_or_default();
    let options = Options { task: Some(task), columns, ..Options::default() };
    let read = puzzle_data::import::import(&file.data, &options)?;
    puzzles::tell_notes(&file.data, &read.notes);
    let all = read.set;
    let mut order: Vec<usize> = (0..all.len()).collect();
    shuffle(&mut Pcg64::seed_from_u64(seed), &mut order);
    order.truncate(rows);
    Ok((all, order))
}

#[cfg(test)]
mod documents;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_a_name_of_its_own() {
        Cli::command().debug_assert();
        let words = ["hrm-host", "device", "solve", "1.....2..3.....4", "--port", "127.0.0.1:3333"];
        let more = ["--patience", "2", "--reconnect", "5", "--suppose", "0"];
        Cli::try_parse_from(words.iter().chain(&more)).unwrap();
    }

    #[test]
    fn what_is_no_number_is_told_the_option_and_its_range() {
        fn each(command: &clap::Command, words: &[String], tell: &mut dyn FnMut(&[String], &clap::Arg)) {
            command.get_arguments().for_each(|arg| tell(words, arg));
            for below in command.get_subcommands() {
                each(below, &[words, &[below.get_name().to_owned()]].concat(), tell);
            }
        }
        let mut numbers = 0;
        each(&Cli::command(), &["hrm-host".to_owned()], &mut |words, arg| {
            let (true, Some(long)) = (is_number(arg), arg.get_long()) else { return };
            numbers += 1;
            for value in ["abc", "-1", "1e999", ""] {
                let words = [words, &[format!("--{long}"), value.to_owned()]].concat();
                let error = Cli::from_words(&words).map(|_| ()).unwrap_err().to_string();
                let told = error.contains(&format!("--{long}")) && error.contains(&format!("'{value}'"));
                assert!(told && (error.contains(": give a ") || value.is_empty()), "{words:?}: {error}");
            }
        });
        assert!(numbers > 30, "{numbers}");
    }

    #[test]
    fn options_that_would_do_nothing_are_refused() {
        let refusal = |more: &[&str]| {
            let words = ["hrm-host", "eval", "model.hrm", "--data", "rows.csv"];
            Cli::try_parse_from(words.iter().chain(more)).map_err(|error| error.to_string()).err()
        };
        for option in [
            &["--rule", "majority"][..],
            &["--symmetries", "full"],
            &["--guesses", "32"],
            &["--budget", "100"],
            &["--stop-on-halt"],
            &["--patience", "0"],
            &["--suppose", "0"],
            &["--policy-seed", "7"],
        ] {
            let error = refusal(option).unwrap();
            assert!(error.contains("--vote"), "{option:?}: {error}");
            assert_eq!(refusal(&[option, &["--vote"]].concat()), None);
        }
        assert_eq!(refusal(&["--segments", "4", "--member", "0"]), None);
        let error = refusal(&["--vote", "--member", "0"]).unwrap();
        assert!(error.contains("--vote") && error.contains("--member"), "{error}");
    }
}
