//! `hrm-host data`

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};
use clap::Subcommand;
use hrm_host::data::{
    PuzzleSet,
    export::{self, GENERATED, IMPORTED, SPLIT},
    generate::{Recipe, generate},
    import::{Answers, BadRows, Columns, Imported, Noted, Options, import},
    near::{Search, near},
    several::{Effort, several},
    split::{Apart, split},
    stats::stats,
};
use hrm_host::files::{Output, Staged, WriteError, commit, is_folder};
use hrm_host::task::Game;

use super::data_set;
use super::exit::Exit;
use super::outputs::Force;
use super::progress::ProgressArgs;
use super::puzzles::tell_notes;
use super::values::{Tasks, at_least_1, count, from_0};

/// Guesses of the exact solver that an import spends to find second solutions.
const GUESSES: u64 = 20_000;

/// Import, make, measure and split puzzle files.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check every row of a puzzle file and write it in this program's form.
    ///
    /// Reads CSV and lists, plain or gzip, drawn grids (.sdm, .sdk, .ss), and folders of the original PyTorch
    /// code (dataset.json, all__*.npy); docs/PUZZLE_FILES.md says all it reads. A row is wrong where a text
    /// has not one character for each cell, a given contradicts another, or the answer changes a given, is
    /// incomplete or is no valid grid. Wrong rows are reported by line and column, and nothing is written.
    Import {
        /// Puzzle file, or a folder of the original's; `-` reads standard input
        input: PathBuf,
        /// File to write; gzip where the name ends in .gz; `-` is standard output
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        force: Force,
        #[command(flatten)]
        columns: ColumnsArg,
        /// Compute the answers that are missing with an exact solver; a puzzle must have one solution only
        #[arg(long)]
        solve: bool,
        /// Refuse a file with a puzzle that has several solutions, instead of warning of it
        #[arg(long)]
        check_unique: bool,
        #[command(flatten)]
        task: TaskArg,
    },
    /// Write a puzzle file as another program reads it.
    Export {
        /// Puzzle file
        input: PathBuf,
        #[command(flatten)]
        task: TaskArg,
        /// The form: dataset.json and all__*.npy, as the original PyTorch code reads them
        #[arg(long, value_enum)]
        format: Format,
        /// Folder to write into
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Write a part of a whole data set: into DIR/train or DIR/test, with identifiers.json in DIR
        #[arg(long, value_name = "PART", value_parser = ["train", "test"])]
        part: Option<String>,
        #[command(flatten)]
        force: Force,
    },
    /// Make puzzles with exactly one solution.
    ///
    /// The rating written is the number of guesses that this program's exact solver makes.
    Generate {
        /// The size
        #[arg(long, value_parser = Tasks)]
        task: Game,
        /// Number of puzzles, all different
        #[arg(long, value_parser = at_least_1::<usize>)]
        count: usize,
        /// Equal seeds give equal files
        #[arg(long, default_value_t = 1, value_parser = from_0::<u64>)]
        seed: u64,
        /// Exactly so many givens; otherwise puzzles are minimal: no given can go
        #[arg(long, value_parser = from_0::<usize>)]
        givens: Option<usize>,
        /// Search near the puzzles of this file: exchange one or two givens of one of
        /// them, or of one found so
        #[arg(long, value_name = "FILE", conflicts_with = "givens")]
        near: Option<PathBuf>,
        /// Keep puzzles of at least so many guesses; with --near
        #[arg(long, value_name = "GUESSES", default_value_t = 0, requires = "near", value_parser = from_0::<u64>)]
        min_rating: u64,
        /// Keep none that shares a solution (6x6: a puzzle, 4x4: a question) with this file, even turned or
        /// renamed; with --near, once for each file that a model is to be measured by
        #[arg(long, value_name = "FILE", requires = "near")]
        apart_from: Vec<PathBuf>,
        /// File to write; gzip where the name ends in .gz; `-` is standard output
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        force: Force,
        #[command(flatten)]
        progress: ProgressArgs,
    },
    /// Show what a puzzle file holds: rows, givens, ratings, sources, duplicates up to symmetry.
    Stats {
        /// Puzzle file; one of questions alone will do
        input: PathBuf,
        #[command(flatten)]
        columns: ColumnsArg,
        #[command(flatten)]
        task: TaskArg,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        progress: ProgressArgs,
    },
    /// Split validation rows off a puzzle file, disjoint up to symmetry.
    Split {
        /// Puzzle file
        input: PathBuf,
        #[command(flatten)]
        columns: ColumnsArg,
        #[command(flatten)]
        task: TaskArg,
        /// Number of validation rows
        #[arg(long, value_name = "ROWS", value_parser = at_least_1::<usize>)]
        validation: usize,
        /// Equal seeds give equal splits
        #[arg(long, default_value_t = 1, value_parser = from_0::<u64>)]
        seed: u64,
        /// What the parts must not share [default: solutions for 9x9, puzzles for 6x6, questions otherwise]
        #[arg(long)]
        apart: Option<Apart>,
        /// File for the rows to train on
        #[arg(long, value_name = "FILE")]
        out_train: PathBuf,
        /// File for the validation rows
        #[arg(long, value_name = "FILE")]
        out_validation: PathBuf,
        #[command(flatten)]
        force: Force,
    },
}

/// How a table is read.
#[derive(Debug, clap::Args)]
struct ColumnsArg {
    /// Which columns of a CSV hold what, where their names are unusual, for example
    /// question=given,answer=full; also rating, source and task
    #[arg(long, value_name = "WHAT=NAME,...")]
    columns: Option<Columns>,
}

/// The size of a file's puzzles.
#[derive(Debug, clap::Args)]
struct TaskArg {
    /// Expect puzzles of this size; otherwise the file decides, by a column `task` or its first puzzle
    #[arg(long, value_parser = Tasks)]
    task: Option<Game>,
}

/// What a puzzle file can become.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// A folder of the original HRM
    Hrm,
}

/// Runs the subcommand.
pub(super) fn run(args: Args) -> Result<Exit> {
    match args.command {
        Command::Import { input, out, force, columns, solve, check_unique, task: TaskArg { task } } => {
            let out = force.plan(data_set::files_of(&input)).output(&out, IMPORTED)?;
            let started = Instant::now();
            let columns = columns.columns;
            let read = if is_folder(&input).with_context(|| format!("cannot read {}", input.display()))? {
                ensure!(
                    columns.is_none() && !solve,
                    "{} is a folder; --columns and --solve are for files",
                    input.display()
                );
                data_set::import(&input, task)?
            } else {
                let answers = if solve { Answers::Unique } else { Answers::Given };
                import(&input, &Options { task, columns: columns.unwrap_or_default(), answers })?
            };
            let seconds = started.elapsed().as_secs_f64();
            let proven = check_solutions(&input, &read, check_unique)?;
            commit([stage(&read.set, &out)?])?;
            eprintln!("checked {} in {seconds:.2} s{proven}", describe(&read.set));
            if read.solved > 0 {
                eprintln!("answers computed: {}", read.solved);
            }
            tell_notes(&input, &read.notes);
            note(&read.unrated, "note: ratings that are no numbers, left out");
            note(
                &read.complete,
                "warning: puzzles without a blank cell, from which a model learns only to leave them as they are",
            );
            wrote(&read.set, &out);
        }
        Command::Export { input, task: TaskArg { task }, format: Format::Hrm, out, part, force } => {
            data_set::export(&input, task, &out, part.as_deref(), force)?;
        }
        Command::Generate {
            task,
            count,
            seed,
            givens,
            near: start,
            min_rating: least,
            apart_from,
            out,
            force,
            progress,
        } => {
            let out = force.plan(start.iter().chain(&apart_from)).output(&out, GENERATED)?;
            let read = |path: &PathBuf| puzzles_of(path, task);
            let start = start.as_ref().map(read).transpose()?;
            let apart_from = apart_from.iter().map(read).collect::<Result<Vec<_>>>()?;
            let mut progress = progress.start_only("generate", count);
            let show = |found| progress.show(found, None);
            let set = match &start {
                Some(from) => near(&Search { from, apart_from: &apart_from, count, least, seed }, show)?,
                None => generate(&Recipe { task, count, seed, givens }, show)?,
            };
            drop(progress);
            commit([stage(&set, &out)?])?;
            wrote(&set, &out);
        }
        Command::Stats { input, columns, task: TaskArg { task }, json, progress } => {
            let columns = columns.columns.unwrap_or_default();
            let read = import(&input, &Options { task, columns, answers: Answers::Any })?;
            tell_notes(&input, &read.notes);
            if read.solved > 0 {
                eprintln!(
                    "note: the file lacks the answers of {}; they were computed",
                    count(read.solved, "puzzle")
                );
            }
            let mut progress = progress.start_only("stats", read.set.len());
            let stats = stats(&read.set, |done| progress.show(done, None));
            drop(progress);
            if json {
                println!("{}", serde_json::to_string_pretty(&stats)?);
            } else {
                print!("{stats}");
            }
        }
        Command::Split {
            input,
            columns,
            task: TaskArg { task },
            validation,
            seed,
            apart,
            out_train,
            out_validation,
            force,
        } => {
            let mut plan = force.plan([&input]);
            let out_train = plan.output(&out_train, SPLIT)?;
            let out_validation = plan.output(&out_validation, SPLIT)?;
            let columns = columns.columns.unwrap_or_default();
            let options = Options { task, columns, ..Options::default() };
            let Imported { set, notes, .. } = import(&input, &options)?;
            tell_notes(&input, &notes);
            let apart = apart.unwrap_or(set.task().apart());
            let parts = split(&set, validation, apart, seed)?;
            let (train, validation) = (set.subset(&parts.train), set.subset(&parts.validation));
            commit([stage(&train, &out_train)?, stage(&validation, &out_validation)?])?;
            wrote(&train, &out_train);
            wrote(&validation, &out_validation);
        }
    }
    Ok(Exit::Success)
}

/// Refuses, or warns of, puzzles with several solutions; what can be said of all puzzles otherwise.
fn check_solutions(input: &Path, read: &Imported, refuse: bool) -> Result<&'static str> {
    let several = several(read, if refuse { Effort::Proof } else { Effort::Cheap(GUESSES) });
    let rows = read.set.len();
    match several.first() {
        None if refuse => Ok(", each with one solution only"),
        None => Ok(""),
        Some(_) if refuse => bail!(BadRows::of(input, several, rows)),
        Some(first) => {
            eprintln!(
                "warning: {} of {rows} puzzles have more than one solution, the first in line {}; a model cannot know which one is \
                 meant (--check-unique refuses such files and shows the solutions)",
                several.len(),
                first.line
            );
            Ok("")
        }
    }
}

/// The puzzles of a file of `task`, answers computed where it has none.
fn puzzles_of(path: &Path, task: Game) -> Result<PuzzleSet> {
    let options = Options { task: Some(task), answers: Answers::Any, ..Options::default() };
    let Imported { set, notes, .. } = import(path, &options)?;
    tell_notes(path, &notes);
    Ok(set)
}

fn stage(set: &PuzzleSet, out: &Output) -> Result<Staged, WriteError> {
    out.stage(|file| export::write(set, out.name(), file))
}

fn wrote(set: &PuzzleSet, out: &Output) {
    eprintln!("wrote {} to {}", describe(set), out.shown());
}

/// Tells of what was noticed, if anything was.
fn note(noted: &Noted, what: &str) {
    if noted.count > 0 {
        eprintln!("{what}: {}; the first is line {}: {:?}", noted.count, noted.line, noted.text);
    }
}

fn describe(set: &PuzzleSet) -> String {
    count(set.len(), &format!("{} puzzle", set.task().name()))
}
