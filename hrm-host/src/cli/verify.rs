//! `hrm-host verify`

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail, ensure};
use hrm_core::{Op, Pack};
use hrm_emulator::board::BOARDS;
use hrm_emulator::{Board, Claim, Disproof, Image};
use hrm_host::data::hints::with_hints;
use hrm_host::data::import::Columns;
use hrm_host::model::Hrm;
use hrm_host::quant::compare::{Agreement, compare_while};
use hrm_host::quant::origin::differences;
use hrm_host::quant::{AlignedPack, IntegerModel};
use hrm_host::shell::argument;
use hrm_host::task::find;
use hrm_host::train::checkpoint::load_model;
use hrm_host::train::eval::FloatModel;

use super::checks::{Limits, of_origin, of_trajectories};
use super::exit::Exit;
use super::golden::{GoldenArgs, against_golden};
use super::model::{is_pack, is_run, newest};
use super::progress::ProgressArgs;
use super::values::{Misuse, at_least_1, count, from_0, percent, threads};
use super::{PuzzleFile, draw_rows, interrupt};

/// Compare an int8 pack with the float checkpoint it was made of, or with a microcontroller that runs it; or
/// a float model with the original's answers.
///
/// Against a checkpoint: what the pack says of its making, its weights, and both models puzzle by puzzle
/// and segment by segment; exit code 1 where the pack was not made of that checkpoint, where both models
/// go different ways through puzzles that they solve, or where the integer model falls behind. Against
/// an emulated board: bit for bit, every operation of every segment; exit code 1 where one element
/// differs, which is named.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Pack; with --golden, a run or checkpoint
    pack: PathBuf,
    /// Checkpoint (or run directory) that the pack's member was made of
    #[arg(long, value_name = "PATH", required_unless_present_any = ["board", "golden"])]
    checkpoint: Option<PathBuf>,
    /// Emulated board to compare with (built by `cargo xtask firmware`), or `all`; may be repeated
    #[arg(long, value_name = "BOARD", conflicts_with = "checkpoint")]
    board: Vec<String>,
    #[command(flatten)]
    golden: GoldenArgs,
    /// Puzzle file, plain or gzip; `-` reads standard input
    #[arg(long, value_name = "FILE", required_unless_present = "golden")]
    data: Option<PathBuf>,
    /// Which columns of a CSV hold what, where their names are unusual: question=NAME,answer=NAME
    #[arg(long, value_name = "WHAT=NAME,...")]
    columns: Option<Columns>,
    /// Member of the pack; the last by default
    #[arg(long, value_name = "N", value_parser = from_0::<usize>)]
    member: Option<usize>,
    /// Puzzles drawn
    #[arg(long, default_value_t = 100, value_parser = at_least_1::<usize>)]
    rows: usize,
    /// Seeds the draw of puzzles and hints
    #[arg(long, default_value_t = 1, value_parser = from_0::<u64>)]
    seed: u64,
    /// Per cent of the blanks filled in as hints, separated by commas, one table each; 40 by default
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values_t = [40], hide_default_value = true, value_parser = percent)]
    hints: Vec<u8>,
    /// Segments per puzzle; as many as trained by default
    #[arg(long, value_parser = at_least_1::<usize>)]
    segments: Option<usize>,
    #[command(flatten)]
    limits: Limits,
    /// The pack was made of the weights as trained (`export --raw`)
    #[arg(long)]
    raw: bool,
    /// Threads; all processors by default
    #[arg(long, value_name = "N", value_parser = threads)]
    threads: Option<usize>,
    #[command(flatten)]
    progress: ProgressArgs,
    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
}

impl Args {
    /// The puzzles, which every comparison but that with golden answers needs.
    fn file(&self) -> Result<PuzzleFile> {
        let data = self.data.clone().context("give puzzles with --data")?;
        Ok(PuzzleFile { data, columns: self.columns.clone() })
    }
}

/// Runs the subcommand.
pub(super) fn run(args: Args) -> Result<Exit> {
    hrm_host::threads::use_threads(args.threads)?;
    if let Some(golden) = &args.golden.golden {
        return against_golden(&args.golden, golden, &args.pack, (args.raw, args.json));
    }
    ensure_in_order(&args)?;
    let file = AlignedPack::read(&args.pack)?;
    let pack = file.open()?;
    match &args.checkpoint {
        Some(checkpoint) => against_checkpoint(&args, checkpoint, pack),
        None => against_boards(&args, pack),
    }
}

/// Host and emulated boards, bit for bit.
fn against_boards(args: &Args, pack: Pack<'_>) -> Result<Exit> {
    let boards = boards(&args.board)?;
    let segments = match args.segments {
        Some(segments) => u16::try_from(segments).map_err(|_| Misuse("--segments: at most 65,535".into()))?,
        None => pack.shape().segments,
    };
    let set = draw_rows(&args.file()?, pack.header()?.task, args.rows, args.seed)?;
    let mut proofs = Vec::new();
    let mut different = false;
    let equal = Arc::new(AtomicUsize::new(0));
    let (by_then, all) = (Arc::clone(&equal), boards.len() * args.hints.len() * set.len());
    interrupt::tell(move || format!("equal so far: {} of {all} puzzles", by_then.load(Ordering::Relaxed)));
    let mut told = args.progress.start(all);
    for board in boards {
        for &hints in &args.hints {
            let eased = with_hints(&set, hints, args.seed);
            let puzzles: Vec<Vec<u8>> = eased.iter().map(|row| row.question.to_vec()).collect();
            let claim = Claim { pack, path: &args.pack, puzzles: &puzzles, segments };
            told.stage(format!("equal on {} with {hints} % hints", board.name), (0, puzzles.len()));
            let mut each = |done| {
                equal.fetch_add(1, Ordering::Relaxed);
                told.show(done, None);
            };
            let image = Image::built(board.name)?;
            let found = match claim.prove(board, image, &mut each) {
                Ok(proof) => format!(
                    "equal: {} with {hints} % hints, {}, {} operation groups each, in {:.0} s",
                    count(proof.puzzles, "puzzle"),
                    count(proof.segments, "segment"),
                    Op::ALL.len(),
                    proof.time.as_secs_f64()
                ),
                Err(difference @ Disproof::Different { .. }) => {
                    different = true;
                    format!("DIFFERENT: {difference}")
                }
                Err(error) => return Err(error.into()),
            };
            if !args.json {
                told.aside(|| println!("{} ({}): {found}", board.name, board.processor));
            }
            proofs.push(serde_json::json!({ "board": board.name, "hints": hints, "found": found }));
        }
    }
    drop(told);
    if args.json {
        let report = serde_json::json!({
            "pack": args.pack, "crc": format!("{:08x}", pack.crc()), "data": args.data, "seed": args.seed, "boards": proofs, "equal": !different,
        });
        println!("{}", serde_json::to_string_pretty(&report)?);
    }
    Ok(if different { Exit::Error } else { Exit::Success })
}

fn boards(names: &[String]) -> Result<Vec<Board>> {
    if names.iter().any(|name| name == "all") {
        return Ok(BOARDS.to_vec());
    }
    let known: Vec<&str> = BOARDS.iter().map(|board| board.name).collect();
    let find = |name: &String| {
        let unknown = || Misuse(format!("--board {name}: there are {} and `all`", known.join(", ")));
        Ok(Board::find(name).ok_or_else(unknown)?)
    };
    names.iter().map(find).collect()
}

/// Sees that the pack is a pack and the checkpoint none.
fn ensure_in_order(args: &Args) -> Result<()> {
    let Some(checkpoint) = &args.checkpoint else { return Ok(()) };
    let (first, second) = (is_pack(&args.pack)?, is_pack(checkpoint)?);
    let (pack, pack_argument) = (args.pack.display(), argument(&args.pack));
    ensure!(
        first || !second,
        "the pack and the checkpoint are the wrong way round: hrm-host verify {} --checkpoint {pack_argument}",
        argument(checkpoint)
    );
    let checkpoint = checkpoint.display();
    ensure!(
        first || !is_run(&args.pack)?,
        "{pack} is a folder, and the pack comes first: `hrm-host export {pack_argument} --out NAME.hrm` makes one of a run"
    );
    ensure!(
        !second,
        "--checkpoint {checkpoint} is a pack; name the run or the checkpoint that {pack} was made of"
    );
    Ok(())
}

/// Float and int8, puzzle by puzzle.
fn against_checkpoint(args: &Args, checkpoint: &Path, pack: Pack<'_>) -> Result<Exit> {
    let path = newest(checkpoint)?;
    let trained = load_model(&path, !args.raw)?;
    // A pack may be for another size of the run's task, and for passes of another length.
    let of_size = trained.config.model.for_task(find(pack.header()?.task)?);
    let mut model = of_size.unwrap_or_else(|_| trained.config.model.clone());
    model.segments = pack.shape().segments.into();
    let members = usize::from(pack.shape().members);
    if *pack.shape() != model.shape(members, pack.shape().lanes)? {
        bail!(
            "{} was not made of {}: they have different shapes; {}",
            args.pack.display(),
            path.display(),
            differences(&pack.header()?.provenance, &trained).join("; ")
        );
    }
    let member = args.member.unwrap_or(members - 1);
    ensure!(member < members, "--member {member}: the pack has members 0 to {}", members - 1);
    let set = draw_rows(&args.file()?, model.task.name(), args.rows, args.seed)?;
    let segments = args.segments.unwrap_or(model.segments);

    let mut checks = of_origin((&pack, member), (&path, args.raw), &trained, &args.limits)?;
    if !args.json {
        println!("{} against {}", args.pack.display(), path.display());
        checks.iter().for_each(|check| println!("{}", check.line()));
    }
    let mut float = FloatModel { hrm: Hrm::new(&model, &trained.params)?, batch: 32 };
    let mut int = IntegerModel { pack, member, batch: 32 };
    let mut tables = Vec::new();
    let stop = interrupt::watch();
    let mut progress = args.progress.start(set.len() * args.hints.len());
    for &hints in &args.hints {
        let eased = with_hints(&set, hints, args.seed);
        progress.stage(format!("{hints} % hints"), (0, set.len()));
        let mut watch = |done| {
            progress.show(done, None);
            if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let table = compare_while::<_, _, anyhow::Error>(&mut float, &mut int, &eased, segments, &mut watch)?;
        let found = of_trajectories(hints, &table, &args.limits);
        if !args.json {
            progress.aside(|| {
                print_table(hints, &table);
                found.iter().for_each(|check| println!("{}", check.line()));
            });
        }
        checks.extend(found);
        tables.push(serde_json::json!({ "hints": hints, "segments": table }));
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    drop(progress);
    let failed = checks.iter().filter(|check| check.fails()).count();
    let interrupted = stop.load(Ordering::Relaxed);
    if args.json {
        let behind = checks.iter().any(|check| check.is_accuracy() && check.fails());
        let report = serde_json::json!({
            "pack": args.pack, "crc": format!("{:08x}", pack.crc()), "checkpoint": path, "member": member,
            "data": args.data, "seed": args.seed, "limits": args.limits, "tables": tables, "checks": checks,
            "within_tolerance": !behind, "complete": !interrupted, "verified": !interrupted && failed == 0,
        });
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else if interrupted {
        println!("\ninterrupted: no verdict");
    } else if failed > 0 {
        println!("\nNOT verified: {failed} of {} checks failed", checks.len());
    } else {
        let silent = checks.iter().filter(|check| check.is_silent()).count();
        let silent = if silent == 0 {
            String::new()
        } else {
            format!(
                "; {silent} of {} checks could say nothing: give more --rows or other --hints",
                checks.len()
            )
        };
        println!(
            "\nverified: {} was made of {} and thinks as it does{silent}",
            args.pack.display(),
            path.display()
        );
    }
    Ok(match (interrupted, failed) {
        (true, _) => Exit::Interrupted,
        (false, 0) => Exit::Success,
        (false, _) => Exit::Error,
    })
}

fn print_table(hints: u8, table: &[Agreement]) {
    println!("\n{hints} % hints, {}", count(table.first().map_or(0, |a| a.rows), "puzzle"));
    println!(
        "segment   float exact   int exact   only float   only int   same cells %   same halt %   cosine z_H   worst"
    );
    for a in table {
        println!(
            "{:>7}   {:>11}   {:>9}   {:>10}   {:>8}   {:>12.2}   {:>11.1}   {:>10.5}   {:.5}",
            a.segment,
            a.float_exact,
            a.int_exact,
            a.only_float,
            a.only_int,
            100.0 * a.same_cells,
            100.0 * a.same_halt,
            a.cosine_mean,
            a.cosine_min
        );
    }
}
