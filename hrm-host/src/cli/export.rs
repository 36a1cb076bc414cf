//! `hrm-host export`

mod making;

use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use hrm_core::lane::LaneWidth;
use hrm_core::pack::{Accuracy, Provenance};
use hrm_core::workspace_bytes;
use hrm_host::config::RunConfig;
use hrm_host::files::{Form, Output, Signature, commit, shown, whole};
use hrm_host::quant::compare::Agreement;
use hrm_host::quant::origin::other_run;
use hrm_host::quant::{AlignedPack, Coarser, with_accuracy};
use hrm_host::report::grouped;
use hrm_host::shell::argument;
use hrm_host::task::Game;
use hrm_host::train::source::prepare;
use making::{Trained, for_size, measured, quantized};

use super::card::{self, CARD};
use super::exit::Exit;
use super::export_original::to_pytorch;
use super::model::{configuration_of, is_pack, is_run, newest_of};
use super::outputs::Force;
use super::progress::ProgressArgs;
use super::puzzles::tell_notes;
use super::values::{Misuse, Tasks, at_least_1, count, from_0, threads};

/// What is exported where nothing else is asked for.
const MEMBERS: usize = 1;
const LANES: &str = "16";
const CALIBRATION: usize = 64;
const ROWS: usize = 64;

/// Quantize checkpoints into one int8 pack, calibrated on training puzzles, with a model card beside it; or
/// write one as the original PyTorch code reads it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Checkpoint files trained on the same rows, or one run directory; with --task also a pack
    #[arg(required = true)]
    checkpoints: Vec<PathBuf>,
    /// Pack to write; the card goes to the same name with `.md`. To `-`, standard output, or a FIFO goes the
    /// pack alone. With --to pytorch, a folder
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Write the float model instead, by the original's names, with an all_config.yaml
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with_all = ["members", "segments", "lanes", "data", "other_data", "calibration", "rows", "licence"])]
    to: Option<Target>,
    /// Make the pack for another size of the run's task, for example maze15x15: where weights
    /// do not depend on the size
    #[arg(long, value_name = "TASK", value_parser = Tasks, hide_possible_values = true, conflicts_with = "to")]
    task: Option<Game>,
    #[command(flatten)]
    force: Force,
    /// With a run directory: its newest N checkpoints become the pack's members
    #[arg(long, value_name = "N", default_value_t = MEMBERS, value_parser = at_least_1::<usize>)]
    members: usize,
    /// Segments of a pass; by default as many as a row had at most while the model was
    /// trained (`model.segments`)
    #[arg(long, value_name = "N", value_parser = at_least_1::<u16>)]
    segments: Option<u16>,
    /// Bits of stored states and activations
    #[arg(long, value_name = "BITS", default_value = LANES, value_parser = ["8", "16"])]
    lanes: String,
    /// CSV of training puzzles; the run's own by default
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Calibrate on rows that the run was not trained on, where its own are lost; no
    /// accuracy is measured then
    #[arg(long)]
    other_data: bool,
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
    #[arg(long, value_name = "N", value_parser = threads)]
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

/// Whether `pack` was made of the run of `config`, with as many `members`, when the run
/// had `steps` steps at most.
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

/// Runs the subcommand.
pub(super) fn run(args: Args) -> Result<Exit> {
    hrm_host::threads::use_threads(args.threads)?;
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
    let mut trained = Trained::load(&paths, args.raw)?;
    trained.config = asked(&args, trained.config)?;
    let Trained { config, members, steps, .. } = &trained;
    let lanes = if args.lanes == "8" { LaneWidth::I8 } else { LaneWidth::I16 };
    let task = args.task.unwrap_or(config.model.task);
    config.model.for_task(task).with_context(|| format!("--task {task}: {}", paths[0].display()))?;
    let is_own = |file: &mut dyn BufRead| {
        Ok(is_earlier(&pack_in(file)?, config, (task, members.len(), lanes), *steps))
    };
    let own = Signature::of_content(
        "an earlier pack of this run with the same members, segments and --lanes",
        &is_own,
    );
    let outputs = outputs(&args, own, &paths, config)?;
    let puzzles = prepare(config).context(
        "export calibrates on the run's training puzzles; name their file with --data where it has moved",
    )?;
    puzzles.notes.iter().for_each(|(path, notes)| tell_notes(path, notes));
    let knows = trained.knows(&puzzles);
    ensure!(
        knows || args.other_data,
        "{} are not the rows that {} was trained on: what would be called validation may have been trained on. Name the file with \
         --data as it was, or calibrate on these by --other-data, which measures no accuracy",
        rows_of(config),
        paths[0].display()
    );

    // Packs and cards are given away: where files lie on this machine is left out.
    let told = config.without_folders();
    let mut pack = quantized(&args, &trained, (&told, lanes), (&puzzles, knows))?;
    let mut levels = Vec::new();
    if task != config.model.task {
        // No accuracy: the validation puzzles are of the run's own size.
        pack = for_size(&pack, task)?;
    } else if knows && args.rows > 0 && !puzzles.validation.is_empty() {
        levels = measured(&args, &trained, &pack, &puzzles.validation)?;
        if let Some((hints_percent, last)) = levels.last() {
            let [rows, float_exact, int_exact] =
                [last.rows, last.float_exact, last.int_exact].map(|count| count as u32);
            let hints_percent = *hints_percent;
            pack = with_accuracy(&pack, Accuracy { rows, hints_percent, float_exact, int_exact })?;
        }
    }
    write(&args, &pack, &told, &levels, outputs)
}

/// Where the rows to train on come from, in words.
fn rows_of(config: &RunConfig) -> String {
    match config.data.train.as_os_str().is_empty() {
        true => "the generated puzzles".to_owned(),
        false => format!("the rows of {}", shown(&config.data.train).display()),
    }
}

/// The run's configuration with what the command line says otherwise.
fn asked(args: &Args, mut config: RunConfig) -> Result<RunConfig> {
    if let Some(data) = &args.data {
        config.data.train.clone_from(data);
    }
    if let Some(columns) = &args.columns {
        config = config.with(&[format!("data.columns={columns}")])?;
    }
    if let Some(segments) = args.segments {
        config = config.with(&[format!("model.segments={segments}")])?;
    }
    Ok(config)
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
    if let Some(coarser) = Coarser::of(&pack.open()?) {
        eprintln!(
            "note: columns whose sums would overflow 32 bits are stored in coarser units: {} of {}, in units up to {:.2} times as large \
             as usual (docs/QUANTIZATION.md, section 3)",
            grouped(coarser.columns as u64),
            grouped(coarser.of as u64),
            coarser.times()
        );
    }
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
        ("--other-data", args.other_data),
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

/// The pack and, where it is a file that something can lie beside, its card.
fn outputs(
    args: &Args,
    own: Signature<'_>,
    checkpoints: &[PathBuf],
    config: &RunConfig,
) -> Result<(Output, Option<Output>)> {
    let data = [&config.data.train, &config.data.validation_from];
    let mut plan = args.force.plan(checkpoints.iter().chain(data));
    let pack = plan.output(&args.out, own.in_form(Form::PACK))?;
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
                "{} is a folder, and several checkpoints are files: name them ({}), or one run alone, with --members N \
                 for its newest N",
                run.display(),
                run.join("step-*.safetensors").display()
            );
        }
        return Ok(args.checkpoints.clone());
    };
    if !is_run(only)? {
        return Ok(vec![only.clone()]);
    }
    let found = newest_of(only, args.members)?;
    ensure!(
        found.len() == args.members,
        "{0}: {1} intact checkpoints there, {2} wanted; `hrm-host train --resume --out {3}` writes more",
        only.display(),
        found.len(),
        args.members,
        argument(only),
    );
    Ok(found)
}
