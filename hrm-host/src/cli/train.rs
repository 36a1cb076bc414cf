//! `hrm-host train`

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use hrm_host::config::{Precision, RunConfig};
use hrm_host::files::{CONFIG, check_folder, ends_in, is_stdin, name_of};
use hrm_host::model::multiplies_bf16;
use hrm_host::shell::argument;
use hrm_host::train::checkpoint::RunDir;
use hrm_host::train::communicator::{Alone, Communicator};
use hrm_host::train::launch::Launch;
use hrm_host::train::metrics::{Evaluation, Progress};
use hrm_host::train::source::prepare;
use hrm_host::train::{Event, RunOptions, Stop, fixed_keys_that_differ, run_among};
use indicatif::{ProgressBar, ProgressStyle};

use super::compute::DeviceChoice;
use super::exit::Exit;
use super::footprint;
use super::model::{configuration_of, is_pack, weights_of};
use super::puzzles::tell_notes;
use super::values::{above_0, at_least_1_step, count, steps, threads};
use super::{signals, terminal};

/// How long a finished run waits for room on a full disk.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// Train a model: checkpoints, metrics.jsonl and config.toml go to the run directory.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Configuration file (TOML); may be left out with --resume or --from, whose own is used then
    #[arg(long, value_name = "FILE", required_unless_present_any = ["resume", "from"])]
    config: Option<PathBuf>,
    /// Change one key of the configuration, for example train.lr=5e-4; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Run directory; must be new or empty unless --resume is given
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Go on with the run in --out, exactly where its newest intact checkpoint was written
    #[arg(long)]
    resume: bool,
    /// Start from the (averaged) weights of this pack, checkpoint or run directory instead of
    /// random ones (sets train.from)
    #[arg(long, value_name = "PATH", conflicts_with = "resume")]
    from: Option<PathBuf>,
    /// Stop (and save) after so many minutes
    #[arg(long, value_name = "MINUTES", value_parser = above_0)]
    max_minutes: Option<f64>,
    /// Stop (and save) after so many more steps
    #[arg(long, value_name = "STEPS", value_parser = steps)]
    max_steps: Option<u64>,
    /// End the run after so many more steps, over which the learning rate falls (sets
    /// train.steps and train.decay_steps)
    #[arg(long, value_name = "STEPS", value_parser = at_least_1_step)]
    finish_in: Option<u64>,
    /// Threads; all processors by default
    #[arg(long, value_name = "N", value_parser = threads)]
    threads: Option<usize>,
    /// Where to compute
    #[arg(long, value_enum, default_value_t = DeviceChoice::Cpu)]
    device: DeviceChoice,
    /// File of training puzzles, plain or gzip (sets data.train)
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Which columns of a CSV hold what, where their names are unusual:
    /// question=NAME,answer=NAME (sets data.columns)
    #[arg(long, value_name = "WHAT=NAME,...")]
    columns: Option<String>,
}

/// Runs the subcommand.
pub(super) fn run(args: Args) -> Result<Exit> {
    hrm_host::threads::use_threads(args.threads)?;
    let launch = Launch::from_environment()?;
    let speaks = launch.as_ref().is_none_or(|launch| launch.rank == 0);
    let max_time = args.max_minutes.map(|minutes| Duration::from_secs_f64((minutes * 60.0).min(1e9)));
    let config = configuration(&args, speaks)?;
    let device =
        args.device.open_for(launch.as_ref().map_or(0, |launch| launch.local_rank), &config.model)?;
    candle_core::cuda::set_gemm_reduced_precision_f32(config.train.precision == Precision::Tf32);
    if config.train.precision == Precision::Bf16 && device.is_cpu() && !multiplies_bf16() && speaks {
        eprintln!("train.precision = bf16: this processor does not multiply bf16, so the run stays in f32");
    }
    // The complaint comes before minutes of work, not after.
    check_folder(&args.out)?;
    if !args.resume {
        ensure_new(&args.out)?;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    signals::on_stop(move |again| {
        if again {
            signals::end();
        }
        flag.store(true, Ordering::Relaxed);
        if speaks {
            eprintln!(
                "stopping after this step and saving (once more: stop at once, losing what the last checkpoint lacks)"
            );
        }
    });
    let peers: Box<dyn Communicator> = match &launch {
        Some(launch) => launch.join(&device, &args.out, &stop)?,
        None => Box::new(Alone),
    };

    let from = &config.train.from;
    let start =
        if args.resume || from.as_os_str().is_empty() { None } else { Some(weights_of(from, &config)?) };
    let data = prepare(&config)?;
    if speaks {
        data.notes.iter().for_each(|(path, notes)| tell_notes(path, notes));
    }
    let options = RunOptions {
        start,
        out: Some(args.out.clone()),
        resume: args.resume,
        max_time,
        max_steps: args.max_steps,
        patience: PATIENCE,
        stop,
        device,
    };
    let mut screen = Screen::new(&config, &options, launch)?;
    let summary = run_among(&config, &data, &options, peers, &mut |event| screen.show(event));
    screen.bar.finish_and_clear();
    let summary = summary?;
    let exit = if summary.stop == Stop::Interrupted { Exit::Interrupted } else { Exit::Success };
    if !speaks {
        return Ok(exit);
    }
    let resume = format!("hrm-host train --resume --out {}", argument(&args.out));
    eprintln!(
        "{} after {}, {} sample-segments, {:.1} minutes; checkpoint {}",
        match summary.stop {
            Stop::Finished => "finished",
            Stop::Limit => "stopped as asked",
            Stop::Interrupted => "interrupted",
        },
        count(summary.step as usize, "step"),
        summary.samples,
        summary.minutes,
        summary.checkpoint.as_deref().unwrap_or(Path::new("none")).display(),
    );
    if summary.stop != Stop::Finished {
        eprintln!("go on with: {resume}");
    }
    Ok(exit)
}

/// The configuration of the file, or of the run that is resumed, with every change from the command line.
fn configuration(args: &Args, speaks: bool) -> Result<RunConfig> {
    ensure_folder(args)?;
    let dir = RunDir::open(&args.out);
    dir.ensure_idle()?;
    let mut of_run = None;
    if args.resume {
        let (_, state, _) = dir.newest()?;
        of_run = Some((kept_configuration(args, state.config, speaks)?, state.step));
    }
    let mut overrides = args.overrides.clone();
    if let Some(from) = &args.from {
        let path = from.to_str().context("--from: the path is not valid Unicode")?;
        overrides.push(format!("train.from={path}"));
    }
    if let Some(data) = &args.data {
        let path = data.to_str().context("--data: the path is not valid Unicode")?;
        overrides.push(format!("data.train={path}"));
    }
    if let Some(columns) = &args.columns {
        overrides.push(format!("data.columns={columns}"));
    }
    if let Some(steps) = args.finish_in {
        let done = of_run.as_ref().map_or(0, |(_, step)| *step);
        overrides.push(format!("train.steps={}", done + steps));
        overrides.push(format!("train.decay_steps={steps}"));
    }
    let config = match (&args.config, of_run, &args.from) {
        (Some(path), of_run, _) => {
            let config = RunConfig::load(path, &overrides)?;
            if let Some((of_run, _)) = of_run {
                ensure_same_model(&args.out, &of_run, path, &config)?;
            }
            config
        }
        (None, Some((config, _)), _) => config.with(&overrides)?,
        (None, None, Some(from)) => {
            let config = endless_configuration_of(from)?;
            if is_pack(from)? {
                ensure_data_is_named(from, &config, args)?;
            }
            config.with(&overrides)?
        }
        (None, None, None) => {
            bail!("give a configuration with --config, for example configs/sudoku9-mcu.toml")
        }
    };
    if args.config.is_none() {
        ensure_there(&config)?;
    }
    Ok(config)
}

/// The configuration that the run in --out goes on with: that of its newest checkpoint, `last`, or of the
/// folder's config.toml, where somebody has changed that since.
fn kept_configuration(args: &Args, last: RunConfig, speaks: bool) -> Result<RunConfig> {
    let path = args.out.join(CONFIG);
    let there = path.try_exists().with_context(|| format!("cannot look for {}", path.display()))?;
    if !there {
        return Ok(last);
    }
    let kept = RunConfig::load(&path, &[]).with_context(|| {
        format!("mend {0}, or delete it to go on as the newest checkpoint says", path.display())
    })?;
    let changed = kept.differing_keys(&last, "");
    if changed.is_empty() {
        return Ok(last);
    }
    let (path, keys) = (path.display(), changed.join(", "));
    let fixed = fixed_keys_that_differ(&last, &kept);
    ensure!(
        fixed.is_empty(),
        "{path} has another {} than the run's newest checkpoint, and a run cannot change that; undo it there, or delete the file to \
         go on as the checkpoint says (a new run with it: train --config {path} --out NEW)",
        fixed.join(", ")
    );
    ensure!(
        args.config.is_none(),
        "{path} was changed since the run's newest checkpoint ({keys}), and --config would overwrite it; leave --config out to go on \
         as it says, or delete it"
    );
    if speaks {
        eprintln!("{path} was changed since the run's newest checkpoint: going on with its {keys}");
    }
    Ok(kept)
}

/// The configuration of the model at `path`, but for the end of its run: a new one
/// goes on until it is stopped. A pack may be of a size that its run learned beside its own.
fn endless_configuration_of(path: &Path) -> Result<RunConfig> {
    let mut config = configuration_of(path)?;
    (config.train.steps, config.train.decay_steps) = (0, 0);
    let own = config.model.task;
    config.data.also.retain(|size| *size != own);
    Ok(config)
}

/// A run goes on with the model it has. Said before any puzzle is read.
fn ensure_same_model(out: &Path, of_run: &RunConfig, path: &Path, config: &RunConfig) -> Result<()> {
    let differing = of_run.differing_keys(config, "model.");
    ensure!(
        differing.is_empty(),
        "the run in {} trains another model than {} describes: {}; leave --config out to go on with the run's own, \
         or start a new run in another --out",
        out.display(),
        path.display(),
        differing.join(", ")
    );
    Ok(())
}

/// Whoever made a pack had files of that name; what lies here under the same name may be anything.
fn ensure_data_is_named(pack: &Path, config: &RunConfig, args: &Args) -> Result<()> {
    let named =
        |key: &str| args.overrides.iter().any(|set| set.split('=').next().is_some_and(|k| k.trim() == key));
    let (train, others) = (&config.data.train, &config.data.validation_from);
    ensure!(
        train.as_os_str().is_empty() || args.data.is_some() || named("data.train"),
        "{} was trained on a file called {}; name the file with --data",
        pack.display(),
        name_of(train)
    );
    ensure!(
        others.as_os_str().is_empty() || named("data.validation_from"),
        "{} had its validation rows drawn from a file called {}; name yours with --set data.validation_from=FILE, or \
         split the training rows with --set data.validation_from=",
        pack.display(),
        name_of(others)
    );
    Ok(())
}

/// A run's files may have moved.
fn ensure_there(config: &RunConfig) -> Result<()> {
    let (train, others) = (&config.data.train, &config.data.validation_from);
    let absent = |path: &Path| !path.as_os_str().is_empty() && !is_stdin(path) && !path.exists();
    ensure!(!absent(train), "{} (data.train) is not here; name the file with --data", train.display());
    ensure!(
        !absent(others),
        "{} (data.validation_from) is not here; name the file with --set data.validation_from=FILE",
        others.display()
    );
    Ok(())
}

/// A run is a folder; a checkpoint file inside it is often named in its place.
fn ensure_folder(args: &Args) -> Result<()> {
    let out = &args.out;
    if !out.is_file() {
        return Ok(());
    }
    let run = out.parent().filter(|_| ends_in(out, "safetensors"));
    match run.filter(|_| args.resume) {
        Some(run) => {
            let run = if run.as_os_str().is_empty() { Path::new(".") } else { run };
            bail!(
                "{} is a file; --resume goes on with a whole run: `hrm-host train --resume --out {}` takes its newest \
                 checkpoint (`hrm-host train --from {} --out NEW` starts a new run from this one)",
                out.display(),
                argument(run),
                argument(out)
            )
        }
        None => bail!("{} is a file; --out wants the folder of a run", out.display()),
    }
}

fn ensure_new(out: &Path) -> Result<()> {
    let unused = RunDir::open(out).is_unused().with_context(|| format!("cannot list {}", out.display()))?;
    ensure!(unused, "{} is not empty; continue that run with --resume, or give another --out", out.display());
    Ok(())
}

/// A progress bar on a terminal, plain lines elsewhere; all of it on stderr.
struct Screen {
    bar: ProgressBar,
    terminal: bool,
    footprint: String,
    steps: u64,
    last: Option<u64>,
    max_time: Option<Duration>,
    max_steps: Option<u64>,
    /// Rows of all ranks.
    batch: u64,
    launch: Option<Launch>,
    minutes_at_start: Option<f64>,
}

impl Screen {
    fn new(config: &RunConfig, options: &RunOptions, launch: Option<Launch>) -> Result<Self> {
        let terminal = terminal::redraws(&std::io::stderr()) && launch.is_none();
        let bar = if terminal { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        let style =
            ProgressStyle::with_template("{spinner} {msg}").unwrap_or(ProgressStyle::default_spinner());
        bar.set_style(style);
        Ok(Self {
            bar,
            terminal,
            footprint: footprint::brief(config)?,
            steps: config.train.steps,
            last: None,
            max_time: options.max_time,
            max_steps: options.max_steps,
            batch: (config.train.batch * launch.as_ref().map_or(1, |launch| launch.ranks)) as u64,
            launch,
            minutes_at_start: None,
        })
    }

    fn line(&self, text: &str) {
        if self.terminal { self.bar.println(text) } else { eprintln!("{text}") }
    }

    fn show(&mut self, event: Event<'_>) {
        // Rank 0 speaks for all, but for what goes wrong elsewhere.
        if self.launch.as_ref().is_some_and(|launch| launch.rank != 0) && !matches!(event, Event::Warning(_))
        {
            return;
        }
        match event {
            Event::Started { step, rows, parameters } => {
                let end = self.max_steps.map(|n| step + n);
                self.last = [end, (self.steps > 0).then_some(self.steps)].into_iter().flatten().min();
                self.line(&format!("{parameters} parameters, {rows} training puzzles, from step {step}"));
                if let Some(Launch { ranks, by, .. }) = &self.launch {
                    let (all, each) = (self.batch, self.batch / *ranks as u64);
                    self.line(&format!(
                        "{ranks} ranks, started by {by}: a step takes {all} rows, {each} (train.batch) from each"
                    ));
                }
                self.line(&self.footprint);
            }
            Event::Step { .. } => self.bar.tick(),
            Event::Progress(progress) => {
                let text = self.describe(progress);
                if self.terminal { self.bar.set_message(text) } else { eprintln!("{text}") }
            }
            Event::Evaluated(evaluation) => self.line(&describe_evaluation(evaluation)),
            Event::Saved(path) => {
                if !self.terminal {
                    eprintln!("saved {}", path.display());
                }
            }
            Event::Warning(text) => self.line(&format!("warning: {text}")),
        }
    }

    fn describe(&mut self, p: &Progress) -> String {
        let began = *self.minutes_at_start.get_or_insert(p.minutes);
        let by_steps = self
            .last
            .filter(|_| p.rate > 0.0)
            .map(|last| last.saturating_sub(p.step) as f64 * self.batch as f64 / p.rate / 60.0);
        let by_time = self.max_time.map(|limit| limit.as_secs_f64() / 60.0 - (p.minutes - began));
        let left = [by_steps, by_time].into_iter().flatten().reduce(f64::min);
        let left = left.map_or(String::new(), |m| format!("  {:.0} min left", m.max(0.0)));
        format!(
            "step {:>6}  {:>8} samples  {:>5.0}/s  loss {:.4}  cells {:5.1} %  exact {:5.1} % (hard {:4.1} %)  {:4.1} segments{left}",
            p.step,
            p.samples,
            p.rate,
            p.loss,
            100.0 * p.token_accuracy,
            100.0 * p.exact_accuracy,
            100.0 * p.hard_exact_accuracy,
            p.mean_segments,
        )
    }
}

fn describe_evaluation(evaluation: &Evaluation) -> String {
    let levels: Vec<String> = evaluation
        .levels
        .iter()
        .map(|level| format!("{} %: {:.1}", level.hints, 100.0 * level.exact))
        .collect();
    format!(
        "step {:>6}  validation, exact % by hints ({}, {})  {}",
        evaluation.step,
        count(evaluation.levels.first().map_or(0, |level| level.rows), "puzzle"),
        count(evaluation.segments, "segment"),
        levels.join("  "),
    )
}
