//! `hrm-host analyze`

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Result, bail};
use hrm_host::analyze::path::{Path, follow};
use hrm_host::analyze::study::{self, Study, WALKS};
use hrm_host::data::PuzzleSet;
use hrm_host::files::{Output, commit, make_folder};
use hrm_host::model::Hrm;
use hrm_host::plot::{PICTURE, landscapes, paths, titled};
use hrm_host::quant::IntegerModel;
use hrm_host::train::eval::Answers;
use serde::Serialize;

use super::exit::Exit;
use super::model::{Model, ModelArgs};
use super::outputs::{Force, data_of};
use super::progress::{Progress, ProgressArgs};
use super::values::{Misuse, above_0, at_least_1, count, from_0};
use super::{PuzzleFile, doubling, draw_rows};

/// Ask a model the paper's three questions: does it keep answers, how does it find them, where does it rest?
///
/// Works on checkpoints (float) and on packs (the integers themselves). With --out it also draws the ways
/// through the puzzles and, for one puzzle of each mode, the landscape of broken rules around the end; those
/// of a pack are drawn with float weights restored from its integers. The tables beside them name the model
/// in every line, so that those of several models can be joined.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    questions: Questions,
    /// Segments per puzzle; as many as trained by default
    #[arg(long, value_parser = from_0::<usize>)]
    segments: Option<usize>,
    /// Folder for the pictures (SVG) and the numbers behind them (CSV)
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    force: Force,
    #[command(flatten)]
    progress: ProgressArgs,
    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
}

/// Which puzzles are asked, and when a thought is at rest.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Questions {
    #[command(flatten)]
    pub(super) file: PuzzleFile,
    /// Puzzles drawn
    #[arg(long, default_value_t = 100, value_parser = at_least_1::<usize>)]
    pub(super) rows: usize,
    /// Seeds the draw of puzzles, hints and blanks
    #[arg(long, default_value_t = 1, value_parser = from_0::<u64>)]
    pub(super) seed: u64,
    /// A state is at rest where its last four moves are on average below this share of its size
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = above_0)]
    pub(super) rest: f64,
}

impl Questions {
    /// The puzzles, of `task`.
    pub(super) fn draw(&self, task: &str) -> Result<PuzzleSet> {
        draw_rows(&self.file, task, self.rows, self.seed)
    }

    /// Asks `model` all of them about `set`, `segments` segments each.
    pub(super) fn ask<M>(
        &self,
        model: &mut M,
        set: &PuzzleSet,
        segments: usize,
        progress: &mut Progress,
    ) -> Result<Study>
    where
        M: Answers<Error: std::error::Error + Send + Sync + 'static>,
    {
        let mut stage = String::new();
        let study = Study::of(model, set, (segments, self.seed, self.rest), &mut |given, walked| {
            if stage != given {
                given.clone_into(&mut stage);
                progress.stage(format!("given {given}"), (0, set.len()));
            }
            show(walked, progress);
        })?;
        Ok(study)
    }
}

/// Everything that was found out.
#[derive(Serialize)]
struct Report {
    model: String,
    data: PathBuf,
    seed: u64,
    segments: usize,
    #[serde(flatten)]
    study: Study,
}

/// Runs the subcommand.
pub(super) fn run(args: Args) -> Result<Exit> {
    if args.segments.is_some_and(|segments| segments < 2) {
        bail!(Misuse("--segments: give at least 2, a single one does not move".into()));
    }
    // The complaint comes before minutes of work, not after.
    let pictures = args.out.as_deref().map(|out| Pictures::plan(out, &args)).transpose()?;
    let (model, about) = args.model.open()?;
    let (task, segments) = model.trained()?;
    let trained = (task.as_str(), segments);
    match model {
        Model::Pack { file, member } => {
            let pack = file.open()?;
            let model = IntegerModel { pack, member, batch: args.model.batch };
            // the integers went other ways than the float model will
            let float = |set: &PuzzleSet, segments, _: &[Path], progress: &mut Progress| {
                let mut model = args.model.restored(&pack, member)?;
                let walked = walk(&mut model, "nothing, float", set, segments, progress)?;
                Ok((model.hrm, walked))
            };
            let again = usize::from(pictures.is_some());
            study(&args, model, (float, again), trained, about, pictures)
        }
        Model::Float(model, _) => {
            let hrm = model.hrm.clone();
            let float = |_: &PuzzleSet, _, walked: &[Path], _: &mut Progress| Ok((hrm, walked.to_vec()));
            study(&args, *model, (float, 0), trained, about, pictures)
        }
    }
}

/// The ways of `model`, given `what`, through `set`.
pub(super) fn walk<M>(
    model: &mut M,
    what: &str,
    set: &PuzzleSet,
    segments: usize,
    progress: &mut Progress,
) -> Result<Vec<Path>>
where
    M: Answers<Error: std::error::Error + Send + Sync + 'static>,
{
    progress.stage(format!("given {what}"), (0, set.len()));
    Ok(follow(model, set, segments, &mut |walked: &[Path]| show(walked, progress))?)
}

/// Tells how many ways were gone, and how many led to an answer.
fn show(walked: &[Path], progress: &mut Progress) {
    progress.show(walked.len(), Some(walked.iter().filter(|path| path.solved()).count()));
}

/// Asks `model`, trained with `trained` segments; `float` gives a model to draw landscapes with, and its ways
/// through the puzzles, for which it walks through all of them `again` times.
fn study<M>(
    args: &Args,
    mut model: M,
    (float, again): (
        impl FnOnce(&PuzzleSet, usize, &[Path], &mut Progress) -> Result<(Hrm, Vec<Path>)>,
        usize,
    ),
    (task, trained): (&str, usize),
    about: String,
    pictures: Option<Pictures>,
) -> Result<Exit>
where
    M: Answers<Error: std::error::Error + Send + Sync + 'static>,
{
    let set = args.questions.draw(task)?;
    let segments = args.segments.unwrap_or(trained);
    let mut progress = args.progress.start(set.len() * (WALKS + again));
    let study = args.questions.ask(&mut model, &set, segments, &mut progress)?;
    let report = Report {
        model: about,
        data: args.questions.file.data.clone(),
        seed: args.questions.seed,
        segments,
        study,
    };
    if let Some(out) = pictures {
        let (hrm, of_float) = float(&set, segments, &report.study.paths, &mut progress)?;
        let around = study::landscapes(&hrm, &set, &of_float, args.questions.rest)?;
        let walked = report.study.with_modes();
        let named = args.model.named();
        let [paths_svg, landscapes_svg] =
            [paths::svg(&walked, &report.study.descent.mean)?, landscapes::svg(&around)?];
        let paths_svg = titled(&paths_svg, &paths::title(&named));
        let landscapes_svg = titled(&landscapes_svg, &landscapes::title(&named));
        commit([
            out.paths.stage(|file| file.write_all(paths_svg.as_bytes()))?,
            out.landscapes.stage(|file| file.write_all(landscapes_svg.as_bytes()))?,
            out.paths_table.stage(|file| {
                paths::to_csv(&named, &walked, &report.study.puzzles, file).map_err(Into::into)
            })?,
            out.landscapes_table
                .stage(|file| landscapes::to_csv(&named, &around, file).map_err(Into::into))?,
        ])?;
        progress.aside(|| {
            eprintln!("wrote paths and landscapes (.svg, .csv) into {}", out.folder.display());
        });
    }
    drop(progress);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", text(&report)?);
    }
    Ok(Exit::Success)
}

/// Everything that is drawn, and the numbers behind it.
struct Pictures {
    folder: PathBuf,
    paths: Output,
    landscapes: Output,
    paths_table: Output,
    landscapes_table: Output,
}

impl Pictures {
    /// Those in `folder`, which is made.
    fn plan(folder: &std::path::Path, args: &Args) -> Result<Self> {
        make_folder(folder)?;
        let of_run = data_of(args.model.path());
        let read = [args.model.path(), &args.questions.file.data]
            .into_iter()
            .chain(of_run.iter().map(PathBuf::as_path));
        let mut plan = args.force.plan(read);
        Ok(Self {
            paths: plan.output(&folder.join("paths.svg"), PICTURE)?,
            landscapes: plan.output(&folder.join("landscapes.svg"), PICTURE)?,
            paths_table: plan.output(&folder.join("paths.csv"), paths::TABLE)?,
            landscapes_table: plan.output(&folder.join("landscapes.csv"), landscapes::TABLE)?,
            folder: folder.to_owned(),
        })
    }
}

/// The report as a person reads it.
fn text(report: &Report) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    let number = |x: Option<f64>, digits: usize| x.map_or("-".to_owned(), |x| format!("{x:.digits$}"));
    let rows = report.study.keeping.first().map_or(0, |(_, keeping)| keeping.rows);
    writeln!(out, "{}", report.model)?;
    let (data, seed, segments) = (report.data.display(), report.seed, report.segments);
    writeln!(out, "{} of {data}, seed {seed}, {segments} segments\n", count(rows, "puzzle"))?;

    writeln!(
        out,
        "1. Does it keep what it has found? (lost: right after some segment, wrong after the last)"
    )?;
    writeln!(out, "given               solved %   95 % interval    ever right %   lost   mean segment")?;
    for (name, k) in &report.study.keeping {
        let percent = |count: usize| 100.0 * count as f64 / k.rows.max(1) as f64;
        let [low, high] = k.interval.map(|end| 100.0 * end);
        writeln!(
            out,
            "{name:<18}  {:>8.1}   {low:>5.1} to {high:>5.1}   {:>12.1}   {:>4}   {:>12}",
            percent(k.solved),
            percent(k.ever_solved),
            k.lost,
            number(k.mean_segment, 1)
        )?;
    }

    let d = &report.study.descent;
    writeln!(out, "\n2. Does it come nearer step by step? (wrong cells of the puzzles as they are)")?;
    writeln!(
        out,
        "right after the first segment and ever since: {}, right for good only later: {}",
        d.at_once, d.later
    )?;
    if let (Some(fall), Some(of_mean)) = (d.largest_fall, d.largest_fall_of_mean) {
        writeln!(
            out,
            "of those, one segment takes away {:.0} % of the most cells that were ever wrong (median); of their mean curve, {:.0} %",
            100.0 * fall,
            100.0 * of_mean
        )?;
    }
    let mean = doubling(&d.mean, |wrong| format!("{wrong:.1}"));
    writeln!(out, "mean wrong cells of all after 1, 2, 4, 8 ... segments: {mean}")?;

    writeln!(
        out,
        "\n3. Where does it come to rest? (moves: the slow state's, relative, last four segments)"
    )?;
    writeln!(out, "end              puzzles   moves (median)   wrong cells   rules broken")?;
    for share in &report.study.modes {
        writeln!(
            out,
            "{:<14}   {:>7}   {:>14}   {:>11}   {:>12}",
            share.mode.name(),
            share.rows,
            number(share.restlessness, 4),
            number(share.wrong, 1),
            number(share.energy, 1)
        )?;
    }
    Ok(out)
}
