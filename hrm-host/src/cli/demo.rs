//! `hrm-host demo`: the whole chain in miniature, by the very commands a user would give.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use hrm_core::solve::Policy;
use hrm_core::task::Task;
use hrm_core::{Pack, workspace_bytes};
use hrm_emulator::board::BOARDS;
use hrm_emulator::{Claim, Disproof, Image, MachineError};
use hrm_host::config::RunConfig;
use hrm_host::data::PuzzleSet;
use hrm_host::data::export::{self, GENERATED};
use hrm_host::data::generate::{Recipe, generate};
use hrm_host::files::{Signature, make_folder, whole_text};
use hrm_host::model::Hrm;
use hrm_host::quant::{AlignedPack, IntegerModel};
use hrm_host::shell::{argument, quoted};
use hrm_host::train::checkpoint::RunDir;
use hrm_host::train::eval::{Answers, FloatModel, evaluate};
use hrm_host::train::load_parameters;
use hrm_host::train::source::prepare;
use hrm_host::vote::{solve_all, verdict};

use super::Cli;
use super::card::CARD;
use super::exit::Exit;
use super::export::PACK;
use super::model::newest;
use super::outputs::Force;
use super::signals;
use super::values::from_0;

/// The configuration of the demo, as it stands in `configs/`.
const CONFIG: &str = include_str!("../../../configs/sudoku4-demo.toml");
/// The demo's configuration where an earlier demo has left it.
const OWN_CONFIG: Signature<'static> =
    Signature::of_content("the demo's configuration", &|file| Ok(whole_text(file)? == CONFIG));
/// Puzzles the finished model is tried on.
const PUZZLES: usize = 200;
/// Guesses that a puzzle is worth here.
const MOST_GUESSES: u16 = 256;
/// Of those, compared with an emulated microcontroller.
const ON_BOARD: usize = 16;

/// Train a 4x4 Sudoku HRM, make it int8, and solve puzzles with it here and on an emulated microcontroller.
///
/// Takes a minute or two on two idle cores and needs no data. The microcontroller takes part where
/// `cargo xtask firmware` has built the firmware and QEMU is installed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder for everything the demo makes; by default the first free one of runs/demo, runs/demo-2, ...
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    force: Force,
    /// Seed of the training run
    #[arg(long, default_value_t = 1, value_parser = from_0::<u64>)]
    seed: u64,
    /// Optimizer steps (sets train.steps)
    #[arg(long, value_name = "N", value_parser = from_0::<u64>)]
    steps: Option<u64>,
}

/// Runs the subcommand.
pub(super) fn run(args: Args) -> Result<Exit> {
    let started = Instant::now();
    let out = args.out.clone().unwrap_or_else(free_folder);
    let file = |name: &str| out.join(name);
    let (config_path, run_dir, pack_path) = (file("config.toml"), file("run"), file("sudoku4.hrm"));
    // Whatever a step writes is checked before the first.
    make_folder(&out)?;
    let mut plan = args.force.plan([] as [&Path; 0]);
    let config_out = plan.output(&config_path, OWN_CONFIG)?;
    plan.output(&pack_path, PACK)?;
    plan.output(&pack_path.with_extension("md"), CARD)?;
    let puzzles_out = plan.output(&file("unseen.csv"), GENERATED)?;

    let mut overrides = vec![format!("train.seed={}", args.seed)];
    if let Some(steps) = args.steps {
        overrides.push(format!("train.steps={steps}"));
        overrides.push(format!("train.decay_steps={}", steps / 2));
    }
    // What an interrupted demo has trained is not trained again.
    let begun = is_begun(&run_dir, &RunConfig::parse(CONFIG, "the demo's configuration", &overrides)?)?;
    config_out.write(|file| file.write_all(CONFIG.as_bytes()))?;
    println!("1. Train an HRM on puzzles of the program's own making.");
    let sets = overrides.iter().flat_map(|set| ["--set", set]);
    let how = if begun { vec!["--resume"] } else { vec!["--config", text(&config_path)?] };
    let train = ["train"].into_iter().chain(how).chain(["--out", text(&run_dir)?]).chain(sets);
    command(&train.collect::<Vec<_>>())?;

    println!("\n2. Make it int8.");
    let export = ["export", text(&run_dir)?, "--out", text(&pack_path)?];
    command(&export.into_iter().chain(args.force.option()).collect::<Vec<_>>())?;

    println!("\n3. Compare the int8 model with the float model, puzzle by puzzle.");
    let config = RunConfig::load(&config_path, &overrides)?;
    let puzzles = unseen(&config)?;
    puzzles_out.write(|file| export::write_csv(&puzzles, file))?;
    let (pack, data) = (text(&pack_path)?, text(puzzles_out.name())?);
    let rows = puzzles.len().to_string();
    let verify = ["verify", pack, "--checkpoint", text(&run_dir)?, "--data", data, "--rows", &rows];
    // The demo's model may be trained too briefly for this tolerance; the table below has the figures.
    command(&[&verify[..], &["--hints", "0", "--tolerance", "100"]].concat())?;

    println!("\n4. Solve {} puzzles it has never seen.", puzzles.len());
    // Nothing of what follows is kept, so that a request to stop ends it at once.
    signals::end_on_stop();
    let aligned = AlignedPack::read(&pack_path)?;
    let pack = aligned.open()?;
    let table =
        [in_float(&config, &run_dir, &puzzles)?, in_integers(pack, &puzzles)?, by_voting(pack, &puzzles)?];

    println!("\n5. The same pack on a microcontroller.");
    let board = on_board(pack, &pack_path, &puzzles)?;

    println!("\n{:<42} {:>14}   wrong grids called solved", "", "solved");
    for row in &table {
        println!("{row}");
    }
    println!("{board}");
    println!(
        "\n{} bytes of flash for the model, {} bytes of RAM, {:.2} million multiply-accumulates a segment.",
        pack.bytes(),
        workspace_bytes(pack.shape()),
        pack.shape().segment_macs() as f64 / 1e6
    );
    println!(
        "Everything is in {} ({:.0} s in all). Watch it think:",
        out.display(),
        started.elapsed().as_secs_f64()
    );
    println!(
        "  {} solve {} {} --watch",
        quoted(&program()),
        argument(&pack_path),
        puzzles.task().text(puzzles.question(0))
    );
    Ok(Exit::Success)
}

/// Whether a demo of `config` has been interrupted in `run`.
///
/// # Errors
/// Where it was another demo, which this one would go on with.
fn is_begun(run: &Path, config: &RunConfig) -> Result<bool> {
    let dir = RunDir::open(run);
    if dir.checkpoints().is_empty() {
        return Ok(false);
    }
    let (_, state, _) = dir.newest()?;
    let differing = state.config.differing_keys(config, "");
    ensure!(
        differing.is_empty(),
        "{} is of a demo with another {}; give the same --seed and --steps to go on with it, or another --out",
        run.display(),
        differing.join(", ")
    );
    Ok(true)
}

fn free_folder() -> PathBuf {
    let runs = Path::new("runs");
    let names = std::iter::once("demo".to_owned()).chain((2..).map(|n| format!("demo-{n}")));
    names.map(|name| runs.join(name)).find(|path| !path.exists()).unwrap_or_else(|| runs.join("demo"))
}

/// How a shell calls this program: by its name where that is on the PATH, else by its place.
fn program() -> String {
    let name = Path::new("hrm-host").with_extension(std::env::consts::EXE_EXTENSION);
    let on_path = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(&name).is_file()));
    let place = std::env::current_exe().ok().filter(|_| !on_path);
    place.map_or("hrm-host".to_owned(), |place| place.display().to_string())
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{}: the path is not valid Unicode", path.display()))
}

/// Shows a command of this program and runs it.
fn command(words: &[&str]) -> Result<()> {
    println!("$ hrm-host {}", words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "));
    let code = Cli::try_parse_from(std::iter::once(&"hrm-host").chain(words))?.run()?;
    if code == Exit::Interrupted {
        signals::end();
    }
    ensure!(code == Exit::Success, "`hrm-host {}` did not succeed", words.join(" "));
    Ok(())
}

/// Puzzles that are neither among the training nor the validation puzzles of `config`.
fn unseen(config: &RunConfig) -> Result<PuzzleSet> {
    let seen = prepare(config)?;
    let known: HashSet<&[u8]> = [&seen.train, &seen.validation]
        .into_iter()
        .flat_map(|set| (0..set.len()).map(|row| set.question(row)))
        .collect();
    let recipe =
        Recipe { task: seen.train.task(), count: 2 * PUZZLES, seed: config.data.seed + 1, givens: None };
    let fresh = generate(&recipe, |_| {})?;
    let rows: Vec<usize> = (0..fresh.len()).filter(|&row| !known.contains(fresh.question(row))).collect();
    ensure!(rows.len() >= PUZZLES, "only {} unseen puzzles were generated", rows.len());
    Ok(fresh.subset(&rows[..PUZZLES]))
}

fn in_float(config: &RunConfig, run_dir: &Path, puzzles: &PuzzleSet) -> Result<String> {
    let (trained, params) = load_parameters(&newest(run_dir)?, true)?;
    let model = FloatModel { hrm: Hrm::new(&trained.model, &params)?, batch: 50 };
    one_pass("float model, one pass", model, puzzles, config.model.segments)
}

fn in_integers(pack: Pack<'_>, puzzles: &PuzzleSet) -> Result<String> {
    let model = IntegerModel { pack, member: 0, batch: 50 };
    one_pass("int8 model, one pass", model, puzzles, usize::from(pack.shape().segments))
}

fn one_pass<M>(what: &str, mut model: M, puzzles: &PuzzleSet, segments: usize) -> Result<String>
where
    M: Answers<Error: std::error::Error + Send + Sync + 'static>,
{
    let level = evaluate(&mut model, puzzles, 0, segments, 1)?;
    let solved = level.outcomes.iter().filter(|o| o.exact).count();
    Ok(row(what, solved, level.rows, None))
}

fn by_voting(pack: Pack<'_>, puzzles: &PuzzleSet) -> Result<String> {
    // A model that was hardly trained would go on for hours.
    let policy = Policy { guesses: MOST_GUESSES, ..Policy::for_model(pack.shape()) };
    let verdict = verdict(&solve_all(pack, puzzles, policy)?);
    Ok(row(
        "int8 model, voting over symmetric copies",
        verdict.solved,
        verdict.rows,
        Some(verdict.wrongly_solved),
    ))
}

fn row(what: &str, solved: usize, of: usize, wrong: Option<usize>) -> String {
    let wrong = wrong.map_or("(one pass says nothing)".to_owned(), |wrong| wrong.to_string());
    format!("{what:<42} {:>14}   {wrong}", format!("{solved} of {of}"))
}

/// What an emulated Cortex-M4 makes of the pack, or why there is none.
fn on_board(pack: Pack<'_>, path: &Path, puzzles: &PuzzleSet) -> Result<String> {
    let board = BOARDS[0];
    let what = format!("int8 model on a {} (QEMU {})", board.processor, board.machine);
    let absent = |why: &dyn std::fmt::Display| format!("{what:<42} not tried: {why}");
    let image = match Image::built(board.name) {
        Ok(image) => image,
        Err(error) => return Ok(absent(&error)),
    };
    let asked: Vec<Vec<u8>> =
        (0..ON_BOARD.min(puzzles.len())).map(|row| puzzles.question(row).to_vec()).collect();
    let claim = Claim { pack, path, puzzles: &asked, segments: pack.shape().segments };
    println!("{}: boots the firmware with {} in its flash", board.name, path.display());
    match claim.prove(board, image, &mut |_| {}) {
        Ok(proof) => Ok(format!(
            "{what}: {} puzzles, {} segments, every bit equal to this machine",
            proof.puzzles, proof.segments
        )),
        Err(Disproof::Machine(error @ MachineError::Qemu { .. })) => Ok(absent(&error)),
        Err(error) => Err(error).context("the microcontroller does not compute what this machine computes"),
    }
}
