//! `hrm-host export`

use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use hrm_core::lane::LaneWidth;
use hrm_core::pack::{Accuracy, Provenance};
use hrm_core::workspace_bytes;
use hrm_host::config::RunConfig;
use hrm_host::data::generate::{Recipe, generate};
use hrm_host::data::hints::ease;
use hrm_host::data::{Puzzle, PuzzleSet};
use hrm_host::files::{Output, Signature, commit, whole};
use hrm_host::model::{Hrm, Params};
use hrm_host::quant::compare::{Agreement, compare_while};
use hrm_host::quant::origin::other_run;
use hrm_host::quant::{
    About, AlignedPack, IntegerModel, PROGRAM, SELF_TEST_SEGMENTS, quantize, resized, rows_told,
    with_accuracy, with_self_test,
};
use hrm_host::task::Game;
use hrm_host::train::checkpoint::load_model;
use hrm_host::train::eval::FloatModel;
use hrm_host::train::source::prepare;
use rand_core::SeedableRng;
use rand_pcg::Pcg64;

use super::card::{self, CARD};
use super::exit::Exit;
use super::export_original::to_pytorch;
use super::model::{configuration_of, is_pack, newest_of};
use super::outputs::Force;
use super::progress::ProgressArgs;
use super::puzzles::note_passed;
use super::values::{Misuse, Tasks, at_least_1, count, from_0};

/// What is exported where nothing else is asked for.
const MEMBERS: usize = 1;
const LANES: &str = "16";
const CALIBRATION: usize = 64;
const ROWS: usize = 64;

/// Quantize checkpoints into one int8 pack, calibrated on training puzzles, with a model card beside it; or write one as the original
/// PyTorch code reads it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Checkpoint files of one run, or one run directory; with --task also a pack
    #[arg(required = true)]
    checkpoints: Vec<PathBuf>,
    /// Pack to write; the card goes to the same name with `.md`. To `-`, standard output, or a FIFO goes the pack alone. With --to
    /// pytorch, a folder
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Write the float model instead, by the original's names, with an all_config.yaml
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with_all = ["members", "segments", "lanes", "data", "calibration", "rows", "licence"])]
    to: Option<Target>,
    /// Make the pack for another size of the run's task, for example maze15x15: where weights do not depend on the size
    #[arg(long, value_name = "TASK", value_parser = Tasks, hide_possible_values = true, conflicts_with = "to")]
    task: Option<Game>,
    #[command(flatten)]
    force: Force,
    /// With a run directory: its newest N checkpoints become the pack's members
    #[arg(long, value_name = "N", default_value_t = MEMBERS, value_parser = at_least_1::<usize>)]
    members: usize,
    /// Segments of a pass; by default as many as a row had at most while the model was trained (`model.segments`)
    #[arg(long, value_name = "N", value_parser = at_least_1::<u16>)]
    segments: Option<u16>,
    /// Bits of stored states and activations
    #[arg(long, value_name = "BITS", default_value = LANES, value_parser = ["8", "16"])]
    lanes: String,
    /// CSV of training puzzles; the run's own by default
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Which columns of that file hold what, where their names are unusual: question=NAME,answer=NAME
    #[arg(long, value_name = "WHAT=NAME,...")]
    columns: Option<String>,
    /// Training puzzles to calibrate on
    #[arg(long, value_name = "N", default_value_t = CALIBRATION, value_parser = at_least_1::<usize>)]
    calibration: usize,
    /// Validation puzzles for the accuracy in the card (never test puzzles); 0 measures none
    #[arg(long, value_name = "N", default_value_t = ROWS, value_parser = from_0::<usize>)]
    rows: usize,
    /// Licence that the card states for the pack
    #[arg(long, value_name = "TEXT")]
    licence: Option<String>,
    /// Use the weights as trained, not their moving average
    #[arg(long)]
    raw: bool,
    /// Threads; all processors by default
    #[arg(long, value_name = "N", value_parser = from_0::<usize>)]
    threads: Option<usize>,
    #[command(flatten)]
    progress: ProgressArgs,
}

/// What a model can become besides a pack.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Target {
    /// A checkpoint of the original PyTorch code
    Pytorch,
}

/// An intact pack.
pub(super) const PACK: Signature<'static> =
    Signature::of_content("a pack", &|file| Ok(pack_in(file)?.open().is_ok()));

fn pack_in(file: &mut dyn BufRead) -> io::Result<AlignedPack> {
    Ok(AlignedPack::copy_of(&whole(file)?))
}

/// Whether `pack` was made of the run of `config`, with as many `members`, when the run had `steps` steps at most.
fn is_earlier(
    pack: &AlignedPack,
    config: &RunConfig,
    (task, members, lanes): (Game, usize, LaneWidth),
    steps: u64,
) -> bool {
    let Ok(pack) = pack.open() else { return false };
    let of_run =
        |provenance: &Provenance<'_>| provenance.steps <= steps && other_run(provenance, config).is_empty();
    let shape = pack.shape();
    usize::from(shape.members) == members
        && shape.lanes == lanes
        && usize::from(shape.segments) == config.model.segments
        && pack.header().is_ok_and(|header| header.task == task.name() && of_run(&header.provenance))
}

/// Hint levels measured for the card.
const HINTS: [u8; 4] = [90, 70, 40, 0];

/// Runs the subcommand.
pub(super) fn run(args: Args) -> Result<Exit> {
    super::use_threads(args.threads)?;
    if let ([path], Some(task)) = (&args.checkpoints[..], args.task)
        && is_pack(path)?
    {
        refuse_of_run(&args)?;
        return of_pack(&args, path, task);
    }
    let paths = checkpoint_paths(&args)?;
    for path in &paths {
        ensure!(
            !is_pack(path)?,
            "{} is a pack already; --task NAME makes one of it for another size of its task",
            path.display()
        );
    }
    if let Some(Target::Pytorch) = args.to {
        let [path] = &paths[..] else {
            bail!("--to pytorch writes one checkpoint; name one, or a run for its newest")
        };
        return to_pytorch(path, &args.out, args.force, args.raw);
    }
    let mut members: Vec<Params> = Vec::new();
    let mut last = None;
    for path in &paths {
        let loaded = load_model(path, !args.raw)?;
        if let Some((first, _, _)) = &last {
            let first: &RunConfig = first;
            ensure!(
                first.model == loaded.config.model,
                "{} has another [model] than {}: members of a pack share one shape",
                path.display(),
                paths[0].display()
            );
        }
        members.push(loaded.params);
        last = Some((loaded.config, loaded.step, loaded.samples));
    }
    let Some((mut config, steps, samples)) = last else {
        bail!("no checkpoint given");
    };
    if let Some(data) = &args.data {
        config.data.train.clone_from(data);
    }
    if let Some(columns) = &args.columns {
        config = config.with(&[format!("data.columns={columns}")])?;
    }
    if let Some(segments) = args.segments {
        config = config.with(&[format!("model.segments={segments}")])?;
    }
    let lanes = if args.lanes == "8" { LaneWidth::I8 } else { LaneWidth::I16 };
    let task = args.task.unwrap_or(config.model.task);
    config.model.for_task(task).with_context(|| format!("--task {task}: {}", paths[0].display()))?;
    let is_own = |file: &mut dyn BufRead| {
        Ok(is_earlier(&pack_in(file)?, &config, (task, members.len(), lanes), steps))
    };
    let own = Signature::of_content("an earlier pack of this run", &is_own);
    let (pack_out, card_out) = outputs(&args, own, &paths, &config)?;
    let puzzles = prepare(&config).context(
        "export calibrates on the run's training puzzles; name their file with --data where it has moved",
    )?;

    puzzles.passed.iter().for_each(|(path, passed)| note_passed(path, passed));
    let data = rows_told(&config, puzzles.train.len(), puzzles.validation.len());
    // Packs and cards are given away: where files lie on this machine is left out.
    let told = config.without_folders();
    let json = serde_json::to_string(&told)?;
    let (program, seed) = (PROGRAM, config.train.seed);
    let provenance = Provenance { config: &json, program, data: &data, seed, steps, samples };
    let calibration = calibration_rows(&puzzles.train, args.calibration, config.train.seed);
    let about = About { provenance: &provenance, accuracy: None };
    args.progress.note(&format!("calibrating on {}", count(calibration.len(), "training puzzle")));
    let mut pack = quantize(&config.model, &members, &calibration, lanes, about)?;

    // A device checks itself at power-on: a puzzle for each member, so that a flashed pack and its kernels are known to be sound.
    let tests: Vec<&[u8]> = calibration.iter().take(members.len()).map(|row| row.question).collect();
    pack = with_self_test(&pack, &tests, SELF_TEST_SEGMENTS)?;

    let mut levels = Vec::new();
    if let Some(task) = args.task.filter(|task| *task != config.model.task) {
        // No accuracy: the validation puzzles are of the run's own size.
        pack = for_size(&pack, task)?;
    } else if args.rows > 0 && !puzzles.validation.is_empty() {
        let first = members.last().context("no checkpoint given")?;
        let rows: Vec<usize> = (0..args.rows.min(puzzles.validation.len())).collect();
        let validation = puzzles.validation.subset(&rows);
        let mut progress = args.progress.start(HINTS.len() * validation.len());
        let mut float = FloatModel { hrm: Hrm::new(&config.model, first)?, batch: 16 };
        let member = members.len() - 1;
        let mut int = IntegerModel { pack: pack.open()?, member, batch: 16 };
        for hints in HINTS {
            progress.stage(format!("measure, {hints} % hints"), (0, validation.len()));
            let set = hrm_host::data::hints::with_hints(&validation, hints, config.data.seed);
            let mut watch = |done| {
                progress.show(done, None);
                ControlFlow::Continue(())
            };
            let segments = config.model.segments;
            let agreement =
                compare_while::<_, _, anyhow::Error>(&mut float, &mut int, &set, segments, &mut watch)?;
            levels.extend(agreement.into_iter().next_back().map(|last| (hints, last)));
        }
        let hardest = levels.last().map(|(hints, a)| Accuracy {
            rows: a.rows as u32,
            hints_percent: *hints,
            float_exact: a.float_exact as u32,
            int_exact: a.int_exact as u32,
        });
        if let Some(accuracy) = hardest {
            pack = with_accuracy(&pack, accuracy)?;
        }
    }

    write(&args, &pack, &told, &levels, (pack_out, card_out))
}

/// Writes the pack and its card, and says what was written.
fn write(
    args: &Args,
    pack: &AlignedPack,
    config: &RunConfig,
    levels: &[(u8, Agreement)],
    (pack_out, card_out): (Output, Option<Output>),
) -> Result<Exit> {
    let mut staged = vec![pack_out.stage(|file| file.write_all(pack.bytes()))?];
    if let Some(card_out) = &card_out {
        let text = card::card(&args.out, &pack.open()?, config, args.licence.as_deref(), levels)?;
        staged.push(card_out.stage(|file| file.write_all(text.as_bytes()))?);
    }
    commit(staged)?;
    let Some(card_out) = card_out else {
        eprintln!("wrote a pack of {} bytes to {}, without a card", pack.bytes().len(), pack_out.shown());
        return Ok(Exit::Success);
    };
    eprintln!("wrote {} and {}", pack_out.shown(), card_out.shown());
    let shape = *pack.open()?.shape();
    println!(
        "{}: {} bytes, {}, {}-bit lanes, {} bytes of RAM",
        args.out.display(),
        pack.bytes().len(),
        count(shape.members.into(), "member"),
        8 * shape.lanes.bytes(),
        workspace_bytes(&shape)
    );
    for (hints, a) in levels {
        println!(
            "validation, {hints:>2} % hints: float {} of {}, int {} of {}",
            a.float_exact, a.rows, a.int_exact, a.rows
        );
    }
    Ok(Exit::Success)
}

/// Refuses what only the checkpoints of a run can be asked for.
fn refuse_of_run(args: &Args) -> Result<()> {
    let given = [
        ("--members", args.members != MEMBERS),
        ("--segments", args.segments.is_some()),
        ("--lanes", args.lanes != LANES),
        ("--data", args.data.is_some()),
        ("--columns", args.columns.is_some()),
        ("--calibration", args.calibration != CALIBRATION),
        ("--rows", args.rows != ROWS),
        ("--raw", args.raw),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((option, _)) => bail!(Misuse(format!(
            "{option} is for checkpoints; a pack is made for another size as it is. Name the run that it was made of, or leave {option} out"
        ))),
        None => Ok(()),
    }
}

/// The pack at `path` for another size of its task.
fn of_pack(args: &Args, path: &Path, task: Game) -> Result<Exit> {
    let file = AlignedPack::read(path)?;
    let pack = for_size(&file, task).with_context(|| format!("--task {task}: {}", path.display()))?;
    // As the run was: the card says which size that had.
    let trained = serde_json::from_str(file.open()?.header()?.provenance.config);
    let config = trained.or_else(|_| configuration_of(path))?;
    let is_own = |file: &mut dyn BufRead| Ok(whole(file)? == pack.bytes());
    let own = Signature::of_content("this very pack", &is_own);
    let (pack_out, card_out) = outputs(args, own, &[path.to_owned()], &config)?;
    write(args, &pack, &config, &[], (pack_out, card_out))
}

/// `pack` for another size of its task, with a self-test where there is a generator that makes puzzles for it.
fn for_size(pack: &AlignedPack, task: Game) -> Result<AlignedPack> {
    let pack = resized(pack, task)?;
    let Some(_) = task.generator() else { return Ok(pack) };
    let opened = pack.open()?;
    let (members, seed) = (usize::from(opened.shape().members), opened.header()?.provenance.seed);
    let puzzles = generate(&Recipe { task, count: members, seed, givens: None }, |_| ())?;
    let tests: Vec<&[u8]> = puzzles.iter().map(|row| row.question).collect();
    Ok(with_self_test(&pack, &tests, SELF_TEST_SEGMENTS)?)
}

/// The pack and, where it is a file that something can lie beside, its card.
fn outputs(
    args: &Args,
    own: Signature<'_>,
    checkpoints: &[PathBuf],
    config: &RunConfig,
) -> Result<(Output, Option<Output>)> {
    let data = [&config.data.train, &config.data.validation_from];
    let mut plan = args.force.plan(checkpoints.iter().chain(data));
    let pack = plan.output(&args.out, own)?;
    if pack.is_stream() {
        return Ok((pack, None));
    }
    let card = plan.output(&args.out.with_extension("md"), CARD)?;
    Ok((pack, Some(card)))
}

/// The checkpoint files meant by the arguments, oldest first.
fn checkpoint_paths(args: &Args) -> Result<Vec<PathBuf>> {
    let [only] = &args.checkpoints[..] else {
        if args.members != 1 {
            bail!(Misuse("--members goes with one run directory; name the checkpoint files instead".into()));
        }
        if let Some(run) = args.checkpoints.iter().find(|path| path.is_dir()) {
            bail!(
                "{} is a folder, and several checkpoints are files of one run: name them ({}), or one run alone, with --members N \
                 for its newest N",
                run.display(),
                run.join("step-*.safetensors").display()
            );
        }
        return Ok(args.checkpoints.clone());
    };
    if !only.is_dir() {
        return Ok(vec![only.clone()]);
    }
    let found = newest_of(only, args.members)?;
    ensure!(
        found.len() == args.members,
        "{0}: {1} intact checkpoints there, {2} wanted; `hrm-host train --resume --out {0}` writes more",
        only.display(),
        found.len(),
        args.members,
    );
    Ok(found)
}

/// Training rows spread evenly over the file, every other one eased as in training.
fn calibration_rows(train: &PuzzleSet, count: usize, seed: u64) -> PuzzleSet {
    let count = count.min(train.len());
    let mut rng = Pcg64::seed_from_u64(seed);
    let mut set = PuzzleSet::new(train.task());
    for i in 0..count {
        let row = train.get(i * train.len() / count);
        let mut question = row.question.to_vec();
        if i % 2 == 1 {
            ease(train.task().blank(), &mut question, row.answer, 1.0, &mut rng);
        }
        set.push(Puzzle { question: &question, ..row });
    }
    set
}

/// The file name of a path, for messages and cards.
pub(super) fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
